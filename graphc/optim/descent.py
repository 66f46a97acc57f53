"""Descent along the gradient: plain, with momentum, by its sign, and averaged."""

from __future__ import annotations

from graphc.errors import ArgumentError
from graphc.optim.link import Link, lines_of
from graphc.optim.optimizer import Optimizer, made
from graphc.optim.schedule import Schedule
from graphc.optim.settings import Number, fraction, not_negative, one_of, positive

VELOCITY = {
    "undamped": "v = beta*v + g",
    "dampened": "v = where(t == 1, g, beta*v + (1 - damping)*g)",
    "average": "v = beta*v + (1 - beta)*g",
    "rate_inside": "v = beta*v + lr*g",
}
"""The velocity, by convention."""

AHEAD = {
    "undamped": "theta = theta - lr*(beta*v + g)",
    "average": "theta = theta - lr*(beta*v + (1 - beta)*g)",
    "rate_inside": "theta = theta - (beta*v + lr*g)",
}
"""Nesterov's step: as if the next gradient were this one again."""


def sgd(lr: Number = 0.01) -> Optimizer:
    """Gradient descent, stochastic where each step sees a batch: θ ← θ - λ g.

    Args:
        lr: the rate λ.

    Raises:
        ArgumentError: a rate that is not a finite number of at least 0.

    Example:
        >>> sgd(0.1).equation
        'θ ← θ - λ g'

    Source: Robbins and Monro 1951.
    """
    return made("sgd", [Link("sgd", lines_of("theta = theta - lr*g"))], {"lr": lr})


def gd(lr: Number = 0.01) -> Optimizer:
    """Gradient descent over all data at once: θ ← θ - λ g. The same equation as ``sgd``.

    Args:
        lr: the rate λ.

    Example:
        >>> import graphc as gx
        >>> gx.optim.gd().equation
        'θ ← θ - λ g'

    Source: Cauchy 1847.
    """
    return made("gd", [Link("gd", lines_of("theta = theta - lr*g"))], {"lr": lr})


def momentum(
    lr: Number = 0.01,
    beta: Number = 0.9,
    form: str = "undamped",
    damping: float | None = None,
    nesterov: bool = False,
) -> Optimizer:
    """Gradient descent with momentum: v ← β v + g; θ ← θ - λ v (the course's form: the gradient is not damped).

    Args:
        lr: the rate λ.
        beta: the share β of the velocity that is kept, from 0 up to 1.
        form: which of four conventions.
            ``undamped``: v ← β v + g; θ ← θ - λ v, as PyTorch with ``dampening=0``.
            ``dampened``: v ← β v + (1-τ) g, but v ← g in the first step; θ ← θ - λ v, as PyTorch with ``dampening=τ``.
            ``average``: v ← β v + (1-β) g; θ ← θ - λ v.
            ``rate_inside``: v ← β v + λ g; θ ← θ - v, as scikit-learn; it differs where the rate changes.
        damping: τ of the dampened form.
        nesterov: the step looks ahead: with β v + g (or its like in the other forms) in the place of v.

    Raises:
        ArgumentError: β outside of [0, 1), an unknown form, or τ without the dampened form.

    Example:
        >>> import graphc as gx
        >>> gx.optim.momentum().equation
        'v ← β v + g; θ ← θ - λ v'

    Source: Polyak 1964; Sutskever et al. 2013 for the step that looks ahead.
    """
    fraction(beta=beta)
    one_of("form of momentum", form, tuple(AHEAD if nesterov else VELOCITY))
    settings: dict[str, object] = {"lr": lr, "beta": beta, "form": form}
    constants = [("beta", beta)]
    if form == "dampened":
        fraction(damping=0.0 if damping is None else damping)
        constants.append(("damping", damping or 0.0))
    elif damping is not None:
        one_of("form of momentum with damping", form, ("dampened",))
    plain = "theta = theta - v" if form == "rate_inside" else "theta = theta - lr*v"
    lines = lines_of(f"{VELOCITY[form]}; {AHEAD[form] if nesterov else plain}")
    settings.update({"damping": damping} if damping is not None else {})
    settings.update({"nesterov": True} if nesterov else {})
    return made("momentum", [Link("momentum", lines, (("v", 0.0),), settings=tuple(constants))], settings)


def nesterov(lr: Number = 0.01, beta: Number = 0.9, form: str = "undamped") -> Optimizer:
    """Momentum that looks ahead: v ← β v + g; θ ← θ - λ (β v + g).

    Args:
        lr: the rate λ.
        beta: the share β of the velocity that is kept.
        form: as of ``momentum``; ``rate_inside``, v ← β v + λ g; θ ← θ - (β v + λ g), is scikit-learn's.

    Example:
        >>> import graphc as gx
        >>> gx.optim.nesterov().equation
        'v ← β v + g; θ ← θ - λ (β v + g)'

    Source: Nesterov 1983; the form is that of Sutskever et al. 2013.
    """
    base = momentum(lr, beta, form, nesterov=True)
    settings = {"lr": lr, "beta": beta, "form": form}
    (link,) = base.links
    return made("nesterov", [Link("nesterov", link.lines, link.slots, settings=link.settings)], settings)


def sign_sgd(lr: Number = 1e-3) -> Optimizer:
    """Descent by the sign of the gradient: θ ← θ - λ sign(g).

    Args:
        lr: the rate λ.

    Example:
        >>> import graphc as gx
        >>> gx.optim.sign_sgd().equation
        'θ ← θ - λ sign(g)'

    Source: Bernstein et al. 2018.
    """
    return made("sign_sgd", [Link("sign_sgd", lines_of("theta = theta - lr*sign(g)"))], {"lr": lr})


def lion(
    lr: Number = 1e-4, beta1: Number = 0.9, beta2: Number = 0.99, weight_decay: Number = 0.0
) -> Optimizer:
    """Lion: u = sign(β₁ m + (1-β₁) g); m ← β₂ m + (1-β₂) g; θ ← θ - λ (u + w θ).

    Args:
        lr: the rate λ.
        beta1: the share of the old mean in the step.
        beta2: decay of the mean of the gradient.
        weight_decay: w, decoupled from the gradient.

    Example:
        >>> import graphc as gx
        >>> gx.optim.lion().equation
        'u = sign(β₁ m + (1 - β₁) g); m ← β₂ m + (1 - β₂) g; θ ← θ - λ u'

    Source: Chen et al. 2023, algorithm 2.
    """
    fraction(beta1=beta1, beta2=beta2)
    not_negative(weight_decay=weight_decay)
    step = "u + w*theta" if weight_decay else "u"
    lines = lines_of(f"""
        u = sign(beta1*m + (1 - beta1)*g)
        m = beta2*m + (1 - beta2)*g
        theta = theta - lr*({step})""")
    constants = {"beta1": beta1, "beta2": beta2, "weight_decay": weight_decay}
    numbers = (("beta1", beta1), ("beta2", beta2), ("w", weight_decay))
    link = Link("lion", lines, (("m", 0.0),), settings=numbers)
    return made("lion", [link], {"lr": lr, **constants})


def rprop(
    lr: float = 0.01,
    shrink: float = 0.5,
    grow: float = 1.2,
    smallest: float = 1e-6,
    largest: float = 50.0,
) -> Optimizer:
    """Resilient propagation: each element has a step of its own, and only the sign of the gradient counts.

    s is the product of this gradient and the one before: η ← η⁺ η where s > 0, η⁻ η where s < 0 (and then this
    gradient counts as 0); θ ← θ - η sign(g).

    Args:
        lr: the first step of every element.
        shrink: η⁻.
        grow: η⁺.
        smallest: the least step.
        largest: the greatest step.

    Example:
        >>> import graphc as gx
        >>> for line in gx.optim.rprop().equation.split("; "):
        ...     print(line)
        s = g before
        step ← min(max(step (grow if s > 0 else (shrink if s < 0 else 1)), smallest), largest)
        before ← (0 if s < 0 else g)
        θ ← θ - step sign(before)

    Source: Riedmiller and Braun 1993, without weight-backtracking (iRprop-), as PyTorch's.
    """
    if isinstance(lr, Schedule):
        raise ArgumentError(
            "the lr of rprop is a first step, which does not follow a schedule", given=repr(lr)
        )
    positive(shrink=shrink, grow=grow, smallest=smallest, largest=largest)
    lines = lines_of("""
        s = g*before
        step = minimum(maximum(step*where(s > 0, grow, where(s < 0, shrink, 1)), smallest), largest)
        before = where(s < 0, 0, g)
        theta = theta - step*sign(before)""")
    constants = {"shrink": shrink, "grow": grow, "smallest": smallest, "largest": largest}
    slots = (("before", 0.0), ("step", float(lr)))
    return made(
        "rprop", [Link("rprop", lines, slots, settings=tuple(constants.items()))], {"lr": lr, **constants}
    )


def asgd(lr: Number = 0.01, decay: float = 1e-4, power: float = 0.75, start: float = 1e6) -> Optimizer:
    """Averaged stochastic gradient descent: η = λ / (1 + d λ (t-1))ᵖ; θ ← θ - η (g + d θ); the average of θ beside it.

    The average is θ itself until t passes ``start``, and from there the mean of the values since:
    a ← a + (θ - a) / max(1, t - 1 - start).

    Args:
        lr: the rate λ.
        decay: d, of the weights and of the rate.
        power: p.
        start: the step at which averaging begins.

    Example:
        >>> import graphc as gx
        >>> for line in gx.optim.asgd().equation.split("; "):
        ...     print(line)
        η = λ / (1 + d λ (t - 1))^p
        θ ← θ - η d θ - η g
        average ← average + (θ - average) / max(1, t - 1 - s)

    Source: Polyak and Juditsky 1992; the form is PyTorch's.
    """
    not_negative(decay=decay, power=power, start=start)
    lines = lines_of("""
        eta = lr/(1 + d*lr*(t - 1))**p
        theta = theta - eta*d*theta - eta*g
        average = average + (theta - average)/maximum(1, t - 1 - s)""")
    constants = {"decay": decay, "power": power, "start": start}
    numbers = (("d", decay), ("p", power), ("s", start))
    link = Link("asgd", lines, (("average", "theta"),), settings=numbers)
    return made("asgd", [link], {"lr": lr, **constants})
