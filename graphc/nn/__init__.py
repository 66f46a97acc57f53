"""Layers, losses and metrics: functions that build nodes."""

from graphc.nn.layers import ACTIVATIONS, dense, dropout
from graphc.nn.losses import binary_cross_entropy, cross_entropy, mse
from graphc.nn.metrics import accuracy

__all__ = ["ACTIVATIONS", "accuracy", "binary_cross_entropy", "cross_entropy", "dense", "dropout", "mse"]
