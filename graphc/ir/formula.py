"""The one formula parser: Python expression text, whitelisted and size-bounded, folded into any algebra.

Text never reaches ``eval``. Python's own ``ast`` reads it, every construct outside the small list below is
refused, and an explicit stack (never recursion) folds what is left. What a name, a number or an operator *means*
is up to the algebra: sizes, SymPy expressions and graph nodes are three of them.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import Any, Protocol

from graphc.errors import ParseError

MAX_CHARACTERS = 4000
MAX_PARTS = 800

_BINARY: dict[type, str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Pow: "**",
    ast.MatMult: "@",
}
_COMPARE: dict[type, str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}


class Algebra(Protocol):
    """What a formula is folded into."""

    def number(self, value: int | float) -> Any:
        """A literal."""

    def name(self, name: str) -> Any:
        """A variable or a named constant; raises ParseError for one it does not know."""

    def operate(self, symbol: str, args: list[Any]) -> Any:
        """An operator: two arguments, or one for the sign ``-``."""

    def call(self, name: str, args: list[Any]) -> Any:
        """A function call; raises ParseError for a function it does not know."""


def parse_formula(text: str, algebra: Algebra) -> Any:
    """Fold ``text`` into ``algebra``.

    Raises:
        ParseError: the text is too long, is not an expression, or uses anything but names, numbers,
            ``+ - * / // ** @``, one comparison and calls by name.

    Example:
        >>> from graphc.ir.size import SIZES
        >>> str(parse_formula("2*n + n // 3", SIZES))
        '2*n + n//3'
    """
    values: list[Any] = []
    for part in _parts(text):
        _fold(part, values, algebra, text)
    return values[0]


def _parts(text: str) -> tuple[ast.expr, ...]:
    """What a formula is made of, operands first; the formulas of cards are read once."""
    if not isinstance(text, str) or len(text) > MAX_CHARACTERS:
        raise ParseError(
            "a formula must be text of moderate length", expected=f"at most {MAX_CHARACTERS} characters"
        )
    return _read_parts(text)


@lru_cache(maxsize=512)
def _read_parts(text: str) -> tuple[ast.expr, ...]:
    return tuple(_postorder(_read(text), text))


def _read(text: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ParseError("this is not a formula", given=repr(text[:120]), expected="an expression") from error


def _children(part: ast.expr, text: str) -> list[ast.expr]:
    match part:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return [left, right]
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return [operand]
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
            return [left, right]
        case ast.Call(func=ast.Name(), args=args, keywords=[]) if not any(
            isinstance(a, ast.Starred) for a in args
        ):
            return list(args)
        case ast.Name():
            return []
        case ast.Constant(value=value) if type(value) in (int, float):
            return []
    raise ParseError(
        f"a formula cannot contain {type(part).__name__}",
        given=repr(text[:120]),
        expected="names, numbers, + - * / // ** @, one comparison, and calls by name",
    )


def _postorder(tree: ast.expr, text: str) -> list[ast.expr]:
    order, stack = [], [tree]
    while stack:
        part = stack.pop()
        order.append(part)
        stack.extend(_children(part, text))
        if len(order) > MAX_PARTS:
            raise ParseError("this formula is too large", expected=f"at most {MAX_PARTS} parts")
    return order[::-1]


def _fold(part: ast.expr, values: list[Any], algebra: Algebra, text: str) -> None:
    count = len(_children(part, text))
    args = values[len(values) - count :][::1]
    del values[len(values) - count :]
    match part:
        case ast.BinOp(op=op):
            values.append(algebra.operate(_BINARY[type(op)], args))
        case ast.UnaryOp(op=ast.USub()):
            values.append(algebra.operate("-", args))
        case ast.UnaryOp():
            values.append(args[0])
        case ast.Compare(ops=[op]):
            values.append(algebra.operate(_COMPARE[type(op)], args))
        case ast.Call(func=ast.Name(id=name)):
            values.append(algebra.call(name, args))
        case ast.Name(id=name):
            values.append(algebra.name(name))
        case ast.Constant(value=int() | float() as value):
            values.append(algebra.number(value))
