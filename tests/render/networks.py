"""Networks that are drawn in the tests: small ones, declared the way users declare them."""

from __future__ import annotations

from collections.abc import Sequence

import graphc as gx
from graphc.ir.graph import Graph, graph_of
from graphc.ir.node import Node


def dense(x: Node, inputs: int, units: int, name: str, activation=None) -> tuple[Node, list[Node]]:
    with gx.scope(name, "dense"):
        W, b = gx.param("W", (inputs, units)), gx.param("b", (units,))
        z = (x @ W + b).named("z")
        return (z if activation is None else activation(z).named("h")), [W, b]


def with_gradients(loss: Node, params: Sequence[Node], **more: Node) -> Graph:
    return graph_of({"loss": loss, **more, "gradients": gx.grad(loss, list(params))})


def regression() -> Graph:
    x, y = gx.input("x", ("batch", 3)), gx.input("y", ("batch",))
    w, b = gx.param("w", (3,)), gx.param("b", ())
    prediction = (x @ w + b).named("prediction")
    return with_gradients(gx.mean(gx.square(prediction - y)).named("loss"), [w, b])


def mlp(depth: int = 2, width: int = 64) -> Graph:
    """Hidden layers with relu and tanh in turn, an output layer, and cross-entropy."""
    h, t = gx.input("x", ("batch", 64)), gx.input("t", ("batch",), dtype="int64")
    params, size = [], 64
    for i in range(1, depth + 1):
        h, made = dense(
            h, size, width // i if depth == 2 else width, f"hidden{i}", gx.relu if i % 2 else gx.tanh
        )
        size = h.shape[1]
        params += made
    z, made = dense(h, size, 10, "output")
    with gx.scope("loss", "loss"):
        loss = -gx.mean(gx.sum(gx.one_hot(t, 10) * gx.log_softmax(z), axis=1))
        loss.named("L")
    return with_gradients(loss, params + made)


def residual() -> Graph:
    x, y = gx.input("x", ("batch", 16)), gx.input("y", ("batch", 4))
    h, params = dense(x, 16, 16, "stem", gx.relu)
    for i in (1, 2):
        with gx.scope(f"block{i}"):
            r, first = dense(h, 16, 16, "first", gx.relu)
            r, second = dense(r, 16, 16, "second")
            params += first + second
            h = gx.relu(h + r).named("h")
    z, head = dense(h, 16, 4, "head")
    return with_gradients(gx.mean(gx.square(z - y)).named("loss"), params + head)


def shared(times: int = 3) -> Graph:
    """One matrix, used again and again."""
    x, y = gx.input("x", ("batch", 16)), gx.input("y", ("batch", 16))
    W, b = gx.param("W", (16, 16)), gx.param("b", (16,))
    h = x
    for i in range(1, times + 1):
        h = gx.tanh(h @ W + b).named(f"h{i}")
    return with_gradients(gx.mean(gx.square(h - y)).named("loss"), [W, b])
