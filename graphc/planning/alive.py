"""The least memory that an order of computations can do with: what is alive at its worst moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphc.ir.node import Node
from graphc.ir.size import evaluate
from graphc.planning.work import size_in_bytes


def alive_peak(
    order: Sequence[Node], roots: Sequence[Node], sizes: Mapping[str, int], counted: bool = False
) -> int:
    """The bytes of the values that are alive together at the worst moment of an order.

    A value lives from the line that computes it to the last that reads it or a view of it; a pointwise result takes
    the place of an operand of its type that dies there. Arguments are the caller's and do not count; roots live to the
    end and count where they are ``counted``, for a step that makes new arrays for them.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", (1000,))
        >>> a, b = gx.exp(x), gx.tanh(x)
        >>> y = gx.sum(a * b)
        >>> alive_peak([a, b, a * b, y], [y], {})
        8000
    """
    owner = owners(order)
    last: dict[Node, int] = {}
    for at, node in enumerate(order):
        for operand in node.inputs:
            last[owner.get(operand, operand)] = at
    mine = {n: evaluate(size_in_bytes(n), sizes) for n in order if owner[n] is n and n.op.kind != "leaf"}
    for root in (owner.get(r, r) for r in roots):
        if counted:
            last[root] = len(order)
        else:
            mine.pop(root, None)
    return _walk(order, mine, last)


def owners(order: Sequence[Node]) -> dict[Node, Node]:
    """For each node the one whose memory it lies in: a view in that of its operand."""
    owner: dict[Node, Node] = {}
    for node in order:
        view = "view" in node.op.properties and node.inputs
        owner[node] = owner.get(node.inputs[0], node.inputs[0]) if view else node
    return owner


def _walk(order: Sequence[Node], mine: Mapping[Node, int], last: Mapping[Node, int]) -> int:
    alive: dict[Node, int] = {}
    worst = 0
    for at, node in enumerate(order):
        dying = [x for x in dict.fromkeys(node.inputs) if x in alive and last[x] == at]
        if node in mine:
            reused = next((x for x in dying if x.type == node.type and node.op.kind == "pointwise"), None)
            if reused is not None:
                del alive[reused]
            alive[node] = mine[node]
        worst = max(worst, sum(alive.values()))
        for done in [x for x in alive if last.get(x, at) <= at]:
            del alive[done]
    return worst
