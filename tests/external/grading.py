"""The grades of the stability tables, as their check.py gives them.

A (must): at finite x no nan or infinity where the truth has none, and |err| <= 4 eps max(1, |f|). A+: the right
infinity or nan at infinite x and nan. B (should): within 4 units in the last place at every finite x.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.external.harness import RIGHT, WRONG, Outcome


@dataclass(frozen=True)
class Grade:
    """How many points there are, and how many fail each grade; the first failure of grade A in words."""

    points: int = 0
    a: int = 0
    a_plus: int = 0
    b: int = 0
    first: str = ""

    def __add__(self, other: Grade) -> Grade:
        numbers = (self.points + other.points, self.a + other.a, self.a_plus + other.a_plus, self.b + other.b)
        return Grade(*numbers, self.first or other.first)

    def __str__(self) -> str:
        counts = f"{self.points} points, A-fail {self.a}, A+fail {self.a_plus}, B-fail {self.b}"
        return f"{counts} ({self.first})" if self.first else counts

    @property
    def outcome(self) -> Outcome:
        """Right where no point fails grade A."""
        return Outcome(WRONG if self.a or not self.points else RIGHT, str(self))


def number(text: str) -> float:
    """A number of the tables: a hex float, inf, -inf or nan."""
    return float(text) if text in ("inf", "-inf", "nan") else float.fromhex(text)


def numbers(text: Any) -> Any:
    """One number, or a list of them, as a float64 array."""
    return np.array([number(t) for t in text] if isinstance(text, list) else number(text))


def ulps(got: float, want: float, dtype: str) -> float:
    """The error in units in the last place; infinite where nan or infinity do not agree."""
    if math.isnan(want):
        return 0.0 if math.isnan(got) else math.inf
    if math.isinf(want) or not math.isfinite(got):
        return 0.0 if got == want else math.inf
    kind = np.dtype(dtype).type
    return abs(got - want) / max(
        float(np.spacing(np.abs(kind(want)))), float(np.finfo(dtype).smallest_subnormal)
    )


def beyond(got: float, want: float, dtype: str) -> bool:
    """Whether a value fails grade A."""
    if math.isinf(ulps(got, want, dtype)):
        return True
    return math.isfinite(want) and abs(got - want) > 4 * float(np.finfo(dtype).eps) * max(1.0, abs(want))


def graded(x: Any, got: Any, want: Any, dtype: str) -> Grade:
    """The grades of values; ``x`` has the shape of the values, or is one row that they all come from."""
    got, want = np.atleast_1d(got).astype(float), np.atleast_1d(want)
    assert got.shape == want.shape
    finite = np.isfinite(x) if np.shape(x) == got.shape else np.full(got.shape, np.isfinite(x).all())
    grade = Grade()
    for i, (g, w, inside) in enumerate(zip(got.tolist(), want.tolist(), finite.tolist(), strict=True)):
        grade += _point(f"x={np.ravel(x)[i if np.shape(x) == got.shape else 0]:g}", g, w, inside, dtype)
    return grade


def _point(place: str, got: float, want: float, finite: bool, dtype: str) -> Grade:
    error = ulps(got, want, dtype)
    if not finite:
        return Grade(1, 0, int(math.isinf(error)), 0)
    fails = beyond(got, want, dtype)
    return Grade(1, int(fails), 0, int(error > 4), f"{place}: {got!r} instead of {want!r}" if fails else "")
