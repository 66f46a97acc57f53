# mypy: ignore-errors
# The text of these functions is copied into listings for Numba, where each stands under @njit.
"""Products of small matrices, for kernels: loops whose innermost goes along rows, so that they are vectorised."""

import numpy as np

from graphc.ops.scalars import _plus


def _product(a, b, out):
    """out[i, j] = sum of a[i, k] b[k, j]; four k at a time, along the rows of b and out."""
    if b.shape[1] < 8:  # rows too short for vectors
        _product_of_rows(a, np.ascontiguousarray(b.T), out)
        return
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = 0
        end = a.shape[1] // 4 * 4
        for k in range(0, end, 4):
            p, q, r, s = a[i, k], a[i, k + 1], a[i, k + 2], a[i, k + 3]
            for j in range(out.shape[1]):
                out[i, j] += (p * b[k, j] + q * b[k + 1, j]) + (r * b[k + 2, j] + s * b[k + 3, j])
        for k in range(end, a.shape[1]):
            p = a[i, k]
            for j in range(out.shape[1]):
                out[i, j] += p * b[k, j]


def _product_of_rows(a, b, out):
    """out[i, j] = sum of a[i, k] b[j, k]: each along two rows."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = 0
            total = out[i, j]
            for k in range(a.shape[1]):
                total = _plus(total, a[i, k] * b[j, k])
            out[i, j] = total


def _product_with_rows(a, b, out):
    """out[i, j] = sum of a[i, k] b[j, k]; where these rows are short, by columns."""
    if b.shape[1] < 8:
        _product(a, np.ascontiguousarray(b.T), out)
    else:
        _product_of_rows(a, b, out)


def _weighted_rows(a, b, out):
    """out[j] = sum of a[k] b[k, j]."""
    for j in range(out.shape[0]):
        out[j] = 0
    for k in range(a.shape[0]):
        for j in range(out.shape[0]):
            out[j] += a[k] * b[k, j]


def _inner(a, b):
    """The sum of all a b, added up in float64."""
    a, b = a.reshape(-1), b.reshape(-1)
    total = 0.0
    for i in range(a.size):
        total = _plus(total, a[i] * b[i])
    return total


def _marked(a, marks):
    """The sum of a where marks are above 0."""
    a, marks = a.reshape(-1), marks.reshape(-1)
    total = 0.0
    for i in range(a.size):
        if marks[i] > 0:
            total += a[i]
    return total
