"""Where the time of a program goes."""

from __future__ import annotations

import json

import numpy as np
import pytest

import graphc as gx
from graphc import nn
from graphc.errors import ArgumentError, ShapeError
from graphc.explanation.profile import expected_ns
from graphc.runtime.stamps import Watch, line_times, stamped, watched

X = np.ones((200, 64), np.float32)


@pytest.fixture(scope="module")
def program():
    x = gx.input("x", ("batch", 64))
    h = nn.dense(x, 32, activation="tanh", name="hidden")
    return gx.compile(gx.sum(nn.dense(h, 10, name="output")), name="net")


@pytest.fixture(scope="module")
def values(program):
    random = np.random.default_rng(0)
    return {str(program.graph.name_of(p)): random.random(p.shape) for p in program.graph.leaves("param")}


def test_lines_layers_and_nodes_sum_to_the_same(program, values):
    found = program.profile(X, seconds=0.0, **values)
    assert found.total == pytest.approx(sum(found.by_layer().values()))
    assert found.total == pytest.approx(sum(found.by_node().values()))
    assert set(found.by_layer()) == {"hidden", "output", "(net)"}
    assert "hidden.h: tanh" in found.by_node()
    assert found.covered == pytest.approx(found.total / found.seconds)


def test_each_line_that_computes_is_there_once(program, values):
    rows = program.profile({"x": X, **values}, seconds=0.0).rows
    lines = program.source.split("\n")
    assert [r.text for r in rows] == [lines[r.line - 1].strip() for r in rows]
    assert {r.line for r in rows if r.nodes} == {
        i for i, line in enumerate(lines, 1) if " = " in line and ".shape" not in line and "def" not in line
    }


def test_a_profile_reads_as_text_and_as_data(program, values):
    found = program.profile(X, seconds=0.0, **values)
    assert str(found).startswith("net: ")
    assert "hidden_h = np.tanh" in str(found)
    assert json.loads(json.dumps(found.to_dict()))["layers"].keys() == found.by_layer().keys()


def test_a_profile_refuses_what_the_program_refuses(program, values):
    with pytest.raises(ShapeError):
        program.profile(X[:, :3], **values)
    with pytest.raises(ArgumentError, match=r"model\.profile"):
        gx.profile(X)


def test_a_loop_is_profiled_line_by_line_inside():
    x = gx.input("x", (5, 3))
    h, _ = gx.scan(lambda h, x: (gx.tanh(h + x), None), gx.zeros((3,)), x)
    rows = gx.compile(h).profile(np.ones((5, 3)), seconds=0.0).rows
    assert [r for r in rows if "np.tanh" in r.text and r.nodes]


def test_what_is_drawn_is_drawn_by_the_given_generators():
    x = gx.input("x", (50,))
    program = gx.compile(nn.dropout(x, 0.5, name="drop"), mode="train")
    assert "drop" in program.profile(np.ones(50), rng=0, seconds=0.0).by_layer()


def test_code_with_stamps_returns_the_same():
    lines = [
        "def f(n):",
        "  total = 0",
        "  for i in range(n):",
        "    if i % 2:",
        "      continue",
        "    total += i",
    ]
    text = "\n".join([*lines, "  return total", ""])
    space, watch = watched(text, "f")
    assert space["f"](7) == 12
    assert [line for line, _ in watch.stamps] == [1, 2, 6, 6, 6, 6, 7]


def test_helpers_are_part_of_the_line_that_calls_them():
    text = "def _double(x):\n    return 2 * x\n\ndef f(x):\n    y = _double(x)\n    return y\n"
    assert stamped(text).count("_stamp(") == 3


def test_time_is_what_passes_between_stamps():
    watch = Watch()
    watch.stamps += [(1, 10.0), (2, 11.5), (1, 12.0)]
    assert watch.taken(start=9.0, end=12.25, price=0.5) == {1: 0.75, 2: 1.0}
    assert watch.stamps == []


def test_the_fastest_quarter_of_the_calls_counts():
    watch = Watch()
    stamp = watch.stamp()
    found = line_times(lambda: None, lambda: stamp(3), watch, seconds=0.0)
    assert found.calls == 2
    assert set(found.lines) == {3}


def test_a_dear_node_is_expected_to_take_longer():
    x = gx.input("x", (10_000,))
    assert expected_ns(gx.exp(x), {}) > expected_ns(x * x, {})
