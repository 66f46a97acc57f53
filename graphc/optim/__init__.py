"""Optimizers, as equations in the same language as the network."""

from graphc.optim import schedules
from graphc.optim.adam import adabelief, adam, adamax, adamw, lamb, nadam, radam, yogi
from graphc.optim.adaptive import adadelta, adagrad, rmsprop
from graphc.optim.chain import chain, groups
from graphc.optim.descent import asgd, gd, lion, momentum, nesterov, rprop, sgd, sign_sgd
from graphc.optim.link import Link
from graphc.optim.optimizer import Optimizer
from graphc.optim.registry import OPTIMIZERS, TRANSFORMS
from graphc.optim.rule import rule
from graphc.optim.schedule import Schedule, schedule
from graphc.optim.schedules import SCHEDULES
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

__all__ = [
    "OPTIMIZERS",
    "SCHEDULES",
    "TRANSFORMS",
    "Link",
    "Optimizer",
    "Schedule",
    "accumulate",
    "adabelief",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "ascend",
    "asgd",
    "chain",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "decoupled_weight_decay",
    "ema",
    "gd",
    "gradient_noise",
    "groups",
    "lamb",
    "lion",
    "max_norm",
    "momentum",
    "nadam",
    "nesterov",
    "polyak",
    "radam",
    "rmsprop",
    "rprop",
    "rule",
    "schedule",
    "schedules",
    "sgd",
    "sign_sgd",
    "weight_decay",
    "yogi",
]
