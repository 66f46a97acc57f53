"""Graphs before and after, for the rules of ``rules.contract`` and ``rules.quotients``; see ``fixtures``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import graphc as gx
from graphc.ir.node import Node
from graphc.ops import CARDS
from graphc.ops.shape import broadcast_to_op

Pair = tuple[Node, Any]

matmul, matvec, vdot = CARDS["matmul"], CARDS["matvec"], CARDS["vdot"]
maximum, minimum = CARDS["maximum"], CARDS["minimum"]


def sum_op(x: Node, axis: tuple[int, ...], keepdims: bool = False) -> Node:
    return CARDS["sum"](x, axis=axis, keepdims=keepdims)


def stretched(x: Node, shape: tuple[Any, ...]) -> Node:
    return broadcast_to_op(x, shape=shape)


def ones(like: Node, *shape: int) -> Node:
    return gx.const(np.ones(shape, like.dtype))


def few(labels: Node) -> Node:
    """Integers that are not 0."""
    return gx.assume(labels + 1, low=1, high=100)


def known(x: Node, low: float = 0.1, high: float = 0.9) -> Node:
    """What the values of ``unit`` leaves are."""
    return gx.assume(x, low=low, high=high)


def diagonal_of(x: Node, size: Any) -> Node:
    return CARDS["place_diagonal"](x, shape=(size, size), k=0)


def _log_power(u: Node) -> Pair:
    return gx.log(known(u) ** 2.5), 2.5 * gx.log(known(u))


def _chain_vector(a: Node, b: Node) -> Pair:
    wide = gx.concat([a, a], axis=0)  # (4, 3): 4*3*4 + 4*4 multiplications, or 3*4 + 4*3
    return matvec(matmul(wide, b), b[0]), matvec(wide, matvec(b, b[0]))


PRODUCT_PAIRS: dict[str, tuple[Callable[..., Pair], ...]] = {
    "sum-moved": (
        lambda a: (sum_op(a.T, (0,)), sum_op(a, (1,))),
        lambda cube: (sum_op(gx.transpose(cube, (1, 2, 0)), (0, 2)), sum_op(cube, (0, 1))),
    ),
    "sum-sum-axes": (
        lambda cube: (sum_op(sum_op(cube, (2,)), (0,)), sum_op(cube, (0, 2))),
        lambda cube: (sum_op(sum_op(cube, (0,)), (0,)), sum_op(cube, (0, 1))),
    ),
    "sum-stretched": (
        lambda row: (sum_op(stretched(row, (5, 3)), (0,)), row * 5.0),
        lambda column: (sum_op(stretched(column, (2, 7)), (1,), True), column * 7.0),
        lambda column: (sum_op(stretched(column, (2, 7)), (0, 1)), None),
        lambda row: (sum_op(stretched(row, (5, 3)), (0, 1)), sum_op(row, (0,)) * 5.0),
        lambda s: (sum_op(stretched(s, (2, 3)), (0, 1)), s * 6.0),
    ),
    "sum-of-product": (
        lambda a, b: (sum_op(a @ b, (0,)), matvec(b.T, sum_op(a, (0,)))),
        lambda a, b: (sum_op(a @ b, (1,)), matvec(a, sum_op(b, (1,)))),
        lambda a, b: (sum_op(a @ b, (0, 1)), sum_op(sum_op(a, (0,)) * sum_op(b, (1,)), (0,))),
        lambda a, b: (sum_op(a @ b, (0,), True), sum_op(a, (0,), True) @ b),
    ),
    "row-of-ones": (lambda a: (matmul(ones(a, 1, 2), a), sum_op(a, (0,), True)),),
    "column-of-ones": (lambda a: (matmul(a, ones(a, 3, 1)), sum_op(a, (1,), True)),),
    "vector-of-ones": (lambda a: (matvec(a, ones(a, 3)), sum_op(a, (1,))),),
    "scaled-left": (lambda b, s: (matmul(b.T * s, b[:, :1]), matmul(b.T, b[:, :1]) * s),),
    "scaled-right": (lambda a, b, s: (matmul(a[:1], b * s), matmul(a[:1], b) * s),),
    "scaled-matrix": (lambda a, row, s: (matvec(a * s, row), matvec(a, row) * s),),
    "chain-right": (
        lambda a, b: (matmul(matmul(a, b), gx.expand_dims(b[0], 1)), None),
        lambda b: (matmul(matmul(b.T, b), b.T[:, :1]), matmul(b.T, matmul(b, b.T[:, :1]))),
    ),
    "chain-left": (lambda b: (matmul(b.T[:1], matmul(b, b.T)), matmul(matmul(b.T[:1], b), b.T)),),
    "chain-vector": (_chain_vector,),
    "diagonal-left": (
        lambda x, units: (
            matmul(diagonal_of(x, x.shape[0]), known(units)),
            gx.expand_dims(x, 1) * known(units),
        ),
    ),
    "diagonal-right": (
        lambda b, units: (
            matmul(known(units), diagonal_of(b[0], 4)),
            known(units) * gx.expand_dims(b[0], 0),
        ),
    ),
    "dot": (
        lambda x, y: (sum_op(x * y, (0,)), vdot(x, y)),
        lambda a, q: (sum_op(a * q, (0, 1)), vdot(a, q)),
    ),
    "dot-itself": (lambda a: (sum_op(gx.square(a), (0, 1)), vdot(a, a)),),
    "weighted-rows": (lambda a, column: (sum_op(a * column, (0,)), matvec(a.T, gx.squeeze(column, 1))),),
    "divide-twice": (
        lambda x, u: (x / known(u) / (known(u) + 1.0), x / (known(u) * (known(u) + 1.0))),
        lambda x: (x / 3.0 / 7.0, None),
        lambda labels: (labels / few(labels) / 2, labels / (few(labels).astype("float32") * 2.0)),
    ),
    "divide-by-power-of-two": (
        lambda x: (x / 4.0, x * 0.25),
        lambda x: (x / -0.5, x * -2.0),
        lambda a: (a / 2.0**-20, a * 2.0**20),
    ),
    "divide-by-number": (lambda x: (x / 3.0, None), lambda x: (x / -0.7, None)),
    "factor": (
        lambda x, y, z: (x * y + x * z, x * (y + z)),
        lambda x, y, z: (y * x + z * x, x * (y + z)),
    ),
    "factor-minus": (lambda x, y, z: (x * y - x * z, x * (y - z)),),
    "one-over-exp": (lambda x: (1 / gx.exp(x), gx.exp(-x)),),
    "exp-product": (
        lambda u: (gx.exp(known(u)) * gx.exp(-2.0 * known(u)), gx.exp(known(u) + -2.0 * known(u))),
    ),
    "log-power": (_log_power,),
    "log-square": (lambda x: (gx.log(gx.square(x)), 2 * gx.log(gx.abs(x))),),
    "log-root": (lambda x: (gx.log(gx.sqrt(x)), 0.5 * gx.log(x)),),
    "larger-bound": (
        lambda x: (maximum(0.5, maximum(-1.0, x)), maximum(0.5, x)),
        lambda x: (maximum(-1.0, maximum(0.0, x)), maximum(0.0, x)),
    ),
    "smaller-bound": (lambda x: (minimum(0.5, minimum(-1.0, x)), minimum(-1.0, x)),),
    "relu-bound": (
        lambda x: (maximum(0.5, gx.relu(x)), maximum(0.5, x)),
        lambda x: (maximum(-0.5, gx.relu(x)), gx.relu(x)),
    ),
    "clip-relu": (
        lambda x: (maximum(0.5, minimum(2.0, gx.relu(x))), minimum(2.0, maximum(0.5, gx.relu(x)))),
    ),
    "clip-clip": (
        lambda x: (maximum(0.2, minimum(1.0, maximum(-1.0, x))), minimum(1.0, maximum(0.2, x))),
        lambda x: (maximum(-2.0, minimum(1.0, maximum(-1.0, x))), minimum(1.0, maximum(-1.0, x))),
    ),
    "slice-concat": (
        lambda a, q: (gx.concat([a, q])[2:], q),
        lambda a, q: (gx.concat([a, q], axis=1)[:, :3], a),
        lambda a, q: (gx.concat([a, q], axis=1)[:, 4:6], q[:, 1:]),
        lambda a, q: (gx.concat([a, q])[-1], q[1]),
        lambda x, y: (gx.stack([x, y])[1], y),
        lambda x, y: (gx.stack([x, y], axis=1)[1:, 0], x[1:]),
    ),
}

PRODUCTS_REFUSED: dict[str, tuple[Callable[..., Node], ...]] = {
    "sum-moved": (
        lambda a: sum_op(a.T, (0,), True),
        lambda cube: sum_op(gx.transpose(cube, (2, 1, 0)), (0,)),
    ),
    "sum-stretched": (
        lambda s, rows: sum_op(stretched(s, rows.shape), (0,)) + sum_op(rows, (0,)),  # k may be 0
        lambda row: sum_op(stretched(row, (5, 3)), (1,)),
    ),
    "sum-of-product": (
        lambda a: sum_op(a[:1] @ a.T, (0,)),
        lambda cube: sum_op(cube @ gx.transpose(cube, (0, 2, 1)), (0,)),
    ),
    "row-of-ones": (lambda a: matmul(ones(a, 2, 2), a), lambda a: matmul(a[:1, :2], a)),
    "column-of-ones": (lambda a: matmul(a, ones(a, 3, 2)),),
    "scaled-left": (lambda a, b, s: matmul(a * s, b), lambda rows, b, s: matmul(rows * s, b.T @ b)),
    "scaled-right": (lambda a, b, s: matmul(b.T, a.T * s),),
    "chain-right": (lambda a, b: matmul(matmul(a, b), b.T),),
    "chain-left": (lambda a, b: matmul(b, matmul(b.T, a.T)),),
    "diagonal-left": (
        lambda x, rows: matmul(diagonal_of(x, x.shape[0]), rows),
        lambda units: matmul(CARDS["place_diagonal"](units[0], shape=(4, 5), k=1), ones(units, 5, 2)),
    ),
    "diagonal-right": (lambda rows, b: matmul(rows, diagonal_of(b[0], 4)),),
    "dot": (lambda a, row: sum_op(a * row, (0, 1)), lambda a, q: sum_op(a * q, (0,))),
    "weighted-rows": (lambda a, column: sum_op(a * column, (1,)), lambda a, q: sum_op(a * q, (0,))),
    "divide-twice": (
        lambda x, y, z: x / y / z,
        lambda x, u: x / known(u) / gx.assume(u, low=0.0, high=1.0),
        lambda x: x / 1e200 / 1e200,
    ),
    "divide-by-power-of-two": (
        lambda cube: sum_op(cube, (2,)) / 4.0,
        lambda x: x / 3.0,
        lambda x: x / 5e-324,
        lambda s: s / 2.0,
    ),
    "divide-by-number": (lambda x: x / 5e-324, lambda x: x / 1.5e308, lambda s: s / 3.0),
    "factor": (lambda x, y, z: x * y + y / z,),
    "exp-product": (
        lambda x, y: gx.exp(x) * gx.exp(y),
        lambda u: gx.exp(gx.assume(u, low=0, high=5)) * gx.exp(known(u) + 1.0),
    ),
    "log-power": (lambda x: gx.log(x**2.5), lambda u: gx.log(gx.assume(u, low=0) ** 2.5)),
    "larger-bound": (
        lambda x: maximum(0.0, maximum(-0.0, x)),
        lambda x: maximum(gx.const(np.float64("nan")), maximum(1.0, x)),
    ),
    "relu-bound": (lambda x: maximum(0.0, gx.relu(x)),),
    "clip-relu": (lambda x: maximum(2.0, minimum(1.0, gx.relu(x))),),
    "clip-clip": (
        lambda x: maximum(2.0, minimum(1.0, maximum(-1.0, x))),
        lambda x: maximum(0.0, minimum(1.0, maximum(-0.0, x))),
    ),
    "slice-concat": (
        lambda a, q: gx.concat([a, q])[1:3],
        lambda a, q: gx.concat([a, q])[::-1],
        lambda a, q: gx.concat([a, q], axis=1)[1:],
        lambda x, y: gx.concat([x, y])[: x.shape[0]],
    ),
}
