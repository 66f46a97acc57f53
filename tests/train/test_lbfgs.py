"""L-BFGS: known minima, the Wolfe conditions at every step, and SciPy's where it is there."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim, train
from graphc.train import quasi_newton as driver
from graphc.train.line_search import Point, strong_wolfe


def of_vector(start, loss):
    """A model whose loss is a function of one vector, with a datum that it does not need."""
    p = gx.param("p", (len(start),), init=np.asarray(start, float), dtype="float64")
    one = gx.input("one", ("n",), "float64")
    return gx.Model(p, loss(p) * gx.mean(one))


def rosenbrock(p):
    a, b = p[:-1], p[1:]
    return gx.sum(100.0 * gx.square(b - gx.square(a)) + gx.square(1.0 - a))


def minimise(model, **options):
    return train.lbfgs(model, {}, {"one": np.ones(1)}, **options)


def classifier():
    """Logistic regression with L2: convex, so there is one minimum."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 6))
    t = (X @ rng.normal(size=6) + rng.normal(size=80) > 0).astype(float)[:, None]
    x, y = gx.input("x", ("n", 6), "float64"), gx.input("y", ("n", 1), "float64")
    w, b = gx.param("w", (6, 1), "zeros", "float64"), gx.param("b", (1,), "zeros", "float64")
    z = x @ w + b
    return gx.Model(z, nn.binary_cross_entropy(z, y) + 0.01 * gx.sum(gx.square(w))), X, t


def test_a_quadratic_of_ten_is_solved():
    k = np.logspace(0, 3, 10)
    model = of_vector(np.ones(10), lambda p: 0.5 * gx.sum(gx.const(k) * gx.square(p - 2.0)))
    found = minimise(model, iterations=200, gradient_tolerance=1e-9)
    assert np.allclose(model.params["p"], 2.0, rtol=1e-9)
    assert found.stopped == "no element of the gradient is larger than 1e-09"
    assert len(found.steps) < 150


def test_the_valley_of_rosenbrock_is_followed_to_its_end():
    model = of_vector([-1.2, 1.0] * 5, rosenbrock)
    found = minimise(model, iterations=200, gradient_tolerance=1e-8)
    assert np.allclose(model.params["p"], 1.0, atol=1e-8) or found.losses[-1] < 4.0  # its other minimum
    assert found.gradients[-1] <= 1e-8
    assert np.all(np.diff(found.losses) < 0)
    assert len(found.losses) == len(found.gradients) == len(found.steps) + 1 <= found.evaluations


def test_every_step_fulfils_both_wolfe_conditions(monkeypatch):
    seen = []

    def watched(line, start, first, c1, c2):
        found = strong_wolfe(line, start, first, c1, c2)
        seen.append((start, found))
        return found

    monkeypatch.setattr(driver, "strong_wolfe", watched)
    minimise(of_vector([-1.2, 1.0] * 3, rosenbrock), iterations=60, gradient_tolerance=1e-5, c1=1e-3, c2=0.5)
    assert len(seen) > 20
    for start, found in seen:
        assert found.loss <= start.loss + 1e-3 * found.step * start.slope
        assert abs(found.slope) <= 0.5 * abs(start.slope)


def test_a_line_search_that_forgets_a_condition_is_seen(monkeypatch):
    """The first step as it comes: a planted fault, which the losses show."""
    monkeypatch.setattr(driver, "strong_wolfe", lambda line, start, first, c1, c2: line(first))
    found = minimise(of_vector([-1.2, 1.0] * 3, rosenbrock), iterations=60)
    assert np.any(np.diff(found.losses) > 0)


def test_it_agrees_with_scipy():
    optimize = pytest.importorskip("scipy.optimize")
    model, X, t = classifier()
    train.lbfgs(model, X, t, gradient_tolerance=1e-10)

    def objective(v):
        z = X @ v[:6] + v[6]
        return np.mean(np.logaddexp(0, z) - t[:, 0] * z) + 0.01 * np.sum(v[:6] ** 2)

    theirs = optimize.minimize(
        objective, np.zeros(7), method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9}
    )
    ours = np.concatenate([model.params["w"].ravel(), model.params["b"]])
    assert objective(ours) <= theirs.fun + 1e-12
    assert np.allclose(ours, theirs.x, atol=1e-4)


def test_it_ends_for_a_reason():
    model, X, t = classifier()
    assert train.lbfgs(model, X, t, iterations=2).stopped == "all 2 iterations done"
    assert train.lbfgs(model, X, t, iterations=0).steps == []
    assert "fell by no more than 0.5" in train.lbfgs(model.reset(), X, t, loss_tolerance=0.5).stopped


def test_float32_ends_where_rounding_begins():
    x, y = gx.input("x", ("n", 3)), gx.input("y", ("n", 1))
    z = nn.dense(nn.dense(x, 4, activation="tanh"), 1)
    model = gx.Model(z, nn.mse(z, y))
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    found = train.lbfgs(model, X, np.sin(X[:, :1]), iterations=300, gradient_tolerance=0.0)
    assert found.losses[-1] < 1e-3
    assert all(value.dtype == np.float32 for value in model.params.values())


def test_masks_are_the_same_at_every_evaluation():
    x, y = gx.input("x", ("n", 3), "float64"), gx.input("y", ("n", 1), "float64")
    z = nn.dense(nn.dropout(nn.dense(x, 8, activation="tanh"), 0.5), 1)
    model = gx.Model(z, nn.mse(z, y))
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 3))
    assert np.all(np.diff(train.lbfgs(model, X, X[:, :1], iterations=30).losses) < 0)


def test_frozen_parameters_stay_and_training_may_go_on():
    model, X, t = classifier()
    model.freeze("b")
    train.lbfgs(model, X, t)
    assert model.params["b"] == 0.0
    before = model.evaluate(X, t)["loss"]
    model.freeze()
    model.fit(X, t, optimizer=optim.momentum(0.1), epochs=20, verbose=False)
    assert model.evaluate(X, t)["loss"] < before


def test_a_loss_that_is_infinite_far_out_is_stepped_back_from():
    model = of_vector([1e-3], lambda p: gx.sum(p - 5.0 * gx.log(p)))
    minimise(model, gradient_tolerance=1e-9)
    assert np.allclose(model.params["p"], 5.0)


def test_ctrl_c_leaves_the_last_step(monkeypatch):
    model = of_vector([-1.2, 1.0], rosenbrock)
    calls = []

    def interrupted(*args):
        calls.append(args)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return strong_wolfe(*args)

    monkeypatch.setattr(driver, "strong_wolfe", interrupted)
    found = minimise(model)
    assert (found.stopped, len(found.steps)) == ("interrupted", 3)
    assert model.evaluate({}, {"one": np.ones(1)})["loss"] == pytest.approx(found.losses[-1], rel=1e-12)


BAD = {
    "no memory": {"memory": 0},
    "half an iteration": {"iterations": 0.5},
    "a negative tolerance": {"gradient_tolerance": -1.0},
    "c1 above c2": {"c1": 0.9, "c2": 0.5},
    "c2 of one": {"c2": 1.0},
}


@pytest.mark.parametrize("what", BAD)
def test_bad_settings_are_refused(what):
    with pytest.raises(gx.GraphcError):
        minimise(of_vector([1.0], rosenbrock), **BAD[what])


def test_a_start_that_is_not_finite_is_refused():
    with pytest.raises(gx.GraphcError, match="not finite"):
        minimise(of_vector([np.inf, 1.0], rosenbrock))


def test_nothing_to_train_is_refused():
    model = of_vector([1.0, 2.0], rosenbrock)
    model.freeze("p")
    with pytest.raises(gx.GraphcError, match="no parameter"):
        minimise(model)


def test_a_search_that_finds_nothing_says_so():
    start = Point(0.0, 1.0, -1.0, np.ones(1), {})
    flat = strong_wolfe(lambda a: Point(a, 2.0, 1.0, np.ones(1), {}), start, 1.0)
    assert flat is start
