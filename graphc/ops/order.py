"""Sorting, and what follows from the order along axes: linear once the order is fixed."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.node import Node
from graphc.ir.op import ZERO, Op
from graphc.ir.types import Type
from graphc.ops.arith import multiply, subtract
from graphc.ops.arrange import flip, stack
from graphc.ops.card import as_nodes
from graphc.ops.gather import take_along_axis_op
from graphc.ops.leaves import size_node
from graphc.ops.reduce import _keep, _one_axis, floats, merged, restore_axes
from graphc.ops.shape import along, normal_axes, normal_axis

argsort_op = Op(
    "argsort",
    "select",
    ("x",),
    lambda x, *, axis: Type("int64", along(x, axis=axis).shape),
    attrs={"axis": ...},
    coerce=as_nodes,
    gradient=lambda g, out, x, *, axis: (ZERO,),
    numpy='np.argsort({x}, axis={axis}, kind="stable")',
    latex=r"\operatorname{{argsort}} {x}",
    doc="The places of the entries in increasing order; equal entries stay in their order.",
    cost=30.0,
)


def _sort_gradient(g: Node, out: Node, x: Node, *, axis: int) -> tuple[Node]:
    """Each entry takes what its rank was given: the inverse of a permutation is its argsort."""
    rank = argsort_op(argsort_op(x, axis=axis), axis=axis)
    return (take_along_axis_op(g, rank, axis=axis),)


sort_op = Op(
    "sort",
    "select",
    ("x",),
    along,
    attrs={"axis": ...},
    coerce=as_nodes,
    gradient=_sort_gradient,
    numpy="np.sort({x}, axis={axis})",
    latex=r"\operatorname{{sort}} {x}",
    cost=20.0,
    properties=frozenset({"moves"}),
)


def sort(x: Any, axis: int = -1, descending: bool = False) -> Node:
    """The entries in order along an axis; the gradient goes back to where each came from.

    Equal entries keep their order, as ``argsort`` has it.

    Raises:
        ShapeError: there is no such axis.

    Example:
        >>> import graphc as gx
        >>> str(gx.sort(gx.input("x", ("n", 3)), axis=0).type)
        'float32[n, 3]'
    """
    (x,) = as_nodes((x,))
    at = normal_axis(axis, x)
    node: Node = flip(sort_op(flip(x, at), axis=at), at) if descending else sort_op(x, axis=at)
    return node


def argsort(x: Any, axis: int = -1, descending: bool = False) -> Node:
    """The places of the entries in order along an axis, as int64; equal entries keep their order.

    Raises:
        ShapeError: there is no such axis.

    Example:
        >>> import graphc as gx
        >>> str(gx.argsort(gx.input("x", ("n", 3)), axis=0).type)
        'int64[n, 3]'
    """
    (x,) = as_nodes((x,))
    at = normal_axis(axis, x)
    if not descending:
        node: Node = argsort_op(x, axis=at)
        return node
    last = subtract(size_node(x.shape[at], "int64"), 1)
    places: Node = subtract(last, flip(argsort_op(flip(x, at), axis=at), at))
    return places


# -- a part of the order -------------------------------------------------------------------------------------------

argpartition_op = Op(
    "argpartition",
    "select",
    ("x",),
    lambda x, *, kth, axis: Type("int64", along(x, axis=axis).shape),
    attrs={"kth": ..., "axis": ...},
    coerce=as_nodes,
    gradient=lambda g, out, x, *, kth, axis: (ZERO,),
    numpy=lambda x, node: f"np.argpartition({x}, {_kth_text(node)}, axis={node.attrs['axis']})",
    latex=r"\operatorname{{argpartition}} {x}",
    doc="Places of the entries such that those at kth are in order, with no larger one before and no smaller behind.",
    cost=10.0,
)


def _kth_text(node: Node) -> str:
    kth = node.attrs["kth"]
    return str(kth[0] if len(kth) == 1 else kth)


def argpartition(x: Any, kth: Any, axis: int = -1) -> Node:
    """Places along an axis such that the entry at ``kth`` is the one of the sorted array, as int64.

    No entry before it is larger, and none behind it is smaller; in which order they are is NumPy's choice.

    Args:
        x: of any dtype.
        kth: an int, or several.
        axis: along which.

    Raises:
        ArgumentError: ``kth`` is no int.
        ShapeError: there is no such axis or no such place.

    Example:
        >>> import graphc as gx
        >>> str(gx.argpartition(gx.input("x", ("n", 5)), 2).type)
        'int64[n, 5]'
    """
    (node,) = as_nodes((x,))
    at = normal_axis(axis, node.ndim)
    places = tuple(kth) if isinstance(kth, (tuple, list)) else (kth,)
    for place in places:
        _check_kth(place, node.shape[at])
    order: Node = argpartition_op(node, kth=tuple(int(p) for p in places), axis=at)
    return order


def _check_kth(place: Any, dim: Any) -> None:
    if not hasattr(place, "__index__") or isinstance(place, (bool, Node)):
        raise ArgumentError("a place in the order is an int", given=repr(place)[:60])
    if isinstance(dim, int) and not -dim <= place < dim:
        raise ShapeError(f"there is no place {place} among {dim} entries")


def partition(x: Any, kth: Any, axis: int = -1) -> Node:
    """The entries, the one at ``kth`` where the sorted array has it; the gradient goes back to their places.

    Args:
        x: of any dtype.
        kth: an int, or several.
        axis: along which.

    Raises:
        ArgumentError, ShapeError: as for ``argpartition``.

    Example:
        >>> import graphc as gx
        >>> int(gx.compile(gx.partition(gx.const([5, 1, 4, 2, 3]), 2)[2])())
        3
    """
    (node,) = as_nodes((x,))
    order = argpartition(node, kth, axis)
    found: Node = take_along_axis_op(node, order, axis=normal_axis(axis, node.ndim))
    return found


quantile_weights = Op(
    "quantile_weights",
    "select",
    ("x",),
    lambda x, *, q, axis: along(x, axis=axis),
    attrs={"q": ..., "axis": ...},
    coerce=floats,
    gradient=lambda g, out, x, *, q, axis: (ZERO,),
    numpy="_quantile_weights({x}, {q}, {axis})",
    helpers=("_quantile_weights",),
    latex=r"w({x})",
    doc="Weights along an axis whose product with x sums to its quantile q.",
    cost=40.0,
)


def _quantile_type(x: Type, *, q: float, axis: int, keepdims: bool) -> Type:
    return _one_axis(x, axis=axis, keepdims=keepdims)


def _quantile_gradient(g: Node, out: Node, x: Node, *, q: float, axis: int, keepdims: bool) -> tuple[Node]:
    return (multiply(restore_axes(g, (axis,), keepdims), quantile_weights(x, q=q, axis=axis)),)


def _quantile_text(x: Any, node: Node) -> str:
    name = f"np.quantile({x}, {node.attrs['q']}, " if node.attrs["q"] != 0.5 else f"np.median({x}, "
    return f"{name}axis={node.attrs['axis']}{', keepdims=True' if node.attrs['keepdims'] else ''})"


quantile_op = Op(
    "quantile",
    "select",
    ("x",),
    _quantile_type,
    attrs={"q": ..., "axis": ..., "keepdims": False},
    coerce=floats,
    gradient=_quantile_gradient,
    numpy=_quantile_text,
    latex=r"\operatorname{{quantile}}({x})",
    cost=20.0,
)


def quantile(x: Any, q: Any, axis: Any = None, keepdims: bool = False) -> Node:
    """The value below which a share ``q`` of the entries lies, between two of them by linear interpolation.

    Args:
        x: of any dtype; integers are taken as float32.
        q: a number from 0 to 1, or several: their quantiles stand along a new first axis.
        axis: one axis, several, or all by default.
        keepdims: whether the axes stay, with size 1.

    Raises:
        ArgumentError: ``q`` is not a number from 0 to 1, nor a list of them.
        ShapeError: there is no such axis, or it is empty.

    Example:
        >>> import graphc as gx
        >>> str(gx.quantile(gx.input("x", ("n", 3)), 0.9, axis=0).type)
        'float32[3]'
    """
    if isinstance(q, (list, tuple, np.ndarray)) and np.ndim(q) == 1 and len(q):
        return stack([quantile(x, float(each), axis, keepdims) for each in q])
    if isinstance(q, (bool, Node)) or not isinstance(q, (int, float)) or not 0 <= q <= 1:
        raise ArgumentError("a quantile is asked for by a number from 0 to 1", given=repr(q)[:60])
    (node,) = floats((x,))
    axes = normal_axes(axis, node.ndim)
    if len(axes) == 1:
        single: Node = quantile_op(node, q=float(q), axis=axes[0], keepdims=bool(keepdims))
        return single
    flat, at = merged(node, axes)
    return _keep(quantile_op(flat, q=float(q), axis=at, keepdims=False), axes, keepdims)


def median(x: Any, axis: Any = None, keepdims: bool = False) -> Node:
    """The value in the middle along axes (all by default), or halfway between the two in the middle.

    Raises:
        ShapeError: there is no such axis, or it is empty.

    Example:
        >>> import graphc as gx
        >>> str(gx.median(gx.input("x", ("n", 3))).type)
        'float32[]'
    """
    return quantile(x, 0.5, axis, keepdims)


CARDS = (argsort_op, sort_op, argpartition_op, quantile_weights, quantile_op)
