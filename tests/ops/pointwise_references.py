"""References for the pointwise cards of ``rounding``, ``trig`` and ``special``, over mpmath."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp

SCALAR: dict[str, Callable[..., Any]] = {
    "exp2": lambda x: mp.mpf(2) ** x,
    "log2": lambda x: mp.log(x, 2),
    "log10": mp.log10,
    "reciprocal": lambda x: 1 / x,
    "rsqrt": lambda x: 1 / mp.sqrt(x),
    "xlogy": lambda x, y: x * mp.log(y) if x else mp.mpf(0),
    "logaddexp": lambda x, y: mp.log(mp.exp(x) + mp.exp(y)),
    "tan": mp.tan,
    "arcsin": mp.asin,
    "arccos": mp.acos,
    "arctan": mp.atan,
    "arctan2": mp.atan2,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "arcsinh": mp.asinh,
    "arccosh": mp.acosh,
    "arctanh": mp.atanh,
    "hypot": mp.hypot,
    "floor": mp.floor,
    "ceil": mp.ceil,
    "trunc": lambda x: mp.floor(x) if x > 0 else mp.ceil(x),
    "round": mp.nint,
    "remainder": lambda x, y: x - y * mp.floor(x / y),
    "floor_divide": lambda x, y: mp.floor(x / y),
    "copysign": lambda x, y: abs(x) if y >= 0 else -abs(x),
    "isfinite": lambda x: True,
    "isinf": lambda x: False,
    "isnan": lambda x: False,
    "erfc": mp.erfc,
    "erfinv": lambda x: mp.erfinv(x) if abs(x) <= 1 else mp.nan,
    "gammaln": lambda x: mp.log(abs(mp.gamma(x))) if x > 0 or x % 1 else mp.inf,
    "digamma": lambda x: mp.digamma(x) if x > 0 or x % 1 else mp.nan,
    "polygamma": lambda n, x: mp.polygamma(n, x) if n >= 1 and (x > 0 or x % 1) else mp.nan,
    "logical_xor": lambda x, y: x != y,
}
"""Each card on one element, which is finite."""

PREDICATES = ("isfinite", "isinf", "isnan")
ON_INTEGERS = ("floor", "ceil", "trunc", "round", "remainder", "floor_divide")

OTHER_SIDES: dict[str, tuple[tuple[float, float], ...]] = {
    "floor": ((-1.4, -1.1),),
    "ceil": ((-1.4, -1.1),),
    "trunc": ((-1.9, -1.6),),
    "round": ((-1.9, -1.6),),
    "remainder": ((-0.9, -0.1), (1.0, 3.0)),
    "floor_divide": ((0.1, 0.9), (-3.0, -1.0)),
    "copysign": ((-3.0, -0.2), (-3.0, -0.2)),
    "arctan2": ((0.2, 3.0), (-3.0, -0.2)),
}
"""A second domain for cards that jumps divide."""
