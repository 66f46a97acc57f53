"""Walking graphs through attributes too: the bodies and gradients of composites, the states of an update."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphc.ir.node import Node


def attr_nodes(node: Node) -> Iterator[Node]:
    """The nodes that stand in the attributes of a node, in order."""
    for value in node.attrs.values():
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from (part for part in value if isinstance(part, Node))


def operands_and_attrs(node: Node) -> Iterator[Node]:
    """Everything that a node is made of."""
    yield from node.inputs
    yield from attr_nodes(node)


def deep_toposort(roots: Sequence[Node]) -> list[Node]:
    """Every node that the roots need, those in attributes included; what a node is made of comes first (iterative).

    Example:
        >>> import graphc as gx
        >>> hat = gx.composite("hat", lambda x: gx.maximum(1 - gx.abs(x), 0))
        >>> [n.op.name for n in deep_toposort([hat(gx.input("x", (3,)))])]
        ['input', 'const', 'const', 'arg', 'abs', 'subtract', 'maximum', 'call']
    """
    order: list[Node] = []
    seen: set[Node] = set()
    for root in roots:
        stack = [(root, operands_and_attrs(root))] if root not in seen else []
        seen.add(root)
        while stack:
            node, rest = stack[-1]
            child = next((x for x in rest if x not in seen), None)
            if child is None:
                order.append(node)
                stack.pop()
            else:
                seen.add(child)
                stack.append((child, operands_and_attrs(child)))
    return order


def mapped_attr(value: Any, mapping: Mapping[Node, Node]) -> Any:
    """An attribute with the nodes in it replaced."""
    if isinstance(value, Node):
        return mapping.get(value, value)
    if isinstance(value, tuple):
        return tuple(mapping.get(part, part) if isinstance(part, Node) else part for part in value)
    return value
