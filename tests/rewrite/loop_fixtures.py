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


def state(step: Callable[..., Any], start: Node, *xs: Node) -> Node:
    """The last carry of a loop."""
    return gx.scan(lambda h, x: (step(h, *x), None), start, list(xs))[0]


def recurrent(cube: Node, b: Node, row: Node) -> Pair:
    """The product with the sequence, and the bias, for all steps."""
    start = nothing(b, 3, 3)
    before = state(lambda h, x: gx.tanh(matmul(x, b.T) + matmul(h, h) + row), start, cube)
    return before, None


def slopes(a: Node, q: Node, row: Node) -> Pair:
    """Factors of what is carried."""
    before = state(lambda h, x, y: h * x * (1.0 - y * y) + row, row, a, q)
    return before, None


def stacked_alone(a: Node, q: Node, row: Node) -> Pair:
    """What waits for nothing is no loop."""

    def step(h: Node, x: Any) -> Any:
        return h * x[0], gx.tanh(x[0]) * x[1]

    return gx.scan(step, row, [a, q])[1], gx.tanh(a) * q


LOOP_PAIRS: dict[str, tuple[Callable[..., Pair], ...]] = {
    "total-over-steps": (squares, outer, columns, vectors, both),
    "before-the-loop": (recurrent, slopes, stacked_alone),
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


def long(x: Node) -> Node:
    """A value of so many elements that a call for each step costs no more than they do."""
    return gx.sum(gx.astype(gx.broadcast_to(x, (200, 200)), "float64") * 2.0)


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
    ),
    "before-the-loop": (
        lambda a, row: state(lambda h, x: gx.tanh(h + x), row, a),
        lambda a, row: state(lambda h, x: gx.tanh(h * x) * x, row, a),
        lambda column, row: state(lambda h, x: gx.tanh(h + x * row), row, column),  # three times as much
        lambda cube, b: state(lambda h, x: h * gx.sum(x), b, cube),  # another operation over all steps
        lambda labels, row: state(lambda h, x: h + long(x), row, labels),
    ),
}
