"""What a listing looks like, and what a program hands out."""

from __future__ import annotations

import traceback

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim
from graphc.stages import plan, resolve, simplify


def test_one_statement_a_line_with_shapes():
    x = gx.input("x", ("batch", 3))
    W = gx.param("W", (3, 2))
    h = gx.tanh(x @ W)
    source = gx.compile(h * h).source
    assert "    h = np.tanh(x @ W)  # [batch, 2]" in source


def test_a_traceback_shows_the_generated_line():
    x = gx.input("x", ("n",))
    program = gx.compile(gx.exp(x) + 1)
    with pytest.raises(TypeError) as caught:
        program.function(object())
    assert "np.exp(x)" in "".join(traceback.format_exception(caught.value))


def test_outputs_are_the_callers_to_keep():
    x = gx.input("x", (2, 3))
    program = gx.compile([x, x.T, x[0], x.reshape(6), gx.broadcast_to(x[0], (4, 3)), gx.const(np.ones(3))])
    data = np.arange(6, dtype=np.float32).reshape(2, 3)
    for out in program(data):
        assert not np.shares_memory(out, data)
        out += 1  # and writable
    assert data[0, 1] == 1
    assert program(data)[5].tolist() == [1, 1, 1]


def test_rank_zero_results_are_numpy_scalars():
    x = gx.input("x", ("n",))
    result = gx.compile([gx.sum(x), gx.size(x), gx.const(2.0)])([1.0, 2.0])
    assert [type(r) for r in result] == [np.float32, np.int64, np.float32]


def test_sizes_are_read_off_the_arguments():
    x = gx.input("x", ("rows", "cols"))
    source = gx.compile(gx.mean(x, axis=1)).source
    assert "cols = x.shape[1]" in source
    assert "rows = " not in source


def test_a_size_that_no_argument_shows_is_an_error():
    n = gx.input("x", ("n", 2)).shape[0]
    y = gx.input("y", (2 * n,))
    with pytest.raises(gx.GraphcError, match="size n cannot be read off any argument"):
        gx.compile(gx.sum(y) / gx.size(gx.input("z", (3,))) + gx.mean(y) * gx.ones((n,)).sum())


def test_argument_order_is_inputs_states_params_hypers():
    h, p, s, x = gx.hyper("h", 1.0), gx.param("p", ()), gx.state("s", ()), gx.input("x", ())
    program = gx.compile(x + s + p + h)
    assert "def f(x, s, p, h):" in program.source


def test_the_signature_outlives_simplification():
    x, y = gx.input("x", ()), gx.input("y", ())
    program = gx.compile(x + gx.where(gx.const(True), 0.0, y))
    assert "def f(x, y):" in program.source
    assert program(3.0, 9.0) == 3.0


def test_weak_numbers_keep_float32():
    x = gx.input("x", ("n",))
    y = gx.size(x, 0) * gx.size(x, 0) * x / gx.size(x, 0)
    assert gx.compile(y)([1.0, 2.0, 3.0]).dtype == np.float32


@pytest.mark.parametrize("level", ["exact", "default", "fast"])
def test_stages_compose_to_compile(level):
    x = gx.input("x", ("n",))
    y = gx.log(1 + gx.exp(x)) / 1
    graph = gx.graph_of(y)
    by_hand = gx.emit(plan(simplify(resolve(graph, "eval"), level), level)).text
    assert by_hand == gx.compile(y, level=level).source
    assert gx.load_source(by_hand)["f"](np.float32([1.0]))[0] == pytest.approx([1.3132616])


def test_a_constant_without_elements_keeps_its_shape():
    program = gx.compile(gx.const(np.zeros((2, 0, 3))) * gx.input("x", (2, 0, 3), "float64"))
    assert program(np.zeros((2, 0, 3))).shape == (2, 0, 3)
    assert "np.zeros((2, 0, 3), dtype=np.float64)" in program.source


def test_constant_arrays_stand_above_the_function():
    table = np.arange(100.0)
    x = gx.input("x", (100,), dtype="float64")
    program = gx.compile(gx.const(table, "float64") * x)
    assert np.array_equal(program(np.ones(100)), table)
    assert "base64" in program.source
    small = gx.compile(gx.const([1.0, np.pi, -0.0]) * gx.input("x", (3,), "float64"))
    assert np.array_equal(small(np.ones(3)), [1.0, np.pi, -0.0])


def test_extreme_literals_survive():
    x = gx.input("x", (), dtype="float64")
    values = [1e308, 5e-324, -1e-300, 0.1, float("inf"), -0.0, 1 / 3]
    program = gx.compile([x + v for v in values], level="exact")
    assert program(0.0) == [0.0 + v for v in values]


def test_an_empty_constant_keeps_its_shape():
    assert gx.compile(gx.const(np.zeros((0, 3))))().shape == (0, 3)
    x = gx.input("x", ("n",), "float64")
    empty = gx.compile([gx.zeros(("n", 0), "float64") + 0.0, gx.sum(x)])(np.ones(2))[0]
    assert empty.shape == (2, 0)


def test_values_of_rank_0_are_scalars():
    x = gx.input("x", (1,))
    scalar = gx.reshape(x, ())
    values = gx.compile([scalar, gx.where(scalar > 0, 1.0, scalar), gx.leaky_relu(scalar)])(np.ones(1))
    assert [type(v) for v in values] == [np.float32] * 3
    mask = gx.compile(gx.bernoulli((), 1.0))(rng=0)
    assert type(mask) is np.bool_


def test_helpers_are_given_arrays():
    x = gx.input("x", ("n",))
    assert gx.compile(gx.grad(x[-1], x))(np.ones(3)).tolist() == [0, 0, 1]
    row = gx.one_hot(gx.const(3), 100)
    assert gx.compile([gx.sum(row[:4]), gx.sum(x)])(np.ones(2)) == [1.0, 2.0]


def test_a_number_for_a_helper_does_not_widen():
    x = gx.input("x", ("n",))
    assert gx.compile(gx.sigmoid_cross_entropy(x, 0.5))(np.ones(2)).dtype == np.float32


def test_a_step_that_draws_asks_for_its_generators():
    x, t = gx.input("x", ("n", 3)), gx.input("t", ("n", 1))
    y = nn.dense(nn.dropout(x, 0.5, name="drop"), 1, name="out")
    module = gx.load_source(gx.Model(y, nn.mse(y, t)).source(optim.sgd()))
    start, data = module["init"](0), (np.ones((2, 3), "float32"), np.ones((2, 1), "float32"))
    with pytest.raises(TypeError, match="'rng'"):
        module["train_step"](*start, *data)
    assert np.isfinite(module["train_step"](*start, *data, rng=module["make_rng"](0))[3])
