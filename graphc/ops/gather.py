"""Look-ups by several integer arrays at once, along an axis or as NumPy's indexing has them; and their transposes."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.node import Node
from graphc.ir.op import ZERO, Op
from graphc.ir.types import Shape, Type, broadcast
from graphc.ops.card import as_nodes, constant, linear
from graphc.ops.index import _integers, adding_type, take
from graphc.ops.shape import along, broadcast_to, dims_text, expand_dims, normal_axis, transpose
from graphc.ops.slices import apply_index

# -- x[:, rows, cols] ---------------------------------------------------------------------------------------------


def _gather_type(x: Type, *indices: Type, axis: int) -> Type:
    for t in indices:
        _integers(t)
    if not indices or axis + len(indices) > x.ndim:
        raise ShapeError(f"{len(indices)} indices from axis {axis} on", given=str(x))
    places = broadcast([t.shape for t in indices])
    return Type(x.dtype, (*x.shape[:axis], *places, *x.shape[axis + len(indices) :]))


def _places_text(indices: Sequence[Any], axis: int) -> str:
    return ", ".join([":"] * axis + [str(i) for i in indices])


gather_op: Op = linear(
    "gather",
    "x *indices",
    _gather_type,
    lambda g, x, *indices, axis, operand: (
        ZERO if operand else add_at_op(g, *indices, shape=x.shape, axis=axis)
    ),
    attrs={"axis": 0},
    numpy=lambda x, *indices_node: (
        f"{x.atom}[{_places_text(indices_node[:-1], indices_node[-1].attrs['axis'])}]"
    ),
    latex=r"{x}_{{[\ldots]}}",
    cost=2.0,
    properties="moves",
)


def _add_at_type(x: Type, *indices: Type, shape: Shape, axis: int) -> Type:
    return adding_type(x, _gather_type(Type(x.dtype, shape), *indices, axis=axis), shape)


def _add_at_text(x: Any, *rest: Any) -> str:
    *indices, node = rest
    return f"_add_at({x}, {dims_text(node.shape)}, np.s_[{_places_text(indices, node.attrs['axis'])}])"


add_at_op: Op = linear(
    "add_at",
    "x *indices",
    _add_at_type,
    lambda g, x, *indices, shape, axis, operand: ZERO if operand else gather_op(g, *indices, axis=axis),
    attrs={"shape": ..., "axis": 0},
    numpy=_add_at_text,
    helpers=("_add_at",),
    latex=r"\operatorname{{scatter}}({x})",
    cost=8.0,
    doc="Zeros of a shape, with values added at places given by integer arrays.",
)


def is_array(part: Any) -> bool:
    """Whether a part of an index is an array of places."""
    return isinstance(part, Node)


def plain_parts(index: Any) -> list[Any]:
    """The parts of an index: arrays as integer nodes, and a constant mask as the places where it is true."""
    parts: list[Any] = []
    for part in index if isinstance(index, tuple) else (index,):
        value = np.asarray(part) if isinstance(part, (list, np.ndarray)) else part
        if isinstance(value, Node) and value.op.role == "const":
            value = value.attrs["value"].value
        if isinstance(value, np.ndarray) and value.dtype == bool and value.ndim:
            parts.extend(constant(places, "int64") for places in np.nonzero(value))
        else:
            parts.append(_as_places(value))
    return parts


def _as_places(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        value = constant(value.astype("int64") if value.size == 0 else value)
    if isinstance(value, Node) and value.dtype == "bool":
        raise ArgumentError(
            "how many values a mask picks is only known at run time",
            given=str(value.type),
            expected="a constant mask",
            fix="keep the shape with gx.where(mask, x, 0)",
        )
    return value


def pick(x: Node, parts: list[Any]) -> Node:
    """``x`` at one part for each axis, some of them arrays: those are broadcast together, as in NumPy."""
    parts = [constant(p, "int64") if _is_place(p) else p for p in parts]
    at = [i for i, p in enumerate(parts) if is_array(p)]
    _check_range(x, parts)
    x = apply_index(x, [builtins.slice(None) if i in at else p for i, p in enumerate(parts)])
    indices = [parts[i] for i in at]
    if at != list(range(at[0], at[0] + len(at))):  # apart from each other: what they pick comes first
        x = transpose(x, (*at, *(i for i in range(x.ndim) if i not in at)))
        at = [0]
    return gather(x, indices, axis=at[0])


def _is_place(part: Any) -> bool:
    return not isinstance(part, Node) and hasattr(part, "__index__")


def _check_range(x: Node, parts: Sequence[Any]) -> None:
    """Constant places are checked where they are written."""
    for axis, part in enumerate(p for p in parts if p is not None):
        dim = x.shape[axis]
        if isinstance(part, Node) and part.op.role == "const" and isinstance(dim, int):
            value = part.attrs["value"].value
            if value.size and not (-dim <= value.min() and value.max() < dim):
                raise ShapeError(
                    f"an index is out of range on axis {axis} of size {dim}", given=str(value)[:60]
                )


def gather(x: Any, indices: Sequence[Any], axis: int = 0) -> Node:
    """The entries of ``x`` at several integer arrays, one for each axis from ``axis`` on, broadcast together.

    Args:
        x: of any dtype.
        indices: integers; a place may count from the end.
        axis: the first axis that is looked up.

    Returns:
        the axes before, the shape of the indices, the axes behind.

    Raises:
        DTypeError: an index that is no integer.
        ShapeError: more indices than axes, or indices that do not broadcast.

    Example:
        >>> import graphc as gx
        >>> p, t = gx.input("p", ("n", 10)), gx.input("t", ("n",), dtype="int64")
        >>> p[gx.arange("n"), t].type
        Type(dtype='float32', shape=(n,))
    """
    (x, *nodes) = as_nodes((x, *indices))
    if len(nodes) == 1:
        return take(x, nodes[0], axis)
    rank = max((i.ndim for i in nodes), default=0)
    node: Node = gather_op(x, *(_ranked(i, rank) for i in nodes), axis=normal_axis(axis, x))
    return node


def _ranked(index: Node, rank: int) -> Node:
    """As many axes as the others have; a scalar needs none."""
    while 0 < index.ndim < rank:
        index = expand_dims(index, 0)
    return index


def scatter_add(x: Any, indices: Any, values: Any, axis: int = 0) -> Node:
    """``x`` with ``values`` added at integer ``indices`` along an axis; a place that is named twice gets both.

    Args:
        x: float or int.
        indices: integers.
        values: the shape of ``take(x, indices, axis)``, or what broadcasts to it.
        axis: which axis of ``x`` the indices count.

    Raises:
        DTypeError: an index that is no integer.
        ShapeError: values that do not fit the indices.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.scatter_add(gx.zeros((3,)), gx.const([0, 2, 2]), gx.ones((3,))))()
        array([1., 0., 2.], dtype=float32)
    """
    from graphc.ops.arith import add
    from graphc.ops.card import promoted
    from graphc.ops.index import scatter_add_op

    x, values = promoted((x, values), numbers=True)
    (indices,) = as_nodes((indices,))
    values = broadcast_to(values, take(x, indices, axis).shape)
    node: Node = add(x, scatter_add_op(values, indices, shape=x.shape, axis=normal_axis(axis, x)))
    return node


# -- along an axis ------------------------------------------------------------------------------------------------


def _along_type(x: Type, indices: Type, *, axis: int) -> Type:
    _integers(indices)
    along(x, axis=axis)
    others = [s[:axis] + s[axis + 1 :] for s in (x.shape, indices.shape)]
    if x.ndim != indices.ndim or others[0] != others[1]:
        raise ShapeError(
            f"{x} and {indices} differ elsewhere than on axis {axis}",
            expected="equal sizes on the other axes",
        )
    return Type(x.dtype, indices.shape)


def _along_into(operands: Sequence[str], out: str, node: Node, hoist: Any) -> list[str]:
    """Along the rows of a matrix by two indices, which costs a third."""
    x, indices = operands
    if node.ndim != 2 or node.attrs["axis"] != 1:
        return [f"np.copyto({out}, np.take_along_axis({x}, {indices}, {node.attrs['axis']}))"]
    places = hoist(f"np.arange(0, {node.shape[0]})[:, None]", "places")
    return [f"np.copyto({out}, {x}[{places}, {indices}])"]


take_along_axis_op: Op = linear(
    "take_along_axis",
    "x indices",
    _along_type,
    (lambda g, x, indices, *, axis: add_along_axis_op(g, indices, shape=x.shape, axis=axis), ZERO),
    attrs={"axis": ...},
    numpy="np.take_along_axis({x}, {indices}, {axis})",
    into=_along_into,
    latex=r"{x}_{{{indices}}}",
    cost=3.0,
    properties="moves picks",
)


def _add_along_type(x: Type, indices: Type, *, shape: Shape, axis: int) -> Type:
    return adding_type(x, _along_type(Type(x.dtype, shape), indices, axis=axis), shape)


add_along_axis_op: Op = linear(
    "add_along_axis",
    "x indices",
    _add_along_type,
    (lambda g, x, indices, *, shape, axis: take_along_axis_op(g, indices, axis=axis), ZERO),
    attrs={"shape": ..., "axis": ...},
    numpy=lambda x, indices, node: (
        f"_add_along_axis({x}, {indices}, {dims_text(node.shape)}, {node.attrs['axis']})"
    ),
    helpers=("_add_along_axis",),
    latex=r"\operatorname{{scatter}}_{{{indices}}}({x})",
    cost=8.0,
    doc="Zeros of a shape, with values added along an axis where the indices say.",
)


def take_along_axis(x: Any, indices: Any, axis: int = -1) -> Node:
    """The entries at integer places along an axis, row by row (as ``argsort`` gives them).

    Args:
        x: of any dtype.
        indices: integers, with the rank of ``x``; on the other axes the sizes of ``x``, or 1.
        axis: along which the places count.

    Returns:
        the shape of ``indices``.

    Raises:
        DTypeError: an index that is no integer.
        ShapeError: another rank, or other sizes.

    Example:
        >>> import graphc as gx
        >>> x, i = gx.input("x", ("n", 5)), gx.input("i", ("n", 2), dtype="int64")
        >>> gx.take_along_axis(x, i, axis=1).type
        Type(dtype='float32', shape=(n, 2))
    """
    x, indices = as_nodes((x, indices))
    at = normal_axis(axis, x)
    if x.ndim == indices.ndim:
        x, indices = _matched(x, indices, at), _matched(indices, x, at)
    node: Node = take_along_axis_op(x, indices, axis=at)
    return node


def _matched(x: Node, other: Node, axis: int) -> Node:
    """Repeated on every other axis where it has size 1 and the other has not."""
    shape = tuple(
        n if m == 1 and i != axis else m for i, (m, n) in enumerate(zip(x.shape, other.shape, strict=True))
    )
    return broadcast_to(x, shape)


CARDS = (gather_op, add_at_op, take_along_axis_op, add_along_axis_op)
