"""Nodes in words: the expression that a node is, and the line of the user's that it comes from."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.ir.events import (
    Accumulate,
    Assembled,
    ChainRule,
    Cotangent,
    PushForward,
    Seed,
    StructuralZero,
    Unbroadcast,
)
from graphc.ir.graph import Graph
from graphc.ir.node import Node, op_title
from graphc.ir.origin import full_name
from graphc.ir.provenance import history

DEPTH = 4
"""How many operations stand inside each other before an operand is left out."""


def expression(
    node: Node, graph: Graph | None = None, depth: int = DEPTH, operands: Sequence[str] = ()
) -> str:
    """A node as it would be written, in terms of the names below it; ``operands`` are those of a body around it.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ())
        >>> expression(gx.log(1 + gx.exp(-x)))
        'log(1.0 + exp(-x))'
    """
    if not node.inputs:
        return _leaf(node, graph, operands)
    if depth == 0:
        return "…"
    parts = [called(x, graph) or expression(x, graph, depth - 1, operands) for x in node.inputs]
    inner = [_bracketed(part, x, graph) for part, x in zip(parts, node.inputs, strict=True)]
    if node.op.infix and len(parts) == 2:
        return f"{inner[0]} {node.op.infix} {inner[1]}"
    if node.op.prefix and len(parts) == 1:
        return f"{node.op.prefix}{inner[0]}"
    return f"{op_title(node)}({', '.join(parts)})"


def _bracketed(part: str, node: Node, graph: Graph | None) -> str:
    operator = bool(node.op.infix) and not called(node, graph) and part != "…"
    return f"({part})" if operator else part


def _leaf(node: Node, graph: Graph | None, operands: Sequence[str]) -> str:
    if node.op.role == "arg" and node.attrs["index"] < len(operands):
        return str(operands[node.attrs["index"]])
    if node.op.role == "size":
        return str(node.attrs["dim"])
    if node.op.role != "const":
        return called(node, graph) or node.op.name
    array = node.attrs["value"].value
    return str(array[()]) if array.size == 1 else f"array{list(array.shape)}"


def called(node: Node, graph: Graph | None = None) -> str | None:
    """The full name of a node, where it has one."""
    if graph is not None:
        return graph.name_of(node)
    return None if node.about.name is None else full_name(node.about.name, node.about.scopes)


def title(node: Node, graph: Graph | None = None, operands: Sequence[str] = ()) -> str:
    """``h = tanh(z)``: name and expression."""
    name, text = called(node, graph), expression(node, graph, operands=operands)
    return text if name is None or name == text else f"{name} = {text}"


def declared_at(node: Node) -> str:
    """The line of the user's behind a node: its own, or that of the value whose gradient it belongs to."""
    if node.about.origin:
        return f"declared at {node.about.origin}"
    for event in history(node, parts=True):
        before = getattr(event, "before", None)
        if before is not None and before.about.origin:
            return f"declared at {before.about.origin}"
        forward = forward_of(event)
        if forward is not None and forward.about.origin:
            return f"forward value declared at {forward.about.origin}"
    return ""


def forward_of(event: object) -> Node | None:
    """The forward value that an event of differentiation is about."""
    match event:
        case ChainRule(forward=forward) | PushForward(forward=forward):
            return forward
        case (
            Seed(of=of)
            | Accumulate(of=of)
            | Assembled(of=of)
            | Unbroadcast(of=of)
            | Cotangent(of=of)
            | StructuralZero(of=of)
        ):
            return of
    return None
