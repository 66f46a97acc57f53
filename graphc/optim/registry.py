"""Every optimizer by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from graphc.errors import ArgumentError, UnknownNameError
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


def optimizer_of(given: Any) -> Optimizer:
    """An optimizer as it is, or the one of a name with its default settings.

    Raises:
        ArgumentError: something else, such as a function that was not called.
        UnknownNameError: a name that no optimizer has.

    Example:
        >>> optimizer_of("adam").equation == adam().equation
        True
    """
    if isinstance(given, Optimizer):
        return given
    if isinstance(given, str):
        return _named(given)
    name = getattr(given, "__name__", None)
    call = f"gx.optim.{name}()" if OPTIMIZERS.get(str(name)) is given else "gx.optim.adam()"
    raise ArgumentError("the optimizer comes from gx.optim", given=f"{given!r:.60}", fix=call)


def _named(name: str) -> Optimizer:
    if name in OPTIMIZERS:
        return OPTIMIZERS[name]()
    near = get_close_matches(name.lower(), OPTIMIZERS, n=1)
    way_out = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(OPTIMIZERS)}"
    raise UnknownNameError(f"no optimizer is called {name!r}", fix=way_out)


_CLIPS = (clip_by_value, clip_by_norm, clip_by_global_norm)
_DECAYS = (weight_decay, decoupled_weight_decay, max_norm)
_OTHERS = (ascend, gradient_noise, accumulate, ema, polyak)

TRANSFORMS: Mapping[str, Callable[..., Optimizer]] = MappingProxyType(
    {make.__name__: make for make in (*_CLIPS, *_DECAYS, *_OTHERS)}
)
"""Every transform, by name; ``chain`` puts them together with an optimizer."""
