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
    with np.errstate(all="ignore"):
        inside = np.isfinite(high) & (np.abs(high) <= float(info.max))
        distance = np.abs((got.astype("float64") - high) - low)
        distance = np.where(np.isnan(distance), np.inf, distance)
        scaled = distance / (float(info.eps) * np.maximum(1.0, np.abs(high)))
        normal = inside & (np.abs(high) >= float(info.tiny))
        spacing = np.spacing(np.abs(high).astype(dtype)).astype("float64")
        ulp = distance / spacing
    return Error(_largest(scaled, inside), _largest(ulp, normal))


def _largest(values: Any, where: Any) -> float:
    return float(np.max(values, where=where, initial=0.0))


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
