"""The batch as the last axis: windows that slide over images are then long runs of memory.

Images are declared as (batch, channels, height, width). Between cards that slide windows they are stored as
(channels, height, width, batch), so that the columns of a convolution are copied in runs of a whole row of images, a
pool compares runs, and a convolution is one product of its weights with the columns. What a card does with axes stands
on the card; a value that meets one which has no such form is read through a view with the declared axes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from graphc.ir.events import Rebuilt
from graphc.ir.graph import Graph
from graphc.ir.node import Node, build, engine, rebuilt
from graphc.ir.provenance import has_origin, record_parts
from graphc.ops.shape import transpose
from graphc.planning.laid import (
    Ints,
    Laid,
    common_dims,
    copied,
    declared,
    in_order,
    laid,
    plainly,
    refined,
    regrouped,
    spread,
)
from graphc.planning.laid_products import Matrices, product_of
from graphc.planning.laid_windows import fold_of, largest_parts, reduced, windows_of, woven

LEAST = 16
"""A batch of fewer images stays in front."""


def batch_last(graph: Graph) -> Graph:
    """The same outputs; what lies between windows is computed with the batch as the last axis."""
    if not any(n.op.axes in ("windows", "fold") for n in graph.nodes):
        return graph
    layout = _Layout()
    with engine():
        for node in graph.nodes:
            layout.add(node)
        return graph.over({x: layout.plain(x) for x in graph.roots})


class _Layout:
    """What each node of a graph became: a node with the declared axes, or a value that is laid otherwise."""

    def __init__(self) -> None:
        self.nodes: dict[Node, Node] = {}
        self.values: dict[Node, Laid] = {}
        self.matrices = Matrices()
        self.parts: dict[Node, Sequence[Node]] = {}

    def add(self, node: Node) -> None:
        """Compute a node; operands are there."""
        value = self._laid(node)
        if value is None:
            if node.op.axes != "first":  # computed where somebody asks for it
                self.plain(node)
            return
        self.values[node] = value
        made = value.node
        while "view" in made.op.properties and not has_origin(made):
            made = made.inputs[0]
        if not has_origin(made):
            _explain(made, node)

    def plain(self, node: Node) -> Node:
        """The node with the declared axes."""
        if node not in self.nodes:
            value = self.values.get(node)
            if value is not None:
                made = self.nodes[node] = declared(value)
                _explain(made, node)
            else:
                self.nodes[node] = rebuilt(node, [self.plain(x) for x in node.inputs])
        return self.nodes[node]

    # -- what a card does with axes ------------------------------------------------------------------------------

    def _laid(self, node: Node) -> Laid | None:
        kind = "each" if node.op.kind == "pointwise" else node.op.axes
        rule = _RULES.get(kind or "")
        if rule is None or not (kind in ("windows", "fold") or any(map(self._known, node.inputs))):
            return None
        return rule(self, node)

    def _known(self, node: Node) -> bool:
        return node in self.values or (node.op.axes == "first" and node.inputs[0] in self.values)

    def seen(self, node: Node) -> Laid:
        """A node as a value: views of a leaf are followed back, so that they cost nothing."""
        if node in self.values:
            return self.values[node]
        chain: list[Node] = []
        whole = self.plain(node)
        while whole.op.axes in ("regroup", "permute"):
            chain.append(whole)
            whole = whole.inputs[0]
        value: Laid | None = plainly(whole)
        for view in reversed(chain):
            value = _viewed(view, value) if value is not None else None
        return value if value is not None else plainly(self.plain(node), "view" not in node.op.properties)

    def entered(self, node: Node, axis: int = 0) -> Laid:
        """A node with the batch as its last axis: a copy where it is not laid so already."""
        value = self.values.get(node)
        if value is not None and value.batch >= 0:
            return value
        swapped = self._swapped(node) if axis == 0 else None
        if swapped is not None:
            return swapped
        order = (*(i for i in range(node.ndim) if i != axis), axis)
        stored = copied(transpose(self.plain(node), order))
        _explain(stored, node)
        places = [(order.index(i),) for i in range(node.ndim)]
        return laid(stored, places, node.ndim - 1)

    def _swapped(self, node: Node) -> Laid | None:
        """Of a product of matrices that nobody has to turn round: it is made the other way round."""
        source = self.plain(node)
        while source.op.axes == "regroup":
            source = source.inputs[0]
        if source.op.axes != "product" or source.ndim != 2 or source.shape[0] != node.shape[0]:
            return None
        a, b = (transpose(x) for x in source.inputs)
        stored = build(source.op, (b, a), source.attrs)
        _explain(stored, source)
        return regrouped(laid(stored, [(1,), (0,)], 1), node.shape)

    def each(self, node: Node) -> Laid | None:
        """Element by element: all operands as views in the order of the one that has the whole shape."""
        if node.op.formula == "x * y" and any(x.op.axes == "first" for x in node.inputs):
            return self._chosen(node)
        lead = next((v for x in node.inputs if (v := self._batched(x)) and x.shape == node.shape), None)
        if lead is None:
            return None
        found = self._together(lead, node.inputs)
        if found is None:
            return None
        parts, views, batch = found
        new = build(node.op, views, node.attrs)
        return _of_parts(new, parts, node.ndim, batch)

    def _batched(self, node: Node) -> Laid | None:
        value = self.values.get(node)
        return value if value is not None and value.batch >= 0 else None

    def _together(
        self, lead: Laid, nodes: Sequence[Node]
    ) -> tuple[list[tuple[int, int]], list[Node], int] | None:
        """Parts of axes as a result is stored, operands as views that broadcast with it, the place of the batch."""
        ndim = len(lead.axes)
        home = lead.place_of(lead.batch)
        if lead.axes[home] != (lead.batch,):
            return None
        values = [self._with_batch(x, home - (ndim - x.ndim)) for x in nodes]
        for i in range(ndim):
            refined_all = _refined_alike([lead, *values], i, ndim)
            if refined_all is None:
                return None
            lead, *values = refined_all
        order = sorted(lead.used) if lead.solid else [p for p in lead.used if p != lead.batch]
        order = [p for p in order if p != lead.batch] + [lead.batch]
        parts = [(lead.place_of(p), lead.axes[lead.place_of(p)].index(p)) for p in order]
        return parts, [spread(v, parts, ndim) for v in values], len(parts) - 1

    def _with_batch(self, node: Node, axis: int) -> Laid:
        """An operand; one that has the batch as this axis gets it as its last."""
        if self._batched(node) or axis < 0 or node.shape[axis] == 1:
            return self.seen(node)
        return self.entered(node, axis)

    def _chosen(self, node: Node) -> Laid | None:
        """A cotangent times the place of the largest: one part for each place in a window."""
        first = next(x for x in node.inputs if x.op.axes == "first")
        other = next((x for x in node.inputs if x is not first), None)
        windows = self._batched(first.inputs[0])
        if other is None or windows is None or windows.solid or other.shape == first.shape:
            return None
        axis = first.attrs["axis"]
        home = windows.place_of(windows.batch)
        if windows.axes[home] != (windows.batch,) or other.ndim != node.ndim or other.shape[axis] != 1:
            return None
        pair: list[Laid] | None = [windows, self._with_batch(other, home)]
        for i in range(node.ndim):
            pair = _refined_alike(pair, i, node.ndim) if pair is not None and i != axis else pair
        found = largest_parts(node, pair[0], axis, pair[1], first) if pair is not None else None
        if found is None:
            return None
        value, self.parts[value.node] = found
        return value

    def view(self, node: Node) -> Laid | None:
        """Axes in another order, joined or split: nothing is done."""
        return _viewed(node, self.values[node.inputs[0]])

    def windows(self, node: Node) -> Laid | None:
        """Windows of what has the batch last."""
        x = node.inputs[0]
        if 0 in node.attrs["axis"] or not self._pays(x):
            return None
        return windows_of(node, self.entered(x))

    def fold(self, node: Node) -> Laid | None:
        """Windows added up."""
        x = node.inputs[0]
        if 0 in node.attrs["axis"] or node.ndim < 3 or not self._pays(x):
            return None
        value = self.entered(x)
        return woven(node, value, self.parts.get(value.node, ())) or fold_of(node, value)

    def _pays(self, node: Node) -> bool:
        count = node.shape[0]
        return node in self.values or (node.ndim > 2 and (not isinstance(count, int) or count >= LEAST))

    def product(self, node: Node) -> Laid | None:
        """A product of matrices in which the batch is a part of rows or of what is summed over."""
        a, b = (self.seen(x) for x in node.inputs)
        return product_of(node, a, b, self.matrices)

    def reduce(self, node: Node) -> Laid | None:
        """A sum or the largest along axes."""
        return reduced(node, self.values[node.inputs[0]])

    def broadcast(self, node: Node) -> Laid | None:
        """Repeated along new axes, which are stored in front."""
        value = self.values[node.inputs[0]]
        shift = node.ndim - len(value.axes)
        new = [
            i for i, dim in enumerate(node.shape) if dim != 1 and (i < shift or value.shape[i - shift] == 1)
        ]
        if value.batch < 0 or not all(isinstance(node.shape[i], int) for i in new):
            return None
        order = sorted(value.used)
        view = in_order(value, order)
        wide = (*(node.shape[i] for i in new), *view.shape)
        from graphc.ops.shape import broadcast_to

        places: list[Ints] = []
        for i in range(node.ndim):
            own = value.axes[i - shift] if i >= shift else ()
            places.append((new.index(i),) if i in new else tuple(len(new) + order.index(p) for p in own))
        return laid(broadcast_to(view, wide), places, len(new) + order.index(value.batch), solid=False)

    def cut(self, node: Node) -> Laid | None:
        """A slice of axes, none of them the batch."""
        value = self.values[node.inputs[0]]
        index = _stored_index(value, node.attrs["index"])
        if index is None:
            return None
        whole = (None, None, None)
        stored = [index.get(p, whole) for p in range(value.node.ndim)]
        gone = {p for p, part in index.items() if isinstance(part, int)}
        kept = [p for p in range(value.node.ndim) if p not in gone]
        given = node.attrs["index"]
        axes = [
            tuple(kept.index(p) for p in axis)
            for i, axis in enumerate(value.axes)
            if not (i < len(given) and isinstance(given[i], int))
        ]
        new = build(node.op, (value.node,), {"index": tuple(stored)})
        return laid(new, axes, kept.index(value.batch) if value.batch >= 0 else -1, solid=False)

    def place(self, node: Node) -> Laid | None:
        """Among zeros, along axes none of which is the batch."""
        value, given = self.values[node.inputs[0]], node.attrs["index"]
        if any(isinstance(part, int) for part in given) or value.batch < 0:
            return None
        index = _stored_index(value, given)
        if index is None:
            return None
        order = [p for axis in value.axes for p in axis if p != value.batch] + [value.batch]
        owner = {p: i for i, axis in enumerate(value.axes) for p in axis}
        shape = tuple(node.shape[owner[p]] if p in index else value.node.shape[p] for p in order)
        parts = tuple(index.get(p, (None, None, None)) for p in order)
        new = build(node.op, (in_order(value, order),), {"shape": shape, "index": parts})
        return laid(new, [tuple(order.index(p) for p in axis) for axis in value.axes], len(order) - 1)

    def join(self, node: Node) -> Laid | None:
        """Joined along an axis that is not the batch."""
        axis = node.attrs["axis"]
        values = [self._batched(x) for x in node.inputs]
        lead = next((v for v in values if v is not None), None)
        if lead is None or lead.place_of(lead.batch) == axis:
            return None
        home = lead.place_of(lead.batch)
        every = [self._with_batch(x, home) for x in node.inputs]
        for i in range(node.ndim):
            if i == axis:
                if any(len(v.axes[i]) != 1 for v in every):
                    return None
                continue
            alike = _refined_alike(every, i, node.ndim)
            if alike is None:
                return None
            every = alike
        lead = every[0]
        order = [p for p in lead.used if p != lead.batch] + [lead.batch]
        parts = [(lead.place_of(p), lead.axes[lead.place_of(p)].index(p)) for p in order]
        views = [spread(v, parts, node.ndim) for v in every]
        new = build(node.op, views, {"axis": parts.index((axis, 0))})
        return _of_parts(new, parts, node.ndim, len(parts) - 1)


_RULES: dict[str, Callable[[_Layout, Node], Laid | None]] = {
    "each": _Layout.each,
    "regroup": _Layout.view,
    "permute": _Layout.view,
    "windows": _Layout.windows,
    "fold": _Layout.fold,
    "product": _Layout.product,
    "reduce": _Layout.reduce,
    "broadcast": _Layout.broadcast,
    "slice": _Layout.cut,
    "place": _Layout.place,
    "join": _Layout.join,
}
"""What a card may do with axes (``Op.axes``), and what becomes of it where the batch comes last."""


def _viewed(node: Node, value: Laid) -> Laid | None:
    if node.op.axes == "permute":
        return Laid(value.node, tuple(value.axes[a] for a in node.attrs["axes"]), value.batch, value.solid)
    return regrouped(value, node.shape)


def _refined_alike(values: Sequence[Laid], axis: int, ndim: int) -> list[Laid] | None:
    """An axis made of stored axes of the same sizes in all values that have it."""
    wide = [v for v in values if axis >= ndim - len(v.axes) and v.axes[axis - (ndim - len(v.axes))]]
    dims = None
    for v in wide:
        own = v.dims(axis - (ndim - len(v.axes)))
        dims = own if dims is None else common_dims(dims, own)
        if dims is None:
            return None
    result: list[Laid] = []
    for v in values:
        new = refined(v, axis - (ndim - len(v.axes)), dims) if dims is not None and v in wide else v
        if new is None:
            return None
        result.append(new)
    return result


def _of_parts(new: Node, parts: Sequence[tuple[int, int]], ndim: int, batch: int) -> Laid:
    """A result that is stored in these parts of its axes."""
    axes = [
        tuple(at for _, at in sorted((part, at) for at, (axis, part) in enumerate(parts) if axis == i))
        for i in range(ndim)
    ]
    return laid(new, axes, batch)


def _stored_index(value: Laid, index: Sequence[object]) -> dict[int, object] | None:
    """What an index of axes says of the stored ones; None where it cuts the batch, or an axis of several parts."""
    found: dict[int, object] = {}
    for axis, part in zip(value.axes, index, strict=False):
        if part == (None, None, None):
            continue
        if len(axis) != 1 or axis[0] == value.batch:
            return None
        found[axis[0]] = part
    return found


def _explain(new: Node, old: Node) -> None:
    """Where a node in another layout comes from."""
    if new.op.kind == "leaf" or new is old:
        return
    new.about.adopt(old.about)
    event = Rebuilt(old)
    new.about.record(event)
    record_parts(new, event, ())
