"""A rate for each element, from the squares of its gradients: Adagrad, RMSprop, Adadelta."""

from __future__ import annotations

from graphc.optim.link import Link, lines_of
from graphc.optim.optimizer import Optimizer, made
from graphc.optim.settings import Number, fraction, not_negative, one_of

EPS_BESIDE_OR_INSIDE = {"outside": "sqrt({v}) + eps", "inside": "sqrt({v} + eps)"}
"""Where ε stands to the root."""


def adagrad(lr: Number = 0.01, lr_decay: float = 0.0, start: float = 0.0, eps: float = 1e-10) -> Optimizer:
    """Adagrad: v ← v + g²; θ ← θ - λ / (1 + (t-1) d) g / (√v + ε).

    Args:
        lr: the rate λ.
        lr_decay: d.
        start: what v starts from.
        eps: ε, outside of the root.

    Example:
        >>> import graphc as gx
        >>> gx.optim.adagrad().equation
        'v ← v + g²; θ ← θ - λ g / (√v + ε)'

    Source: Duchi, Hazan and Singer 2011.
    """
    not_negative(lr_decay=lr_decay, start=start, eps=eps)
    rate = "lr/(1 + (t - 1)*d)" if lr_decay else "lr"
    lines = lines_of(f"v = v + g**2; theta = theta - {rate}*g/(sqrt(v) + eps)")
    link = Link("adagrad", lines, (("v", start),), settings=(("d", lr_decay), ("eps", eps)))
    return made("adagrad", [link], {"lr": lr, "lr_decay": lr_decay, "start": start, "eps": eps})


def rmsprop(
    lr: Number = 0.01,
    alpha: Number = 0.99,
    eps: float = 1e-8,
    momentum: Number = 0.0,
    centred: bool = False,
    eps_on: str = "outside",
) -> Optimizer:
    """RMSprop: v ← α v + (1-α) g²; u = g / (√v + ε); θ ← θ - λ u.

    Centred, m ← α m + (1-α) g and the root is that of the variance v - m². With momentum, b ← μ b + u;
    θ ← θ - λ b.

    Args:
        lr: the rate λ.
        alpha: decay α of the mean square.
        eps: ε.
        momentum: μ.
        centred: whether the mean is taken off.
        eps_on: ``outside``: √v + ε, as PyTorch; ``inside``: √(v + ε), as Optax and Keras.

    Example:
        >>> import graphc as gx
        >>> gx.optim.rmsprop().equation
        'v ← α v + (1 - α) g²; θ ← θ - λ g / (√v + ε)'

    Source: Tieleman and Hinton 2012, lecture 6e; Graves 2013 for the centred form.
    """
    fraction(alpha=alpha, momentum=momentum)
    not_negative(eps=eps)
    one_of("place of eps", eps_on, tuple(EPS_BESIDE_OR_INSIDE))
    spread = "maximum(v - m**2, 0)" if centred else "v"
    root = EPS_BESIDE_OR_INSIDE[eps_on].format(v=spread)
    lines = ["v = alpha*v + (1 - alpha)*g**2"]
    lines += ["m = alpha*m + (1 - alpha)*g"] if centred else []
    lines += (
        [f"b = mu*b + g/({root})", "theta = theta - lr*b"] if momentum else [f"theta = theta - lr*g/({root})"]
    )
    slots = [("v", 0.0), *([("m", 0.0)] if centred else []), *([("b", 0.0)] if momentum else [])]
    constants = {"alpha": alpha, "eps": eps, "momentum": momentum}
    numbers = (("alpha", alpha), ("eps", eps), ("mu", momentum))
    link = Link("rmsprop", lines_of("; ".join(lines)), tuple(slots), settings=numbers)
    return made("rmsprop", [link], {"lr": lr, **constants, "centred": centred, "eps_on": eps_on})


def adadelta(lr: Number = 1.0, rho: Number = 0.9, eps: float = 1e-6) -> Optimizer:
    """Adadelta: v ← ρ v + (1-ρ) g²; u = √(d + ε) / √(v + ε) g; d ← ρ d + (1-ρ) u²; θ ← θ - λ u.

    Args:
        lr: the rate λ; the paper's is 1.
        rho: decay ρ of both mean squares.
        eps: ε, inside of both roots.

    Example:
        >>> import graphc as gx
        >>> gx.optim.adadelta().equation
        'v ← ρ v + (1 - ρ) g²; u = √(d + ε) / √(v + ε) g; d ← ρ d + (1 - ρ) u²; θ ← θ - λ u'

    Source: Zeiler 2012, algorithm 1.
    """
    fraction(rho=rho)
    not_negative(eps=eps)
    lines = lines_of("""
        v = rho*v + (1 - rho)*g**2
        u = sqrt(d + eps)/sqrt(v + eps)*g
        d = rho*d + (1 - rho)*u**2
        theta = theta - lr*u""")
    link = Link("adadelta", lines, (("v", 0.0), ("d", 0.0)), settings=(("rho", rho), ("eps", eps)))
    return made("adadelta", [link], {"lr": lr, "rho": rho, "eps": eps})
