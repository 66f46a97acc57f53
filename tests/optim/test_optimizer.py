"""Optimizers are their equations: in generated code, in a compiled graph, and by hand in NumPy they are the same."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc import optim
from graphc.optim import OPTIMIZERS
from tests.optim.support import GRADIENTS, run, small_model


def by_hand_sgd(theta, lr=0.05):
    for g in GRADIENTS:
        theta = theta - lr * g
        yield theta


def by_hand_momentum(theta, lr=0.05, beta=0.8):
    v = np.zeros_like(theta)
    for g in GRADIENTS:
        v = beta * v + g
        theta = theta - lr * v
        yield theta


def by_hand_adam(theta, lr=0.01, beta1=0.9, beta2=0.99, eps=1e-3, eps_on="corrected"):
    m, v = np.zeros_like(theta), np.zeros_like(theta)
    for t, g in enumerate(GRADIENTS, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        c1, c2 = 1 - beta1**t, 1 - beta2**t
        if eps_on == "corrected":
            theta = theta - lr * (m / c1) / (np.sqrt(v / c2) + eps)
        else:
            theta = theta - lr * np.sqrt(c2) / c1 * m / (np.sqrt(v) + eps)
        yield theta


CASES = {
    "sgd": (optim.sgd(0.05), by_hand_sgd),
    "momentum": (optim.momentum(0.05, beta=0.8), by_hand_momentum),
    "adam": (optim.adam(0.01, 0.9, 0.99, 1e-3), by_hand_adam),
    "adam, raw": (
        optim.adam(0.01, 0.9, 0.99, 1e-3, eps_on="raw"),
        lambda theta: by_hand_adam(theta, eps_on="raw"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_equations_are_those_of_the_literature(name):
    optimizer, by_hand = CASES[name]
    start = np.array([1.0, -2.0, 0.5, 3.0])
    for ours, theirs in zip(run(optimizer, start), by_hand(start), strict=True):
        assert np.allclose(ours, theirs, rtol=1e-13, atol=0)


def test_the_two_places_of_eps_differ():
    start = np.ones(4)
    raw, corrected = (next(run(optim.adam(0.01, eps=1e-2, eps_on=e), start)) for e in ("raw", "corrected"))
    assert np.abs(raw - corrected).max() > 1e-4


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_generated_step_agrees_with_compile_and_updates(name):
    """The module's train_step and one program over loss, gradients and equations compute the same."""
    model, optimizer = small_model(), OPTIMIZERS[name]()
    module = model.module(optimizer)
    params = {str(model.graph.name_of(p)): p for p in model.graph.leaves("param")}
    gradients = dict(zip(params, gx.grad(model.loss, list(params.values())), strict=True))
    program = gx.compile(model.loss, updates=optimizer.updates(params, gradients))
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(6, 3)).astype(np.float32), rng.normal(size=(6, 2)).astype(np.float32)
    values, state, slots = module.init(0)
    whole = {**values, **slots}
    for _ in range(4):
        values, state, slots, loss = module.train_step(values, state, slots, x, t)
        other, whole = program(x=x, t=t, **whole)
        assert float(loss) == pytest.approx(float(other), rel=1e-6)
        for key, value in {**values, **slots}.items():
            assert np.allclose(value, whole[key], rtol=2e-5, atol=1e-7), key


RATES = {"adagrad": 0.3, "adadelta": 3.0}
"""Where 0.01 would be slow."""


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_train(name):
    model = small_model()
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 3))
    t = x @ rng.normal(size=(3, 2))
    optimizer = OPTIMIZERS[name](RATES.get(name, 0.01))
    history = model.fit(x, t, optimizer=optimizer, epochs=60, batch_size=16, verbose=False)
    assert history["loss"][-1] < 0.3 * history["loss"][0]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_float32_stays_float32(name):
    model = small_model()
    optimizer = OPTIMIZERS[name]()
    model.fit(np.ones((4, 3)), np.ones((4, 2)), optimizer=optimizer, epochs=1, verbose=False)
    values = {**model.values.params, **model.values.slots}
    dtypes = {np.asarray(v).dtype.name for k, v in values.items() if k not in optimizer.shared_start()}
    assert dtypes == {"float32"}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_settings_make_the_same_optimizer_again(name):
    optimizer = OPTIMIZERS[name](0.125)
    again = OPTIMIZERS[name](**dict(optimizer.settings))
    assert (again.name, again.rate, again.settings) == (optimizer.name, optimizer.rate, optimizer.settings)


def test_an_optimizer_reads_like_its_declaration():
    assert repr(optim.momentum(0.1)) == "momentum(lr=0.1, beta=0.9, form='undamped')"
    assert repr(optim.adam(eps_on="raw")) == (
        "adam(lr=0.001, beta1=0.9, beta2=0.999, eps=1e-08, eps_on='raw', amsgrad=False, bias_correction=True)"
    )


BAD = {
    "a negative rate": lambda: optim.sgd(-1.0),
    "a rate that is nan": lambda: optim.sgd(float("nan")),
    "a rate that is text": lambda: optim.sgd("0.1"),
    "a rate that is a bool": lambda: optim.sgd(True),
    "beta of one": lambda: optim.momentum(0.1, beta=1.0),
    "beta1 below zero": lambda: optim.adam(beta1=-0.1),
    "eps below zero": lambda: optim.adam(eps=-1e-8),
    "eps somewhere else": lambda: optim.adam(eps_on="inside"),
    "an unknown form of momentum": lambda: optim.momentum(form="heavy"),
    "damping without its form": lambda: optim.momentum(damping=0.5),
    "nesterov, dampened": lambda: optim.nesterov(form="dampened"),
    "alpha of one": lambda: optim.rmsprop(alpha=1.0),
    "weight decay below zero": lambda: optim.adamw(weight_decay=-0.1),
    "a growth of zero": lambda: optim.rprop(grow=0.0),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_settings_are_refused(what):
    with pytest.raises(gx.GraphcError):
        BAD[what]()


def test_equations_are_readable():
    assert optim.momentum(0.1, 0.5).equation == "v ← β v + g; θ ← θ - λ v"
    assert optim.adam().equation == (
        "m ← β₁ m + (1 - β₁) g; v ← β₂ v + (1 - β₂) g²; "
        "m̂ = m / (1 - β₁ᵗ); v̂ = v / (1 - β₂ᵗ); θ ← θ - λ m̂ / (√v̂ + ε)"
    )
