"""Rewrites for code that writes into buffers, where passes over memory count; a reader's listing keeps its form."""

from __future__ import annotations

from graphc.ir.node import Node
from graphc.ir.pattern import Var
from graphc.ops.arith import add, divide, multiply, subtract
from graphc.ops.card import constant
from graphc.ops.math import sqrt
from graphc.rewrite.facts import facts_of
from graphc.rewrite.rule import FACT, ROUNDING, Match, Rule
from graphc.rewrite.rules.cost import is_wide_one_hot
from graphc.rewrite.rules.holes import s, x, y, z

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


def _few_quotients(m: Match) -> Node:
    """``a (x / b) / (√(y / c) + e) = x / (√y + e √c) · (a √c / b)``: numbers are combined before arrays are touched."""
    root = sqrt(m.c)
    quotient = divide(m.x, add(sqrt(m.y), multiply(m.e, root)))
    result: Node = multiply(quotient, divide(multiply(m.a, root), m.b))
    return result


def _has_a_root(m: Match) -> str | None:
    if not m.x.shape == m.y.shape == m.root.shape != ():
        return "it is one number, or shapes differ"
    found = facts_of(m.c)
    return None if found.range.low >= 0 else f"c is not known to be at least 0: it is in {found}"


_a, _b, _c, _e = (Var(name, s.accepts) for name in "abce")

RULES: tuple[Rule, ...] = (
    Rule(
        "numbers-first",
        (_a * (x / _b)) / (sqrt(y / _c) + _e),
        _few_quotients,
        FACT,
        phase="buffers",
        when=_has_a_root,
        fact="c is at least 0",
        grows=True,
        note="the step of Adam, in two passes less",
    ),
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
