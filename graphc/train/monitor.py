"""Which value of a history is watched, and when it has become better."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from graphc.errors import ArgumentError, UnknownNameError

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
            fix = "pass validation_data to fit" if self.name.startswith("val_") else None
            raise UnknownNameError(
                f"the history has no column {self.name!r} to watch",
                expected=", ".join(k for k in row if k != "epoch"),
                fix=fix,
            )
        return row[self.name]


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
