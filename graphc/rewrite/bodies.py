"""The graphs inside cards: what a pass does to a program, it does to the bodies of its loops and choices too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.ir.events import Event, Rebuilt
from graphc.ir.graph import Graph
from graphc.ir.node import Node, rebuilt, result_groups
from graphc.ops.bodies import with_attrs

Transform = Callable[[Graph], Graph]


Known = dict[tuple[Node, ...], tuple[Node, ...]]
"""What bodies became: one that stands in several places is transformed once."""


def everywhere(graph: Graph, transform: Transform, known: Known | None = None) -> Graph:
    """A transform of a graph, then of every body in it, bodies in bodies included."""
    known = {} if known is None else known
    return within_bodies(transform(graph), lambda body: everywhere(body, transform, known), known)


def within_bodies(graph: Graph, transform: Transform, known: Known) -> Graph:
    """A graph whose bodies are transformed."""
    if not any(n.op.bodies for n in graph.nodes):
        return graph
    mapping: dict[Node, Node] = {}
    for node in graph.nodes:
        new = rebuilt(node, [mapping[x] for x in node.inputs])
        mapping[node] = with_attrs(new, _changed(new, transform, known)) if new.op.bodies else new
    return graph if all(a is b for a, b in mapping.items()) else graph.over(mapping)


def _changed(node: Node, transform: Transform, known: Known) -> dict[str, Any]:
    """The attributes of a node, its bodies transformed as one graph, so that they go on sharing."""
    parts = [node.attrs[key] for key in node.op.bodies]
    roots = tuple(root for part in parts for root in part)
    if roots not in known:
        known[roots] = transform(Graph(roots, ("tuple", ["*"] * len(roots)))).outputs
    found = iter(known[roots])
    return {key: tuple(next(found) for _ in node.attrs[key]) for key in node.op.bodies}


Noted = list[tuple[Node, Event]]
"""What took the place of what: as in a trace."""


def tidy(graph: Graph, noted: Noted | None = None) -> Graph:
    """Loops that step through the same carries become one, and compute only what somebody reads."""
    noted = [] if noted is None else noted
    return _pruned(_merged(graph, noted), noted) if any(n.op.bodies for n in graph.nodes) else graph


def _note(before: Node, after: Node, noted: Noted) -> Node:
    if after is not before:
        noted.append((after, Rebuilt(before)))
    return after


def _merged(graph: Graph, noted: Noted) -> Graph:
    """One loop for all that have the same operands and carries: their stacks are stacked together."""
    groups: dict[Any, dict[Node, None]] = {}
    mapping: dict[Node, Node] = {}
    for node in graph.nodes:
        if "loop" in node.op.properties:
            groups.setdefault(_loop_key(node), {}).update(dict.fromkeys(node.attrs["ys"]))
    for node in graph.nodes:
        new = rebuilt(node, [mapping[x] for x in node.inputs])
        if "loop" in node.op.properties:
            new = _note(new, _with_stacks(new, tuple(groups[_loop_key(node)])), noted)
        mapping[node] = new
    return graph if all(a is b for a, b in mapping.items()) else graph.over(mapping)


def _loop_key(node: Node) -> Any:
    attrs = node.attrs
    return node.inputs, attrs["next"], attrs["over"], attrs["length"], attrs["reverse"]


def _with_stacks(node: Node, ys: tuple[Node, ...]) -> Node:
    """A result of a loop that stacks more."""
    result, carries = node.attrs["result"], len(node.attrs["next"])
    if result >= carries:
        result = carries + ys.index(node.attrs["ys"][result - carries])
    return with_attrs(node, {"ys": ys, "result": result})


def _pruned(graph: Graph, noted: Noted) -> Graph:
    """Computations without the results and operands that nobody reads."""
    groups = result_groups(graph.nodes)
    mapping: dict[Node, Node] = {}
    for node in graph.nodes:
        new = rebuilt(node, [mapping[x] for x in node.inputs])
        if node.op.slim is not None:
            new = _note(new, node.op.slim(new, sorted(x.attrs["result"] for x in groups[node])), noted)
        mapping[node] = new
    return graph if all(a is b for a, b in mapping.items()) else graph.over(mapping)
