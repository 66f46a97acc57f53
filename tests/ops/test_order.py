"""Products with zeros, ties, lengths of nothing: where the general formulas would divide by zero."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc.errors import ArgumentError, DTypeError, ParseError, ShapeError

ZEROS = {"none": [2.0, -3.0, 5.0, 0.5], "one": [2.0, 0.0, 5.0, 0.5], "two": [2.0, 0.0, 5.0, 0.0]}
LENGTHS = {
    "norm": gx.norm,
    "std": gx.std,
    "cubes": lambda x: gx.vector_norm(x, ord=3),
    "powers": lambda x: gx.vector_norm(x, ord=1.5),
}


def slopes(values, *leave_out):
    """The product of all entries but some, by definition."""
    return np.prod(np.delete(values, leave_out))


@pytest.mark.parametrize("zeros", ZEROS)
def test_the_slope_of_a_product_is_the_product_of_the_others(zeros):
    values = np.array(ZEROS[zeros])
    x = gx.input("x", (4,), dtype="float64")
    first = gx.grad(gx.prod(x), x)
    np.testing.assert_array_equal(gx.compile(first)(values), [slopes(values, i) for i in range(4)])
    for i in range(4):
        want = [slopes(values, i, j) if i != j else 0 for j in range(4)]
        np.testing.assert_array_equal(gx.compile(gx.grad(first[i], x))(values), want)


def test_a_product_over_several_axes_with_a_zero():
    x = gx.input("x", ("n", 3, 2), dtype="float64")
    values = np.random.default_rng(0).normal(size=(4, 3, 2))
    values[1, 1, 0] = 0
    got = gx.compile(gx.grad(gx.sum(gx.prod(x, axis=(0, 2))), x))(values)
    for i, j, k in np.ndindex(values.shape):
        others = np.delete(values[:, j, :].ravel(), 2 * i + k)
        assert got[i, j, k] == pytest.approx(np.prod(others), rel=1e-14, abs=0)


@pytest.mark.parametrize("zeros", ZEROS)
def test_running_products_with_zeros(zeros):
    values, weights = np.array(ZEROS[zeros]), np.array([1.0, -2.0, 3.0, 0.7])
    x = gx.input("x", (4,), dtype="float64")
    got = gx.compile(gx.grad(gx.sum(gx.cumprod(x) * weights), x))(values)
    want = [sum(weights[j] * slopes(values[: j + 1], i) for j in range(i, 4)) for i in range(4)]
    np.testing.assert_allclose(got, want, rtol=1e-14)


def test_equal_entries_keep_their_order():
    x = gx.input("x", (6,), dtype="float64")
    values = np.array([2.0, 1.0, 2.0, 1.0, 3.0, 2.0])
    up, down = gx.compile([gx.argsort(x), gx.argsort(x, descending=True)])(values)
    assert up.tolist() == [1, 3, 0, 2, 5, 4]
    assert down.tolist() == [4, 0, 2, 5, 1, 3]
    weights = np.arange(6.0)
    slope = gx.compile(gx.grad(gx.sum(gx.sort(x) * weights), x))(values)
    assert slope.tolist() == [2, 0, 3, 1, 5, 4]


def test_the_median_of_an_even_number_of_entries_has_two_slopes():
    x = gx.input("x", ("n",), dtype="float64")
    program = gx.compile([gx.median(x), gx.grad(gx.median(x), x)])
    assert "np.median(x, axis=0)" in program.source
    value, slope = program(np.array([4.0, 1.0, 3.0, 2.0]))
    assert (value, slope.tolist()) == (2.5, [0, 0, 0.5, 0.5])
    assert program(np.array([4.0, 1.0, 3.0]))[1].tolist() == [0, 0, 1]


@pytest.mark.parametrize("q", [0.0, 0.3, 0.5, 0.99, 1])
def test_a_quantile_is_its_weights_times_the_entries(q):
    x = gx.input("x", ("n",), dtype="float64")
    y = gx.quantile(x, q)
    values = np.random.default_rng(1).normal(size=7)
    value, slope = gx.compile([y, gx.grad(y, x)])(values)
    assert value == pytest.approx(np.quantile(values, q), rel=1e-14)
    assert slope @ values == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize("level", ["exact", "default", "fast"])
@pytest.mark.parametrize("name", LENGTHS)
def test_the_slope_of_a_length_is_0_at_0(name, level):
    x = gx.input("x", (3,), dtype="float64")
    slope = gx.compile(gx.grad(LENGTHS[name](x), x, level), level=level)(np.zeros(3))
    np.testing.assert_array_equal(slope, np.zeros(3))


def test_what_is_no_norm_is_refused():
    x = gx.input("x", (3, 3))
    for bad in (np.nan, True, "nuc"):
        with pytest.raises(ArgumentError):
            gx.vector_norm(x, ord=bad)
    for bad in (3, 0, True, "sum"):
        with pytest.raises(ArgumentError, match="no such norm of matrices"):
            gx.matrix_norm(x, ord=bad)
    with pytest.raises(ArgumentError, match="3 axes"):
        gx.norm(gx.input("y", (2, 3, 4)), 1)
    assert gx.norm(x, "fro") is gx.norm(x)
    with pytest.raises(ArgumentError, match="from 0 to 1"):
        gx.quantile(x, 90)
    with pytest.raises(DTypeError, match="bools"):
        gx.any(x)


def test_text_cannot_ask_for_an_impossible_quantile_or_norm():
    x = gx.input("x", (3, 3))
    for node, good, bad in (
        (gx.quantile(x, 0.25, 0), "q=0.25", "q=7.0"),
        (gx.norm(x, 3.0, 0), "ord=3.0", "ord=0.0"),
    ):
        text = str(gx.graph_of(node))
        assert good in text
        assert str(gx.parse(text)) == text
        with pytest.raises(ParseError):
            gx.parse(text.replace(good, bad))


def test_methods_of_nodes():
    x = gx.input("x", ("n", 3))
    assert x.std(axis=0) is gx.std(x, axis=0)
    assert x.prod() is gx.prod(x)
    assert x.cumsum(axis=1) is gx.cumsum(x, 1)
    assert (x > 0).any(axis=0) is gx.any(x > 0, axis=0)
    assert x.argmin(axis=1) is gx.argmin(x, axis=1)


def test_a_power_mean_with_a_zero_is_zero_and_flat():
    x = gx.input("x", (3,), dtype="float64")
    y = gx.vector_norm(x, ord=-1)
    with np.errstate(divide="ignore"):
        value, slope = gx.compile([y, gx.grad(y, x)])(np.array([2.0, 0.0, 4.0]))
    assert (value, slope.tolist()) == (0, [0, 0, 0])


def test_equal_eigenvalues_have_a_gradient_where_their_choice_makes_no_difference():
    x = gx.input("x", (3, 3), dtype="float64")
    for y in (gx.sum(gx.eigvalsh(x) ** 2), gx.sum(gx.svdvals(x) ** 2)):
        got = gx.compile(gx.grad(y, x))(np.eye(3) * 3)
        np.testing.assert_allclose(got, 6 * np.eye(3), atol=1e-12)


def test_what_no_decomposition_takes_is_refused():
    x = gx.input("x", ("n", 3))
    for bad in (lambda: gx.eigh(x), lambda: gx.svd(x), lambda: gx.qr(x), lambda: gx.pinv(x[0])):
        with pytest.raises(ShapeError):
            bad()
    with pytest.raises(ArgumentError, match="not determined"):
        gx.svd(gx.input("y", (3, 2)), full_matrices=True)
    for bad in (3, "a"):
        with pytest.raises((ArgumentError, ShapeError)):
            gx.partition(x, bad)


STANDARD = """
    e inf nan pi arange eye full full_like linspace meshgrid ones ones_like tril triu zeros zeros_like astype
    broadcast_arrays broadcast_to abs acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_left_shift
    bitwise_invert bitwise_or bitwise_right_shift bitwise_xor ceil clip copysign cos cosh divide equal exp expm1 floor
    floor_divide greater greater_equal hypot isfinite isinf isnan less less_equal log log1p log2 log10 logaddexp
    logical_and logical_not logical_or logical_xor maximum minimum multiply negative not_equal positive pow remainder
    round sign signbit sin sinh square sqrt subtract tan tanh trunc matmul matrix_transpose tensordot vecdot concat
    expand_dims flip moveaxis permute_dims repeat reshape roll squeeze stack tile unstack argmax argmin count_nonzero
    searchsorted where take take_along_axis argsort sort cumulative_prod cumulative_sum max mean min prod std sum var
    all any diff reciprocal cholesky cross det diagonal eigh eigvalsh inv matrix_norm matrix_power outer pinv qr
    slogdet solve svd svdvals trace vector_norm
"""
LEFT_OUT = {
    "asarray from_dlpack": "an array becomes a constant with gx.const",
    "empty empty_like": "a program has no values that nobody set",
    "newaxis": "None, in an index",
    "can_cast finfo iinfo isdtype result_type": "NumPy's own take the names of dtypes",
    "conj imag real": "there are no complex numbers",
    "nonzero unique_all unique_counts unique_inverse unique_values": "shapes that depend on values",
    "matrix_rank": "a count that no gradient flows through, of a decision by rounding",
    "nextafter": "a step of the number format",
}
"""Names of the standard that graphc does not have, and why."""


def test_the_array_api_standard_is_there_by_its_names():
    missing = [name for name in STANDARD.split() if name not in gx.__all__]
    assert missing == []
    assert [name for names in LEFT_OUT for name in names.split() if name in gx.__all__] == []
