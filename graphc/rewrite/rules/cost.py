"""Rewrites that only save time: REWRITES 17, 36-38."""

from __future__ import annotations

from graphc.ir.pattern import Var
from graphc.ops.compare import greater, where
from graphc.rewrite.rule import HARMLESS, ROUNDING, Rule
from graphc.rewrite.rules.holes import s, x
from graphc.rewrite.rules.structure import COST

_one_hot_rows = Var("y", lambda node: "one_hot" in node.op.properties)

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
        "times-reciprocal",
        x * (1 / s),
        x / s,
        ROUNDING,
        phase="cost",
        ulp=1,
        note="one rounding instead of two",
    ),
)
