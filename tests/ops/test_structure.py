"""What moves, picks and contracts: text, standalone source, forward mode, NumPy's own answers, and refusals."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc.errors import ArgumentError, DTypeError, GraphcError, ParseError, ShapeError
from tests.ops.linalg_cases import LINALG
from tests.ops.structure_cases import STRUCTURE
from tests.ops.test_sweep import case_arrays

CASES = (*STRUCTURE, *LINALG)
IDS = [f"{i}-{case}" for i, case in enumerate(CASES)]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_text_source_and_forward_mode(case):
    leaves, arrays = case_arrays(case, "float64")
    y = case.build(*leaves)
    x = next(n for n in leaves if n.type.is_float)
    gradient = gx.grad(gx.sum(gx.sin(y)), x)
    v = gx.input("v", x.shape, dtype="float64")
    graph = gx.graph_of([y, gradient, gx.jvp(y, x, v), *leaves, v])
    again = gx.parse(str(graph))
    assert str(again) == str(graph)
    values = {f"x{i}": a for i, a in enumerate(arrays)} | {"v": np.ones_like(arrays[leaves.index(x)])}
    names = [n.name for n in graph.arguments]
    first, second = (gx.compile(g)(*(values[n] for n in names)) for g in (graph, again))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    want = gx.compile(gx.sum(gradient), level="exact")(
        **{n: v for n, v in values.items() if n in used(gradient)}
    )
    np.testing.assert_allclose(np.sum(np.cos(first[0]) * first[2]), want, rtol=1e-9, atol=1e-9)


def used(node):
    return {n.name for n in gx.graph_of(node).arguments}


X = np.arange(60.0).reshape(3, 4, 5)
I, J = np.array([0, 2, 1, -1]), np.array([[1], [2]])  # noqa: E741


@pytest.mark.parametrize(
    "pick",
    [
        lambda x: x[I],
        lambda x: x[:, I],
        lambda x: x[..., I],
        lambda x: x[I, I],
        lambda x: x[I, :, I],
        lambda x: x[:, I, I],
        lambda x: x[J, I],
        lambda x: x[J, None, I],
        lambda x: x[0, :, I],
        lambda x: x[:, 0, I],
        lambda x: x[::-1, 1::2, I],
        lambda x: x[None, ..., 2, J],
        lambda x: x[[0, 1], [1, 2], [3, -1]],
        lambda x: x[np.array([True, False, True])],
        lambda x: x[X > 30],
        lambda x: x[X[:, :, 0] > 30, 1],
        lambda x: x[:, np.array([True, False, True, True]), 1],
        lambda x: x[np.zeros(3, dtype=bool)],
        lambda x: x[-1, ::-2, 4:1:-1],
    ],
    ids=map(str, range(19)),
)
def test_indices_mean_what_they_mean_to_numpy(pick):
    np.testing.assert_array_equal(gx.compile(pick(gx.input("x", X.shape, dtype="float64")))(X), pick(X))


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [
        ("ij->ji", [(2, 3)]),
        ("ii", [(3, 3)]),
        ("iji->j", [(3, 2, 3)]),
        ("i->", [(3,)]),
        ("ij,ij->", [(2, 3), (2, 3)]),
        ("i,j", [(2,), (3,)]),
        ("ij,k->i", [(2, 3), (4,)]),
        ("b...,b...->...", [(2, 3, 1), (2, 1, 4)]),
        ("...,...", [(2, 3), (3,)]),
        ("abc,acd,ade,e->ab", [(2, 3, 4), (2, 4, 5), (2, 5, 3), (3,)]),
        (" ij , jk -> ik ", [(2, 3), (3, 2)]),
    ],
)
def test_einsum_is_that_of_numpy(subscripts, shapes):
    random = np.random.default_rng(0)
    arrays = [random.normal(size=s) for s in shapes]
    y = gx.einsum(subscripts, *(gx.input(f"x{i}", s, dtype="float64") for i, s in enumerate(shapes)))
    np.testing.assert_allclose(gx.compile(y)(*arrays), np.einsum(subscripts, *arrays), rtol=1e-12)


def test_the_determinant_of_a_singular_matrix_has_a_gradient():
    x = gx.input("x", (3, 3), dtype="float64")
    singular = np.array([[1.0, 2, 3], [2, 4, 6], [1, 0, 1]])
    assert gx.check_grad(gx.det(x), x, {"x": singular}).ok


def test_a_convolution_is_listed_as_a_matrix_product():
    x, w = gx.input("x", ("n", 2, 5, 5)), gx.input("w", (4, 2, 3, 3))
    source = gx.compile(gx.conv2d(x, w)).source
    assert source.count(" @ ") == 1
    assert "einsum" not in source


N = gx.input("x", ("n", 4))


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: N[:3], ShapeError, "only known at run time"),
        (lambda: N[-2:], ShapeError, "only known at run time"),
        (lambda: N[gx.greater(N, 0)], ArgumentError, "how many values a mask picks"),
        (lambda: N[:, [0, 4]], ShapeError, "out of range on axis 1"),
        (lambda: N[:, [0.5]], DTypeError, "an index is an integer"),
        (lambda: gx.diagonal(N, offset=1), ShapeError, "only known at run time"),
        (lambda: gx.unstack(N), ShapeError, "only known at run time"),
        (lambda: gx.split(N, 2), ShapeError, "not known to be a multiple"),
        (lambda: gx.pad(N, -1), ArgumentError, "the width of padding"),
        (lambda: gx.einsum("ij,jk->ii", N, N), ArgumentError, "at most once in the result"),
        (lambda: gx.einsum("ij,jk", N, N), ShapeError, "j is 4 and n"),
        (lambda: gx.einsum("ijk", N), ShapeError, "3 letters for 2 axes"),
        (lambda: gx.einsum("ij->ik", N), ArgumentError, "in no term"),
        (lambda: gx.inv(N), ShapeError, "only a square matrix"),
        (lambda: gx.solve(gx.eye(3), N), ShapeError, "other rows"),
        (lambda: gx.sliding_windows(N, 5), ShapeError, "does not fit"),
        (lambda: gx.tensordot(N, N, axes=1), ShapeError, "different sizes"),
        (lambda: gx.arange(0, 4, 0), ArgumentError, "step of a range is zero"),
        (lambda: gx.stack([N, N[1:]]), ShapeError, "one shape"),
    ],
    ids=map(str, range(19)),
)
def test_what_cannot_be_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("window=[2]", "window=[0]"),
        ("window=[2]", "window=[2, 2]"),
        ("axis=[1]", "axis=[7]"),
        ("stride=[1]", "stride=[-1]"),
        ("dilation=[1]", "dilation=[1.5]"),
    ],
)
def test_text_with_other_attributes_is_refused(old, new):
    text = str(gx.graph_of(gx.sliding_windows(N, 2)))
    assert old in text
    with pytest.raises(ParseError):
        gx.parse(text.replace(old, new))


def test_errors_are_graphcs():
    with pytest.raises(GraphcError):
        gx.moveaxis(N, 0, 5)


def test_a_listing_picks_a_column_as_numpy_does():
    x = gx.input("x", ("n", "m"))
    source = gx.compile([x[:, 0], x[-1], gx.grad(gx.sum(gx.exp(x[:, 0])), x)]).source
    assert "x[:, 0]" in source
    assert "x[-1]" in source
    assert "np.s_[:, 0]" in source


def test_a_place_on_an_axis_of_named_size_is_checked_when_the_program_runs():
    program = gx.compile(gx.input("x", ("n",))[2])
    assert program(np.float32([1, 2, 3])) == 3
    with pytest.raises(IndexError):
        program(np.float32([1, 2]))


def test_at_a_tie_what_is_there_wins_and_then_the_first_value():
    x, v = gx.input("x", (2,), dtype="float64"), gx.input("v", (3,), dtype="float64")
    for function, value in ((gx.maximum_at, 5.0), (gx.minimum_at, -5.0)):
        y = gx.sum(function(x, gx.const([0, 1, 1]), v))
        d_x, d_v = gx.compile(gx.grad(y, [x, v]))(np.array([value, 0.0]), np.full(3, value))
        assert (d_x.tolist(), d_v.tolist()) == ([1, 0], [0, 1, 0])


@pytest.mark.parametrize("zeros", [0, 1, 2])
def test_a_product_at_places_has_the_right_slopes_at_zeros(zeros):
    x, v = gx.input("x", (2,), dtype="float64"), gx.input("v", (4,), dtype="float64")
    y = gx.sum(gx.multiply_at(x, gx.const([1, 0, 1, 1]), v))
    values = np.array([2.0, 3.0, 5.0, 7.0])
    values[[0, 2][:zeros]] = 0
    d_v = gx.compile(gx.grad(y, v))(np.array([11.0, 13.0]), values)
    at_one = values[[0, 2, 3]]
    want = [13 * np.prod(np.delete(at_one, i)) for i in range(3)]
    np.testing.assert_allclose(d_v, [want[0], 11, *want[1:]], rtol=1e-15)


def test_bits_of_bools_are_logic_and_floats_have_none():
    mask, i = gx.input("mask", (3,), dtype="bool"), gx.input("i", (3,), dtype="int32")
    assert gx.bitwise_and(mask, mask) is gx.logical_and(mask, mask)
    assert (i << 2).op.name == "bitwise_left_shift"
    assert gx.compile((i & 6 | 1) ^ 3 << 1)(np.int32([2, 4, 7])).tolist() == [
        (k & 6 | 1) ^ 3 << 1 for k in (2, 4, 7)
    ]
    assert np.invert(i) is ~i
    with pytest.raises(DTypeError, match="no bits"):
        gx.bitwise_or(gx.input("x", (3,)), 1)


@pytest.mark.parametrize("dilation", [1, 2])
def test_the_places_of_the_largest_lead_back_to_them(dilation):
    x = gx.input("x", (2, 3, 6, 7), dtype="float64")
    values = np.random.default_rng(0).normal(size=x.shape)
    y, places = gx.compile(gx.max_pool(x, (2, 3), 2, 1, dilation, return_indices=True))(values)
    assert places.dtype == "int64"
    picked = np.take_along_axis(values.reshape(2, 3, -1), places.reshape(2, 3, -1), axis=2)
    np.testing.assert_array_equal(picked.reshape(y.shape), y)


def test_averages_with_a_divisor_of_ones_own():
    x = gx.input("x", (1, 1, 4, 4))
    given = np.arange(16, dtype="float32").reshape(x.shape)
    sums = gx.compile(gx.avg_pool(x, 2) * 4)(given)
    np.testing.assert_array_equal(
        gx.compile(gx.avg_pool(x, 2, divisor_override=3))(given), sums / np.float32(3)
    )
    with pytest.raises(ArgumentError, match="divisor"):
        gx.avg_pool(x, 2, divisor_override=0)
