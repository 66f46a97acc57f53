"""The plan of a program: its nodes in the order in which they are computed, split into forward, backward and update."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from graphc.ir.graph import Graph
from graphc.ir.node import Node, result_groups, toposort
from graphc.ir.provenance import chain_rule_of, gradient_of

PHASES = ("forward", "backward", "update")


@dataclass(frozen=True, eq=False)
class Plan:
    """A lowered graph and the order of its nodes.

    Attributes:
        graph: a graph in which every card has code.
        order: the nodes that need a computation, operands first.
        phase: for each node, ``forward``, ``backward`` or ``update``.
        layout: ``fresh``: each value in an array of its own; ``planned``: in buffers that are kept.
        products: whether ``planned`` may write a choice between a cotangent and 0, and sums along an axis, as products.
        reuse_outputs: whether ``planned`` returns its buffers, which the next call changes.
    """

    graph: Graph
    order: tuple[Node, ...]
    phase: dict[Node, str]
    layout: str = "fresh"
    products: bool = True
    reuse_outputs: bool = False

    def of_phase(self, phase: str) -> tuple[Node, ...]:
        """The nodes of one phase, in order."""
        return tuple(n for n in self.order if self.phase[n] == phase)


def make_plan(graph: Graph) -> Plan:
    """Order a lowered graph: forward, then backward, then updates, each with operands first.

    An output that a chain rule made is a gradient; what only gradients need is the backward phase, and what only
    next values need is the update phase (unless there is no gradient: then all of it is forward).
    """
    gradients = [x for x in graph.outputs if is_gradient(x)]
    nexts = [value for _, value in graph.updates]
    trained = _from_gradients(nexts)
    roots = {
        "forward": [x for x in graph.outputs if not is_gradient(x)] + [x for x in nexts if x not in trained],
        "backward": gradients,
        "update": nexts,
    }
    phase: dict[Node, str] = {}
    for name in PHASES:
        for node in ordered(roots[name]):
            phase.setdefault(node, name if gradients else "forward")
    _unite(phase)
    order = [n for n in phase if n.op.kind != "leaf" or n.op.role == "random"]
    return Plan(graph, tuple(_together(order)), phase)


def _unite(phase: dict[Node, str]) -> None:
    """Results of one computation come in one phase, where the first of them is due: they have the same operands."""
    for group in result_groups(list(phase)).values():
        for node in group:
            phase[node] = phase[group[0]]


def _together(order: Sequence[Node]) -> Iterator[Node]:
    """Results of one computation stand together: it reads its operands once, where the first of them is due."""
    groups = result_groups(order)
    for node in order:
        group = groups.get(node, (node,))
        if node is group[0]:
            yield from group


def _from_gradients(values: Sequence[Node]) -> set[Node]:
    """What is computed from gradients, among next values and what they need: an optimizer's are, a running mean is not.

    A count or a constant is no gradient, although a chain rule may have arrived at the same one elsewhere.
    """
    varying: set[Node] = set()
    found: set[Node] = set()
    for node in toposort(values):
        given = node.op.kind == "leaf" and node.op.role not in ("const", "size")
        if given or any(x in varying for x in node.inputs):
            varying.add(node)
            if any(x in found for x in node.inputs) or is_gradient(node):
                found.add(node)
    return found


def is_gradient(node: Node) -> bool:
    """Whether the chain rule made a node."""
    return gradient_of(node) is not None or chain_rule_of(node) is not None


def depths(nodes: Iterable[Node]) -> dict[Node, int]:
    """The length of the longest path from a leaf to each node; operands come first in ``nodes``."""
    depth: dict[Node, int] = {}
    for node in nodes:
        depth[node] = 1 + max((depth[x] for x in node.inputs), default=-1)
    return depth


def ordered(roots: Sequence[Node]) -> list[Node]:
    """Operands first; shallow roots before deep ones, deep operands before shallow ones (iterative)."""
    depth = depths(toposort(roots))
    result: list[Node] = []
    seen: set[Node] = set()
    for root in sorted(roots, key=lambda n: depth[n]):
        stack: list[tuple[Node, Iterator[Node]]] = []
        if root not in seen:
            seen.add(root)
            stack.append((root, _operands(root, depth)))
        while stack:
            node, rest = stack[-1]
            child = next((x for x in rest if x not in seen), None)
            if child is None:
                result.append(node)
                stack.pop()
            else:
                seen.add(child)
                stack.append((child, _operands(child, depth)))
    return result


def _operands(node: Node, depth: dict[Node, int]) -> Iterator[Node]:
    return iter(sorted(node.inputs, key=lambda x: -depth[x]))
