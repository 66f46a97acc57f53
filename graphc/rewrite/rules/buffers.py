"""Rewrites for code that writes into buffers, where passes over memory count; a reader's listing keeps its form."""

from __future__ import annotations

from graphc.ir.node import Node
from graphc.ir.pattern import Var
from graphc.ops.arith import divide, multiply, subtract
from graphc.ops.card import constant
from graphc.rewrite.rule import ROUNDING, Match, Rule
from graphc.rewrite.rules.cost import is_wide_one_hot
from graphc.rewrite.rules.holes import x, z

_labels = Var("y", is_wide_one_hot)


def _of_rows(m: Match) -> str | None:
    """Whether the inner divisor is one number for each row, and the outer one number for all."""
    divisor, whole = m.root.inputs[0].inputs[0].inputs[1], m.root.inputs[1]
    if not m.root.type.is_float or whole.shape != ():
        return "it is not divided by one number"
    if m.root.ndim != 2 or m.y.inputs[0].op.kind != "leaf":
        return "the labels are no argument"
    rows = divisor.ndim == m.root.ndim and divisor.shape[-1] == 1
    return None if rows else "the sums are not one number for each row"


def _one_product(m: Match) -> Node:
    """``e (share / s) - share y`` with ``share = 1 / n``: one pass over the rows, and one number for each label."""
    share = divide(constant(1.0, m.root.dtype), m.z)
    probability = m.root.inputs[0].inputs[0]
    e, sums = probability.inputs
    result: Node = subtract(multiply(e, divide(share, sums)), multiply(m.y, share))
    return result


RULES: tuple[Rule, ...] = (
    Rule(
        "rows-less-labels",
        (x / Var("s") - _labels) / z,
        _one_product,
        ROUNDING,
        phase="buffers",
        when=_of_rows,
        ulp=3,
        grows=True,
        note="the number of rows goes into the reciprocal of the sum, and labels are taken off by an index",
    ),
)
