"""Reverse mode: one iterative sweep from an output to what it is differentiated by.

The sweep builds nodes named ``d_<name>`` and records what it did: the seed, each use of the chain rule, each
accumulation, each unbroadcast, each structural zero.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.autodiff.local import pull_back
from graphc.errors import ArgumentError, DTypeError, MissingRule
from graphc.ir.events import Accumulate, Cotangent, Seed, StructuralZero
from graphc.ir.node import Node, toposort
from graphc.ir.op import ZERO
from graphc.ops.arith import add
from graphc.ops.card import constant
from graphc.ops.leaves import seed_op
from graphc.ops.shape import broadcast_to_op


def vjp_nodes(output: Node, cotangent: Node, wrt: Sequence[Node]) -> list[Node]:
    """The vector-Jacobian product: for each of ``wrt``, the gradient of ``sum(output * cotangent)``.

    Args:
        output: a float node.
        cotangent: a node of the same type.
        wrt: float nodes, leaves or not.

    Raises:
        DTypeError: an output or variable that is not a float.
        ArgumentError: a cotangent of another type.
        MissingRule: an operation on the way has no derivative.
    """
    check_floats((output, *wrt))
    if cotangent.type != output.type:
        raise ArgumentError(
            "the cotangent must have the output's type", given=str(cotangent.type), expected=str(output.type)
        )
    order = toposort([output])
    on_path = _depending_on(order, wrt)
    terms: dict[Node, list[Node]] = {output: [cotangent]}
    found: dict[Node, Node] = {}
    for node in reversed(order):
        if node in on_path and node in terms:
            found[node] = total = accumulate(node, terms.pop(node))
            _spread(node, total, on_path, terms)
    return [found[x] if x in found else zero_of(x) for x in wrt]


def _spread(node: Node, total: Node, on_path: set[Node], terms: dict[Node, list[Node]]) -> None:
    """Add what the chain rule sends to the operands of one node."""
    wanted = [x in on_path for x in node.inputs]
    if not any(wanted):
        return
    if node.op.role == "by_mode":
        raise MissingRule(
            "a choice by mode is differentiated branch by branch", fix="call gx.grad, which does so"
        )
    for operand, term in zip(node.inputs, pull_back(node, total, wanted), strict=True):
        if term is not None and term is not ZERO:
            terms.setdefault(operand, []).append(term)


def seed(output: Node) -> Node:
    """The gradient of an output with respect to itself: ones."""
    one: Node = seed_op(output)
    one.about.record(Seed(output))
    return one


def accumulate(node: Node, terms: list[Node]) -> Node:
    """The cotangent of a node: the sum over its uses."""
    total = terms[0]
    for term in terms[1:]:
        total = add(total, term)
    if len(terms) > 1:
        total.about.record(Accumulate(node, tuple(terms)))
    if total.op.kind != "leaf":
        total.about.record(Cotangent(node))
        # a forward node can be a cotangent too (exp' = exp); it keeps the user's name for it
        if node.about.name is not None and total.about.name is None and not total.about.origins:
            total.about.rename(f"d_{node.about.name}", node.about.scopes)
    return total


def _depending_on(order: Sequence[Node], wrt: Sequence[Node]) -> set[Node]:
    """Float nodes through which a variable reaches the output."""
    reached = set(wrt)
    for node in order:
        if node.type.is_float and any(x in reached for x in node.inputs):
            reached.add(node)
    return reached


def zero_of(x: Node) -> Node:
    """The gradient by ``x`` where no path leads.

    It is a node of its own, even for a scalar: constants are shared, so they carry no events.
    """
    zero: Node = broadcast_to_op(constant(0, x.dtype), shape=x.shape)
    zero.about.record(StructuralZero(x))
    return zero


def check_floats(nodes: Sequence[Node]) -> None:
    """Raises DTypeError for a node that is not a float."""
    for node in nodes:
        if not node.type.is_float:
            what = node.about.name or node.op.name
            raise DTypeError(f"{what} cannot be differentiated", given=str(node.type), expected="a float")
