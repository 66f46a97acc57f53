"""Regularisation: penalties to add to a loss, and noise in training. Weight decay and max-norm are in ``optim``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.ir.graph import graph_of
from graphc.ir.node import Node
from graphc.ir.origin import here, scope
from graphc.nn.layers import _layer_name
from graphc.ops import reduce
from graphc.ops.arith import abs as absolute
from graphc.ops.arith import add, multiply, square
from graphc.ops.compare import where
from graphc.ops.effects import by_mode
from graphc.ops.random import KEEP_BITS, bernoulli, normal
from graphc.ops.shape import astype

# -- penalties ----------------------------------------------------------------------------------------------------


def l1_penalty(params: Any, weight: float) -> Node:
    """λ Σ |θ|, to add to a loss; its gradient is λ sign(θ), 0 at 0.

    Args:
        params: parameters (one, a list or a dict by name); or a node that is none, such as the outputs: then all
            trained parameters behind it with two axes or more, which leaves biases and scales alone.
        weight: λ, at least 0.

    Raises:
        ArgumentError: no parameters, or a weight below 0.

    Example:
        >>> import graphc as gx
        >>> W = gx.param("W", (2,))
        >>> float(gx.compile(gx.nn.l1_penalty(W, 0.5))([1.0, -3.0]))
        2.0
    """
    return _weighted(weight, [reduce.sum(absolute(p)) for p in penalised(params)])


def l2_penalty(params: Any, weight: float, *, half: bool = False) -> Node:
    """λ Σ θ², to add to a loss; its gradient is 2 λ θ. With ``half`` it is ½ λ Σ θ², with gradient λ θ.

    ``half=True`` is what ``optim.weight_decay(λ)`` adds to the gradient (PyTorch's convention); the plain form is the
    one that is written as a penalty (Keras).

    Args:
        params: as for ``l1_penalty``.
        weight: λ, at least 0.
        half: whether there is a factor ½ in front.

    Raises:
        ArgumentError: no parameters, or a weight below 0.

    Example:
        >>> import graphc as gx
        >>> W = gx.param("W", (2,))
        >>> [float(gx.compile(gx.nn.l2_penalty(W, 0.5, half=h))([1.0, -3.0])) for h in (False, True)]
        [5.0, 2.5]
    """
    return _weighted(weight, [reduce.sum(square(p)) for p in penalised(params)], 0.5 if half else 1.0)


def elastic_net(params: Any, l1: float, l2: float, *, half: bool = False) -> Node:
    """λ₁ Σ |θ| + λ₂ Σ θ² (½ λ₂ with ``half``), to add to a loss; see ``l1_penalty`` and ``l2_penalty``.

    Raises:
        ArgumentError: no parameters, or a weight below 0.

    Example:
        >>> import graphc as gx
        >>> W = gx.param("W", (2,))
        >>> float(gx.compile(gx.nn.elastic_net(W, 0.5, 0.5))([1.0, -3.0]))
        7.0

    Source: Zou and Hastie 2005.
    """
    both: Node = add(l1_penalty(params, l1), l2_penalty(params, l2, half=half))
    return both


def penalised(params: Any) -> list[Node]:
    """The parameters that a penalty is over: those given, or the trained weights behind a node."""
    if isinstance(params, Node) and params.op.role != "param":
        found = [p for p in graph_of(params).leaves("param") if p.attrs["trainable"] and p.ndim > 1]
    else:
        found = _listed(params)
    if not found:
        raise ArgumentError("a penalty is over parameters, and there are none", where=here())
    return found


def _listed(params: Any) -> list[Node]:
    given: Iterable[Any] = (params,)
    if isinstance(params, Mapping):
        given = params.values()
    elif isinstance(params, (list, tuple)):
        given = params
    found = list(given)
    for p in found:
        if not isinstance(p, Node) or p.op.role != "param":
            raise ArgumentError("a penalty is over parameters", given=f"{p!r:.60}", where=here())
    return list(dict.fromkeys(found))


def _weighted(weight: float, terms: list[Node], factor: float = 1.0) -> Node:
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight < math.inf:
        raise ArgumentError("the weight of a penalty is at least 0", given=repr(weight), where=here())
    total = terms[0]
    for term in terms[1:]:
        total = add(total, term)
    penalty: Node = multiply(total, factor * weight)
    return penalty


# -- noise in training --------------------------------------------------------------------------------------------


def spatial_dropout(x: Node, rate: float, *, name: str | None = None) -> Node:
    """Dropout of whole channels: in training, a channel of an example is zero, or all of it is scaled by 1 / keep.

    Args:
        x: float[batch, channels, ...space].
        rate: the share of channels to drop, from 0 up to 1.
        name: the name of its random site; two sites never share a mask.

    Raises:
        ShapeError: no axis of channels.
        ArgumentError: a rate outside [0, 1).

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", (1, 4, 2))
        >>> y = gx.compile(gx.nn.spatial_dropout(x, 0.5), mode="train")([[[1.0, 1.0]] * 4], rng=0)
        >>> bool((y[..., 0] == y[..., 1]).all())
        True

    Source: Tompson et al. 2015, section 3.2.
    """
    _check(x, rate, "spatial dropout")
    if x.ndim < 2:
        raise ShapeError("spatial dropout needs an axis of channels", given=str(x.type), where=here())
    if rate == 0:
        return x
    with scope(_layer_name(name), "spatial_dropout"):
        mask = bernoulli((*x.shape[:2], *(1,) * (x.ndim - 2)), 1 - rate)
        kept = multiply(astype(mask, x.dtype), 2**KEEP_BITS / mask.attrs["keep"])
        return by_mode(train=multiply(x, kept), eval=x).named("h")


ALPHA = -1.0507009873554805 * 1.6732632423543772
"""What selu tends to at -∞: the value that alpha dropout puts in place of what it drops."""


def alpha_dropout(x: Node, rate: float, *, name: str | None = None) -> Node:
    """Dropout for selu networks: a (x or α′) + b, which keeps mean 0 and variance 1; α′ is selu's lower end.

    With q the share kept, a = 1 / √(q (1 + (1 - q) α′²)) and b = -a (1 - q) α′. In use the value passes unchanged.

    Args:
        x: float of any shape.
        rate: the share to replace, from 0 up to 1.
        name: the name of its random site.

    Raises:
        ArgumentError: a rate outside [0, 1).

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", (3,))
        >>> gx.compile(gx.nn.alpha_dropout(x, 0.5))([1.0, 2.0, 3.0])
        array([1., 2., 3.], dtype=float32)

    Source: Klambauer et al. 2017, section 3.
    """
    _check(x, rate, "alpha dropout")
    if rate == 0:
        return x
    with scope(_layer_name(name), "alpha_dropout"):
        mask = bernoulli(x.shape, 1 - rate)
        keep = mask.attrs["keep"] / 2**KEEP_BITS
        a = 1 / math.sqrt(keep * (1 + (1 - keep) * ALPHA**2))
        replaced = where(mask, multiply(x, a), a * ALPHA) + -a * (1 - keep) * ALPHA
        return by_mode(train=replaced, eval=x).named("h")


def gaussian_noise(x: Node, std: float, *, name: str | None = None) -> Node:
    """Noise added in training: x + s n, with n from the normal distribution; in use the value passes unchanged.

    Args:
        x: float of any shape.
        std: s, at least 0.
        name: the name of its random site.

    Raises:
        ArgumentError: a standard deviation below 0.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.nn.gaussian_noise(gx.input("x", (2,)), 0.1))([1.0, 2.0])
        array([1., 2.], dtype=float32)
    """
    _check(x, 0.0, "noise")
    if isinstance(std, bool) or not isinstance(std, (int, float)) or not 0 <= std < math.inf:
        raise ArgumentError("a standard deviation is at least 0", given=repr(std), where=here())
    if std == 0:
        return x
    with scope(_layer_name(name), "gaussian_noise"):
        noisy: Node = add(x, multiply(normal(x.shape, x.dtype), std))
        return by_mode(train=noisy, eval=x).named("h")


def gaussian_dropout(x: Node, rate: float, *, name: str | None = None) -> Node:
    """Noise that multiplies in training: x (1 + s n), s = √(rate / (1 - rate)): mean and variance as of dropout.

    Args:
        x: float of any shape.
        rate: that of the dropout which has this variance, from 0 up to 1.
        name: the name of its random site.

    Raises:
        ArgumentError: a rate outside [0, 1).

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.nn.gaussian_dropout(gx.input("x", (2,)), 0.5))([1.0, 2.0])
        array([1., 2.], dtype=float32)

    Source: Srivastava et al. 2014, section 10.
    """
    _check(x, rate, "Gaussian dropout")
    if rate == 0:
        return x
    with scope(_layer_name(name), "gaussian_dropout"):
        factor = add(multiply(normal(x.shape, x.dtype), math.sqrt(rate / (1 - rate))), 1.0)
        return by_mode(train=multiply(x, factor), eval=x).named("h")


def _check(x: Any, rate: float, what: str) -> None:
    if not isinstance(x, Node):
        raise ArgumentError(f"{what} is applied to a node", given=type(x).__name__, where=here())
    if not x.type.is_float:
        raise DTypeError(f"{what} is applied to floats", given=str(x.type), where=here())
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate < 1:
        raise ArgumentError(
            f"the rate of {what} is at least 0 and less than 1", given=repr(rate), where=here()
        )
