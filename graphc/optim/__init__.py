"""Optimizers, as equations in the same language as the network."""

from graphc.optim import schedules
from graphc.optim.adam import adabelief, adam, adamax, adamw, lamb, nadam, radam, yogi
from graphc.optim.adaptive import adadelta, adagrad, rmsprop
from graphc.optim.chain import chain
from graphc.optim.descent import asgd, gd, lion, momentum, nesterov, rprop, sgd, sign_sgd
from graphc.optim.link import Link
from graphc.optim.optimizer import Optimizer
from graphc.optim.registry import OPTIMIZERS
from graphc.optim.schedule import Schedule, schedule
from graphc.optim.schedules import SCHEDULES
from graphc.optim.transforms import ascend, decoupled_weight_decay, weight_decay

__all__ = [
    "OPTIMIZERS",
    "SCHEDULES",
    "Link",
    "Optimizer",
    "Schedule",
    "adabelief",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "ascend",
    "asgd",
    "chain",
    "decoupled_weight_decay",
    "gd",
    "lamb",
    "lion",
    "momentum",
    "nadam",
    "nesterov",
    "radam",
    "rmsprop",
    "rprop",
    "schedule",
    "schedules",
    "sgd",
    "sign_sgd",
    "weight_decay",
    "yogi",
]
