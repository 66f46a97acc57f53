"""SymPy functions of graphc's own, and the algebra in which a formula is a SymPy expression.

Atoms such as ``sigmoid`` keep their stable meaning through differentiation (SymPy's expansion of the same formula is
nan at ±100), and ``where`` gives kinks the convention that graphc declares instead of SymPy's ½ and DiracDelta.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import sympy
from sympy import Function

from graphc.errors import ParseError
from graphc.symbolic.formulas import ALIASES


class where(Function):
    """A choice; its derivative is the same choice between derivatives."""

    nargs = 3

    @classmethod
    def eval(cls, condition: Any, x: Any, y: Any) -> Any:
        """Equal branches need no choice."""
        return x if x == y else None

    def _eval_derivative(self, symbol: Any) -> Any:
        condition, x, y = self.args
        return where(condition, x.diff(symbol), y.diff(symbol))


class _Flat(Function):
    """A function whose derivative is zero wherever it has one."""

    def _eval_derivative(self, symbol: Any) -> Any:
        return sympy.S.Zero


def _flat(name: str, count: int) -> Any:
    return type(name, (_Flat,), {"nargs": count})


_COMPARISONS = {
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    "==": "equal",
    "!=": "not_equal",
}
FLAT = {name: _flat(name, 2) for name in _COMPARISONS.values()} | {
    "sign": _flat("sign", 1),
    "logical_not": _flat("logical_not", 1),
    "logical_and": _flat("logical_and", 2),
    "logical_or": _flat("logical_or", 2),
    "logical_xor": _flat("logical_xor", 2),
    "floor_divide": _flat("floor_divide", 2),
    **{
        name: _flat(name, 1)
        for name in ("floor", "ceil", "trunc", "round", "isfinite", "isinf", "isnan", "signbit")
    },
    "bitwise_invert": _flat("bitwise_invert", 1),
    **{
        f"bitwise_{name}": _flat(f"bitwise_{name}", 2)
        for name in ("and", "or", "xor", "left_shift", "right_shift")
    },
}


class absolute(Function):
    """|x|, with derivative 0 at 0."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Any:
        """The derivative."""
        return FLAT["sign"](self.args[0])


class copysign(Function):
    """The size of one with the sign of another."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> Any:
        """The derivative."""
        x, y = self.args
        return FLAT["sign"](x) * copysign(1, y) if argindex == 1 else sympy.S.Zero


class sigmoid(Function):
    """1 / (1 + exp(-x)); its derivative keeps the atom."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Any:
        """The derivative."""
        return self * (1 - self)


class softplus(Function):
    """log(1 + exp(x))."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Any:
        """The derivative."""
        return sigmoid(self.args[0])


class log1p(Function):
    """log(1 + x)."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Any:
        """The derivative."""
        return 1 / (1 + self.args[0])


class expm1(Function):
    """exp(x) - 1; the derivative in terms of itself loses nothing where it is large and rounds once where small."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Any:
        """The derivative."""
        return sympy.exp(self.args[0])


class gammaln(Function):
    """The logarithm of the size of the gamma function."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Any:
        """The derivative."""
        return digamma(self.args[0])


class digamma(Function):
    """The derivative of gammaln."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Any:
        """The derivative."""
        return polygamma(1, self.args[0])


class polygamma(Function):
    """A derivative of digamma; the order is an integer, in which nothing is differentiated."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> Any:
        """The derivative."""
        n, x = self.args
        return sympy.S.Zero if argindex == 1 else polygamma(n + 1, x)


class xlogx(Function):
    """x log x, 0 at 0."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Any:
        """The derivative."""
        return 1 + sympy.log(self.args[0])


FUNCTIONS: dict[str, Any] = {
    "exp": sympy.exp,
    "log": lambda x: sympy.log(x),  # SymPy's own take a second argument
    "sqrt": lambda x: sympy.sqrt(x),
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tanh": sympy.tanh,
    "tan": sympy.tan,
    "arcsin": sympy.asin,
    "arccos": sympy.acos,
    "arctan": sympy.atan,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "arcsinh": sympy.asinh,
    "arccosh": sympy.acosh,
    "arctanh": sympy.atanh,
    "arctan2": sympy.atan2,
    "hypot": lambda x, y: sympy.sqrt(x**2 + y**2),
    "erf": sympy.erf,
    "erfc": sympy.erfc,
    "erfinv": sympy.erfinv,
    "erfcinv": sympy.erfcinv,
    "gammaln": gammaln,
    "digamma": digamma,
    "polygamma": polygamma,
    "abs": absolute,
    "where": where,
    "sigmoid": sigmoid,
    "softplus": softplus,
    "log1p": log1p,
    "expm1": expm1,
    "xlogx": xlogx,
    "log1mexp": lambda x: sympy.log(1 - sympy.exp(x)),
    "sigmoid_cross_entropy": lambda x, t: softplus(x) - t * x,
    "relu": lambda x: where(FLAT["greater"](x, 0), x, 0),
    "xlogy": lambda x, y: x * sympy.log(y),
    "logaddexp": lambda x, y: sympy.log(sympy.exp(x) + sympy.exp(y)),
    "copysign": copysign,
    "square": lambda x: x**2,
    "maximum": lambda x, y: where(FLAT["greater_equal"](x, y), x, y),
    "minimum": lambda x, y: where(FLAT["less_equal"](x, y), x, y),
    **FLAT,
}
"""What a formula may call, as SymPy functions."""

CONSTANTS = {"pi": sympy.pi, "E": sympy.E, "inf": sympy.oo}

# numbers whose power would take SymPy minutes to write out
_LARGEST_LOG = 300.0


class SympyAlgebra:
    """The algebra over SymPy expressions; decimals become exact rationals, so nothing is rounded on the way."""

    def __init__(self, symbols: Mapping[str, Any]) -> None:
        self.symbols = symbols

    def number(self, value: int | float) -> Any:
        """An exact number."""
        if isinstance(value, float) and not math.isfinite(value):
            raise ParseError("a number of a formula is not finite")
        if isinstance(value, int) and value.bit_length() > 1024:
            raise ParseError("a number of a formula is too large")
        return sympy.Integer(value) if isinstance(value, int) else sympy.Rational(repr(value))

    def name(self, name: str) -> Any:
        """A symbol or a constant."""
        if name in self.symbols:
            return self.symbols[name]
        if name in CONSTANTS:
            return CONSTANTS[name]
        raise ParseError(f"the formula uses an unknown name, {name!r}", expected=", ".join(self.symbols))

    def operate(self, symbol: str, args: list[Any]) -> Any:
        """An operator or a comparison."""
        if len(args) == 1:
            return -args[0]
        a, b = args
        if symbol in _COMPARISONS:
            return FLAT[_COMPARISONS[symbol]](a, b)
        match symbol:
            case "+":
                return a + b
            case "-":
                return a - b
            case "*":
                return a * b
            case "/" if b != 0:
                return a / b
            case "**":
                return _power(a, b)
        raise ParseError(f"a formula cannot compute {a} {symbol} {b}")

    def call(self, name: str, args: list[Any]) -> Any:
        """A function of ``FUNCTIONS``."""
        function = FUNCTIONS.get(ALIASES.get(name, name))
        if function is None:
            raise ParseError(f"a formula has no function {name!r}", expected=", ".join(sorted(FUNCTIONS)))
        try:
            return function(*args)
        except TypeError as error:
            raise ParseError(f"{name} got {len(args)} arguments") from error


def _power(a: Any, b: Any) -> Any:
    if a.is_number and b.is_number:
        base = abs(float(a)) or 1.0
        if abs(float(b)) * abs(math.log(base)) > _LARGEST_LOG:
            raise ParseError("a power of a formula is too large")
    return a**b
