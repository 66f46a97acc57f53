"""What stands before or after an optimizer in a chain: signs, weight decay."""

from __future__ import annotations

from graphc.optim.link import Link, lines_of
from graphc.optim.optimizer import Optimizer, made
from graphc.optim.settings import not_negative


def ascend() -> Optimizer:
    """Climb where the rest of the chain would descend: g ← -g."""
    return made("ascend", [Link("ascend", lines_of("g = -g"))], {})


def weight_decay(decay: float = 0.01) -> Optimizer:
    """Weight decay coupled with the gradient, which is the L2 term ½ w |θ|² of a loss: g ← g + w θ.

    Args:
        decay: w.
    """
    not_negative(decay=decay)
    link = Link("weight_decay", lines_of("g = g + decay*theta"), settings=(("decay", decay),))
    return made("weight_decay", [link], {"decay": decay})


def decoupled_weight_decay(decay: float = 0.01) -> Optimizer:
    """Weight decay apart from the gradient, with the rate: θ ← θ - λ w θ; stands before the optimizer.

    Args:
        decay: w.

    Source: Loshchilov and Hutter 2019, with the rate on the decay.
    """
    not_negative(decay=decay)
    lines = lines_of("theta = theta - lr*decay*theta")
    link = Link("decoupled_weight_decay", lines, settings=(("decay", decay),))
    return made("decoupled_weight_decay", [link], {"decay": decay})
