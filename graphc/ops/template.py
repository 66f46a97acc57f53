"""From a card to NumPy text: one expression, with parentheses exactly where Python needs them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np

from graphc.errors import MissingRule
from graphc.ir.node import Node
from graphc.ops import draws, kernels, moves, vectors

ATOM = 100
UNARY = 30
PRECEDENCE = {"**": 40, "*": 20, "/": 20, "@": 20, "+": 10, "-": 10, "<<": 9, ">>": 9, "&": 8, "^": 7, "|": 6}
COMPARISON = 4


class Text(str):
    """NumPy text and how tightly it binds."""

    __slots__ = ("binds",)

    binds: int

    def __new__(cls, text: str, binds: int = ATOM) -> Text:
        """Make the text; ``binds`` is the precedence of its outermost operator."""
        self = super().__new__(cls, text)
        self.binds = binds
        return self

    @property
    def atom(self) -> str:
        """The text, in parentheses unless it needs none anywhere."""
        return self.at_least(ATOM)

    def at_least(self, binds: int) -> str:
        """The text, in parentheses if it binds less tightly."""
        return str(self) if self.binds >= binds else f"({self})"


def literal(value: Any, dtype: str) -> Text:
    """A scalar as a Python literal that gives back the same value in its dtype."""
    scalar = np.dtype(dtype).type(value)
    if dtype == "bool" or dtype.startswith("int"):
        text = str(scalar.item())
    elif not np.isfinite(scalar):
        text = {"inf": "np.inf", "-inf": "-np.inf"}.get(str(scalar), "np.nan")
    else:
        text = _short(scalar)
    return Text(text, UNARY if text.startswith("-") else ATOM)


def _short(scalar: Any) -> str:
    """The shortest decimal that reads back as this value in its own precision."""
    return min((np.format_float_positional(scalar, trim="0"), str(scalar)), key=len)


def render(node: Node, operands: Sequence[Text]) -> Text:
    """The NumPy expression of one node over the texts of its operands.

    Raises:
        MissingRule: the card has no code of its own and must be lowered first.
    """
    op = node.op
    if op.infix:
        return _infix(op.infix, *operands)
    if op.prefix:
        return Text(op.prefix + operands[0].at_least(UNARY), UNARY)
    if callable(op.numpy):
        text = op.numpy(*operands, node)
        return text if isinstance(text, Text) else Text(text)
    if op.numpy is None:
        raise MissingRule(
            f"{op.name} has no NumPy text of its own", fix="lower the graph first (gx.simplify does)"
        )
    names = op.operand_names(len(operands))
    fills = {n: _Field(t) for n, t in zip(names, operands, strict=True)}
    return Text(op.numpy.format(**fills, **{k: v for k, v in node.attrs.items() if k not in fills}))


class _Field(str):
    """An operand inside a call: no parentheses needed."""

    __slots__ = ()


def _infix(symbol: str, left: Text, right: Text) -> Text:
    if symbol not in PRECEDENCE:
        return Text(f"{left.at_least(COMPARISON + 1)} {symbol} {right.at_least(COMPARISON + 1)}", COMPARISON)
    binds = PRECEDENCE[symbol]
    tight = binds + (symbol == "**")
    return Text(f"{left.at_least(tight)} {symbol} {right.at_least(binds + 1)}", binds)


@lru_cache(maxsize=1)
def helper_functions() -> dict[str, Any]:
    """Every helper that a template may call, by name."""
    found = {}
    for module in (draws, kernels, moves, vectors):
        made = {n: f for n, f in vars(module).items() if inspect.isfunction(f) or inspect.isclass(f)}
        found.update({n: f for n, f in made.items() if n.startswith("_")})
    return found


def helper_source(names: Sequence[str]) -> list[str]:
    """The source of these helpers and of the helpers they call, each once, callees first."""
    table = helper_functions()
    order: list[str] = []
    stack = list(reversed(list(names)))
    while stack:
        name = stack[-1]
        missing = [n for n in _called_in(name) if n in table and n not in order and n != name]
        if missing:
            stack.extend(missing)
        else:
            stack.pop()
            if name not in order:
                order.append(name)
    return [_source_of(name) for name in order]


@cache
def _source_of(name: str) -> str:
    """The source of a helper: a part of graphc, so that it is read once."""
    return inspect.getsource(helper_functions()[name]).rstrip()


@cache
def _called_in(name: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\b_\w+", _source_of(name)))
