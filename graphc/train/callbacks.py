"""What may watch and steer a training run: the interface, and the group that a run calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphc.errors import ArgumentError

if TYPE_CHECKING:
    from graphc.train.run import Run

Row = dict[str, float]


class Callback:
    """What a training run calls. A subclass overrides what it needs; every method here does nothing.

    A run shows ``run.model``, ``run.epoch`` (from 1), ``run.step`` (steps that this model has taken), ``run.rate``
    (the learning rate of the next step), ``run.history``; ``run.factor`` multiplies the rate and may be set;
    ``run.stop(reason)`` ends training after this epoch, or from ``on_batch_end`` after this step.

    Attributes:
        after_others: called after all that do not say so; for what records the state of the others.
        each_step: whether ``on_batch_end``, where it is overridden, is to be called; asked when training begins. Where
            no callback is called after each step, steps are taken many at a time, which is faster.

    Example:
        >>> from graphc import train
        >>> class Count(train.Callback):
        ...     def on_train_begin(self, run):
        ...         self.steps = 0
        ...     def on_batch_end(self, run, loss):
        ...         self.steps += 1
    """

    after_others = False
    each_step = True

    def on_train_begin(self, run: Run) -> None:
        """Before the first epoch: what is counted during a run starts here."""

    def on_epoch_begin(self, run: Run) -> None:
        """Before the first step of ``run.epoch``; not where a run goes on within an epoch."""

    def on_batch_end(self, run: Run, loss: float) -> None:
        """After a step; ``loss`` is that of its batch, before the step."""

    def on_steps_end(self, run: Run, losses: Sequence[float]) -> None:
        """After some steps, which may be many where nothing looks at each; ``losses`` are theirs, in order."""

    def on_epoch_end(self, run: Run, row: Row) -> None:
        """After an epoch; ``row`` is in the history already, and entries that are added to it stay there."""

    def on_non_finite(self, run: Run, error: Exception) -> bool:
        """The loss stopped being finite. True ends training without an error."""
        return False

    def on_train_end(self, run: Run) -> None:
        """Once, however training ended; ``run.history.stopped`` says why."""

    def __repr__(self) -> str:
        words = {k: getattr(v, "name", v) for k, v in vars(self).items() if not k.startswith("_")}
        said = [f"{k} {v}" for k, v in words.items() if isinstance(v, (str, int, float, Path)) and v != ""]
        return f"<{type(self).__name__}{': ' if said else ''}{', '.join(said)}>"

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of this callback: plain numbers, text, and arrays, by name."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state`` gave; called after ``on_train_begin`` of a run that goes on."""


class Own(Callback):
    """A function ``(model, row)``, called after each epoch; one that returns False stops training."""

    def __init__(self, function: Callable[[Any, Row], Any]) -> None:
        self.function = function

    def on_epoch_end(self, run: Run, row: Row) -> None:
        """Call it."""
        if self.function(run.model, row) is False:
            run.stop(f"a callback stopped it after epoch {run.epoch}")


class Callbacks:
    """All callbacks of a run, in order; those that overrode nothing for a moment are not called then."""

    def __init__(self, callbacks: Iterable[Any]) -> None:
        if not isinstance(callbacks, Iterable):
            raise ArgumentError("callbacks are a list", given=f"{callbacks!r:.60}", fix="callbacks=[...]")
        members = [_callback(c) for c in callbacks]
        self.members = sorted(members, key=lambda c: c.after_others)  # stable: the user's order otherwise
        self.steps_end = _overriding(self.members, "on_steps_end")
        self.batch_end = _overriding([c for c in self.members if c.each_step], "on_batch_end")

    def call(self, name: str, *args: Any) -> None:
        """Call a method of every callback that has one of its own."""
        for method in _overriding(self.members, name):
            method(*args)

    def accept(self, run: Run, error: Exception) -> bool:
        """Whether a callback takes a value that is not finite as the end of training."""
        answers = [method(run, error) for method in _overriding(self.members, "on_non_finite")]
        return any(answers)

    def states(self) -> list[tuple[str, dict[str, Any]]]:
        """What each callback keeps, with the name of its class."""
        return [(type(c).__name__, state) for c in self.members if (state := c.state())]

    def restore(self, states: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Hand each state to the next callback of its class.

        Raises:
            ArgumentError: a state that no callback takes; then none has taken any.
        """
        for taker, state in self.takers(states):
            taker.restore(state)

    def takers(
        self, states: Iterable[tuple[str, Mapping[str, Any]]]
    ) -> list[tuple[Callback, Mapping[str, Any]]]:
        """Which callback takes which state; see ``restore``."""
        waiting, pairs = list(self.members), []
        for name, state in states:
            taker = next((c for c in waiting if type(c).__name__ == name), None)
            if taker is None:
                raise ArgumentError(
                    f"the checkpoint holds the state of a callback {name}, and none is given",
                    given=", ".join(type(c).__name__ for c in self.members) or "no callbacks",
                    fix=f"pass the callbacks of the run that wrote it, {name} among them",
                )
            waiting.remove(taker)
            pairs.append((taker, state))
        return pairs


def _overriding(members: Iterable[Callback], name: str) -> list[Callable[..., Any]]:
    """The methods of this name that are not those of ``Callback`` itself."""
    return [getattr(c, name) for c in members if getattr(type(c), name) is not getattr(Callback, name)]


def _callback(given: Any) -> Callback:
    if isinstance(given, Callback):
        return given
    if isinstance(given, type) or not callable(given):
        raise ArgumentError(
            "a callback is a train.Callback or a function (model, row)",
            given=f"{given!r:.60}",
            fix="make an object of it, such as train.EarlyStopping()" if isinstance(given, type) else None,
        )
    return Own(given)
