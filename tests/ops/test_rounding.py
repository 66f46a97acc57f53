"""Rounding, tests of floats and the operators for them, where sweeps of random numbers do not reach."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx

ODD = np.array([-2.5, -1.5, -0.5, -0.0, 0.0, 0.5, 1.5, 2.5, np.inf, -np.inf, np.nan], np.float32)


@pytest.mark.parametrize("name", ["floor", "ceil", "trunc", "round", "isfinite", "isinf", "isnan"])
def test_halves_and_what_is_not_finite_are_as_in_numpy(name):
    x = gx.input("x", ("n",))
    np.testing.assert_array_equal(gx.compile(getattr(gx, name)(x))(ODD), getattr(np, name)(ODD), strict=True)


def test_integers_keep_their_dtype():
    x = gx.input("x", ("n",), dtype="int32")
    assert gx.floor(x).dtype == "int32"
    assert gx.compile(gx.round(x))(np.array([3, -3], np.int32)).dtype == np.int32


def test_operators_of_remainders():
    x = gx.input("x", ("n",), dtype="int64")
    values = np.array([-7, 7, 5])
    outputs = gx.compile([x % 3, x // 3, 17 % x, 17 // x])(values)
    for got, want in zip(outputs, [values % 3, values // 3, 17 % values, 17 // values], strict=True):
        np.testing.assert_array_equal(got, want)
    source = gx.compile(x % 3).source
    assert "np.remainder(x, 3)" in source


def test_exclusive_or_is_written_as_numpy_has_it():
    x, y = (gx.input(n, ("n",)) for n in "xy")
    program = gx.compile((x > 0) ^ (y > 0) | (x < -1))
    assert "(x > 0.0) ^ (y > 0.0) | (x < -1.0)" in program.source
    np.testing.assert_array_equal(
        program(np.float32([1, 1, -1]), np.float32([1, -1, -1])), [False, True, False]
    )


def test_numbers_for_what_is_not_finite():
    x = gx.input("x", ("n",))
    np.testing.assert_array_equal(gx.compile(gx.nan_to_num(x))(ODD), np.nan_to_num(ODD), strict=True)
    y = gx.nan_to_num(x, nan=1.0, posinf=2.0, neginf=-3.0)
    np.testing.assert_array_equal(gx.compile(y)(ODD[-3:]), np.float32([2, -3, 1]))
    slope = gx.compile(gx.grad(gx.sum(gx.nan_to_num(x)), x))(ODD[-4:])
    np.testing.assert_array_equal(slope, [1, 0, 0, 0])


def test_array_api_names():
    for name in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh"):
        assert getattr(gx, f"a{name}") is getattr(gx, f"arc{name}")


def test_slopes_do_not_overflow_on_the_way():
    x = gx.input("x", ("n",))
    far = np.float32([1e30, -1e30])
    for function in (gx.arcsinh, lambda v: gx.arctan2(v, 1e30), lambda v: gx.hypot(v, 1e30)):
        with np.errstate(over="raise"):
            slope = gx.compile(gx.grad(gx.sum(function(x)), x))(far)
        assert np.all(np.isfinite(slope))
        assert np.all(slope != 0)
