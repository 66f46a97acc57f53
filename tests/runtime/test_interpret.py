"""The oracle: node by node, and what it agrees with."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc.errors import ArgumentError
from graphc.ir.graph import graph_of
from graphc.runtime.interpret import interpret, interpret_nodes


def test_the_oracle_returns_the_structure():
    x = gx.input("x", ("n",))
    out = interpret(graph_of({"a": x + 1, "b": [gx.sum(x)]}), {"x": np.float32([1, 2])})
    assert out["a"].tolist() == [2, 3]
    assert out["b"][0] == 3


def test_a_node_is_no_graph():
    with pytest.raises(ArgumentError, match="a graph is interpreted"):
        interpret(gx.sum(gx.param("v", (3,))), {"v": np.ones(3)})


def test_every_intermediate_is_there():
    x = gx.input("x", ("n",))
    h = gx.tanh(x)
    values = interpret_nodes(graph_of(gx.sum(h * h)), [np.float32([0.5])])
    assert values[h][0] == np.tanh(np.float32(0.5))


def test_exact_programs_equal_the_oracle_to_the_last_bit():
    x, w = gx.input("x", ("n", 5)), gx.param("w", (5, 5))
    h = gx.gelu(x @ w)
    loss = gx.mean(gx.logsumexp(h, axis=1)) + gx.sum(gx.softmax(h) ** 3) / 7
    rng = np.random.default_rng(0)
    data = rng.normal(size=(8, 5)).astype(np.float32), rng.normal(size=(5, 5)).astype(np.float32)
    for out in (loss, gx.grad(loss, w, level="exact")):
        ours, oracle = gx.compile(out, level="exact")(*data), interpret(graph_of(out), data)
        assert np.asarray(ours).tobytes() == np.asarray(oracle).tobytes()


def test_updates_are_returned():
    x, s = gx.input("x", ()), gx.state("s", ())
    graph = graph_of(gx.update(x, {s: s + 1}))
    assert interpret(graph, [np.float32(2), np.float32(5)]) == (2.0, {"s": 6.0})
