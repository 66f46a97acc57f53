"""Layers, losses and metrics: functions that build nodes."""

from graphc.nn.layers import ACTIVATIONS, dense, dropout
from graphc.nn.losses import binary_cross_entropy, cross_entropy, mse
from graphc.nn.metrics import accuracy
from graphc.nn.spatial import avg_pool, conv1d, conv2d, embedding, flatten, global_avg_pool, max_pool

__all__ = [
    "ACTIVATIONS",
    "accuracy",
    "avg_pool",
    "binary_cross_entropy",
    "conv1d",
    "conv2d",
    "cross_entropy",
    "dense",
    "dropout",
    "embedding",
    "flatten",
    "global_avg_pool",
    "max_pool",
    "mse",
]
