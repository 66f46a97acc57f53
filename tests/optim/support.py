"""A small model, gradients of many sizes, and the two ways in which an optimizer runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import graphc as gx
from graphc import nn
from graphc.optim import Optimizer

GRADIENTS = np.random.default_rng(3).normal(size=(50, 4)) * np.logspace(-3, 2, 50)[:, None]
START = np.array([1.0, -2.0, 0.5, 3.0])


def run(optimizer: Optimizer, theta: Any = START, gradients: Any = GRADIENTS) -> Iterator[Any]:
    """The parameter after each step of the equations as one compiled graph."""
    p, g = gx.param("p", theta.shape, dtype="float64"), gx.input("g", theta.shape, "float64")
    program = gx.compile(gx.sum(p * g), updates=optimizer.updates({"p": p}, {"p": g}))
    values = {"p": theta, **optimizer.starting_slots({"p": theta})}
    for gradient in gradients:
        _, values = program(g=gradient, **values)
        yield values["p"]


def linear_model(**starts: Any) -> gx.Model:
    """Parameters whose gradients are the inputs: the loss is their inner product."""
    params = {n: gx.param(n, v.shape, init=v, dtype=v.dtype.name) for n, v in starts.items()}
    parts = [gx.sum(gx.input(f"g_{n}", p.shape, p.dtype) * p) for n, p in params.items()]
    return gx.Model(list(params.values()), sum(parts[1:], parts[0]), name="linear")


def stepped(optimizer: Optimizer, gradients: Any = GRADIENTS, theta: Any = START) -> list[Any]:
    """The parameter after each step of the generated module."""
    module = linear_model(p=theta).module(optimizer)
    params, state, slots = module.init(0)
    found = []
    for g in gradients:
        params, state, slots, _ = module.train_step(params, state, slots, g)
        found.append(np.array(params["p"]))  # the next step changes it in place
    return found


def small_model() -> gx.Model:
    """Two layers, 3-5-2."""
    x, t = gx.input("x", ("batch", 3)), gx.input("t", ("batch", 2))
    y = nn.dense(nn.dense(x, 5, activation="tanh", name="h"), 2, name="y")
    return gx.Model(y, nn.mse(y, t), name="small")
