"""Graphs before and after, for the rules of ``rules.loops``; see ``fixtures``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import graphc as gx
from graphc.ir.node import Node
from graphc.ops import CARDS
from graphc.ops.shape import expand_dims, reshape_op, transpose_op

Pair = tuple[Node, Any]

matmul, sum_op = CARDS["matmul"], CARDS["sum"]


def total(term: Callable[..., Node], start: Any, *xs: Node) -> Node:
    """What a loop over sequences adds to a start."""
    return gx.scan(lambda total, x: (total + term(*x), None), start, list(xs))[0]


def nothing(like: Node, *shape: int) -> Node:
    return gx.const(np.zeros(shape, like.dtype))


def rows(x: Node) -> Node:
    return reshape_op(x, shape=(6, 4))


def squares(cube: Node) -> Pair:
    flat = rows(cube)
    return total(lambda x: x.T @ x, nothing(cube, 4, 4), cube), matmul(transpose_op(flat, axes=(1, 0)), flat)


def outer(a: Node, q: Node) -> Pair:
    before = total(lambda x, y: expand_dims(x, 1) * expand_dims(y, 0), nothing(a, 3, 3), a, q)
    return before, None


def columns(cube: Node) -> Pair:
    return total(lambda x: sum_op(x, axis=(0,)), nothing(cube, 4), cube), sum_op(rows(cube), axis=(0,))


def vectors(a: Node, row: Node) -> Pair:
    return total(lambda x: x, row, a), row + sum_op(a, axis=(0,))


def both(cube: Node, b: Node) -> Pair:
    """Two terms, of values that the body computes from a carry."""

    def step(carry: Any, x: Node) -> Any:
        h, total = carry
        h = gx.tanh(h + x)
        return (h, total + x.T @ h + h.T @ x), None

    return gx.scan(step, (b, nothing(b, 4, 4)), cube)[0][1], None


LOOP_PAIRS: dict[str, tuple[Callable[..., Pair], ...]] = {
    "total-over-steps": (squares, outer, columns, vectors, both)
}


def running(a: Node) -> Node:
    """The total so far is read."""
    return gx.scan(lambda total, x: (total + x, total), nothing(a, 3), a)[0]


def fed_back(a: Node) -> Node:
    """The total is read by another carry."""

    def step(carry: Any, x: Node) -> Any:
        total, h = carry
        return (total + x, h * total), None

    (total_, h), _ = gx.scan(step, (nothing(a, 3), gx.const(np.ones(3, a.dtype))), a)
    return total_ + 0 * h


LOOPS_REFUSED: dict[str, tuple[Callable[..., Node], ...]] = {
    "total-over-steps": (
        running,
        fed_back,
        lambda cube: total(
            lambda x: x * x, nothing(cube, 3, 4), cube
        ),  # a stack would hold all that is added
        lambda a, b: total(lambda x: gx.sum(b * b, axis=0), nothing(a, 4), a),  # the same at every step
        lambda a: gx.scan(lambda h, x: (h * x, None), nothing(a, 3), a)[0],
        lambda column: total(lambda x: gx.sum(x), gx.const(0.0, column.dtype), column),  # a number
        lambda labels: total(lambda x: x, gx.const([0]), expand_dims(labels, 1)),  # integers
        lambda column, row: total(lambda x: x * row, nothing(row, 3), column),  # three times as much
    )
}
