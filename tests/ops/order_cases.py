"""References for reductions, running sums and products, norms and sorting, in plain NumPy."""

from __future__ import annotations

import numpy as np

import graphc as gx
from graphc.ops import CARDS
from tests.ops.references import DTYPES, FLOATS, N3, N34, Case, always, counts, floats

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


def _power_mean(x, p):
    return (np.abs(x) ** p).sum(axis=1) ** (1 / p)


def _largest(x, axis, sign=1):
    """The largest sum of sizes along an axis, or less the smallest."""
    return (sign * np.abs(x).sum(axis=axis)).max(axis=1)


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
    Case("sum", lambda x: gx.norm(x, 0, axis=0), (N3,), lambda x: (x != 0).sum(axis=0), "[3]", floats),
    Case(
        "norm",
        lambda x: gx.vector_norm(x, axis=1, ord=-1.5),
        (N34,),
        lambda x: _power_mean(x, -1.5),
        "[2, 4]",
        floats,
        dtypes=FLOATS,
    ),
    Case("max", lambda x: gx.matrix_norm(x, ord=1), (N34,), lambda x: _largest(x, 1), "[2]", floats),
    Case("max", lambda x: gx.matrix_norm(x, ord=-1), (N34,), lambda x: -_largest(x, 1, -1), "[2]", floats),
    Case("max", lambda x: gx.norm(x, np.inf, axis=(2, 0)), (N34,), lambda x: _largest(x, 0), "[3]", floats),
    Case(
        "max",
        lambda x: gx.matrix_norm(x, ord=-np.inf, keepdims=True),
        (N34,),
        lambda x: -_largest(x, 2, -1)[:, None, None],
        "[2, 1, 1]",
        floats,
    ),
    Case(
        "norm",
        lambda x: gx.matrix_norm(x),
        (N34,),
        lambda x: np.sqrt((x * x).sum(axis=(1, 2))),
        "[2]",
        floats,
    ),
    Case(
        "searchsorted",
        lambda x, y: gx.searchsorted(gx.sort(x), y),
        (("n",), (3, 2)),
        lambda x, y: (x < y[..., None]).sum(axis=-1),
        "[3, 2]",
        always("int64"),
    ),
    Case(
        "searchsorted",
        lambda x, y: gx.searchsorted(x, y, side="right", sorter=gx.argsort(x)),
        (("n",), (3, 2)),
        lambda x, y: (x <= y[..., None]).sum(axis=-1),
        "[3, 2]",
        always("int64"),
    ),
    Case(
        "sum",
        lambda x: gx.count_nonzero(x, axis=0),
        (N3,),
        lambda x: (x != 0).sum(axis=0),
        "[3]",
        always("int64"),
    ),
    Case(
        "subtract",
        lambda x: gx.ptp(x, axis=1),
        (N3,),
        lambda x: np.ptp(x, axis=1),
        "[n]",
        dtypes=DTYPES[:4],
    ),
    Case(
        "slice",
        lambda x: gx.diff(x, n=2),
        (N34,),
        lambda x: np.diff(x, 2),
        "[2, 3, 2]",
        dtypes=DTYPES[:4],
    ),
    Case(
        "slice",
        lambda x: gx.diff(x, prepend=0, append=x[:, :2]),
        (N3,),
        lambda x: np.diff(x, prepend=0, append=x[:, :2]),
        "[n, 5]",
        dtypes=DTYPES[:4],
    ),
    Case(
        "cumsum",
        lambda x: gx.cumulative_sum(x, axis=1, include_initial=True),
        (N34,),
        lambda x: np.concatenate([np.zeros((2, 1, 4)), x.cumsum(axis=1)], axis=1),
        "[2, 4, 4]",
        counts,
    ),
    Case(
        "cumprod",
        lambda x: gx.cumulative_prod(x, include_initial=True),
        (("n",),),
        lambda x: np.append(1, x.cumprod()),
        "[n + 1]",
        counts,
    ),
    Case(
        "argpartition",
        lambda x: gx.argpartition(x, 1),
        (N3,),
        lambda x: np.argpartition(x, 1),
        "[n, 3]",
        always("int64"),
        dtypes=FLOATS,
    ),
    Case(
        "argpartition",
        lambda x: gx.partition(x, (1, -1), axis=1),
        (N34,),
        lambda x: np.partition(x, (1, -1), axis=1),
        "[2, 3, 4]",
        dtypes=FLOATS,
    ),
    Case(
        "quantile",
        lambda x: gx.quantile(x, [0.25, 0.5], axis=0),
        (N3,),
        lambda x: np.quantile(x, [0.25, 0.5], axis=0),
        "[2, 3]",
        floats,
    ),
    Case(
        "broadcast_to",
        lambda x, y: gx.subtract(*gx.meshgrid(x, y)),
        (("n",), (3,)),
        lambda x, y: np.subtract(*np.meshgrid(x, y)),
        "[3, n]",
        dtypes=DTYPES[:4],
    ),
    Case(
        "broadcast_to",
        lambda x, y: gx.subtract(*gx.broadcast_arrays(x, y)),
        (("n", 1), (1, 3)),
        np.subtract,
        "[n, 3]",
        dtypes=DTYPES[:4],
    ),
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
