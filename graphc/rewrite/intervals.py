"""Intervals: what a formula can give over ranges of its variables, in floating point.

The algebra in which the formula of a pointwise card becomes a range. It is sound, not tight: each result is widened by
a few roundings, underflows to 0, overflows to infinity, and says whether nan is possible.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphc.ir.formula import parse_formula
from graphc.ops import CARDS
from graphc.symbolic.formulas import ALIASES, CONSTANTS

INF = math.inf
_EPS = {"float32": 2.0**-23, "float64": 2.0**-52}
_TINY = {"float32": 1.2e-38, "float64": 2.3e-308}
_HUGE = {"float32": 3.4e38, "float64": 1.79e308}
_ROUNDINGS = 8
_EXACT = (0.0, 1.0, -1.0, INF, -INF)


@dataclass(frozen=True)
class Interval:
    """The numbers from ``low`` to ``high``, both included, and whether nan is among the values."""

    low: float = -INF
    high: float = INF
    nan: bool = True

    @property
    def finite(self) -> bool:
        """Neither infinite nor nan."""
        return not self.nan and self.low > -INF and self.high < INF

    @property
    def nonzero(self) -> bool:
        """Never 0 (nan is not 0)."""
        return self.low > 0 or self.high < 0

    def hull(self, other: Interval) -> Interval:
        """The smallest interval with both in it."""
        return Interval(min(self.low, other.low), max(self.high, other.high), self.nan or other.nan)


ANY = Interval()
TRUTH = Interval(0.0, 1.0, False)


def point(value: float) -> Interval:
    """One number."""
    return Interval(nan=True) if math.isnan(value) else Interval(float(value), float(value), False)


def rounded(interval: Interval, dtype: str, roundings: float = _ROUNDINGS) -> Interval:
    """An interval with room for rounding, underflow and overflow; 0, 1 and -1 are exact.

    Nothing is known to be infinite: what overflows in a formula may be finite in the stable code for it.
    """
    low, high = (
        _bound(end, side, dtype, roundings) for end, side in ((interval.low, -1), (interval.high, 1))
    )
    return Interval(low, high, interval.nan)


def _bound(value: float, side: int, dtype: str, roundings: float) -> float:
    if value in (0.0, 1.0, -1.0, side * INF):
        return value
    if abs(value) < _TINY[dtype]:
        return 0.0 if (value > 0) == (side < 0) else side * _TINY[dtype]
    moved = value if math.isinf(value) else value + side * abs(value) * _EPS[dtype] * roundings
    if abs(moved) > _HUGE[dtype]:
        return math.copysign(INF, moved) if (moved > 0) == (side > 0) else math.copysign(_HUGE[dtype], moved)
    return moved


def _safe(function: Callable[[float], float], x: float) -> float:
    """A function of a number, with infinities where Python raises."""
    try:
        return function(x)
    except OverflowError:
        return INF


VANISHED = -800.0
"""From here down the exponential of a number of any dtype is 0, not merely small."""


def _exp(x: Interval) -> Interval:
    found: Interval = _rising(math.exp, least=0.0)(x)
    return Interval(found.low, 0.0, found.nan) if x.high < VANISHED else found


def _log(x: float) -> float:
    return -INF if x <= 0 else math.log(x)


def _inexact(value: float, side: int) -> float:
    """A bound that came out as 0, 1 or -1 by rounding, moved off the numbers that ``rounded`` takes as exact."""
    return math.nextafter(value, side * INF) if value in (0.0, 1.0, -1.0) else value


def _rising(
    function: Callable[[float], float],
    low: float = -INF,
    high: float = INF,
    least: float = -INF,
    most: float = INF,
) -> Any:
    """A rising function on a domain, between ``least`` and ``most``; outside of the domain it is nan."""

    def at(end: float, side: int) -> float:
        value = _safe(function, end)
        value = value if end in _EXACT else _inexact(value, side)
        return min(max(value, least), most)

    def of(x: Interval) -> Interval:
        if x.high < low or x.low > high:
            return ANY
        first, last = at(max(x.low, low), -1), at(min(x.high, high), 1)
        return Interval(first, last, x.nan or x.low < low or x.high > high)

    return of


def _log1p(x: float) -> float:
    return -INF if x <= -1 else math.log1p(x)


def _sinh(x: float) -> float:
    return math.copysign(_safe(math.sinh, abs(x)), x)


def _arctanh(x: float) -> float:
    return math.copysign(INF, x) if abs(x) >= 1 else math.atanh(x)


def _absolute(x: Interval) -> Interval:
    inside = x.low <= 0 <= x.high
    return Interval(0.0 if inside else min(abs(x.low), abs(x.high)), max(abs(x.low), abs(x.high)), x.nan)


def _wave(x: Interval) -> Interval:
    """Sine and cosine: nan at infinity."""
    return Interval(-1.0, 1.0, x.nan or math.isinf(x.low) or math.isinf(x.high))


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _log1mexp(x: Interval) -> Interval:
    """Falling below 0, nan above."""

    def at(v: float) -> float:
        return -INF if v >= 0 else math.log1p(-math.exp(v)) if v < -0.7 else math.log(-math.expm1(v))

    if x.low > 0:
        return ANY
    return Interval(at(min(x.high, 0.0)), at(x.low), x.nan or x.high > 0)


def _whole(x: Interval) -> Interval:
    low = x.low if math.isinf(x.low) else math.floor(x.low)
    return Interval(low, x.high if math.isinf(x.high) else math.ceil(x.high), x.nan)


FUNCTIONS: Mapping[str, Callable[..., Interval]] = {
    "exp": _exp,
    "expm1": _rising(math.expm1, least=-1.0),
    "log": _rising(_log, low=0.0),
    "log1p": _rising(_log1p, low=-1.0),
    "sqrt": _rising(math.sqrt, low=0.0, least=0.0),
    "tanh": _rising(math.tanh, least=-1.0, most=1.0),
    "erf": _rising(math.erf, least=-1.0, most=1.0),
    "arctan": _rising(math.atan),
    "arcsinh": _rising(math.asinh),
    "arctanh": _rising(_arctanh, low=-1.0, high=1.0),
    "arcsin": _rising(math.asin, low=-1.0, high=1.0),
    "sinh": _rising(_sinh),
    "sigmoid": _rising(_sigmoid, least=0.0, most=1.0),
    "softplus": _rising(_softplus, least=0.0),
    "log1mexp": _log1mexp,
    "abs": _absolute,
    "sin": _wave,
    "cos": _wave,
    "cosh": lambda x: _rising(math.cosh, least=1.0)(_absolute(x)),
    "floor": _whole,
    "ceil": _whole,
    "trunc": _whole,
    "round": _whole,
    "maximum": lambda x, y: Interval(max(x.low, y.low), max(x.high, y.high), x.nan or y.nan),
    "minimum": lambda x, y: Interval(min(x.low, y.low), min(x.high, y.high), x.nan or y.nan),
    "where": lambda c, x, y: x.hull(y),
    "sign": lambda x: Interval(-1.0 if x.low < 0 else 0.0, 1.0 if x.high > 0 else 0.0, x.nan),
}
"""Functions of formulas whose range is known better than from a formula of theirs."""


def _sum(x: Interval, y: Interval) -> Interval:
    clash = (x.low == -INF and y.high == INF) or (x.high == INF and y.low == -INF)
    low = -INF if -INF in (x.low, y.low) else _plus(x.low, y.low, -1)
    high = INF if INF in (x.high, y.high) else _plus(x.high, y.high, 1)
    return Interval(low, high, x.nan or y.nan or clash)


def _plus(a: float, b: float, side: int) -> float:
    total = a + b
    return total if total - a == b and total - b == a else _inexact(total, side)


def _negated(x: Interval) -> Interval:
    return Interval(-x.high, -x.low, x.nan)


def _times(a: float, b: float, side: int) -> float:
    if 0.0 in (a, b):
        return 0.0
    return a * b if a in _EXACT or b in _EXACT else _inexact(a * b, side)


def _product(x: Interval, y: Interval) -> Interval:
    low, high = (
        best(_times(a, b, side) for a in (x.low, x.high) for b in (y.low, y.high))
        for best, side in ((min, -1), (max, 1))
    )
    nan = any(a.low <= 0 <= a.high and (b.low == -INF or b.high == INF) for a, b in ((x, y), (y, x)))
    return Interval(low, high, x.nan or y.nan or nan)


def _quotient(x: Interval, y: Interval) -> Interval:
    if y.low <= 0 <= y.high:
        if y.low == 0 and x.low >= 0:  # the sign of that zero may be either, so the quotient may be -inf
            return Interval(-INF, INF, x.nan or y.nan or x.low == 0 or x.high == INF)
        return ANY
    endless = (x.low == -INF or x.high == INF) and (y.low == -INF or y.high == INF)
    low, high = (0.0 if math.isinf(v) else 1 / v for v in (y.high, y.low))
    found = _product(x, Interval(low, high, y.nan))
    return Interval(found.low, found.high, x.nan or y.nan or endless)


def _power(x: Interval, y: Interval) -> Interval:
    exponent = y.low
    if exponent == y.high == 2:
        size = _absolute(x)
        return Interval(_times(size.low, size.low, -1), _times(size.high, size.high, 1), x.nan)
    if exponent == y.high > 0 and x.low >= 0:
        risen: Interval = _rising(lambda v: v**exponent, low=0.0, least=0.0)(x)
        return risen
    if x.low > 0 and x.high <= 1 and y.low >= 0:
        return Interval(0.0, 1.0, x.nan or y.nan)
    below = x.low < 0 or (x.low == 0 and exponent < 0)  # the zero may be negative: (-0)⁻¹ is -inf
    return ANY if below else Interval(0.0, INF, True)


_OPERATORS: Mapping[str, Callable[[Interval, Interval], Interval]] = {
    "+": _sum,
    "-": lambda x, y: _sum(x, _negated(y)),
    "*": _product,
    "/": _quotient,
    "**": _power,
}


class _Ranges:
    """The algebra of ranges over named ranges."""

    def __init__(self, names: Mapping[str, Interval], dtype: str) -> None:
        self.names, self.dtype = names, dtype

    def number(self, value: int | float) -> Interval:
        """One number."""
        return point(value)

    def name(self, name: str) -> Interval:
        """A variable or a constant."""
        return self.names[name] if name in self.names else point(CONSTANTS[name])

    def operate(self, symbol: str, args: list[Interval]) -> Interval:
        """An operator; a comparison is 0 or 1."""
        if len(args) == 1:
            return _negated(args[0])
        if symbol not in _OPERATORS:
            return TRUTH if symbol in ("<", "<=", ">", ">=", "==", "!=") else ANY
        return rounded(_OPERATORS[symbol](*args), self.dtype)

    def call(self, name: str, args: list[Interval]) -> Interval:
        """A function of its own range, or by its formula."""
        name = ALIASES.get(name, name)
        if name in FUNCTIONS:
            return rounded(FUNCTIONS[name](*args), self.dtype)
        card = CARDS[name]
        if card.formula is None or card.formula.startswith(f"{name}("):
            return ANY
        return formula_range(card.formula, dict(zip(card.operands, args, strict=True)), self.dtype)


def formula_range(formula: str, names: Mapping[str, Interval], dtype: str) -> Interval:
    """The range of a formula over ranges of its names.

    Example:
        >>> formula_range("1 / (1 + x ** 2)", {"x": Interval(-3.0, 1.0, False)}, "float64").high
        1.0
    """
    found: Interval = parse_formula(formula, _Ranges(names, dtype))
    return found


def union(parts: Sequence[Interval]) -> Interval:
    """The smallest interval with all of them in it."""
    result = parts[0]
    for part in parts[1:]:
        result = result.hull(part)
    return result
