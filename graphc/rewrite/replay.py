"""Replaying a trace: from the first graph, by one replacement after the other, to the last."""

from __future__ import annotations

from collections.abc import Iterator

from graphc.ir.events import Event
from graphc.ir.graph import Graph
from graphc.ir.node import Node, build
from graphc.ir.provenance import replaced_by
from graphc.ir.walk import deep_toposort, mapped_attr
from graphc.rewrite.driver import Trace


def replay(graph: Graph, trace: Trace) -> Graph:
    """The graph that the events of a trace lead to.

    Args:
        graph: the graph that the passes began with.
        trace: what they recorded.

    Example:
        >>> import graphc as gx
        >>> from graphc.rewrite.driver import Trace
        >>> trace, declared = Trace(), gx.graph_of(gx.log(1 + gx.input("x", ("n",))))
        >>> simplified = gx.simplify(declared, trace=trace)
        >>> replay(declared, trace).roots == simplified.roots
        True
    """
    last = graph
    for _, after in steps(graph, trace):
        last = after
    return last


def steps(graph: Graph, trace: Trace) -> Iterator[tuple[Event, Graph]]:
    """The graph after each event that changes it: the node that was replaced is replaced wherever it stands."""
    present = set(deep_toposort(graph.roots))
    for after, event in trace.events:
        before = replaced_by(event)
        if before is None or before is after or before not in present:
            continue
        graph = graph.over(_replaced(graph, before, after))
        present = set(deep_toposort(graph.roots))
        yield event, graph


def _replaced(graph: Graph, before: Node, after: Node) -> dict[Node, Node]:
    """Every node of a graph over a replacement, in the bodies of its loops and choices as well."""
    mapping = {before: after}
    for node in deep_toposort(graph.roots):
        if node not in mapping:
            mapping[node] = _over(node, mapping)
    return mapping


def _over(node: Node, mapping: dict[Node, Node]) -> Node:
    inputs = [mapping[x] for x in node.inputs]
    bodies = {key: mapped_attr(node.attrs[key], mapping) for key in node.op.bodies}
    changed = any(bodies[key] != node.attrs[key] for key in bodies)
    if not changed and all(a is b for a, b in zip(inputs, node.inputs, strict=True)):
        return node
    return build(node.op, inputs, {**node.attrs, **bodies})
