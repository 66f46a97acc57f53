"""Loops over strips of rows: the same bits, whatever the strip."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc.codegen import strips
from tests.programs.sweep import sweep


@pytest.fixture
def narrow(monkeypatch):
    """A loop for every call, over a row or two at a time."""
    for name, value in {"WIDE": 0, "LONG": 1, "LEAST": 1, "strip_elements": lambda: 12}.items():
        monkeypatch.setattr(strips, name, value)


def pointwise():
    x = gx.input("x", ("n",))
    y = gx.sum(gx.softplus(gx.tanh(x) * gx.sigmoid(x) + gx.square(x) * gx.exp(-gx.square(x))))
    return [y, gx.grad(y, x)]


@pytest.mark.parametrize("count", [0, 1, 4099, 200_000])
def test_a_long_run_of_calls_is_one_loop(count):
    outputs = pointwise()
    planned = gx.compile(outputs, layout="planned", reuse_outputs=True)
    assert planned.source.count(" in strips") == 1
    x = np.random.default_rng(0).normal(size=count).astype("float32")
    assert " += dot(" in planned.source  # a sum of everything is added up strip by strip
    (total, gradient), (other, planned_gradient) = gx.compile(outputs)(x), planned(x)
    assert type(other) is type(total)
    np.testing.assert_allclose(other, total, rtol=2e-6)
    np.testing.assert_array_equal(gradient, planned_gradient)


def test_sums_of_two_dtypes_in_one_loop_keep_them(narrow):
    x, y = gx.input("x", ("n",)), gx.input("y", ("n",), dtype="float64")
    outputs = [gx.sum(gx.exp(gx.sin(x))), gx.sum(gx.exp(gx.sin(y)))]
    values = np.linspace(-1, 1, 50).astype("float32"), np.linspace(-2, 2, 50)
    fresh, planned = gx.compile(outputs), gx.compile(outputs, layout="planned")
    for one, other in zip(fresh(*values), planned(*values), strict=True):
        assert type(one) is type(other)
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_exact_adds_up_as_it_is_declared():
    outputs, x = pointwise(), np.random.default_rng(0).normal(size=200_000).astype("float32")
    fresh, planned = (gx.compile(outputs, level="exact", layout=layout) for layout in ("fresh", "planned"))
    for one, other in zip(fresh(x), planned(x), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_short_run_over_narrow_rows_is_no_loop():
    x, b = gx.input("x", ("n", 16)), gx.input("b", (16,))
    assert "strips" not in gx.compile(gx.tanh(gx.exp(x) + b) * 2.0, layout="planned").source


def test_a_row_is_no_axis_that_is_only_as_long(narrow):
    """A vector of three that is stretched over the rows of a 3 x 3 matrix is not cut with them."""
    x, b = gx.input("x", (3, 3)), gx.input("b", (3,))
    outputs = gx.tanh(x * gx.exp(b)) + b
    values = np.arange(9.0).reshape(3, 3), np.arange(3.0)
    np.testing.assert_array_equal(
        gx.compile(outputs)(*values), gx.compile(outputs, layout="planned")(*values)
    )


def test_random_programs_in_narrow_strips(narrow):
    assert sweep(11, 30).counts["programs"] == 30


@pytest.mark.full
def test_more_random_programs_in_narrow_strips(narrow):
    assert sweep(12, 150).counts["programs"] == 150
