"""Ranges by parts: what is found holds at every number, and is close enough to be of use."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

import graphc as gx
from graphc.rewrite import intervals
from graphc.rewrite.facts import facts_of
from graphc.rewrite.subdivision import within

FORMULAS = {
    "x^2 exp(-x^2)": (lambda x: gx.square(x) * gx.exp(-gx.square(x)), 0.0, 0.42),
    "x exp(-x^2)": (lambda x: x * gx.exp(-gx.square(x)), -0.5, 0.5),
    "tanh(x) sigmoid(x)": (lambda x: gx.tanh(x) * gx.sigmoid(x), -0.5, 1.01),
    "the sum of both": (
        lambda x: gx.tanh(x) * gx.sigmoid(x) + gx.square(x) * gx.exp(-gx.square(x)),
        -0.5,
        1.3,
    ),
    "x exp(-|x|)": (lambda x: x * gx.exp(-gx.abs(x)), -0.45, 0.45),
    "sin(x) / 2 + cos(x)": (lambda x: gx.sin(x) / 2.0 + gx.cos(x), -1.51, 1.51),
}


def everywhere(dtype):
    """Numbers of every size and sign, infinities, and many of ordinary size."""
    info, random = np.finfo(dtype), np.random.default_rng(5)
    sizes = np.exp(random.uniform(np.log(float(info.smallest_subnormal)), np.log(float(info.max)), 4000))
    plain = np.concatenate([np.linspace(0, 30, 3001), np.abs(random.normal(0, 2, 2000)), sizes])
    ends = [0.0, info.tiny, info.max, np.inf]
    x = np.concatenate([plain, ends]).astype(dtype)
    return np.concatenate([x, -x])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FORMULAS)
def test_what_is_found_holds_everywhere(name, dtype):
    build, low, high = FORMULAS[name]
    x = gx.input("x", ("n",), dtype=dtype)
    u = build(x)
    assert within(u, low, high)
    values = everywhere(dtype)
    with np.errstate(all="ignore"):
        got = gx.compile(u, level="exact")(values)
    got = got[~np.isnan(got)]
    assert got.min() >= low
    assert got.max() <= high


@pytest.mark.parametrize("name", FORMULAS)
def test_a_range_that_a_number_leaves_is_not_found(name):
    """Narrower than the values at some points are: no search may say that they lie inside."""
    build, _, _ = FORMULAS[name]
    x = gx.input("x", ("n",), dtype="float64")
    u = build(x)
    with np.errstate(all="ignore"):
        got = gx.compile(u, level="exact")(everywhere("float64"))
    low, high = np.nanmin(got), np.nanmax(got)
    assert not within(u, float(low), float(high) - 1e-3)
    assert not within(u, float(low) + 1e-3, float(high))


def random_formula(random):
    x = gx.input("x", ("n",), dtype="float64")
    parts = [x, gx.tanh(x), gx.exp(-gx.square(x))]
    unary = [gx.sin, gx.tanh, gx.sigmoid, gx.square, gx.abs, gx.negative, gx.softplus, gx.cos, gx.relu]
    for _ in range(5):
        a, b = (parts[i] for i in random.integers(0, len(parts), 2))
        card = random.integers(0, 12)
        made = unary[card](a) if card < 9 else (a + b, a * b, gx.maximum(a, b))[card - 9]
        parts.append(made)
    return x, parts[-1]


@pytest.mark.parametrize("seed", range(24))
def test_random_formulas_stay_inside_what_is_found(seed):
    random = np.random.default_rng(seed)
    _, u = random_formula(random)
    with np.errstate(all="ignore"):
        got = gx.compile(u, level="exact")(everywhere("float64"))
    low, high = np.nanmin(got), np.nanmax(got)
    for room in (1e-2, 0.3):
        for inside in ((low + room, np.inf), (-np.inf, high - room)):
            if not any(np.isnan(inside)) and np.isfinite(inside).any():
                assert not within(u, *inside)


def test_a_value_between_two_products_is_one_variable():
    x, w, b = gx.input("x", ("n", 3)), gx.param("w", (3, 4)), gx.param("b", (4,))
    z = x @ w + b
    assert within(z * gx.exp(-gx.square(z)), -1, 1)
    assert not within(z * gx.exp(-gx.square(b)), -1, 1)


def test_what_is_assumed_of_the_variable_counts():
    x = gx.input("x", ("n",))
    assert not within(gx.square(x) - x, -0.3, 2.1)
    assert within(gx.square(y := gx.assume(x, low=0, high=2)) - y, -0.3, 2.1)


def test_exponentials_vanish_where_the_range_says_so():
    for dtype in ("float32", "float64"):
        assert np.exp(np.array([intervals.VANISHED], dtype))[0] == 0
        assert np.exp(np.linspace(intervals.VANISHED, -1e30, 999).astype(dtype)).max() == 0


# -- one exponential for softplus and sigmoid --------------------------------------------------------------------------


def value_and_gradient(**options):
    x = gx.input("x", ("n",))
    u = gx.tanh(x) * gx.sigmoid(x) + gx.square(x) * gx.exp(-gx.square(x))
    y = gx.sum(gx.softplus(u))
    return gx.compile([y, gx.grad(y, x), gx.softplus(u)], **options)


@pytest.mark.parametrize("layout", ["fresh", "planned"])
def test_one_exponential_serves_softplus_and_its_derivative(layout):
    source = value_and_gradient(layout=layout).source
    assert "_softplus" not in source
    assert "expm1" not in source
    body = source[source.index("def f(") if layout == "fresh" else source.index("def run(") :]
    assert body.count("exp(") == 2  # exp(-x²) and exp(u)


def exact(v):
    """The summand and its derivative, in mpmath."""
    x = mp.mpf(float(v))
    s, t, q = 1 / (1 + mp.exp(-x)), mp.tanh(x), mp.exp(-x * x)
    u = t * s + x * x * q
    slope = (1 - t * t) * s + t * s * (1 - s) + 2 * x * q * (1 - x * x)
    return mp.log1p(mp.exp(u)), slope / (1 + mp.exp(-u))


@pytest.mark.parametrize("layout", ["fresh", "planned"])
def test_value_and_gradient_against_mpmath(layout):
    x = np.concatenate([np.linspace(-30, 30, 301), [1e-6, -1e-6, 1e3, -1e3, 0.0]]).astype("float32")
    _, gradient, value = value_and_gradient(layout=layout)(x)
    eps = np.finfo("float32").eps
    with mp.workdps(40):
        wanted = np.array([[float(y) for y in exact(v)] for v in x])
    np.testing.assert_allclose(value, wanted[:, 0], rtol=3 * eps)
    np.testing.assert_allclose(gradient, wanted[:, 1], rtol=0, atol=3 * eps)


def test_nan_and_infinities_are_those_of_the_stable_form():
    x = np.array([np.nan, np.inf, -np.inf, 3e38, -3e38], "float32")
    with np.errstate(all="ignore"):
        for one, other in zip(value_and_gradient()(x), value_and_gradient(level="exact")(x), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-6)


def test_an_unknown_range_keeps_the_stable_form():
    x = gx.input("x", ("n",))
    assert "_softplus" in gx.compile(gx.softplus(x)).source
    assert "_sigmoid" in gx.compile(gx.sigmoid(gx.square(x))).source
    assert not facts_of(x).finite
