"""Optimizers, as equations in the same language as the network."""

from graphc.optim import schedules
from graphc.optim.optimizer import OPTIMIZERS, Optimizer, Transform, adam, momentum, sgd
from graphc.optim.schedule import Schedule, schedule
from graphc.optim.schedules import SCHEDULES

__all__ = [
    "OPTIMIZERS",
    "SCHEDULES",
    "Optimizer",
    "Schedule",
    "Transform",
    "adam",
    "momentum",
    "schedule",
    "schedules",
    "sgd",
]
