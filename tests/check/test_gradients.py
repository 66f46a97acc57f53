"""check_grad agrees where the gradient is right, and names element, numbers and operation where it is not."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc.check import check_grad
from graphc.errors import ArgumentError, DTypeError, GraphcError, ShapeError, UnknownNameError
from graphc.ops.card import pointwise

RANDOM = np.random.default_rng(0)
VALUES = {"x": RANDOM.normal(size=(5, 3)), "A": RANDOM.normal(size=(3, 4)), "b": RANDOM.normal(size=4)}

wrong_sin = pointwise("wrong_sin", "sin(x)", "np.sin({x})", partials=("cos(x) + 0.01",))


def network(activation):
    x = gx.input("x", ("n", 3), dtype="float64")
    A, b = gx.param("A", (3, 4), dtype="float64"), gx.param("b", (4,), dtype="float64")
    return gx.sum(gx.square(activation(x @ A + b))), x, A, b


def test_a_right_gradient_passes_and_says_where_it_is_worst():
    loss, _, A, b = network(gx.tanh)
    report = check_grad(loss, {"A": A, "b": b}, VALUES)
    assert report.ok
    assert [v.name for v in report.variables] == ["A", "b"]
    assert [v.elements for v in report.variables] == [12, 4]
    assert report.worst.error < 1e-9
    assert repr(report).startswith("gradients agree with central differences (tolerance 1e-06)\n  ok  A[")


def test_a_wrong_partial_is_found_with_element_numbers_and_operation():
    loss, _, A, b = network(wrong_sin)
    report = check_grad(loss, [A, b], VALUES)
    assert not report.ok
    worst = report.worst
    assert abs(worst.gradient - worst.difference) == pytest.approx(
        worst.error * max(1, abs(worst.difference))
    )
    assert report.suspect is not None
    assert report.suspect.startswith("wrong_sin")
    assert "test_gradients.py" in report.suspect
    assert "BAD" in str(report)


def test_outputs_that_are_not_scalars_are_weighted():
    _, x, A, b = network(gx.tanh)
    assert check_grad({"y": gx.sin(x @ A), "z": [gx.exp(b), gx.sum(b)]}, ["A", b], VALUES).ok


def test_what_is_stopped_is_held_fixed():
    x = gx.input("x", (3,), dtype="float64")
    assert check_grad(gx.sum(x * gx.stop_gradient(gx.exp(x))), x, {"x": [0.1, 0.5, -2.0]}).ok


def test_a_kink_takes_any_slope_between_both_sides():
    x = gx.input("x", (3,), dtype="float64")
    report = check_grad(gx.sum(gx.relu(x)), x, {"x": [0.0, 1.0, -1.0]})
    assert report.ok
    assert report.variables[0].elements == 3


def test_a_slope_outside_both_sides_of_a_kink_fails():
    steep = pointwise("steep", "where(x > 0, x, 0)", "np.maximum({x}, 0)", partials=("where(x > 0, 1, -1)",))
    x = gx.input("x", (1,), dtype="float64")
    assert not check_grad(gx.sum(steep(x)), x, {"x": [0.0]}).ok


def test_random_sites_draw_the_same_at_every_call():
    x = gx.input("x", (40,), dtype="float64")
    keep = gx.bernoulli((40,), 0.5)
    assert check_grad(gx.sum(gx.where(keep, gx.sin(x), 0.0)), x, {"x": RANDOM.normal(size=40)}).ok


def test_modes_choose_what_is_checked():
    x = gx.input("x", (2,), dtype="float64")
    loss = gx.sum(gx.by_mode(train=wrong_sin(x), eval=gx.sin(x)))
    assert check_grad(loss, x, {"x": [0.3, 0.4]}, mode="eval").ok
    assert not check_grad(loss, x, {"x": [0.3, 0.4]}, mode="train").ok


def test_large_variables_are_sampled():
    x = gx.input("x", (1000,), dtype="float64")
    assert check_grad(gx.sum(gx.sin(x)), x, {"x": np.ones(1000)}, elements=7).variables[0].elements == 7


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x, y: check_grad(3.0, x, {}), ArgumentError, "neither a node"),
        (lambda x, y: check_grad(gx.greater(y, 0.0), x, {"x": [1.0, 2.0]}), DTypeError, "only a float"),
        (lambda x, y: check_grad(y, y, {"x": [1.0, 2.0]}), ArgumentError, "by arguments"),
        (lambda x, y: check_grad(y, "w", {"x": [1.0, 2.0]}), UnknownNameError, "'w'"),
        (lambda x, y: check_grad(y, [], {"x": [1.0, 2.0]}), ArgumentError, "something to differentiate by"),
        (lambda x, y: check_grad(y, x, {}), ArgumentError, "missing"),
        (lambda x, y: check_grad(y, x, {"x": [1.0, 2.0], "v": 1.0}), UnknownNameError, "'v'"),
        (lambda x, y: check_grad(y, x, {"x": [1.0]}), ShapeError, "axis 0"),
        (lambda x, y: check_grad(y, x, 3), ArgumentError, "by name"),
        (lambda x, y: check_grad(y, x, {"x": [1.0, 2.0]}, mode="test"), ArgumentError, "mode"),
        (lambda x, y: check_grad(y, x, {"x": [1.0, 2.0]}, level="none"), ArgumentError, "level"),
        (lambda x, y: check_grad(y, x, {"x": [1.0, 2.0]}, elements=0), ArgumentError, "at least one"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_input_is_refused(call, error, text):
    x = gx.input("x", (2,), dtype="float64")
    with pytest.raises(error, match=text) as caught:
        call(x, gx.sin(x))
    assert isinstance(caught.value, GraphcError)


def test_integers_are_no_variables():
    x, t = gx.input("x", (2,), dtype="float64"), gx.input("t", (2,), dtype="int64")
    with pytest.raises(DTypeError, match="t cannot be differentiated"):
        check_grad(x * t, "t", {"x": [1.0, 2.0], "t": [1, 2]})
