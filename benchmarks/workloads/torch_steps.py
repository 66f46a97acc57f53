"""The nine workloads in PyTorch, eager, with its modules and its default optimizers, on one thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.workloads.problems import HIDDEN, TIME, Problem

Step = Callable[[], Any]


def build(problem: Problem, drop: float | None = None) -> Step:
    """A function that takes one step and returns the loss; ``drop`` takes the place of the problem's dropout."""
    torch.set_num_threads(1)
    if not problem.optimizer:
        return _differentiated(problem)
    net = NETWORKS[problem.name](problem, problem.drop if drop is None else drop).train()
    kind = torch.optim.Adam if problem.optimizer == "adam" else torch.optim.SGD
    optimizer = kind(net.parameters(), lr=problem.lr)
    criterion = F.mse_loss if problem.t.dtype.kind == "f" else F.cross_entropy
    x, t, count = torch.tensor(problem.x), torch.tensor(problem.t), problem.batches
    k = 0

    def step() -> Any:
        nonlocal k
        j = k % count
        k += 1
        optimizer.zero_grad()
        loss = criterion(net(x[j]), t[j])
        loss.backward()
        optimizer.step()
        return loss

    return step


def _differentiated(problem: Problem) -> Step:
    x = torch.tensor(problem.x[0], requires_grad=True)
    if problem.name == "W5":
        value: Step = lambda: F.softplus(  # noqa: E731
            torch.tanh(x) * torch.sigmoid(x) + x**2 * torch.exp(-(x**2))
        ).sum()
    else:
        t = torch.tensor(problem.t[0])
        value = lambda: F.cross_entropy(x, t)  # noqa: E731

    def step() -> Any:
        x.grad = None
        y = value()
        y.backward()
        return y, x.grad

    return step


def _linear(problem: Problem, name: str) -> nn.Linear:
    weight, bias = problem.params[f"{name}.W"], problem.params.get(f"{name}.b")
    layer = nn.Linear(*weight.shape, bias=bias is not None)
    layer.weight.data = torch.tensor(weight.T.copy())
    if bias is not None:
        layer.bias.data = torch.tensor(bias)
    return layer


ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU, "gelu_tanh": lambda: nn.GELU(approximate="tanh")}


def _perceptron(problem: Problem, drop: float) -> nn.Module:
    names = [key[:-2] for key in problem.params if key.endswith(".W")]
    layers: list[Any] = []
    for name in names[:-1]:
        layers += [_linear(problem, name), ACTIVATIONS[problem.activation]()]
    return nn.Sequential(*layers, _linear(problem, names[-1]))


def _normalised(problem: Problem, drop: float) -> nn.Module:
    layers: list[Any] = []
    for name in ("hidden1", "hidden2"):
        layers += [_linear(problem, name), nn.BatchNorm1d(512), nn.ReLU(), nn.Dropout(drop)]
    return nn.Sequential(*layers, _linear(problem, "output"))


class _Recurrent(nn.Module):
    """The cell written out; gates in the order i, f, g, o."""

    def __init__(self, problem: Problem, drop: float) -> None:
        super().__init__()
        p = {key: nn.Parameter(torch.tensor(value)) for key, value in problem.params.items()}
        self.Wx, self.Wh, self.b = p["lstm.Wx"], p["lstm.Wh"], p["lstm.b"]
        self.output = _linear(problem, "output")

    def forward(self, x: Any) -> Any:
        h = c = torch.zeros(x.shape[1], HIDDEN)
        for t in range(TIME):
            z = x[t] @ self.Wx + h @ self.Wh + self.b
            i, f, g, o = z.chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return self.output(h)


def _convolution(problem: Problem, name: str) -> nn.Conv2d:
    weight = problem.params[f"{name}.W"].transpose(3, 2, 0, 1)
    layer = nn.Conv2d(weight.shape[1], weight.shape[0], 3)
    layer.weight.data = torch.tensor(weight.copy())
    layer.bias.data = torch.tensor(problem.params[f"{name}.b"])
    return layer


def _convolutional(problem: Problem, drop: float) -> nn.Module:
    first, second = _convolution(problem, "conv1"), _convolution(problem, "conv2")
    parts = [first, nn.ReLU(), nn.MaxPool2d(2), second, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    return nn.Sequential(*parts, _linear(problem, "output"))


NETWORKS = {
    "W1": _perceptron,
    "W2": _perceptron,
    "W3": _perceptron,
    "W4": _perceptron,
    "W6": _normalised,
    "W8": _Recurrent,
    "W9": _convolutional,
}
