"""What stands before or after an optimizer in a chain: clipping, weight decay, accumulation, averages."""

from __future__ import annotations

import math

from graphc.errors import ArgumentError
from graphc.optim.link import Link, Total, lines_of
from graphc.optim.optimizer import Optimizer, made
from graphc.optim.settings import check_seed, fraction, not_negative, positive

NORMS = {
    1.0: (Total("n", "abs(g)", "sum"), "n"),
    2.0: (Total("n", "g**2", "sum"), "sqrt(n)"),
    math.inf: (Total("n", "abs(g)", "max"), "n"),
}
"""Order of a norm to the total it needs, and the norm from that."""


def ascend() -> Optimizer:
    """Climb where the rest of the chain would descend: g ← -g.

    Example:
        >>> import graphc as gx
        >>> gx.optim.chain(gx.optim.ascend(), gx.optim.sgd(0.1)).equation
        'g ← -g; θ ← θ - λ g'
    """
    return made("ascend", [Link("ascend", lines_of("g = -g"))], {})


# -- clipping -----------------------------------------------------------------------------------------------------


def clip_by_value(limit: float) -> Optimizer:
    """Every element of the gradient between -c and c: g ← min(max(g, -c), c).

    Args:
        limit: c.

    Raises:
        ArgumentError: a limit that is not above 0.

    Example:
        >>> import graphc as gx
        >>> gx.optim.chain(gx.optim.clip_by_value(1.0), gx.optim.sgd(0.1)).equation
        'g ← min(max(g, -c), c); θ ← θ - λ g'
    """
    positive(limit=limit)
    lines = lines_of("g = minimum(maximum(g, -c), c)")
    return made("clip_by_value", [Link("clip_by_value", lines, settings=(("c", limit),))], {"limit": limit})


def clip_by_norm(limit: float, eps: float = 0.0) -> Optimizer:
    """The gradient of each parameter no longer than c: g ← g c / max(|g|, c).

    Args:
        limit: c.
        eps: with ε above 0, g ← g min(1, c / (|g| + ε)), as PyTorch with 1e-6.

    Example:
        >>> import graphc as gx
        >>> gx.optim.chain(gx.optim.clip_by_norm(1.0), gx.optim.sgd(0.1)).equation
        'n = ‖g‖; g ← g (c / max(n, c)); θ ← θ - λ g'
    """
    positive(limit=limit)
    not_negative(eps=eps)
    lines = lines_of(f"n = norm(g); g = {_shortened('n', eps)}")
    link = Link("clip_by_norm", lines, settings=(("c", limit), ("eps", eps)))
    return made("clip_by_norm", [link], {"limit": limit, "eps": eps})


def clip_by_global_norm(limit: float, order: float = 2.0, eps: float = 0.0) -> Optimizer:
    """All gradients together no longer than c: g ← g c / max(|G|, c), G being all of them as one vector.

    Args:
        limit: c.
        order: 2 for the Euclidean norm, 1 for the sum of magnitudes, ``inf`` for the largest.
        eps: with ε above 0, g ← g min(1, c / (|G| + ε)), as PyTorch with 1e-6.

    Raises:
        ArgumentError: another order, or a limit that is not above 0.

    Example:
        >>> import graphc as gx
        >>> gx.optim.chain(gx.optim.clip_by_global_norm(1.0), gx.optim.sgd(0.1)).equation
        'g ← g (c / max(√n, c)); θ ← θ - λ g'

    Source: Pascanu, Mikolov and Bengio 2013, algorithm 1.
    """
    positive(limit=limit)
    not_negative(eps=eps)
    if order not in NORMS:
        raise ArgumentError("the order of this norm is 1, 2 or inf", given=repr(order))
    total, norm = NORMS[order]
    lines = lines_of(f"g = {_shortened(norm, eps)}")
    settings = (("c", limit), ("eps", eps))
    link = Link("clip_by_global_norm", lines, totals=(total,), settings=settings)
    return made("clip_by_global_norm", [link], {"limit": limit, "order": order, "eps": eps})


def _shortened(norm: str, eps: float) -> str:
    """The gradient no longer than the limit; without ε no division can be by 0."""
    return f"g*minimum(1, c/({norm} + eps))" if eps else f"g*(c/maximum({norm}, c))"


# -- weight decay -------------------------------------------------------------------------------------------------


def weight_decay(decay: float = 0.01) -> Optimizer:
    """Weight decay coupled with the gradient, which is the L2 term ½ w |θ|² of a loss: g ← g + w θ.

    Args:
        decay: w.

    Example:
        >>> import graphc as gx
        >>> gx.optim.chain(gx.optim.weight_decay(1e-4), gx.optim.sgd(0.1)).equation
        'g ← g + w θ; θ ← θ - λ g'
    """
    not_negative(decay=decay)
    link = Link("weight_decay", lines_of("g = g + w*theta"), settings=(("w", decay),))
    return made("weight_decay", [link], {"decay": decay})


def decoupled_weight_decay(decay: float = 0.01) -> Optimizer:
    """Weight decay apart from the gradient, with the rate: θ ← θ - λ w θ; it stands before the optimizer.

    Args:
        decay: w.

    Example:
        >>> import graphc as gx
        >>> gx.optim.chain(gx.optim.sgd(0.1), gx.optim.decoupled_weight_decay(0.01)).equation
        'θ ← θ - λ g; θ ← θ - λ w θ'

    Source: Loshchilov and Hutter 2019, with the rate on the decay.
    """
    not_negative(decay=decay)
    lines = lines_of("theta = theta - lr*w*theta")
    link = Link("decoupled_weight_decay", lines, settings=(("w", decay),))
    return made("decoupled_weight_decay", [link], {"decay": decay})


def max_norm(limit: float) -> Optimizer:
    """The weights of each unit no longer than c: θ ← θ c / max(|θ|, c), after the step; it stands behind the optimizer.

    |θ| is over all axes but the last, which is that of units (W[in, out] of a dense layer, W[...kernel, in, out] of a
    convolution); of a bias it is over one element, which comes between -c and c.

    Args:
        limit: c.

    Raises:
        ArgumentError: a limit that is not above 0.

    Example:
        >>> import graphc as gx
        >>> gx.optim.chain(gx.optim.sgd(0.1), gx.optim.max_norm(3.0)).equation
        'θ ← θ - λ g; θ ← θ (c / max(‖θ‖_unit, c))'

    Source: Srivastava et al. 2014, section 5.1.
    """
    positive(limit=limit)
    lines = lines_of("theta = theta*(c/maximum(unit_norm(theta), c))")
    return made("max_norm", [Link("max_norm", lines, settings=(("c", limit),))], {"limit": limit})


# -- noise --------------------------------------------------------------------------------------------------------


def gradient_noise(eta: float = 0.3, gamma: float = 0.55, seed: int = 0) -> Optimizer:
    """Noise on the gradient that fades: g ← g + √(η / tᵞ) z, z standard normal, t from 1.

    What is drawn depends on the seed, the step and the name of the parameter alone, so a run that goes on from a file
    draws as if it had never stopped.

    Args:
        eta: η, the variance in the first step.
        gamma: γ.
        seed: an int of at least 0.

    Example:
        >>> import graphc as gx
        >>> gx.optim.chain(gx.optim.gradient_noise(), gx.optim.sgd(0.1)).equation
        'g ← g + √(η / t^γ) z; θ ← θ - λ g'

    Source: Neelakantan et al. 2015, section 3, where t counts from 0.
    """
    not_negative(eta=eta, gamma=gamma)
    check_seed(seed)
    lines = lines_of("g = g + sqrt(eta/t**gamma)*z")
    link = Link("gradient_noise", lines, settings=(("eta", eta), ("gamma", gamma)), seed=seed)
    return made("gradient_noise", [link], {"eta": eta, "gamma": gamma, "seed": seed})


# -- several steps ------------------------------------------------------------------------------------------------


def accumulate(steps: int) -> Optimizer:
    """The mean gradient of k steps, and what stands behind it acts at every k-th step alone.

    s ← s + g, or g at the first of k; g ← s / k.

    Args:
        steps: k.

    Raises:
        ArgumentError: not an int of at least 1.

    Example:
        >>> import graphc as gx
        >>> gx.optim.chain(gx.optim.accumulate(4), gx.optim.sgd(0.1)).equation
        's ← (g if (t - 1) mod k = 0 else s + g); g ← s / k; θ ← θ - λ g'
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ArgumentError("steps is an int of at least 1", given=repr(steps))
    lines = lines_of("s = where(remainder(t - 1, k) == 0, g, s + g); g = s/k")
    link = Link("accumulate", lines, (("s", 0.0),), settings=(("k", steps),), every=steps)
    return made("accumulate", [link], {"steps": steps})


def ema(decay: float = 0.999) -> Optimizer:
    """An exponential moving average of the parameter: a ← β a + (1-β) θ, from the first θ; it stands last.

    ``model.evaluate(..., averaged=True)``, and ``predict`` and ``export`` likewise, use a in the place of θ.

    Args:
        decay: β.

    Example:
        >>> import graphc as gx
        >>> gx.optim.chain(gx.optim.sgd(0.1), gx.optim.ema(0.99)).equation
        'θ ← θ - λ g; average ← β average + (1 - β) θ'
    """
    fraction(decay=decay)
    lines = lines_of("average = beta*average + (1 - beta)*theta")
    link = Link("ema", lines, (("average", "theta"),), settings=(("beta", decay),))
    return made("ema", [link], {"decay": decay})


def polyak(start: int = 0) -> Optimizer:
    """The mean of the parameter over all steps: a ← a + (θ - a) / max(1, t - s); it stands last.

    ``model.evaluate(..., averaged=True)``, and ``predict`` and ``export`` likewise, use a in the place of θ.

    Args:
        start: s; until step s + 1 the average is θ itself.

    Example:
        >>> import graphc as gx
        >>> gx.optim.chain(gx.optim.sgd(0.1), gx.optim.polyak()).equation
        'θ ← θ - λ g; average ← average + (θ - average) / max(1, t - s)'

    Source: Polyak and Juditsky 1992.
    """
    not_negative(start=start)
    lines = lines_of("average = average + (theta - average)/maximum(1, t - s)")
    link = Link("polyak", lines, (("average", "theta"),), settings=(("s", start),))
    return made("polyak", [link], {"start": start})
