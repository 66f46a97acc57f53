"""Quotients, powers, logarithms and bounds with less to do: REWRITES 45-47, 49-50, 52 and 56."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np

from graphc.ir.node import Node
from graphc.ir.pattern import Var
from graphc.ops.arith import abs as absolute
from graphc.ops.arith import divide, maximum_op, minimum_op, multiply, power, square
from graphc.ops.card import constant
from graphc.ops.math import exp, log, relu, sqrt
from graphc.ops.reduce import sum_op
from graphc.rewrite.facts import Facts, facts_of
from graphc.rewrite.rule import EXACT, FACT, ROUNDING, STABLE, Match, Rule
from graphc.rewrite.rules.holes import c, d, x, y, z

_ANY = float("inf")

# -- quotients, powers and logarithms -----------------------------------------------------------------------------

_ROOM = {"float32": 1e15, "float64": 1e150}


def _away(found: Facts, dtype: str) -> bool:
    """Whether a divisor is neither so small nor so large that its product with another leaves the range."""
    low, high = sorted((abs(found.range.low), abs(found.range.high)))
    room = _ROOM[dtype]
    one_sign = found.range.low > 0 or found.range.high < 0
    return one_sign and not found.range.nan and low >= 1 / room and high <= room


def _divisors_known(m: Match) -> str | None:
    if not m.root.type.is_float:
        return "integers are divided otherwise"
    for hole in ("y", "z"):
        found = facts_of(m.nodes[hole])
        if not _away(found, m.root.dtype):
            return f"{hole} is not known to be away from 0 and infinity: it is in {found}"
    return None


def _inverse(m: Match) -> float | None:
    """1/c, where it is a number with all its digits, and none that is named as a quotient for its own sake."""
    number = m.c.attrs["value"].value
    info = np.finfo(m.root.dtype)
    with np.errstate(all="ignore"):
        inverse = np.divide(1, number, dtype=m.root.dtype)
    return float(inverse) if info.tiny <= abs(inverse) <= info.max else None


def _worth_inverting(m: Match) -> str | None:
    if not m.root.type.is_float or m.root.shape == ():
        return "it is one division"
    return None if _inverse(m) is not None else "1/c is not a normal number"


def _is_power_of_two(m: Match) -> str | None:
    reason = _worth_inverting(m)
    if reason is not None:
        return reason
    if m.x.op is sum_op:
        return "a mean is written as one"
    return None if abs(math.frexp(float(m.c.attrs["value"].value))[0]) == 0.5 else "c is not a power of two"


def _times_inverse(m: Match) -> Node:
    inverse = _inverse(m)
    assert inverse is not None
    result: Node = multiply(m.x, constant(inverse, m.root.dtype))
    return result


_w = Var("w")


def _factored(m: Match) -> Node | None:
    """x (a ± b) for a sum of two products with a factor in common."""
    first, second = ([m.x, m.y], [m.z, m.w])
    common = next((n for n in first if n in second), None)
    if common is None:
        return None
    first.remove(common)
    second.remove(common)
    result: Node = multiply(common, m.root.op(first[0], second[0]))
    return result


def _small_exponents(m: Match) -> str | None:
    ranges = [facts_of(m.nodes[hole]).range for hole in ("x", "y")]
    if any(r.nan for r in ranges):
        return "the exponents are not known to be numbers"
    low, high = sum(r.low for r in ranges), sum(r.high for r in ranges)
    known = low >= -6 and high <= 6 and all(r.low >= -80 and r.high <= 80 for r in ranges)
    return None if known else f"x + y is not known to be within ±6: it is in [{low:g}, {high:g}]"


def _positive(m: Match) -> str | None:
    found = facts_of(m.x)
    known = not found.range.nan and found.range.low > 0 and found.finite
    return None if known else f"x is not known to be above 0 and finite: it is in {found}"


# -- bounds -------------------------------------------------------------------------------------------------------

_e = Var("e", c.accepts)


def _number(node: Node) -> float:
    return float(node.attrs["value"].value)


def _ordered(*holes: str) -> Callable[[Match], str | None]:
    """Bounds that are told apart by <: no nan, and not 0 beside -0."""

    def when(m: Match) -> str | None:
        bounds = [_number(m.nodes[h]) for h in holes]
        apart = all(a != b and a == a and b == b for a, b in itertools.combinations(bounds, 2))
        return None if apart else "the bounds are equal, or no numbers"

    return when


def _limits_apart(m: Match) -> str | None:
    lower, upper, inner = (_number(m.nodes[h]) for h in ("c", "d", "e"))
    if not lower < upper:
        return "the lower bound is not below the upper one"
    return (
        None if inner == inner and (lower != inner or lower != 0) else "the bounds are equal, or no numbers"
    )


def _not_zero(m: Match) -> str | None:
    bound = _number(m.c)
    return None if bound < 0 or bound > 0 else "the bound is 0 or no number"


def _below(m: Match) -> str | None:
    return _not_zero(m) or (None if _number(m.c) < _number(m.d) else "the lower bound is not below the upper")


def _merged_limits(m: Match) -> Node:
    lower = m.c if _number(m.c) >= _number(m.e) else m.e
    result: Node = minimum_op(m.d, maximum_op(lower, m.x))
    return result


# -- the tables ---------------------------------------------------------------------------------------------------

QUOTIENTS = (
    Rule(
        "divide-twice",
        (x / y) / z,
        lambda m: divide(m.x, multiply(m.y, m.z)),
        FACT,
        phase="cost",
        when=_divisors_known,
        fact="the product of the divisors is a normal number",
    ),
    Rule(
        "divide-by-power-of-two",
        x / c,
        _times_inverse,
        EXACT,
        phase="code",
        when=_is_power_of_two,
        note="its inverse has all digits, and a product costs half",
    ),
    Rule(
        "divide-by-number",
        x / c,
        _times_inverse,
        ROUNDING,
        phase="code",
        when=_worth_inverting,
        ulp=2,
        fast=True,
        note="a product costs half of a quotient; at fast only, since it rounds twice",
    ),
    Rule("factor", (x * y) + (z * _w), _factored, ROUNDING, phase="factor", ulp=_ANY),
    Rule("factor-minus", (x * y) - (z * _w), _factored, ROUNDING, phase="factor", ulp=_ANY),
)

POWERS = (
    Rule("one-over-exp", 1 / exp(x), exp(-x), STABLE, phase="stabilise", note="it does not overflow first"),
    Rule(
        "exp-product",
        exp(x) * exp(y),
        lambda m: exp(m.x + m.y),
        FACT,
        phase="cost",
        when=_small_exponents,
        fact="x + y is within ±6: its rounding is enlarged 6 times at most",
    ),
    Rule(
        "log-power",
        log(power(x, y)),
        lambda m: multiply(m.y, log(m.x)),
        FACT,
        phase="cost",
        when=_positive,
        fact="x is above 0 and finite",
    ),
    Rule(
        "log-square", log(square(x)), 2 * log(absolute(x)), STABLE, phase="stabilise", note="x² may overflow"
    ),
    Rule("log-root", log(sqrt(x)), 0.5 * log(x), STABLE, phase="stabilise", note="√x near 1 loses digits"),
)

BOUNDS = (
    Rule(
        "larger-bound",
        maximum_op(c, maximum_op(d, x)),
        lambda m: maximum_op(m.c if _number(m.c) > _number(m.d) else m.d, m.x),
        EXACT,
        when=_ordered("c", "d"),
    ),
    Rule(
        "smaller-bound",
        minimum_op(c, minimum_op(d, x)),
        lambda m: minimum_op(m.c if _number(m.c) < _number(m.d) else m.d, m.x),
        EXACT,
        when=_ordered("c", "d"),
    ),
    Rule(
        "relu-bound",
        maximum_op(c, relu(x)),
        lambda m: maximum_op(m.c, m.x) if _number(m.c) > 0 else relu(m.x),
        EXACT,
        when=_not_zero,
    ),
    Rule(
        "clip-relu",
        maximum_op(c, minimum_op(d, relu(x))),
        lambda m: minimum_op(m.d, maximum_op(m.c, relu(m.x))),
        EXACT,
        when=_below,
        note="so that the two lower bounds meet",
    ),
    Rule(
        "clip-clip",
        maximum_op(c, minimum_op(d, maximum_op(_e, x))),
        _merged_limits,
        EXACT,
        when=_limits_apart,
    ),
)

RULES: tuple[Rule, ...] = (*BOUNDS, *POWERS, *QUOTIENTS)
