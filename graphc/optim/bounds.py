"""What the numbers of a schedule may be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from graphc.errors import ArgumentError


def finite(name: str, value: Any) -> float:
    """Raises ArgumentError for what is not a finite number."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        raise ArgumentError(f"{name} is a finite number", given=f"{value!r:.60}")
    if not math.isfinite(value):
        raise ArgumentError(f"{name} is a finite number", given=repr(value))
    return float(value)


def rate(name: str, value: Any) -> float:
    """Raises ArgumentError for what is not a finite number of at least 0."""
    if finite(name, value) < 0:
        raise ArgumentError(f"{name} is at least 0", given=repr(value))
    return float(value)


def length(name: str, value: Any) -> float:
    """Raises ArgumentError for what is not a number of steps above 0."""
    if finite(name, value) <= 0:
        raise ArgumentError(f"{name} is a number of steps above 0", given=repr(value))
    return float(value)


def positive(name: str, value: Any) -> float:
    """Raises ArgumentError for what is not a finite number above 0."""
    if finite(name, value) <= 0:
        raise ArgumentError(f"{name} is a number above 0", given=repr(value))
    return float(value)


def listed(name: str, values: Any) -> tuple[Any, ...]:
    """Raises ArgumentError for what is not a list, a tuple or an array."""
    if not isinstance(values, (list, tuple, range, np.ndarray)):
        raise ArgumentError(f"{name} is a list", given=f"{values!r:.60}")
    return tuple(values)


def rising(name: str, values: Sequence[Any]) -> tuple[float, ...]:
    """Raises ArgumentError for what is not a rising list of steps."""
    steps = tuple(rate(name, v) for v in listed(name, values))
    if not steps or any(b <= a for a, b in pairwise(steps)):
        raise ArgumentError(f"{name} are steps in rising order", given=f"{values!r:.80}")
    return steps


def one_of(name: str, value: Any, known: Sequence[str]) -> str:
    """Raises ArgumentError for what is not one of these words."""
    if value not in known:
        raise ArgumentError(f"{name} is unknown", given=repr(value), expected=", ".join(known))
    return str(value)


def flag(name: str, value: Any) -> bool:
    """Raises ArgumentError for what is not a bool."""
    if not isinstance(value, bool):
        raise ArgumentError(f"{name} is True or False", given=f"{value!r:.60}")
    return value
