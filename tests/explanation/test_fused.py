"""What stands together and why, and what does not."""

from __future__ import annotations

import json

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim
from graphc.rewrite.pipeline import BEFORE_BUFFERS, SIMPLIFY, TO_CODE

REGION, STRIPS = "pointwise-region", "strips"


@pytest.fixture(scope="module")
def model():
    x, t = gx.input("x", ("batch", 200)), gx.input("t", ("batch", 4))
    h = nn.dense(x, 300, activation=gx.gelu_tanh, name="hidden")
    y = nn.dense(h, 4, activation="sigmoid", name="output")
    return gx.Model(y, nn.mse(y, t), optimizer=optim.adam(1e-3))


def test_a_report_says_what_stands_in_strips_and_why_the_rest_does_not(model):
    found = model.report()
    looped = [run for run in found.runs if run.looped]
    assert [run.names[0] for run in looped] == ["hidden_z"]
    assert "calls over rows of 300 elements" in str(looped[0])
    left = [str(run) for run in found.runs if not run.looped]
    assert any("a loop pays from rows of 256 elements, which have 4 here" in text for text in left)
    assert all(str(run) in str(found) for run in found.runs)
    assert json.loads(json.dumps(found.to_dict()))["runs"][0]["looped"] is True


def test_a_report_names_each_pass_once(model):
    passes = model.report().passes  # what comes before buffers is run for the step of training alone
    assert [p.name for p in passes] == list(
        dict.fromkeys(p.__name__ for p in (*SIMPLIFY, *TO_CODE, *BEFORE_BUFFERS))
    )
    before = {p.__name__ for p in BEFORE_BUFFERS}
    assert (
        len({p.graphs for p in passes if p.name not in before} - {passes[0].graphs}) == 1
    )  # clean comes twice
    assert "graphs" in str(model.report())


def test_a_planned_report_has_bytes_and_ends_of_slots(model):
    found = model.report().at(batch=64)
    hidden = next(slot for slot in found.slots if slot.name == "hidden_z")
    assert hidden.bytes == 64 * 300 * 4
    assert hidden.until
    assert max(s.last for s in found.slots) < 10 * len(
        found.slots
    )  # places follow each other in the update as well
    assert max(s.bytes for s in found.slots) < found.workspace <= found.measured
    assert f"{found.workspace:,} in the workspace" in str(found)


def test_a_planned_program_is_predicted_as_it_runs():
    x = gx.input("x", ("n", 300))
    y = gx.sum(gx.gelu_tanh(gx.sin(x)))
    fresh, planned = (
        gx.compile([y, gx.grad(y, x)], layout=k).report.at(n=8000) for k in ("fresh", "planned")
    )
    assert planned.predicted < fresh.predicted / 2
    assert planned.measured <= 1.1 * planned.predicted
    assert fresh.workspace is None


def test_strips_and_regions_can_be_asked_for(model):
    assert "done:" in str(gx.why_not(model, STRIPS))
    assert gx.why_not(model, REGION).name == REGION
    assert "needs buffers" not in str(gx.why_not(model, STRIPS))
    x = gx.input("x", ("n",))
    program = gx.compile(gx.exp(gx.sin(x)))
    assert program.why_not(STRIPS).left == (
        "layout fresh makes a new array for each value; strips need buffers",
    )
    assert "belong to the value itself" in str(program.why_not(REGION))
    assert "there is no place for it here" in str(gx.why_not(x + 1, REGION))
    assert gx.why_not(REGION, gx.exp(x), level="exact").left[0].startswith("level exact")


def test_a_region_says_what_was_found():
    x = gx.input("x", ("n",))
    y = gx.sum(gx.softplus(x * gx.tanh(x)))
    found = gx.compile([y, gx.grad(y, x)]).report
    assert found.regions
    assert "ns an element" in str(found)
    assert np.isfinite(found.at(n=3).measured)


def test_rows_of_unknown_length_say_so():
    x = gx.input("x", (4, "n"))
    program = gx.compile(gx.tanh(gx.exp(gx.sin(x)) + x), layout="planned")
    (left,) = program.why_not(STRIPS).left
    assert "calls over rows of n elements: how many fit the cache is not known beforehand" in left
