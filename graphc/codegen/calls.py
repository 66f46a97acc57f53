"""Calls that write into arrays which are there: what a card can, and its lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from graphc.ir.node import Node
from graphc.rewrite.rules.cost import MANY

OPERATORS = {
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "**": "power",
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    "==": "equal",
    "!=": "not_equal",
    "&": "bitwise_and",
    "|": "bitwise_or",
    "^": "bitwise_xor",
    "<<": "left_shift",
    ">>": "right_shift",
}
PREFIXES = {"-": "negative", "~": "invert"}

_UFUNC = re.compile(r"np\.(\w+)\((.*)\)")


def ufunc_of(node: Node) -> str | None:
    """The ufunc that a card is, if it is one."""
    op = node.op
    if op.kind != "pointwise":
        return None
    if op.infix or op.prefix:
        return OPERATORS.get(op.infix or "") or PREFIXES.get(op.prefix or "")
    call = _UFUNC.fullmatch(op.numpy) if isinstance(op.numpy, str) else None
    return call[1] if call and isinstance(getattr(np, call[1], None), np.ufunc) else None


Hoist = Callable[[str, str], str]


def written(node: Node, operands: Sequence[str], out: str, hoist: Hoist) -> list[str] | None:
    """The lines that write a value into an array that is there; None where its card has an expression alone."""
    op = node.op
    if callable(op.into):
        return list(op.into(operands, out, node, hoist))
    fills = dict(zip(op.operand_names(len(operands)), operands, strict=True))
    if op.into is not None:
        return [op.into.format(**fills, out=out)]
    name = ufunc_of(node)
    if name is None:
        return None
    if op.infix or op.prefix:
        return [f"np.{name}({', '.join(operands)}, out={out})"]
    assert isinstance(op.numpy, str)
    return [f"{op.numpy[:-1]}, out={{out}})".format(**fills, out=out)]


def over_operand(node: Node) -> bool:
    """Whether a value may be written over an operand: each element needs that element of the operand alone."""
    return ufunc_of(node) is not None or (node.op.kind == "pointwise" and isinstance(node.op.into, str))


def has_form(node: Node) -> bool:
    """Whether a card can write into an array that is there."""
    if (node.op.kind == "leaf" and node.op.role != "random") or "view" in node.op.properties:
        return False
    return node.op.into is not None or ufunc_of(node) is not None


def takes_off_one_hot(node: Node) -> bool:
    """Whether a value is one without a number in each row, of many classes, by labels that are given."""
    if ufunc_of(node) != "subtract":
        return False
    value, marks = node.inputs
    labels, _ = marks_of(marks)
    if "one_hot" not in labels.op.properties:
        return False
    wide = marks.ndim == 2 and isinstance(marks.shape[1], int) and marks.shape[1] > MANY
    return wide and value.type == marks.type == node.type and labels.inputs[0].op.kind == "leaf"


def marks_of(node: Node) -> tuple[Node, Node | None]:
    """One-hot rows, and the number that they are multiplied by."""
    if ufunc_of(node) == "multiply" and node.inputs[1].shape == ():
        return node.inputs[0], node.inputs[1]
    return node, None
