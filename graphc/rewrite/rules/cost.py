"""Rewrites that only save time: REWRITES 17, 36-38."""

from __future__ import annotations

from graphc.ir.node import Node
from graphc.ir.pattern import Var
from graphc.ops.arith import subtract
from graphc.ops.compare import greater, where
from graphc.ops.gather import take_along_axis
from graphc.ops.reduce import sum_op
from graphc.ops.shape import expand_dims
from graphc.rewrite.rule import HARMLESS, ROUNDING, STRUCTURE, Match, Rule
from graphc.rewrite.rules.holes import AXIS, KEEP, s, x
from graphc.rewrite.rules.structure import COST

_one_hot_rows = Var("y", lambda node: "one_hot" in node.op.properties)

MANY = 64
"""Up to so many classes, comparing a label with each of them is faster than an index."""


def is_wide_one_hot(node: Node) -> bool:
    """Whether a node is one-hot rows of many classes."""
    width = node.shape[-1] if "one_hot" in node.op.properties else 0
    return isinstance(width, int) and width > MANY


def _picked(value: Node, labels: Node) -> Node:
    """What each label picks of its row; a number that the whole row shares is taken off afterwards."""
    last, shared = value.ndim - 1, []
    while (
        value.op is subtract and _is_of_row(value.inputs[1], value) and value.inputs[0].shape == value.shape
    ):
        shared.append(value.inputs[1])
        value = value.inputs[0]
    picked: Node = take_along_axis(value, expand_dims(labels, last), last)
    for number in reversed(shared):
        picked = subtract(picked, number)
    return picked


def _is_of_row(number: Node, rows: Node) -> bool:
    return number.shape == (*rows.shape[:-1], 1)


def _sum_of_picked(m: Match) -> Node | None:
    if m.x.shape != m.y.shape or m.x.ndim - 1 not in m.axis:
        return None
    picked = _picked(m.x, m.y.inputs[0])
    result: Node = sum_op(picked, axis=m.axis, keepdims=m.keepdims)
    return result


RULES: tuple[Rule, ...] = (
    *COST,
    Rule(
        "picked-rows",
        _one_hot_rows * x,
        where(greater(_one_hot_rows, 0.0), x, 0.0),
        HARMLESS,
        phase="code",
        fact="safer where x is not finite",
        grows=True,
        note="0 times -inf is nan, and a logit of -inf is a class ruled out",
    ),
    Rule(
        "sum-of-picked",
        sum_op(where(greater(Var("y", is_wide_one_hot), 0.0), x, 0.0), axis=AXIS, keepdims=KEEP),
        _sum_of_picked,
        STRUCTURE,
        phase="code",
        grows=True,
        note="an index into each row instead of a row of comparisons",
    ),
    Rule(
        "times-reciprocal",
        x * (1 / s),
        x / s,
        ROUNDING,
        phase="cost",
        ulp=1,
        note="one rounding instead of two",
    ),
)
