"""Where a node comes from: its events, and those of the nodes that it replaced."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TypeVar

from graphc.ir.events import (
    Accumulate,
    Assembled,
    ChainRule,
    Cotangent,
    Equation,
    Event,
    Folded,
    Lowered,
    OverSteps,
    Part,
    PushForward,
    Rebuilt,
    Rewrite,
    Seed,
    StructuralZero,
    Unbroadcast,
)
from graphc.ir.node import Node

E = TypeVar("E", bound=Event)

REPLACING = (Rewrite, Rebuilt, Lowered, Folded)
"""Events that lead to the node that was there before."""

BEGINNINGS = (
    Seed,
    ChainRule,
    PushForward,
    Accumulate,
    OverSteps,
    Unbroadcast,
    StructuralZero,
    Assembled,
    Cotangent,
    Equation,
)
"""Events that say by themselves where a node comes from; the others lead to what it replaced."""


def lineage(node: Node, parts: bool = False) -> list[Node]:
    """A node and everything that it replaced, nearest first; with ``parts``, also what it came along with."""
    seen, queue = {node}, [node]
    for current in queue:
        for event in current.about.events:
            before = replaced_by(event) if parts or not isinstance(event, Part) else None
            if before is not None and before not in seen:
                seen.add(before)
                queue.append(before)
    return queue


def history(node: Node, parts: bool = False) -> Iterator[Event]:
    """Every event of a node, oldest first, then those of what it replaced.

    With ``parts``, also the events that it came along with, as if they had made it.
    """
    for current in lineage(node, parts):
        for event in current.about.events:
            if not isinstance(event, Part):
                yield event
            elif parts:
                yield event.event


def replaced_by(event: Event) -> Node | None:
    """The node that an event replaced, or None where it replaced nothing."""
    inner = event.event if isinstance(event, Part) else event
    return inner.before if isinstance(inner, REPLACING) else None


def has_origin(node: Node) -> bool:
    """Whether anything is known of where a node comes from."""
    return bool(node.about.origins or node.about.events)


def record_parts(root: Node, event: Event, known: Collection[Node]) -> None:
    """Say of the nodes below one that came with it where they come from; ``known`` were there before.

    Parts that belong to no layer belong to that of the root.
    """
    part = Part(event)
    stack = [x for x in root.inputs if x not in known]
    while stack:
        node = stack.pop()
        if node.op.kind == "leaf" or has_origin(node):
            continue
        node.about.record(part)
        if not node.about.scopes and node.about.name is None:
            node.about.scopes = root.about.scopes
        stack.extend(x for x in node.inputs if x not in known)


def unexplained(nodes: Iterable[Node]) -> list[Node]:
    """Those of some nodes that lead to no line of the user's and to no step of differentiation.

    Constants and sizes are explained by what uses them.
    """
    return [n for n in nodes if n.op.role not in ("const", "size", "arg") and not _is_explained(n)]


def _is_explained(node: Node) -> bool:
    made = any(isinstance(event, BEGINNINGS) for event in history(node, parts=True))
    return made or any(n.about.origins for n in descendants_of(node, parts=True))


def find(node: Node, kind: type[E]) -> E | None:
    """The nearest event of one kind: as in ``history``, without a step per event, since every listing asks this."""
    seen, queue = {node}, [node]
    for current in queue:
        for event in current.about.events:
            if isinstance(event, kind):
                return event
            if isinstance(event, REPLACING) and event.before not in seen:
                seen.add(event.before)
                queue.append(event.before)
    return None


def is_declared(node: Node) -> bool:
    """Whether a user's line made the node, or what it was rewritten from, as a forward value."""
    return node.about.declared


def gradient_of(node: Node) -> Node | None:
    """The forward node whose whole gradient this is, or None.

    A node that the user declared is no gradient, even where the chain rule arrived at it too (exp' = exp).
    """
    if is_declared(node):
        return None
    event = find(node, Cotangent)
    return event.of if event else None


def chain_rule_of(node: Node) -> ChainRule | None:
    """The use of the chain rule that made this node, or None; a declared node was made by its user."""
    if is_declared(node):
        return None
    return find(node, ChainRule)


def descendants_of(node: Node, parts: bool = False) -> set[Node]:
    """A node and everything that it replaced; with ``parts``, also what it came along with the replacement of."""
    return set(lineage(node, parts))
