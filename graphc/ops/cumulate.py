"""Running sums and products, and the product along axes, with derivatives of any order that are right at zeros too."""

from __future__ import annotations

from typing import Any

from graphc.ir.node import Node
from graphc.ir.op import Op
from graphc.ir.types import Type
from graphc.ops.arith import multiply
from graphc.ops.arrange import flip
from graphc.ops.card import as_nodes, linear
from graphc.ops.leaves import full
from graphc.ops.reduce import _call, _sum_type, merged, restore_axes, unmerged
from graphc.ops.shape import along, broadcast_to, normal_axes, normal_axis, reshape
from graphc.ops.slices import concat, slice_op


def _running_type(x: Type, *, axis: int) -> Type:
    along(x, axis=axis)
    return Type(x.dtype if x.is_float else "int64", x.shape)


cumsum_op: Op = linear(
    "cumsum",
    "x",
    _running_type,
    lambda g, x, *, axis: flip(cumsum_op(flip(g, axis), axis=axis), axis),
    attrs={"axis": ...},
    numpy="np.cumsum({x}, axis={axis})",
    latex=r"\operatorname{{cumsum}} {x}",
    cost=3.5,
)


def cumsum(x: Any, axis: int | None = None) -> Node:
    """The sums of all entries up to each along an axis, or along the flattened array.

    Integers and bools add up in int64.

    Raises:
        ShapeError: there is no such axis.

    Example:
        >>> import graphc as gx
        >>> str(gx.cumsum(gx.input("x", ("n", 3)), axis=0).type)
        'float32[n, 3]'
    """
    x, at = _along(x, axis)
    node: Node = cumsum_op(x, axis=at)
    return node


def _along(x: Any, axis: int | None) -> tuple[Node, int]:
    (node,) = as_nodes((x,))
    return (reshape(node, -1), 0) if axis is None else (node, normal_axis(axis, node.ndim))


# -- products: y[i] = x[i] y[i - 1] is a linear recurrence, and so are all its derivatives --------------------------


def _before(x: Node, axis: int, first: float) -> Node:
    """Each entry's predecessor along an axis; the first gets a number."""
    shape = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    index = ((None, None, None),) * axis + ((None, -1, None),)
    return concat([full(shape, first, x.dtype), slice_op(x, index=index)], axis)


def _carried_back(g: Node, a: Node, axis: int) -> Node:
    """c[i] = g[i] + a[i + 1] c[i + 1]: the cotangents of a recurrence, from its end."""
    return flip(recurrence(_before(flip(a, axis), axis, 0.0), flip(g, axis), axis=axis), axis)


def _recurrence_gradient(g: Node, out: Node, a: Node, b: Node, *, axis: int) -> tuple[Node, Node]:
    carried = _carried_back(g, a, axis)
    return multiply(carried, _before(out, axis, 0.0)), carried


recurrence = Op(
    "recurrence",
    "composite",
    ("a", "b"),
    lambda a, b, *, axis: along(b, axis=axis),
    attrs={"axis": ...},
    gradient=_recurrence_gradient,
    numpy="_recurrence({a}, {b}, {axis})",
    helpers=("_recurrence",),
    latex=r"y_i = {a}_i y_{{i-1}} + {b}_i",
    doc="y[i] = a[i] * y[i - 1] + b[i] along an axis, from 0.",
    cost=5.0,
)


def _cumprod_gradient(g: Node, out: Node, x: Node, *, axis: int) -> tuple[Node]:
    return (multiply(_carried_back(g, x, axis), _products_before(x, axis)),)


def _products_before(x: Node, axis: int) -> Node:
    """The product of all entries before each."""
    node: Node = cumprod_op(_before(x, axis, 1.0), axis=axis)
    return node


cumprod_op = Op(
    "cumprod",
    "composite",
    ("x",),
    _running_type,
    attrs={"axis": ...},
    coerce=as_nodes,
    gradient=_cumprod_gradient,
    numpy="np.cumprod({x}, axis={axis})",
    latex=r"\operatorname{{cumprod}} {x}",
    cost=3.5,
)


def cumprod(x: Any, axis: int | None = None) -> Node:
    """The products of all entries up to each along an axis, or along the flattened array.

    Integers and bools multiply in int64. The gradient divides by nothing, so it is right at zeros.

    Raises:
        ShapeError: there is no such axis.

    Example:
        >>> import graphc as gx
        >>> str(gx.cumprod(gx.input("x", ("n", 3)), axis=-1).type)
        'float32[n, 3]'
    """
    x, at = _along(x, axis)
    node: Node = cumprod_op(x, axis=at)
    return node


def _prod_gradient(g: Node, out: Node, x: Node, *, axis: tuple[int, ...], keepdims: bool) -> tuple[Node]:
    """Each entry's slope is the product of the others: of those before it and of those behind it."""
    flat, at = merged(x, axis)
    others = multiply(_products_before(flat, at), flip(_products_before(flip(flat, at), at), at))
    stretched = broadcast_to(restore_axes(g, axis, keepdims), x.shape)
    return (multiply(stretched, unmerged(others, x.shape, axis)),)


prod_op = Op(
    "prod",
    "composite",
    ("x",),
    _sum_type,
    attrs={"axis": ..., "keepdims": False},
    coerce=as_nodes,
    gradient=_prod_gradient,
    numpy=lambda x, node: _call("prod", x, node),
    latex=r"\textstyle\prod {x}",
    cost=0.4,
)


def prod(x: Any, axis: Any = None, keepdims: bool = False) -> Node:
    """Multiplied along axes (all by default); integers and bools multiply in int64.

    The gradient divides by nothing, so it is right where one entry is zero, or several are.

    Raises:
        ShapeError: there is no such axis, or one is named twice.

    Example:
        >>> import graphc as gx
        >>> str(gx.prod(gx.input("x", ("n", 3)), axis=1).type)
        'float32[n]'
    """
    (x,) = as_nodes((x,))
    node: Node = prod_op(x, axis=normal_axes(axis, x), keepdims=bool(keepdims))
    return node


def _behind(first: float, x: Node, running: Node, axis: int) -> Node:
    """A running sum or product behind the one of nothing."""
    shape = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    return concat([full(shape, int(first), running.dtype), running], axis)


def cumulative_sum(x: Any, axis: int | None = None, include_initial: bool = False) -> Node:
    """``cumsum`` by the name of the Array API, on demand with the sum of nothing in front.

    Args:
        x: integers and bools add up in int64.
        axis: along which; the flattened array by default.
        include_initial: whether the result begins with 0, which makes it one longer.

    Raises:
        ShapeError: there is no such axis.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.cumulative_sum(gx.const([1, 2, 3]), include_initial=True))()
        array([0, 1, 3, 6])
    """
    x, at = _along(x, axis)
    node: Node = cumsum_op(x, axis=at)
    return _behind(0, x, node, at) if include_initial else node


def cumulative_prod(x: Any, axis: int | None = None, include_initial: bool = False) -> Node:
    """``cumprod`` by the name of the Array API, on demand with the product of nothing in front.

    Args:
        x: integers and bools multiply in int64.
        axis: along which; the flattened array by default.
        include_initial: whether the result begins with 1, which makes it one longer.

    Raises:
        ShapeError: there is no such axis.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.cumulative_prod(gx.const([2, 2, 2]), include_initial=True))()
        array([1, 2, 4, 8])
    """
    x, at = _along(x, axis)
    node: Node = cumprod_op(x, axis=at)
    return _behind(1, x, node, at) if include_initial else node


CARDS = (cumsum_op, recurrence, cumprod_op, prod_op)
