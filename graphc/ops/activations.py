"""Activations beyond those of ``math``: each is its equation, and a derivative that is stable at the extremes.

In the equations a nan stays one: a choice by comparison ends with x, not with a constant.
"""

from __future__ import annotations

from graphc.ops.card import POSITIVE, pointwise

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
"""Fixed points of mean 0 and variance 1 (Klambauer et al. 2017, appendix)."""

# a choice by the output: the mask needs nothing saved but what the next layer reads anyway
relu6 = pointwise(
    "relu6",
    "minimum(maximum(x, 0), 6)",
    partials=("where(out > 0, where(out < 6, 1, 0), 0)",),
    domain=((0.2, 5.5),),
    latex=r"\operatorname{{relu6}}({x})",
    doc="min(max(x, 0), 6).",
)
# the slope at 0 is that of the left side
prelu = pointwise(
    "prelu",
    "where(x > 0, x, slope * x)",
    operands="x slope",
    domain=(POSITIVE, (-2.0, 2.0)),
    latex=r"\operatorname{{prelu}}({x}, {slope})",
    doc="x above 0, slope times x below; the slope is trained (He et al. 2015).",
)
selu = pointwise(
    "selu",
    "scale * where(x > 0, x, alpha * expm1(where(x > 0, 0, x)))",
    partials=("where(x > 0, scale, out + scale * alpha)",),  # by the output, as elu's
    attrs={"alpha": SELU_ALPHA, "scale": SELU_SCALE},
    domain=(POSITIVE,),
    latex=r"\operatorname{{selu}}({x})",
    doc="Klambauer et al. 2017; after weights of LeCun's variance, activations keep mean 0 and variance 1.",
)
# smooth at 0 for every alpha, unlike elu: the slope there is 1
celu = pointwise(
    "celu",
    "where(x > 0, x, alpha * expm1(where(x > 0, 0, x) / alpha))",
    partials=("where(x > 0, 1, out / alpha + 1)",),
    attrs={"alpha": 1.0},
    domain=(POSITIVE,),
    latex=r"\operatorname{{celu}}({x})",
    doc="Barron 2017: elu with a slope of 1 at 0 whatever alpha.",
)
# (1 + tanh(u)) / 2 = sigmoid(2 u), which keeps the left tail. Where |x| > 30 it has rounded to 0 or 1 long since, so
# the square stops there: infinity times a slope of 0 would be nan.
_GELU_SQUARE = "0.044715 * minimum(abs(x), 30) ** 2"
_GELU_ARGUMENT = f"sqrt(8 / pi) * x * (1 + {_GELU_SQUARE})"
_GELU_RATE = f"sqrt(8 / pi) * (1 + 3 * ({_GELU_SQUARE}))"
_GELU_SLOPE = f"sigmoid({_GELU_ARGUMENT}) + out * sigmoid(-({_GELU_ARGUMENT})) * ({_GELU_RATE})"
gelu_tanh = pointwise(
    "gelu_tanh",
    f"x * sigmoid({_GELU_ARGUMENT})",
    partials=(_GELU_SLOPE,),
    latex=r"\operatorname{{gelu\_tanh}}({x})",
    cost=4.0,
    doc="x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), which is near gelu (Hendrycks and Gimpel 2016).",
)
# 1 - tanh(softplus(x))^2 would cancel; with q = sigmoid(-x) it is 4 q^2 / (1 + q^2)^2
mish = pointwise(
    "mish",
    "x * tanh(softplus(x))",
    partials=("tanh(softplus(x)) + x * (4 * sigmoid(x) * (sigmoid(-x) / (1 + sigmoid(-x) ** 2)) ** 2)",),
    latex=r"\operatorname{{mish}}({x})",
    cost=5.0,
    doc="Misra 2019.",
)
softsign = pointwise(
    "softsign",
    "x / (1 + abs(x))",
    partials=("(1 / (1 + abs(x))) ** 2",),
    domain=(POSITIVE,),
    latex=r"\frac{{{x}}}{{1 + |{x}|}}",
)
log_sigmoid = pointwise(
    "log_sigmoid",
    "-softplus(-x)",
    partials=("sigmoid(-x)",),
    latex=r"\log\sigma({x})",
    cost=2.5,
    doc="log(sigmoid(x)), exact at both ends.",
)
# at their corners the slope is 0
hard_sigmoid = pointwise(
    "hard_sigmoid",
    "minimum(maximum(slope * x + offset, 0), 1)",
    partials=("where(out > 0, where(out < 1, slope, 0), 0)",),
    attrs={"slope": 1 / 6, "offset": 0.5},
    latex=r"\operatorname{{hard\_sigmoid}}({x})",
    doc="min(max(x/6 + 1/2, 0), 1); ONNX and Keras 2 have slope=0.2.",
)
hard_tanh = pointwise(
    "hard_tanh",
    "minimum(maximum(x, low), high)",
    partials=("where(x > low, where(x < high, 1, 0), 0)",),
    attrs={"low": -1.0, "high": 1.0},
    domain=((-0.9, 0.9),),
    latex=r"\operatorname{{hard\_tanh}}({x})",
    doc="x between low and high.",
)
hard_swish = pointwise(
    "hard_swish",
    "x * minimum(maximum(x + 3, 0), 6) / 6",
    partials=("where(x > -3, where(x < 3, x / 3 + 1 / 2, 1), 0)",),
    latex=r"\operatorname{{hard\_swish}}({x})",
    doc="x times hard_sigmoid(x) (Howard et al. 2019).",
)
tanhshrink = pointwise(
    "tanhshrink",
    "x - tanh(x)",
    partials=("tanh(x) ** 2",),
    latex=r"{x} - \tanh {x}",
)
softshrink = pointwise(
    "softshrink",
    "x - minimum(maximum(x, -lambd), lambd)",
    partials=("where(abs(x) > lambd, 1, 0)",),
    attrs={"lambd": 0.5},
    domain=((0.6, 3.0),),
    latex=r"\operatorname{{softshrink}}({x})",
    doc="x moved towards 0 by lambd, and 0 within lambd of it.",
)
hardshrink = pointwise(
    "hardshrink",
    "where(abs(x) <= lambd, 0, x)",
    partials=("where(abs(x) > lambd, 1, 0)",),
    attrs={"lambd": 0.5},
    domain=((0.6, 3.0),),
    latex=r"\operatorname{{hardshrink}}({x})",
    doc="x, and 0 within lambd of 0.",
)
threshold = pointwise(
    "threshold",
    "where(x <= threshold, below, x)",
    partials=("where(x > threshold, 1, 0)",),
    attrs={"threshold": 1.0, "below": 0.0},
    domain=((1.1, 3.0),),
    latex=r"\operatorname{{threshold}}({x})",
    doc="x above the threshold, else below.",
)

CARDS = (
    relu6,
    prelu,
    selu,
    celu,
    gelu_tanh,
    mish,
    softsign,
    log_sigmoid,
    hard_sigmoid,
    hard_tanh,
    hard_swish,
    tanhshrink,
    softshrink,
    hardshrink,
    threshold,
)
