"""References for the pointwise cards of ``rounding``, ``trig`` and ``special``, over mpmath."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp

# Klambauer et al. 2017, appendix: the fixed point to more digits than a float holds

_ALPHA = mp.mpf("1.6732632423543772848170429916717")
_SCALE = mp.mpf("1.0507009873554804934193349852946")

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
    "erfcinv": lambda x: mp.erfinv(1 - x) if 0 <= x <= 2 else mp.nan,
    "erfinv": lambda x: mp.erfinv(x) if abs(x) <= 1 else mp.nan,
    "gammaln": lambda x: mp.log(abs(mp.gamma(x))) if x > 0 or x % 1 else mp.inf,
    "digamma": lambda x: mp.digamma(x) if x > 0 or x % 1 else mp.nan,
    "polygamma": lambda n, x: mp.polygamma(n, x) if n >= 1 and (x > 0 or x % 1) else mp.nan,
    "logical_xor": lambda x, y: x != y,
    "relu6": lambda x: min(max(x, 0), 6),
    "prelu": lambda x, slope: x if x > 0 else x * slope,
    "selu": lambda x: _SCALE * (x if x > 0 else _ALPHA * mp.expm1(x)),
    "celu": lambda x: x if x > 0 else mp.expm1(x),
    "gelu_tanh": lambda x: x / 2 * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3))),
    "mish": lambda x: x * mp.tanh(mp.log1p(mp.exp(x))),
    "softsign": lambda x: x / (1 + abs(x)),
    "log_sigmoid": lambda x: -mp.log1p(mp.exp(-x)),
    "hard_sigmoid": lambda x: min(max(x / 6 + mp.mpf(1) / 2, 0), 1),
    "hard_tanh": lambda x: min(max(x, -1), 1),
    "hard_swish": lambda x: x * min(max(x / 6 + mp.mpf(1) / 2, 0), 1),
    "tanhshrink": lambda x: x - mp.tanh(x),
    "softshrink": lambda x: mp.sign(x) * max(abs(x) - mp.mpf(1) / 2, 0),
    "hardshrink": lambda x: x if abs(x) > mp.mpf(1) / 2 else mp.mpf(0),
    "huber": lambda x: x * x / 2 if abs(x) <= 1 else abs(x) - mp.mpf(1) / 2,
    "log_cosh": lambda x: abs(x) - mp.log(2) + mp.log1p(mp.exp(-2 * abs(x))),
    "threshold": lambda x: x if x > 1 else mp.mpf(0),
    "signbit": lambda x: x < 0,
    "bitwise_and": lambda x, y: int(x) & int(y),
    "bitwise_or": lambda x, y: int(x) | int(y),
    "bitwise_xor": lambda x, y: int(x) ^ int(y),
    "bitwise_invert": lambda x: -int(x) - 1,
    "bitwise_left_shift": lambda x, y: int(x) * 2 ** int(y) if y >= 0 else mp.nan,
    "bitwise_right_shift": lambda x, y: int(x) // 2 ** int(y) if y >= 0 else mp.nan,
}
"""Each card on one element, which is finite."""

PREDICATES = ("isfinite", "isinf", "isnan", "signbit")
BITS = tuple(name for name in SCALAR if name.startswith("bitwise"))
"""Of integers and bools only, and without a derivative."""
ON_INTEGERS = (*BITS, "floor", "ceil", "trunc", "round", "remainder", "floor_divide")

OTHER_SIDES: dict[str, tuple[tuple[float, float], ...]] = {
    "relu6": ((6.5, 9.0),),
    "prelu": ((-3.0, -0.2), (-2.0, 2.0)),
    "selu": ((-3.0, -0.2),),
    "celu": ((-3.0, -0.2),),
    "softsign": ((-3.0, -0.2),),
    "hard_sigmoid": ((3.2, 6.0),),
    "hard_tanh": ((-3.0, -1.1),),
    "hard_swish": ((-6.0, -3.2),),
    "softshrink": ((-3.0, -0.6),),
    "hardshrink": ((-0.4, 0.4),),
    "huber": ((-3.0, -1.1),),
    "threshold": ((-2.0, 0.9),),
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
