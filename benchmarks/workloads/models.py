"""The nine workloads as a user of graphc declares them."""

from __future__ import annotations

from typing import Any

import graphc as gx
from benchmarks.workloads.problems import FEATURES, HIDDEN, TIME, Problem, layer_names
from graphc import nn, optim


def perceptron(problem: Problem, **options: Any) -> gx.Model:
    """W1 to W4: dense layers."""
    sizes = problem.sizes
    x = gx.input("x", ("batch", sizes[0]))
    h = x
    *hidden, last = layer_names(len(sizes) - 1)
    for name, units in zip(hidden, sizes[1:], strict=False):
        h = nn.dense(h, units, activation=_activation(problem), name=name)
    y = nn.dense(h, sizes[-1], name=last)
    if sizes[-1] == 1:
        return gx.Model(y, nn.mse(y, gx.input("t", ("batch", 1))), name=problem.name, **options)
    return _classifier(y, problem, options)


def _activation(problem: Problem) -> Any:
    return gx.gelu_tanh if problem.activation == "gelu_tanh" else problem.activation


def _classifier(logits: Any, problem: Problem, options: dict[str, Any]) -> gx.Model:
    t = gx.input("t", ("batch",), dtype="int64")
    return gx.Model(logits, nn.cross_entropy(logits, t), name=problem.name, **options)


def normalised(problem: Problem, **options: Any) -> gx.Model:
    """W6: dense layers with batch normalisation and dropout."""
    h = gx.input("x", ("batch", 784))
    for i in (1, 2):
        h = nn.dense(h, 512, bias=False, name=f"hidden{i}")
        h = gx.relu(nn.batch_norm(h, axis=-1, name=f"norm{i}"))
        h = nn.dropout(h, problem.drop, name=f"drop{i}")
    return _classifier(nn.dense(h, 10, name="output"), problem, options)


def lstm(problem: Problem, **options: Any) -> gx.Model:
    """W8: one recurrent layer, as a loop; gates in the order i, f, g, o."""
    x = gx.input("x", (TIME, "batch", FEATURES))
    with gx.scope("lstm"):
        Wx, Wh = gx.param("Wx", (FEATURES, 4 * HIDDEN)), gx.param("Wh", (HIDDEN, 4 * HIDDEN))
        b = gx.param("b", (4 * HIDDEN,), init="zeros")

    def cell(carry: Any, x: Any) -> Any:
        h, c = carry
        z = x @ Wx + h @ Wh + b
        i, f, g, o = (z[:, k * HIDDEN : (k + 1) * HIDDEN] for k in range(4))
        c = gx.sigmoid(f) * c + gx.sigmoid(i) * gx.tanh(g)
        return (gx.sigmoid(o) * gx.tanh(c), c), None

    start = gx.zeros((x.shape[1], HIDDEN))
    (h, _), _ = gx.scan(cell, (start, start), x)
    return _classifier(nn.dense(h, 10, name="output"), problem, options)


def convolutional(problem: Problem, **options: Any) -> gx.Model:
    """W9: two convolutions with pooling, and a dense layer."""
    h = gx.input("x", ("batch", 1, 28, 28))
    h = nn.max_pool(nn.conv2d(h, 16, 3, "relu", name="conv1"), 2)
    h = nn.max_pool(nn.conv2d(h, 32, 3, "relu", name="conv2"), 2)
    return _classifier(nn.dense(nn.flatten(h), 10, name="output"), problem, options)


MODELS = {
    "W1": perceptron,
    "W2": perceptron,
    "W3": perceptron,
    "W4": perceptron,
    "W6": normalised,
    "W8": lstm,
    "W9": convolutional,
}


def model_of(problem: Problem, **options: Any) -> gx.Model:
    """The declared model with the starting values of the problem; options are those of ``gx.Model``."""
    return MODELS[problem.name](problem, **options).set_params(problem.params)


def optimizer_of(problem: Problem) -> Any:
    """The optimizer of a workload."""
    return optim.adam(problem.lr) if problem.optimizer == "adam" else optim.sgd(problem.lr)


def expression(problem: Problem) -> tuple[Any, Any]:
    """W5 and W7: a scalar, and what it is differentiated by."""
    if problem.name == "W5":
        x = gx.input("x", ("n",))
        return gx.sum(gx.softplus(gx.tanh(x) * gx.sigmoid(x) + x**2 * gx.exp(-(x**2)))), x
    x, t = gx.input("x", ("batch", 1000)), gx.input("t", ("batch",), dtype="int64")
    return nn.cross_entropy(x, t), x
