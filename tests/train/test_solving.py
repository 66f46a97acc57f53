"""Regression by gradient descent over all data: it finds the least squares, and says why it stopped."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim
from graphc.errors import ArgumentError, DataError, NonFiniteError
from tests.train.support import classifier, line, same, spirals

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 2))
Y = X @ [[2.0], [-1.0]] + 0.5 + 0.1 * RNG.normal(size=(30, 1))
EXACT = np.linalg.lstsq(np.c_[X, np.ones(30)], Y, rcond=None)[0]


def plane(reduction="mean"):
    """y = x W + b in float64."""
    x, y = gx.input("x", ("n", 2), dtype="float64"), gx.input("y", ("n", 1), dtype="float64")
    p = nn.dense(x, 1, name="plane")
    return gx.Model(p, nn.mse(p, y, reduction=reduction))


@pytest.mark.parametrize(
    ("until", "tolerance", "word"),
    [
        ("loss", 1e-14, "the loss changed by"),
        ("gradient", 1e-7, "the norm of the gradient is"),
        ("parameters", 1e-8, "the parameters moved by"),
    ],
)
@pytest.mark.parametrize(("reduction", "rate"), [("mean", 0.2), ("sum", 0.2 / 30)])
def test_it_converges_to_the_least_squares(until, tolerance, word, reduction, rate):
    model = plane(reduction)
    history = model.solve(X, Y, optimizer=optim.sgd(rate), until=until, tolerance=tolerance)
    assert history.stopped.startswith(word)
    assert f"at most the tolerance {tolerance:g}, in step {len(history)}" in history.stopped
    found = np.concatenate([model.params["plane.W"], model.params["plane.b"][None]])
    np.testing.assert_allclose(found, EXACT, atol=1e-5)
    assert history is model.history
    assert history["epoch"] == list(range(1, len(history) + 1))
    assert np.diff(history["loss"]).max() < 1e-12  # it falls, but for rounding at the end


def test_a_row_holds_what_it_says():
    model = plane()
    start = model.params
    history = model.solve(X, Y, optimizer=optim.sgd(0.1), tolerance=None, max_steps=1)
    after = model.params
    rest = X @ start["plane.W"] + start["plane.b"] - Y
    gradient = np.concatenate([2 * X.T @ rest / 30, [2 * rest.mean(axis=0)]])
    row = history.last
    assert row["loss"] == pytest.approx(np.mean(rest**2))
    assert row["gradient_norm"] == pytest.approx(np.linalg.norm(gradient))
    assert row["change"] == pytest.approx(0.1 * np.linalg.norm(gradient))
    moved = [np.sum((after[k] - start[k]) ** 2) for k in after]
    assert row["change"] == pytest.approx(np.sqrt(sum(moved)))
    assert history.stopped == "1 step done"


def test_a_fixed_number_of_steps_is_that_of_fit():
    solved, fitted = plane(), plane()
    history = solved.solve(X, Y, optimizer=optim.adam(0.1), tolerance=None, max_steps=25, record_every=10)
    fitted.fit(X, Y, optimizer=optim.adam(0.1), epochs=25, batch_size=30, shuffle=False, verbose=False)
    close = partial(np.testing.assert_allclose, rtol=1e-13)  # a step of fit adds in another order
    for name, value in {**solved.params, **solved.values.slots}.items():
        close(value, {**fitted.params, **fitted.values.slots}[name])
    assert history.stopped == "25 steps done"
    assert history["epoch"] == [10, 20, 25]
    close(history["loss"], [fitted.history["loss"][i - 1] for i in (10, 20, 25)])


def test_it_says_that_it_has_not_converged_and_may_go_on():
    model, whole = plane(), plane()
    history = model.solve(X, Y, optimizer=optim.sgd(0.01), tolerance=1e-12, max_steps=5)
    assert history.stopped == "5 steps done, and it had not converged"
    model.solve(X, Y, tolerance=1e-12, max_steps=5)
    whole.solve(X, Y, optimizer=optim.sgd(0.01), tolerance=1e-12, max_steps=10)
    assert history.rows == whole.history.rows
    assert same(model.params, whole.params)


def test_dropout_and_states_work():
    data = spirals()
    a, b = classifier(0.3), classifier(0.3)
    b.layout = "fresh"  # solve looks at gradients: it runs forward, backward and update
    a.solve(data, optimizer=optim.adam(0.01), tolerance=None, max_steps=5)
    b.fit(data, optimizer=optim.adam(0.01), epochs=5, batch_size=60, shuffle=False, verbose=False)
    assert same(a.params, b.params)


def test_a_rate_that_is_too_high_is_named_and_finite_values_stay():
    model = line()
    with pytest.raises(NonFiniteError, match="the loss became inf"):
        model.solve(X[:, :1] * 100, Y, optimizer=optim.sgd(10.0))
    assert all(np.isfinite(v).all() for v in model.params.values())
    assert model.history.stopped.startswith("NonFiniteError: the loss became inf in step")


def test_ctrl_c_leaves_a_usable_model(monkeypatch):
    model = plane()
    optimizer = optim.sgd(0.1)
    module = model.module(optimizer)
    real = module.functions["update"]

    def interrupting(*args, **kwargs):
        if model.values.step == 3:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setitem(module.functions, "update", interrupting)
    history = model.solve(X, Y, optimizer=optimizer, tolerance=None, max_steps=9)
    assert (history.stopped, len(history), model.values.step) == ("interrupted", 3, 3)


BAD = {
    "criterion": ({"until": "accuracy"}, ArgumentError, "unknown criterion"),
    "tolerance": ({"tolerance": -1.0}, ArgumentError, "tolerance is a finite number"),
    "tolerance of text": ({"tolerance": "small"}, ArgumentError, "tolerance is a finite number"),
    "steps": ({"max_steps": 0}, ArgumentError, "max_steps is an int of at least 1"),
    "record": ({"record_every": 0}, ArgumentError, "record_every is an int of at least 1"),
    "optimizer": ({"optimizer": optim.sgd}, ArgumentError, "the optimizer comes from"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_solve_refuses(case):
    options, error, text = BAD[case]
    model = plane()
    with pytest.raises(error, match=text):
        model.solve(X, Y, **options)
    assert len(model.history) == 0


def test_bad_data_are_refused():
    with pytest.raises(DataError, match="y holds nan"):
        plane().solve(X, Y * np.nan)
