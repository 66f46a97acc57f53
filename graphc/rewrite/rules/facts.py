"""Rules that need a fact: cancelling, inverse functions, and plain forms where a range makes stable ones needless.

REWRITES 46-50 and 52. A rule here says in ``when`` which fact is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.ops.arith import divide, square
from graphc.ops.card import constant
from graphc.ops.math import (
    exp,
    expm1,
    log,
    log1mexp,
    log1p,
    reciprocal,
    sigmoid,
    softplus,
    sqrt,
    tanh,
)
from graphc.ops.nn import log_softmax_op, logsumexp_op, softmax_op
from graphc.ops.reduce import sum_op
from graphc.ops.trig import arcsinh, arctanh, sinh
from graphc.rewrite.facts import Facts, facts_of
from graphc.rewrite.rule import EXACT, FACT, ROUNDING, Match, Rule
from graphc.rewrite.rules.holes import AXIS, KEEP, x, y
from graphc.rewrite.subdivision import within

Holds = Callable[[Facts], bool]

_LARGEST_EXP = {"float32": 80.0, "float64": 700.0}


def _known(hole: str, words: str, holds: Holds) -> Callable[[Match], str | None]:
    """``when``: a fact about what a hole stands for."""

    def when(m: Match) -> str | None:
        found = facts_of(m.nodes[hole])
        return None if holds(found) else f"{hole} is not known to be {words}: it is in {found}"

    return when


def _between(low: float, high: float) -> Holds:
    return lambda f: not f.range.nan and low <= f.range.low and f.range.high <= high


NONNEGATIVE = _known("x", "at least 0", _between(0.0, float("inf")))
FINITE = _known("x", "finite", lambda f: f.finite)


def _cancels(m: Match) -> str | None:
    divisor, product = facts_of(m.x), facts_of(m.root.inputs[0])
    if not divisor.finite or not divisor.nonzero:
        return f"x is not known to be finite and nonzero: it is in {divisor}"
    return None if product.finite else f"the product is not known to be finite: it is in {product}"


def _fact(name: str, left: Any, right: Any, when: Any, fact: str, **rest: Any) -> Rule:
    return Rule(name, left, right, FACT, when=when, fact=fact, grows=True, **rest)


def _zero(m: Match) -> Any:
    return constant(0.0, m.root.dtype)


def _one(m: Match) -> Any:
    return constant(1.0, m.root.dtype)


def _finite_nonzero(m: Match) -> str | None:
    found = facts_of(m.x)
    known = found.finite and found.nonzero
    return None if known else f"x is not known to be finite and nonzero: it is in {found}"


_KNOWN = "x is at least 0"

CANCELLING = (
    _fact("sub-self", x - x, _zero, FINITE, "x is finite"),
    _fact("div-self", x / x, _one, _finite_nonzero, "x is finite and not 0"),
    _fact("cancel", (x * y) / x, y, _cancels, "x is not 0 and x y is finite"),
    _fact("cancel-square", square(x) / x, x, _cancels, "x is not 0 and x² is finite"),
)

INVERSES = (
    _fact("exp-log", exp(log(x)), x, NONNEGATIVE, _KNOWN),
    _fact("expm1-log", expm1(log(x)), x - 1.0, NONNEGATIVE, _KNOWN),
    _fact("square-sqrt", square(sqrt(x)), x, NONNEGATIVE, _KNOWN),
    _fact("softplus-log", softplus(log(x)), log1p(x), NONNEGATIVE, _KNOWN),
    _fact("log1mexp-log", log1mexp(log(x)), log1p(-x), NONNEGATIVE, _KNOWN),
    _fact(
        "tanh-arctanh",
        tanh(arctanh(x)),
        x,
        _known("x", "between -1 and 1", _between(-1.0, 1.0)),
        "x is between -1 and 1",
    ),
    _fact(
        "exp-log1mexp",
        exp(log1mexp(x)),
        -expm1(x),
        _known("x", "at most 0", _between(-float("inf"), 0.0)),
        "x is at most 0",
    ),
    _fact(
        "sigmoid-logit",
        sigmoid(log(x / (1 - x))),
        x,
        _known("x", "between 0 and 1", _between(0.0, 1.0)),
        "x is between 0 and 1",
    ),
    _fact(
        "log-reciprocal",
        log(reciprocal(x)),
        -log(x),
        _known("x", "at least 1e-30", _between(1e-30, float("inf"))),
        "1/x does not overflow",
    ),
    Rule(
        "sinh-arcsinh", sinh(arcsinh(x)), x, ROUNDING, ulp=2048, grows=True, note="sinh enlarges a rounding"
    ),
)


# -- stable forms that a range makes needless: emitted as they are written --------------------------------------------


def _small(m: Match) -> str | None:
    """Whether exp of it neither overflows nor vanishes; a nan is one in either form."""
    limit = _LARGEST_EXP[m.root.dtype]
    if within(m.x, -limit, limit):
        return None
    return f"x is not known to be within ±{limit:g}: it is in {facts_of(m.x)}"


def _plain_softplus(m: Match) -> Any:
    """The logarithm itself where its argument keeps its digits: the sum serves the sigmoid as well."""
    e = exp(m.x)
    return log(1.0 + e) if within(m.x, -2.0, _LARGEST_EXP[m.root.dtype]) else log1p(e)


def _small_rows(m: Match) -> str | None:
    """The same of a row, whose sum of exponentials may be as much larger as it is long."""
    if not all(isinstance(m.x.shape[a], int) and 0 < m.x.shape[a] <= 1000 for a in _axes(m.axis)):
        return "the length of a row is not known, or above 1000"
    return _small(m)


def _axes(axis: Any) -> tuple[int, ...]:
    return axis if isinstance(axis, tuple) else (axis,)


def _plain_softmax(m: Match) -> Any:
    e = exp(m.x)
    return divide(e, sum_op(e, axis=_axes(m.axis), keepdims=True))


def _plain_log_softmax(m: Match) -> Any:
    return m.x - log(sum_op(exp(m.x), axis=_axes(m.axis), keepdims=True))


def _plain(name: str, left: Any, right: Any, when: Any) -> Rule:
    return _fact(name, left, right, when, "the range makes the stable form needless", phase="plain")


PLAIN = (
    _plain("plain-softplus", softplus(x), _plain_softplus, _small),
    _plain("plain-sigmoid", sigmoid(x), exp(x) / (1.0 + exp(x)), _small),
    _plain(
        "plain-logsumexp",
        logsumexp_op(x, axis=AXIS, keepdims=KEEP),
        log(sum_op(exp(x), axis=AXIS, keepdims=KEEP)),
        _small_rows,
    ),
    _plain("plain-softmax", softmax_op(x, axis=AXIS), _plain_softmax, _small_rows),
    _plain("plain-log-softmax", log_softmax_op(x, axis=AXIS), _plain_log_softmax, _small_rows),
)

ASSUMED = Rule(
    "assumed",
    None,
    lambda m: m.root.inputs[0],
    EXACT,
    phase="code",
    cards=lambda op: op.role == "assume",
    note="what is known of a value is not computed",
)

RULES: tuple[Rule, ...] = (*CANCELLING, *INVERSES, *PLAIN, ASSUMED)
