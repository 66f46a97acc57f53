"""The chain rule at one node: from the cotangent of its output to the cotangents of its operands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphc.errors import MissingRule
from graphc.ir.events import ChainRule, Unbroadcast
from graphc.ir.node import Node, op_title
from graphc.ir.op import ZERO
from graphc.ir.provenance import record_parts
from graphc.ops.arith import multiply, negative
from graphc.ops.shape import sum_to
from graphc.symbolic.formulas import formula_nodes
from graphc.symbolic.table import partial_formula


def pull_back(node: Node, cotangent: Node, wanted: Sequence[bool]) -> list[Any]:
    """The cotangent of each wanted operand: a node, or ``ZERO`` by declaration; None where it is not wanted.

    Raises:
        MissingRule: the card says nothing about its derivative.
    """
    op = node.op
    if op.gradient is not None:
        return _declared(node, cotangent, wanted)
    if op.kind == "pointwise":
        return [_partial(node, cotangent, i) if want else None for i, want in enumerate(wanted)]
    if op.transpose is not None:
        return [_transposed(node, cotangent, i) if want else None for i, want in enumerate(wanted)]
    raise MissingRule(f"{op.name} has neither a formula, a transpose nor a gradient", given=str(node.type))


def _partial(node: Node, cotangent: Node, operand: int) -> Any:
    factor = partial_factor(node, operand)
    if factor is ZERO:
        return ZERO
    term = times(cotangent, factor)
    _note(term, node, operand, cotangent, partial_formula(node.op, operand))
    return unbroadcast(term, node.inputs[operand])


def partial_factor(node: Node, operand: int) -> Any:
    """The partial derivative of a pointwise node in one operand: a node, a number, or ``ZERO``."""
    formula = partial_formula(node.op, operand)
    if formula == "0":
        return ZERO
    names = dict(zip(node.op.operands, node.inputs, strict=True))
    return formula_nodes(formula, {**names, **node.attrs, "out": node}, node.dtype)


def times(cotangent: Node, factor: Any) -> Node:
    """A cotangent (or tangent) times a partial derivative; times one is nothing."""
    if isinstance(factor, Node):
        product: Node = multiply(cotangent, factor)
        return product
    if factor == 1:
        return cotangent
    node: Node = negative(cotangent) if factor == -1 else multiply(cotangent, factor)
    return node


def _transposed(node: Node, cotangent: Node, operand: int) -> Any:
    transposes = node.op.transpose or ()
    if node.op.variadic:
        term = transposes[0](cotangent, *node.inputs, operand=operand, **node.attrs)
    elif transposes[operand] is ZERO:
        return ZERO
    else:
        term = transposes[operand](cotangent, *node.inputs, **node.attrs)
    if term is not ZERO:
        _note(term, node, operand, cotangent, f"transpose of {op_title(node)}")
    return term


def _declared(node: Node, cotangent: Node, wanted: Sequence[bool]) -> list[Any]:
    assert node.op.gradient is not None
    terms = node.op.gradient(cotangent, node, *node.inputs, **node.attrs)
    for i, term in enumerate(terms):
        if term is not ZERO:
            _note(term, node, i, cotangent, f"gradient of {op_title(node)}")
    return [term if want else None for term, want in zip(terms, wanted, strict=True)]


def pull_back_jointly(
    node: Node, cotangents: Mapping[int, Node], wanted: Sequence[bool], sweep: Any
) -> list[Any]:
    """The same from the cotangents of several results of one computation; ``sweep`` goes through its bodies."""
    assert node.op.joint is not None
    terms: list[Any] = list(node.op.joint(cotangents, node, wanted, sweep))
    for i, term in enumerate(terms):
        if isinstance(term, Node):
            _note(term, node, i, next(iter(cotangents.values())), f"gradient of {op_title(node)}")
    return terms


def unbroadcast(term: Node, operand: Node) -> Node:
    """The cotangent of an operand that was stretched, summed back to its shape."""
    summed = sum_to(term, operand.shape)
    if summed is not term:
        event = Unbroadcast(operand, term)
        summed.about.record(event)
        record_parts(summed, event, (term,))
    return summed


def _note(term: Node, node: Node, operand: int, cotangent: Node, formula: str) -> None:
    if not term.about.scopes and term.about.name is None:
        term.about.scopes = node.about.scopes
    event = ChainRule(op_title(node), node, operand, cotangent, formula)
    term.about.record(event)
    record_parts(term, event, (node, *node.inputs, cotangent))
