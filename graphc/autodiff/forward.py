"""Forward mode: one iterative sweep that carries tangents from variables to outputs.

A pointwise card pushes a tangent forward with its partial derivatives. Every other card already says how it pulls a
cotangent back, which is linear in the cotangent; the transpose of that is how it pushes a tangent forward. So
nothing is declared twice, and forward and reverse mode cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from graphc.autodiff.local import partial_factor, pull_back, times
from graphc.autodiff.reverse import check_floats, vjp_nodes, zero_of
from graphc.errors import ArgumentError, MissingRule
from graphc.ir.events import PushForward
from graphc.ir.node import Node, fresh_leaf, toposort
from graphc.ir.op import ZERO
from graphc.ir.provenance import record_parts
from graphc.ops.arith import add
from graphc.ops.leaves import input_op
from graphc.ops.shape import broadcast_to


def jvp_nodes(outputs: Sequence[Node], wrt: Sequence[Node], tangents: Sequence[Node]) -> list[Node]:
    """The Jacobian-vector product: for each output, ``∂output/∂wrt · tangents``.

    Args:
        outputs: float nodes.
        wrt: float nodes, leaves or not.
        tangents: one node per variable, of its type.

    Raises:
        DTypeError: an output or variable that is not a float.
        ArgumentError: a tangent of another type.
        MissingRule: an operation on the way has no derivative.
    """
    check_floats((*outputs, *wrt))
    for x, tangent in zip(wrt, tangents, strict=True):
        if tangent.type != x.type:
            what = x.about.name or x.op.name
            raise ArgumentError(
                f"the tangent of {what} must have its type", given=str(tangent.type), expected=str(x.type)
            )
    found: dict[Node, Node] = dict(zip(wrt, tangents, strict=True))
    for node in toposort(outputs):
        if node not in found and node.type.is_float and any(x in found for x in node.inputs):
            pushed = _push_forward(node, [found.get(x) for x in node.inputs])
            if pushed is not None:
                found[node] = pushed
    return [found[y] if y in found else zero_of(y) for y in outputs]


def _push_forward(node: Node, tangents: Sequence[Node | None]) -> Node | None:
    """The tangent of a node from those of its operands; None where all are zero by declaration."""
    terms = _terms(node, tangents)
    if not terms:
        return None
    total: Node = broadcast_to(reduce(add, terms), node.shape)
    if total.op.kind != "leaf":
        event = PushForward(node.op.name, node)
        total.about.record(event)
        record_parts(total, event, {node, *node.inputs, *(t for t in tangents if t is not None)})
        if node.about.name is not None and total.about.name is None and not total.about.origins:
            total.about.rename(f"dot_{node.about.name}", node.about.scopes)
    return total


def _terms(node: Node, tangents: Sequence[Node | None]) -> list[Node]:
    if node.op.push is not None:
        return [node.op.push(tangents, node, jvp_nodes)[node.attrs["result"]]]
    return (
        _pointwise(node, tangents)
        if node.op.formula and not node.op.gradient
        else _transposed(node, tangents)
    )


def _pointwise(node: Node, tangents: Sequence[Node | None]) -> list[Node]:
    terms = []
    for operand, tangent in enumerate(tangents):
        factor = None if tangent is None else partial_factor(node, operand)
        if tangent is not None and factor is not ZERO:
            terms.append(times(tangent, factor))
    return terms


def _transposed(node: Node, tangents: Sequence[Node | None]) -> list[Node]:
    """Pull a stand-in cotangent back, and transpose that: it is linear in the cotangent."""
    stand_in = _placeholder(node)
    pulled = pull_back(node, stand_in, [t is not None for t in tangents])
    pairs: list[tuple[Any, Any]] = [
        (term, t) for term, t in zip(pulled, tangents, strict=True) if term is not None and term is not ZERO
    ]
    terms = [vjp_nodes([term], [t], [stand_in])[0] for term, t in pairs]
    if stand_in in toposort(terms):
        raise MissingRule(
            f"the declared gradient of {node.about.name or node.op.name} is not linear in the cotangent",
            fix="forward mode needs a linear one; use reverse mode (gx.grad, gx.vjp)",
        )
    return terms


def _placeholder(node: Node) -> Node:
    return fresh_leaf(input_op, {"name": "cotangent", "shape": node.shape, "dtype": node.dtype}, node.type)
