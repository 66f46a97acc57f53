"""Formulas as nodes: the algebra in which the text of a card becomes a graph."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphc.errors import GraphcError, ParseError
from graphc.ir.formula import parse_formula
from graphc.ir.node import Node
from graphc.ir.op import Op
from graphc.ops import CARDS, arith, compare
from graphc.ops.card import constant

_LARGEST_LOG = 700.0  # where exp overflows

CONSTANTS = {"pi": math.pi, "E": math.e, "inf": math.inf}

_ON_NUMBERS: dict[str, Callable[..., Any]] = {
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
    "sin": math.sin,
    "cos": math.cos,
    "tanh": math.tanh,
    "erf": math.erf,
    "abs": abs,
}
_OPERATORS: dict[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": compare.equal,
    "!=": compare.not_equal,
}
ALIASES = {
    "Abs": "abs",
    "Max": "maximum",
    "Min": "minimum",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "atan2": "arctan2",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
}


class NodeAlgebra:
    """The algebra over nodes; numbers stay Python numbers, so they never widen what they meet."""

    def __init__(self, names: Mapping[str, Any], dtype: str | None = None) -> None:
        self.names, self.dtype = names, dtype

    def number(self, value: int | float) -> int | float:
        """A Python number."""
        if isinstance(value, float) and not math.isfinite(value):
            raise ParseError("a number of a formula is not finite")
        return value

    def name(self, name: str) -> Any:
        """A node, a number or a constant."""
        if name in self.names:
            return self.names[name]
        if name in CONSTANTS:
            return CONSTANTS[name]
        known = ", ".join((*self.names, *CONSTANTS))
        raise ParseError(f"the formula uses an unknown name, {name!r}", expected=known)

    def operate(self, symbol: str, args: list[Any]) -> Any:
        """An operator of nodes and numbers."""
        if len(args) == 1:
            return -args[0]
        if symbol == "**" and isinstance(args[0], Node) and not isinstance(args[1], Node) and args[1] == 2:
            return arith.square(args[0])
        if symbol not in _OPERATORS:
            raise ParseError(f"a formula cannot use {symbol}")
        if symbol == "**" and not any(isinstance(a, Node) for a in args):
            _check_power(*args)
        return _computed(_OPERATORS[symbol], args)

    def call(self, name: str, args: list[Any]) -> Any:
        """A pointwise card."""
        name = ALIASES.get(name, name)
        if name in _ON_NUMBERS and not any(isinstance(a, Node) for a in args):
            return _computed(_ON_NUMBERS[name], args)
        card = _function(name)
        if len(args) != len(card.operands):
            raise ParseError(f"{name} takes {len(card.operands)} arguments", given=str(len(args)))
        return card(*self._typed(args))

    def _typed(self, args: list[Any]) -> list[Any]:
        """Numbers take the formula's dtype where no float node decides: ``where(c, 1, 0)``."""
        if self.dtype is None or any(isinstance(a, Node) and a.type.is_float for a in args):
            return args
        return [a if isinstance(a, Node) else constant(a, self.dtype) for a in args]


def _computed(function: Callable[..., Any], args: list[Any]) -> Any:
    try:
        return function(*args)
    except GraphcError:
        raise
    except (ArithmeticError, ValueError, TypeError) as error:
        raise ParseError(f"the numbers of a formula do not compute: {error}") from None


def _check_power(base: float, exponent: float) -> None:
    """Python would compute every digit of ``9**9**9**9``, if it had the time."""
    if abs(exponent) * math.log(abs(base) or 1.0) > _LARGEST_LOG:
        raise ParseError(
            "a power of numbers in a formula is too large", given=f"{base!r:.20}**{exponent!r:.20}"
        )


def _function(name: str) -> Op:
    card = CARDS.get(name)
    if card is None or card.kind != "pointwise":
        known = sorted(n for n, c in CARDS.items() if c.kind == "pointwise")
        raise ParseError(f"a formula has no function {name!r}", expected=", ".join(known))
    return card


def formula_nodes(text: str, names: Mapping[str, Any], dtype: str | None = None) -> Any:
    """The graph that a formula describes, over these nodes and numbers; ``dtype`` is that of its numbers.

    Raises:
        ParseError: the text is not a formula, or uses a name or function that is not there.
    """
    return parse_formula(text, NodeAlgebra(names, dtype))


def lower_formula(op: Op, inputs: Sequence[Node], attrs: Mapping[str, Any]) -> Node:
    """A pointwise card as the cards of its formula, exactly as written."""
    names = {**dict(zip(op.operands, inputs, strict=True)), **attrs}
    node: Node = formula_nodes(str(op.formula), names, inputs[-1].dtype)
    return node


class _Names:
    """The algebra in which a formula is the names it uses, in order."""

    def number(self, value: int | float) -> tuple[str, ...]:
        return ()

    def name(self, name: str) -> tuple[str, ...]:
        return () if name in CONSTANTS else (name,)

    def operate(self, symbol: str, args: list[Any]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(n for a in args for n in a))

    def call(self, name: str, args: list[Any]) -> tuple[str, ...]:
        return self.operate(name, args)


def formula_names(text: str) -> tuple[str, ...]:
    """The variables of a formula, in order of first use.

    Example:
        >>> formula_names("x * tanh(beta * x)")
        ('x', 'beta')
    """
    names: tuple[str, ...] = parse_formula(text, _Names())
    return names
