# The text of these functions is copied into generated listings, so they carry no annotations.
# mypy: ignore-errors
"""Starting values that take more than one call of a generator, for generated listings."""

import math

import numpy as np


def _truncated_normal(rng, shape, mean, std, low, high):
    """mean + std * z, where z is normal between two bounds: what falls outside is drawn again."""
    z = rng.standard_normal(math.prod(shape))
    while (outside := np.flatnonzero((z < low) | (z > high))).size:
        z[outside] = rng.standard_normal(outside.size)
    return (mean + std * z).reshape(shape)


def _orthogonal(rng, shape, gain):
    """Orthonormal columns, or rows where these are fewer, times a gain; all axes but the last count as rows."""
    rows, columns = math.prod(shape[:-1]), shape[-1]
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.where(np.diag(r) < 0, -gain, gain)
    return (q if rows >= columns else q.T).reshape(shape)


def _identity(shape, gain):
    """Ones on the diagonal of the last two axes, in the middle of the window before them, times a gain."""
    out = np.zeros(shape)
    i = np.arange(min(shape[-2:]))
    out[(*(n // 2 for n in shape[:-2]), i, i)] = gain
    return out


def _sparse(rng, shape, sparsity, std):
    """Normal, with a share of each column zero."""
    zero = np.arange(shape[0]) < math.ceil(sparsity * shape[0])
    zero = rng.permuted(np.repeat(zero[:, None], shape[1], axis=1), axis=0)
    return np.where(zero, 0.0, rng.normal(0.0, std, shape))
