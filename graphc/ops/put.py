"""Values written over others: the result is new, what was given stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.errors import DTypeError, ShapeError
from graphc.ir.node import Node
from graphc.ir.op import ZERO, Op
from graphc.ir.size import product
from graphc.ir.types import Type
from graphc.ops.card import as_nodes, cast, linear
from graphc.ops.compare import equal, where
from graphc.ops.create import arange
from graphc.ops.gather import take_along_axis
from graphc.ops.index import _integers, take
from graphc.ops.leaves import zeros, zeros_like
from graphc.ops.shape import broadcast_to, reshape
from graphc.ops.slices import getitem


def _put_type(x: Type, values: Type, indices: Type) -> Type:
    _integers(indices)
    if x.ndim != 1 or indices.ndim != 1 or values != Type(x.dtype, indices.shape):
        raise ShapeError("a value of the same dtype for each place", given=f"{x}, {values}, {indices}")
    return x


def _overwritten(g: Node, x: Node, values: Node, indices: Node) -> Node:
    """What was there before reached the result where nothing was written."""
    node: Node = put_op(g, zeros(values.shape, g.dtype), indices)
    return node


def _written(g: Node, x: Node, values: Node, indices: Node) -> Node:
    """Of values for one place only the last reached the result."""
    picked = take(g, indices)
    if _distinct(indices):
        return picked
    order = arange(indices.shape[0])
    last = put_op(zeros(x.shape, "int64"), order, indices)
    node: Node = where(equal(take(last, indices), order), picked, zeros_like(picked))
    return node


def _distinct(indices: Node) -> bool:
    if indices.op.role != "const":
        return False
    value = indices.attrs["value"].value
    return bool((value >= 0).all()) and len(np.unique(value)) == value.size


put_op: Op = linear(
    "put",
    "x values indices",
    _put_type,
    (_overwritten, _written, ZERO),
    numpy="_put({x}, {values}, {indices})",
    helpers=("_put",),
    latex=r"\operatorname{{put}}({x}, {values})",
    cost=3.0,
    doc="x with values written at integer places, the last of them where a place stands twice.",
    properties="moves",
)


def _put_at(x: Node, places: Node, values: Any, write: Callable[..., Node] = put_op) -> Node:
    """Values written at places in the flattened ``x``, or combined with what is there."""
    if isinstance(values, Node) and values.type.is_float and not x.type.is_float:
        raise DTypeError("floats do not fit integers", given=f"{x.type}, {values.type}")
    filled = broadcast_to(cast(values, x.dtype), places.shape)
    flat, new, at = (v if v.ndim == 1 else reshape(v, -1) for v in (x, filled, places))
    node = write(flat, new, at)
    return node if x.ndim == 1 else reshape(node, x.shape)


def _numbered(x: Node) -> Node:
    """The place of each element in the flattened array."""
    count = arange(product(x.shape))
    return count if x.ndim == 1 else reshape(count, x.shape)


def put(x: Any, indices: Any, values: Any) -> Node:
    """``x`` with ``values`` at integer places of the flattened array; where a place stands twice, the last.

    Args:
        x: of any dtype and shape.
        indices: integers.
        values: the shape of ``indices``, or what broadcasts to it.

    Raises:
        DTypeError: indices that are no integers, or floats for an integer array.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.put(gx.const([1, 2, 3]), gx.const([0, 2]), gx.const([7, 9])))()
        array([7, 2, 9])
    """
    x, indices = as_nodes((x, indices))
    return _put_at(x, indices, values)


def put_along_axis(x: Any, indices: Any, values: Any, axis: int) -> Node:
    """``x`` with ``values`` at integer places along an axis, row by row: the counterpart of ``take_along_axis``.

    Args:
        x: of any dtype.
        indices: integers, with the rank of ``x``; on the other axes the sizes of ``x``, or 1.
        values: the shape of ``indices``, or what broadcasts to it.
        axis: along which the places count.

    Raises:
        DTypeError, ShapeError: as for ``take_along_axis``.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.put_along_axis(gx.const([[1, 2], [3, 4]]), gx.const([[0], [1]]), 9, axis=1))()
        array([[9, 2],
               [3, 9]])
    """
    x, indices = as_nodes((x, indices))
    return _put_at(x, take_along_axis(_numbered(x), indices, axis), values)


def set_at(x: Any, index: Any, values: Any) -> Node:
    """``x`` with ``values`` where ``index`` says, any index that ``x[...]`` takes: a new ``x[index] = values``.

    Args:
        x: of any dtype.
        index: ints, slices, arrays and constant masks, as in NumPy.
        values: the shape of ``x[index]``, or what broadcasts to it.

    Raises:
        ShapeError: an index out of range, or values that do not fit.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.set_at(gx.zeros((2, 3)), (0, slice(1, None)), 5))()
        array([[0., 5., 5.],
               [0., 0., 0.]], dtype=float32)
    """
    (x,) = as_nodes((x,))
    return _put_at(x, getitem(_numbered(x), index), values)


CARDS = (put_op,)
