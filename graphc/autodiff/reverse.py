"""Reverse mode: one iterative sweep from an output to what it is differentiated by.

The sweep builds nodes named ``d_<name>`` and records what it did: the seed, each use of the chain rule, each
accumulation, each unbroadcast, each structural zero.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphc.autodiff.local import pull_back, pull_back_jointly
from graphc.errors import ArgumentError, DTypeError, MissingRule
from graphc.ir.events import Accumulate, Cotangent, Seed, StructuralZero
from graphc.ir.node import Node, result_groups, toposort
from graphc.ir.op import ZERO
from graphc.ir.provenance import record_parts
from graphc.ops.arith import add
from graphc.ops.card import constant
from graphc.ops.leaves import seed_op
from graphc.ops.shape import broadcast_to_op


def vjp_nodes(outputs: Sequence[Node], cotangents: Sequence[Node], wrt: Sequence[Node]) -> list[Node]:
    """The vector-Jacobian product: for each of ``wrt``, the gradient of ``Σ sum(output * cotangent)``.

    Args:
        outputs: float nodes.
        cotangents: for each output a node of the same type.
        wrt: float nodes, leaves or not.

    Raises:
        DTypeError: an output or variable that is not a float.
        ArgumentError: a cotangent of another type.
        MissingRule: an operation on the way has no derivative.
    """
    check_floats((*outputs, *wrt))
    terms: dict[Node, list[Node]] = {}
    for output, cotangent in zip(outputs, cotangents, strict=True):
        if cotangent.type != output.type:
            raise ArgumentError(
                "the cotangent must have the output's type",
                given=str(cotangent.type),
                expected=str(output.type),
            )
        terms.setdefault(output, []).append(cotangent)
    order = toposort(outputs)
    found = _sweep(order, terms, _depending_on(order, wrt))
    return [found[x] if x in found else zero_of(x) for x in wrt]


def _sweep(order: Sequence[Node], terms: dict[Node, list[Node]], on_path: set[Node]) -> dict[Node, Node]:
    """The cotangent of every node on a path, from the outputs back."""
    found: dict[Node, Node] = {}
    groups = result_groups(order)
    for node in reversed(order):
        if node in on_path and node in terms:
            found[node] = accumulate(node, terms.pop(node))
        group = groups.get(node)
        if group is None and node in found:
            _spread(node, found[node], on_path, terms)
        elif group is not None and node is group[0] and any(x in found for x in group):
            given = {x.attrs["result"]: found[x] for x in group if x in found}
            _spread_jointly(node, given, on_path, terms)
    return found


def _spread_jointly(
    node: Node, cotangents: dict[int, Node], on_path: set[Node], terms: dict[Node, list[Node]]
) -> None:
    """The same for a computation with several results, once all of its cotangents are there."""
    wanted = [x in on_path for x in node.inputs]
    if not any(wanted):
        return
    pulled = pull_back_jointly(node, cotangents, wanted, vjp_nodes)
    for operand, want, term in zip(node.inputs, wanted, pulled, strict=True):
        if want and term is not None and term is not ZERO:
            terms.setdefault(operand, []).append(term)


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
        event = Accumulate(node, tuple(terms))
        total.about.record(event)
        record_parts(total, event, terms)
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
