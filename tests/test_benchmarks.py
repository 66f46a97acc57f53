"""What is measured runs, and the table that is printed is one."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest

import graphc as gx
from benchmarks import adbench, cold_start, fit, live, planning
from benchmarks import compile_time as compiling
from benchmarks import recording as recorded
from benchmarks.timing import interleaved, more, table
from benchmarks.workloads.problems import PROBLEMS
from tests.support import find_case

FOLDER, REASON = find_case("adbench/data")


@pytest.mark.full
def test_functions_are_called_in_turn():
    calls = []
    times = interleaved([lambda: calls.append("a"), lambda: calls.append("b")], seconds=0, least=3)
    assert "".join(calls) == "abab" + "baab"  # once beforehand, then in turn, every second time backwards
    assert len(times) == 2
    assert all(t >= 0 for t in times)


def test_what_takes_longer_is_held_against_its_neighbour():
    assert more([1.2, 9.0, 2.4], [1.0, 7.5, 2.0]) == pytest.approx(20)  # a slow round is slow for both


def test_a_table_has_columns():
    assert table(("input", "ms"), [("a", 1.5), ("longer", 20)]) == "input    ms\na       1.5\nlonger   20"


@pytest.mark.full
@pytest.mark.skipif(FOLDER is None, reason=str(REASON))
@pytest.mark.parametrize("name", ["gmm/1k/gmm_d2_K5", "ba/test", "hand/test"])
def test_a_gradient_comes_with_its_objective(name):
    ((found, path),) = ((n, p) for n, p in adbench.inputs([name]) if n == name)
    kind = name.split("/")[0]
    problem = adbench.PROBLEMS[kind](FOLDER.parent, path)
    with np.errstate(all="ignore"):
        objective, derivatives = problem.objective(**problem.arrays), problem.derivatives(**problem.arrays)
    value = objective[0] if isinstance(objective, list) else objective
    np.testing.assert_allclose(derivatives[0], value, rtol=1e-12)
    row = adbench.measured(found, path, seconds=0)
    assert row[0] == name
    assert float(row[3]) > 0


@pytest.mark.full
def test_fit_is_held_against_a_bare_loop(capsys):
    rows = fit.measured(epochs=1, seconds=0)
    assert [row[0] for row in rows] == [
        "bare loop",
        "epochs",
        "fit",
        "fit, bar",
        "fit, watched",
        "fit, scored",
    ]
    assert all(float(row[1]) > 0 for row in rows)


@pytest.mark.parametrize("name", ["W1", "W8"])
def test_a_plan_is_held_against_a_step(name):
    plan, step = planning.measured(PROBLEMS[name](), rounds=2)
    assert plan > 0
    assert step > 0


def test_a_live_view_is_held_against_training_alone():
    rows = live.measured(blocks=4, seconds=0.02)
    assert [row[0] for row in rows] == ["(64, 32), nobody reads", "(64, 32), read once a second"]
    assert all(float(row[1]) > 0 for row in rows)


def test_the_time_to_compile_is_measured_in_a_process_of_its_own():
    row = compiling.measured("graphc", 2)
    assert row.steps > 5
    assert row.seconds > 0
    assert compiling.line(2, {"graphc": row, "jax": "not installed"})[-1] == "not installed"


def test_a_peer_that_is_not_installed_is_said(monkeypatch):
    monkeypatch.setattr(compiling, "PEERS", {"graphc": "graphc", "other": "no_such_module"})
    assert compiling.missing("other") == "not installed"
    assert compiling.missing("graphc") is None


@pytest.mark.full
def test_recording_is_held_against_silence():
    name, recording, _, more = recorded.measured("loop", recorded.MODELS["a loop"], seconds=0)
    assert name == "loop"
    assert float(recording) > 0
    assert float(more) > -100


def test_without_recording_nothing_is_kept():
    x = gx.input("x", (3,))
    with recorded.silence():
        program = gx.compile(gx.log(1 + x))
    assert program.trace.events == []
    assert not any(n.about.events for n in program.graph.nodes)


def test_a_cold_process_takes_a_step():
    assert 1 < cold_start.run("graphc_step") < 5


@pytest.mark.full
def test_cold_processes_are_a_table_of_those_that_are_there(monkeypatch):
    monkeypatch.setattr(cold_start, "run", lambda program: 1.0)
    monkeypatch.setattr(cold_start, "installed", lambda program: program != "jax_step")
    rows = cold_start.measured(rounds=1)
    assert [row[0] for row in rows] == ["import numpy", "graphc", "PyTorch eager"]
    assert rows[1][2] == "1.00"


def test_a_cold_process_that_fails_is_an_error():
    with pytest.raises(subprocess.CalledProcessError):
        cold_start.run("nothing_of_this_name")
