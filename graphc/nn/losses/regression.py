"""Losses of numbers: the error e = prediction - target, in many forms."""

from __future__ import annotations

import math
from typing import Any

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.node import Node
from graphc.ir.origin import here
from graphc.nn.losses.reduction import number, operands, reduced
from graphc.ops import losses as cards
from graphc.ops.arith import abs as absolute
from graphc.ops.arith import maximum, square
from graphc.ops.card import as_nodes
from graphc.ops.compare import greater, where
from graphc.ops.math import exp, log
from graphc.ops.shape import stop_gradient
from graphc.ops.special import gammaln


def mse(prediction: Any, target: Any, reduction: str = "mean", *, weights: Any = None) -> Node:
    """Squared error: (prediction - target)², averaged over all elements.

    Args:
        prediction: float[...].
        target: of the same shape.
        reduction: ``mean`` (over all elements), ``sum``, or ``none``.
        weights: of examples, along the first axes; the mean divides by their sum.

    Raises:
        ShapeError: the shapes differ (no silent broadcasting of a loss).

    Example:
        >>> import graphc as gx
        >>> p, t = gx.input("p", ("n",)), gx.input("t", ("n",))
        >>> float(gx.compile(gx.nn.mse(p, t))([1.0, 4.0], [2.0, 2.0]))
        2.5
    """
    p, t = operands("mse", prediction, target)
    return reduced(square(p - t), reduction, weights)


def l1(prediction: Any, target: Any, reduction: str = "mean", *, weights: Any = None) -> Node:
    """Absolute error: |prediction - target|, with slope 0 at 0.

    Arguments as for ``mse``.

    Example:
        >>> import graphc as gx
        >>> a, b = gx.input("a", ("n",)), gx.input("b", ("n",))
        >>> float(gx.compile(gx.nn.l1(a, b))([1.0, 5.0], [2.0, 2.0]))
        2.0
    """
    p, t = operands("l1", prediction, target)
    return reduced(absolute(p - t), reduction, weights)


def huber(
    prediction: Any, target: Any, reduction: str = "mean", *, delta: float = 1.0, weights: Any = None
) -> Node:
    """Huber's loss: e²/2 within δ of 0, δ (|e| - δ/2) beyond.

    Args:
        prediction: float[...].
        target: of the same shape.
        reduction: ``mean``, ``sum`` or ``none``.
        delta: δ, above 0.
        weights: of examples.

    Raises:
        ArgumentError: a δ that is not above 0.
        ShapeError: the shapes differ.

    Example:
        >>> import graphc as gx
        >>> p, t = gx.input("p", ("n",)), gx.input("t", ("n",))
        >>> float(gx.compile(gx.nn.huber(p, t))([0.0, 3.0], [1.0, 0.0]))
        1.5

    Source: Huber 1964, eq. 1.2.
    """
    p, t = operands("huber", prediction, target)
    delta = number("the delta of huber", delta, 0, open_low=True)
    return reduced(cards.huber(p - t, delta=delta), reduction, weights)


def smooth_l1(
    prediction: Any, target: Any, reduction: str = "mean", *, beta: float = 1.0, weights: Any = None
) -> Node:
    """Smooth absolute error: e²/(2β) within β of 0, |e| - β/2 beyond: Huber's loss over β, and ``l1`` for β = 0.

    Raises:
        ArgumentError: a β below 0.
        ShapeError: the shapes differ.

    Example:
        >>> import graphc as gx
        >>> p, t = gx.input("p", ("n",)), gx.input("t", ("n",))
        >>> float(gx.compile(gx.nn.smooth_l1(p, t))([0.0, 3.0], [1.0, 0.0]))
        1.5

    Source: Girshick 2015, eq. 3, for β = 1.
    """
    beta = number("the beta of smooth_l1", beta, 0)
    if beta == 0:
        return l1(prediction, target, reduction, weights=weights)
    p, t = operands("smooth_l1", prediction, target)
    loss = cards.huber(p - t, delta=beta)
    return reduced(loss if beta == 1 else loss / beta, reduction, weights)


def log_cosh(prediction: Any, target: Any, reduction: str = "mean", *, weights: Any = None) -> Node:
    """log cosh(prediction - target): e²/2 near 0, |e| - log 2 far away; its slope is tanh(e).

    Arguments as for ``mse``.

    Example:
        >>> import graphc as gx
        >>> p, t = gx.input("p", ("n",)), gx.input("t", ("n",))
        >>> float(gx.compile(gx.nn.log_cosh(p, t))([0.0], [0.0]))
        0.0
    """
    p, t = operands("log_cosh", prediction, target)
    return reduced(cards.log_cosh(p - t), reduction, weights)


def pinball(
    prediction: Any, target: Any, reduction: str = "mean", *, quantile: float = 0.5, weights: Any = None
) -> Node:
    """The loss whose least expectation is at a quantile q: max(q d, (q - 1) d), with d = target - prediction.

    For q = 1/2 it is half the absolute error.

    Raises:
        ArgumentError: a q that is not between 0 and 1.
        ShapeError: the shapes differ.

    Example:
        >>> import graphc as gx
        >>> a, b = gx.input("a", ("n",)), gx.input("b", ("n",))
        >>> float(gx.compile(gx.nn.pinball(a, b, quantile=0.9))([0.0, 0.0], [10.0, -10.0]))
        5.0

    Source: Koenker and Bassett 1978.
    """
    q = number("the quantile of pinball", quantile, 0, 1)
    p, t = operands("pinball", prediction, target)
    d = t - p
    return reduced(maximum(d * q, d * (q - 1)), reduction, weights)


def poisson_nll(
    prediction: Any,
    target: Any,
    reduction: str = "mean",
    *,
    log_rate: bool = True,
    full: bool | str = False,
    eps: float = 1e-8,
    weights: Any = None,
) -> Node:
    """Negative log-likelihood of counts t under Poisson's law of rate λ: λ - t log λ, + log t! where ``full``.

    Args:
        prediction: float[...]: log λ, or with ``log_rate=False`` λ.
        target: t, of the same shape.
        reduction: ``mean``, ``sum`` or ``none``.
        log_rate: what ``prediction`` holds.
        full: whether log t! is added, as log Γ(t + 1); ``"stirling"`` adds t log t - t + log(2π t)/2 where t > 1, as
            PyTorch does.
        eps: added to λ inside the logarithm.
        weights: of examples.

    Raises:
        ArgumentError: an unknown ``full``.
        ShapeError: the shapes differ.

    Example:
        >>> import graphc as gx
        >>> p, t = gx.input("p", ("n",)), gx.input("t", ("n",))
        >>> float(gx.compile(gx.nn.poisson_nll(p, t))([0.0], [2.0]))
        1.0
    """
    p, t = operands("poisson_nll", prediction, target)
    if full not in (False, True, "stirling"):
        raise ArgumentError("unknown full", given=repr(full)[:60], expected="True, False or 'stirling'")
    eps = number("the eps of poisson_nll", eps, 0)
    loss = exp(p) - t * p if log_rate else p - t * log(p + eps if eps else p)
    if full == "stirling":
        n = where(greater(t, 1), t, 1)
        loss = loss + where(greater(t, 1), n * log(n) - n + 0.5 * log(2 * math.pi * n), 0)
    elif full:
        loss = loss + gammaln(t + 1)
    return reduced(loss, reduction, weights)


def gaussian_nll(
    prediction: Any,
    target: Any,
    variance: Any,
    reduction: str = "mean",
    *,
    full: bool = False,
    eps: float = 1e-6,
    weights: Any = None,
) -> Node:
    """Negative log-likelihood of t under a normal law: (log v + (prediction - t)²/v) / 2, + log(2π)/2 where ``full``.

    Args:
        prediction: float[...], the mean.
        target: t, of the same shape.
        variance: v, of the same shape, or with a last size of 1, or a scalar. Given as exp(s), the logarithm is s.
        reduction: ``mean``, ``sum`` or ``none``.
        full: whether the constant is added.
        eps: the least variance that counts; a smaller one is taken as this, and still gets the gradient of this.
        weights: of examples.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> import graphc as gx
        >>> p, t, v = (gx.input(name, ("n",)) for name in "ptv")
        >>> float(gx.compile(gx.nn.gaussian_nll(p, t, v))(p=[1.0], t=[3.0], v=[1.0]))
        2.0

    Source: Nix and Weigend 1994, eq. 5.
    """
    p, t = operands("gaussian_nll", prediction, target)
    (v,) = as_nodes((variance,))
    if v.shape not in (p.shape, (*p.shape[:-1], 1), ()):
        raise ShapeError(
            "gaussian_nll: the variance does not fit", given=f"{v.type} for {p.type}", where=here()
        )
    eps = number("the eps of gaussian_nll", eps, 0)
    if eps:
        v = v + stop_gradient(maximum(v, eps) - v)
    loss = 0.5 * (log(v) + square(p - t) / v)
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction, weights)
