"""Activations by name, with the initialiser that suits each, and those that are more than one card."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.node import Node
from graphc.ir.origin import here, scope
from graphc.ops import activations as cards
from graphc.ops import math
from graphc.ops.card import as_nodes
from graphc.ops.compare import where
from graphc.ops.leaves import param
from graphc.ops.nn import log_softmax, softmax
from graphc.ops.shape import normal_axis

HE, LECUN, XAVIER = "he_normal", "lecun_normal", "xavier_uniform"
"""He et al. 2015 for what passes half its input; LeCun's for selu; Glorot's where the slope at 0 is near 1."""


def softplus(x: Any, beta: float = 1.0, threshold: float | None = None) -> Node:
    """A smooth relu: log(1 + exp(β x)) / β, without overflow.

    Args:
        x: float[...].
        beta: β, above 0: how sharply it bends.
        threshold: above β x > threshold the value is x itself and the slope 1, as PyTorch's default of 20 has it. Not
            needed here: without one the value is right everywhere.

    Raises:
        ArgumentError: a β that is not above 0.

    Example:
        >>> import graphc as gx
        >>> float(gx.compile(gx.nn.softplus(gx.input("x", ()), beta=2))(1000.0))
        1000.0
    """
    if isinstance(beta, bool) or not isinstance(beta, (int, float)) or not beta > 0:
        raise ArgumentError("the beta of softplus is above 0", given=repr(beta)[:60])
    (x,) = as_nodes((x,))
    smooth: Node = math.softplus(x) if beta == 1 else math.softplus(x * beta) / beta
    return smooth if threshold is None else where(x * beta > threshold, x, smooth)


def softmin(x: Any, axis: int = -1) -> Node:
    """exp(-x) / Σ exp(-x) along an axis: the softmax of -x.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", (2,))
        >>> gx.compile(gx.nn.softmin(x))([1.0, 1.0])
        array([0.5, 0.5], dtype=float32)
    """
    (x,) = as_nodes((x,))
    return softmax(-x, axis=axis)


def glu(x: Any, axis: int = -1) -> Node:
    """A gated linear unit: a σ(b), where a and b are the first and the second half of x along an axis.

    Raises:
        ShapeError: the axis has no even size that is an int.

    Example:
        >>> import graphc as gx
        >>> gx.nn.glu(gx.input("x", ("n", 6))).shape
        (n, 3)

    Source: Dauphin et al. 2017, eq. 1.
    """
    (x,) = as_nodes((x,))
    axis = normal_axis(axis, x)
    size = x.shape[axis]
    if not isinstance(size, int) or size % 2:
        raise ShapeError("glu halves an axis of an even size", given=f"axis {axis} of {x.type}", where=here())
    before = (slice(None),) * axis
    gated: Node = x[(*before, slice(size // 2))] * math.sigmoid(x[(*before, slice(size // 2, None))])
    return gated


def prelu(x: Node, *, axis: int | None = None, init: Any = 0.25, name: str | None = None) -> Node:
    """A relu with a trained slope below 0: x above 0, a x below.

    Args:
        x: float[...].
        axis: one slope for each place of this axis, whose size is an int; None for one slope in all.
        init: how the slopes start.
        name: the layer's name; its parameter is ``name.slope``.

    Raises:
        ShapeError: there is no such axis, or its size is not an int.

    Example:
        >>> import graphc as gx
        >>> y = gx.nn.prelu(gx.input("x", ("n", 3)), axis=-1, name="p")
        >>> gx.graph_of(y).leaves("param")
        (<param p.slope: float32[3]>,)

    Source: He et al. 2015, eq. 1; the start of 0.25 is theirs.
    """
    with scope(name, "prelu"):
        if axis is None:
            return _prelu(x, param("slope", (), init=init, dtype=x.dtype))
        at = normal_axis(axis, x)
        if not isinstance(x.shape[at], int):
            raise ShapeError(
                "the size of this axis is a size of the slopes, so it is an int", given=str(x.type)
            )
        shape = (x.shape[at], *(1,) * (x.ndim - 1 - at))
        return _prelu(x, param("slope", shape, init=init, dtype=x.dtype))


def _prelu(x: Node, slope: Node) -> Node:
    node: Node = cards.prelu(x, slope)
    return node.named("h")


ACTIVATIONS: Mapping[str, Callable[[Any], Node]] = MappingProxyType(
    {
        "relu": math.relu,
        "leaky_relu": math.leaky_relu,
        "prelu": prelu,
        "relu6": cards.relu6,
        "elu": math.elu,
        "selu": cards.selu,
        "celu": cards.celu,
        "gelu": math.gelu,
        "gelu_tanh": cards.gelu_tanh,
        "silu": math.silu,
        "swish": math.silu,
        "mish": cards.mish,
        "softplus": softplus,
        "sigmoid": math.sigmoid,
        "log_sigmoid": cards.log_sigmoid,
        "hard_sigmoid": cards.hard_sigmoid,
        "tanh": math.tanh,
        "hard_tanh": cards.hard_tanh,
        "hard_swish": cards.hard_swish,
        "softsign": cards.softsign,
        "tanhshrink": cards.tanhshrink,
        "softshrink": cards.softshrink,
        "hardshrink": cards.hardshrink,
        "threshold": cards.threshold,
        "softmax": softmax,
        "log_softmax": log_softmax,
        "softmin": softmin,
        "glu": glu,
    }
)
"""What ``activation="..."`` can name; any function of a node does as well."""

_RECTIFIERS = ("relu", "leaky_relu", "prelu", "relu6", "elu", "celu")
_SMOOTH = ("gelu", "gelu_tanh", "silu", "swish", "mish", "hard_swish")

_INITIALISERS = {**dict.fromkeys((*_RECTIFIERS, *_SMOOTH), HE), "selu": LECUN}


def activation_of(activation: str | Callable[[Node], Node] | None) -> Callable[[Node], Node] | None:
    """The function that an ``activation=`` names."""
    if activation is None or callable(activation):
        return activation
    if activation not in ACTIVATIONS:
        near = difflib.get_close_matches(str(activation), ACTIVATIONS, n=1)
        raise ArgumentError(
            f"there is no activation named {activation!r}",
            expected=f"a function, or one of the {len(ACTIVATIONS)} names of nn.ACTIVATIONS, such as relu, gelu, tanh",
            where=here(),
            fix=f"did you mean {near[0]!r}?" if near else None,
        )
    return ACTIVATIONS[activation]


def initialiser_for(activation: Any) -> str:
    """The initialiser that suits the weights before an activation; a function is found by its name in the table."""
    name = next((n for n, f in ACTIVATIONS.items() if f is activation), activation)
    return _INITIALISERS.get(name, XAVIER) if isinstance(name, str) else XAVIER
