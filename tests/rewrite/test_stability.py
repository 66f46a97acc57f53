"""What people write comes out right: the eight naive forms, and mistakes that others make."""

from __future__ import annotations

import itertools
import re

import mpmath as mp
import numpy as np
import pytest

import graphc as gx
from graphc.rewrite.driver import rewrite
from graphc.rewrite.rules import RULES
from graphc.runtime.guards import first_non_finite

LEVELS = ["default", "fast"]
RELATIVE = 1e-12


def naive_sigmoid(x):
    return 1 / (1 + gx.exp(-x))


def naive_softmax(v):
    return gx.exp(v) / gx.sum(gx.exp(v))


# the form, where, its value, its gradient
NAIVE = {
    "softplus": (lambda x: gx.log(1 + gx.exp(x)), 1000.0, 1000.0, 1.0),
    "log of sigmoid": (lambda x: gx.log(naive_sigmoid(x)), -1000.0, -1000.0, 1.0),
    "minus log of 1 - sigmoid": (lambda x: -gx.log(1 - naive_sigmoid(x)), 1000.0, 1000.0, 1.0),
    "root of x x": (lambda x: gx.sqrt(x * x), 0.0, 0.0, 0.0),
    "x log x": (lambda x: x * gx.log(x), 0.0, 0.0, -np.inf),
    "tanh": (lambda x: (gx.exp(x) - gx.exp(-x)) / (gx.exp(x) + gx.exp(-x)), 1000.0, 1.0, 0.0),
    "logsumexp": (lambda v: gx.log(gx.sum(gx.exp(v))), [1000.0, 0.0], 1000.0, [1.0, 0.0]),
    "log of softmax": (lambda v: gx.log(naive_softmax(v))[1], [1000.0, 0.0], -1000.0, [-1.0, 1.0]),
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", NAIVE)
def test_the_eight_naive_forms(name, level):
    form, at, value, gradient = NAIVE[name]
    x = gx.input("x", np.shape(at), dtype="float64")
    y = form(x)
    program = gx.compile((y, gx.grad(y, x, level)), level=level)
    # no warning either: they are errors here, and only 1/0 of x log x is meant to be infinite
    with np.errstate(divide="ignore" if name == "x log x" else "warn"):
        got_value, got_gradient = program(at)
    np.testing.assert_allclose(got_value, value, rtol=RELATIVE, atol=0)
    np.testing.assert_allclose(got_gradient, gradient, rtol=RELATIVE, atol=0)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_order_of_rules_does_not_decide_what_is_found(order):
    tables = [[r for r in RULES if r.phase == phase] for phase in ("clean", "stabilise", "cost")]
    rules = [r for i in order for r in tables[i]]
    for (form, at, *_), shuffled in itertools.product(NAIVE.values(), (rules, rules[::-1])):
        x = gx.input("x", np.shape(at), dtype="float64")
        left = {n.op.name for n in rewrite(gx.graph_of(form(x)), shuffled).nodes}
        assert not left & {"exp", "log", "sqrt"}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "pick",
    [lambda v: gx.log(naive_softmax(v)[1]), lambda v: gx.log(gx.exp(v)[1] / gx.sum(gx.exp(v)))],
    ids=["after", "before"],
)
def test_softmax_is_found_wherever_the_index_stands(pick, level):
    v = gx.input("v", (2,), dtype="float64")
    value, slope = gx.compile([pick(v), gx.grad(pick(v), v, level)], level=level)([1000.0, 0.0])
    assert value == -1000.0
    np.testing.assert_array_equal(slope, [-1.0, 1.0])


@pytest.mark.parametrize("keep", ["keepdims", "expand_dims", "reshape", "transpose"])
def test_softmax_is_found_whatever_moves_the_sums_back(keep):
    z = gx.input("z", (3, 2), dtype="float64")
    e = gx.exp(z)
    softmax = {
        "keepdims": lambda: e / gx.sum(e, axis=1, keepdims=True),
        "expand_dims": lambda: e / gx.expand_dims(gx.sum(e, axis=1), 1),
        "reshape": lambda: e / gx.reshape(gx.sum(e, axis=1), (3, 1)),
        "transpose": lambda: (gx.exp(z.T) / gx.sum(gx.exp(z.T), axis=0, keepdims=True)).T,
    }[keep]()
    got = gx.compile(gx.log(softmax))([[1000.0, 0.0], [0.0, 0.0], [-1000.0, 5.0]])
    np.testing.assert_allclose(got, [[0, -1000], [-np.log(2), -np.log(2)], [-1005, 0]], rtol=RELATIVE)


# -- cross-entropy: by rules, not by a special case -----------------------------------------------------------------


def cross_entropy(n):
    z, t = gx.input("z", (n, 4), dtype="float64"), gx.input("t", (n,), dtype="int64")
    p = gx.exp(z) / gx.sum(gx.exp(z), axis=1, keepdims=True)
    loss = -gx.mean(gx.sum(gx.one_hot(t, 4, dtype="float64") * gx.log(p), axis=1))
    return z, t, p, loss


@pytest.mark.parametrize("n", [5, "n"])
def test_softmax_cross_entropy_ends_as_p_minus_the_labels(n):
    z, t, _, loss = cross_entropy(n)
    labels = gx.one_hot(t, 4, dtype="float64")
    simplified = gx.simplify([loss, gx.grad(loss, z)]).outputs[1]
    difference = gx.softmax(z) - labels
    assert simplified.op.name in ("multiply", "divide")
    assert difference in simplified.inputs


def test_one_exponential_serves_softmax_loss_and_gradient():
    z, _, p, loss = cross_entropy("n")
    source = gx.compile({"p": p, "loss": loss, "gradient": gx.grad(loss, z)}).source
    assert len(re.findall(r"np\.exp\(", source)) == 1
    assert "_softmax(" not in source


def test_cross_entropy_survives_huge_logits():
    z, _, _, loss = cross_entropy("n")
    program = gx.compile((loss, gx.grad(loss, z)))
    value, slope = program([[1000.0, 0, 0, 0], [0.0, 1000, 0, 0]], t=[1, 1])
    assert value == 500.0
    np.testing.assert_array_equal(slope, [[0.5, -0.5, 0, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize("x", [-1000.0, -40.0, -1.0, 0.0, 2.0, 40.0, 1000.0])
@pytest.mark.parametrize("t", [0.0, 0.3, 1.0])
def test_binary_cross_entropy_on_naive_sigmoids(x, t):
    logits, target = gx.input("x", (), dtype="float64"), gx.input("t", (), dtype="float64")
    p = naive_sigmoid(logits)
    loss = -(target * gx.log(p) + (1 - target) * gx.log(1 - p))
    value, slope = gx.compile((loss, gx.grad(loss, logits)))(x, t)
    with mp.workprec(3000):
        true = mp.log1p(mp.exp(mp.mpf(x))) - mp.mpf(t) * x
        true_slope = 1 / (1 + mp.exp(-mp.mpf(x))) - mp.mpf(t)
    np.testing.assert_allclose(value, float(true), rtol=RELATIVE, atol=1e-300)
    # the slope is σ(x) - t: right by absolute error, as σ' = y(1 - y) is
    assert abs(slope - float(true_slope)) <= 4 * np.finfo(float).eps * max(1, abs(float(true_slope)))


# -- mistakes that others make -------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["exact", *LEVELS])
def test_the_gradient_of_a_stretched_operand_has_its_shape(level):
    x, s = gx.input("x", (4, 3), dtype="float64"), gx.input("s", (3,), dtype="float64")
    gradient = gx.grad(gx.sum(x / s), s, level)
    assert gradient.shape == (3,)
    values, scales = np.arange(12.0).reshape(4, 3), np.array([1.0, 2.0, 4.0])
    expected = -values.sum(axis=0) / scales**2
    np.testing.assert_array_equal(gx.compile(gradient, level=level)(values, scales), expected)


@pytest.mark.parametrize("level", ["exact", *LEVELS])
def test_a_product_with_zero_keeps_shape_and_nan(level):
    x = gx.input("x", ("n",), dtype="float64")
    got = gx.compile(x * 0.0, level=level)([1.0, np.nan, -2.0])
    np.testing.assert_array_equal(got, [0.0, np.nan, 0.0])
    with np.errstate(invalid="ignore"):
        assert np.isnan(gx.compile(gx.sum(x) * 0.0, level=level)([np.inf, 1.0]))


@pytest.mark.parametrize("level", ["exact", *LEVELS])
def test_nothing_cancels_on_data_that_may_be_nan(level):
    x = gx.input("x", (2,), dtype="float64")
    with np.errstate(invalid="ignore"):
        difference, ratio = gx.compile([x - x, x / x], level=level)([np.inf, 0.0])
    np.testing.assert_array_equal(difference, [np.nan, 0.0])
    np.testing.assert_array_equal(ratio, [np.nan, np.nan])


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("at", [-1000.0, -745.0, -700.0, -40.0, 0.0, 40.0, 1000.0])
def test_the_derivative_of_x_sigmoid_x(at, level):
    x = gx.input("x", (), dtype="float64")
    swish = x * naive_sigmoid(x)
    slope = gx.compile(gx.grad(swish, x, level), level=level)(at)
    with mp.workprec(3000):
        s = 1 / (1 + mp.exp(-mp.mpf(at)))
        true = s * (1 + at * (1 - s))
    np.testing.assert_allclose(slope, float(true), rtol=RELATIVE, atol=1e-300)


def test_the_slope_of_sigmoid_by_output_is_right_to_an_ulp_of_one():
    x = gx.input("x", (), dtype="float64")
    slope = gx.compile(gx.grad(gx.sigmoid(x), x))(40.0)
    assert abs(slope - 4.248354255291589e-18) <= np.finfo("float64").eps


def test_the_culprit_is_blamed_not_the_product_after_it():
    x = gx.input("x", (3,), dtype="float64")
    loss = gx.sum(gx.sqrt(x * x))
    graph = gx.compile([loss, gx.grad(loss, x, "exact")], level="exact").graph
    place = first_non_finite(graph, {"x": np.array([1.0, 0.0, 2.0])})
    assert place is not None
    assert "sqrt" in place.text
