"""What a planned step reads, and when: parameters as they were, states that are kept, slots that move."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc import optim

RANDOM = np.random.default_rng(1)
X, T = RANDOM.normal(size=(10, 3)).astype("float32"), RANDOM.normal(size=10).astype("float32")


def x_input():
    return gx.input("x", ("n", 3))


def scalar_parameter():
    x, a = x_input(), gx.param("a", (), init="ones")
    return gx.Model(gx.exp(a) * x, gx.mean(gx.square(gx.exp(a) * x)))


def loss_is_a_parameter():
    x, s = x_input(), gx.param("s", (), init="ones")
    return gx.Model(x * s, s)


def state_takes(value):
    x, w, a = x_input(), gx.param("w", (3,), init="ones"), gx.param("a", (), init="ones")
    h = gx.tanh(x * w) * a
    made = value(h, w, a)
    s = gx.state("s", made.shape)
    y = gx.update(h * 2.0, {s: made})
    return gx.Model(y, gx.mean(y * y))


def states_in_turn():
    x, w = x_input(), gx.param("w", (3,), init="ones")
    s, v = gx.state("s", (3,)), gx.state("v", (3,))
    y = gx.update(x * w, {s: v, v: s + gx.sum(x, axis=0)})
    return gx.Model(y, gx.mean(y * y))


MODELS = {
    "a function of a scalar parameter": scalar_parameter,
    "the loss is a parameter": loss_is_a_parameter,
    "a state is a view of a buffer": lambda: state_takes(lambda h, w, a: h[-1]),
    "a state is a parameter": lambda: state_takes(lambda h, w, a: w),
    "a state is a view of a parameter": lambda: state_takes(lambda h, w, a: gx.flip(w, 0)),
    "a state is a scalar parameter": lambda: state_takes(lambda h, w, a: a),
    "a state is a choice": lambda: state_takes(lambda h, w, a: gx.cond(a > 0, lambda b: b, lambda b: -b, a)),
    "states in turn": states_in_turn,
}


def trained(model, optimizer, layout):
    module = model.module(optimizer, layout)
    values, losses = module.init(0), []
    data = [X] if model.train_inputs else []
    for _ in range(5):
        *values, loss = module.train_step(*values, *data)
        losses.append(loss)
    return losses, values


def assert_same(make, optimizer):
    (one, values), (other, others) = (trained(make(), optimizer, layout) for layout in ("fresh", "planned"))
    np.testing.assert_allclose(one, other, rtol=1e-5)
    for first, second in zip(values, others, strict=True):
        assert first.keys() == second.keys()
        for name in first:
            np.testing.assert_allclose(first[name], second[name], rtol=1e-5, atol=1e-7, err_msg=name)


@pytest.mark.parametrize("name", MODELS)
def test_values_are_those_before_the_update(name):
    assert_same(MODELS[name], optim.adam(0.05))


RULES = {
    "an old value": ({"p": "theta"}, "d = theta - p; p = theta; theta = theta - lr*g + 0.5*d"),
    "a slot moves on": ({"p": 0.0, "q": 0.0}, "q = p; p = g; theta = theta - lr*q"),
    "two change places": ({"p": 0.0, "q": 1.0}, "p, q = q, p; theta = theta - lr*p*g"),
    "written alone": ({"last": 0.0}, "last = g; theta = theta - lr*g"),
}


@pytest.mark.parametrize("name", RULES)
def test_slots_hold_what_the_equations_say(name):
    slots, update = RULES[name]
    if ", " in update.partition("=")[0]:
        update = "r = p; p = q; q = r; theta = theta - lr*p*g"
    assert_same(scalar_parameter, optim.rule("own", slots=slots, update=update, lr=0.05))


def test_another_module_makes_its_own_step():
    model = scalar_parameter()
    plain, decayed = (
        model.module(o) for o in (optim.sgd(0.05), optim.chain(optim.weight_decay(0.5), optim.sgd(0.05)))
    )
    params, state, slots, _ = plain.train_step(*plain.init(0), X)
    start = float(params["a"])
    alone = float(decayed.train_step({"a": np.float32(start)}, {}, {}, X)[0]["a"])
    assert float(decayed.train_step(params, state, slots, X)[0]["a"]) == alone


def test_slots_that_are_given_stay():
    module = scalar_parameter().module(optim.adam(0.05))
    params, state, slots = module.init(0)
    slots = {name: np.array(value) for name, value in slots.items()}  # as np.load gives them
    module.train_step(params, state, slots, X)
    assert slots["adam.step"] == 0


def test_weights_that_were_asked_for_stay():
    model = scalar_parameter()
    model.fit(X, optimizer=optim.sgd(0.05), epochs=1, verbose=False)
    held = model.weights()
    before = float(held["a"])
    model.fit(X, optimizer=optim.sgd(0.05), epochs=1, verbose=False)
    assert float(held["a"]) == before != float(model.weights()["a"])


def test_next_values_may_be_passed_in_again():
    x, w = x_input(), gx.param("w", (3,))
    y = gx.mean(gx.square(x * w))
    updates = {w: w - 0.1 * gx.grad(y, w)}
    program = gx.compile(y, updates=updates, layout="planned", reuse_outputs=True)
    other = gx.compile(y, updates=updates)
    one = two = {"w": np.ones(3, "float32")}
    for _ in range(4):
        first, one = program(X, **one)
        second, two = other(X, **two)
        np.testing.assert_allclose(first, second, rtol=1e-6)


@pytest.mark.parametrize("names", [("c_t", "out"), ("where", "axis"), ("c_1", "c_2")])
def test_inputs_may_be_called_like_words_of_the_listing(names):
    a, b = (gx.input(n, ("n", 300)) for n in names)
    outputs = gx.sigmoid(a) * b + gx.tanh(a) * gx.exp(-gx.square(b)) + gx.tanh(b)
    values = RANDOM.normal(size=(2, 700, 300))
    np.testing.assert_allclose(
        gx.compile(outputs)(*values), gx.compile(outputs, layout="planned")(*values), rtol=1e-6, atol=1e-7
    )
