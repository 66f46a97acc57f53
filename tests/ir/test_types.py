"""Types: promotion, broadcasting, and what is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import graphc as gx
from graphc.errors import DTypeError, ShapeError
from graphc.ir.types import DTYPES, Type, as_dtype, as_shape, broadcast, promote


@pytest.mark.parametrize(
    ("given_", "name"),
    [
        (np.float64, "float64"),
        (float, "float32"),
        (int, "int64"),
        (bool, "bool"),
        (np.dtype("int32"), "int32"),
        ("int64", "int64"),
    ],
)
def test_dtypes_by_any_name(given_: object, name: str) -> None:
    assert as_dtype(given_) == name


@pytest.mark.parametrize("bad", ["float16", "complex64", np.uint8, "object", 3])
def test_other_dtypes_are_refused(bad: object) -> None:
    with pytest.raises(DTypeError, match="graphc does not compute with this dtype"):
        as_dtype(bad)


def test_promotion_is_a_lattice() -> None:
    for a, b, c in itertools.product(DTYPES, repeat=3):
        assert promote([a, b]) == promote([b, a])
        assert promote([promote([a, b]), c]) == promote([a, promote([b, c])])
    assert promote(["int64", "float32"]) == "float32"
    assert promote(["float32", "float64"]) == "float64"
    assert promote(["bool", "int32"]) == "int32"


@pytest.mark.parametrize(("number", "dtype"), [(2, "float32"), (0.1, "float32"), (True, "float32")])
def test_python_numbers_never_widen(number: object, dtype: str) -> None:
    assert (gx.input("x", (3,)) * number).dtype == dtype
    assert (gx.input("x", (3,), dtype="float64") * number).dtype == "float64"


def test_a_python_float_makes_integers_float32() -> None:
    assert (gx.input("i", (3,), dtype="int64") * 0.5).dtype == "float32"
    assert (gx.input("i", (3,), dtype="int64") * 2).dtype == "int64"


dims = st.lists(st.sampled_from([1, 2, 3]), max_size=3).map(tuple)


@given(dims, dims)
def test_broadcasting_is_numpy_or_a_refusal(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    try:
        ours = broadcast([a, b])
    except ShapeError:
        ours = None
    try:
        theirs = np.broadcast_shapes(a, b)
    except ValueError:
        theirs = None
    both_stretched = (
        theirs is not None and len(a) != len(b) and theirs not in (_padded(a, theirs), _padded(b, theirs))
    )
    assert ours == (None if both_stretched and a and b else theirs)


def _padded(shape: tuple[int, ...], wide: tuple[int, ...]) -> tuple[int, ...]:
    return (1,) * (len(wide) - len(shape)) + shape


def test_a_name_never_broadcasts() -> None:
    with pytest.raises(ShapeError, match="size n meets size m"):
        broadcast([as_shape(("n",)), as_shape(("m",))])
    with pytest.raises(ShapeError, match="size n meets size 3"):
        broadcast([as_shape(("n",)), (3,)])
    assert broadcast([as_shape(("n", 1)), as_shape((1, "n"))]) == as_shape(("n", "n"))


def test_stretching_both_operands_of_different_rank_is_refused() -> None:
    with pytest.raises(ShapeError, match="would both be stretched") as error:
        gx.input("a", ("n", 1)) - gx.input("b", ("n",))
    assert "expand_dims" in str(error.value)


def test_text_of_a_type() -> None:
    assert str(Type("float32", as_shape(("batch", 64)))) == "float32[batch, 64]"
    assert str(Type("bool", ())) == "bool[]"


@pytest.mark.parametrize("bad", [3.5, {"n"}, None])
def test_what_is_no_shape(bad: object) -> None:
    with pytest.raises(ShapeError):
        as_shape(bad)
