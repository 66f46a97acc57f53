"""Checks of the settings of optimizers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import ArgumentError
from graphc.optim.schedule import Schedule

Number = float | Schedule
"""A setting that may follow the step."""


def checked_rate(lr: Any) -> float | Schedule:
    """A rate λ: a number, or a schedule of one.

    Raises:
        ArgumentError: not a finite number of at least 0.
    """
    if isinstance(lr, Schedule):
        if not 0 <= lr(0) < float("inf"):
            raise ArgumentError(
                "a schedule of rates begins with a finite number of at least 0",
                given=f"{lr!r:.80}, which is {lr(0)} at t = 0",
                fix="t counts from 0: write 1 + t where it divides",
            )
        return lr
    if isinstance(lr, bool) or not isinstance(lr, (int, float)) or not 0 <= lr < float("inf"):
        raise ArgumentError(
            "the learning rate is a finite number of at least 0",
            given=f"{lr!r:.80}",
            fix=None
            if _is_number(lr)
            else "a number, or a schedule such as schedules.exponential(0.1, 0.99)",
        )
    return float(lr)


def fraction(**settings: Any) -> None:
    """Raises ArgumentError unless every setting is at least 0 and less than 1."""
    for name, given in settings.items():
        value = _first(given)
        if not _is_number(value) or not 0 <= value < 1:
            raise ArgumentError(f"{name} is at least 0 and less than 1", given=repr(value))


def positive(**settings: Any) -> None:
    """Raises ArgumentError unless every setting is a finite number above 0."""
    for name, given in settings.items():
        value = _first(given)
        if not _is_number(value) or not 0 < value < float("inf"):
            raise ArgumentError(f"{name} is a finite number above 0", given=repr(value))


def not_negative(**settings: Any) -> None:
    """Raises ArgumentError unless every setting is a finite number of at least 0."""
    for name, given in settings.items():
        value = _first(given)
        if not _is_number(value) or not 0 <= value < float("inf"):
            raise ArgumentError(f"{name} is a finite number of at least 0", given=repr(value))


def check_seed(seed: Any) -> None:
    """Raises ArgumentError unless it is an int of at least 0."""
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ArgumentError("a seed is an int of at least 0", given=f"{seed!r:.60}")


def one_of(name: str, value: Any, choices: Sequence[str]) -> None:
    """Raises ArgumentError unless the setting is one of these."""
    if value not in choices:
        raise ArgumentError(f"unknown {name}", given=repr(value), expected=", ".join(map(repr, choices)))


def _first(value: Any) -> Any:
    """A number, or what a schedule begins with."""
    return value(0) if isinstance(value, Schedule) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
