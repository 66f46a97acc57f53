"""Rewrites that only save time: REWRITES 17, 36-38."""

from __future__ import annotations

from graphc.rewrite.rule import ROUNDING, Rule
from graphc.rewrite.rules.holes import s, x
from graphc.rewrite.rules.structure import COST

RULES: tuple[Rule, ...] = (
    *COST,
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
