"""Lengths of vectors: norms along axes. Their gradient is 0 at 0."""

from __future__ import annotations

import math
from typing import Any

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.node import Node
from graphc.ir.op import Op
from graphc.ops.arith import abs as absolute
from graphc.ops.arith import divide, multiply, power, sign, square
from graphc.ops.arrange import moveaxis
from graphc.ops.card import as_nodes
from graphc.ops.compare import equal, greater, not_equal, where
from graphc.ops.decompose import svdvals
from graphc.ops.math import sqrt
from graphc.ops.reduce import float_type, floats, max, min, restore_axes, sum, sum_op
from graphc.ops.shape import astype, normal_axes, normal_axis


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
    slope = power(share, ord - 1)
    if ord < 0:  # one entry of 0 makes the length 0, whatever the others are
        slope = where(greater(restore_axes(out, axis, keepdims), 0), slope, 0)
    return (multiply(g, multiply(sign(x), slope)),)


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
            smallest size, 0 for how many are not 0, any other ``p`` for ``sum(|x|**p)**(1/p)``.

    Raises:
        ArgumentError: another ``ord``.
        ShapeError: there is no such axis.

    Example:
        >>> import graphc as gx
        >>> str(gx.vector_norm(gx.input("x", ("n", 3)), axis=1).type)
        'float32[n]'
    """
    if not isinstance(ord, (int, float)) or isinstance(ord, bool) or math.isnan(ord):
        raise ArgumentError("the order of a norm is a number", given=repr(ord)[:60], expected="2, 1, inf, p")
    (node,) = floats((x,))
    axes = normal_axes(axis, node.ndim)
    if math.isinf(ord):
        return (max if ord > 0 else min)(absolute(node), axes, keepdims)
    if ord == 1:
        return sum(absolute(node), axes, keepdims)
    if ord == 0:
        return sum(astype(not_equal(node, 0), node.dtype), axes, keepdims)
    length: Node = norm_op(node, ord=float(ord), axis=axes, keepdims=bool(keepdims))
    return length


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Node:
    """The norm of vectors along an axis, of matrices along two, or of all entries: ``np.linalg.norm``.

    Args:
        x: of any dtype; integers are taken as float32.
        ord: an order of ``vector_norm`` along one axis, one of ``matrix_norm`` along two; by default the root of
            the sum of squares.
        axis: one axis, or two: of the rows, and of the columns. All by default.
        keepdims: whether the axes stay, with size 1.

    Raises:
        ArgumentError: there is no such norm.
        ShapeError: there is no such axis.

    Example:
        >>> import graphc as gx
        >>> str(gx.norm(gx.input("x", ("n", 3)), axis=1, keepdims=True).type)
        'float32[n, 1]'
    """
    (x,) = as_nodes((x,))
    count = len(normal_axes(axis, x))
    if ord is None or (ord == "fro" and count == 2):
        return vector_norm(x, axis, keepdims)
    if count < 2:
        return vector_norm(x, axis, keepdims, ord)
    if count > 2:
        raise ArgumentError(
            f"no norm of {count} axes has an order",
            given=f"ord={ord!r}",
            fix="gx.vector_norm takes all entries as one vector",
        )
    rows, columns = (normal_axis(a, x) for a in ((0, 1) if axis is None else axis))
    return _matrix_norm(x, ord, rows, columns, keepdims)


def matrix_norm(x: Any, keepdims: bool = False, ord: Any = "fro") -> Node:
    """The norm of matrices on the last two axes.

    Args:
        x: float[..., m, n]; integers are taken as float32.
        keepdims: whether the axes stay, with size 1.
        ord: ``fro`` for the root of the sum of squares, ``nuc`` for the sum of the singular values, 2 and -2 for
            the largest and the smallest of them, 1 and -1 for the largest and the smallest sum of sizes in a
            column, ``inf`` and ``-inf`` likewise in a row.

    Raises:
        ArgumentError: another ``ord``.
        ShapeError: fewer than two axes, or singular values of matrices whose sizes cannot be compared.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.matrix_norm(gx.const([[1.0, -2.0], [3.0, 4.0]]), ord=1))()
        np.float64(6.0)
    """
    (x,) = as_nodes((x,))
    if x.ndim < 2:
        raise ShapeError("a matrix has two axes", given=str(x.type))
    return _matrix_norm(x, ord, x.ndim - 2, x.ndim - 1, keepdims)


def _matrix_norm(x: Node, ord: Any, rows: int, columns: int, keepdims: bool) -> Node:
    if isinstance(ord, str) and ord == "fro":
        return vector_norm(x, (rows, columns), keepdims)
    name = "nuc" if isinstance(ord, str) and ord == "nuc" else None if isinstance(ord, (str, bool)) else ord
    if name in ("nuc", 2, -2):
        values = svdvals(moveaxis(x, (rows, columns), (-2, -1)))
        found = sum(values, -1) if name == "nuc" else (max if name == 2 else min)(values, -1)
    elif name in (1, -1, math.inf, -math.inf):
        along, other = (rows, columns) if abs(name) == 1 else (columns, rows)
        (node,) = floats((x,))
        sums = sum(absolute(node), along)
        found = (max if name > 0 else min)(sums, other - (other > along))
    else:
        raise ArgumentError(
            "there is no such norm of matrices",
            given=f"ord={ord!r:.40}",
            expected="fro, nuc, 1, 2, inf or less 0",
        )
    return restore_axes(found, tuple(sorted((rows, columns))), False) if keepdims else found


CARDS = (norm_op,)
