"""Values brought back to where they were cut out: side by side they are one array, and a permutation has an inverse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from graphc.ir.node import Node
from graphc.ir.pattern import AttrVar, Var
from graphc.ir.size import Dim
from graphc.ops.arith import add
from graphc.ops.card import constant
from graphc.ops.index import scatter_add_op, take_op
from graphc.ops.shape import expand_dims_op
from graphc.ops.slices import WHOLE, concat_op, place_op, slice_op
from graphc.rewrite.rule import EXACT, HARMLESS, Match, Rule
from graphc.rewrite.rules.holes import AXIS, x

MOST_ADDENDS = 16
"""How far down a sum is looked at, so that a long one costs no more than its length."""


class _Placed(NamedTuple):
    """Values that fill a stretch of one axis, among zeros."""

    axis: int
    start: Dim
    stop: Dim
    values: Node


def _placed(node: Node) -> _Placed | None:
    """What a node places, if that is a stretch of one axis."""
    if node.op is not place_op:
        return None
    cut = [(axis, part) for axis, part in enumerate(node.attrs["index"]) if part != WHOLE]
    if len(cut) != 1:
        return None
    axis, part = cut[0]
    dim = node.shape[axis]
    if isinstance(part, int):
        start = part if part >= 0 else dim + part
        return _Placed(axis, start, start + 1, expand_dims_op(node.inputs[0], axis=axis))
    start, stop, step = part
    if step not in (None, 1):
        return None
    if isinstance(dim, int) and all(isinstance(v, int | None) for v in (start, stop)):
        start, stop, _ = slice(start, stop).indices(dim)
        return _Placed(axis, start, stop, node.inputs[0])
    first, last = (_from_front(dim, v, other) for v, other in ((start, 0), (stop, dim)))
    return _Placed(axis, first, last, node.inputs[0])


def _from_front(dim: Dim, bound: Any, absent: Dim) -> Dim:
    if bound is None:
        return absent
    place: Dim = dim + bound if isinstance(bound, int) and bound < 0 else bound
    return place


def _addends(root: Node) -> list[Node]:
    """What is added up, as far as it is looked at; stretched addends stay as they are."""
    found: list[Node] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        plain = node.op is add and all(part.shape == root.shape for part in node.inputs)
        if plain and len(found) + len(waiting) < MOST_ADDENDS:
            waiting.extend(node.inputs[::-1])
        else:
            found.append(node)
    return found


def _joined(m: Match) -> Node:
    """Stretches of one axis that meet become one; what covers the axis needs no zeros."""
    if not any(part.op is place_op for part in m.root.inputs):
        return m.root
    addends = _addends(m.root)
    placed = {i: p for i, node in enumerate(addends) if (p := _placed(node)) is not None}
    for i, first in placed.items():
        for j, second in placed.items():
            if i != j and first.axis == second.axis and first.stop == second.start:
                whole = _together(first, second, m.root)
                return _total(
                    [whole if k == min(i, j) else n for k, n in enumerate(addends) if k != max(i, j)]
                )
    return m.root


def _together(first: _Placed, second: _Placed, like: Node) -> Node:
    axis, dim = first.axis, like.shape[first.axis]
    values: Node = concat_op(*_parts(first), *_parts(second), axis=axis)
    if first.start == 0 and second.stop == dim:
        return values
    stretch = (first.start, second.stop, None)
    node: Node = place_op(values, shape=like.shape, index=(*(WHOLE,) * axis, stretch))
    return node


def _parts(placed: _Placed) -> tuple[Node, ...]:
    """Values, or what they are already joined of."""
    node = placed.values
    return node.inputs if node.op is concat_op and node.attrs["axis"] == placed.axis else (node,)


def _total(addends: Sequence[Node]) -> Node:
    total, *rest = addends
    for node in rest:
        total = add(total, node)
    return total


def _permutation(m: Match) -> str | None:
    """An index that names each place once is a permutation."""
    places = m.indices.attrs["value"].value
    dim = m.shape[m.axis]
    if places.ndim != 1 or places.size != dim or set(places.tolist()) != set(range(places.size)):
        return "the indices do not name each place once"
    return None


def _inverse(m: Match) -> Any:
    return take_op(m.x, constant(np.argsort(m.indices.attrs["value"].value)), axis=m.axis)


def _part(m: Match) -> Node | None:
    """The part of a join that a slice cuts out, or a slice of that part."""
    joined, index = m.x, m.index
    axis = joined.attrs["axis"]
    sizes = [part.shape[axis] for part in joined.inputs]
    if axis >= len(index) or not all(isinstance(n, int) for n in sizes):
        return None
    first = 0
    for part, size in zip(joined.inputs, sizes, strict=True):
        place = _within(index[axis], first, size, sum(sizes))
        if place is not None:
            return _cut(part, (*index[:axis], place, *index[axis + 1 :]))
        first += size
    return None


def _within(place: Any, first: int, size: int, whole: int) -> Any:
    """A place on an axis, counted from the beginning of a part that holds all of it; or None."""
    if isinstance(place, int):
        place = place + whole if place < 0 else place
        return place - first if first <= place < first + size else None
    start, stop, step = place
    if step not in (None, 1) or not all(isinstance(v, int | None) for v in (start, stop)):
        return None
    low, high, _ = slice(start, stop).indices(whole)
    if not first <= low < high <= first + size:
        return None
    return low - first or None, None if high == first + size else high - first, None


def _cut(part: Node, index: tuple[Any, ...]) -> Node:
    if all(place == WHOLE for place in index):
        return part
    axis = part.attrs["axis"] if part.op is expand_dims_op else None
    if axis is not None and axis < len(index) and index[axis] == 0:
        rest = (*index[:axis], *index[axis + 1 :])
        return part.inputs[0] if all(p == WHOLE for p in rest) else slice_op(part.inputs[0], index=rest)
    result: Node = slice_op(part, index=index)
    return result


RULES: tuple[Rule, ...] = (
    Rule(
        "places-joined",
        None,
        _joined,
        HARMLESS,
        phase="cost",
        cards=lambda op: op is add,
        fact="differs only in the sign of a zero",
        note="the gradients of slices that lie side by side are parts of one array",
    ),
    Rule(
        "scatter-permuted",
        scatter_add_op(x, Var("indices", lambda n: n.op.role == "const"), shape=AttrVar("shape"), axis=AXIS),
        _inverse,
        HARMLESS,
        phase="cost",
        when=_permutation,
        fact="differs only in the sign of a zero",
        note="no two values meet, so the look-up is only turned round",
    ),
    Rule(
        "slice-concat",
        slice_op(Var("x", lambda node: node.op is concat_op), index=AttrVar("index")),
        _part,
        EXACT,
        note="what was joined is there still",
    ),
)
