"""Derivatives of every kind agree with each other, with differences, and with the matrices they are products of."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc.ir.graph import graph_of
from graphc.ir.node import Node
from graphc.runtime.interpret import interpret_nodes

RNG = np.random.default_rng(0)


def vector(name="x", n=4):
    return gx.input(name, (n,), dtype="float64")


W = RNG.normal(size=(4, 3))
FUNCTIONS = {
    "pointwise": lambda x: gx.tanh(x) * gx.exp(-gx.square(x)) / (1 + gx.sigmoid(x)),
    "product": lambda x: gx.gelu(x @ gx.const(W)),
    "softmax": lambda x: gx.softmax(x) * x,
    "log softmax": lambda x: gx.log_softmax(2 * x),
    "sum of exponentials": lambda x: gx.expand_dims(gx.logsumexp(x), 0),
    "largest": lambda x: gx.expand_dims(gx.max(x) * gx.min(x), 0),
    "slices": lambda x: gx.concat([x[1:], x[:2] * x[0], gx.reshape(x, (2, 2)).T.reshape(4)]),
    "look-up": lambda x: gx.take(gx.sin(x), gx.const(np.array([3, 0, 3]))),
    "statistics": lambda x: (x - gx.mean(x)) / gx.sqrt(gx.var(x) + 1e-3),
    "choice": lambda x: gx.where(x > 0, gx.square(x), gx.sin(x)) + gx.maximum(x, 0.5),
    "outer": lambda x: gx.expand_dims(x, 1) * gx.expand_dims(gx.cos(x), 0),
    "composite": lambda x: gx.composite("hat", lambda u: gx.tanh(u) * u)(x),
}
POINT = np.array([0.3, -1.2, 0.7, 1.9])


def differences(function, point, h=1e-6):
    """The Jacobian by central differences, of a NumPy function."""
    columns = []
    for i in range(point.size):
        step = np.zeros_like(point)
        step[i] = h
        columns.append((function(point + step) - function(point - step)) / (2 * h))
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_products_and_matrices_agree(name):
    x = vector()
    y = FUNCTIONS[name](x)
    function = gx.compile(y)
    expected = differences(function, POINT)
    v, u = RNG.normal(size=4), RNG.normal(size=y.shape)
    out = gx.compile({"J": gx.jacobian(y, x), "jvp": gx.jvp(y, x, v), "vjp": gx.vjp(y, x, u)})(POINT)
    assert out["J"].shape == (*y.shape, 4)
    np.testing.assert_allclose(out["J"], expected, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(out["jvp"], out["J"] @ v, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(out["vjp"], np.tensordot(u, out["J"], u.ndim), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_second_derivatives_are_symmetric_and_right(name):
    x = vector()
    f = gx.sum(FUNCTIONS[name](x))
    v = RNG.normal(size=4)
    program = gx.compile({"H": gx.hessian(f, x), "hvp": gx.hvp(f, x, v)})
    out = program(*[POINT] * len(program.graph.arguments))  # a constant Hessian needs none
    expected = differences(gx.compile(gx.grad(f, x)), POINT)
    np.testing.assert_allclose(out["H"], expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(out["H"], out["H"].T, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(out["hvp"], out["H"] @ v, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
    "name", ["pointwise", "product", "softmax", "sum of exponentials", "statistics", "composite"]
)
def test_third_derivatives(name):
    x = vector()
    f = gx.sum(FUNCTIONS[name](x))
    v = RNG.normal(size=4)
    second = gx.sum(gx.hvp(f, x, v) * v)
    third = gx.compile(gx.grad(second, x))(POINT)
    np.testing.assert_allclose(third, differences(gx.compile(second), POINT), rtol=1e-5, atol=1e-6)


def test_a_wrong_partial_would_be_seen(monkeypatch):
    """The sweep bites: forward and reverse mode share partials, differences do not."""
    from graphc.symbolic.partials_table import PARTIALS

    monkeypatch.setitem(PARTIALS, "sin", ("1.01*cos(x)",))
    with pytest.raises(AssertionError):
        test_products_and_matrices_agree("look-up")


def test_structures_go_through():
    a, b = vector("a"), vector("b")
    y = {"p": a * b, "s": gx.sum(a) + gx.sum(b)}
    tangent = gx.jvp(y, (a, b), (np.ones(4), np.zeros(4)))
    out = gx.compile(tangent)(POINT, 2 * POINT)
    np.testing.assert_allclose(out["p"], 2 * POINT)
    assert out["s"] == 4
    by_name = gx.hvp(gx.sum(a * a * b), {"a": a, "b": b}, {"a": np.ones(4), "b": np.zeros(4)})
    out = gx.compile(by_name)(POINT, 2 * POINT)
    np.testing.assert_allclose(out["a"], 4 * POINT)
    np.testing.assert_allclose(out["b"], 2 * POINT)


def test_gauss_newton_is_the_hessian_where_the_model_is_linear():
    w, data, t = vector("w"), RNG.normal(size=(6, 4)), RNG.normal(size=6)
    y = gx.const(data) @ w
    loss = gx.sum(gx.square(y - gx.const(t)))
    v = RNG.normal(size=4)
    products = gx.compile([gx.gauss_newton(loss, y, w, v), gx.hvp(loss, w, v)])
    for product in products():  # the Hessian of a quadratic is constant
        np.testing.assert_allclose(product, 2 * data.T @ data @ v, rtol=1e-12)


def test_gauss_newton_is_positive_where_the_hessian_is_not():
    w = vector("w")
    y = gx.sin(3 * w)
    loss = gx.sum(gx.square(y))
    v = RNG.normal(size=4)
    product = gx.compile(gx.gauss_newton(loss, y, w, v))(POINT)
    assert v @ product > 0


def test_forward_mode_by_an_inner_node():
    x = vector()
    h = gx.sin(x)
    assert np.allclose(gx.compile(gx.jvp(gx.square(h), h, np.ones(4)))(POINT), 2 * np.sin(POINT))


def test_no_path_is_a_zero_that_says_so():
    x, z = vector(), vector("z")
    tangent = gx.jvp(gx.sin(x), z, np.ones(4))
    assert [type(e).__name__ for e in tangent.about.events] == ["StructuralZero"]
    assert not gx.compile(tangent)().any()


def test_forward_mode_leaves_events():
    x = vector()
    assert any(type(e).__name__ == "PushForward" for e in gx.jvp(gx.sin(x), x, np.ones(4)).about.events)


def test_jvp_through_a_choice_by_mode():
    x = vector()
    tangent = gx.jvp(gx.by_mode(train=2 * x, eval=gx.square(x)), x, np.ones(4))
    assert np.allclose(gx.compile(tangent, mode="train")(POINT), 2)
    assert np.allclose(gx.compile(tangent)(POINT), 2 * POINT)


def test_a_declared_gradient_rules_both_modes():
    """A straight-through rounding: forward mode is the transpose of what reverse mode was told."""
    x = vector()
    through = gx.composite(
        "through", lambda u: gx.where(u > 0, 1.0, 0.0) * (u * 0 + 1), gradient=lambda g, u: g
    )
    out = gx.compile([gx.jvp(through(x), x, np.ones(4)), gx.grad(gx.sum(through(x)), x)])(POINT)
    assert out[0].tolist() == out[1].tolist() == [1, 1, 1, 1]


def test_a_gradient_that_is_not_linear_has_no_forward_mode():
    x = vector()
    clipped = gx.composite("clipped", lambda u: u * u, gradient=lambda g, u: gx.clip(g * u, -1.0, 1.0))
    with pytest.raises(gx.GraphcError, match="not linear in the cotangent"):
        gx.jvp(clipped(x), x, np.ones(4))


def test_stability_holds_in_forward_mode():
    x = vector()
    y = gx.log(1 + gx.exp(x))
    assert gx.compile(gx.jvp(y, x, np.ones(4)))(1000 * np.ones(4)).tolist() == [1, 1, 1, 1]


BAD = {
    "named sizes": lambda x, n: gx.jacobian(n, n),
    "too large": lambda x, n: gx.jacobian(
        gx.zeros((3000,), "float64") + gx.sum(x), gx.input("w", (3000,), "float64")
    ),
    "wrong direction": lambda x, n: gx.jvp(x, x, np.ones(3)),
    "too few directions": lambda x, n: gx.jvp(x, [x, n], [np.ones(4)]),
    "integers": lambda x, n: gx.jvp(x, gx.input("i", (), "int64"), 1),
    "no node": lambda x, n: gx.hvp(3.0, x, np.ones(4)),
    "no scalar": lambda x, n: gx.hessian(x, x),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_requests_are_refused(what):
    with pytest.raises(gx.GraphcError):
        BAD[what](vector(), gx.input("n", ("n",), dtype="float64"))


def test_forward_mode_computes_forward():
    """What is left after simplification is the forward sweep: no stand-in, no reverse pass of its own."""
    x, v = vector(), vector("v")
    tangent = gx.jvp(gx.tanh(x @ gx.const(W)), x, v)
    source = gx.compile(tangent).source
    assert source.count(" @ ") == 2
    assert isinstance(tangent, Node)
    assert interpret_nodes(graph_of(tangent), [POINT, POINT])
