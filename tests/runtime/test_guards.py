"""The first non-finite value is named, not the one after it."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc.ir.graph import graph_of
from graphc.runtime.guards import first_non_finite


def blamed(outputs, **values):
    place = first_non_finite(graph_of(outputs), values)
    assert place is not None
    assert place.where is not None
    assert "test_guards.py" in place.where
    return place


@pytest.mark.parametrize("compiled", [False, True])
def test_square_root_at_zero_is_blamed_not_the_product_after_it(compiled):
    x = gx.input("x", (3,), dtype="float64")
    h = x * x
    loss = gx.sum(gx.sqrt(h))
    outputs = [loss, gx.grad(loss, x, level="exact")]
    graph = gx.compile(outputs, level="exact").graph if compiled else graph_of(outputs)
    place = first_non_finite(graph, {"x": np.array([2.0, 0.0, 1.0])})
    assert place is not None
    said = "the derivative of sqrt(h), 1/(2*sqrt(h)), where 1 of 3 values are not finite, at [1] with h = 0"
    assert place.text == said
    assert place.where is not None
    assert place.where.endswith("loss = gx.sum(gx.sqrt(h))")


def test_finite_values_blame_nobody():
    x = gx.input("x", (3,))
    assert first_non_finite(graph_of(gx.exp(x)), {"x": np.zeros(3)}) is None


def test_what_is_infinite_on_the_way_to_a_finite_result_is_not_to_blame():
    x = gx.input("x", (2,), dtype="float64")
    safe = gx.where(x > 0, gx.log(x), 0.0) + 1 / (1 + gx.exp(x))
    values = np.array([0.0, 1000.0])
    assert first_non_finite(graph_of(safe), {"x": values}) is None
    place = blamed(gx.sum(safe) * gx.sum(gx.sqrt(-x).named("bad")), x=values)
    assert place.text.startswith("bad = sqrt(negative(x))")


def test_an_infinity_that_the_user_wrote_is_not_to_blame():
    x = gx.input("x", (2, 2), dtype="float64")
    masked = gx.where(x > 0, x, -np.inf)
    least = gx.max(masked, axis=1, keepdims=True)
    place = blamed(gx.sum((masked - least).named("shifted")), x=np.array([[1.0, 2.0], [-1.0, -2.0]]))
    assert place.text.startswith("shifted = subtract(masked, least), where 2 of 4 values are not finite")
    assert place.text.endswith("at [1, 0] with masked = -inf and least = -inf")


FAULTS = {
    "log of zero": (
        lambda x: gx.sum(gx.log(x).named("bad") * 2),
        [1.0, 0.0],
        "bad = log(x)",
        "[1] with x = 0",
    ),
    "zero by zero": (lambda x: gx.tanh((x / x).named("bad")), [0.0, 1.0], "bad = divide(x, x)", "x = 0"),
    "division by zero": (lambda x: gx.sum((1 / x).named("bad")), [0.0, 1.0], "bad = divide(1, x)", "x = 0"),
    "overflow of exp": (lambda x: gx.exp(x).named("bad") - 1, [1e4, 1.0], "bad = exp(x)", "x = 1e+04"),
    "overflow of a sum": (lambda x: gx.sum(x).named("bad"), [3e38, 3e38], "bad = sum(x)", "x from 3e+38 to"),
    "root of a negative": (lambda x: gx.sum(gx.sqrt(x).named("bad")), [-1.0, 1.0], "bad = sqrt(x)", "x = -1"),
    "power of zero": (lambda x: gx.sum((x**-2.0).named("bad")), [0.0, 2.0], "bad = power(x, -2)", "x = 0"),
    "division by a zero deviation": (
        lambda x: gx.tanh(((x - gx.mean(x)) / gx.std(x).named("s")).named("bad")),
        [3.0, 3.0],
        "bad = divide(subtract(x, mean), s)",
        "subtract(x, mean) = 0 and s = 0",
    ),
    "infinite argument": (lambda x: gx.tanh(x) + x * 2, [np.inf, 0.0], "x, where 1 of 2", "not finite"),
    "the derivative of a root in a branch that is not taken": (
        lambda x: gx.grad(gx.sum(gx.where(x > 0, gx.sqrt(x), 0.0)), x, "exact"),
        [0.0, 1.0],
        "the derivative of sqrt(x), 1/(2*sqrt(x)), where",
        "x = 0",
    ),
    "the derivative of a root, in a layer": (
        lambda x: rooted(x),
        [0.0, 1.0],
        "in layer distance",
        "1/(2*sqrt(distance.h))",
    ),
}


def rooted(x):
    with gx.scope("distance"):
        h = gx.square(x)
        return gx.grad(gx.sum(gx.sqrt(h)), x, "exact")


@pytest.mark.parametrize("what", FAULTS)
def test_planted_faults_are_named(what):
    build, data, head, numbers = FAULTS[what]
    x = gx.input("x", (2,))
    place = blamed(build(x), x=np.array(data))
    assert head in place.text
    assert numbers in place.text


def test_the_step_of_a_loop_is_named():
    x = gx.input("x", (6,), dtype="float64")

    def step(c, x):
        grown = c * 1e100
        return grown, gx.log(x) + 1

    last, logs = gx.scan(step, gx.const(1.0, dtype="float64"), x)
    place = blamed(gx.sum(logs), x=np.array([1.0, 1.0, 0.0, 1.0, 1.0, 1.0]))
    assert place.text.startswith("log(x) in step 3 of the loop scan")
    assert place.text.endswith("with x = 0")
    place = blamed(last, x=np.ones(6))
    assert place.text.startswith("grown = multiply(c, 1e+100) in step 4 of the loop scan")
    assert place.where.endswith("grown = c * 1e100")


def test_the_gradient_of_a_loop_is_named_by_its_step():
    x = gx.input("x", (4,), dtype="float64")

    def step(total, x):
        return total + gx.sqrt(x), None

    total, _ = gx.scan(step, gx.const(0.0, dtype="float64"), x)
    place = blamed([total, gx.grad(total, x)], x=np.array([1.0, 0.0, 1.0, 1.0]))
    assert "step 3 of the loop" in place.text  # the gradient runs from the last step to the first
    assert place.text.startswith("the derivative of sqrt(x) in step 3 of the loop")
