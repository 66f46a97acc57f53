"""Exponentials, logarithms and activations. Each derivative is found by SymPy from the formula."""

from __future__ import annotations

from typing import Any

from graphc.ir.node import Node
from graphc.ops.card import POSITIVE, pointwise

SHORT_ROW = 512
"""So long a row is compared with zeros of its own; longer ones all with the same."""

exp = pointwise("exp", "exp(x)", "np.exp({x})", properties="positive", noun="e", latex="e^{{{x}}}", cost=0.61)
log = pointwise("log", "log(x)", "np.log({x})", domain=(POSITIVE,), noun="logs", latex=r"\log {x}", cost=0.45)
log1p = pointwise(
    "log1p", "log1p(x)", "np.log1p({x})", domain=((-0.5, 3.0),), latex=r"\log(1 + {x})", cost=0.56
)
expm1 = pointwise("expm1", "expm1(x)", "np.expm1({x})", latex="e^{{{x}}} - 1", cost=0.46)
exp2 = pointwise("exp2", "2 ** x", "np.exp2({x})", properties="positive", latex="2^{{{x}}}", cost=0.33)
log2 = pointwise(
    "log2", "log(x) / log(2)", "np.log2({x})", domain=(POSITIVE,), latex=r"\log_2 {x}", cost=0.33
)
log10 = pointwise(
    "log10", "log(x) / log(10)", "np.log10({x})", domain=(POSITIVE,), latex=r"\log_{{10}} {x}", cost=2.0
)
reciprocal = pointwise("reciprocal", "1 / x", domain=(POSITIVE,), latex=r"\frac{{1}}{{{x}}}", cost=0.19)
rsqrt = pointwise("rsqrt", "1 / sqrt(x)", domain=(POSITIVE,), latex=r"\frac{{1}}{{\sqrt{{{x}}}}}", cost=0.6)
sqrt = pointwise(
    "sqrt", "sqrt(x)", "np.sqrt({x})", domain=(POSITIVE,), noun="root", latex=r"\sqrt{{{x}}}", cost=0.37
)
sin = pointwise("sin", "sin(x)", "np.sin({x})", latex=r"\sin {x}", cost=0.74)
cos = pointwise("cos", "cos(x)", "np.cos({x})", latex=r"\cos {x}", cost=0.74)
tanh = pointwise("tanh", "tanh(x)", "np.tanh({x})", latex=r"\tanh {x}", cost=0.4)
erf = pointwise(
    "erf",
    "erf(x)",
    "_erf({x})",
    into="_erf({x}, out={out})",
    helpers=("_erf",),
    latex=r"\operatorname{{erf}} {x}",
    cost=4.0,
)

sigmoid = pointwise(
    "sigmoid",
    "1 / (1 + exp(-x))",
    "_sigmoid({x})",
    into="_sigmoid({x}, out={out})",
    helpers=("_sigmoid",),
    properties="positive",
    latex=r"\sigma({x})",
    cost=1.0,
)
softplus = pointwise(
    "softplus",
    "log(1 + exp(x))",
    "_softplus({x})",
    into="_softplus({x}, out={out})",
    partials=("sigmoid(x)",),
    helpers=("_softplus",),
    properties="positive",
    latex=r"\operatorname{{softplus}}({x})",
    cost=2.2,
)
xlogx = pointwise(
    "xlogx",
    "x * log(x)",
    "_xlogx({x})",
    helpers=("_xlogx",),
    domain=(POSITIVE,),
    latex=r"{x} \odot \log {x}",
    cost=3.0,
)
# 0 log 0 = 0, and so is its slope in y there; the slope in x is log(y) everywhere
xlogy = pointwise(
    "xlogy",
    "x * log(y)",
    "_xlogy({x}, {y})",
    operands="x y",
    partials=("log(y)", "x / where(x == 0, 1, y)"),
    helpers=("_xlogy",),
    domain=((-2.0, 2.0), POSITIVE),
    latex=r"{x} \odot \log {y}",
    cost=6.5,
    doc="x log(y), 0 where x is 0.",
)
logaddexp = pointwise(
    "logaddexp",
    "log(exp(x) + exp(y))",
    "np.logaddexp({x}, {y})",
    operands="x y",
    partials=("sigmoid(x - y)", "sigmoid(y - x)"),
    properties="commutative",
    latex=r"\log(e^{{{x}}} + e^{{{y}}})",
    cost=25.0,
    doc="log(exp(x) + exp(y)) without overflow.",
)
log1mexp = pointwise(
    "log1mexp",
    "log(1 - exp(x))",
    "_log1mexp({x})",
    # x <= 0, so |x| = -x, and the slope at 0 has its sign
    partials=("-1 / expm1(abs(x))",),
    helpers=("_log1mexp",),
    domain=((-3.0, -0.2),),
    latex=r"\log(1 - e^{{{x}}})",
    cost=4.0,
)
sigmoid_cross_entropy = pointwise(
    "sigmoid_cross_entropy",
    "softplus(x) - t * x",
    "_sigmoid_cross_entropy({x}, {t})",
    operands="x t",
    partials=("sigmoid(x) - t", "-x"),
    helpers=("_sigmoid_cross_entropy",),
    latex=r"-{t} \odot \log\sigma({x}) - (1 - {t}) \odot \log\sigma(-{x})",
    cost=3.0,
)


def _relu_into(operands: Any, out: str, node: Node, hoist: Any) -> list[str]:
    """The larger of two arrays takes a third of the time that an array and a number take, in rows that are not cut."""
    second = "0"
    if node.ndim == 2 and isinstance(node.shape[0], int) and not isinstance(node.shape[1], int):
        units, rows = node.shape
        second = hoist(
            f"np.zeros(({units} if {rows} <= {SHORT_ROW} else 1, {rows}), np.{node.dtype})", "zeros"
        )
    return [f"np.maximum({operands[0]}, {second}, out={out})"]


# by the output: the mask needs nothing saved but what the next layer reads anyway; relu'(0) = 0
relu = pointwise(
    "relu",
    "where(x > 0, x, 0)",
    "np.maximum({x}, 0)",
    into=_relu_into,
    partials=("where(out > 0, 1, 0)",),
    latex=r"\operatorname{{relu}}({x})",
    cost=0.48,
)
leaky_relu = pointwise(
    "leaky_relu",
    "where(x > 0, x, negative_slope * x)",
    attrs={"negative_slope": 0.01},
    latex=r"\operatorname{{leaky\_relu}}({x})",
)
elu = pointwise(
    "elu",
    "where(x > 0, x, alpha * expm1(where(x > 0, 0, x)))",
    partials=("where(x > 0, 1, out + alpha)",),  # by the output: alpha exp(x) = out + alpha
    attrs={"alpha": 1.0},
    latex=r"\operatorname{{elu}}({x})",
)
# SymPy moves the root inside erf, so that it would be computed twice; this form shares it with the forward pass
gelu = pointwise(
    "gelu",
    "x * ((1 + erf(x / sqrt(2))) / 2)",
    partials=("(1 + erf(x / sqrt(2))) / 2 + x * exp(-(x ** 2) / 2) / sqrt(2 * pi)",),
    latex=r"\operatorname{{gelu}}({x})",
)
# out * (1 - sigmoid(x)) would carry the rounding of 1 - sigmoid(x), enlarged by x
silu = pointwise(
    "silu",
    "x * sigmoid(x)",
    partials=("sigmoid(x) + out * sigmoid(-x)",),
    latex=r"\operatorname{{silu}}({x})",
)

CARDS = (
    exp,
    log,
    log1p,
    expm1,
    exp2,
    log2,
    log10,
    reciprocal,
    rsqrt,
    sqrt,
    sin,
    cos,
    tanh,
    erf,
    sigmoid,
    softplus,
    xlogx,
    xlogy,
    logaddexp,
    log1mexp,
    sigmoid_cross_entropy,
    relu,
    leaky_relu,
    elu,
    gelu,
    silu,
)
