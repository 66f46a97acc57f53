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
