"""Every optimizer by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from graphc.optim.adam import adabelief, adam, adamax, adamw, lamb, nadam, radam, yogi
from graphc.optim.adaptive import adadelta, adagrad, rmsprop
from graphc.optim.descent import asgd, gd, lion, momentum, nesterov, rprop, sgd, sign_sgd
from graphc.optim.optimizer import Optimizer
from graphc.optim.transforms import (
    accumulate,
    ascend,
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
    decoupled_weight_decay,
    ema,
    gradient_noise,
    max_norm,
    polyak,
    weight_decay,
)

_DESCENT = (gd, sgd, momentum, nesterov, sign_sgd, lion, rprop, asgd)
_ADAPTIVE = (adagrad, rmsprop, adadelta)
_ADAM = (adam, adamw, adamax, nadam, radam, adabelief, yogi, lamb)

OPTIMIZERS: Mapping[str, Callable[..., Optimizer]] = MappingProxyType(
    {make.__name__: make for make in (*_DESCENT, *_ADAPTIVE, *_ADAM)}
)
"""Every optimizer that stands alone, by the name under which a saved model finds it again."""

_CLIPS = (clip_by_value, clip_by_norm, clip_by_global_norm)
_DECAYS = (weight_decay, decoupled_weight_decay, max_norm)
_OTHERS = (ascend, gradient_noise, accumulate, ema, polyak)

TRANSFORMS: Mapping[str, Callable[..., Optimizer]] = MappingProxyType(
    {make.__name__: make for make in (*_CLIPS, *_DECAYS, *_OTHERS)}
)
"""Every transform, by name; ``chain`` puts them together with an optimizer."""
