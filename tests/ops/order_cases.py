"""References for reductions, running sums and products, norms and sorting, in plain NumPy."""

from __future__ import annotations

import numpy as np

import graphc as gx
from graphc.ops import CARDS
from tests.ops.references import FLOATS, N3, N34, Case, always, counts, floats

BOOLS = ("bool",)


def _recurrence(a, b):
    out = [b[0]]
    for i in range(1, len(b)):
        out.append(a[i] * out[-1] + b[i])
    return np.array(out)


def _weights(x):
    out = np.zeros_like(x)
    low, high = np.argsort(x, axis=0)[1:3]
    columns = np.arange(x.shape[1])
    out[low, columns], out[high, columns] = 0.8, 0.2
    return out


def _places(x):
    return np.argsort(x, axis=-1, kind="stable")


ORDER: tuple[Case, ...] = (
    Case("std", lambda x: gx.std(x, axis=0), (N3,), lambda x: x.std(axis=0), "[3]", floats),
    Case(
        "std",
        lambda x: gx.std(x, axis=(0, 2), correction=1, keepdims=True),
        (N34,),
        lambda x: x.std(axis=(0, 2), ddof=1, keepdims=True),
        "[1, 3, 1]",
        floats,
    ),
    Case("norm", lambda x: gx.norm(x), (N3,), np.linalg.norm, "[]", floats),
    Case("norm", lambda x: gx.norm(x, axis=1), (N3,), lambda x: np.linalg.norm(x, axis=1), "[n]", floats),
    Case(
        "norm",
        lambda x: gx.vector_norm(x, axis=(0, 2), keepdims=True, ord=3.5),
        (N34,),
        lambda x: (np.abs(x) ** 3.5).sum(axis=(0, 2), keepdims=True) ** (1 / 3.5),
        "[1, 3, 1]",
        floats,
    ),
    Case("sum", lambda x: gx.norm(x, 1, axis=0), (N3,), lambda x: np.abs(x).sum(axis=0), "[3]", floats),
    Case("max", lambda x: gx.norm(x, np.inf, axis=0), (N3,), lambda x: np.abs(x).max(axis=0), "[3]", floats),
    Case("max", lambda x: gx.norm(x, -np.inf, axis=1), (N3,), lambda x: np.abs(x).min(axis=1), "[n]", floats),
    Case(
        "any",
        lambda x: gx.any(x, axis=0),
        (N3,),
        lambda x: (x > 0).any(axis=0) * 1,
        "[3]",
        always("bool"),
        dtypes=BOOLS,
    ),
    Case(
        "all",
        lambda x: gx.all(x, axis=(0, 2), keepdims=True),
        (N34,),
        lambda x: (x > 0).all(axis=(0, 2), keepdims=True) * 1,
        "[1, 3, 1]",
        always("bool"),
        dtypes=BOOLS,
    ),
    Case("argmin", lambda x: gx.argmin(x, axis=1), (N3,), lambda x: x.argmin(axis=1), "[n]", always("int64")),
    Case("argmin", lambda x: gx.argmin(x), (N3,), np.argmin, "[]", always("int64")),
    Case("prod", lambda x: gx.prod(x), (N3,), np.prod, "[]", counts),
    Case("prod", lambda x: gx.prod(x, axis=1), (N3,), lambda x: x.prod(axis=1), "[n]", counts),
    Case(
        "prod",
        lambda x: gx.prod(x, axis=(0, 2), keepdims=True),
        (N34,),
        lambda x: x.prod(axis=(0, 2), keepdims=True),
        "[1, 3, 1]",
        counts,
    ),
    Case(
        "cumsum",
        lambda x: gx.cumsum(x, axis=0),
        (N3,),
        lambda x: x.cumsum(axis=0),
        "[n, 3]",
        counts,
        linear=True,
    ),
    Case("cumsum", lambda x: gx.cumsum(x), (N34,), np.cumsum, "[24]", counts, linear=True),
    Case("cumprod", lambda x: gx.cumprod(x, axis=0), (N3,), lambda x: x.cumprod(axis=0), "[n, 3]", counts),
    Case("cumprod", lambda x: gx.cumprod(x, -1), (N34,), lambda x: x.cumprod(axis=2), "[2, 3, 4]", counts),
    Case(
        "recurrence",
        lambda a, b: CARDS["recurrence"](a, b, axis=0),
        (N3, N3),
        _recurrence,
        "[n, 3]",
        dtypes=FLOATS,
    ),
    Case("sort", lambda x: gx.sort(x, axis=0), (N3,), lambda x: np.sort(x, axis=0), "[n, 3]"),
    Case(
        "sort",
        lambda x: gx.sort(x, axis=1, descending=True),
        (N34,),
        lambda x: -np.sort(-x, axis=1),
        "[2, 3, 4]",
    ),
    Case("argsort", lambda x: gx.argsort(x), (N3,), _places, "[n, 3]", always("int64")),
    Case(
        "argsort",
        lambda x: gx.argsort(x, descending=True),
        (N34,),
        lambda x: _places(-x),
        "[2, 3, 4]",
        always("int64"),
    ),
    Case("quantile", lambda x: gx.median(x, axis=0), (N3,), lambda x: np.median(x, axis=0), "[3]", floats),
    Case("quantile", lambda x: gx.median(x), (N34,), np.median, "[]", floats),
    Case(
        "quantile",
        lambda x: gx.quantile(x, 0.3, axis=0),
        (N3,),
        lambda x: np.quantile(x, 0.3, axis=0),
        "[3]",
        floats,
    ),
    Case(
        "quantile",
        lambda x: gx.quantile(x, 0.85, axis=(0, 2), keepdims=True),
        (N34,),
        lambda x: np.quantile(x, 0.85, axis=(0, 2), keepdims=True),
        "[1, 3, 1]",
        floats,
    ),
    Case(
        "quantile_weights",
        lambda x: CARDS["quantile_weights"](x, q=0.3, axis=0),
        (N3,),
        _weights,
        "[n, 3]",
        dtypes=FLOATS,
    ),
)
"""Each card at one use or more."""
