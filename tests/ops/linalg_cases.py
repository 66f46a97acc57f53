"""References for contractions and linear algebra: sums written out, and other routes to the same matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gx
from graphc.ops import CARDS
from tests.ops.references import FLOATS, N3, N34, Case, integers

S3 = (3, 3)
B3 = (2, 3, 3)


def _regular(x: Any) -> Any:
    """Far enough from singular."""
    return x + 4 * gx.eye(3, dtype=x.dtype)


def _definite(x: Any) -> Any:
    return x @ gx.matrix_transpose(x) + gx.eye(3, dtype=x.dtype)


def _by_hand(x: Any) -> Any:
    """The Cholesky factor of x xᵀ + 1, row by row."""
    if x.ndim > 2:
        return np.array([_by_hand(m) for m in x])
    a, low = x @ x.T + np.eye(3), np.zeros((3, 3))
    for i in range(3):
        for j in range(i + 1):
            rest = a[i, j] - sum(low[i, k] * low[j, k] for k in range(j))
            low[i, j] = np.sqrt(rest) if i == j else rest / low[j, j]
    return low


def _det(x: Any) -> Any:
    return np.array([np.dot(m[0], np.cross(m[1], m[2])) for m in x.reshape(-1, 3, 3)]).reshape(x.shape[:-2])


def _inverse(x: Any) -> Any:
    """By cofactors."""
    rows = [np.cross(x[..., (i + 1) % 3, :], x[..., (i + 2) % 3, :]) for i in range(3)]
    return np.stack(rows, axis=-1) / _det(x)[..., None, None]


E3 = 4 * np.eye(3)


def _contraction(subscripts: str, *shapes: Any, shape: str) -> Case:
    return Case(
        "matmul",
        lambda *xs: gx.einsum(subscripts, *xs),
        shapes,
        lambda *xs: np.einsum(subscripts, *xs),
        shape,
        integers,
    )


CONTRACTIONS: tuple[Case, ...] = (
    _contraction("nij,jk->nki", ("n", 2, 3), (3, 2), shape="[n, 2, 2]"),
    _contraction("ijk,jil->kl", N34, (3, 2, 5), shape="[4, 5]"),
    _contraction("...ij,...jk->...ik", ("n", 2, 3), (3, 2), shape="[n, 2, 2]"),
    _contraction("iij,jk", (2, 2, 3), (3, 2), shape="[2]"),
    _contraction("a,ab,bc,cd->d", (2,), (2, 3), (3, 4), (4, 2), shape="[2]"),
    _contraction("ij,bjk,bk->bi", (2, 3), ("n", 3, 4), (1, 4), shape="[n, 2]"),
    Case(
        "matmul",
        lambda x, y: gx.tensordot(x, y, axes=([0, 2], [1, 0])),
        (N34, (4, 2, 5)),
        lambda x, y: np.einsum("abc,cad->bd", x, y),
        "[3, 5]",
        integers,
    ),
    Case(
        "matmul",
        lambda x: gx.inner(x, x),
        (N3,),
        lambda x: np.array([[sum(a * b) for b in x] for a in x]),
        "[n, n]",
        integers,
    ),
    Case(
        "matmul",
        lambda x: gx.matrix_power(x, 3),
        (S3,),
        lambda x: x @ x @ x,
        "[3, 3]",
        integers,
        dtypes=("float64", "int64"),
    ),
    Case(
        "sum",
        lambda x, y: gx.vecdot(x, y, axis=0),
        (N3, N3),
        lambda x, y: np.array([sum(x[:, j] * y[:, j]) for j in range(3)]),
        "[3]",
        lambda d: "int64" if not d.startswith("float") else d,
    ),
    Case(
        "multiply",
        lambda x, y: gx.outer(x, y),
        (("n",), (3,)),
        lambda x, y: np.array([[a * b for b in y] for a in x]),
        "[n, 3]",
        integers,
    ),
    Case(
        "multiply",
        lambda x, y: gx.kron(x, y),
        ((2, 3), (3,)),
        lambda x, y: np.array([[a * b for a in row for b in y] for row in x]),
        "[2, 9]",
        integers,
    ),
    Case(
        "take",
        lambda x, y: gx.cross(x, y),
        (N3, N3),
        lambda x, y: np.stack(
            [[a[i - 2] * b[i - 1] - a[i - 1] * b[i - 2] for i in range(3)] for a, b in zip(x, y, strict=True)]
        ),
        "[n, 3]",
        dtypes=("float32", "float64", "int64"),
    ),
)

SYSTEMS: tuple[Case, ...] = (
    Case("inv", lambda x: gx.inv(_regular(x)), (B3,), lambda x: _inverse(x + E3), "[2, 3, 3]", dtypes=FLOATS),
    Case(
        "matmul",
        lambda x: gx.matrix_power(_regular(x), -2),
        (S3,),
        lambda x: np.linalg.matrix_power(_inverse(x + E3), 2),
        "[3, 3]",
        dtypes=FLOATS,
    ),
    Case(
        "solve",
        lambda a, b: gx.solve(_regular(a), b),
        (S3, (2, 3, 2)),
        lambda a, b: _inverse(a + E3) @ b,
        "[2, 3, 2]",
        dtypes=FLOATS,
    ),
    Case(
        "solve",
        lambda a, b: gx.solve(_regular(a), b),
        (B3, (3,)),
        lambda a, b: _inverse(a + E3) @ b,
        "[2, 3]",
        dtypes=FLOATS,
    ),
    Case(
        "solve",
        lambda a, b: gx.solve_triangular(_regular(a), b, lower=True),
        (S3, (3, 2)),
        lambda a, b: _inverse(np.tril(a + E3)) @ b,
        "[3, 2]",
        dtypes=FLOATS,
    ),
    Case(
        "solve",
        lambda a, b: gx.solve_triangular(a, b, unit_diagonal=True),
        (S3, (3,)),
        lambda a, b: _inverse(np.triu(a, 1) + np.eye(3)) @ b,
        "[3]",
        dtypes=FLOATS,
    ),
    Case("det", lambda x: gx.det(x), (B3,), _det, "[2]", dtypes=FLOATS),
    Case(
        "cofactor",
        lambda x: CARDS["cofactor"](x),
        (B3,),
        lambda x: _det(x)[:, None, None] * _inverse(x).swapaxes(1, 2),
        "[2, 3, 3]",
        dtypes=FLOATS,
    ),
    Case(
        "logabsdet",
        lambda x: gx.slogdet(_regular(x))[1],
        (B3,),
        lambda x: np.log(np.abs(_det(x + E3))),
        "[2]",
        dtypes=FLOATS,
    ),
    Case("signdet", lambda x: gx.slogdet(x)[0], (B3,), lambda x: np.sign(_det(x)), "[2]", dtypes=FLOATS),
    Case("cholesky", lambda x: gx.cholesky(_definite(x)), (S3,), _by_hand, "[3, 3]", dtypes=FLOATS),
    Case(
        "cholesky",
        lambda x: gx.cholesky(_definite(x), upper=True),
        (B3,),
        lambda x: _by_hand(x).swapaxes(1, 2),
        "[2, 3, 3]",
        dtypes=FLOATS,
    ),
)


def _symmetric(x: Any) -> Any:
    return x + np.swapaxes(x, -1, -2)


def _roots(x: Any) -> Any:
    """The eigenvalues of symmetric 3 x 3 matrices, as the roots of their characteristic polynomials."""
    if x.ndim > 2:
        return np.array([_roots(m) for m in x])
    minors = sum(x[i, i] * x[j, j] - x[i, j] ** 2 for i, j in ((0, 1), (0, 2), (1, 2)))
    return np.sort(np.roots([1, -np.trace(x), minors, -_det(x)]).real)


def _rebuilt(values: Any, vectors: Any) -> Any:
    return gx.einsum("...ij,...j,...kj->...ik", vectors, gx.exp(values), vectors)


def _exponential(x: Any) -> Any:
    """exp of a matrix by its series."""
    total = term = np.broadcast_to(np.eye(3), x.shape)
    for i in range(1, 90):
        term = term @ x / i
        total = total + term
    return total


def _pair(x: Any) -> Any:
    """The eigenvalues of a symmetric 2 x 2 matrix, the larger first."""
    half, root = np.trace(x) / 2, np.hypot((x[0, 0] - x[1, 1]) / 2, x[0, 1])
    return np.array([half + root, half - root])


def _turned(left: Any, values: Any, right: Any) -> Any:
    """Twice the matrix, in an expression that reads every part and does not depend on signs."""
    scaled = gx.matmul(left * gx.expand_dims(values, -2), right)
    again = gx.matmul(left, gx.expand_dims(values, -1) * right)
    return scaled + again


def _positive(q: Any, r: Any) -> tuple[Any, Any]:
    """With a positive diagonal, which makes both factors the only ones."""
    signs = gx.stop_gradient(gx.sign(gx.diagonal(r)))
    return q * signs, r * gx.expand_dims(signs, 1)


def _gram_schmidt(x: Any) -> tuple[Any, Any]:
    q = np.zeros((len(x), min(x.shape)))
    for i in range(q.shape[1]):
        rest = x[:, i] - q @ (q.T @ x[:, i])
        q[:, i] = rest / np.sqrt(rest @ rest)
    return q, q.T @ x * (np.arange(x.shape[1]) >= np.arange(q.shape[1])[:, None])


DECOMPOSED: tuple[Case, ...] = (
    Case(
        "eigh",
        lambda x: gx.eigvalsh(x / 8),
        (B3,),
        lambda x: _roots(_symmetric(x) / 16),
        "[2, 3]",
        dtypes=("float64",),
    ),
    Case(
        "eigh",
        lambda x: _rebuilt(*gx.eigh(x / 8)),
        (B3,),
        lambda x: _exponential(_symmetric(x) / 16),
        "[2, 3, 3]",
        dtypes=FLOATS,
    ),
    Case(
        "svdvals",
        lambda x: gx.svdvals(x) ** 2,
        ((2, 3),),
        lambda x: _pair(x @ x.T),
        "[2]",
        dtypes=("float64",),
    ),
    *(
        Case(
            "svd",
            lambda x: _turned(*gx.svd(x)),
            (shape,),
            lambda x: 2 * x,
            f"{list(shape)}",
            dtypes=("float64",),
        )
        for shape in ((3, 2), (2, 3), (2, 4, 3))
    ),
    *(
        Case(
            "qr",
            lambda x, part=part: _positive(*gx.qr(x))[part],
            (shape,),
            lambda x, part=part: _gram_schmidt(x)[part],
            f"{list(size)}",
            dtypes=("float64",),
        )
        for shape, part, size in (((4, 3), 0, (4, 3)), ((4, 3), 1, (3, 3)), ((2, 4), 1, (2, 4)))
    ),
    Case(
        "pinv",
        lambda x: gx.pinv(x),
        ((4, 2),),
        lambda x: np.linalg.solve(x.T @ x, x.T),
        "[2, 4]",
        dtypes=("float64",),
    ),
    Case(
        "pinv",
        lambda x: gx.pinv(x[:, :1] * x[:1, 1:], rtol=1e-9),
        ((3, 4),),
        lambda x: np.outer(x[0, 1:], x[:, 0]) / ((x[0, 1:] ** 2).sum() * (x[:, 0] ** 2).sum()),
        "[3, 3]",
        dtypes=("float64",),
    ),
    Case(
        "svdvals",
        lambda x: gx.matrix_norm(x, ord="nuc"),
        ((2, 3),),
        lambda x: np.sqrt(_pair(x @ x.T)).sum(),
        "[]",
        dtypes=("float64",),
    ),
    Case(
        "svdvals",
        lambda x: gx.norm(x, -2, axis=(2, 0)),
        ((2, 2, 3),),
        lambda x: np.array([np.sqrt(_pair(x[:, i] @ x[:, i].T)[1]) for i in range(2)]),
        "[2]",
        dtypes=("float64",),
    ),
)
"""Eigenvalues, singular values, QR and the pseudo-inverse."""

LINALG: tuple[Case, ...] = (*CONTRACTIONS, *SYSTEMS, *DECOMPOSED)
