"""What a model says of its own step of training."""

from __future__ import annotations

import json

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim
from graphc.errors import ArgumentError


def made(drop=0.0):
    x, t = gx.input("x", ("batch", 16)), gx.input("t", ("batch",), dtype="int64")
    h = nn.dropout(nn.dense(x, 32, activation="relu", name="hidden"), drop, name="drop")
    z = nn.dense(h, 4, name="output")
    return gx.Model(z, nn.cross_entropy(z, t), optimizer=optim.adam(1e-3))


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(0)
    return random.random((64, 16)), random.integers(0, 4, 64)


def test_a_step_is_profiled_by_layer(data):
    model = made()
    before = model.params
    found = model.profile(*data, seconds=0.0)
    assert {"hidden", "output"} <= set(found.by_layer())
    assert found.total == pytest.approx(sum(found.by_node().values()))
    assert all(np.array_equal(before[name], value) for name, value in model.params.items())


def test_a_step_that_draws_is_profiled(data):
    assert "drop" in made(0.5).profile(*data, optimizer=optim.sgd(0.1), seconds=0.0).by_layer()


def test_a_report_counts_loss_gradients_and_update():
    report = made().report()
    products = 2 * 64 * (2 * 16 * 32 + 3 * 32 * 4)
    found = report.at(batch=64)
    assert products < found.flops < 2 * products
    assert {c.phase for c in found.costs} == {"forward", "backward", "update"}
    assert found.predicted > 0
    assert found.measured > 0
    assert json.loads(json.dumps(found.to_dict()))["sizes"] == {"batch": 64}


def test_another_optimizer_costs_less():
    model = made()
    assert model.report(optim.sgd(0.1)).at(batch=8).bytes < model.report().at(batch=8).bytes


def test_what_is_no_optimizer_is_refused():
    with pytest.raises(ArgumentError, match="optimizer"):
        made().report(3)
