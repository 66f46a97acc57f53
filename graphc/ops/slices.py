"""Slices and joins: linear cards whose transposes place values among zeros, and cut them out again."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.node import Node, describe
from graphc.ir.op import Op
from graphc.ir.origin import here, in_layer
from graphc.ir.size import Dim, Size, at_least_zero, floor_divide
from graphc.ir.types import Shape, Type, shape_text
from graphc.ops.card import constant, linear, promoted
from graphc.ops.shape import along, broadcast_to, dims_text, expand_dims, normal_axis

Index = tuple[Any, ...]
"""For each axis from the first on (start, stop, step), or an int, which takes the axis away."""

WHOLE = (None, None, None)
"""The slice that leaves an axis as it is."""


# -- slices and their transpose -----------------------------------------------------------------------------------


def _slice_size(dim: Dim, start: Any, stop: Any, step: Any) -> Dim:
    if not any(isinstance(v, Size) for v in (dim, start, stop)):
        return len(range(*builtins.slice(start, stop, step).indices(dim)))  # type: ignore[arg-type]
    jump = 1 if step is None else step
    near, far = (0, dim) if jump > 0 else (dim - 1, -1)
    first = near if start is None else _bound(dim, start, jump > 0, near=True)
    last = far if stop is None else _bound(dim, stop, jump < 0, near=False)
    length = last - first if jump > 0 else first - last
    return length if abs(jump) == 1 else floor_divide(length + (abs(jump) - 1), abs(jump))


def _bound(dim: Dim, place: Any, sure: bool, near: bool) -> Dim:
    """A place on an axis of named size, counted from the front.

    NumPy clips a place beyond the end, so the size of what is cut out would depend on which is larger. Where a slice
    begins near the front and ends near the back (``sure`` says so for this bound), that is left to the user.
    """
    bound: Dim = place if isinstance(place, Size) or place >= 0 else dim + place
    from_front = isinstance(place, int) and place >= 0
    if isinstance(place, Size) or from_front == sure or at_least_zero(dim - bound if from_front else bound):
        return bound
    edge, instead = ("start", "at least 0") if near else ("stop", "below 0 or left out")
    raise ShapeError(
        f"the size {dim} is only known at run time, and may not reach the {edge} of the slice at {place}",
        expected=f"a {edge} that is {instead}, or a size such as x.shape[0] - 1",
        fix="declare the size as an int, or count from the other end",
    )


def _slice_type(x: Type, *, index: Index) -> Type:
    if len(index) > x.ndim:
        raise ShapeError(f"{len(index)} indices for {x.ndim} axes")
    for axis, part in enumerate(index):
        if isinstance(part, int):
            _check_place(part, x.shape[axis], axis)
    parts = zip(x.shape, index, strict=False)
    kept = tuple(_slice_size(dim, *part) for dim, part in parts if not isinstance(part, int))
    return Type(x.dtype, (*kept, *x.shape[len(index) :]))


def _check_place(place: int, dim: Dim, axis: int) -> None:
    """A place on an axis of named size is checked by NumPy when the program runs."""
    if isinstance(dim, int) and not -dim <= place < dim:
        raise ShapeError(f"index {place} is out of range on axis {axis} of size {dim}")


def slice_text(index: Index) -> str:
    """An index as it stands between brackets."""

    def part(start: Any, stop: Any, step: Any) -> str:
        text = f"{'' if start is None else start}:{'' if stop is None else stop}"
        return text if step is None else f"{text}:{step}"

    return ", ".join(str(p) if isinstance(p, int) else part(*p) for p in index)


def index_word(index: Index) -> str:
    """``0_to_3`` for a slice of one axis, ``at_0`` for a place, ``from_0_1`` where several axes are cut."""
    parts = [p for p in index if isinstance(p, int) or p != WHOLE]
    words = [_bound_word(p if isinstance(p, int) else p[0]) for p in parts]
    if len(parts) != 1:
        return f"from_{'_'.join(words)}"
    (part,) = parts
    if isinstance(part, int):
        return f"at_{words[0]}"
    _, stop, step = part
    if step not in (None, 1):
        return f"from_{words[0]}_by_{_bound_word(step)}"
    return f"from_{words[0]}" if stop is None else f"{words[0]}_to_{_bound_word(stop)}"


def _bound_word(bound: Any) -> str:
    return "0" if bound is None else str(bound).replace("-", "minus_")


slice_op = linear(
    "slice",
    "x",
    _slice_type,
    lambda g, x, *, index: place_op(g, shape=x.shape, index=index),
    attrs={"index": ...},
    properties="view",
    suffix=lambda node: index_word(node.attrs["index"]),
    numpy=lambda x, node: f"{x.atom}[{slice_text(node.attrs['index'])}]",
    axes="slice",
    latex=r"{x}_{{[{index}]}}",
    cost=0.0,
    doc="The entries of slices along the axes, or at one place of an axis.",
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
    numpy=lambda x, node: f"_place({x}, {dims_text(node.shape)}, np.s_[{slice_text(node.attrs['index'])}])",
    helpers=("_place",),
    axes="place",
    latex=r"\operatorname{{place}}({x})",
    cost=0.3,
    doc="Zeros of a shape, with values in a slice, or at one place of an axis.",
)


def getitem(x: Node, index: Any) -> Node:
    """``x[index]`` with ints, slices, ``None``, ``...``, integer arrays or nodes, and constant masks, as in NumPy.

    Raises:
        ShapeError: an index out of range, or a slice of a named size that is not known until run time.
        ArgumentError: a mask whose count is only known at run time.
    """
    from graphc.ops.gather import is_array, pick, plain_parts

    parts = plain_parts(index)
    used = sum(p is not None and p is not Ellipsis for p in parts)
    if used > x.ndim:
        raise ShapeError(
            f"{used} indices for {x.ndim} axes{in_layer()}",
            given=f"{describe(x, 'x')}: {x.type}",
            where=here(),
            fix="leave some out, or reshape first",
        )
    if not any(p is Ellipsis for p in parts):
        parts.append(Ellipsis)
    at = next(i for i, p in enumerate(parts) if p is Ellipsis)
    parts[at : at + 1] = [builtins.slice(None)] * (x.ndim - used)
    return pick(x, parts) if any(map(is_array, parts)) else apply_index(x, parts)


def apply_index(x: Node, parts: list[Any]) -> Node:
    """``x`` at ints, slices and ``None``, one for each axis that it has or gets."""
    index = [_axis_part(part) for part in parts if part is not None]
    while index and index[-1] == WHOLE:
        index.pop()
    if index:
        x = slice_op(x, index=tuple(index))
    axis = 0
    for part in parts:
        if part is None:
            x = expand_dims(x, axis)
        if part is None or isinstance(part, builtins.slice):
            axis += 1
    return x


def _axis_part(part: Any) -> Any:
    """What an index says of one axis: three bounds, or an int."""
    if isinstance(part, builtins.slice):
        values = tuple(
            v if v is None or isinstance(v, Size) else v.__index__()
            for v in (part.start, part.stop, part.step)
        )
        if values[2] == 0:
            raise ShapeError("the step of a slice is zero")
        return values
    if isinstance(part, bool) or not hasattr(part, "__index__"):
        raise ArgumentError(
            "an index is an int, a slice, None, ... or an integer node", given=repr(part)[:60]
        )
    return int(part.__index__())


# -- joining ------------------------------------------------------------------------------------------------------


def _around(x: Type, axis: int) -> Shape:
    """The shape without an axis."""
    return x.shape[:axis] + x.shape[axis + 1 :]


def _concat_type(*types: Type, axis: int) -> Type:
    first = types[0]
    for t in types:
        if (t.dtype, t.ndim) != (first.dtype, first.ndim) or _around(t, axis) != _around(first, axis):
            raise ShapeError(
                f"{first} and {t} cannot be joined along axis {axis}",
                expected="one dtype, and equal sizes on the other axes",
                fix="join them along the axis on which they differ, or reshape one of them",
            )
    total = _total([t.shape[axis] for t in types])
    return Type(first.dtype, (*first.shape[:axis], total, *first.shape[axis + 1 :]))


def _concat_part(g: Node, *parts: Node, axis: int, operand: int) -> Node:
    sizes = [p.shape[axis] for p in parts]
    start, after = _total(sizes[:operand]), _total(sizes[operand + 1 :])
    stop = start + sizes[operand] if isinstance(after, Size) else -after
    node: Node = slice_op(g, index=((None, None, None),) * axis + ((start or None, stop or None, None),))
    return node


def _total(sizes: Sequence[Dim]) -> Dim:
    total: Dim = 0
    for part in sizes:
        total = total + part
    return total


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
    into=lambda operands, out, node, hoist: [
        f"np.concatenate([{', '.join(operands)}], axis={node.attrs['axis']}, out={out})"
    ],
    axes="join",
    latex=r"[{xs}]",
    cost=0.2,
    properties="moves",
)


def concat(xs: Sequence[Node], axis: int = 0) -> Node:
    """Joined along an existing axis.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> gx.compile(gx.concat([x, 2 * x]))([1.0, 2.0])
        array([1., 2., 2., 4.], dtype=float32)
    """
    if not xs:
        raise ArgumentError("concat needs at least one node")
    node: Node = concat_op(*xs, axis=normal_axis(axis, xs[0].ndim))
    return node


def _with_ones_type(x: Type, *, axis: int) -> Type:
    along(x, axis=axis)
    return Type(x.dtype, tuple(d + 1 if a == axis else d for a, d in enumerate(x.shape)))


def _with_ones_body(x: Node, *, axis: int) -> Node:
    shape = tuple(1 if a == axis else d for a, d in enumerate(x.shape))
    node: Node = concat_op(x, broadcast_to(constant(1, x.dtype), shape), axis=axis)
    return node


def _ones_text(x: Any, node: Node) -> str:
    given, axis = node.inputs[0], node.attrs["axis"]
    sizes = ["1" if a == axis else f"{x.atom}.shape[{a}]" for a in range(given.ndim)]
    shape = f"({', '.join(sizes)})" if len(sizes) > 1 else sizes[0]
    dtype = f"{node.dtype}{'_' if node.dtype == 'bool' else ''}"
    return f"np.concatenate([{x}, np.ones({shape}, np.{dtype})], axis={axis})"


def _ones_into(operands: Any, out: str, node: Node, hoist: Any) -> list[str]:
    before = ":, " * node.attrs["axis"]
    part, ones = hoist(f"{out}[{before}:-1]", f"{out}_part"), hoist(f"{out}[{before}-1:]", f"{out}_last")
    return [f"{ones}.fill(1)", f"np.copyto({part}, {operands[0]})"]


with_ones = Op(
    "with_ones",
    "composite",
    ("x",),
    _with_ones_type,
    attrs={"axis": 0},
    coerce=promoted,
    body=_with_ones_body,
    numpy=_ones_text,
    into=_ones_into,
    noun="with_ones",
    latex=r"[{x}, 1]",
    cost=0.2,
    properties=frozenset({"with_ones"}),
    doc="One more entry along an axis, which is 1: a product with it adds a bias.",
)


CARDS = (slice_op, place_op, concat_op, with_ones)
