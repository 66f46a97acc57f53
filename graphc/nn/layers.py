"""Layers: each makes its parameters and returns a node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.ir.node import Node, describe
from graphc.ir.origin import here, in_layer, scope
from graphc.nn.activations import activation_of, initialiser_for
from graphc.ops.contract import matmul
from graphc.ops.effects import by_mode
from graphc.ops.leaves import param
from graphc.ops.random import KEEP_BITS, bernoulli
from graphc.ops.shape import astype


def dense(
    x: Node,
    units: int,
    activation: str | Callable[[Node], Node] | None = None,
    *,
    bias: bool = True,
    init: Any = None,
    bias_init: Any = "zeros",
    name: str | None = None,
) -> Node:
    """A fully connected layer: h = φ(x W + b).

    Args:
        x: float[..., n]; n is an int.
        units: the number of outputs.
        activation: φ, by name or as a function of a node; None for none.
        bias: whether there is a b.
        init: how W starts; He normal before relu and its kin, LeCun normal before selu, else Xavier uniform.
        bias_init: how b starts.
        name: the layer's name; its parameters are ``name.W`` and ``name.b``.

    Returns:
        float[..., units]

    Raises:
        ShapeError: the last size of x is not an int.
        ArgumentError: an unknown activation.

    Example:
        >>> import graphc as gx
        >>> gx.nn.dense(gx.input("x", ("batch", 64)), 10, name="out").type
        Type(dtype='float32', shape=(batch, 10))
    """
    function = activation_of(activation)
    with scope(_layer_name(name), "dense"):
        start = initialiser_for(activation) if init is None else init
        W = param("W", (_features(x), units), init=start, dtype=x.dtype)
        z = matmul(x, W)
        if bias:
            z = z + param("b", (units,), init=bias_init, dtype=x.dtype)
        z.named("z")
        return z if function is None else function(z).named("h")


def dropout(x: Node, rate: float, *, name: str | None = None) -> Node:
    """Zero a random share of values in training, and scale the rest so that the expectation stays: x · mask / keep.

    In use the value passes unchanged. The share that is kept is rounded to a multiple of 2⁻¹⁶, and the scale uses
    the rounded share, so the expectation is exact.

    Args:
        x: float of any shape.
        rate: the share to drop, from 0 up to 1; what is kept, 1 - rate, is rounded to a multiple of 2**-16, and what
            survives is divided by that, so that its mean is exact.
        name: the name of its random site; a site has its own generator, so two dropouts never share a mask.

    Raises:
        ArgumentError: a rate outside [0, 1).

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> h = gx.nn.dropout(x, 0.5, name="drop")
        >>> gx.compile(h)([1.0, 2.0])
        array([1., 2.], dtype=float32)

    Source: Srivastava et al. 2014, in the inverted form.
    """
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate < 1:
        raise ArgumentError("the rate of dropout is at least 0 and less than 1", given=repr(rate))
    if rate == 0:
        return x
    with scope(_layer_name(name), "dropout"):
        mask = bernoulli(x.shape, 1 - rate)
        keep = mask.attrs["keep"] / 2**KEEP_BITS
        dropped = x * (astype(mask, x.dtype) * (1 / keep))
        return by_mode(train=dropped, eval=x).named("h")


def _layer_name(name: str | None) -> str | None:
    if name is not None and (not isinstance(name, str) or not name):
        raise ArgumentError("the name of a layer is text", given=repr(name))
    return name


def _features(x: Node) -> int:
    if not isinstance(x, Node):
        raise ArgumentError(
            "a layer is applied to a node", given=f"{type(x).__name__}", fix="gx.const or gx.input"
        )
    if not x.type.is_float:
        raise DTypeError(
            "a layer is applied to floats",
            given=f"{describe(x, 'x')}: {x.type}",
            where=here(),
            fix="convert with gx.astype(x, 'float32'), or declare the input as a float",
        )
    if not x.shape or not isinstance(x.shape[-1], int):
        raise ShapeError(
            f"the last size must be an int, since it is a size of W{in_layer()}",
            given=f"{describe(x, 'x')}: {x.type}",
            where=here(),
            fix='declare the input with that size, as in gx.input("x", ("batch", 64))',
        )
    return x.shape[-1]
