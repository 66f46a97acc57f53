"""References in plain NumPy for what moves, picks and contracts values."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gx
from graphc.ops import CARDS
from tests.ops.references import DTYPES, N3, N34, Case
from tests.ops.window_cases import WINDOWS

NUMBERS = DTYPES[:4]


def _added(shape: tuple[int, ...], places: Any, x: Any) -> Any:
    out = np.zeros(shape, dtype=np.asarray(x).dtype)
    for index in np.ndindex(np.shape(x)):
        out[places(index)] += x[index]
    return out


def _written(x: Any, places: Any, values: Any) -> Any:
    out = np.array(x)
    for place, value in zip(places, values, strict=True):
        out[place] = value
    return out


def _met(ufunc: Any, x: Any, columns: Any, values: Any) -> Any:
    """x with each column of values combined with one of its own, one after another."""
    out = np.array(x)
    for column, value in zip(columns, values.T, strict=True):
        out[:, column] = ufunc(out[:, column], value)
    return out


def _named(x: Any) -> Any:
    return gx.arange(x.shape[0])


PICKED: tuple[Case, ...] = (
    Case(
        "slice",
        lambda x: x[x.shape[0] - 2 :, ::-1],
        (N3,),
        lambda x: x[-2:, ::-1],
        "[2, 3]",
        linear=True,
    ),
    Case("slice", lambda x: x[::-2], (N3,), lambda x: x[::-2], "[(n + 1)//2, 3]", linear=True),
    Case("slice", lambda x: x[-2:0:-1], (N3,), lambda x: x[-2:0:-1], "[n - 2, 3]", linear=True),
    Case(
        "concat",
        lambda x, y: gx.concat([x, y, x[1:]]),
        (N3, ("m", 3)),
        lambda x, y: np.vstack([x, y, x[1:]]),
        "[m + 2*n - 1, 3]",
    ),
    Case(
        "concat",
        lambda x, y: gx.concat([x, y]),
        (N3, ("m", 3)),
        lambda x, y: np.vstack([x, y]),
        "[m + n, 3]",
        linear=True,
    ),
    Case(
        "gather",
        lambda x, t: x[_named(t), t],
        (N3, ("n",)),
        lambda x, t: np.array([row[i] for row, i in zip(x, t, strict=True)]),
        "[n]",
        labels=(1,),
        linear=True,
    ),
    Case(
        "gather",
        lambda x, t, u: x[:, t[:, None], u],
        ((2, 3, 4), (2,), (3,)),
        lambda x, t, u: np.array([[[x[b, i, j] for j in u] for i in t] for b in range(2)]),
        "[2, 2, 3]",
        labels=(1, 2),
        linear=True,
    ),
    Case(
        "gather",
        lambda x, t: x[t, :, 1],
        ((3, 2, 4), (2, 2)),
        lambda x, t: np.array([[x[i, :, 1] for i in row] for row in t]),
        "[2, 2, 2]",
        labels=(1,),
        linear=True,
    ),
    Case(
        "gather",
        lambda x: x[np.array([[True, False, True], [False, True, True]])],
        ((2, 3),),
        lambda x: np.array([x[0, 0], x[0, 2], x[1, 1], x[1, 2]]),
        "[4]",
        linear=True,
    ),
    Case(
        "add_at",
        lambda x, t: CARDS["add_at"](x, t, t, shape=(3, 3, 4), axis=0),
        (("n", 4), ("n",)),
        lambda x, t: _added((3, 3, 4), lambda i: (t[i[0]], t[i[0]], i[1]), x),
        "[3, 3, 4]",
        labels=(1,),
        linear=True,
        dtypes=NUMBERS,
    ),
    Case(
        "scatter_add",
        lambda x, t, v: gx.scatter_add(x, t, v, axis=1),
        (("n", 3), (2,), ("n", 2)),
        lambda x, t, v: x + _added(x.shape, lambda i: (i[0], t[i[1]]), v),
        "[n, 3]",
        labels=(1,),
        dtypes=NUMBERS,
    ),
    Case(
        "take_along_axis",
        lambda x, t: gx.take_along_axis(x, t, axis=1),
        (N3, ("n", 2)),
        lambda x, t: np.array([[row[i] for i in places] for row, places in zip(x, t, strict=True)]),
        "[n, 2]",
        labels=(1,),
        linear=True,
    ),
    Case(
        "take_along_axis",
        lambda x, t: gx.take_along_axis(x, t, axis=0),
        ((3, 4), (2, 1)),
        lambda x, t: np.array([x[i[0]] for i in t]),
        "[2, 4]",
        labels=(1,),
        linear=True,
    ),
    Case(
        "add_along_axis",
        lambda x, t: CARDS["add_along_axis"](x, t, shape=(x.shape[0], 3), axis=1),
        (("n", 2), ("n", 2)),
        lambda x, t: _added((len(x), 3), lambda i: (i[0], t[i]), x),
        "[n, 3]",
        labels=(1,),
        linear=True,
        dtypes=NUMBERS,
    ),
)
"""Slices with named bounds, joins, look-ups."""

SQUARE = ("n", "n")

DIAGONALS: tuple[Case, ...] = (
    Case(
        "arange",
        lambda x: x * gx.astype(_named(x), x.dtype)[:, None],
        (N3,),
        lambda x: np.array([i * row for i, row in enumerate(x)]),
        "[n, 3]",
        dtypes=NUMBERS,
    ),
    Case(
        "eye",
        lambda x: x * gx.eye(x.shape[0], 3, k=-1, dtype=x.dtype),
        (N3,),
        lambda x: np.array([[v * (i == j + 1) for j, v in enumerate(row)] for i, row in enumerate(x)]),
        "[n, 3]",
        dtypes=NUMBERS,
    ),
    Case(
        "tril",
        lambda x: gx.tril(x, k=1),
        (N34,),
        lambda x: np.array(
            [[[v * (j <= i + 1) for j, v in enumerate(r)] for i, r in enumerate(m)] for m in x]
        ),
        "[2, 3, 4]",
        linear=True,
    ),
    Case(
        "triu",
        lambda x: gx.triu(x),
        (N3,),
        lambda x: np.array([[v * (j >= i) for j, v in enumerate(row)] for i, row in enumerate(x)]),
        "[n, 3]",
        linear=True,
    ),
    Case(
        "diagonal",
        lambda x: gx.diagonal(x, offset=1),
        (SQUARE,),
        lambda x: np.array([x[i, i + 1] for i in range(len(x) - 1)]),
        "[n - 1]",
        linear=True,
    ),
    Case(
        "diagonal",
        lambda x: gx.diagonal(x, -1, 2, 0),
        (N34,),
        lambda x: np.array([[x[i, b, i + 1] for i in range(2)] for b in range(3)]),
        "[3, 2]",
        linear=True,
    ),
    Case(
        "place_diagonal",
        lambda x: gx.diag(x, k=-1),
        (("n",),),
        lambda x: np.array([[x[j] * (i == j + 1) if j < len(x) else 0 for j in range(6)] for i in range(6)]),
        "[n + 1, n + 1]",
        linear=True,
    ),
    Case(
        "diagonal",
        lambda x: gx.trace(x, axis1=1, axis2=2),
        (N34,),
        lambda x: np.array([m[0, 0] + m[1, 1] + m[2, 2] for m in x]),
        "[2]",
        lambda d: d if d.startswith("float") else "int64",
    ),
    Case(
        "multiply",
        lambda x: gx.linspace(x[0, 0], x[1, 1], 3) * gx.linspace(1, 2, 3, dtype=x.dtype, endpoint=False),
        (N3,),
        lambda x: np.array([x[0, 0], (x[0, 0] + x[1, 1]) / 2, x[1, 1]]) * [1, 4 / 3, 5 / 3],
        "[3]",
        dtypes=DTYPES[:2],
    ),
)
"""Ranges, identities, triangles and diagonals."""

ARRANGED: tuple[Case, ...] = (
    Case(
        "contiguous",
        lambda x: CARDS["contiguous"](gx.transpose(x, (2, 0, 1))),
        (N34,),
        lambda x: np.moveaxis(x, 2, 0),
        "[4, 2, 3]",
        linear=True,
    ),
    Case(
        "roll", lambda x: gx.roll(x, -2, axis=0), (N3,), lambda x: x[[2, 3, 4, 0, 1]], "[n, 3]", linear=True
    ),
    Case(
        "roll",
        lambda x: gx.roll(x, (1, 2), axis=(2, 0)),
        (N34,),
        lambda x: x[:, :, [3, 0, 1, 2]],
        "[2, 3, 4]",
        linear=True,
    ),
    Case(
        "roll",
        lambda x: gx.roll(x, 1),
        ((2, 2),),
        lambda x: np.array([[x[1, 1], x[0, 0]], [x[0, 1], x[1, 0]]]),
        "[2, 2]",
        linear=True,
    ),
    Case("slice", lambda x: gx.flip(x, axis=1), (N3,), lambda x: x[:, ::-1], "[n, 3]", linear=True),
    Case(
        "broadcast_to",
        lambda x: gx.repeat(x, 2, axis=0),
        (N3,),
        lambda x: np.array([row for row in x for _ in range(2)]),
        "[2*n, 3]",
        linear=True,
    ),
    Case("take", lambda x: gx.repeat(x, [1, 0, 2], axis=1), (N3,), lambda x: x[:, [0, 2, 2]], "[n, 3]"),
    Case(
        "broadcast_to",
        lambda x: gx.tile(x, (2, 1, 2)),
        (N3,),
        lambda x: np.array([np.hstack([x, x])] * 2),
        "[2, n, 6]",
        linear=True,
    ),
    Case(
        "place",
        lambda x: gx.pad(x, ((1, 0), (0, 2))),
        (N3,),
        lambda x: np.pad(x, ((1, 0), (0, 2))),
        "[n + 1, 5]",
        linear=True,
    ),
    Case(
        "concat",
        lambda x: gx.pad(x, 1, constant_values=True),
        (N3,),
        lambda x: np.pad(x, 1, constant_values=1),
        "[n + 2, 5]",
    ),
    *(
        Case(
            "concat",
            lambda x, mode=mode: gx.pad(x, (1, 2), mode=mode),
            (N3,),
            lambda x, mode=mode: np.pad(x, (1, 2), mode=mode),
            "[n + 3, 6]",
            linear=True,
        )
        for mode in ("edge", "reflect", "symmetric", "wrap")
    ),
    Case(
        "concat",
        lambda x, y: gx.stack([x, y], axis=-1),
        (N3, N3),
        lambda x, y: np.array(
            [[[a, b] for a, b in zip(p, q, strict=True)] for p, q in zip(x, y, strict=True)]
        ),
        "[n, 3, 2]",
    ),
    Case("slice", lambda x: gx.split(x, 2, axis=1)[1], ((3, 4),), lambda x: x[:, 2:], "[3, 2]", linear=True),
    Case("slice", lambda x: gx.split(x, [1, 2])[1], ((3, 4),), lambda x: x[1:2], "[1, 4]", linear=True),
    Case("slice", lambda x: gx.unstack(x, axis=1)[2], (N3,), lambda x: x[:, 2], "[n]"),
    Case(
        "put",
        lambda x, t: gx.put(x, t, 0),
        (("n", 2), (3,)),
        lambda x, t: _written(x, [(i // 2, i % 2) for i in t], [0.0] * 3),
        "[n, 2]",
        labels=(1,),
        linear=True,
    ),
    Case(
        "put",
        lambda v, t: gx.put(gx.zeros((4,), v.dtype), t, v),
        (("n",), ("n",)),
        lambda v, t: _written(np.zeros(4), t, v),
        "[4]",
        labels=(1,),
        linear=True,
    ),
    Case(
        "put",
        lambda x, t, v: gx.put_along_axis(x, t, v, axis=1),
        (N3, ("n", 1), ("n", 1)),
        lambda x, t, v: _written(x, [(i, p) for i, (p,) in enumerate(t)], v[:, 0]),
        "[n, 3]",
        labels=(1,),
    ),
    Case(
        "put",
        lambda x, v: gx.set_at(x, (slice(None, None, -2), 1), v),
        (N3, ("(n + 1)//2",)),
        lambda x, v: _written(x, [(4, 1), (2, 1), (0, 1)], v),
        "[n, 3]",
    ),
    Case("slice", lambda x: x[:, 0], (("n", "m"),), lambda x: x[:, 0], "[n]", linear=True),
    Case("slice", lambda x: x[-1, ..., 1:], (N34,), lambda x: x[-1, ..., 1:], "[3, 3]", linear=True),
    Case(
        "place",
        lambda x: CARDS["place"](x, shape=(*x.shape, 3), index=((None, None, None), 1)),
        (("n",),),
        lambda x: np.stack([0 * x, x, 0 * x], axis=1),
        "[n, 3]",
        linear=True,
    ),
    *(
        Case(
            name,
            lambda x, t, v, function=function: function(x, (slice(None), t), v),
            ((2, 3), (4,), (2, 4)),
            lambda x, t, v, ufunc=ufunc: _met(ufunc, x, t, v),
            "[2, 3]",
            labels=(1,),
            dtypes=NUMBERS,
        )
        for name, function, ufunc in (
            ("scatter_add", gx.add_at, np.add),
            ("multiply_at", gx.multiply_at, np.multiply),
            ("maximum_at", gx.maximum_at, np.maximum),
            ("minimum_at", gx.minimum_at, np.minimum),
        )
    ),
    Case("transpose", lambda x: gx.moveaxis(x, 0, -1), (N34,), lambda x: x.transpose(1, 2, 0), "[3, 4, 2]"),
    Case("transpose", lambda x: gx.swapaxes(x, 0, 2), (N34,), lambda x: x.transpose(2, 1, 0), "[4, 3, 2]"),
    Case(
        "transpose",
        lambda x: gx.permute_dims(x, (1, 0, 2)),
        (N34,),
        lambda x: x.transpose(1, 0, 2),
        "[3, 2, 4]",
    ),
)
"""Rolled, repeated, padded, joined and taken apart."""

STRUCTURE: tuple[Case, ...] = (*PICKED, *DIAGONALS, *ARRANGED, *WINDOWS)
