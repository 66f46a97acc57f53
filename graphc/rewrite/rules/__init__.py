"""The rule tables, in the order in which they are tried."""

from __future__ import annotations

from functools import cache

from graphc.rewrite.rule import Rule
from graphc.rewrite.rules import (
    algebra,
    buffers,
    collect,
    contract,
    cost,
    early,
    facts,
    functions,
    laid,
    loops,
    moments,
    places,
    pools,
    quotients,
    stabilize,
    structure,
)

RULES: tuple[Rule, ...] = (
    *algebra.RULES,
    *structure.RULES,
    *stabilize.RULES,
    *functions.RULES,
    *moments.RULES,
    *cost.RULES,
    *quotients.RULES,
    *contract.RULES,
    *collect.RULES,
    *places.RULES,
    *pools.RULES,
    *facts.RULES,
    *loops.RULES,
    *early.RULES,
    *buffers.RULES,
    *laid.RULES,
)


@cache
def rules_of(phase: str) -> tuple[Rule, ...]:
    """The rules of one phase, such as ``clean``, ``stabilise``, ``cost``, ``factor``, ``plain``, ``code``."""
    return tuple(rule for rule in RULES if rule.phase == phase)
