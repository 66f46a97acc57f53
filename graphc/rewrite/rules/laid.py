"""Rewrites for small steps, stored features × batch: each call counts, and sums may be reassociated."""

from __future__ import annotations

from graphc.ir.node import Node
from graphc.ir.pattern import Var
from graphc.ops.arith import divide, multiply, square
from graphc.ops.compare import greater, where
from graphc.ops.contract import vdot_op
from graphc.ops.index import picked_sum
from graphc.ops.reduce import sum_op
from graphc.rewrite.rule import ROUNDING, STRUCTURE, Match, Rule
from graphc.rewrite.rules.contract import is_of_all
from graphc.rewrite.rules.holes import AXIS, KEEP, x, y


def _is_number(node: Node) -> bool:
    return node.shape == () and node.op.role in ("const", "size")


_marks = Var("y", lambda node: "one_hot" in node.op.properties)
_factor, _divisor = Var("c", _is_number), Var("n", _is_number)


def _all(m: Match) -> str | None:
    return None if m.root.shape == () and m.x.type == m.y.type else "it is not the sum of all"


def _floats(m: Match) -> str | None:
    return None if m.root.type.is_float and m.root.ndim else "it is no array"


def _one_number(m: Match) -> Node:
    result: Node = multiply(m.x, divide(m.c, m.n))
    return result


RULES: tuple[Rule, ...] = (
    Rule(
        "laid-dot",
        sum_op(x * y, axis=AXIS, keepdims=KEEP),
        lambda m: vdot_op(m.x, m.y),
        STRUCTURE,
        phase="laid",
        when=is_of_all,
        note="one call of BLAS; sums of few numbers lose nothing by being added in a row",
    ),
    Rule(
        "laid-dot-itself",
        sum_op(square(x), axis=AXIS, keepdims=KEEP),
        lambda m: vdot_op(m.x, m.x),
        STRUCTURE,
        phase="laid",
        when=is_of_all,
        note="one call of BLAS",
    ),
    Rule(
        "laid-picked",
        sum_op(where(greater(_marks, 0.0), x, 0.0), axis=AXIS, keepdims=KEEP),
        lambda m: picked_sum(m.y, m.x),
        STRUCTURE,
        phase="laid",
        when=_all,
        note="one call of BLAS in place of a choice and a sum",
    ),
    Rule(
        "laid-number",
        _factor * x / _divisor,
        _one_number,
        ROUNDING,
        phase="laid",
        when=_floats,
        ulp=2,
        note="two numbers become one before the step begins",
    ),
)
