"""Lowering: cards without code of their own become their bodies; choices by mode are made; transitions collected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace as dataclass_replace

from graphc.errors import ArgumentError, MissingRule
from graphc.ir.events import Lowered
from graphc.ir.graph import Graph
from graphc.ir.node import Node, rebuilt, substitute, toposort
from graphc.ir.walk import deep_toposort
from graphc.ops.bodies import arg
from graphc.rewrite.bodies import everywhere, tidy
from graphc.rewrite.driver import Trace, replace
from graphc.symbolic.formulas import lower_formula

MODES = ("train", "eval")
"""What a choice by mode is made for."""


def expand(graph: Graph, wanted: Callable[[Node], bool], trace: Trace | None = None) -> Graph:
    """Replace the wanted nodes by their bodies, until none is left."""
    trace = Trace() if trace is None else trace
    while any(map(wanted, graph.nodes)):
        mapping: dict[Node, Node] = {}
        known = set(graph.nodes)
        for node in graph.nodes:
            new = rebuilt(node, [mapping[x] for x in node.inputs])
            if wanted(new):
                lowered = body_of(new)
                replace(new, lowered, Lowered(new), trace, known)
                new = lowered
            mapping[node] = new
        graph = graph.over(mapping)
    return graph


def body_of(node: Node) -> Node:
    """The body of a composite, or the formula of a pointwise card, over the node's operands."""
    if node.op.role == "call":
        root: Node = node.attrs["body"]
        args = {arg(i, x.type): x for i, x in enumerate(node.inputs)}
        return substitute([root], args)[root]
    if node.op.body is not None:
        return node.op.body(*node.inputs, **node.attrs)
    if node.op.formula is None:
        raise MissingRule(
            f"{node.op.name} has neither a body nor a formula to stand for it",
            given=str(node.type),
            expected="code to be run, or a transpose or gradient to be differentiated",
        )
    return lower_formula(node.op, node.inputs, node.attrs)


def lower(graph: Graph, trace: Trace | None = None) -> Graph:
    """A graph of cards that all have code, in its bodies too."""

    def without_code(node: Node) -> bool:
        return node.op.kind != "leaf" and not node.op.emitted

    return everywhere(graph, lambda body: expand(body, without_code, trace))


def lower_for_gradient(graph: Graph, trace: Trace | None = None) -> Graph:
    """A graph of cards that all have derivatives: composites that declare none become their bodies."""
    return expand(graph, _without_derivative, trace)


def _without_derivative(node: Node) -> bool:
    if node.op.role == "call":
        return node.attrs["gradient"] is None
    has = (
        node.op.gradient
        or node.op.joint
        or node.op.transpose
        or node.op.kind in ("leaf", "pointwise")
        or node.op.role == "by_mode"
    )
    return not has


def open_effects(graph: Graph, keep_gradients: bool = False) -> Graph:
    """Composites with a choice or a transition inside become their bodies: both concern the program as a whole.

    Those in the bodies of loops and choices, too.

    With ``keep_gradients``, not those that declare a gradient: it says all about them that a sweep asks.
    """

    def wanted(node: Node) -> bool:
        declared = node.op.role == "call" and node.attrs["gradient"] is not None
        return _carries_effect(node) and not (keep_gradients and declared)

    return everywhere(graph, lambda body: expand(body, wanted))


def _carries_effect(node: Node) -> bool:
    bodies = [node.attrs["body"]] if node.op.role == "call" else []
    while bodies:
        for inner in toposort([bodies.pop()]):
            if inner.op.role in ("by_mode", "update"):
                return True
            if inner.op.role == "call":
                bodies.append(inner.attrs["body"])
    return False


def choose_mode(graph: Graph, mode: str) -> Graph:
    """Every choice by mode made, those in bodies too."""
    chosen = tidy(everywhere(graph, lambda body: _chosen(body, mode)))  # a mask may be read no more
    if chosen is graph:
        return graph
    present = set(deep_toposort(chosen.roots))
    return dataclass_replace(chosen, sites=tuple(s for s in graph.sites if s in present))


def _chosen(graph: Graph, mode: str) -> Graph:
    if not any(n.op.role == "by_mode" for n in graph.nodes):
        return graph
    mapping: dict[Node, Node] = {}
    for node in graph.nodes:
        new = rebuilt(node, [mapping[x] for x in node.inputs])
        mapping[node] = _branch(new, mode) if node.op.role == "by_mode" else new
    return graph.over(mapping)


def _branch(choice: Node, mode: str) -> Node:
    branch = choice.inputs[0 if mode == "train" else 1]
    if branch.op.kind != "leaf":
        branch.about.adopt(choice.about)
    return branch


def collect_updates(graph: Graph) -> Graph:
    """State transitions attached to values become updates of the graph.

    Raises:
        ArgumentError: one state is given two different next values.
    """
    over, attached = _without_updates(graph)
    updates = dict(over.updates)
    for state, value in attached:
        if updates.setdefault(state, value) is not value:
            raise ArgumentError(
                f"{graph.name_of(state)} is given two different next values",
                where=str(value.about.origin) if value.about.origin else None,
                fix="attach one transition to a state, or give it in updates=",
            )
    return dataclass_replace(over, updates=tuple(updates.items()))


def drop_updates(graph: Graph) -> Graph:
    """The values alone: a gradient carries no transitions, the value that it is the gradient of does."""
    return _without_updates(graph)[0]


def _without_updates(graph: Graph) -> tuple[Graph, list[tuple[Node, Node]]]:
    if not any(n.op.role == "update" for n in graph.nodes):
        return graph, []
    mapping: dict[Node, Node] = {}
    attached: list[tuple[Node, Node]] = []
    for node in graph.nodes:
        new = rebuilt(node, [mapping[x] for x in node.inputs])
        if node.op.role == "update":
            attached.extend(zip(node.attrs["states"], new.inputs[1:], strict=True))
            if new.inputs[0].op.kind != "leaf":
                new.inputs[0].about.adopt(new.about)
            new = new.inputs[0]
        mapping[node] = new
    return graph.over(mapping), attached
