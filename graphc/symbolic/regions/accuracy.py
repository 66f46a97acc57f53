"""How wrong a form is at worst: on a grid with extremes, against mpmath.

The error that decides is |err| / (eps max(1, |f|)); the worst distance in units in the last place is told beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

from graphc.symbolic.regions.exact import exact_values
from graphc.symbolic.regions.form import Form
from graphc.symbolic.regions.grid import computed, grid, special_points


@dataclass(frozen=True)
class Error:
    """The worst error of a form.

    Attributes:
        scaled: |err| / (eps max(1, |f|)).
        ulp: in units in the last place, where the value is a normal number.
    """

    scaled: float
    ulp: float

    def __str__(self) -> str:
        return f"{self.scaled:.2g} ({self.ulp:.2g} ulp)"


@dataclass(frozen=True)
class Reference:
    """The outputs of a region at the points of a grid, exactly; each once rounded, and what is left of it."""

    form: Form
    dtype: str
    arrays: tuple[Any, ...]
    high: tuple[Any, ...]
    low: tuple[Any, ...]
    special: tuple[Any, ...]
    at_special: tuple[Any, ...]


def reference(form: Form, dtype: str) -> Reference:
    """Exact values of a region as written; what a form gives at infinities and nan is what the written one gives."""
    arrays = grid(form.kinds, dtype)
    rows = [exact_values(form, [a[i] for a in arrays], dtype) for i in range(len(arrays[0]))]
    high, low = [], []
    for column in zip(*rows, strict=True):
        rounded = [_rounded(x) for x in column]
        high.append(np.array([h for h, _ in rounded]))
        low.append(np.array([rest for _, rest in rounded]))
    special = special_points(form.kinds, dtype)
    return Reference(
        form, dtype, arrays, tuple(high), tuple(low), special, tuple(computed(form, special, dtype))
    )


def _rounded(value: Any) -> tuple[float, float]:
    """A number as a sum of two floats."""
    high = float(value)
    if not np.isfinite(high):
        return (float("nan") if mpmath.isnan(value) else high), 0.0
    return high, float(value - mpmath.mpf(high))


def error_of(form: Form, exact: Reference) -> Error:
    """The worst error of a form over all outputs and points; infinite where it is not a number and should be."""
    return error_between(computed(form, exact.arrays, exact.dtype), exact)


def error_between(values: Sequence[Any], exact: Reference) -> Error:
    """The worst error of values that something computed at the points of a grid."""
    rows = zip(values, exact.high, exact.low, strict=True)
    worst = [_errors(got, high, low, exact.dtype) for got, high, low in rows]
    return Error(max((e.scaled for e in worst), default=0.0), max((e.ulp for e in worst), default=0.0))


def _errors(got: Any, high: Any, low: Any, dtype: str) -> Error:
    info = np.finfo(dtype)
    scaled, inside = _scaled(got, high, low, dtype)
    with np.errstate(all="ignore"):
        normal = inside & (np.abs(high) >= float(info.tiny))
        spacing = np.spacing(np.abs(high).astype(dtype)).astype("float64")
        ulp = _distance(got, high, low) / spacing
    return Error(_largest(scaled, inside), _largest(ulp, normal))


def _distance(got: Any, high: Any, low: Any) -> Any:
    distance = np.abs((got.astype("float64") - high) - low)
    return np.where(np.isnan(distance), np.inf, distance)


def _scaled(got: Any, high: Any, low: Any, dtype: str) -> tuple[Any, Any]:
    """The scaled error at every point, and where there is a number that the dtype can hold."""
    info = np.finfo(dtype)
    with np.errstate(all="ignore"):
        inside = np.isfinite(high) & (np.abs(high) <= float(info.max))
        return _distance(got, high, low) / (float(info.eps) * np.maximum(1.0, np.abs(high))), inside


def _largest(values: Any, where: Any) -> float:
    return float(np.max(values, where=where, initial=0.0))


def sound_error(form: Form, exact: Reference) -> float:
    """The worst scaled error of a form where it keeps half of its digits: elsewhere it failed, and is no measure."""
    sound = [np.max(e, where=e <= _HALF[exact.dtype], initial=0.0) for e, _ in _at_points(form, exact)]
    return float(max(sound, default=0.0))


def as_accurate(form: Form, exact: Reference) -> bool:
    """Whether a form is no worse than the written one at any point of the grid.

    Where the written one is sound, it is within its worst error there; where that one failed with a number, no further
    off than it; where it gave an infinity or nan, it gives the same or the right value.
    """
    bound = sound_error(exact.form, exact)
    pairs = zip(_at_points(form, exact), _at_points(exact.form, exact), strict=True)
    return all(bool(np.all(_no_worse(*new, *old, bound))) for new, old in pairs)


def _no_worse(error: Any, got: Any, old_error: Any, old: Any, bound: float) -> Any:
    same = (got == old) | (np.isnan(got) & np.isnan(old))
    return (error <= bound) | same | (np.isfinite(old) & (error <= old_error))


def _at_points(form: Form, exact: Reference) -> list[tuple[Any, Any]]:
    """Of each output: its scaled errors, 0 where the dtype holds no such number, and its values."""
    values = computed(form, exact.arrays, exact.dtype)
    found = []
    for got, high, low in zip(values, exact.high, exact.low, strict=True):
        scaled, inside = _scaled(got, high, low, exact.dtype)
        found.append((np.where(inside, scaled, 0.0), got))
    return found


_HALF = {dtype: float(np.finfo(dtype).eps) ** -0.5 for dtype in ("float32", "float64")}
"""The scaled error at which half of the digits are lost."""


def warns_more(form: Form, exact: Reference) -> bool:
    """Whether a form overflows, or is invalid on the way, on a grid on which the written one never is."""
    new: set[str] = set()
    old: set[str] = set()
    computed(form, exact.arrays, exact.dtype, new)
    computed(exact.form, exact.arrays, exact.dtype, old)
    return not new <= old


def agrees_at_extremes(form: Form, exact: Reference) -> bool:
    """Whether a form is infinite and nan where the written one is, and near it elsewhere, at infinities and nan."""
    return all(
        _alike(got, old, exact.dtype)
        for got, old in zip(computed(form, exact.special, exact.dtype), exact.at_special, strict=True)
    ) and all(
        _alike(got, old, exact.dtype, ~np.isfinite(high))
        for got, old, high in zip(
            computed(form, exact.arrays, exact.dtype),
            computed(exact.form, exact.arrays, exact.dtype),
            exact.high,
            strict=True,
        )
    )


def _alike(got: Any, old: Any, dtype: str, where: Any = True) -> bool:
    with np.errstate(all="ignore"):
        near = np.abs(got - old) <= 64 * np.finfo(dtype).eps * np.maximum(1.0, np.abs(old))
    same = (got == old) | (np.isnan(got) & np.isnan(old)) | (np.isfinite(old) & near)
    return bool(np.all(same | ~np.asarray(where)))
