"""Stable forms of activations, of hyperbolic functions, and of logarithms of probabilities, as people write them."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ir.node import Node
from graphc.ir.pattern import AttrVar, Var
from graphc.ops.activations import gelu_tanh
from graphc.ops.arith import multiply, square
from graphc.ops.index import one_hot_op
from graphc.ops.losses import log_cosh
from graphc.ops.math import exp, log, log1p, sigmoid, softplus, tanh, xlogy
from graphc.ops.nn import log_softmax_op, softmax_op
from graphc.ops.reduce import sum_op
from graphc.ops.trig import cosh, sinh
from graphc.rewrite.rule import STABLE, Match, Rule, matched
from graphc.rewrite.rules.holes import AXIS, KEEP, c, d, x, y


def _stable(name: str, left: Any, right: Any, **rest: Any) -> Rule:
    return Rule(name, left, right, STABLE, phase="stabilise", grows=True, **rest)


# -- gelu by tanh -------------------------------------------------------------------------------------------------

_OUTER, _CUBIC = (2 / np.pi) ** 0.5, 0.044715

_CUBES = (d * (square(x) * x), (d * square(x)) * x, ((d * x) * x) * x)
_SQUARES = (d * square(x), (d * x) * x)

_ARGUMENTS = (
    *(c * (x + cube) for cube in _CUBES),
    *((c * x) * (1 + each) for each in _SQUARES),
    *(c * (x * (1 + each)) for each in _SQUARES),
)
"""sqrt(2/pi) (x + 0.044715 x³), as people write it; ``clean`` has made x**3 and x*x of one form before."""


def _value(node: Node) -> float:
    return float(node.attrs["value"].value)


def _is(node: Node, value: float) -> bool:
    """Whether a constant is this number, as far as its dtype holds it."""
    return abs(_value(node) - value) <= 2 * float(np.finfo(node.dtype).eps) * value


def _gelu_variable(argument: Node) -> Node | None:
    """The x of which this is the argument of tanh in gelu."""
    for pattern in _ARGUMENTS:
        found = matched(pattern, argument)
        if found is not None and _is(found.nodes["c"], _OUTER) and _is(found.nodes["d"], _CUBIC):
            return found.nodes["x"]
    return None


def _factor(node: Node, variable: Node) -> float | None:
    """k, where a node is k times the variable."""
    if node is variable:
        return 1.0
    for pattern, divided in ((x * c, False), (x / c, True)):
        found = matched(pattern, node)
        if found is not None and found.nodes["x"] is variable:
            number = _value(found.nodes["c"])
            return 1 / number if divided else number
    return None


def _gelu(m: Match) -> Any:
    """k x (1 + tanh(u)) is 2 k gelu(x), where u is the argument of gelu."""
    variable = _gelu_variable(m.y)
    factor = None if variable is None else _factor(m.x, variable)
    return m.root if factor is None else _scaled(gelu_tanh(variable), 2 * factor)


def _gelu_of_half(m: Match) -> Any:
    """x (k (1 + tanh(u))): the half stands before the sum."""
    return _scaled(gelu_tanh(m.x), 2 * _value(m.c)) if _gelu_variable(m.y) is m.x else m.root


def _scaled(node: Node, factor: float) -> Node:
    return node if factor == 1 else multiply(node, factor)


# -- logarithms of what underflows --------------------------------------------------------------------------------

_SMALL = (exp, sigmoid, softmax_op)


def _underflows(m: Match) -> str | None:
    """A product or ratio of probabilities is taken apart: each logarithm has a stable form of its own."""
    return None if {m.x.op, m.y.op} & set(_SMALL) else "neither is an exponential or a probability"


_TAKEN_APART = "never infinite by underflow; off by eps times the larger logarithm where the two cancel"


def _log(node: Node) -> Any:
    """The logarithm, in the stable form of what is known to underflow."""
    if node.op is exp:
        return node.inputs[0]
    if node.op is sigmoid:
        return -softplus(-node.inputs[0])
    if node.op is softmax_op:
        return log_softmax_op(node.inputs[0], axis=node.attrs["axis"])
    return log(node)


_labels = Var("y", lambda node: node.op is one_hot_op)


def _of_last_axis(m: Match) -> str | None:
    return None if m.axis == (m.root.inputs[0].inputs[0].ndim - 1,) else "the sum is not along the classes"


RULES: tuple[Rule, ...] = (
    _stable("gelu-tanh", x * (1 + tanh(y)), _gelu, note="its slope is 0 or 1 where x³ overflows, not nan"),
    _stable("gelu-tanh-half", x * (c * (1 + tanh(y))), _gelu_of_half),
    _stable("cosh", (exp(x) + exp(-x)) * 0.5, cosh(x)),
    _stable("cosh-divided", (exp(x) + exp(-x)) / 2.0, cosh(x)),
    _stable("sinh", (exp(x) - exp(-x)) * 0.5, sinh(x)),
    _stable("sinh-divided", (exp(x) - exp(-x)) / 2.0, sinh(x)),
    _stable("tanh-ratio", sinh(x) / cosh(x), tanh(x)),
    _stable("log-cosh", log(cosh(x)), log_cosh(x)),
    _stable("log-exp", log(exp(x)), x),
    _stable("sigmoid-by-exp", sigmoid(-x) * exp(x), sigmoid(x)),
    _stable("sigmoid-by-exp-minus", sigmoid(x) * exp(-x), sigmoid(-x)),
    _stable("odds", sigmoid(x) / (1 - sigmoid(x)), exp(x)),
    _stable("softplus-difference", softplus(x) - softplus(-x), x),
    _stable("softplus-difference-minus", softplus(-x) - softplus(x), -x),
    _stable("log-ratio", log(x / y), lambda m: _log(m.x) - _log(m.y), when=_underflows, note=_TAKEN_APART),
    _stable("log-product", log(x * y), lambda m: _log(m.x) + _log(m.y), when=_underflows, note=_TAKEN_APART),
    _stable("log1p-minus-sigmoid", log1p(-sigmoid(x)), -softplus(x)),
    _stable("xlogy-sigmoid", xlogy(y, sigmoid(x)), -(softplus(-x) * y)),
    _stable("xlogy-one-minus-sigmoid", xlogy(y, 1 - sigmoid(x)), -(softplus(x) * y)),
    _stable(
        "xlogy-softmax",
        xlogy(y, softmax_op(x, axis=AXIS)),
        lambda m: multiply(m.y, log_softmax_op(m.x, axis=m.axis)),
    ),
    _stable(
        "log-picked-by-label",
        log(sum_op(_labels * softmax_op(x, axis=AttrVar("classes")), axis=AXIS, keepdims=KEEP)),
        lambda m: sum_op(
            multiply(m.y, log_softmax_op(m.x, axis=m.classes)), axis=m.axis, keepdims=m.keepdims
        ),
        when=_of_last_axis,
        note="one term of the sum is not 0",
    ),
)
