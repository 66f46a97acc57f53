"""The first non-finite value is named, not the one after it."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc.ir.graph import graph_of
from graphc.runtime.guards import first_non_finite


def test_square_root_at_zero_is_blamed_not_the_product_after_it():
    x = gx.input("x", (3,), dtype="float64")
    root = gx.sqrt(x * x).named("root")
    g = gx.grad(gx.sum(root), x, level="exact")
    place = first_non_finite(graph_of(g), {"x": np.array([0.0, 1.0, 2.0])})
    assert place is not None
    assert place.node.op.name == "divide"  # 1 / (2 root), the derivative of the square root
    assert "root from 0 to 2" in place.text or "root) from 0 to 4" in place.text


def test_finite_values_blame_nobody():
    x = gx.input("x", (3,))
    assert first_non_finite(graph_of(gx.exp(x)), {"x": np.zeros(3)}) is None


FAULTS = {
    "log of zero": (lambda x: gx.sum(gx.log(x).named("bad") * 2), [0.0, 1.0], "log"),
    "division by zero": (lambda x: gx.sum((1 / x).named("bad")), [0.0, 1.0], "divide"),
    "overflow of exp": (lambda x: gx.sum(gx.exp(x).named("bad") - 1), [1e4, 1.0], "exp"),
    "root of a negative": (lambda x: gx.tanh(gx.sum(gx.sqrt(x).named("bad"))), [-1.0, 1.0], "sqrt"),
    "power of zero": (lambda x: gx.sum((x**-2.0).named("bad")), [0.0, 2.0], "power"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_planted_faults_are_named(what):
    build, data, op = FAULTS[what]
    x = gx.input("x", (2,))
    place = first_non_finite(graph_of(build(x)), {"x": np.array(data)})
    assert place is not None
    assert place.node.op.name == op
    assert "bad = " in place.text
    assert place.where is not None
    assert "test_guards.py" in place.where
