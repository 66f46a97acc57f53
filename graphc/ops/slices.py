"""Slices and joins: linear cards whose transposes place values among zeros, and cut them out again."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.node import Node
from graphc.ir.op import Op
from graphc.ir.size import Dim, floor_divide
from graphc.ir.types import Shape, Type, shape_text
from graphc.ops.card import linear, promoted
from graphc.ops.shape import dims_text, expand_dims, normal_axis, squeeze_op

Index = tuple[tuple[Any, Any, Any], ...]


# -- slices and their transpose -----------------------------------------------------------------------------------


def _slice_size(dim: Dim, start: Any, stop: Any, step: Any) -> Dim:
    if isinstance(dim, int):
        return len(range(*builtins.slice(start, stop, step).indices(dim)))
    low, jump = start or 0, 1 if step is None else step
    if low < 0 or jump < 1 or (stop is not None and stop >= 0):
        raise ShapeError(
            f"the size {dim} is only known at run time",
            given=f"a slice {start}:{stop}:{step}",
            expected="a start of at least 0, a stop below 0 or none, a step of at least 1",
        )
    length = dim + ((stop or 0) - low)
    return length if jump == 1 else floor_divide(length + (jump - 1), jump)


def _slice_type(x: Type, *, index: Index) -> Type:
    if len(index) > x.ndim:
        raise ShapeError(f"{len(index)} indices for {x.ndim} axes")
    rest = x.shape[len(index) :]
    return Type(x.dtype, (*(_slice_size(d, *part) for d, part in zip(x.shape, index, strict=False)), *rest))


def _slice_text(index: Index) -> str:
    def part(start: Any, stop: Any, step: Any) -> str:
        text = f"{'' if start is None else start}:{'' if stop is None else stop}"
        return text if step is None else f"{text}:{step}"

    return ", ".join(part(*p) for p in index)


slice_op = linear(
    "slice",
    "x",
    _slice_type,
    lambda g, x, *, index: place_op(g, shape=x.shape, index=index),
    attrs={"index": ...},
    properties="view",
    numpy=lambda x, node: f"{x.atom}[{_slice_text(node.attrs['index'])}]",
    latex=r"{x}_{{[\ldots]}}",
    cost=0.0,
)


def _place_type(x: Type, *, shape: Shape, index: Index) -> Type:
    if _slice_type(Type(x.dtype, shape), index=index).shape != x.shape:
        raise ShapeError(f"{shape_text(x.shape)} does not fill the slice of {shape_text(shape)}")
    return Type(x.dtype, shape)


place_op: Op = linear(
    "place",
    "x",
    _place_type,
    lambda g, x, *, shape, index: slice_op(g, index=index),
    attrs={"shape": ..., "index": ...},
    numpy=lambda x, node: f"_place({x}, {dims_text(node.shape)}, np.s_[{_slice_text(node.attrs['index'])}])",
    helpers=("_place",),
    latex=r"\operatorname{{place}}({x})",
    cost=0.3,
)


def getitem(x: Node, index: Any) -> Node:
    """``x[index]`` with ints, slices, ``None``, ``...`` and, alone, an integer node (a ``take`` along axis 0).

    Raises:
        ShapeError: an index out of range, or a slice of a named size that is not known until run time.
    """
    if isinstance(index, Node):
        from graphc.ops.index import take

        return take(x, index, axis=0)
    parts = list(index) if isinstance(index, tuple) else [index]
    used = sum(p is not None and p is not Ellipsis for p in parts)
    if used > x.ndim:
        raise ShapeError(f"{used} indices for {x.ndim} axes", given=str(index))
    if not any(p is Ellipsis for p in parts):
        parts.append(Ellipsis)
    at = next(i for i, p in enumerate(parts) if p is Ellipsis)
    parts[at : at + 1] = [builtins.slice(None)] * (x.ndim - used)
    return _apply_index(x, parts)


def _apply_index(x: Node, parts: list[Any]) -> Node:
    from graphc.ops.index import take

    axes = [p for p in parts if p is not None]
    slices = [_axis_slice(part, x.shape[axis], axis) for axis, part in enumerate(axes)]
    if any(s != (None, None, None) for s in slices):
        x = slice_op(x, index=tuple(slices))
    axis = 0
    for part in parts:
        if part is None:
            x = expand_dims(x, axis)
        if isinstance(part, builtins.slice) or part is None:
            axis += 1
        elif isinstance(x.shape[axis], int):
            x = squeeze_op(x, axis=axis)
        else:  # a size that is known at run time: the look-up itself checks the range
            x = take(x, part.__index__(), axis=axis)
    return x


def _axis_slice(part: Any, dim: Dim, axis: int) -> tuple[Any, Any, Any]:
    if isinstance(part, builtins.slice):
        values = tuple(None if v is None else v.__index__() for v in (part.start, part.stop, part.step))
        if values[2] == 0:
            raise ShapeError("the step of a slice is zero")
        return values  # type: ignore[return-value]
    if isinstance(part, bool) or not hasattr(part, "__index__"):
        raise ArgumentError(
            "an index is an int, a slice, None, ... or an integer node", given=repr(part)[:60]
        )
    i = part.__index__()
    if not isinstance(dim, int):
        return (None, None, None)
    if not -dim <= i < dim:
        raise ShapeError(f"index {i} is out of range on axis {axis} of size {dim}")
    return (i, i + 1 if i != -1 else None, None)


# -- joining ------------------------------------------------------------------------------------------------------


def _around(x: Type, axis: int) -> Shape:
    """The shape without an axis."""
    return x.shape[:axis] + x.shape[axis + 1 :]


def _concat_type(*types: Type, axis: int) -> Type:
    first = types[0]
    total: Dim = 0
    for t in types:
        if (t.dtype, t.ndim) != (first.dtype, first.ndim) or _around(t, axis) != _around(first, axis):
            raise ShapeError(
                f"{first} and {t} cannot be joined along axis {axis}", expected="equal sizes on the others"
            )
        total = total + t.shape[axis]
    return Type(first.dtype, (*first.shape[:axis], total, *first.shape[axis + 1 :]))


def _concat_part(g: Node, *parts: Node, axis: int, operand: int) -> Node:
    before = [p.shape[axis] for p in parts[:operand]]
    after = [p.shape[axis] for p in parts[operand + 1 :]]
    if not all(isinstance(d, int) for d in before) or not all(isinstance(d, int) for d in after):
        return _concat_part_by_name(g, parts, axis, operand)
    start, end = builtins.sum(map(int, before)), builtins.sum(map(int, after))  # type: ignore[arg-type]
    index = ((None, None, None),) * axis + ((start or None, -end if end else None, None),)
    node: Node = slice_op(g, index=index)
    return node


def _concat_part_by_name(g: Node, parts: tuple[Node, ...], axis: int, operand: int) -> Node:
    raise ShapeError(
        "the gradient of joining several values along an axis of named size is not known",
        given=", ".join(str(p.type) for p in parts),
        fix="join along an axis whose sizes are ints",
    )


concat_op = linear(
    "concat",
    "*xs",
    _concat_type,
    _concat_part,
    attrs={"axis": 0},
    coerce=promoted,
    numpy=lambda *xs_node: (
        f"np.concatenate([{', '.join(map(str, xs_node[:-1]))}], axis={xs_node[-1].attrs['axis']})"
    ),
    latex=r"[{xs}]",
    cost=0.2,
)


def concat(xs: Sequence[Node], axis: int = 0) -> Node:
    """Joined along an existing axis."""
    if not xs:
        raise ArgumentError("concat needs at least one node")
    node: Node = concat_op(*xs, axis=normal_axis(axis, xs[0].ndim))
    return node


CARDS = (slice_op, place_op, concat_op)
