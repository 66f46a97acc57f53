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

LINALG: tuple[Case, ...] = (*CONTRACTIONS, *SYSTEMS)
