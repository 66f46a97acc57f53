"""Which nodes of a graph are forward, backward and update, and which backward node is the gradient of which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graphc.ir.events import Accumulate, ChainRule, Cotangent, Seed, Unbroadcast
from graphc.ir.graph import Graph
from graphc.ir.node import Node, toposort
from graphc.ir.provenance import descendants_of, history
from graphc.ops.shape import stretched_axes

FORWARD, BACKWARD, UPDATE = "forward", "backward", "update"

_MADE = (Seed, ChainRule, Cotangent, Accumulate, Unbroadcast)


@dataclass(frozen=True)
class Parts:
    """A graph, taken apart.

    Attributes:
        phase: of each node, ``forward``, ``backward`` or ``update``.
        partner: for a backward node, the forward node of which it is the whole gradient.
        others: for a backward node, further forward nodes that have the same gradient.
        accumulated: how many uses a gradient was added up over, where it was.
        unbroadcast: the axes over which a gradient was summed because its operand was stretched, as text.
        loss: the output that was differentiated, or None.
        flow: everything through which a gradient flows, rather than what it is multiplied by.
    """

    phase: Mapping[Node, str]
    partner: Mapping[Node, Node]
    others: Mapping[Node, tuple[Node, ...]]
    accumulated: Mapping[Node, int]
    unbroadcast: Mapping[Node, str]
    loss: Node | None
    flow: frozenset[Node] = frozenset()


def parts_of(graph: Graph) -> Parts:
    """Take a graph apart by what the events on its nodes say."""
    made = {n for n in graph.nodes if not n.about.origins and carries_gradient(n)}
    phase = _phases(graph, made)
    partner, others = _partners(graph, phase)
    backward = [n for n in graph.nodes if phase[n] == BACKWARD]
    accumulated = {n: len(e.terms) for n in backward if (e := _event(n, Accumulate)) is not None}
    summed = {n: _axes_text(e) for n in backward if (e := _event(n, Unbroadcast)) is not None}
    loss = _loss(graph, phase) if partner else None
    flow = frozenset(_dependents(graph, made))
    return Parts(phase, partner, others, accumulated, summed, loss, flow)


def carries_gradient(node: Node) -> bool:
    """Whether the chain rule made this node, rather than a derivative by which a gradient is multiplied."""
    return _event(node, _MADE) is not None


def _event(node: Node, kind: Any) -> Any:
    """An event of a kind on a node or on what it replaced; what the user declared was not made by the chain rule."""
    return next((e for e in history(node) if isinstance(e, kind)), None)


def _phases(graph: Graph, made: set[Node]) -> dict[Node, str]:
    """Forward is what the user declared and what that needs; backward what the chain rule made, and its helpers."""
    downstream = _dependents(graph, made)
    needed = toposort([*graph.outputs, *(n for n in graph.nodes if n in made)])
    declared = [n for n in needed if n not in downstream and n.about.origins and n.op.kind != "leaf"]
    ends = [x for x in graph.outputs if x not in downstream]
    phase = dict.fromkeys(toposort([*ends, *declared]), FORWARD)
    gradients = [n for n in graph.nodes if n in made] + [x for x in graph.outputs if x in downstream]
    for node in toposort(gradients):
        phase.setdefault(node, BACKWARD)
    for node in graph.nodes:
        phase.setdefault(node, UPDATE)
    return phase


def _dependents(graph: Graph, seeds: set[Node]) -> set[Node]:
    """These nodes and all that need them."""
    reached = set(seeds)
    for node in graph.nodes:
        if any(x in reached for x in node.inputs):
            reached.add(node)
    return reached


def _partners(
    graph: Graph, phase: Mapping[Node, str]
) -> tuple[dict[Node, Node], dict[Node, tuple[Node, ...]]]:
    owner, by_name = _owners(n for n in graph.nodes if phase[n] == FORWARD)
    place = {n: i for i, n in enumerate(graph.nodes)}
    partner: dict[Node, Node] = {}
    others: dict[Node, tuple[Node, ...]] = {}
    taken: set[Node] = set()
    for node in graph.nodes:
        if phase[node] == FORWARD:
            continue
        found = dict.fromkeys(
            _forward(e.of, owner, by_name) for e in history(node) if isinstance(e, Cotangent)
        )
        whole = sorted(
            (f for f in found if f is not None and f not in taken), key=lambda f: _worth(f, place[f])
        )
        if whole:
            partner[node], others[node] = whole[-1], tuple(whole[:-1])
            taken.update(whole)
    return partner, others


def _worth(node: Node, place: int) -> tuple[bool, bool, int]:
    """Of several nodes with one gradient the last named one is its partner; a leaf only where there is no other."""
    return node.op.kind != "leaf", node.about.name is not None, place


def _owners(nodes: Iterable[Node]) -> tuple[dict[Node, Node], dict[object, Node]]:
    """For everything that a forward node replaced, that node; and forward nodes by name."""
    owner: dict[Node, Node] = {}
    by_name: dict[object, Node] = {}
    for node in nodes:
        owner[node] = node
        for before in descendants_of(node):
            owner.setdefault(before, node)
        if node.about.name is not None:
            by_name[node.about.name, node.about.scopes] = node
    return owner, by_name


def _forward(node: Node, owner: Mapping[Node, Node], by_name: Mapping[object, Node]) -> Node | None:
    """The forward node of this graph that has the value of ``node``."""
    if node in owner:
        return owner[node]
    found = next(
        (owner[d] for d in sorted(descendants_of(node), key=lambda n: -n.serial) if d in owner), None
    )
    return found if found is not None else by_name.get((node.about.name, node.about.scopes))


def _axes_text(event: Unbroadcast) -> str:
    """The names of the axes along which an operand was stretched."""
    wide, narrow = event.cotangent.shape, event.of.shape
    return ", ".join(str(wide[a]) for a in stretched_axes(wide, narrow))


def _loss(graph: Graph, phase: Mapping[Node, str]) -> Node | None:
    """The first scalar float among the forward outputs: what a model differentiates stands first."""
    scalars = [
        x
        for x in graph.outputs
        if phase[x] == FORWARD and x.shape == () and x.type.is_float and x.op.kind != "leaf"
    ]
    return scalars[0] if scalars else None
