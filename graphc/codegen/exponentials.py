"""Exponentials of rows and their sums in the planned layout: without a shift, unless a sum turns out extreme.

The largest of a row is taken off so that no exponential overflows, and it cancels. Reading the row once more for it
costs as much as the rest, and rows that need it are rare: so the exponentials are taken first, and again where a sum
says so, before anything else has read them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphc.ir.node import Node
from graphc.ops.arith import subtract
from graphc.ops.math import exp

LONGEST_ROW = 8192
"""So many positive numbers lose no digits by being added one after the other, in as many sums as BLAS has."""

LEAST_ROW = 32
"""From so many elements on, a row is worth it: each sum is looked at twice."""


@dataclass(frozen=True)
class Exponentials:
    """What is computed by one call: ``e = exp(x - shift)`` and ``total``, its sums; ``shifted`` is ``x - shift``."""

    x: Node
    shift: Node
    shifted: Node
    e: Node
    total: Node


def exponentials(
    nodes: Sequence[Node], users: Mapping[Node, Sequence[Node]], written: Collection[Node]
) -> dict[Node, Exponentials]:
    """Those among nodes, by their sums; what a call writes must have an array."""
    found = (_from_shift(n, users, written) for n in nodes if "shift" in n.op.properties)
    return {each.total: each for each in found if each is not None}


def _from_shift(
    shift: Node, users: Mapping[Node, Sequence[Node]], written: Collection[Node]
) -> Exponentials | None:
    x, axis = shift.inputs[0], shift.attrs["axis"]
    length = x.shape[axis]
    if not shift.attrs["keepdims"] or (isinstance(length, int) and length < LEAST_ROW):
        return None
    shifted = _one(n for n in users.get(shift, ()) if n.op is subtract and n.inputs == (x, shift))
    e = None if shifted is None else _one(n for n in users[shifted] if n.op is exp)
    total = None if e is None else _one(n for n in users[e] if _sums(n, axis))
    if shifted is None or e is None or total is None or not {shift, e, total} <= set(written):
        return None
    return Exponentials(x, shift, shifted, e, total)


def _one(nodes: Iterable[Node]) -> Node | None:
    found = list(dict.fromkeys(nodes))
    return found[0] if len(found) == 1 else None


def _sums(node: Node, axis: int) -> bool:
    return "sums" in node.op.properties and node.attrs["axis"] == (axis,) and bool(node.attrs["keepdims"])


def together(
    nodes: Sequence[Node], found: Mapping[Node, Exponentials], users: Mapping[Node, Sequence[Node]]
) -> Iterator[Node]:
    """The nodes in an order in which what is computed by one call stands together, where the first of it stood.

    All of it needs ``x`` alone, which is there. A difference that nothing but the exponential reads is left out.
    """
    by_shift = {each.shift: each for each in found.values()}
    moved = {n for each in found.values() for n in (each.shifted, each.e, each.total)}
    for node in nodes:
        if node in by_shift:
            each = by_shift[node]
            yield from (node, each.e, each.total)
            if any(user is not each.e for user in users[each.shifted]):
                yield each.shifted
        elif node not in moved:
            yield node


def call(each: Exponentials, texts: Mapping[Node, str], ones: str | None) -> str:
    """The line that computes them."""
    axis = each.shift.attrs["axis"]
    names = [texts[n] for n in (each.x, each.e, each.total, each.shift)]
    return f"{HELPER}({', '.join([*names, str(axis), *([ones] if ones else [])])})"


HELPER = "_exponentials"
"""What a listing calls."""


def ones_of(each: Exponentials) -> str | None:
    """What the sums are products with: a row or a column of ones, where the exponentials are a matrix."""
    length = each.x.shape[each.shift.attrs["axis"]]
    if each.x.ndim != 2 or not isinstance(length, int) or length > LONGEST_ROW:
        return None
    shape = (length, 1) if each.shift.attrs["axis"] == 1 else (1, length)
    return f"np.ones({shape}, np.{each.x.dtype})"
