"""Windows that slide along axes, and their transpose, which adds windows up where they overlap."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.ir.node import Node
from graphc.ir.op import Op
from graphc.ir.size import Dim, floor_divide
from graphc.ir.types import Shape, Type, as_shape, shape_text
from graphc.ops.card import as_nodes, linear, promoted
from graphc.ops.shape import dims_text, normal_axis
from graphc.ops.slices import slice_op

Ints = tuple[int, ...]


def spans(window: Ints, dilation: Ints) -> Ints:
    """How far a window reaches along each axis, from its first element to its last."""
    return tuple((w - 1) * d + 1 for w, d in zip(window, dilation, strict=True))


def window_count(dim: Dim, span: int, stride: int) -> Dim:
    """How many windows fit on an axis."""
    if isinstance(dim, int) and dim < span:
        raise ShapeError(
            f"a window that reaches over {span} does not fit a size of {dim}",
            fix="make the window or its dilation smaller, or pad the axis",
        )
    return floor_divide(dim - span, stride) + 1


def _windows_type(x: Type, *, axis: Ints, window: Ints, stride: Ints, dilation: Ints) -> Type:
    if not len(axis) == len(window) == len(stride) == len(dilation) or max(axis, default=-1) >= x.ndim:
        raise ShapeError("one window, stride and dilation for each axis", given=str(axis))
    shape = list(x.shape)
    for a, span, step in zip(axis, spans(window, dilation), stride, strict=True):
        shape[a] = window_count(x.shape[a], span, step)
    return Type(x.dtype, (*shape, *window))


def _settings(node: Node) -> str:
    keys = ["axis", "window", "stride", "dilation"]
    for key in ("dilation", "stride"):
        if set(node.attrs[key]) == {1} and keys[-1] == key:
            keys.pop()
    return ", ".join(dims_text(node.attrs[key]) for key in keys)


windows_op: Op = linear(
    "sliding_windows",
    "x",
    _windows_type,
    lambda g, x, **attrs: fold_op(g, shape=x.shape, **attrs),
    attrs={"axis": ..., "window": ..., "stride": ..., "dilation": ...},
    properties="view",
    suffix=lambda node: "windows",
    numpy=lambda x, node: f"_windows({x}, {_settings(node)})",
    helpers=("_windows",),
    axes="windows",
    latex=r"\operatorname{{windows}}({x})",
    cost=0.0,
)


def _fold_type(x: Type, *, shape: Shape, **attrs: Any) -> Type:
    if x.dtype == "bool":
        raise DTypeError("bools do not add up", given=str(x), fix="convert them with gx.astype")
    if _windows_type(Type(x.dtype, shape), **attrs).shape != x.shape:
        raise ShapeError(f"{shape_text(x.shape)} are not the windows of {shape_text(shape)}")
    return Type(x.dtype, shape)


fold_op: Op = linear(
    "fold",
    "x",
    _fold_type,
    lambda g, x, *, shape, **attrs: windows_op(g, **attrs),
    attrs={"shape": ..., "axis": ..., "window": ..., "stride": ..., "dilation": ...},
    numpy=lambda x, node: f"_fold({x}, {dims_text(node.shape)}, {_settings(node)})",
    into=lambda operands, out, node, hoist: [
        f"_fold({operands[0]}, {dims_text(node.shape)}, {_settings(node)}, out={out})"
    ],
    helpers=("_fold",),
    axes="fold",
    latex=r"\operatorname{{fold}}({x})",
    cost=2.0,
    doc="Zeros of a shape, with every window added where it stands: the transpose of sliding_windows.",
)


def _weave_type(*parts: Type, shape: Shape, axis: Ints, window: Ints) -> Type:
    if len(parts) != prod(window) or len(axis) != len(window) or max(axis, default=-1) >= len(shape):
        raise ShapeError(f"{len(parts)} parts for windows of {window}")
    whole = list(shape)
    for a, w in zip(axis, window, strict=True):
        whole[a] = floor_divide(shape[a], w)
    for part in parts:
        if part != Type(parts[0].dtype, tuple(whole)):
            raise ShapeError(f"{part} is no part of the windows of {shape_text(shape)}")
    return Type(parts[0].dtype, shape)


def _piece(node: Node, place: int) -> tuple[Any, ...]:
    """Where a part stands in the whole, as an index of slices."""
    shape, axis, window = node.shape, node.attrs["axis"], node.attrs["window"]
    index: list[Any] = [(None, None, None)] * (max(axis) + 1)
    for a, w in reversed([*zip(axis, window, strict=True)]):
        place, i = divmod(place, w)
        index[a] = (i, floor_divide(shape[a], w) * w, w)
    return tuple(index)


def _weave_part(g: Node, *parts: Node, operand: int, **attrs: Any) -> Node:
    whole: Node = weave_op(*parts, **attrs)
    node: Node = slice_op(g, index=_piece(whole, operand))
    return node


def _has_gaps(node: Node) -> bool:
    pairs = zip(node.attrs["axis"], node.attrs["window"], strict=True)
    return any(floor_divide(node.shape[a], w) * w != node.shape[a] for a, w in pairs)


weave_op: Op = linear(
    "weave",
    "*xs",
    _weave_type,
    _weave_part,
    attrs={"shape": ..., "axis": ..., "window": ...},
    coerce=promoted,
    numpy=lambda *parts_node: (
        f"_weave([{', '.join(map(str, parts_node[:-1]))}], {_weave_settings(parts_node[-1])})"
    ),
    into=lambda operands, out, node, hoist: [
        f"_weave([{', '.join(operands)}], {_weave_settings(node)}, out={out})"
    ],
    piece=_piece,
    gaps=lambda out, node: (
        [f"_clear({out}, {dims_text(node.attrs['axis'])}, {dims_text(node.attrs['window'])})"]
        if _has_gaps(node)
        else []
    ),
    helpers=("_weave", "_clear"),
    latex=r"\operatorname{{weave}}({xs})",
    cost=0.5,
    properties="moves",
    doc="Windows that stand side by side, from an array for each place in a window; zeros behind the last of them.",
)


def _weave_settings(node: Node) -> str:
    return ", ".join(dims_text(v) for v in (node.shape, node.attrs["axis"], node.attrs["window"]))


def per_axis(value: Any, count: int, what: str, low: int = 1) -> Ints:
    """An int for each axis, from one for all or one for each."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * count
    whole = all(hasattr(v, "__index__") and not isinstance(v, bool) and v >= low for v in values)
    if len(values) != count or not whole:
        raise ArgumentError(
            f"{what} is an int of at least {low}, or one for each of {count} axes", given=repr(value)[:60]
        )
    return tuple(v.__index__() for v in values)


def sliding_windows(x: Any, window_shape: Any, axis: Any = None, stride: Any = 1, dilation: Any = 1) -> Node:
    """Every window along some axes, its elements on new last axes.

    Args:
        x: of any dtype.
        window_shape: the size of a window along each axis.
        axis: one or several, in increasing order; the last ones by default.
        stride: from one window to the next.
        dilation: from one element of a window to the next.

    Returns:
        the shape of ``x`` with the number of windows on each axis, followed by ``window_shape``.

    Raises:
        ShapeError: a window that reaches beyond the axis.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.sliding_windows(gx.const([1, 2, 3, 4]), 2, stride=2))()
        array([[1, 2],
               [3, 4]])
    """
    (x,) = as_nodes((x,))
    count = len(window_shape) if isinstance(window_shape, (tuple, list)) else 1
    axes = _axes(axis, x.ndim, count)
    node: Node = windows_op(
        x,
        axis=axes,
        window=per_axis(window_shape, len(axes), "the size of a window"),
        stride=per_axis(stride, len(axes), "a stride"),
        dilation=per_axis(dilation, len(axes), "a dilation"),
    )
    return node


def _axes(axis: Any, ndim: int, count: int) -> Ints:
    """Axes in increasing order; the last ones by default."""
    last = tuple(range(ndim - count, ndim))
    axes: Sequence[int] = last if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    normal = tuple(normal_axis(a, ndim) for a in axes)
    if list(normal) != sorted(set(normal)):
        raise ShapeError("the axes of windows stand in increasing order", given=str(tuple(axes)))
    return normal


def fold(x: Any, shape: Any, axis: Any = None, stride: Any = 1, dilation: Any = 1) -> Node:
    """Zeros of a shape, with every window added where it stands: the transpose of ``sliding_windows``.

    Args:
        x: what ``sliding_windows`` gives: the numbers of windows, then the places in a window.
        shape: of the result.
        axis: one or several, in increasing order; the last ones by default.
        stride: from one window to the next.
        dilation: from one element of a window to the next.

    Raises:
        ShapeError: windows that are not those of this shape.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.fold(gx.ones((3, 2)), (4,)))()
        array([1., 2., 2., 1.], dtype=float32)
    """
    (x,) = as_nodes((x,))
    dims = as_shape(shape)
    count = x.ndim - len(dims)
    if not all(isinstance(d, int) for d in x.shape[len(dims) :]):
        raise ShapeError("the size of a window is an int", given=str(x.type))
    node: Node = fold_op(
        x,
        shape=dims,
        axis=_axes(axis, len(dims), count),
        window=x.shape[len(dims) :],
        stride=per_axis(stride, count, "a stride"),
        dilation=per_axis(dilation, count, "a dilation"),
    )
    return node


CARDS = (windows_op, fold_op, weave_op)
