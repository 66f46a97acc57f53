"""Ranges by parts: a pointwise formula of one value, bounded piece by piece.

Interval arithmetic forgets that the factors of ``x² exp(-x²)`` are of one ``x``: over all numbers it finds [0, inf].
Over short pieces of the line it loses little, so the union of the pieces' ranges is close to the truth. Every piece is
bounded with outward rounding, and the pieces cover the extended reals, so what is found is proved; a nan among the
values stays possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from graphc.ir.node import Node, toposort
from graphc.rewrite.facts import Facts, facts_of, pointwise_facts
from graphc.rewrite.intervals import INF, TRUTH, Interval

MAX_NODES = 32
"""Of a region that is bounded by parts."""

MAX_PIECES = 400

_SIZES = (1e-4, *(2.0**k for k in range(-6, 8)), 1e4, 1e9, 1e18, 1e37, 1e150, INF)
EDGES = (*(-x for x in reversed(_SIZES)), 0.0, *_SIZES)
"""Where the line is cut to begin with; pieces that say too little are halved."""


def within(node: Node, low: float, high: float) -> bool:
    """Whether the numbers among a value's elements all lie from ``low`` to ``high``: at once, or shown by parts.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> within(gx.square(x) * gx.exp(-gx.square(x)), 0, 1.5), within(gx.square(x), 0, 1e9)
        (True, False)
    """
    known = facts_of(node).range
    if low <= known.low and known.high <= high:
        return True
    region = _region(node)
    return region is not None and _by_parts(*region, low, high)


def _region(node: Node) -> tuple[list[Node], Node] | None:
    """A value from which alone another is computed, element by element, and the nodes between, operands first."""
    cone = _pointwise_cone(node)
    for variable in [*_outside(cone), *cone[:-1]]:
        inside = _between(variable, cone)
        if inside and _outside(inside) == [variable]:
            return inside, variable
    return None


def _pointwise_cone(node: Node) -> list[Node]:
    """The pointwise nodes below one, itself the last; no more than fit a region, the nearest first."""
    found, queue = {node: None}, [node]
    for each in queue:
        for x in each.inputs:
            if x not in found and x.op.kind == "pointwise" and len(found) < MAX_NODES:
                found[x] = None
                queue.append(x)
    order = {n: i for i, n in enumerate(toposort([node]))}
    return sorted(found, key=order.__getitem__) if node.op.kind == "pointwise" else []


def _between(variable: Node, cone: Sequence[Node]) -> list[Node]:
    """The part of a cone that is computed from a variable when nothing below that is opened."""
    wanted = {cone[-1]} if cone else set()
    for node in reversed(cone):
        if node in wanted and node is not variable:
            wanted.update(x for x in node.inputs if x is not variable)
    return [n for n in cone if n in wanted and n is not variable]


def _outside(inside: Sequence[Node]) -> list[Node]:
    members = {*inside}
    found = dict.fromkeys(x for n in inside for x in n.inputs if x not in members and x.op.role != "const")
    return list(found)


def _by_parts(inside: Sequence[Node], variable: Node, low: float, high: float) -> bool:
    whole = facts_of(variable).range
    pieces = [(max(a, whole.low), min(b, whole.high)) for a, b in pairwise(EDGES)]
    queue = [(a, b) for a, b in pieces if a <= b]
    for a, b in queue:
        found = _range(inside, variable, Interval(a, b, False))
        if low <= found.low and found.high <= high:
            continue
        middle = _middle(a, b)
        if middle is None or len(queue) > MAX_PIECES:
            return False
        queue += [(a, middle), (middle, b)]
    return True


def _middle(a: float, b: float) -> float | None:
    """Between two ends, by size where one is much larger; None where a piece is a point, or endless."""
    if INF in (-a, b) or b - a <= 1e-9 * max(abs(a), abs(b)):
        return None
    return (a + b) / 2


def _range(inside: Sequence[Node], variable: Node, piece: Interval) -> Interval:
    """What the last of some nodes can be while the variable is in a piece."""
    known: dict[Node, Facts] = {variable: Facts(piece)}
    for node in inside:
        operands = [known[x] if x in known else facts_of(x) for x in node.inputs]
        known[node] = Facts(TRUTH) if node.dtype == "bool" else pointwise_facts(node, operands)
    return known[inside[-1]].range
