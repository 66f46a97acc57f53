"""The data, the starting values and the settings of the nine workloads, from a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

Array = Any


@dataclass(frozen=True)
class Problem:
    """What every implementation of a workload starts from.

    Attributes:
        name: ``W1`` to ``W9``.
        title: what is computed, in a few words.
        x: all batches, ``float32[batches, ...]``; a step takes the next of them.
        t: their targets, ``[batches, batch]`` labels or ``float32[batches, batch, 1]``; None where there are none.
        params: the starting values by graphc's names; weights are [inputs, outputs].
        optimizer: ``sgd``, ``adam``, or empty where a value and its gradient are all.
        lr: the learning rate.
        activation: of the hidden layers.
        drop: the share that dropout drops.
        flops: of the matrix products of a step: forward, gradient of the weights, gradient of the input.
        traffic: bytes that a step moves at least, each input, parameter and slot read and written once.
    """

    name: str
    title: str
    x: Array
    t: Array = None
    params: dict[str, Array] = field(default_factory=dict)
    optimizer: str = ""
    lr: float = 0.0
    activation: str = ""
    drop: float = 0.0
    flops: float = 0.0
    traffic: float = 0.0

    @property
    def batches(self) -> int:
        """How many batches there are."""
        return len(self.x)

    @property
    def sizes(self) -> list[int]:
        """The widths of a network of dense layers: inputs, hidden, outputs."""
        weights = [v for k, v in self.params.items() if k.endswith(".W")]
        return [weights[0].shape[0], *(w.shape[1] for w in weights)]


def _normal(random: np.random.Generator, *shape: int, scale: float = 1.0) -> Array:
    return (random.standard_normal(shape) * scale).astype(np.float32)


def layer_names(count: int) -> list[str]:
    """``hidden1``, ``hidden2``, ..., ``output``."""
    return [*(f"hidden{i + 1}" for i in range(count - 1)), "output"]


def _dense_params(random: np.random.Generator, sizes: list[int]) -> dict[str, Array]:
    params = {}
    for name, inputs, outputs in zip(layer_names(len(sizes) - 1), sizes, sizes[1:], strict=False):
        params[f"{name}.W"] = _normal(random, inputs, outputs, scale=(1 / inputs) ** 0.5)
        params[f"{name}.b"] = np.zeros(outputs, np.float32)
    return params


def _dense_flops(batch: int, sizes: list[int]) -> float:
    """Two for a multiplication and an addition; the first layer needs no gradient of its input."""
    products = [a * b for a, b in pairwise(sizes)]
    return 2.0 * batch * (3 * sum(products) - products[0])


def _dense(name: str, title: str, batches: int, batch: int, sizes: list[int], **rest: Any) -> Problem:
    random = np.random.default_rng(7)
    params = _dense_params(random, sizes)
    if sizes[-1] == 1:
        x = _normal(random, batches, batch, sizes[0])
        t: Array = np.sin(x[..., :1]) * x[..., 1:]
    else:
        x = random.random((batches, batch, sizes[0]), dtype=np.float32)
        t = random.integers(0, sizes[-1], (batches, batch))
    count = sum(p.size for p in params.values())
    traffic = 4.0 * (count * (8 if rest["optimizer"] == "adam" else 3) + batch * sizes[0])
    flops = _dense_flops(batch, sizes)
    return Problem(name, title, x, t, params, flops=flops, traffic=traffic, **rest)


def _w1() -> Problem:
    title = "MLP 2-16-16-1 tanh, MSE, SGD, batch 32"
    return _dense("W1", title, 128, 32, [2, 16, 16, 1], activation="tanh", optimizer="sgd", lr=0.05)


def _w2() -> Problem:
    title = "MLP 64-64-32-10 relu, cross-entropy, SGD, batch 64"
    return _dense("W2", title, 28, 64, [64, 64, 32, 10], activation="relu", optimizer="sgd", lr=0.05)


def _w3() -> Problem:
    title = "MLP 784-256-128-10 relu, cross-entropy, Adam, batch 128"
    sizes = [784, 256, 128, 10]
    return _dense("W3", title, 64, 128, sizes, activation="relu", optimizer="adam", lr=1e-3)


def _w4() -> Problem:
    title = "MLP 1024x4-10 gelu, cross-entropy, SGD, batch 512"
    sizes = [1024, 1024, 1024, 1024, 10]
    return _dense("W4", title, 8, 512, sizes, activation="gelu_tanh", optimizer="sgd", lr=0.01)


def _w5() -> Problem:
    title = "value and gradient of sum softplus(tanh(x) sigmoid(x) + x^2 exp(-x^2)), 1M elements"
    x = _normal(np.random.default_rng(7), 1, 1 << 20)
    return Problem("W5", title, x, traffic=8.0 * x.size)


def _w6() -> Problem:
    found = _dense(
        "W6",
        "784-512-512-10 batch norm, relu, dropout 0.5, Adam, batch 256",
        32,
        256,
        [784, 512, 512, 10],
        activation="relu",
        optimizer="adam",
        lr=1e-3,
        drop=0.5,
    )
    params: dict[str, Array] = {}
    for name, value in found.params.items():
        layer, _, kind = name.partition(".")
        if layer != "output" and kind == "b":  # the mean takes it away again
            params[f"norm{layer[-1]}.gamma"] = np.ones_like(value)
            params[f"norm{layer[-1]}.beta"] = value
        else:
            params[name] = value
    traffic = found.traffic + 4.0 * 8 * 256 * 512
    return Problem(**{**vars(found), "params": params, "traffic": traffic})


def _w7() -> Problem:
    title = "softmax cross-entropy of 4096x1000 logits, value and gradient"
    random = np.random.default_rng(7)
    x, t = _normal(random, 1, 4096, 1000, scale=2.0), random.integers(0, 1000, (1, 4096))
    return Problem("W7", title, x, t, traffic=8.0 * x.size)


TIME, FEATURES, HIDDEN = 20, 32, 64


def _w8() -> Problem:
    random = np.random.default_rng(7)
    batch = 32
    params = {
        "lstm.Wx": _normal(random, FEATURES, 4 * HIDDEN, scale=0.1),
        "lstm.Wh": _normal(random, HIDDEN, 4 * HIDDEN, scale=0.1),
        "lstm.b": np.zeros(4 * HIDDEN, np.float32),
        "output.W": _normal(random, HIDDEN, 10, scale=0.1),
        "output.b": np.zeros(10, np.float32),
    }
    x, t = _normal(random, 64, TIME, batch, FEATURES), random.integers(0, 10, (64, batch))
    flops = 2.0 * batch * (TIME * (2 * FEATURES + 3 * HIDDEN) * 4 * HIDDEN + 3 * HIDDEN * 10)
    traffic = 4.0 * (3 * sum(p.size for p in params.values()) + x[0].size)
    title = "LSTM, 20 steps, hidden 64, batch 32, SGD"
    return Problem("W8", title, x, t, params, "sgd", 0.05, flops=flops, traffic=traffic)


def _w9() -> Problem:
    random = np.random.default_rng(7)
    batch = 64
    params = {
        "conv1.W": _normal(random, 3, 3, 1, 16, scale=0.3),
        "conv1.b": np.zeros(16, np.float32),
        "conv2.W": _normal(random, 3, 3, 16, 32, scale=0.1),
        "conv2.b": np.zeros(32, np.float32),
        "output.W": _normal(random, 800, 10, scale=0.05),
        "output.b": np.zeros(10, np.float32),
    }
    x = random.random((16, batch, 1, 28, 28), dtype=np.float32)
    t = random.integers(0, 10, (16, batch))
    flops = 2.0 * batch * (2 * 9 * 16 * 26 * 26 + 3 * 144 * 32 * 121 + 3 * 8000)
    traffic = 4.0 * batch * (784 + 4 * (16 * 676 + 16 * 169 + 32 * 121))
    title = "CNN conv16-pool-conv32-pool-dense of 28x28, batch 64, SGD"
    return Problem("W9", title, x, t, params, "sgd", 0.05, "relu", flops=flops, traffic=traffic)


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "W1": _w1,
    "W2": _w2,
    "W3": _w3,
    "W4": _w4,
    "W5": _w5,
    "W6": _w6,
    "W7": _w7,
    "W8": _w8,
    "W9": _w9,
}
