"""Cards from formulas: what is taken and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

import graphc as gx
from graphc.errors import ArgumentError, GraphcError, ParseError
from graphc.symbolic.scalar import formula_of, scalar_card


def test_the_same_definition_is_the_same_card() -> None:
    a = scalar_card("swish", "x * sigmoid(beta * x)", ["x"], {"beta": 1})
    assert a is scalar_card("swish", "x * sigmoid(beta * x)", ("x",), {"beta": 1.0})
    assert a is not scalar_card("swish", "x * sigmoid(beta * x)", ("x",), {"beta": 2.0})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_value_and_derivative(dtype: str) -> None:
    card = scalar_card("hump", "a * x * exp(-x**2) + y", ["x", "y"], {"a": 2.0})
    x, y = gx.input("x", (3,), dtype=dtype), gx.input("y", (), dtype=dtype)
    out = card(x, y, a=3.0)
    assert (out.dtype, out.shape) == (dtype, (3,))
    f = gx.compile([out, *gx.grad(gx.sum(out), [x, y])])
    at = np.array([-1.0, 0.0, 2.0])
    value, dx, dy = f(at, np.float64(0.5))
    np.testing.assert_allclose(value, 3 * at * np.exp(-(at**2)) + 0.5, rtol=1e-6)
    np.testing.assert_allclose(dx, 3 * (1 - 2 * at**2) * np.exp(-(at**2)), rtol=1e-5)
    assert dy == 3


@pytest.mark.parametrize(
    ("name", "operands", "attrs"),
    [
        ("tanh", ["x"], {}),
        ("1x", ["x"], {}),
        ("a b", ["x"], {}),
        ("f\nimport os", ["x"], {}),
        ("lambda", ["x"], {}),
        ("f", [], {}),
        ("f", ["x", "x"], {}),
        ("f", ["x"], {"x": 1.0}),
        ("f", ["out"], {}),
        ("f", ["pi"], {}),
        ("f", ["x"], {"self": 1.0}),
        ("größe", ["x"], {}),
    ],
    ids=str,
)
def test_names_that_are_refused(name: str, operands: list[str], attrs: dict[str, float]) -> None:
    with pytest.raises(ArgumentError):
        scalar_card(name, "x", operands, attrs)


@pytest.mark.parametrize(
    "formula",
    [
        "x +",
        "y",
        "1 + 2",
        "x > 0",
        "sqrt(-1) * x",
        "x * exp(1, 2)",
        "x * 9**9**9**9",
        "x * (-8)**(1/3)",
        "x + 1/0",
        "__import__('os')",
        "x.real",
        "where(1, x, 0)",
        "x * log(0)",
        "besselj(x)",
        "x" * 5000,
    ],
)
def test_formulas_that_are_refused(formula: str) -> None:
    with pytest.raises(ParseError):
        scalar_card("f", formula, ["x"])


def test_what_a_formula_may_be() -> None:
    x = sympy.Symbol("x")
    assert formula_of("x*x") == "x*x"
    assert formula_of(sympy.tanh(x) ** 2) == "tanh(x)**2"
    assert formula_of(lambda x, beta: x * beta) == "beta*x"
    for bad in (3, None, lambda x: "x"):
        with pytest.raises(GraphcError):
            formula_of(bad)


def test_an_own_function_goes_through_text() -> None:
    mish: Any = gx.scalar_function("my_mish", "x*tanh(log(1+exp(x)))")
    graph = gx.graph_of(mish(gx.input("x", ("n",))))
    assert gx.parse(str(graph)).outputs[0].op is mish


@pytest.mark.parametrize(
    "word", ["k", "axis", "shape", "dtype", "name", "formula", "default", "init", "body"]
)
def test_a_constant_may_be_called_what_other_cards_call_an_attribute(word):
    x = gx.input("x", ("n",))
    graph = gx.graph_of(gx.scalar_function("scaled", f"x * {word}", **{word: 2.5})(x))
    again = gx.parse(str(graph))
    assert str(again) == str(graph)
    assert gx.compile(gx.retype(again, "float64"))(np.ones(2)).tolist() == [2.5, 2.5]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_constant_is_finite(value):
    with pytest.raises(ArgumentError, match="the constant a of f"):
        gx.scalar_function("f", "x * a", a=value)
