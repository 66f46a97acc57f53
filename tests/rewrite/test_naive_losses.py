"""Losses as people write them come out as stable as the built-in ones: values and slopes against mpmath."""

from __future__ import annotations

import functools

import mpmath as mp
import numpy as np
import pytest

import graphc as gx
from graphc import nn

EPS = float(np.finfo("float64").eps)
WIDE = [
    -1e5,
    -1000.0,
    -745.0,
    -710.0,
    -40.0,
    -3.0,
    -1e-3,
    0.0,
    1e-8,
    0.5,
    3.0,
    36.0,
    40.0,
    709.0,
    711.0,
    1000.0,
    1e5,
]


def sigmoid(m, x):
    return 1 / (1 + m.exp(-x))


def other_sigmoid(m, x):
    return m.exp(x) / (1 + m.exp(x))


def density(m, x, s):
    """The normal law of mean 1 and deviation exp(s)."""
    root = mp.sqrt(2 * mp.pi) if m is mp else float(np.sqrt(2 * np.pi))
    return m.exp(-((x - 1) ** 2) / (2 * m.exp(s) ** 2)) / (m.exp(s) * root)


# name: the naive form over a module of functions (graphc or mpmath) and two numbers; those two; the built-in form
FORMS = {
    "log of 1 + exp": (lambda m, x, t: m.log(1 + m.exp(x)), (0.0,), lambda x, t: nn.softplus(x)),
    "log of sigmoid": (lambda m, x, t: m.log(sigmoid(m, x)), (0.0,), lambda x, t: gx.log_sigmoid(x)),
    "log of the other sigmoid": (
        lambda m, x, t: m.log(other_sigmoid(m, x)),
        (0.0,),
        lambda x, t: gx.log_sigmoid(x),
    ),
    "log of 1 - sigmoid": (
        lambda m, x, t: m.log(1 - sigmoid(m, x)),
        (0.0,),
        lambda x, t: gx.log_sigmoid(-x),
    ),
    "log of cosh": (
        lambda m, x, t: m.log(m.cosh(x - t)),
        (0.0, 2.0),
        lambda x, t: nn.log_cosh(x, t, "none"),
    ),
    "log of cosh by exp": (
        lambda m, x, t: m.log((m.exp(x - t) + m.exp(-(x - t))) / 2),
        (0.0, 2.0),
        lambda x, t: nn.log_cosh(x, t, "none"),
    ),
    "log of half a sum": (
        lambda m, x, t: m.log((m.exp(x) + m.exp(-x)) * 0.5),
        (0.0,),
        lambda x, t: nn.log_cosh(x, t, "none"),
    ),
    "soft margin": (
        lambda m, x, t: m.log(1 + m.exp(-t * x)),
        (-1.0, 1.0),
        lambda x, t: nn.soft_margin(x, t, "none"),
    ),
    "binary cross-entropy": (
        lambda m, x, t: -t * m.log(sigmoid(m, x)) - (1 - t) * m.log(1 - sigmoid(m, x)),
        (0.0, 0.3, 1.0),
        lambda x, t: nn.binary_cross_entropy(x, t, "none"),
    ),
    "binary cross-entropy, the other sigmoid": (
        lambda m, x, t: -(t * m.log(other_sigmoid(m, x)) + (1 - t) * m.log(1 - other_sigmoid(m, x))),
        (0.0, 0.3, 1.0),
        lambda x, t: nn.binary_cross_entropy(x, t, "none"),
    ),
    "focal": (
        lambda m, x, t: -((1 - sigmoid(m, x)) ** 2) * m.log(sigmoid(m, x)),
        (1.0,),
        lambda x, t: nn.focal(x, t, "none"),
    ),
}
POISSON = [x for x in WIDE if x < 709]
NORMAL = [x for x in WIDE if -300 < x < 700]


def derivative(form, x, t):
    """By a step far below the digits that are compared."""
    step = mp.mpf(2) ** -2000 * max(1, abs(x))
    return (form(mp, x + step, t) - form(mp, x - step, t)) / (2 * step)


@functools.cache
def truths(form, at, t):
    """Value and slope with enough digits for exp(-1e5)."""
    with mp.workprec(300_000 if abs(at) > 2000 else 8000):
        x = mp.mpf(at)
        return form(mp, x, mp.mpf(t)), derivative(form, x, mp.mpf(t))


def checked(build, form, points, t, ulps=4):
    """Value and slope of a graph at these points, each within so many eps of max(1, |f|)."""
    x, target = gx.input("x", ("n",), "float64"), gx.input("t", ("n",), "float64")
    y = build(x, target)
    outputs = [x, target, y, gx.grad(gx.sum(y), x)]
    values = gx.compile(outputs)(points, np.full(len(points), t))[2:]
    for i, at in enumerate(points):
        for what, got, want in zip(("value", "slope"), values, truths(form, at, t), strict=True):
            error = abs(mp.mpf(float(got[i])) - want)
            assert error <= ulps * EPS * max(1, abs(want)), (what, at, t, float(got[i]), mp.nstr(want))


@pytest.mark.parametrize("which", ["naive", "built in"])
@pytest.mark.parametrize("name", FORMS)
def test_losses_of_one_number(name, which):
    form, targets, built_in = FORMS[name]
    build = built_in if which == "built in" else lambda x, t: form(gx, x, t)
    for t in targets:
        checked(build, form, [x for x in WIDE if abs(x) < 2000], t)
        far = np.array([x for x in WIDE if abs(x) > 2000])
        x, target = gx.input("x", ("n",), "float64"), gx.input("t", ("n",), "float64")
        both = [build(x, target), built_in(x, target)]
        got = gx.compile([x, target, *both, *(gx.grad(gx.sum(b), x) for b in both)])(
            far, np.full(far.size, t)
        )
        np.testing.assert_allclose(got[2], got[3], rtol=4 * EPS)
        np.testing.assert_allclose(got[4], got[5], rtol=4 * EPS, atol=4 * EPS)


@pytest.mark.parametrize("t", [0.0, 3.0])
def test_counts_of_an_exponential_rate(t):
    def naive(m, x, t):
        return m.exp(x) - t * m.log(m.exp(x))

    checked(lambda x, t: naive(gx, x, t), naive, [x for x in POISSON if abs(x) < 2000], t)
    checked(lambda x, t: nn.poisson_nll(x, t, "none"), naive, [x for x in POISSON if abs(x) < 2000], t)
    checked(
        lambda x, t: nn.poisson_nll(gx.exp(x), t, "none", log_rate=False, eps=0),
        naive,
        [x for x in POISSON if abs(x) < 2000],
        t,
    )


@pytest.mark.parametrize("s", [-100.0, 0.0, 5.0])
def test_the_density_of_a_normal_law(s):
    def naive(m, x, s):
        return -m.log(density(m, x, s))

    checked(lambda x, s: naive(gx, x, s), naive, NORMAL, s, ulps=8)


def test_the_variance_of_a_normal_law_as_an_exponential():
    s = gx.input("s", ("n",), "float64")
    one, three = gx.ones_like(s), 3 * gx.ones_like(s)
    loss = nn.gaussian_nll(one, three, gx.exp(s), "none", eps=0)
    at = np.array([-300.0, -1.0, 0.0, 300.0, 700.0])
    value, slope = gx.compile([loss, gx.grad(gx.sum(loss), s)])(at)
    np.testing.assert_allclose(value, (at + 4 * np.exp(-at)) / 2, rtol=4 * EPS)
    np.testing.assert_allclose(slope, (1 - 4 * np.exp(-at)) / 2, rtol=4 * EPS)


# -- rows of logits ------------------------------------------------------------------------------------------------


def softmax(z):
    return gx.exp(z) / gx.sum(gx.exp(z), axis=1, keepdims=True)


ROWS = np.array(
    [
        [1000.0, 0.0, -1000.0],
        [0.0, 1000.0, 999.0],
        [-750.0, -745.0, -800.0],
        [1e5, -1e5, 0.0],
        [0.1, 0.2, 0.3],
        [40.0, 0.0, -40.0],
    ]
)
LABELS = np.array([2, 0, 1, 1, 2, 1])

PICKED = {
    "one-hot outside": lambda p, t: -gx.sum(gx.one_hot(t, 3, "float64") * gx.log(p), axis=1),
    "one-hot inside": lambda p, t: -gx.log(gx.sum(gx.one_hot(t, 3, "float64") * p, axis=1)),
    "one-hot behind": lambda p, t: -gx.log(gx.sum(p * gx.one_hot(t, 3, "float64"), axis=-1)),
    "along an axis": lambda p, t: -gx.log(gx.take_along_axis(p, gx.expand_dims(t, 1), axis=1))[:, 0],
    "by two indices": lambda p, t: -gx.log(p[gx.arange("n"), t]),
}


def row_truths(row, label):
    with mp.workprec(3000):
        e = [mp.exp(mp.mpf(v)) for v in row]
        p = [v / sum(e) for v in e]
        return -mp.log(p[label]), [v - (i == label) for i, v in enumerate(p)]


@pytest.mark.parametrize("name", PICKED)
def test_minus_log_of_the_share_of_a_label(name):
    z, t = gx.input("z", ("n", 3), "float64"), gx.input("t", ("n",), "int64")
    loss = PICKED[name](softmax(z), t)
    rows = [r for r in range(len(ROWS)) if abs(ROWS[r]).max() < 2000]
    value, slope = gx.compile([loss, gx.grad(gx.sum(loss), z)])(ROWS[rows], LABELS[rows])
    for i, r in enumerate(rows):
        want, slopes = row_truths(ROWS[r], LABELS[r])
        assert abs(mp.mpf(float(value[i])) - want) <= 4 * EPS * max(1, abs(want)), (r, value[i])
        for got, exact in zip(slope[i], slopes, strict=True):
            assert abs(mp.mpf(float(got)) - exact) <= 4 * EPS, (r, slope[i])


@pytest.mark.parametrize("name", PICKED)
def test_it_is_the_built_in_loss(name):
    z, t = gx.input("z", ("n", 3), "float64"), gx.input("t", ("n",), "int64")
    both = [gx.mean(PICKED[name](softmax(z), t)), nn.cross_entropy(z, t)]
    got = gx.compile([*both, *(gx.grad(b, z) for b in both)])(ROWS, LABELS)
    np.testing.assert_allclose(got[0], got[1], rtol=4 * EPS)
    np.testing.assert_allclose(got[2], got[3], rtol=4 * EPS, atol=EPS)


def kl_truth(a, b):
    with mp.workprec(3000):
        p, q = ([mp.exp(mp.mpf(v)) for v in row] for row in (a, b))
        p, q = [v / sum(p) for v in p], [v / sum(q) for v in q]
        value = sum(v * mp.log(v / w) for v, w in zip(p, q, strict=True))
        slope = [v * (mp.log(v / w) - value) for v, w in zip(p, q, strict=True)]
        return value, slope, [w - v for v, w in zip(p, q, strict=True)]


@pytest.mark.parametrize("form", ["ratio", "difference", "built in", "built in, of probabilities"])
def test_the_divergence_of_two_softmaxes(form):
    a, b = gx.input("a", ("n", 3), "float64"), gx.input("b", ("n", 3), "float64")
    p, q = softmax(a), softmax(b)
    loss = {
        "ratio": lambda: gx.sum(p * gx.log(p / q), axis=1),
        "difference": lambda: gx.sum(p * (gx.log(p) - gx.log(q)), axis=1),
        "built in": lambda: nn.kl_div(gx.log_softmax(b), gx.log_softmax(a), "none", log_target=True),
        "built in, of probabilities": lambda: nn.kl_div(gx.log(q), p, "none"),
    }[form]()
    rows = ROWS[[0, 1, 2, 4, 5]]
    others = rows[[1, 2, 3, 0, 4]]
    value, *slopes = gx.compile([loss, *gx.grad(gx.sum(loss), [a, b])])(rows, others)
    for i in range(len(rows)):
        want = kl_truth(rows[i], others[i])
        assert abs(mp.mpf(float(value[i])) - want[0]) <= 4 * EPS * max(1, abs(want[0])), (i, value[i])
        for got, exact in zip((slopes[0][i], slopes[1][i]), want[1:], strict=True):
            scale = 8 * EPS * max(1, abs(want[0]))
            assert all(abs(mp.mpf(float(g)) - w) <= scale for g, w in zip(got, exact, strict=True)), (i, got)


def test_the_entropy_of_a_softmax():
    z = gx.input("z", ("n", 3), "float64")
    p = softmax(z)
    entropy = -gx.sum(p * gx.log(p), axis=1)
    value, slope = gx.compile([entropy, gx.grad(gx.sum(entropy), z)])(ROWS)
    assert np.isfinite(value).all()
    assert np.isfinite(slope).all()
    np.testing.assert_allclose(value[[0, 3]], 0, atol=1e-300)
    np.testing.assert_allclose(value[4], -sum(v * np.log(v) for v in np.exp(ROWS[4]) / np.exp(ROWS[4]).sum()))
