r"""The schedules, each a formula of the step t, which counts from 0 (the first update has t = 0).

Lengths are numbers of steps; ``schedule.in_epochs(steps_per_epoch)`` makes them numbers of epochs. Every number below
is a coefficient: a scalar argument of the generated update, which can change without recompiling.

Example:
    >>> from graphc.optim import schedules
    >>> warm = schedules.warmup(schedules.cosine(0.1, steps=90), steps=10)
    >>> warm(0), warm(10), warm(100)
    (0.0, 0.1, 0.0)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from graphc.optim.combined import in_epochs, product, sequential, warmup
from graphc.optim.cycles import cosine_restarts, cyclic, one_cycle, one_cycle_momentum
from graphc.optim.formulas import (
    constant,
    cosine,
    exponential,
    interpolated,
    inverse_scaling,
    inverse_time,
    linear,
    multi_step,
    piecewise,
    polynomial,
    step,
)
from graphc.optim.schedule import Schedule

__all__ = [
    "SCHEDULES",
    "constant",
    "cosine",
    "cosine_restarts",
    "cyclic",
    "exponential",
    "in_epochs",
    "interpolated",
    "inverse_scaling",
    "inverse_time",
    "linear",
    "multi_step",
    "one_cycle",
    "one_cycle_momentum",
    "piecewise",
    "polynomial",
    "product",
    "sequential",
    "step",
    "warmup",
]

SCHEDULES: Mapping[str, Callable[..., Schedule]] = MappingProxyType(
    {
        f.__name__: f
        for f in (
            constant,
            step,
            multi_step,
            exponential,
            polynomial,
            linear,
            inverse_time,
            inverse_scaling,
            cosine,
            cosine_restarts,
            one_cycle,
            one_cycle_momentum,
            cyclic,
            piecewise,
            interpolated,
            warmup,
            sequential,
            product,
            in_epochs,
        )
    }
)
"""Every schedule by name, under which a saved model finds it again."""
