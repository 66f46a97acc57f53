"""Formulas in mpmath, at more digits than anything cancels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import mpmath

from graphc.errors import ParseError
from graphc.ir.formula import parse_formula
from graphc.ops import CARDS
from graphc.symbolic.formulas import ALIASES
from graphc.symbolic.regions.form import Form

BITS = {"float32": 300, "float64": 1200}
"""Enough to tell 1 - tanh(x)² from 0 down to the smallest normal number."""

BITS_TOGETHER = 300
"""Of several inputs, where many points have to be computed: enough for the error that decides."""

FAR = 1e7
"""Beyond, an exponential is 0 or infinite in any dtype; mpmath would write out its digits."""


def _exp(x: Any) -> Any:
    if abs(x) > FAR:
        return mpmath.mpf("inf") if x > 0 else mpmath.mpf(0)
    return mpmath.exp(x)


def _real(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is nan where its value is complex, as NumPy's is."""

    def of_reals(*args: Any) -> Any:
        value = function(*args)
        return mpmath.nan if isinstance(value, mpmath.mpc) else value

    return of_reals


def _sign(x: Any) -> Any:
    return x if mpmath.isnan(x) else mpmath.sign(x)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": _exp,
    "log": _real(lambda x: mpmath.log(x) if x != 0 else mpmath.mpf("-inf")),
    "sqrt": _real(mpmath.sqrt),
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "tanh": mpmath.tanh,
    "arcsin": _real(mpmath.asin),
    "arccos": _real(mpmath.acos),
    "arctan": mpmath.atan,
    "sinh": lambda x: (_exp(x) - _exp(-x)) / 2,
    "cosh": lambda x: (_exp(x) + _exp(-x)) / 2,
    "arcsinh": mpmath.asinh,
    "arccosh": _real(mpmath.acosh),
    "arctanh": _real(mpmath.atanh),
    "arctan2": mpmath.atan2,
    "hypot": mpmath.hypot,
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
    "abs": abs,
    "sign": _sign,
    "sigmoid": lambda x: 1 / (1 + _exp(-x)),
    "softplus": lambda x: _exp(-abs(x)) if x < -FAR else mpmath.log1p(_exp(-abs(x))) + max(x, 0),
    "log1p": _real(lambda x: mpmath.log1p(x) if x != -1 else mpmath.mpf("-inf")),
    "expm1": lambda x: mpmath.expm1(x) if abs(x) <= FAR else _exp(x) - 1,
    "xlogx": _real(lambda x: x * mpmath.log(x) if x != 0 else x),
    "square": lambda x: x * x,
    "maximum": lambda x, y: x if x >= y else y,
    "minimum": lambda x, y: x if x <= y else y,
    "where": lambda condition, x, y: x if condition else y,
    "less": lambda x, y: x < y,
    "less_equal": lambda x, y: x <= y,
    "greater": lambda x, y: x > y,
    "greater_equal": lambda x, y: x >= y,
    "equal": lambda x, y: x == y,
    "not_equal": lambda x, y: x != y,
    "logical_and": lambda x, y: bool(x) and bool(y),
    "logical_or": lambda x, y: bool(x) or bool(y),
    "logical_xor": lambda x, y: bool(x) != bool(y),
    "logical_not": lambda x: not x,
    "floor": mpmath.floor,
    "ceil": mpmath.ceil,
}
"""Functions of formulas; a card that is not here is computed by its formula."""

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": _real(lambda a, b: mpmath.power(a, b)),
    "<": FUNCTIONS["less"],
    "<=": FUNCTIONS["less_equal"],
    ">": FUNCTIONS["greater"],
    ">=": FUNCTIONS["greater_equal"],
    "==": FUNCTIONS["equal"],
    "!=": FUNCTIONS["not_equal"],
}


class ExactAlgebra:
    """The algebra of formulas over mpmath's numbers."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names

    def number(self, value: int | float) -> Any:
        """The number itself."""
        return mpmath.mpf(repr(value) if isinstance(value, float) else value)

    def name(self, name: str) -> Any:
        """An operand or a constant."""
        constants = {"pi": mpmath.pi, "E": mpmath.e, "inf": mpmath.inf}
        return self.names[name] if name in self.names else +constants[name]

    def operate(self, symbol: str, args: list[Any]) -> Any:
        """An operator."""
        return -args[0] if len(args) == 1 else _OPERATORS[symbol](*args)

    def call(self, name: str, args: list[Any]) -> Any:
        """A function."""
        return exact_card(ALIASES.get(name, name), args)


def exact_card(name: str, args: Sequence[Any]) -> Any:
    """The value of a card on mpmath's numbers.

    Raises:
        ParseError: it has no formula but itself.
    """
    if name in FUNCTIONS:
        return FUNCTIONS[name](*args)
    card = CARDS[name]
    if card.formula is None or card.formula.startswith(f"{name}("):
        raise ParseError(f"no exact value of {name} is known")
    return parse_formula(card.formula, ExactAlgebra(dict(zip(card.operands, args, strict=True))))


_ARITHMETIC: dict[str, Callable[..., Any]] = {
    "add": _OPERATORS["+"],
    "subtract": _OPERATORS["-"],
    "multiply": _OPERATORS["*"],
    "divide": _OPERATORS["/"],
    "negative": lambda x: -x,
}


@lru_cache(maxsize=1024)
def _constant(value: float) -> Any:
    return mpmath.mpf(value)


def exact_values(form: Form, point: Sequence[Any], dtype: str) -> list[Any]:
    """The outputs of a form at a point, in mpmath; nan where one is not defined.

    Constants are what they are in the dtype: rounding them is part of the region, not of the form.
    """
    with mpmath.workprec(BITS[dtype] if len(form.kinds) == 1 else BITS_TOGETHER):
        values: list[Any] = [
            bool(x) if k == "b" else mpmath.mpf(float(x)) for k, x in zip(form.kinds, point, strict=True)
        ]
        for name, refs in form.steps:
            args = [values[r] if isinstance(r, int) else _constant(r) for r in refs]
            values.append(_value(name, args))
        return [values[r] if isinstance(r, int) else _constant(r) for r in form.outputs]


def _value(name: str, args: list[Any]) -> Any:
    try:
        function = _ARITHMETIC.get(name)
        return function(*args) if function is not None else exact_card(name, args)
    except ParseError:  # is a ValueError, too
        raise
    except (ZeroDivisionError, ValueError, OverflowError):
        return mpmath.nan
