"""One training run: what it was asked for, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from graphc.errors import ArgumentError, UnknownNameError
from graphc.optim.optimizer import Optimizer
from graphc.train.callbacks import Callbacks
from graphc.train.data import Arrays
from graphc.train.history import History
from graphc.train.kept import Kept

INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Seeds:
    """Where randomness starts, each from its own number.

    Attributes:
        init: starting values of parameters.
        shuffle: the order of examples in each epoch.
        random: random sites, such as dropout's masks.
        split: which examples are held out by ``validation_split``.
    """

    init: int = 0
    shuffle: int = 0
    random: int = 0
    split: int = 0


def seeds_of(seed: Any) -> Seeds:
    """One number for all, or a dict of some of them.

    Raises:
        ArgumentError, UnknownNameError: numbers that are no seeds, or a name that is none of them.
    """
    if not isinstance(seed, Mapping):
        check_count("seed", seed, 0)
        return Seeds(*[int(seed)] * 4)
    known = tuple(asdict(Seeds()))
    for name, value in seed.items():
        if name not in known:
            raise UnknownNameError(f"no seed named {name!r}", expected=", ".join(known))
        check_count(f"seed[{name!r}]", value, 0)
    return Seeds(**{name: int(value) for name, value in seed.items()})


class Before(NamedTuple):
    """Steps that went well: the last batch, the values before them, how many they are, and what they made.

    Where a callback has set other parameters since, there is nothing of them to undo.
    """

    batch: Arrays
    kept: Kept
    steps: int = 1
    made: Any = None

    def made_these(self, params: Any) -> bool:
        """Whether the parameters are what these steps made of them."""
        return self.made is None or self.made is params


@dataclass
class Position:
    """Where a run stands, for a checkpoint to go on from. It changes with each step; a ``Training`` holds a copy.

    Attributes:
        first: epochs in the history when the run began.
        epoch: whole epochs in the history now.
        batch: steps taken within the epoch that is under way.
        total: the sum of its losses so far, each times its number of examples.
        rows: the number of these examples.
        settings: what must be the same for the rest to be the same: seeds, batch size, number of examples.
        finished: why the run ended, where it did so by itself.
    """

    first: int = 0
    epoch: int = 0
    batch: int = 0
    total: float = 0.0
    rows: int = 0
    settings: tuple[tuple[str, Any], ...] = ()
    finished: str = ""

    def count_step(self, loss: float, rows: int) -> None:
        """One step more within the epoch."""
        self.batch += 1
        self.total += loss * rows
        self.rows += rows

    def count_epoch(self) -> None:
        """The epoch is in the history."""
        self.epoch, self.batch, self.total, self.rows = self.epoch + 1, 0, 0.0, 0


@dataclass(frozen=True)
class Training:
    """A run that can be gone on with.

    Attributes:
        position: where it stands.
        callbacks: the name of the class of each callback that keeps something, and what it keeps.
    """

    position: Position
    callbacks: tuple[tuple[str, Mapping[str, Any]], ...] = ()


@dataclass
class Run:
    """What one call of ``fit`` needs and changes; what callbacks see.

    Attributes:
        model: the model that is trained.
        module: its generated module.
        optimizer: how.
        epochs: how many epochs were asked for.
        seeds: see ``Seeds``.
        progress: whether a bar is shown.
        callbacks: what is called along the way.
        position: where the run stands.
        reason: why it is to end; empty while it is not.
        epoch: the epoch that is under way, or that has just ended, from 1.
        before: the last step that went well.
        kept: the values before this step, and before the last.
        inputs: the inputs of the loss, in order.
        unchecked: what tells ``train_step`` that its data are checked.
    """

    model: Any
    module: Any
    optimizer: Optimizer
    epochs: int
    seeds: Seeds = Seeds()
    progress: bool = False
    callbacks: Callbacks = field(default_factory=lambda: Callbacks(()))
    position: Position = field(default_factory=Position)
    reason: str = ""
    epoch: int = 0
    before: Before | None = None
    kept: tuple[Kept, Kept] = field(default_factory=lambda: (Kept(), Kept()))
    inputs: list[str] = field(default_factory=list)
    unchecked: dict[str, Any] = field(default_factory=dict)
    _hypers: tuple[float, dict[str, float]] | None = None

    def __post_init__(self) -> None:
        self.inputs = self.model.train_inputs
        self.unchecked = {"check": False} if self.module.model.checks else {}  # data are checked at the door

    @property
    def history(self) -> History:
        """The model's history."""
        found: History = self.model.history
        return found

    @property
    def step(self) -> int:
        """How many steps this optimizer has taken on the model, over all its runs."""
        count: int = self.model.values.step
        return count

    @property
    def factor(self) -> float:
        """What multiplies the rate that the optimizer says; a callback may set it."""
        value: float = self.model.values.factor
        return value

    @factor.setter
    def factor(self, value: float) -> None:
        self.model.values.factor = float(value)

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return self.optimizer.rate_after(self.model.values.slots) * self.factor

    @property
    def hypers(self) -> dict[str, float]:
        """What ``train_step`` takes beside the data, by keyword: the rate, or the coefficients of its schedule."""
        factor = self.factor
        if self._hypers is None or self._hypers[0] != factor:  # asked at every step, and changed by few
            names = self.module.model.update.hypers
            values = self.optimizer.hypers(factor)
            self._hypers = factor, {names[key][0]: value for key, value in values.items()}
        return self._hypers[1]

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it."""
        return self.reason == INTERRUPTED

    def training(self) -> Training:
        """The run as it stands."""
        ended = "" if self.interrupted else self.reason
        return Training(replace(self.position, finished=ended), tuple(self.callbacks.states()))

    def stop(self, reason: str) -> None:
        """End training after this epoch (or, from ``on_batch_end``, after this step); the first reason counts."""
        self.reason = self.reason or reason


def check_count(name: str, value: Any, least: int) -> None:
    """Raises ArgumentError for a count that is none."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ArgumentError(f"{name} is an int of at least {least}", given=repr(value))


def check_settings(epochs: Any, batch_size: Any, seed: Any) -> None:
    """Raises ArgumentError for counts that are not counts."""
    for name, value, least in (("epochs", epochs, 0), ("batch_size", batch_size, 1), ("seed", seed, 0)):
        check_count(name, value, least)
