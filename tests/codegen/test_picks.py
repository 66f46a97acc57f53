"""What labels pick is summed by a product, and nothing dear stands in a step."""

from __future__ import annotations

import re

import numpy as np
import pytest

import graphc as gx
from benchmarks.workloads.models import expression, model_of, optimizer_of
from benchmarks.workloads.problems import PROBLEMS
from graphc import nn

DEAR = re.compile(r"\bwhere\b|where=|\bpower\(|logaddexp|expit|heaviside|\bfloat_power|\.at\(")


SLOW = ("W4", "W5", "W6")


def masked_loss(classes=5):
    """Cross-entropy of logits of which a mask rules some out by -inf."""
    z, t = gx.input("z", ("n", classes)), gx.input("t", ("n",), dtype="int64")
    ruled_out = gx.input("ruled_out", ("n", classes))
    loss = nn.cross_entropy(z + ruled_out, t)
    return gx.compile([loss, gx.grad(loss, z)], layout="planned"), gx.compile([loss, gx.grad(loss, z)])


def arrays(rows=7, classes=5):
    random = np.random.default_rng(0)
    z = random.normal(size=(rows, classes)).astype(np.float32)
    return z, random.integers(0, classes, rows), np.zeros_like(z)


def test_a_sum_of_picks_is_a_product():
    planned, fresh = masked_loss()
    assert "vdot(onehot" in planned.source
    for a, b in zip(planned(*arrays()), fresh(*arrays()), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)


def test_classes_that_are_ruled_out_are_left_out():
    planned, fresh = masked_loss()
    z, t, ruled_out = arrays()
    ruled_out[:, :2] = -np.inf
    t[:] = 3
    with np.errstate(all="ignore"):
        (value, gradient), (expected, wanted) = planned(z, t, ruled_out), fresh(z, t, ruled_out)
    assert np.isfinite(value)
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    np.testing.assert_allclose(gradient, wanted, rtol=1e-6, atol=1e-8)


def test_a_label_that_is_ruled_out_costs_everything():
    planned, _ = masked_loss()
    z, t, ruled_out = arrays()
    ruled_out[0, t[0]] = -np.inf
    with np.errstate(all="ignore"):
        assert planned(z, t, ruled_out)[0] == np.inf


def test_a_choice_that_is_read_elsewhere_stays():
    z, t = gx.input("z", ("n", 5)), gx.input("t", ("n",), dtype="int64")
    chosen = gx.where(gx.one_hot(t, 5) > 0, z, 0.0)
    both = gx.compile([gx.sum(chosen), chosen * 2], layout="planned")
    assert "vdot" not in both.source
    value, twice = both(*arrays()[:2])
    np.testing.assert_allclose(value, twice.sum() / 2, rtol=1e-6)


def test_exact_adds_in_the_order_of_the_listing():
    z, t = gx.input("z", ("n", 5)), gx.input("t", ("n",), dtype="int64")
    loss = nn.cross_entropy(z, t)
    assert "vdot" not in gx.compile(loss, layout="planned", level="exact").source


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.full) if n in SLOW else n for n in PROBLEMS]
)
def test_nothing_dear_stands_in_a_step(name):
    problem = PROBLEMS[name]()
    if problem.optimizer:
        text = model_of(problem).source(optimizer_of(problem))
        body = text[text.index("def plan_step") : text.index("def train_step")]
    else:
        y, x = expression(problem)
        text = gx.compile([y, gx.grad(y, x)], layout="planned").source
        body = text[text.index("def plan_f") :]
    assert DEAR.findall(body) == []
