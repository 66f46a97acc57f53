"""Training that stops being finite says where that began: forward, backward, or in the optimizer."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim
from graphc.errors import NonFiniteError

X = np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])
Y = np.array([[1.0], [2.0], [3.0]])


def inputs():
    return gx.input("x", ("n", 2)), gx.input("y", ("n", 1))


def stopped(model, optimizer, x=X, y=Y):
    with pytest.raises(NonFiniteError) as caught:
        model.fit(x, y, optimizer=optimizer, epochs=60, batch_size=3, verbose=False)
    assert all(np.isfinite(value).all() for value in model.params.values())
    return caught.value


def test_a_rate_that_is_too_large():
    x, y = inputs()
    p = nn.dense(x, 1, name="line")
    error = stopped(gx.Model(p, nn.mse(p, y)), optim.sgd(1e4))
    assert error.given.startswith("it began at square(")
    assert "nn.mse(p, y)" in error.where


def test_a_line_of_the_declaration_is_named_when_a_part_of_a_lowered_loss_fails():
    x, y = inputs()
    p = nn.dense(x, 1, name="line")
    loss = nn.mse(p, y)
    model = gx.Model(p, loss)
    with pytest.raises(NonFiniteError) as caught:
        model.solve(X * 100, Y, optimizer=optim.gd(1.0))
    assert "loss = nn.mse(p, y)" in caught.value.where


def test_a_start_that_is_too_large():
    x, y = inputs()
    h = nn.dense(x, 4, init=np.full((2, 4), 1e30), name="hidden1")
    p = nn.dense(h, 1, init=np.full((4, 1), 1e30), name="line")
    error = stopped(gx.Model(p, nn.mse(p, y)), optim.sgd(1e-3))
    assert "in layer line" in error.given
    assert "line.W from 1e+30 to 1e+30" in error.given


def test_a_fault_in_the_gradient_alone():
    x, y = inputs()
    with gx.scope("distance"):
        w = gx.param("w", (2, 1), init="zeros")
        h = x @ w
        root = gx.sqrt(h)
    error = stopped(gx.Model(root, nn.mse(root, y)), optim.sgd(0.1))
    assert "it began at the derivative of distance.root = sqrt(distance.h) in layer distance" in error.given
    assert (
        "1/(2*sqrt(distance.h)), where 3 of 3 values are not finite, at [0, 0] with distance.h = 0"
        in error.given
    )
    assert error.where.endswith("root = gx.sqrt(h)")


def test_a_fault_in_the_optimizer():
    x, y = inputs()
    p = nn.dense(x, 1, init="zeros", bias=False, name="line")
    careless = optim.rmsprop(
        0.1, eps=0.0
    )  # the second feature is always 0, and so are its gradient and its slot
    error = stopped(gx.Model(p, nn.mse(p, y)), careless)
    assert "it began at divide(multiply(lr, line.d_W), add(sqrt, 0)) in the update of line.W" in error.given
    assert "1 of 2 values are not finite, at [1, 0] with multiply(lr, line.d_W) = 0" in error.given


def test_a_slot_that_was_read_damaged():
    x, y = inputs()
    p = nn.dense(x, 1, init="zeros", bias=False, name="line")
    model = gx.Model(p, nn.mse(p, y))
    model.fit(X, Y, optimizer=optim.momentum(1e-3), epochs=1, verbose=False)
    model.values.slots["momentum.v/line.W"] = np.array([[np.inf], [0.0]], "float32")
    with pytest.raises(NonFiniteError) as caught:
        model.fit(X, Y, epochs=2, verbose=False)
    assert "it began at momentum.v/line.W, where 1 of 2 values are not finite" in str(caught.value)


def test_normalisation_by_nothing_in_training_alone():
    x, y = inputs()
    with gx.scope("norm"):
        centred = x - gx.mean(x, axis=0)
        scaled = centred / gx.std(x, axis=0)
    p = nn.dense(gx.by_mode(train=scaled, eval=x), 1, name="line")
    error = stopped(gx.Model(p, nn.mse(p, y)), optim.sgd(0.1))
    assert "norm.scaled = divide(norm.centred, std) in layer norm" in error.given
    assert "at [0, 1] with norm.centred = 0 and std" in error.given
