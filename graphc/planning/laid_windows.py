"""Windows, pools and their gradients over values whose batch is the last axis."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from math import prod

from graphc.ir.events import Rebuilt
from graphc.ir.node import Node, build
from graphc.ir.provenance import record_parts
from graphc.ir.size import Dim, product
from graphc.ir.types import Shape
from graphc.ops.arith import subtract
from graphc.ops.compare import greater, where
from graphc.ops.shape import expand_dims, reshape
from graphc.ops.slices import concat, slice_op
from graphc.ops.windows import weave_op
from graphc.planning.laid import Laid, copied, explicit, in_order, laid

SMALL = 64
"""The largest window whose places are gone through one by one."""


def windows_of(node: Node, value: Laid) -> Laid | None:
    """Windows along axes that are stored as they are declared: a view with the places in a window as its last axes."""
    slid = node.attrs["axis"]
    home = value.place_of(value.batch)
    order = [*(i for i in range(len(value.axes)) if i != home), home]
    stored = explicit(value, order)
    if stored is None or home in slid:
        return None
    axis = tuple(order.index(a) for a in slid)
    new = build(node.op, (stored,), {**node.attrs, "axis": axis})
    axes = [(order.index(i),) for i in range(len(order))]
    places = [(len(order) + k,) for k in range(len(slid))]
    return laid(new, [*axes, *places], len(order) - 1, solid=False)


def fold_of(node: Node, value: Laid) -> Laid | None:
    """Windows added up, into an array with the batch last."""
    shape: Shape = node.shape
    slid, home = node.attrs["axis"], value.place_of(value.batch)
    if home in slid or home >= len(shape):
        return None
    order = [*(i for i in range(len(shape)) if i != home), home]
    stored = explicit(value, [*order, *range(len(shape), len(value.axes))])
    if stored is None:
        return None
    attrs = {
        **node.attrs,
        "shape": tuple(shape[i] for i in order),
        "axis": tuple(order.index(a) for a in slid),
    }
    new = build(node.op, (stored,), attrs)
    return laid(new, [(order.index(i),) for i in range(len(order))], len(order) - 1)


def woven(node: Node, value: Laid, parts: Sequence[Node]) -> Laid | None:
    """Windows side by side, of which there is an array for each place in a window; None where they are not."""
    count, window, home = node.ndim, node.attrs["window"], value.place_of(value.batch)
    places = [p for axis in value.axes[count:] for p in axis]
    apart = node.attrs["stride"] == window and set(node.attrs["dilation"]) == {1}
    if not parts or not apart or home >= count or places != list(range(len(places))):
        return None
    order = [*(i for i in range(count) if i != home), home]
    axes = tuple(tuple(p - len(places) for p in axis) for axis in value.axes[:count])
    views = [explicit(Laid(part, axes), order) for part in parts]
    if len(parts) != prod(window) or any(view is None for view in views):
        return None
    axis = tuple(order.index(a) for a in node.attrs["axis"])
    new = weave_op(*views, shape=tuple(node.shape[i] for i in order), axis=axis, window=window)
    return laid(new, [(order.index(i),) for i in range(count)], count - 1)


def reduced(node: Node, value: Laid) -> Laid | None:
    """A sum or the largest along axes, in the order in which they are stored."""
    given = node.attrs["axis"]
    axes = given if isinstance(given, tuple) else (given,)
    gone = [p for a in axes for p in value.axes[a]]
    rest = sorted(p for p in value.used if p not in gone)
    dims = [value.node.shape[p] for p in gone]
    few = all(isinstance(d, int) for d in dims) and prod(d for d in dims if isinstance(d, int)) <= SMALL
    paired = node.op.pair is not None and node.dtype == value.node.dtype
    if not gone and node.dtype == value.node.dtype:
        new, rest = value.node, list(range(value.node.ndim))
    elif not value.solid and few and paired and value.batch in rest:
        rest = batch_behind(value, gone)
        new = stages(node, value, gone, rest)[0]
    else:
        new = _reduced_rows(node, value, gone, rest)
    kept = [
        () if i in axes else tuple(rest.index(p) for p in axis)
        for i, axis in enumerate(value.axes)
        if i not in axes or node.attrs["keepdims"]
    ]
    return laid(new, kept, rest.index(value.batch) if value.batch in rest else -1, value.solid or bool(gone))


def batch_behind(value: Laid, gone: Sequence[int]) -> list[int]:
    """The other stored axes as they are declared, but for the batch, which comes last."""
    return [p for p in value.used if p not in gone and p != value.batch] + [value.batch]


def _reduced_rows(node: Node, value: Laid, gone: Sequence[int], rest: Sequence[int]) -> Node:
    """Along all of some stored axes; those that stand side by side count as one."""
    several = isinstance(node.attrs["axis"], tuple)
    stored, runs = in_order(value, sorted(value.used)), _runs([p in gone for p in sorted(value.used)])
    if not value.solid or (not several and sum(out for out, _ in runs) > 1):
        stored, runs = copied(in_order(value, [*gone, *rest])), [(True, len(gone)), (False, len(rest))]
    shape: list[Dim] = []
    at = 0
    for out, count in runs:
        part = stored.shape[at : at + count]
        shape += [product(part)] if out else part
        at += count
    axis = _axes_of(runs)
    merged = stored if stored.shape == tuple(shape) else reshape(stored, tuple(shape))
    attrs = {**node.attrs, "axis": axis if several else axis[0], "keepdims": False}
    return build(node.op, (merged,), attrs)


def _runs(marks: Sequence[bool]) -> list[tuple[bool, int]]:
    return [(mark, len(list(group))) for mark, group in groupby(marks)]


def _axes_of(runs: Sequence[tuple[bool, int]]) -> tuple[int, ...]:
    """Where the runs that go are, each as one axis among the single axes that stay."""
    axes, at = [], 0
    for out, count in runs:
        axes += [at] if out else []
        at += 1 if out else count
    return tuple(axes)


# -- windows, place by place ------------------------------------------------------------------------------------------


def at(node: Node, axis: int, place: int) -> Node:
    """A view at one place of an axis."""
    index = (*[(None, None, None)] * axis, place)
    found: Node = slice_op(node, index=index)
    return found


def stages(node: Node, value: Laid, gone: Sequence[int], rest: Sequence[int]) -> list[Node]:
    """What is left after each axis of windows is gone, the last axis first; the whole result stands in front."""
    found = [in_order(value, [*gone, *rest])]
    for axis in reversed(range(len(gone))):
        found.insert(0, running(node, found[0], axis)[-1])
    return found


def running(node: Node, stored: Node, axis: int) -> list[Node]:
    """The first place of an axis, then what comes of it with each further one."""
    assert node.op.pair is not None
    found = [at(stored, axis, 0)]
    for k in range(1, int(str(stored.shape[axis]))):
        found.append(build(node.op.pair, (found[-1], at(stored, axis, k)), {}))
    return found


def largest_parts(
    node: Node, windows: Laid, axis: int, g: Laid, largest: Node
) -> tuple[Laid, Sequence[Node]] | None:
    """A cotangent where the largest of each window stands, 0 elsewhere: for each place of a window one array.

    ``largest`` is a node of the card that finds them. Along each axis of a window the last place that is larger than
    all before it takes the cotangent: the first of equal ones, row by row.
    """
    gone = list(windows.axes[axis])
    dims = [windows.node.shape[p] for p in gone]
    if not all(isinstance(d, int) for d in dims):
        return None
    rest = batch_behind(windows, gone)
    places = [(windows.place_of(p), windows.axes[windows.place_of(p)].index(p)) for p in rest]
    if any(not g.axes[i] and windows.axes[i] for i, _ in places):
        return None
    start = in_order(g, [g.axes[i][part] for i, part in places])
    found = stages(largest, windows, gone, rest)
    parts = [start]
    for depth in range(len(gone)):
        parts = _shared(
            node, largest, found[depth + 1], depth, parts, [int(str(d)) for d in dims[: depth + 1]]
        )
    stored = concat([expand_dims(part, 0) for part in parts], 0)
    whole = reshape(stored, (*dims, *stored.shape[1:]))
    axes = [
        tuple(gone.index(p) if p in gone else len(gone) + rest.index(p) for p in own) for own in windows.axes
    ]
    return laid(whole, axes, whole.ndim - 1), parts


def _shared(
    node: Node, largest: Node, values: Node, depth: int, parts: Sequence[Node], dims: Sequence[int]
) -> list[Node]:
    """Each part shared among the places of one more axis."""
    before = running(largest, values, depth)
    masks = [greater(at(values, depth, k), before[k - 1]) for k in range(1, dims[-1])]
    found: list[Node] = []
    for path, part in zip(_paths(dims[:-1]), parts, strict=True):
        taken: list[Node] = []
        for mask in reversed(masks):
            chosen = _of(node, where(_along(mask, path), part, 0.0))
            part = _of(node, subtract(part, chosen))
            taken.insert(0, chosen)
        found += [part, *taken]
    return found


def _of(node: Node, new: Node) -> Node:
    """A part of a node, which comes from where that does."""
    event = Rebuilt(node)
    new.about.record(event)
    if not new.about.scopes:
        new.about.scopes = node.about.scopes
    record_parts(new, event, ())
    return new


def _along(node: Node, path: Sequence[int]) -> Node:
    for place in path:
        node = at(node, 0, place)
    return node


def _paths(dims: Sequence[int]) -> list[tuple[int, ...]]:
    paths: list[tuple[int, ...]] = [()]
    for d in dims:
        paths = [(*path, k) for path in paths for k in range(d)]
    return paths
