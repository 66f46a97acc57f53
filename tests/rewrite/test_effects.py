"""Choices by mode and state transitions inside composites: both concern the program as a whole."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc import nn

X = np.ones((2, 3), np.float32)


def test_a_choice_by_mode_inside_a_composite():
    x = gx.input("x", ("n", 3))
    inner = gx.composite("inner", lambda v: gx.by_mode(train=2 * v, eval=3 * v))
    y = gx.composite("outer", lambda v: inner(v) * v)(x)
    for mode, factor in (("train", 2), ("eval", 3)):
        value, slope = gx.compile([y, gx.grad(gx.sum(y), x)], mode=mode)(X)
        assert value[0, 0] == factor
        assert slope[0, 0] == 2 * factor


def test_a_composite_inside_a_composite_may_take_what_is_around_it():
    x = gx.input("x", ())
    y = gx.composite("outer", lambda a: gx.composite("inner", lambda b: b * a + a)(a * 2))(x)
    value, slope = gx.compile([y, gx.grad(y, x)])(3.0)
    assert (value, slope) == (21, 13)
    assert str(gx.parse(str(gx.graph_of(y)))) == str(gx.graph_of(y))


def test_a_transition_inside_a_composite():
    x, s = gx.input("x", ("n", 3)), gx.state("s", ())
    y = gx.composite("counted", lambda v: gx.update(v * 2, {s: s + 1.0}))(x)
    (value, slope), nexts = gx.compile([y, gx.grad(gx.sum(y), x)])(X, 4.0)
    assert value[0, 0] == slope[0, 0] == 2
    assert nexts == {"s": 5.0}


def test_a_declared_gradient_stays_where_the_body_has_a_choice():
    x = gx.input("x", ("n", 3))
    y = gx.composite("own", lambda v: gx.by_mode(train=v, eval=3 * v), gradient=lambda g, v: 100 * g)(x)
    value, slope = gx.compile([y, gx.grad(gx.sum(y), x)])(X)
    assert (value[0, 0], slope[0, 0]) == (3, 100)


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_dropout_inside_a_composite(mode):
    x = gx.input("x", ("n", 3))
    y = gx.composite("block", lambda v: nn.dropout(v, 0.5))(x)
    value, slope = gx.compile([y, gx.grad(gx.sum(y), x)], mode=mode)(
        X, **({"rng": 1} if mode == "train" else {})
    )
    assert np.array_equal(value, slope)
    assert set(np.unique(value)) <= ({0.0, 2.0} if mode == "train" else {1.0})
