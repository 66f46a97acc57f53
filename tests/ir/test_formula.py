"""The formula parser: what it folds, in which order, and what it refuses."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphc.errors import ParseError
from graphc.ir.formula import MAX_CHARACTERS, parse_formula


class Shown:
    """The algebra in which a formula is itself, with every parenthesis."""

    def number(self, value: int | float) -> str:
        return repr(value)

    def name(self, name: str) -> str:
        return name

    def operate(self, symbol: str, args: list[Any]) -> str:
        return f"(-{args[0]})" if len(args) == 1 else f"({args[0]} {symbol} {args[1]})"

    def call(self, name: str, args: list[Any]) -> str:
        return f"{name}({', '.join(args)})"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a - b - c", "((a - b) - c)"),
        ("a ** b ** c", "(a ** (b ** c))"),
        ("-a ** 2", "(-(a ** 2))"),
        ("+a", "a"),
        ("a @ b / c // d", "(((a @ b) / c) // d)"),
        ("f(a, g(b), 1)", "f(a, g(b), 1)"),
        ("f()", "f()"),
        ("a + 1 <= b", "((a + 1) <= b)"),
        ("1.5e3 * x", "(1500.0 * x)"),
        ("  x  ", "x"),
    ],
)
def test_folds_in_the_order_of_python(text: str, shown: str) -> None:
    assert parse_formula(text, Shown()) == shown


def test_a_long_sum_needs_no_recursion() -> None:
    assert parse_formula(" + ".join(["x"] * 300), Shown()).count("x") == 300


@pytest.mark.parametrize(
    "bad", ["x" * (MAX_CHARACTERS + 1), "+".join("x" * 900), "(" * 500 + "x" + ")" * 500]
)
def test_refuses_what_is_too_large(bad: str) -> None:
    with pytest.raises(ParseError):
        parse_formula(bad, Shown())


@pytest.mark.parametrize("bad", [3, None, b"x", ["x"]])
def test_refuses_what_is_no_text(bad: Any) -> None:
    with pytest.raises(ParseError):
        parse_formula(bad, Shown())


@given(st.text(max_size=60))
def test_any_text_is_folded_or_refused(text: str) -> None:
    with contextlib.suppress(ParseError):
        assert isinstance(parse_formula(text, Shown()), str)
