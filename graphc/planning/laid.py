"""Values whose axes lie in memory in another order: which stored axes each declared axis is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphc.ir.node import Node
from graphc.ir.size import Dim, product
from graphc.ir.types import Shape
from graphc.ops.arrange import contiguous_op
from graphc.ops.shape import expand_dims_op, reshape, squeeze_op, transpose

Ints = tuple[int, ...]


@dataclass(frozen=True)
class Laid:
    """A value and the array that holds it.

    Attributes:
        node: the array.
        axes: for each axis of the value, the axes of the array that it is made of, the slowest first; one of size 1 is
            made of none.
        batch: the axis of the array that the batch is, or -1.
        solid: whether the array lies in memory in the order of its axes, without gaps.
    """

    node: Node
    axes: tuple[Ints, ...]
    batch: int = -1
    solid: bool = True

    @property
    def used(self) -> Ints:
        """The axes of the array in the order of the value; the others have size 1."""
        return tuple(p for axis in self.axes for p in axis)

    @property
    def shape(self) -> Shape:
        """The shape of the value."""
        return tuple(product(self.dims(i)) for i in range(len(self.axes)))

    def dims(self, axis: int) -> Shape:
        """The sizes of the stored axes of one axis of the value."""
        return tuple(self.node.shape[p] for p in self.axes[axis])

    def place_of(self, position: int) -> int:
        """The axis of the value that a stored axis belongs to, or -1."""
        return next((i for i, axis in enumerate(self.axes) if position in axis), -1)


def laid(node: Node, axes: Sequence[Ints], batch: int = -1, solid: bool = True) -> Laid:
    """A value in an array, axes of size 1 left out."""
    kept = tuple(tuple(p for p in axis if node.shape[p] != 1) for axis in axes)
    return Laid(node, kept, batch, solid)


def plainly(node: Node, solid: bool = True) -> Laid:
    """A value that is its own array."""
    return laid(node, [(i,) for i in range(node.ndim)], solid=solid)


def regrouped(value: Laid, shape: Shape) -> Laid | None:
    """The same elements in another shape; None where an axis would cut through a stored one that does not divide."""
    flat = value.used
    groups = _groups([value.node.shape[p] for p in flat], shape)
    if groups is None:
        return None
    parts = Laid(value.node, tuple((p,) for p in flat), value.batch, value.solid)
    for k in range(len(flat)):
        dims = tuple(d for group in groups for i, d in group if i == k)
        if len(dims) > 1:
            parts = split(parts, parts.axes[k][0], dims)
    rest = [list(axis) for axis in parts.axes]
    axes = tuple(tuple(rest[k].pop(0) for k, _ in group) for group in groups)
    return Laid(parts.node, axes, parts.batch, parts.solid)


def _groups(dims: Sequence[Dim], shape: Shape) -> list[list[tuple[int, Dim]]] | None:
    """For each size of a shape the sizes that it is made of, each with its place; one that is too long is split."""
    left = list(enumerate(dims))
    groups: list[list[tuple[int, Dim]]] = []
    for dim in shape:
        size: Dim = 1
        group: list[tuple[int, Dim]] = []
        while size != dim:
            if not left:
                return None
            k, here = left.pop(0)
            if isinstance(here, int) and isinstance(dim, int) and isinstance(size, int) and size * here > dim:
                count, rest = divmod(dim, size)
                if rest or here % count:
                    return None
                left.insert(0, (k, here // count))
                here = count
            size = size * here
            group.append((k, here))
        groups.append(group)
    return None if left else groups


def split(value: Laid, position: int, dims: Shape) -> Laid:
    """A stored axis as several."""
    shape, more = value.node.shape, len(dims) - 1
    node = reshape(value.node, (*shape[:position], *dims, *shape[position + 1 :]))

    def moved(p: int) -> Ints:
        if p == position:
            return tuple(range(p, p + more + 1))
        return (p if p < position else p + more,)

    axes = tuple(tuple(q for p in axis for q in moved(p)) for axis in value.axes)
    batch = value.batch if value.batch <= position else value.batch + more
    return Laid(node, axes, batch, value.solid)


def refined(value: Laid, axis: int, dims: Shape) -> Laid | None:
    """The same value, an axis of which is made of stored axes of these sizes; None where it cannot be."""
    if value.dims(axis) == dims:
        return value
    shape = (*value.shape[:axis], *dims, *value.shape[axis + 1 :])
    finer = regrouped(value, shape)
    if finer is None or any(len(a) > 1 for a in finer.axes[axis : axis + len(dims)]):
        return None
    merged = tuple(p for a in finer.axes[axis : axis + len(dims)] for p in a)
    return Laid(
        finer.node,
        (*finer.axes[:axis], merged, *finer.axes[axis + len(dims) :]),
        finer.batch,
        finer.solid,
    )


def common_dims(a: Shape, b: Shape) -> Shape | None:
    """Sizes into which two factorings of one size can both be split."""
    found: list[Dim] = []
    left, right = list(a), list(b)
    while left and right:
        m, n = left.pop(0), right.pop(0)
        if m == n:
            found.append(m)
        elif not isinstance(m, int) or not isinstance(n, int):
            return None
        elif m > n and m % n == 0:
            found.append(n)
            left.insert(0, m // n)
        elif n > m and n % m == 0:
            found.append(m)
            right.insert(0, n // m)
        else:
            return None
    return tuple(found) if not left and not right else None


def in_order(value: Laid, order: Sequence[int]) -> Node:
    """The stored array with these axes, which are all that are used, in this order: a view."""
    return _with_ones(value, order)


def _with_ones(value: Laid, places: Sequence[int | None]) -> Node:
    """Stored axes, all that are used, in this order, with axes of size 1 where there is none: a view."""
    order = [p for p in places if p is not None]
    if value.solid and order == sorted(order):
        shape = tuple(1 if p is None else value.node.shape[p] for p in places)
        return value.node if value.node.shape == shape else reshape(value.node, shape)
    rest = [p for p in range(value.node.ndim) if p not in order]
    node = value.node
    if tuple(rest) + tuple(order) != tuple(range(node.ndim)):
        node = transpose(node, (*rest, *order))
    for _ in rest:
        node = squeeze_op(node, axis=0)
    for at, p in enumerate(places):
        if p is None:
            node = expand_dims_op(node, axis=at)
    return node


def copied(node: Node) -> Node:
    """A view in an array of its own."""
    copy: Node = contiguous_op(node)
    return copy


def declared(value: Laid) -> Node:
    """The value with its declared axes: a view where each is a run of stored axes, else a copy."""
    value = _merged(value)
    if all(len(axis) <= 1 for axis in value.axes):
        return _with_ones(value, [axis[0] if axis else None for axis in value.axes])
    return reshape(copied(in_order(value, value.used)), value.shape)


def _merged(value: Laid) -> Laid:
    """Stored axes that follow one another in an axis of the value as one, where the array has no gaps."""
    if not value.solid or all(len(axis) <= 1 for axis in value.axes):
        return value
    value = plain_order(value)
    for i, axis in enumerate(value.axes):
        if list(axis) != list(range(axis[0], axis[0] + len(axis)) if axis else ()):
            continue
        if len(axis) > 1:
            value = _joined(value, i)
    return value


def _joined(value: Laid, at: int) -> Laid:
    first, count = value.axes[at][0], len(value.axes[at])
    shape = value.node.shape
    node = reshape(value.node, (*shape[:first], product(value.dims(at)), *shape[first + count :]))

    def moved(p: int) -> int:
        return p if p <= first else p - count + 1

    axes = tuple((first,) if i == at else tuple(map(moved, axis)) for i, axis in enumerate(value.axes))
    return Laid(node, axes, -1, value.solid)


def plain_order(value: Laid) -> Laid:
    """Without the stored axes of size 1."""
    used = sorted(value.used)
    if len(used) == value.node.ndim:
        return value
    node = in_order(value, used)
    axes = tuple(tuple(used.index(p) for p in axis) for axis in value.axes)
    batch = used.index(value.batch) if value.batch in used else -1
    return Laid(node, axes, batch, value.solid)


def explicit(value: Laid, order: Sequence[int]) -> Node | None:
    """A view with these axes of the value, each made of one stored axis at most, in this order."""
    if any(len(value.axes[i]) > 1 for i in order):
        return None
    return _with_ones(value, [value.axes[i][0] if value.axes[i] else None for i in order])


def spread(value: Laid, parts: Sequence[tuple[int, int]], ndim: int) -> Node:
    """A view that broadcasts with an array of these parts: an axis of ``ndim``, and which part of it."""
    shift = ndim - len(value.axes)
    places: list[int | None] = []
    for axis, part in parts:
        own = value.axes[axis - shift] if axis >= shift else ()
        places.append(own[part] if own else None)
    while places and places[0] is None:
        places.pop(0)
    return _with_ones(value, places)
