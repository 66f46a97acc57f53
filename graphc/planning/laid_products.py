"""Products of matrices whose rows, columns or sums are made of several stored axes, the batch last."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.ir.node import Node, build, hinted
from graphc.ir.size import product
from graphc.ops.shape import matrix_transpose, reshape
from graphc.planning.laid import Laid, common_dims, copied, in_order, laid, refined

Order = tuple[int, ...]


class Matrices:
    """Copies that were made of views, each in the order that a product asked for, for the next product."""

    def __init__(self) -> None:
        self.copies: dict[Node, list[tuple[Order, Node]]] = {}

    def order_of(self, value: Laid, positions: Sequence[int]) -> list[int]:
        """In which order to take some axes of which any order will do: as they are stored."""
        if value.solid:
            return sorted(positions)
        for order, _ in self.copies.get(value.node, ()):
            if set(positions) <= set(order):
                return [p for p in order if p in positions]
        return list(positions)

    def matrix(self, value: Laid, lead: Sequence[int], rows: Sequence[int], columns: Sequence[int]) -> Node:
        """The array with these groups of stored axes as its axes: a view where they stand so, or turned round."""
        for flipped, order in ((False, (*lead, *rows, *columns)), (True, (*lead, *columns, *rows))):
            stored = self._stored(value, order)
            if stored is not None:
                groups = (columns, rows) if flipped else (rows, columns)
                flat = _flat(value, stored, lead, *groups)
                return matrix_transpose(flat) if flipped else flat
        order = (*lead, *rows, *columns)
        stored = hinted(copied(in_order(value, order)), "columns")
        self.copies.setdefault(value.node, []).append((order, stored))
        return _flat(value, stored, lead, rows, columns)

    def _stored(self, value: Laid, order: Order) -> Node | None:
        if value.solid and list(order) == sorted(order):
            return in_order(value, order)
        return next((node for known, node in self.copies.get(value.node, ()) if known == order), None)


def _flat(
    value: Laid, stored: Node, lead: Sequence[int], rows: Sequence[int], columns: Sequence[int]
) -> Node:
    dims = value.node.shape
    sides = [product(tuple(dims[p] for p in group)) for group in (rows, columns)]
    shape = (*(dims[p] for p in lead), *sides)
    return stored if stored.shape == shape else reshape(stored, shape)


def product_of(node: Node, a: Laid, b: Laid, matrices: Matrices) -> Laid | None:
    """A product of matrices, the batch in the rows of one operand or in what is summed over; else None."""
    alike = _alike(a, b, len(node.inputs[0].shape) - 2)
    if alike is None:
        return None
    a, b = alike
    in_a, in_b = _side(a, "inner", -1, -2), _side(b, "inner", -2, -1)
    if (in_a, in_b) == ("other", None):
        return _with_rows(node, a, b, matrices, flipped=False)
    if (in_a, in_b) == (None, "other"):
        return _with_rows(node, _turned(b), _turned(a), matrices, flipped=True)
    if in_a == in_b == "inner":
        return _summed(node, a, _turned(b), matrices)
    return None


def _alike(a: Laid, b: Laid, leading: int) -> tuple[Laid, Laid] | None:
    """Both operands, what they share made of the same parts."""
    if len(a.axes) != len(b.axes) or a.shape[:leading] != b.shape[:leading]:
        return None
    pairs = [*((i, i) for i in range(leading)), (leading + 1, leading)]
    for i, j in pairs:
        dims = common_dims(a.dims(i), b.dims(j))
        if dims is None:
            return None
        first, second = refined(a, i, dims), refined(b, j, dims)
        if first is None or second is None:
            return None
        a, b = first, second
    return a, b


def _side(value: Laid, inner: str, inside: int, other: int) -> str | None:
    """Where the batch is: in what is summed over, with others in the rows, or nowhere; elsewhere it is in the way."""
    if value.batch < 0:
        return None
    if value.batch in value.axes[inside]:
        return inner
    alone = value.solid and len(value.axes[other]) == 1  # what was flattened: a view has the declared axes
    return "other" if value.batch in value.axes[other] and not alone else "lead"


def _turned(value: Laid) -> Laid:
    return Laid(value.node, (*value.axes[:-2], value.axes[-1], value.axes[-2]), value.batch, value.solid)


def _last(value: Laid, axis: int) -> list[int]:
    """The stored axes of an axis, the batch behind the others."""
    rest = [p for p in value.axes[axis] if p != value.batch]
    return [*rest, value.batch]


def _lead(value: Laid) -> list[int]:
    return [p for axis in value.axes[:-2] for p in axis]


def _with_rows(node: Node, a: Laid, b: Laid, matrices: Matrices, flipped: bool) -> Laid:
    """``a`` has the batch in its rows: they become the columns of the product, the weights stand on the left."""
    rows, columns = _last(a, -2), matrices.order_of(b, b.axes[-1])
    inner = matrices.order_of(b, b.axes[-2])
    steps = [b.axes[-2].index(p) for p in inner]
    left = matrices.matrix(b, _lead(b), columns, inner)
    right = matrices.matrix(a, _lead(a), [a.axes[-1][i] for i in steps], rows)
    new = build(node.op, (left, right), node.attrs)
    return _result(new, (b, b.axes[-1], columns), (a, a.axes[-2], rows), turned=not flipped, batch=True)


def _summed(node: Node, a: Laid, b: Laid, matrices: Matrices) -> Laid:
    """Both have the batch in what is summed over: the product has none. ``b`` stands the other way round."""
    rows, columns = matrices.order_of(a, a.axes[-2]), matrices.order_of(b, b.axes[-2])
    inner = _last(a, -1)
    steps = [a.axes[-1].index(p) for p in inner]
    left = matrices.matrix(a, _lead(a), rows, inner)
    right = matrices.matrix(b, _lead(b), columns, [b.axes[-1][i] for i in steps])
    new = build(node.op, (left, matrix_transpose(right)), node.attrs)
    return _result(new, (a, a.axes[-2], rows), (b, b.axes[-2], columns), turned=False, batch=False)


Side = tuple[Laid, Order, Sequence[int]]
"""An operand, the stored axes of its side, and the same as they lie in the product."""


def _result(new: Node, left: Side, right: Side, turned: bool, batch: bool) -> Laid:
    """The product in the axes of its two sides; ``turned`` where the value is its transpose."""
    lead = left[0].axes[:-2]
    dims = [left[0].node.shape[p] for axis in lead for p in axis]
    axes = [tuple(range(sum(map(len, lead[:i])), sum(map(len, lead[: i + 1])))) for i in range(len(lead))]
    sides: list[Order] = []
    for value, axis, order in (left, right):
        sides.append(tuple(len(dims) + list(order).index(p) for p in axis))
        dims += [value.node.shape[p] for p in order]
    stored = new if new.shape == tuple(dims) else reshape(new, tuple(dims))
    return laid(stored, [*axes, *(reversed(sides) if turned else sides)], len(dims) - 1 if batch else -1)
