"""Where a node comes from: its events, and those of the nodes that it replaced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from graphc.ir.events import ChainRule, Cotangent, Event, Lowered, Rebuilt, Rewrite
from graphc.ir.node import Node

E = TypeVar("E", bound=Event)


def history(node: Node) -> Iterator[Event]:
    """Every event of a node, oldest first, then those of what it replaced."""
    seen = {node}
    queue = [node]
    for current in queue:
        for event in current.about.events:
            yield event
            if isinstance(event, (Rewrite, Rebuilt, Lowered)) and event.before not in seen:
                seen.add(event.before)
                queue.append(event.before)


def find(node: Node, kind: type[E]) -> E | None:
    """The nearest event of one kind."""
    return next((e for e in history(node) if isinstance(e, kind)), None)


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


def descendants_of(node: Node) -> set[Node]:
    """A node and everything that it replaced."""
    seen = {node}
    queue = [node]
    for current in queue:
        for event in current.about.events:
            before = getattr(event, "before", None)
            if before is not None and before not in seen:
                seen.add(before)
                queue.append(before)
    return seen
