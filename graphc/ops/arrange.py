"""Values in another arrangement: axes moved, parts repeated, turned round, padded, joined and taken apart."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.node import Node, describe
from graphc.ir.op import Op
from graphc.ir.origin import here, in_layer
from graphc.ir.size import Dim, Size, floor_divide
from graphc.ir.types import Type
from graphc.ops.card import as_nodes, constant, linear, promoted
from graphc.ops.index import take
from graphc.ops.leaves import full
from graphc.ops.shape import (
    broadcast_to,
    expand_dims,
    normal_axes,
    normal_axis,
    reshape,
    transpose,
)
from graphc.ops.slices import WHOLE, concat, place_op, slice_op

# -- axes in another order ----------------------------------------------------------------------------------------


def permute_dims(x: Any, axes: Sequence[int]) -> Node:
    """The axes in another order.

    Raises:
        ShapeError: not each axis once.

    Example:
        >>> import graphc as gx
        >>> gx.permute_dims(gx.input("x", ("n", 3, 4)), (2, 0, 1)).shape
        (4, n, 3)
    """
    (x,) = as_nodes((x,))
    return transpose(x, axes)


def moveaxis(x: Any, source: Any, destination: Any) -> Node:
    """Axes moved to other places; the rest keep their order.

    Raises:
        ShapeError: there is no such axis, or one is named twice.

    Example:
        >>> import graphc as gx
        >>> gx.moveaxis(gx.input("x", ("n", 3, 4)), 0, -1).shape
        (3, 4, n)
    """
    (x,) = as_nodes((x,))
    sources, places = (_axis_list(v, x.ndim) for v in (source, destination))
    if len(sources) != len(places):
        raise ArgumentError("as many places as axes", given=f"{source}, {destination}")
    order = [a for a in range(x.ndim) if a not in sources]
    for place, axis in sorted(zip(places, sources, strict=True)):
        order.insert(place, axis)
    return transpose(x, order)


def _axis_list(axis: Any, ndim: int) -> list[int]:
    axes = [normal_axis(a, ndim) for a in (axis if isinstance(axis, (tuple, list)) else (axis,))]
    normal_axes(tuple(axes), ndim)
    return axes


def swapaxes(x: Any, axis1: int, axis2: int) -> Node:
    """Two axes exchanged.

    Example:
        >>> import graphc as gx
        >>> gx.swapaxes(gx.input("x", ("n", 3, 4)), 0, 2).shape
        (4, 3, n)
    """
    (x,) = as_nodes((x,))
    order = list(range(x.ndim))
    a, b = normal_axis(axis1, x.ndim), normal_axis(axis2, x.ndim)
    order[a], order[b] = b, a
    return transpose(x, order)


contiguous_op: Op = linear(
    "contiguous",
    "x",
    lambda x: x,
    lambda g, x: g,
    numpy=lambda x, node: f"{x.atom}.copy()",
    into="np.copyto({out}, {x})",
    noun="rows",
    latex="{x}",
    cost=0.2,
    properties="moves",
    doc="The same value in an array of its own, which lies in memory in the order of its axes.",
)


# -- turned round -------------------------------------------------------------------------------------------------


def flip(x: Any, axis: Any = None) -> Node:
    """The order of the elements reversed along axes (all by default).

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.flip(gx.const([1, 2, 3])))()
        array([3, 2, 1])
    """
    (x,) = as_nodes((x,))
    axes = normal_axes(axis, x)
    if not axes:
        return x  # type: ignore[no-any-return]
    index = tuple((None, None, -1 if a in axes else None) for a in range(axes[-1] + 1))
    node: Node = slice_op(x, index=index)
    return node


def _roll_type(x: Type, *, shift: tuple[int, ...], axis: tuple[int, ...]) -> Type:
    if len(shift) != len(axis) or any(a >= x.ndim for a in axis):
        raise ShapeError("one shift for each axis", given=f"{shift}, {axis}")
    return x


def _roll_text(x: Any, node: Node) -> str:
    shift, axis = node.attrs["shift"], node.attrs["axis"]
    return f"np.roll({x}, {shift}, {axis})" if len(axis) > 1 else f"np.roll({x}, {shift[0]}, {axis[0]})"


roll_op: Op = linear(
    "roll",
    "x",
    _roll_type,
    lambda g, x, *, shift, axis: roll_op(g, shift=tuple(-s for s in shift), axis=axis),
    attrs={"shift": ..., "axis": ...},
    numpy=_roll_text,
    latex=r"\operatorname{{roll}}({x})",
    cost=0.5,
    properties="moves",
)


def roll(x: Any, shift: Any, axis: Any = None) -> Node:
    """Moved along axes, what leaves at the end coming back at the front.

    Args:
        x: of any dtype.
        shift: an int, or one for each axis.
        axis: an axis or several; without one ``x`` is rolled as if it were flat.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.roll(gx.const([1, 2, 3]), 1))()
        array([3, 1, 2])
    """
    (x,) = as_nodes((x,))
    if axis is None:
        return reshape(roll_op(reshape(x, -1), shift=(shift.__index__(),), axis=(0,)), x.shape)
    axes = [normal_axis(a, x) for a in (axis if isinstance(axis, (tuple, list)) else (axis,))]
    shifts = shift if isinstance(shift, (tuple, list)) else (shift,) * len(axes)
    if len(shifts) != len(axes):
        raise ArgumentError("one shift for each axis", given=f"{shift}, {axis}")
    total: dict[int, int] = {}
    for a, s in zip(axes, shifts, strict=True):
        total[a] = total.get(a, 0) + s.__index__()
    node: Node = roll_op(x, shift=tuple(total[a] for a in sorted(total)), axis=tuple(sorted(total)))
    return node


# -- repeated -----------------------------------------------------------------------------------------------------


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Node:
    """Each element several times in a row.

    Args:
        x: of any dtype.
        repeats: an int, or an int for each element along the axis.
        axis: along which to repeat; without one ``x`` is taken as flat.

    Raises:
        ShapeError: other than one number for each element.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.repeat(gx.const([1, 2]), 2))()
        array([1, 1, 2, 2])
    """
    (x,) = as_nodes((x,))
    if axis is None:
        x, axis = reshape(x, -1), 0
    axis = normal_axis(axis, x)
    if hasattr(repeats, "__len__"):
        if len(repeats) != x.shape[axis]:
            raise ShapeError(f"{len(repeats)} numbers of times for a size of {x.shape[axis]}")
        return take(x, constant(np.repeat(np.arange(len(repeats)), repeats)), axis)
    count = repeats.__index__()
    wide = broadcast_to(expand_dims(x, axis + 1), (*x.shape[: axis + 1], count, *x.shape[axis + 1 :]))
    return reshape(wide, (*x.shape[:axis], x.shape[axis] * count, *x.shape[axis + 1 :]))


def tile(x: Any, repetitions: Any) -> Node:
    """The whole of ``x`` several times along each axis.

    Args:
        x: of any dtype.
        repetitions: an int for each axis, counted from the last; more of them than axes make new ones.

    Example:
        >>> import graphc as gx
        >>> gx.tile(gx.input("x", ("n", 2)), (3, 2)).shape
        (3*n, 4)
    """
    (x,) = as_nodes((x,))
    times = list(repetitions) if isinstance(repetitions, (tuple, list)) else [repetitions]
    times = [1] * (x.ndim - len(times)) + times
    dims: list[Dim] = [*[1] * (len(times) - x.ndim), *x.shape]
    thin = reshape(x, tuple(d for dim in dims for d in (1, dim)))
    wide = broadcast_to(thin, tuple(d for t, dim in zip(times, dims, strict=True) for d in (t, dim)))
    return reshape(wide, tuple(t * dim for t, dim in zip(times, dims, strict=True)))


# -- padded -------------------------------------------------------------------------------------------------------


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: float = 0) -> Node:
    """More elements before and behind, along each axis.

    Args:
        x: of any dtype.
        pad_width: an int, a pair (before, behind), or a pair for each axis.
        mode: ``constant``, ``edge``, ``reflect``, ``symmetric`` or ``wrap``, as in NumPy.
        constant_values: what to pad with.

    Raises:
        ArgumentError: another mode, or a negative width.
        ShapeError: fewer elements than are to be reflected.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.pad(gx.const([1, 2, 3]), (1, 2), mode="edge"))()
        array([1, 1, 2, 3, 3, 3])
    """
    (x,) = as_nodes((x,))
    widths = _widths(pad_width, x.ndim)
    if mode == "constant":
        return _pad_constant(x, widths, constant_values)
    if mode not in _REFLECTED:
        raise ArgumentError(f"there is no way of padding called {mode!r}", expected=", ".join(_REFLECTED))
    node: Node = x
    for axis, (before, behind) in enumerate(widths):
        if before or behind:
            node = _pad_axis(node, axis, before, behind, mode)
    return node


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    try:
        widths = np.broadcast_to(np.asarray(pad_width), (ndim, 2))
    except ValueError:
        widths = np.full((ndim, 2), -1)
    if widths.dtype.kind != "i" or (widths < 0).any():
        raise ArgumentError(
            "the width of padding is an int of at least 0, a pair, or a pair for each axis",
            given=repr(pad_width)[:60],
        )
    return [(int(a), int(b)) for a, b in widths]


def _pad_constant(x: Node, widths: Sequence[tuple[int, int]], value: Any) -> Node:
    if not any(a or b for a, b in widths):
        return x
    shape = tuple(d + (a + b) for d, (a, b) in zip(x.shape, widths, strict=True))
    if value == 0:
        index = tuple((a or None, -b if b else None, None) for a, b in widths)
        node: Node = place_op(x, shape=shape, index=index)
        return node
    for axis, ends in enumerate(widths):
        blocks = [full((*x.shape[:axis], n, *x.shape[axis + 1 :]), value, x.dtype) for n in ends]
        if any(ends):
            x = concat([p for p, n in ((blocks[0], ends[0]), (x, 1), (blocks[1], ends[1])) if n], axis)
    return x


def _pad_axis(x: Node, axis: int, before: int, behind: int, mode: str) -> Node:
    front, back = _REFLECTED[mode](before, behind)
    dim = x.shape[axis]
    if isinstance(dim, int) and any(not -dim <= i < dim for i in (*front, *back)):
        raise ShapeError(f"a size of {dim} is too small", given=f"{mode} by {before} and {behind}")
    parts = [take(x, constant(np.array(front)), axis)] if front else []
    return concat([*parts, x, *([take(x, constant(np.array(back)), axis)] if back else [])], axis)


_REFLECTED: dict[str, Any] = {
    "edge": lambda a, b: ([0] * a, [-1] * b),
    "reflect": lambda a, b: (list(range(a, 0, -1)), [-2 - i for i in range(b)]),
    "symmetric": lambda a, b: (list(range(a - 1, -1, -1)), [-1 - i for i in range(b)]),
    "wrap": lambda a, b: (list(range(-a, 0)), list(range(b))),
}
"""Mode to the places, counted from either end, of what stands before and behind."""


# -- joined and taken apart ---------------------------------------------------------------------------------------


def stack(xs: Sequence[Any], axis: int = 0) -> Node:
    """Joined along a new axis.

    Raises:
        ShapeError: values of different shapes.

    Example:
        >>> import graphc as gx
        >>> gx.stack([gx.input("x", ("n",)), gx.input("y", ("n",))], axis=1).shape
        (n, 2)
    """
    nodes = promoted(tuple(xs))
    if any(x.shape != nodes[0].shape for x in nodes):
        raise ShapeError(
            f"what is stacked has one shape{in_layer()}",
            given=", ".join(describe(x, str(x.type)) + f": {x.type}" for x in nodes),
            where=here(),
            fix="reshape them alike, or join them along an axis that they have with gx.concat",
        )
    return concat([expand_dims(x, axis) for x in nodes], normal_axis(axis, nodes[0].ndim + 1))


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Node]:
    """Parts along an axis.

    Args:
        x: of any dtype.
        indices_or_sections: into how many equal parts, or the places where parts begin.
        axis: along which to cut.

    Raises:
        ShapeError: a size that is no multiple of the number of parts.

    Example:
        >>> import graphc as gx
        >>> [p.shape for p in gx.split(gx.input("x", ("n", 6)), [2, 3], axis=1)]
        [(n, 2), (n, 1), (n, 3)]
    """
    (x,) = as_nodes((x,))
    axis = normal_axis(axis, x)
    places = _places(x.shape[axis], indices_or_sections)
    bounds = zip([None, *places], [*places, None], strict=True)
    return [x[(*[builtins.slice(None)] * axis, builtins.slice(a, b))] for a, b in bounds]


def _places(dim: Dim, given: Any) -> list[Any]:
    if not isinstance(given, Size) and not hasattr(given, "__index__"):
        return list(given)
    part = floor_divide(dim, given)
    if part * given != dim:
        raise ShapeError(
            f"the parts {'are not equal' if isinstance(dim, int) else 'are not known to be equal'}{in_layer()}",
            given=f"a size of {dim} into {given} parts",
            where=here(),
            fix="give the places to cut at, as in gx.split(x, [2, 4])",
        )
    return [part * i for i in range(1, given)]


def unstack(x: Any, axis: int = 0) -> tuple[Node, ...]:
    """The parts of size 1 along an axis, without it.

    Raises:
        ShapeError: the axis has a named size.

    Example:
        >>> import graphc as gx
        >>> len(gx.unstack(gx.input("x", ("n", 3)), axis=1))
        3
    """
    (x,) = as_nodes((x,))
    axis = normal_axis(axis, x)
    count = x.shape[axis]
    if not isinstance(count, int):
        raise ShapeError(f"into how many parts is only known at run time: {count}", given=str(x.type))
    lead = (WHOLE,) * axis
    return tuple(slice_op(x, index=(*lead, i)) for i in range(count))


CARDS = (contiguous_op, roll_op)
