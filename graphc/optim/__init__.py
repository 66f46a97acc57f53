"""Optimizers, as equations in the same language as the network."""

from graphc.optim.optimizer import OPTIMIZERS, Optimizer, Transform, adam, momentum, sgd

__all__ = ["OPTIMIZERS", "Optimizer", "Transform", "adam", "momentum", "sgd"]
