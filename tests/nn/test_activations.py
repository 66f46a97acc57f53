"""Activations: values and slopes against mpmath from end to end, starting weights, and the trained slope."""

from __future__ import annotations

import inspect

import mpmath as mp
import numpy as np
import pytest

import graphc as gx
from graphc import nn
from graphc.errors import ArgumentError, GraphcError
from graphc.ops import CARDS, activations
from tests.ops.references import SCALAR

POINTWISE = [
    *(op.name for op in activations.CARDS if len(op.operands) == 1),
    *("relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "sigmoid", "tanh"),
]
KINKS = {0.0, 0.5, -0.5, 1.0, -1.0, 3.0, -3.0, 6.0}
GRID = [1e-100, 1e-8, 0.3, 0.7, 2.5, 4.0, 5.5, 8.0, 20.0, 40.0, 300.0, 710.0, 1e5, 1e300]
POINTS = sorted({*GRID, *(-v for v in GRID)} - KINKS)


def slope(name, x):
    """The derivative by mpmath, with steps far below the digits that are compared."""
    step = max(abs(x), mp.mpf(1)) * mp.mpf(2) ** -600
    return (SCALAR[name](x + step) - SCALAR[name](x - step)) / (2 * step)


def truth(name, x):
    """Value and slope; far out, those that are reached to all digits."""
    far = mp.mpf(min(max(x, -1e5), 1e5))  # where no digit changes any more, but x itself may
    with mp.workprec(1500):
        d = slope(name, far)
        y = SCALAR[name](mp.mpf(x)) if abs(x) <= 1e5 else SCALAR[name](far) + d * (mp.mpf(x) - far)
        return y, d


SMOOTH_TAILS = {"softsign": lambda x: (x / (1 + abs(x)), 1 / (1 + abs(x)) ** 2)}


@pytest.mark.parametrize("name", POINTWISE)
def test_values_and_slopes_are_right_at_the_extremes(name):
    x = gx.input("x", ("n",), "float64")
    y = CARDS[name](x)
    with np.errstate(over="ignore"):  # of the square in gelu
        got = gx.compile((y, gx.grad(gx.sum(y), x)))(POINTS)
    eps = np.finfo("float64").eps
    for i, at in enumerate(POINTS):
        want = SMOOTH_TAILS.get(name, lambda v: truth(name, v))(mp.mpf(at))
        for part, exact in zip(got, want, strict=True):
            assert abs(mp.mpf(float(part[i])) - exact) <= 4 * eps * max(1, abs(exact)), (name, at)


@pytest.mark.parametrize("name", POINTWISE)
def test_a_nan_is_not_hidden(name):
    x = gx.input("x", ("n",), "float64")
    assert np.isnan(gx.compile(CARDS[name](x))([np.nan])).all()


@pytest.mark.parametrize("name", POINTWISE)
def test_the_second_derivative_is_finite_everywhere(name):
    x = gx.input("x", ("n",), "float64")
    once = gx.grad(gx.sum(CARDS[name](x)), x)
    with np.errstate(over="ignore"):
        _, twice = gx.compile([x, gx.grad(gx.sum(once), x)])(POINTS)
    assert np.isfinite(twice).all(), [p for p, v in zip(POINTS, twice, strict=True) if not np.isfinite(v)]


@pytest.mark.parametrize(
    "form",
    [
        lambda x: 0.5 * x * (1 + gx.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
        lambda x: 0.5 * x * (1.0 + gx.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))),
        lambda x: x * 0.5 * (1 + gx.tanh(x * 0.7978845608028654 * (1 + 0.044715 * x * x))),
        lambda x: x * (0.5 * (1 + gx.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * gx.power(x, 3))))),
        lambda x: x / 2 * (1 + gx.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
    ],
    ids=["paper", "by products", "factored", "half inside", "halved"],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gelu_by_tanh_is_found_as_people_write_it(form, dtype):
    x = gx.input("x", ("n",), dtype)
    assert gx.gelu_tanh(x) in gx.simplify(form(x)).nodes
    with np.errstate(over="ignore"):
        slopes = gx.compile(gx.grad(gx.sum(form(x)), x))([-1e30, 1e30, 0.0])
    assert slopes.tolist() == [0.0, 1.0, 0.5]


# -- functions that are more than a card ---------------------------------------------------------------------------


def value(node, *arrays):
    return gx.compile(node)(*arrays)


def test_glu_is_a_gate():
    data = np.random.default_rng(0).normal(size=(3, 4, 2))
    x = gx.input("x", data.shape, "float64")
    for axis in (1, 2, -1):
        a, b = np.split(data, 2, axis)
        np.testing.assert_allclose(value(nn.glu(x, axis), data), a / (1 + np.exp(-b)), rtol=1e-14)


def test_softmin_is_the_softmax_of_minus_x():
    data = np.array([[1e4, 0.0, 1.0]])
    x = gx.input("x", (1, 3), "float64")
    e = np.exp(-np.array([0.0, 1.0]))
    np.testing.assert_allclose(value(nn.softmin(x), data), [[0, *(e / e.sum())]], rtol=1e-14)


def test_softplus_bends_by_beta_and_needs_no_threshold():
    data = np.array([-1000.0, -1.0, 0.0, 2.0, 1000.0])
    x = gx.input("x", (5,), "float64")
    np.testing.assert_allclose(value(nn.softplus(x, 3.0), data), np.logaddexp(0, 3 * data) / 3, rtol=1e-14)
    cut = value(nn.softplus(x, 3.0, threshold=0.2), data)
    assert cut.tolist()[3:] == [2.0, 1000.0]
    np.testing.assert_allclose(cut[:3], np.logaddexp(0, 3 * data[:3]) / 3, rtol=1e-14)


def test_the_slope_of_prelu_is_trained():
    rng = np.random.default_rng(0)
    data = rng.normal(size=(64, 2)).astype("float32")
    x, t = gx.input("x", ("n", 2)), gx.input("t", ("n", 2))
    y = nn.prelu(x, axis=-1, name="p")
    model = gx.Model(y, nn.mse(y, t))
    assert model.params["p.slope"].tolist() == [0.25, 0.25]
    target = np.where(data > 0, data, data * np.array([0.5, -1.0], "float32"))
    model.fit(data, target, optimizer=gx.optim.sgd(0.5), epochs=40, verbose=False)
    np.testing.assert_allclose(model.params["p.slope"], [0.5, -1.0], atol=1e-3)


def test_prelu_slopes_stand_along_their_axis():
    x = gx.input("x", ("n", 3, 4, 5), "float64")
    y = nn.prelu(x, axis=1)
    data, slopes = -np.ones((2, 3, 4, 5)), np.arange(3.0).reshape(3, 1, 1)
    np.testing.assert_array_equal(value(y, data, slopes), data * slopes)


BAD = {
    "an odd half": (lambda: nn.glu(gx.input("x", ("n", 3))), "even size"),
    "an unknown half": (lambda: nn.glu(gx.input("x", ("n", "k"))), "even size"),
    "slopes of an unknown size": (lambda: nn.prelu(gx.input("x", ("n", "k")), axis=1), "is an int"),
    "no bend": (lambda: nn.softplus(gx.input("x", ()), beta=0), "above 0"),
    "an unknown name": (lambda: nn.dense(gx.input("x", ("n", 3)), 2, "geluu"), "did you mean 'gelu'"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_activations_are_refused(what):
    build, words = BAD[what]
    with pytest.raises(GraphcError, match=words):
        build()


# -- by name -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", nn.ACTIVATIONS)
def test_every_activation_is_found_by_name_and_trains(name):
    x = gx.input("x", ("n", 3))
    h = nn.dense(x, 4, name, name="h")
    y = nn.dense(h, 1, name="y")
    model = gx.Model(y, gx.mean(gx.square(y - 1)))
    data = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
    history = model.fit(data, optimizer=gx.optim.sgd(0.05), epochs=3, verbose=False)
    assert history["loss"][-1] < history["loss"][0]


@pytest.mark.parametrize(
    ("activation", "init"),
    [
        ("relu", "he_normal"),
        pytest.param(gx.relu, "he_normal", id="the card"),
        ("mish", "he_normal"),
        ("swish", "he_normal"),
        ("prelu", "he_normal"),
        ("selu", "lecun_normal"),
        ("tanh", "xavier_uniform"),
        ("sigmoid", "xavier_uniform"),
        (None, "xavier_uniform"),
        pytest.param(lambda z: z, "xavier_uniform", id="a function"),
    ],
)
def test_weights_start_as_suits_what_follows(activation, init):
    y = nn.dense(gx.input("x", ("n", 3)), 4, activation, name="l")
    start = next(p for p in gx.graph_of(y).leaves("param") if p.attrs["name"] == "W")
    assert start.attrs["init"].name == init


def test_every_card_of_the_family_can_be_named():
    named = {getattr(f, "name", "") or f.__name__ for f in nn.ACTIVATIONS.values()}
    assert {op.name for op in activations.CARDS} <= named


def test_an_activation_is_a_function_of_one_node():
    for name, function in nn.ACTIVATIONS.items():
        if not hasattr(function, "operands"):
            _, *rest = inspect.signature(function).parameters.values()
            assert all(p.default is not p.empty for p in rest), name
    with pytest.raises(ArgumentError):
        nn.dense(gx.input("x", ("n", 3)), 2, "no such")
