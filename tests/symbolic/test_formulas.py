"""One formula parser: three algebras read the same text, and hostile text runs nothing."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc.errors import ParseError
from graphc.ir.formula import MAX_CHARACTERS, parse_formula
from graphc.ir.size import SIZES
from graphc.symbolic.derive import formula_expression, formula_text
from graphc.symbolic.formulas import formula_names, formula_nodes

HOSTILE = [
    "__import__('os').system('true')",
    "x.__class__",
    "x[0]",
    "lambda: 1",
    "[x for x in (1, 2)]",
    "(y := 3)",
    "x if x else 1",
    "x and y",
    "not x",
    "f'{x}'",
    "'text'",
    "b'bytes'",
    "1j",
    "True",
    "None",
    "...",
    "x; y",
    "x = 1",
    "import os",
    "exec('1')",
    "eval('1')",
    "open('x')",
    "sqrt(x, key=1)",
    "sqrt(*x)",
    "sqrt(**x)",
    "(lambda y: y)(x)",
    "sqrt(x)(x)",
    "1 < x < 2",
    "x @",
    "",
    " ",
    "x\x00",
    "x is y",
    "{x}",
    "{x: 1}",
    "await x",
    "yield",
    "x % 2",
    "x << 2",
    "~x",
    "unknown_name",
    "unknown_call(x)",
    "sqrt()",
    "sqrt(x, x)",
    "1/0",
    "2**99999999999",
    "9**9**9**9",
    "1e999",
    "x +" + " x +" * 2000 + " x",
    "(" * 500 + "x" + ")" * 500,
    "-" * 3000 + "x",
    "x" * (MAX_CHARACTERS + 1),
    "+".join(["x"] * 900),
    "log(-1)",
    "sqrt(-1)",
]


@pytest.mark.parametrize("text", HOSTILE, ids=[f"{i}-{t[:20]!r}" for i, t in enumerate(HOSTILE)])
def test_hostile_text_is_refused_as_nodes(text):
    x = gx.input("x", (2,))
    with pytest.raises(ParseError):
        formula_nodes(text, {"x": x, "y": x})


# what is no number of the reals is refused where numbers are computed; SymPy keeps it exact instead
SYMBOLIC_TOO = [t for t in HOSTILE if t not in ("log(-1)", "sqrt(-1)")]


@pytest.mark.parametrize("text", SYMBOLIC_TOO, ids=[f"{i}-{t[:20]!r}" for i, t in enumerate(SYMBOLIC_TOO)])
def test_hostile_text_is_refused_as_symbols(text):
    with pytest.raises(ParseError):
        formula_expression(text, ("x", "y"))


@pytest.mark.parametrize(
    "text", ["n / 2", "n**17", "n**n", "1.5*n", "sqrt(n)", "n < 2", "n @ n", "n.real", "__class__"]
)
def test_hostile_sizes_are_refused(text):
    with pytest.raises((ParseError, gx.GraphcError)):
        parse_formula(text, SIZES)


def test_text_that_is_no_text_is_refused():
    for thing in (None, 3, b"x", ["x"]):
        with pytest.raises(ParseError):
            parse_formula(thing, SIZES)


TEXTS = [
    "x*tanh(log(1 + exp(x)))",
    "where(x > 0.5, x**2, -x)",
    "sqrt(x)/(1 + abs(y))",
    "x**y - pi*E",
    "maximum(x, y)",
]


@pytest.mark.parametrize("text", TEXTS)
def test_nodes_and_symbols_read_the_same_formula(text):
    import sympy

    x, y = (gx.input(n, (), dtype="float64") for n in "xy")
    names = formula_names(text)
    point = {"x": 0.7, "y": 1.3}
    as_nodes = gx.compile(formula_nodes(text, {"x": x, "y": y}, "float64"))(**{n: point[n] for n in names})
    functions = {"where": lambda c, a, b: a if c else b, "greater": lambda a, b: a > b, "absolute": abs}
    functions["greater_equal"] = lambda a, b: a >= b
    symbols = sympy.lambdify(names, formula_expression(text, names), modules=[functions, "math"])
    assert as_nodes == pytest.approx(symbols(*(point[n] for n in names)), rel=1e-14)


@pytest.mark.parametrize("text", TEXTS)
def test_printed_formulas_are_read_back(text):
    names = formula_names(text)
    expression = formula_expression(text, names)
    assert formula_expression(formula_text(expression), names) == expression


def test_names_come_in_order_of_first_use():
    assert formula_names("b*x + a*b + pi") == ("b", "x", "a")


def test_numbers_take_the_dtype_of_what_they_meet():
    x = gx.input("x", (3,), dtype="float32")
    node = formula_nodes("where(x > 0, 1, 0) * x + 0.1", {"x": x}, "float32")
    assert node.dtype == "float32"
    assert gx.compile(node)(np.ones(3, np.float32)).dtype == np.float32
