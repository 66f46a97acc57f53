"""The models whose generated modules are kept as real files beside this one."""

from __future__ import annotations

from collections.abc import Callable

import graphc as gx
from graphc import nn, optim
from graphc.train import Model


def line() -> tuple[Model, optim.Optimizer]:
    """Linear regression, squared error, plain gradient descent."""
    x, t = gx.input("x", ("batch", 3)), gx.input("t", ("batch", 1))
    y = nn.dense(x, 1, name="line")
    return gx.Model(y, nn.mse(y, t), name="line"), optim.sgd(0.1)


def two_layers() -> tuple[Model, optim.Optimizer]:
    """The two-layer network of the course: relu, softmax cross-entropy on labels, Adam."""
    x, t = gx.input("x", ("batch", 64)), gx.input("t", ("batch",), dtype="int64")
    h = nn.dense(x, 32, activation="relu", name="hidden")
    logits = nn.dense(h, 10, name="output")
    metrics = {"accuracy": nn.accuracy(logits, t)}
    return gx.Model(logits, nn.cross_entropy(logits, t), metrics, name="two_layers"), optim.adam(1e-3)


def masked() -> tuple[Model, optim.Optimizer]:
    """Dropout and GELU, binary cross-entropy on logits, momentum."""
    x, t = gx.input("x", ("batch", 2)), gx.input("t", ("batch", 1))
    h = nn.dense(x, 16, activation="gelu")
    h = nn.dropout(h, 0.2)
    logit = nn.dense(h, 1)
    return gx.Model(gx.sigmoid(logit), nn.binary_cross_entropy(logit, t), name="masked"), optim.momentum(0.05)


def centred() -> tuple[Model, optim.Optimizer]:
    """A running mean as state, a choice by mode, a hyper-parameter, a parameter used twice, a composite."""
    x, t = gx.input("x", ("batch", 4)), gx.input("t", ("batch", 4))
    running = gx.state("running", (4,), "zeros")
    weight = gx.hyper("weight", 0.01)
    W = gx.param("W", (4, 4), init="he_uniform")
    hat = gx.composite("hat", lambda u: gx.maximum(1 - gx.abs(u), 0))
    with gx.scope("centre"):
        mean = gx.mean(x, axis=0)
        train = gx.update(x - mean, {running: 0.9 * running + 0.1 * mean})
        c = gx.by_mode(train=train, eval=x - running).named("c")
    h = hat(c @ W)
    y = h @ W
    loss = nn.mse(y, t) + weight * gx.sum(gx.square(W))
    return gx.Model(y, loss, name="centred"), optim.sgd(0.1)


def batch_normed() -> tuple[Model, optim.Optimizer]:
    """Batch normalisation between a layer and its relu: its gradient in three terms, its running statistics."""
    x, t = gx.input("x", ("batch", 4)), gx.input("t", ("batch",), dtype="int64")
    z = nn.dense(x, 8, bias=False, name="hidden")
    h = gx.relu(nn.batch_norm(z, name="norm"))
    logits = nn.dense(h, 10, name="output")
    return gx.Model(logits, nn.cross_entropy(logits, t), name="batch_normed"), optim.momentum(0.05)


def layer_normed() -> tuple[Model, optim.Optimizer]:
    """Layer normalisation between two layers: its gradient in three terms."""
    x, t = gx.input("x", ("batch", 4)), gx.input("t", ("batch", 2))
    z = nn.dense(x, 8, activation="tanh", name="hidden")
    y = nn.dense(nn.layer_norm(z, name="norm"), 2, name="output")
    return gx.Model(y, nn.mse(y, t), name="layer_normed"), optim.sgd(0.1)


def pooled() -> tuple[Model, optim.Optimizer]:
    """A convolution, a pool and a layer: in the planned step the batch is the last axis of signals."""
    x, t = gx.input("x", ("batch", 2, 23)), gx.input("t", ("batch",), dtype="int64")
    h = nn.max_pool(nn.conv1d(x, 4, 3, "relu", name="conv"), 2, name="pool")
    logits = nn.dense(nn.flatten(h), 10, name="output")
    return gx.Model(logits, nn.cross_entropy(logits, t), name="pooled"), optim.sgd(0.1)


MODELS: dict[str, Callable[[], tuple[Model, optim.Optimizer]]] = {
    "line": line,
    "two_layers": two_layers,
    "masked": masked,
    "centred": centred,
    "batch_normed": batch_normed,
    "layer_normed": layer_normed,
    "pooled": pooled,
}
