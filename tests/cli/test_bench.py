"""``graphc bench``: a step's time and its distance to the limit."""

from __future__ import annotations

import pytest

from graphc.cli import bench
from graphc.ops.machine import known_machine
from graphc.runtime import calibrate
from tests.cli.support import run, write_net


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(bench, "gemm_rate", lambda dtype: 1e9)
    monkeypatch.setattr(bench, "copy_rate", lambda: 1e9)


def test_a_step_is_held_against_the_limit(tmp_path, capsys):
    code, out, _ = run(capsys, "bench", write_net(tmp_path), "--rows", 32, "--seconds", "0.001")
    assert code == 0
    assert "a step of spiral_net on 32 rows with adam" in out
    rows = dict(line.strip().split("  ", 1) for line in out.splitlines()[2:])
    assert set(rows) == {
        "time",
        "operations",
        "arguments and results",
        "read and written in all",
        "calls",
        "memory",
        "distance to the limit",
    }
    assert rows["distance to the limit"].strip().endswith(("(operations)", "(memory)"))


def test_lines_are_shown_where_asked_for(tmp_path, capsys):
    words = ("bench", write_net(tmp_path), "--optimizer", "sgd", "--seconds", "0.001", "--lines")
    code, out, _ = run(capsys, *words)
    assert code == 0
    assert "hidden_z" in out
    assert "the lines sum to" in out


def test_what_any_program_moves_is_counted_by_hand():
    import numpy as np

    import graphc as gx

    x, t = gx.input("x", ("n", 2)), gx.input("t", ("n", 1))
    y = gx.nn.dense(x, 1, name="line")
    model = gx.Model(y, gx.nn.mse(y, t))
    arrays = {"x": np.ones((5, 2)), "t": np.ones((5, 1))}
    assert bench.sizes_of(model, arrays) == {"n": 5}
    assert bench.needed_bytes(model, gx.optim.sgd(0.1), {"n": 5}) == 4 * (5 * 2 + 5 + 2 * 3)


def test_the_longer_of_two_is_the_limit():
    assert bench.Limits(2.0, 1.0).bound == "operations"
    assert bench.Limits(1.0, 2.0).seconds == 2.0


def test_a_step_faster_than_the_limit_asks_for_another_run():
    limits = bench.Limits(operations=2e-3, memory=1e-3)
    assert bench._distance(3e-3, limits).startswith("1.50 times 2")
    assert "run it again" not in bench._distance(3e-3, limits)
    assert "run it again" in bench._distance(1e-3, limits)


def test_bad_use_is_one_line(tmp_path, capsys):
    code, out, err = run(capsys, "bench")
    assert (code, out) == (2, "")
    assert err == "graphc: error: bench: name a model, or pass --calibrate; see graphc bench --help\n"
    text = "import graphc as gx\nmodel = gx.Model(gx.tanh(gx.input('x', (2,))))\n"
    code, _, err = run(capsys, "bench", write_net(tmp_path, text=text))
    assert code == 2
    assert "has no loss" in err


def test_calibrate_keeps_what_it_measured(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("GRAPHC_CACHE", str(tmp_path))
    prices = dict.fromkeys(("exp", "log", "add", "multiply", "tanh", "sqrt"), (1.0, 2.0))
    monkeypatch.setattr(bench, "measure_machine", lambda: calibrate.Machine(name="this one", prices=prices))
    code, out, _ = run(capsys, "bench", "--calibrate")
    assert code == 0
    assert "99.0 GFLOP/s" in out
    assert str(tmp_path / "machine.json") in out
    assert known_machine().name == "this one"
