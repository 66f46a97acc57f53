"""The plan of a program: its nodes in the order in which they are computed, split into forward, backward and update."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from graphc.ir.graph import Graph
from graphc.ir.node import Node

PHASES = ("forward", "backward", "update")


@dataclass(frozen=True, eq=False)
class Plan:
    """A lowered graph and the order of its nodes.

    Attributes:
        graph: a graph in which every card has code.
        order: the nodes that need a computation, operands first.
        phase: for each node, ``forward``, ``backward`` or ``update``.
        layout: ``fresh``: each value in an array of its own.
    """

    graph: Graph
    order: tuple[Node, ...]
    phase: dict[Node, str]
    layout: str = "fresh"

    def of_phase(self, phase: str) -> tuple[Node, ...]:
        """The nodes of one phase, in order."""
        return tuple(n for n in self.order if self.phase[n] == phase)


def make_plan(graph: Graph, gradients: Sequence[Node] = ()) -> Plan:
    """Order a lowered graph: what leads to the shallow outputs first, so each layer's gradients stay together.

    Args:
        graph: lowered.
        gradients: the outputs that are gradients; what only they need is the backward phase, and what only the
            updates need is the update phase.
    """
    order = tuple(n for n in ordered(graph.roots) if n.op.role in (None, "random", "update"))
    reached = set(gradients)
    forward = set(ordered([x for x in graph.outputs if x not in reached]))
    states = [value for leaf, value in graph.updates if leaf.op.role == "state" and value not in forward]
    if gradients:
        backward = set(ordered(gradients)) - forward
        forward |= set(ordered([v for v in states if not (set(ordered([v])) & backward)]))
        phase = {n: "forward" if n in forward else "backward" if n in backward else "update" for n in order}
    else:
        phase = dict.fromkeys(order, "forward")
    return Plan(graph, order, phase)


def depths(nodes: Iterable[Node]) -> dict[Node, int]:
    """The length of the longest path from a leaf to each node; operands come first in ``nodes``."""
    depth: dict[Node, int] = {}
    for node in nodes:
        depth[node] = 1 + max((depth[x] for x in node.inputs), default=-1)
    return depth


def ordered(roots: Sequence[Node]) -> list[Node]:
    """Operands first; shallow roots before deep ones, deep operands before shallow ones (iterative)."""
    from graphc.ir.node import toposort

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
