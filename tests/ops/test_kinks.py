"""Slopes where there is no slope: what graphc declares at kinks and ties, at every level."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc.rewrite.rule import LEVELS

# what is computed, at which x, and the declared slope there
DECLARED = {
    "relu": (gx.relu, 0.0, 0.0),
    "relu at -0": (gx.relu, -0.0, 0.0),
    "abs": (gx.abs, 0.0, 0.0),
    "abs at -0": (gx.abs, -0.0, 0.0),
    "sign": (gx.sign, 0.0, 0.0),
    "maximum, constant second": (lambda x: gx.maximum(x, 1.0), 1.0, 0.0),
    "maximum, constant first": (lambda x: gx.maximum(1.0, x), 1.0, 0.0),
    "maximum with zero": (lambda x: gx.maximum(x, 0.0), 0.0, 0.0),
    "minimum, constant second": (lambda x: gx.minimum(x, 1.0), 1.0, 0.0),
    "minimum, constant first": (lambda x: gx.minimum(1.0, x), 1.0, 0.0),
    "clip at the lower bound": (lambda x: gx.clip(x, 0.0, 1.0), 0.0, 0.0),
    "clip at the upper bound": (lambda x: gx.clip(x, 0.0, 1.0), 1.0, 0.0),
    "clip inside": (lambda x: gx.clip(x, 0.0, 1.0), 0.5, 1.0),
    "maximum of one value twice": (lambda x: gx.maximum(x, x), 3.0, 1.0),
    "first of two nodes": (lambda x: gx.maximum(2.0 * x, 3.0 * x), 0.0, 2.0),
    "first of two nodes, least": (lambda x: gx.minimum(3.0 * x, 2.0 * x), 0.0, 3.0),
    "leaky relu": (lambda x: gx.leaky_relu(x, negative_slope=0.25), 0.0, 0.25),
    "elu": (gx.elu, 0.0, 1.0),
    "selu": (lambda x: gx.selu(x, alpha=0.5, scale=4.0), 0.0, 2.0),
    "celu": (lambda x: gx.celu(x, alpha=0.5), 0.0, 1.0),
    "prelu": (lambda x: gx.prelu(x, 0.25), 0.0, 0.25),
    "relu6 below": (gx.relu6, 0.0, 0.0),
    "relu6 above": (gx.relu6, 6.0, 0.0),
    "hard sigmoid": (lambda x: gx.hard_sigmoid(x, slope=0.25), 2.0, 0.0),
    "hard tanh": (gx.hard_tanh, -1.0, 0.0),
    "hard swish below": (gx.hard_swish, -3.0, 0.0),
    "hard swish above": (gx.hard_swish, 3.0, 1.0),
    "softshrink": (gx.softshrink, 0.5, 0.0),
    "hardshrink": (gx.hardshrink, -0.5, 0.0),
    "threshold": (gx.threshold, 1.0, 0.0),
    "huber": (gx.huber, 1.0, 1.0),
    "hypot with 0": (lambda x: gx.hypot(x, 0.0), 0.0, 0.0),
    "copysign": (lambda x: gx.copysign(x, -2.0), 0.0, 0.0),
    "floor on an integer": (gx.floor, 2.0, 0.0),
    "round at a half": (gx.round, 2.5, 0.0),
    "remainder at a multiple": (lambda x: gx.remainder(x, 2.0), 4.0, 1.0),
    "xlogy in y where x is 0": (lambda x: gx.xlogy(0.0, x), 0.0, 0.0),
    "nan_to_num inside": (gx.nan_to_num, 0.5, 1.0),
    "where takes the branch": (lambda x: gx.where(x >= 0.0, 5.0 * x, x), 0.0, 5.0),
    "where, relu by hand": (lambda x: gx.where(x > 0.0, x, 0.0), 0.0, 0.0),
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", DECLARED)
def test_slopes_at_kinks(name, level):
    function, at, slope = DECLARED[name]
    x = gx.input("x", (), dtype="float64")
    program = gx.compile([x, gx.grad(function(x), x, level)], level=level)
    assert program(x=at)[1] == slope


@pytest.mark.parametrize("level", LEVELS)
def test_the_first_maximum_takes_the_gradient(level):
    x = gx.input("x", (2, 4), dtype="float64")
    values = np.array([[1.0, 3.0, 3.0, 2.0], [5.0, 5.0, 5.0, 5.0]])
    along = gx.compile(gx.grad(gx.sum(gx.max(x, axis=1)), x, level), level=level)(values)
    np.testing.assert_array_equal(along, [[0, 1, 0, 0], [1, 0, 0, 0]])
    least = gx.compile(gx.grad(gx.sum(gx.min(x, axis=1)), x, level), level=level)(values)
    np.testing.assert_array_equal(least, [[1, 0, 0, 0], [1, 0, 0, 0]])
    overall = gx.compile(gx.grad(gx.max(x), x, level), level=level)(values)
    np.testing.assert_array_equal(overall, [[0, 0, 0, 0], [1, 0, 0, 0]])


@pytest.mark.parametrize("level", ["default", "fast"])
def test_the_square_root_of_a_square_has_slope_0_at_0(level):
    x = gx.input("x", (), dtype="float64")
    for root in (gx.sqrt(x * x), gx.sqrt(gx.square(x)), gx.sqrt(x**2)):
        assert gx.compile(gx.grad(root, x, level), level=level)(x=0.0) == 0.0


def test_the_slope_of_x_log_x_is_minus_infinity_at_0():
    x = gx.input("x", (), dtype="float64")
    y = x * gx.log(x)
    program = gx.compile((y, gx.grad(y, x)))
    with np.errstate(divide="ignore"):
        assert program(x=0.0) == (0.0, -np.inf)
