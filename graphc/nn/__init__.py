"""Layers, losses and metrics: functions that build nodes."""

from graphc.nn.activations import ACTIVATIONS, glu, prelu, softmin, softplus
from graphc.nn.layers import dense, dropout
from graphc.nn.losses import binary_cross_entropy, cross_entropy, mse
from graphc.nn.metrics import accuracy, auc, confusion_matrix, f1, mae, precision, r2, recall, rmse, top_k
from graphc.nn.normalization import (
    batch_norm,
    group_norm,
    instance_norm,
    l2_normalize,
    layer_norm,
    local_response_norm,
    normalize,
    rms_norm,
    weight_norm,
)
from graphc.nn.spatial import avg_pool, conv1d, conv2d, embedding, flatten, global_avg_pool, max_pool

__all__ = [
    "ACTIVATIONS",
    "accuracy",
    "auc",
    "avg_pool",
    "batch_norm",
    "binary_cross_entropy",
    "confusion_matrix",
    "conv1d",
    "conv2d",
    "cross_entropy",
    "dense",
    "dropout",
    "embedding",
    "f1",
    "flatten",
    "global_avg_pool",
    "glu",
    "group_norm",
    "instance_norm",
    "l2_normalize",
    "layer_norm",
    "local_response_norm",
    "mae",
    "max_pool",
    "mse",
    "normalize",
    "precision",
    "prelu",
    "r2",
    "recall",
    "rms_norm",
    "rmse",
    "softmin",
    "softplus",
    "top_k",
    "weight_norm",
]
