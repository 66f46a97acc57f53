"""Choices at run time: held to both branches written out, and only the chosen one is computed."""

import numpy as np
import pytest

import graphc as gx
from graphc.check import check_grad
from graphc.errors import ArgumentError, DTypeError, GraphcError, ShapeError

A = np.array([1.0, 2.0, 3.0])


def choice():
    x, a = gx.input("x", (), "float64"), gx.param("a", (3,), dtype="float64", init="ones")
    y = gx.cond(
        x > 0,
        lambda x: {"s": gx.sqrt(x) * gx.sum(a * a), "k": a * x},
        lambda x: {"s": gx.sum(a) * x, "k": a},
        x,
    )
    return x, a, y


@pytest.mark.parametrize("level", ["exact", "default", "fast"])
@pytest.mark.parametrize("x", [2.0, -2.0])
def test_value_and_gradient_are_those_of_the_branch(x, level):
    leaf, a, y = choice()
    loss = y["s"] + gx.sum(y["k"] * y["k"])
    got = gx.compile([loss, *gx.grad(loss, [leaf, a])], level=level)(x=x, a=A)
    if x > 0:
        want = np.sqrt(x) * 14 + x * x * 14, 7 / np.sqrt(x) + 28 * x, 2 * A * (np.sqrt(x) + x * x)
    else:
        want = 6 * x + 14, 6, x + 2 * A
    for left, right in zip(got, want, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-14)
    assert check_grad(loss, [leaf, a], {"x": x, "a": A}).ok


def test_oracle_text_and_second_order():
    leaf, a, y = choice()
    loss = y["s"] + gx.sum(y["k"] * y["k"])
    graph = gx.graph_of([loss, gx.hessian(loss, a), gx.jvp(y["k"], leaf, 1.0)])
    assert str(gx.parse(str(graph))) == str(graph)
    for x, diagonal, slope in ((4.0, 2 * (2 + 16), A), (-4.0, 2.0, 0 * A)):
        got = gx.compile(graph)(x=x, a=A)
        np.testing.assert_allclose(got[1], diagonal * np.eye(3))
        np.testing.assert_allclose(got[2], slope)
        for left, right in zip(got, gx.interpret(graph, {"x": x, "a": A}), strict=True):
            np.testing.assert_allclose(left, right)


def test_only_the_chosen_branch_is_computed():
    x = gx.input("x", (), "float64")
    y = gx.cond(x > 0, lambda: gx.log(x), lambda: gx.exp(-x))
    lines = gx.compile(y).source.splitlines()
    branch = lines.index(next(line for line in lines if line.strip().startswith("if ")))
    assert all("np.log" not in line and "np.exp" not in line for line in lines[:branch])
    with np.errstate(all="raise"):
        assert float(gx.compile(y)(-1.0)) == pytest.approx(np.e)


def test_what_a_branch_hands_through_is_a_copy():
    x, p = gx.input("x", (2,), "float64"), gx.input("p", (), dtype="bool")
    program = gx.compile(gx.cond(p, lambda x: x, lambda x: -x, x))
    given = np.ones(2)
    program(x=given, p=True)[0] = 5
    assert given[0] == 1


def test_in_a_loop_and_around_one():
    x = gx.input("x", ("n",), "float64")
    s, _ = gx.scan(
        lambda s, v: (gx.cond(v > 0, lambda s: s * gx.sin(v), lambda s: s - v, s), None),
        gx.const(1.0, "float64"),
        x,
    )
    y = gx.cond(s > 0, lambda: gx.scan(lambda c, v: (c + v * s, None), s, x)[0], lambda: s * s)
    for xs in (np.array([0.3, -0.4, 0.9]), np.array([2.0, 1.0, 5.0])):
        assert check_grad(y, x, {"x": xs}).ok


def test_what_a_branch_draws_in_training_is_not_drawn_in_use():
    x = gx.input("x", (3,), "float64")
    y = gx.cond(gx.sum(x) > 0, lambda: gx.nn.dropout(x, 0.5, name="drop"), lambda: x)
    np.testing.assert_array_equal(gx.compile(y)(np.ones(3)), np.ones(3))
    assert set(gx.compile(y, mode="train")(np.ones(3), rng=0)) <= {0.0, 2.0}


def x3():
    return gx.input("x", (3,), "float64")


BAD = {
    "vector": (lambda: gx.cond(x3() > 0, lambda: 1.0, lambda: 2.0), DTypeError, "bool scalar"),
    "float": (lambda: gx.cond(gx.sum(x3()), lambda: 1.0, lambda: 2.0), DTypeError, "bool scalar"),
    "types": (
        lambda: gx.cond(gx.sum(x3()) > 0, lambda x: x, lambda x: gx.sum(x), x3()),
        ShapeError,
        "the same types",
    ),
    "structure": (
        lambda: gx.cond(gx.sum(x3()) > 0, lambda x: (x, x), lambda x: x, x3()),
        ArgumentError,
        "the same structure",
    ),
    "text": (lambda: gx.cond(gx.sum(x3()) > 0, lambda: "a", lambda: "b"), ArgumentError, "neither a node"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_refused(case):
    make, kind, words = BAD[case]
    with pytest.raises(kind, match=words):
        make()


@pytest.mark.parametrize(
    "change", [("result=0", "result=3"), ("then=[%_log]", "then=[]"), ('["x"]', '["x", "y"]')]
)
def test_texts_that_describe_no_choice_are_refused(change):
    x = gx.input("x", (), "float64")
    text = str(gx.graph_of(gx.cond(x > 0, lambda x: gx.log(x), lambda x: -x, x)))
    assert change[0] in text
    with pytest.raises(GraphcError):
        gx.parse(text.replace(*change))
