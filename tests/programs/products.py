"""Products, linear algebra, windows."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gx
from graphc.ir.node import Node
from tests.programs.maker import REAL, Maker
from tests.programs.pointwise import Row, some


def matmul(m: Maker) -> Node:
    x = m.number(1)
    inner = x.shape[-1]
    batch = x.shape[:-2] if x.ndim > 2 and m.coin() else ()
    y = m.of(m.one(((inner,), (*batch, inner, 2), (*batch, inner, "m"))))
    return (
        gx.matmul(x, y)
        if m.coin() or x.ndim > 2 or y.ndim > 2
        else gx.matmul(gx.transpose(y), gx.transpose(x))
    )


def einsum(m: Maker) -> Node:
    """Two or three operands with letters in common, some of them summed."""
    sizes = dict(zip("abcd", (m.one(("n", 3)), 2, 3, m.one(("m", 4))), strict=True))
    terms = [
        "".join(sizes_of)
        for sizes_of in (m.order(4)[: m.one((2, 1, 3))] for _ in range(m.one((2, 1, 3))))
        for sizes_of in [["abcd"[i] for i in sizes_of]]
    ]
    used = sorted(set("".join(terms)))
    kept = "".join(used[i] for i in m.order(len(used))[: m.choose(len(used) + 1)])
    return gx.einsum(f"{','.join(terms)}->{kept}", *(m.of([sizes[c] for c in t]) for t in terms))


def tensordot(m: Maker) -> Node:
    x = m.number(1)
    count = m.choose(min(x.ndim, 2) + 1)
    if m.coin():
        return gx.tensordot(x, m.of((*x.shape[x.ndim - count :], 2)), count)
    axis = m.choose(x.ndim)
    return gx.tensordot(x, m.of((2, x.shape[axis])), ([axis], [1]))


def vecdot(m: Maker) -> Node:
    x = some(m)
    return gx.vecdot(x, m.of(x.shape), axis=m.axis(x))


def inner(m: Maker) -> Node:
    x = some(m)
    return gx.inner(x, m.of((2, x.shape[-1]) if m.coin() else (x.shape[-1],)))


def small(function: Any) -> Row:
    return lambda m: function(m.number(0, 2), m.of(m.one(((3,), (), (2, 2)))))


def kron(m: Maker) -> Node:
    return gx.kron(m.number(1, 2), m.of(m.one(((3,), (2, 2)))))


def cross(m: Maker) -> Node:
    x = m.value(fits=lambda x: x.ndim > 0 and x.shape[-1] == 3)
    return gx.cross(x, m.of(x.shape))


def matrix_power(m: Maker) -> Node:
    n = m.one((2, 3, 0, 1, -1, -2))
    return gx.matrix_power(regular(m) if n < 0 else m.within(m.of((3, 3)), *REAL), n)


# -- linear algebra ------------------------------------------------------------------------------------------


def matrix(m: Maker, sizes: tuple[Any, ...] = (3, 3)) -> Node:
    """A matrix, or a few of them."""
    return m.of((2, *sizes) if m.rarely() else sizes)


def regular(m: Maker) -> Node:
    x = m.within(matrix(m), *REAL)
    return x + 8 * gx.eye(3, dtype=x.dtype)


def definite(m: Maker) -> Node:
    x = m.within(matrix(m), *REAL)
    return x @ gx.matrix_transpose(x) + gx.eye(3, dtype=x.dtype)


def solve(m: Maker) -> Node:
    a = regular(m)
    return gx.solve(a, m.of(m.one(((3,), (3, 2), (2, 3, 2)))))


def solve_triangular(m: Maker) -> Node:
    options = {"lower": m.coin(), "unit_diagonal": m.coin()}
    return gx.solve_triangular(regular(m), m.of(m.one(((3,), (3, 2)))), **options)


def slogdet(m: Maker) -> tuple[Node, ...]:
    return gx.slogdet(regular(m))


def spaced(m: Maker) -> Node:
    """Symmetric, its eigenvalues far enough apart that eigenvectors are smooth."""
    x = 0.2 * m.within(matrix(m), *REAL)
    return x + gx.matrix_transpose(x) + gx.diag(gx.astype(gx.const(np.array([0.0, 4.0, 8.0])), x.dtype))


def eigh(m: Maker) -> list[Node]:
    w, v = gx.eigh(spaced(m))
    return [w, gx.square(v)]  # the sign of a vector is nobody's to say


def svd(m: Maker) -> list[Node]:
    u, s, v = gx.svd(spaced(m) + gx.eye(3, dtype="float32"))
    return [s, gx.square(u), gx.square(v)]


def matrix_norm(m: Maker) -> Node:
    return gx.matrix_norm(spaced(m), m.coin(), m.one(("fro", "nuc", 2, -2, 1, -1, np.inf, -np.inf)))


def pinv(m: Maker) -> Node:
    return gx.pinv(spaced(m)[..., : m.one((2, 3))] + gx.eye(3, m.one((2, 3)), dtype="float32")[:, :1])


# -- windows ------------------------------------------------------------------------------------------


def sliding_windows(m: Maker) -> Node:
    x = m.value(fits=lambda x: 0 < x.ndim < 4 and max(m.shape(x)) > 2)
    axis = max(range(x.ndim), key=lambda a: m.shape(x)[a])
    long = m.shape(x)[axis] > 2
    return gx.sliding_windows(x, 2, axis, stride=m.one((1, 2)), dilation=m.one((1, 2) if long else (1,)))


def fold(m: Maker) -> Node:
    stride, dilation = m.one((1, 2)), m.one((1, 2))
    dim = m.one(("n", 5))
    dim = gx.input("p", (dim,)).shape[0]
    count = (dim - dilation - 1) // stride + 1
    return gx.fold(m.of((2, count, 2)), (2, dim), 1, stride=stride, dilation=dilation)


def image(m: Maker, space: int, channels: int = 4) -> Node:
    return m.of((m.one(("n", 1, 2)), channels, *((5, 4)[:space])))


def convolved(function: Any, space: int) -> Row:
    def row(m: Maker) -> Node:
        groups = m.one((1, 2, 4))
        w = m.of((4, 4 // groups, *((3, 2)[:space])))
        stride = m.one((1, 2))
        padding = m.one((0, 1, "same"))
        return function(
            image(m, space), w, stride=stride, padding=padding, dilation=m.one((1, 2)), groups=groups
        )

    return row


def conv_transpose(m: Maker) -> Node:
    groups, stride = m.one((1, 2)), m.one((1, 2))
    w = m.of((4, 2, 3))
    return gx.conv_transpose(
        image(m, 1), w, stride=stride, padding=m.one((0, 1)), output_padding=stride - 1, groups=groups
    )


def pooled(function: Any, **options: tuple[Any, ...]) -> Row:
    def row(m: Maker) -> Node:
        more = {name: m.one(values) for name, values in options.items()}
        return function(
            image(m, 2, 2), 2, stride=m.one((None, 1)), padding=m.one((0, 1)), ceil_mode=m.coin(), **more
        )

    return row
