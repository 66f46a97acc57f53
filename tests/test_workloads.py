"""The nine workloads: what is compared computes the same, and the table says what was measured."""

from __future__ import annotations

import importlib.util
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import nine
from benchmarks.workloads import by_hand, generated
from benchmarks.workloads.problems import PROBLEMS

STEPS = 4
TOLERANCE = 2e-5
"""Relative, between losses of float32 after a few steps: the sums are taken in other orders."""


def losses(step):
    with np.errstate(all="ignore"):
        return [nine.value_of(step()) for _ in range(STEPS)]


def problem_of(name):
    return replace(PROBLEMS[name](), drop=0.0)  # masks differ, so there are none


@pytest.mark.parametrize("name", list(by_hand.STEPS))
def test_generated_steps_agree_with_those_by_hand(name):
    problem = problem_of(name)
    expected = losses(by_hand.build(problem))
    for layout in generated.layouts(problem):
        np.testing.assert_allclose(losses(generated.build(problem, layout)), expected, rtol=TOLERANCE)


@pytest.mark.full
@pytest.mark.parametrize("peer", ["torch_steps", "jax_steps"])
@pytest.mark.parametrize("name", nine.NAMES)
def test_generated_steps_agree_with_the_peers(name, peer):
    package = peer.partition("_")[0]
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: pip install 'graphc[bench]'")
    module = importlib.import_module(f"benchmarks.workloads.{peer}")
    problem = problem_of(name)
    np.testing.assert_allclose(
        losses(module.build(problem)), losses(generated.build(problem)), rtol=TOLERANCE
    )


@pytest.mark.full
def test_a_workload_is_measured():
    found = nine.measured("W1", only=("fresh", "hand"), rounds=1, chunk=0.001)
    assert set(found.seconds) == {"fresh", "hand"}
    assert found.times("hand") == found.seconds["hand"] / found.seconds["fresh"]
    assert nine.summary(found).startswith("W1  fresh ")


def test_a_peer_that_is_not_installed_is_left_out_in_one_line(monkeypatch):
    monkeypatch.setattr(nine, "missing_package", lambda name: name if name in ("torch", "jax") else "")
    found = nine.measured("W1", only=("torch", "jax"), rounds=1, chunk=0.001)
    assert not found.seconds
    assert found.missing["torch"] == "torch is not installed: pip install 'graphc[bench]'"


RESULT = nine.Result("W1", "a title", {"fresh": 4e-5, "hand": 2e-5, "torch": 2e-3, "jax": 6e-5})


def test_the_table_marks_what_was_missed():
    row = nine.cells(RESULT)
    assert row[:6] == ["W1", "40.0 µs", "", "", "", "20.0 µs"]
    assert row[-5:] == ["50.00 (≥ 25)", "1.50 (≥ 3, missed)", "", "2.00 (≤ 1.15, missed)", ""]
    assert len(row) == len(nine.header())


@pytest.mark.parametrize(
    ("name", "text"), [("W1", "1.50"), ("W3", "1.50 (≥ 1)"), ("W5", "1.50 (≥ 2, missed)")]
)
def test_kernels_have_targets_of_their_own(name, text):
    result = nine.Result(name, "a title", {"numba": 4e-5, "jax": 6e-5})
    assert nine.cells(result)[-1] == text


def test_a_step_as_fit_takes_it_is_the_one_that_counts():
    planned = {**RESULT.seconds, "planned": 1e-5}
    assert replace(RESULT, seconds=planned).times("hand") == 2.0
    assert replace(RESULT, seconds={**planned, "epoch": 5e-6}).times("hand") == 4.0


def test_many_steps_of_an_epoch_are_those_that_come_one_at_a_time():
    one, other = generated.build(problem_of("W1"), "epoch"), generated.build(problem_of("W1"), "epoch")
    losses = [one() for _ in range(300)]  # more than there are batches
    assert [other.many(n) for n in (1, 200, 99)] == [losses[0], losses[200], losses[299]]


def test_a_table_takes_the_place_of_the_last_one():
    page = "before\n<!-- nine -->\nold\n<!-- /nine -->\nafter\n"
    new = nine.replaced(page, nine.markdown([RESULT], "a command", "Wall time."))
    assert new.startswith("before\n<!-- nine -->\nMeasured ")
    assert "old" not in new
    assert new.endswith("<!-- /nine -->\nafter\n")
    with pytest.raises(ValueError, match="there is no"):
        nine.replaced("nothing", "x")


@pytest.mark.full
@pytest.mark.parametrize("layout", generated.layouts())
def test_memory_stays_flat_over_ten_thousand_steps(layout):
    step = generated.build(problem_of("W1"), layout)
    for _ in range(300):
        step()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(10_000):
            step()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 20_000  # the last parameters and slots are new arrays in the fresh layout
