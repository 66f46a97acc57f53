"""Which value of a history is watched, and when it has become better."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from graphc.errors import ArgumentError, UnknownNameError
from graphc.train.callbacks import Callback, Own

LOWER = ("loss", "error", "mae", "mse", "rmse")
HIGHER = ("accuracy", "top_k", "precision", "recall", "f1", "auc", "r2")
MODES = ("auto", "min", "max")


@dataclass(frozen=True)
class Monitor:
    """A column of the history and the direction in which it gets better.

    Args:
        name: such as ``val_loss``.
        mode: ``min``, ``max``, or ``auto``: by the last word of the name (``loss``, ``rmse``, ... are better lower,
            ``accuracy``, ``f1``, ... higher).
        min_delta: an improvement is more than this.

    Raises:
        ArgumentError: an unknown mode, or a name that ``auto`` knows nothing of.
    """

    name: str
    mode: str = "auto"
    min_delta: float = 0.0

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ArgumentError("unknown mode", given=repr(self.mode), expected=", ".join(MODES))
        if not (isinstance(self.min_delta, (int, float)) and 0 <= self.min_delta < math.inf):
            raise ArgumentError("min_delta is a finite number of at least 0", given=repr(self.min_delta))
        if self.mode == "auto":
            object.__setattr__(self, "mode", _direction(self.name))

    @property
    def worst(self) -> float:
        """What every finite value is better than."""
        return math.inf if self.mode == "min" else -math.inf

    def improves(self, value: float, best: float) -> bool:
        """Whether a value is better than the best by more than ``min_delta``; nan never is."""
        if self.mode == "min":
            return value < best - self.min_delta
        return value > best + self.min_delta

    def value(self, row: Mapping[str, float]) -> float:
        """The watched value of a row.

        Raises:
            UnknownNameError: the history has no such column.
        """
        if self.name not in row:
            columns = [k for k in row if k != "epoch"]
            raise UnknownNameError(
                f"the history has no column {self.name!r} to watch",
                expected=", ".join(columns),
                fix=_way_out(self.name, columns),
            )
        return row[self.name]


def _way_out(name: str, columns: list[str]) -> str | None:
    if name.startswith("val_") and not any(c.startswith("val_") for c in columns):
        return "pass validation_data to fit"
    near = get_close_matches(name, columns, n=1)
    return f"did you mean {near[0]!r}?" if near else None


def check_watched(callbacks: Iterable[Callback], columns: Iterable[str]) -> None:
    """Before the first step: what is watched will be a column, unless a callback of the user may yet add it.

    Raises:
        UnknownNameError: the history will have no such column.
    """
    members = list(callbacks)
    if any(_may_add(member) for member in members):
        return
    row = dict.fromkeys(columns, 0.0)
    for member in members:
        monitor = getattr(member, "monitor", None)
        if isinstance(monitor, Monitor):
            monitor.value(row)


def _may_add(member: Callback) -> bool:
    module = type(member).on_epoch_end.__module__  # None where code is run that no module holds
    ours = str(module).startswith("graphc.")
    return isinstance(member, Own) or not ours


def _direction(name: str) -> str:
    word = name.removeprefix("val_")
    if any(word == w or word.endswith(f"_{w}") for w in LOWER):
        return "min"
    if any(word == w or word.startswith(f"{w}_") or word.endswith(f"_{w}") for w in HIGHER):
        return "max"
    raise ArgumentError(
        f"nothing says whether {name} is better low or high",
        given="mode='auto'",
        fix="pass mode='min' or 'max'",
    )
