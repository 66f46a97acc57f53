"""What the backward pass needs of the forward pass alone is computed there where that keeps less alive."""

from __future__ import annotations

import pytest

import graphc as gx
from graphc import nn
from graphc.planning.alive import alive_peak
from graphc.planning.early import with_early_factors
from graphc.stages import resolve
from graphc.train.measured import step_plan
from tests.golden.models import MODELS


def planned(activation, width=64, drop=0.0):
    x, t = gx.input("x", ("batch", 8)), gx.input("t", ("batch", width))
    h = nn.dense(x, width, activation=activation)
    h = nn.dropout(h, drop) if drop else h
    for _ in range(3):
        h = nn.dense(h, width, activation=activation)
    loss = nn.mse(h, t)
    graph = gx.graph_of([loss, *gx.grad(loss, list(gx.graph_of(loss).leaves("param")))])
    return gx.plan(gx.simplify(resolve(graph, "train")))


def peak(plan):
    return alive_peak(plan.order, plan.graph.roots, {"batch": 1000})


def test_the_derivative_of_a_gelu_is_kept_and_not_what_it_is_made_of():
    plan = planned(gx.gelu_tanh)
    assert peak(with_early_factors(plan)) < 0.65 * peak(plan)


def test_what_is_kept_anyway_frees_nothing_early():
    plan = planned("tanh")  # its derivative needs its value, which the gradient of the weights reads as well
    assert with_early_factors(plan) is plan


def test_a_mask_of_one_byte_takes_the_place_of_what_only_it_reads():
    plan = planned("relu", drop=0.5)  # behind dropout nothing else reads the output of the first relu
    early = with_early_factors(plan)
    moved = set(early.of_phase("forward")) - set(plan.of_phase("forward"))
    assert [n.op.name for n in moved] == ["greater"] * 2  # the last layer's as well: no weights follow it
    assert peak(early) <= peak(plan)


def test_numbers_go_along_with_what_needs_them():
    x, s = gx.input("x", ("n",)), gx.input("s", ())
    y = gx.sum(gx.gelu_tanh(gx.sin(x) * gx.exp(s)))
    plan = gx.plan(gx.simplify(gx.graph_of([y, gx.grad(y, x)])))
    _check(plan, with_early_factors(plan))


@pytest.mark.parametrize("name", MODELS)
def test_operands_come_first_still(name):
    model, optimizer = MODELS[name]()
    plan = step_plan(model, optimizer)
    _check(plan, with_early_factors(plan))


def _check(plan, early):
    assert sorted(map(id, early.order)) == sorted(map(id, plan.order))
    place = {node: at for at, node in enumerate(early.order)}
    assert all(place.get(x, -1) < place[n] for n in early.order for x in n.inputs)
    assert early.phase.keys() == plan.phase.keys()
