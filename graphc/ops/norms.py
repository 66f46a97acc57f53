"""Lengths of vectors: norms along axes. Their gradient is 0 at 0."""

from __future__ import annotations

import math
from typing import Any

from graphc.errors import ArgumentError
from graphc.ir.node import Node
from graphc.ir.op import Op
from graphc.ops.arith import abs as absolute
from graphc.ops.arith import divide, multiply, power, sign, square
from graphc.ops.card import as_nodes
from graphc.ops.compare import equal, greater, where
from graphc.ops.math import sqrt
from graphc.ops.reduce import float_type, floats, max, min, restore_axes, sum, sum_op
from graphc.ops.shape import normal_axes


def _norm_body(x: Node, *, ord: float, axis: tuple[int, ...], keepdims: bool) -> Node:
    if ord == 2:
        node: Node = sqrt(sum_op(square(x), axis=axis, keepdims=keepdims))
        return node
    total = sum_op(power(absolute(x), ord), axis=axis, keepdims=keepdims)
    root: Node = power(total, 1 / ord)
    return root


def _norm_gradient(
    g: Node, out: Node, x: Node, *, ord: float, axis: tuple[int, ...], keepdims: bool
) -> tuple[Node]:
    """x / |x| for the length, which is 0 at 0."""
    length = restore_axes(where(greater(out, 0), out, 1), axis, keepdims)
    g = restore_axes(g, axis, keepdims)
    if ord == 2:
        return (multiply(x, divide(g, length)),)
    share = where(equal(x, 0), 1, divide(absolute(x), length))
    return (multiply(g, multiply(sign(x), power(share, ord - 1))),)


norm_op = Op(
    "norm",
    "composite",
    ("x",),
    float_type,
    attrs={"ord": ..., "axis": ..., "keepdims": False},
    coerce=floats,
    body=_norm_body,
    gradient=_norm_gradient,
    latex=r"\|{x}\|",
    cost=0.4,
)


def vector_norm(x: Any, axis: Any = None, keepdims: bool = False, ord: float = 2) -> Node:
    """The length of the vector of all entries along axes (all by default); its gradient is 0 at 0.

    Args:
        x: of any dtype; integers are taken as float32.
        axis: one axis, several, or all by default.
        keepdims: whether the axes stay, with size 1.
        ord: 2 for the root of the sum of squares, 1 for the sum of sizes, ``inf`` and ``-inf`` for the largest and the
            smallest size, any other ``p`` above 0 for ``sum(|x|**p)**(1/p)``.

    Raises:
        ArgumentError: another ``ord``.
        ShapeError: there is no such axis.

    Example:
        >>> import graphc as gx
        >>> str(gx.vector_norm(gx.input("x", ("n", 3)), axis=1).type)
        'float32[n]'
    """
    if not isinstance(ord, (int, float)) or isinstance(ord, bool) or not (ord > 0 or ord == -math.inf):
        raise ArgumentError(
            "a norm has an order above 0", given=repr(ord)[:60], expected="2, 1, inf, p or -inf"
        )
    (node,) = floats((x,))
    axes = normal_axes(axis, node.ndim)
    if math.isinf(ord):
        return (max if ord > 0 else min)(absolute(node), axes, keepdims)
    if ord == 1:
        return sum(absolute(node), axes, keepdims)
    length: Node = norm_op(node, ord=float(ord), axis=axes, keepdims=bool(keepdims))
    return length


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Node:
    """The norm of vectors along an axis, or of all entries, with the arguments of ``np.linalg.norm``.

    Raises:
        ArgumentError: a norm of matrices other than the root of the sum of squares.
        ShapeError: there is no such axis.

    Example:
        >>> import graphc as gx
        >>> str(gx.norm(gx.input("x", ("n", 3)), axis=1, keepdims=True).type)
        'float32[n, 1]'
    """
    (x,) = as_nodes((x,))
    matrices = len(normal_axes(axis, x.ndim)) > 1
    if ord is None or (ord == "fro" and matrices):
        ord = 2
    elif matrices:
        raise ArgumentError(
            "this is a norm of matrices",
            given=f"ord={ord!r}",
            fix="gx.vector_norm takes all entries as one vector",
        )
    return vector_norm(x, axis, keepdims, ord)


CARDS = (norm_op,)
