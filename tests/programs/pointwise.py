"""Pointwise cards on operands from their own domain; reductions, norms and order along axes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np

import graphc as gx
from graphc.errors import DTypeError
from graphc.ir.node import Node
from graphc.ir.op import Op
from tests.programs.maker import REAL, Maker, broadcasts, kind_of

Row = Callable[[Maker], Any]


GROWING = ("exp", "exp2", "expm1", "sinh", "cosh", "power", "square", "tan")
"""Pointwise cards whose values grow fast: their operands are brought into the domain."""


def pointwise(card: Op) -> Row:
    """A pointwise card on operands that broadcast, from its own domain."""
    return lambda m: card(*operands(m, card), **attributes(m, card))


def operands(m: Maker, card: Op) -> list[Any]:
    first = m.number(kind=first_kind(m, card))
    xs = [first, *(m.beside(first, kind_of(first)) for _ in card.operands[1:])]
    # all at once: each fits the first, but a row and a column fit only a matrix
    xs = [x if n < 2 or broadcasts(gx.add(first, xs[1]), x) else first for n, x in enumerate(xs)]
    bring = card.name in GROWING
    return [
        m.within(x, *side) if bring or side != REAL else x
        for x, side in zip(xs, card.domain or (), strict=True)
    ]


def first_kind(m: Maker, card: Op) -> str:
    """A kind of number that the card takes; integers where floats stay in their dtype beside them."""
    kinds = [k for k, dtype in taken(card) if k != "int" or dtype != "float32" or m.dtype == "mixed"]
    return m.one(kinds) if len(kinds) > 1 and (m.rarely() or "float" not in kinds) else kinds[0]


@cache
def taken(card: Op) -> tuple[tuple[str, str], ...]:
    """The kinds of operands that a card takes, floats first, with the dtype that it makes of them."""
    found = []
    for kind, dtype in (("float", "float64"), ("int", "int64"), ("bool", "bool")):
        probes = [gx.input("probe", (), dtype=dtype) for _ in card.operands]
        with suppress(DTypeError):
            found.append((kind, card(*probes).dtype))
    # a sum of bools is one of integers: nothing of its own
    return tuple((kind, dtype) for kind, dtype in found if kind != "bool" or dtype == "bool")


def shifted(function: Any) -> Row:
    """Bits moved by a number of places that is not negative."""

    def row(m: Maker) -> Node:
        x = m.number(kind="int")
        return function(x, m.leaf(m.one((x.shape, ())), "int", (0, 5)))

    return row


def attributes(m: Maker, card: Op) -> dict[str, Any]:
    return {name: default * m.one((1, 2, 5)) for name, default in card.attrs.items()}


def where(m: Maker) -> Node:
    x = m.number(kind="float" if m.coin() else m.one(("float", "int")))
    return gx.where(m.beside(x, "bool"), x, m.of(x.shape, kind_of(x)) if m.coin() else 0)


def polygamma(m: Maker) -> Node:
    return gx.polygamma(m.one((1, 2, 3)), m.within(m.number(), 0.2, 3.0))


def clip(m: Maker) -> Node:
    x = m.number()
    low = m.one((None, -1.0, m.of(x.shape)))
    return gx.clip(x, low, 1.0 if low is None else m.one((None, 2.0)))


def two(function: Any) -> Row:
    def row(m: Maker) -> Node:
        x = m.number(kind="int" if m.rarely() else "float")
        return function(x, m.beside(x, kind_of(x)))

    return row


# -- along axes ----------------------------------------------------------------------------------------------------


def axes_of(m: Maker, x: Node) -> dict[str, Any]:
    return {"axis": m.axes(x), "keepdims": m.coin()}


def some(m: Maker, kinds: tuple[str, ...] = ("float",), least: int = 1) -> Node:
    return m.number(least, kind=m.one(kinds))


def reduced(function: Any, *kinds: str) -> Row:
    def row(m: Maker) -> Node:
        x = some(m, kinds or ("float",), 0)
        return function(x, **axes_of(m, x))

    return row


def found(function: Any) -> Row:
    def row(m: Maker) -> Node:
        x = some(m, ("float", "int"))
        return function(x, m.one((None, m.axis(x))), keepdims=m.coin())

    return row


def spread(function: Any) -> Row:
    def row(m: Maker) -> Node:
        x = some(m)
        axis = m.axis(x)
        return function(
            x, axis=axis, keepdims=m.coin(), correction=m.one((0, 1) if m.length(x.shape[axis]) > 1 else (0,))
        )

    return row


def along(function: Any, *kinds: str, **options: tuple[Any, ...]) -> Row:
    """A function of a value and an axis."""

    def row(m: Maker) -> Node:
        x = some(m, kinds or ("float",))
        return function(x, axis=m.axis(x), **{name: m.one(values) for name, values in options.items()})

    return row


def multiplied(function: Any) -> Row:
    """Products grow fast: of values below 2."""

    def row(m: Maker) -> Node:
        x = m.within(some(m), *REAL)
        return function(x, axis=m.axis(x))

    return row


def quantile(m: Maker) -> Node:
    x = some(m)
    return gx.quantile(x, m.one((0.25, 0.9, 0.0, 1.0, 0.5)), **axes_of(m, x))


def vector_norm(m: Maker) -> Node:
    x = some(m, least=0)
    return gx.vector_norm(x, **axes_of(m, x), ord=m.one((2, 1, 3, np.inf, -np.inf)))


def norm(m: Maker) -> Node:
    x = some(m)
    return gx.norm(x, m.one((None, 1, 2)), axis=m.axis(x), keepdims=m.coin())


def partitioned(function: Any) -> Row:
    def row(m: Maker) -> Node:
        x = some(m)
        axis = m.axis(x)
        return function(x, m.choose(m.length(x.shape[axis])) if isinstance(x.shape[axis], int) else 0, axis)

    return row


def diff(m: Maker) -> Node:
    x = some(m, ("float", "float", "int"))
    axis = m.axis(x)
    return gx.diff(x, axis, **m.one(({}, {"prepend": 0}, {"append": 1, "prepend": 0, "n": 2})))


def searchsorted(m: Maker) -> Node:
    x = m.value(fits=lambda x: x.ndim == 1)
    return gx.searchsorted(gx.sort(x), m.number(), side=m.one(("left", "right")))
