"""Terms: what stands between a node and the values that have names."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence

from graphc.ir.node import Node
from graphc.render.boxes import MAX_TERMS, Boxes
from graphc.render.maths import Math, leaf_math, node_math, operator, row
from graphc.render.notation import ADD


def expanded(term: Node, names: Mapping[Node, Math]) -> tuple[Math, tuple[Node, ...]]:
    """A term over named values, written out, and the names that it uses."""
    written: dict[Node, Math] = {}
    used: dict[Node, None] = {}
    for node in between(term, names):
        written[node] = leaf_math(node) or node_math(node, [names.get(x) or written[x] for x in node.inputs])
        used.update(dict.fromkeys(x for x in node.inputs if x in names))
    if term in names:
        return names[term], (term,)
    return written[term], tuple(used)


def box_formula(node: Node, names: Mapping[Node, Math], boxes: Boxes) -> Math:
    """What stands in a box: of a gradient that was added up over many uses, the first term and the last."""
    sums = boxes.sums
    written: dict[Node, Math] = {}
    for term in between(node, names):
        operands = [
            names.get(x) or written[x] for x in sums.get(term, term.inputs) if x in names or x in written
        ]
        if term in boxes.silent:
            written[term] = operands[0]
        else:
            written[term] = _sum(operands) if term in sums else leaf_math(term) or node_math(term, operands)
    return written[node]


def _sum(terms: Sequence[Math]) -> Math:
    """At most ``MAX_TERMS`` terms are written out."""
    shown = terms if len(terms) <= MAX_TERMS else [terms[0], operator("…"), terms[-1]]
    return row([x for term in shown for x in (operator("+"), term.at_least(ADD))][1:], ADD)


def between(term: Node, known: Container[Node]) -> list[Node]:
    """The nodes of a term above the values that are known, operands first (iterative)."""
    order: list[Node] = []
    seen: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(term, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif node not in known and node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((x, False) for x in node.inputs)
    return order


class Known:
    """Where a term ends, as a test of nodes."""

    def __init__(self, test: Callable[[Node], bool]) -> None:
        self.test = test

    def __contains__(self, node: object) -> bool:
        return isinstance(node, Node) and self.test(node)


def oldest(node: Node) -> Node:
    """What a node was before any rule; of several histories the first."""
    seen = {node}
    while True:
        earlier = (getattr(e, "before", None) for e in node.about.events)
        before = next((b for b in earlier if b is not None and b not in seen and b.type == node.type), None)
        if before is None:
            return node
        seen.add(before)
        node = before
