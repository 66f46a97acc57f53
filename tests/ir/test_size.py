"""Sizes: equal means the same canonical form, and text stays small."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphc.errors import GraphcError, ParseError, ShapeError
from graphc.ir.size import Size, evaluate, floor_divide, names_of, product, size

EQUAL = [
    ("n + n", "2*n"),
    ("(n + 1)*n", "n**2 + n"),
    ("n*m", "m*n"),
    ("(n + m)**2", "n**2 + 2*m*n + m**2"),
    ("n*m//m", "n"),
    ("(4*n + 2)//2", "2*n + 1"),
    ("(n + 1)//(n + 1)", "1"),
    ("n - n + 3", "3"),
    ("2*(n//2)", "(n//2)*2"),
    ("n//2 - n//2", "0"),
]


@pytest.mark.parametrize(("a", "b"), EQUAL)
def test_equal_sizes_are_the_same(a: str, b: str) -> None:
    assert size(a) == size(b)
    assert hash(size(a)) == hash(size(b))
    assert str(size(a)) == str(size(b))


@pytest.mark.parametrize(("a", "b"), [("n//2*2", "n"), ("n//2", "m//2"), ("(n + 1)//2", "n//2"), ("n", "m")])
def test_different_sizes_differ(a: str, b: str) -> None:
    assert size(a) != size(b)


expressions = st.recursive(
    st.sampled_from(["n", "m", "1", "2", "3"]),
    lambda inner: st.builds(
        lambda a, op, b: f"({a} {op} {b})", inner, st.sampled_from(["+", "-", "*", "//"]), inner
    ),
    max_leaves=7,
)


@given(expressions, st.integers(1, 6), st.integers(1, 6))
def test_canonical_form_keeps_the_value(text: str, n: int, m: int) -> None:
    try:
        dim = size(text)
        expected = eval(text, {"n": n, "m": m})
    except (ShapeError, ZeroDivisionError):  # a negative int, or a division by zero
        return
    try:
        value = evaluate(dim, {"n": n, "m": m})
    except ZeroDivisionError:
        return
    assert value == expected


@given(expressions)
def test_canonical_text_reads_back(text: str) -> None:
    try:
        dim = size(text)
    except GraphcError:
        return
    assert size(str(dim)) == dim


def test_an_expression_without_names_is_an_int() -> None:
    assert size("2*3 + 4") == 10
    assert type(size("2*3")) is int
    assert isinstance(size("n*0 + n"), Size)


@pytest.mark.parametrize("bad", [-1, True, 1.5, None, ["n"]])
def test_what_is_no_size(bad: object) -> None:
    with pytest.raises(ShapeError):
        size(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bad", ["lambda", "np", "rng", "_n", "n.m", "f(n)", "n/2", "1.5*n", "größe", "", "n if m else n"]
)
def test_text_that_is_no_size(bad: str) -> None:
    with pytest.raises(GraphcError):
        size(bad)


@pytest.mark.parametrize(
    "bad",
    [
        "(((9**16)**16)**16)**16",
        "((n**16)**16)**16",
        "(a + b + c + d + e)**16",
        "(a + b + c + d)**4 * (e + f + g + h)**4",
        "n" + "//2//n" * 300,
        "9" * 100,
        "-" * 3000 + "n",
        "(" * 300 + "n" + ")" * 300,
    ],
)
def test_text_cannot_make_a_huge_size(bad: str) -> None:
    with pytest.raises(ParseError):
        size(bad)


def test_division_by_zero_is_refused() -> None:
    with pytest.raises(ShapeError, match="divided by zero"):
        size("n//0")
    with pytest.raises(ShapeError, match="divided by zero"):
        floor_divide(4, 0)


def test_products_and_names() -> None:
    assert product((2, size("n"), 3)) == size("6*n")
    assert product(()) == 1
    assert list(names_of(size("m*(n//k) + 1"))) == ["m", "n", "k"]


def test_no_size_is_called_what_the_generated_code_calls_its_own():
    from graphc.codegen import names

    for word in names.RESERVED | names._VARIABLES | names._CALLED:
        if word.islower() and word not in ("math", "base64", "hashlib", "make_rng"):
            with pytest.raises(ShapeError, match="the name of a size"):
                size(word)
