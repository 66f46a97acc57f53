# The text of these functions is copied into generated listings, so they carry no annotations.
# mypy: ignore-errors
"""NumPy helpers that move values, for generated listings."""

import hashlib

import numpy as np


def _place(values, shape, index):
    """Zeros of this shape with values in a slice."""
    out = np.zeros(shape, values.dtype)
    out[index] = values
    return out


def _scatter_add(values, indices, shape, axis):
    """Zeros of this shape, with values added where the indices along the axis say."""
    out = np.zeros(shape, values.dtype)
    np.add.at(out, (slice(None),) * axis + (indices,), values)
    return out


def _add_at(values, shape, index):
    """Zeros of this shape, with values added where an index of several arrays says."""
    out = np.zeros(shape, values.dtype)
    np.add.at(out, index, values)
    return out


def _add_along_axis(values, indices, shape, axis):
    """Zeros of this shape, with values added along an axis where the indices of each row say."""
    out = np.zeros(shape, values.dtype)
    index = list(np.ix_(*(np.arange(n) for n in indices.shape)))
    index[axis] = indices
    np.add.at(out, tuple(index), values)
    return out


def _combined_at(function, x, values, indices):
    """A copy with values combined with what is at places along the first axis, one after another."""
    out = x.copy()
    function.at(out, indices, values)
    return out


def _put(x, values, indices):
    """A copy with values written at places along the first axis."""
    out = x.copy()
    out[indices] = values
    return out


def _place_diagonal(values, shape, k):
    """Zeros of this shape with values on the k-th diagonal of the last two axes."""
    out = np.zeros(shape, values.dtype)
    i = np.arange(values.shape[-1])
    out[..., i + max(-k, 0), i + max(k, 0)] = values
    return out


def _windows(x, axis, window, stride=None, dilation=None):
    """A view of every window along these axes; the places in a window are the last axes."""
    dilation = dilation or (1,) * len(axis)
    span = [(w - 1) * d + 1 for w, d in zip(window, dilation, strict=True)]
    index = [slice(None)] * x.ndim + [slice(None, None, d) for d in dilation]
    for a, step in zip(axis, stride or (), strict=stride is not None):
        index[a] = slice(None, None, step)
    return np.lib.stride_tricks.sliding_window_view(x, span, axis)[tuple(index)]


def _fold(values, shape, axis, window, stride=None, dilation=None, out=None):
    """Zeros of this shape, with every window added where it stands."""
    if out is None:
        out = np.empty(shape, values.dtype)
    out.fill(0)
    stride, dilation = stride or (1,) * len(axis), dilation or (1,) * len(axis)
    index = [slice(None)] * out.ndim
    for place in np.ndindex(*window):
        for a, i, step, d in zip(axis, place, stride, dilation, strict=True):
            index[a] = slice(i * d, i * d + step * (values.shape[a] - 1) + 1, step)
        out[tuple(index)] += values[(..., *place)]
    return out


def _weave(parts, shape, axis, window, out=None):
    """Parts of windows side by side, each where it belongs; zeros behind the last window."""
    if out is None:
        out = np.empty(shape, parts[0].dtype)
    index = [slice(None)] * out.ndim
    for part, place in zip(parts, np.ndindex(*window), strict=True):
        for a, i, w in zip(axis, place, window, strict=True):
            index[a] = slice(i, part.shape[a] * w, w)
        out[tuple(index)] = part
    _clear(out, axis, window)
    return out


def _clear(out, axis, window):
    """Zeros behind the last of the windows that stand side by side."""
    for a, w in zip(axis, window, strict=True):
        covered = out.shape[a] // w * w
        if covered < out.shape[a]:
            out[(slice(None),) * a + (slice(covered, None),)] = 0


def _cofactor(x):
    """The cofactors of square matrices, singular ones included: by singular values, each left out in turn."""
    finite = np.isfinite(x).all(axis=(-2, -1), keepdims=True)  # LAPACK may never return from an infinity
    u, s, vt = np.linalg.svd(np.where(finite, x, 0))
    n = x.shape[-1]
    others = np.where(np.eye(n, dtype=bool), x.dtype.type(1), s[..., None, :]).prod(axis=-1)
    sign = np.linalg.det(u) * np.linalg.det(vt)
    return np.where(finite, (u * (sign[..., None] * others)[..., None, :]) @ vt, np.nan)


def _eigh(x):
    """Eigenvalues of symmetric matrices, and under them the eigenvectors, as columns."""
    values, vectors = np.linalg.eigh(x)
    return np.concatenate([values[..., None, :], vectors], axis=-2)


def _no_infinity(x):
    """nan for infinities: LAPACK refuses a nan, but may never return from an infinity."""
    return np.where(np.isinf(x), np.nan, x)


def _pinv(x, rtol):
    """The pseudo-inverse of matrices."""
    return np.linalg.pinv(_no_infinity(x), rtol)


def _svd(x):
    """Singular values, and under them the left and the right vectors, as columns."""
    left, values, right = np.linalg.svd(_no_infinity(x), full_matrices=False)
    return np.concatenate([values[..., None, :], left, right.swapaxes(-1, -2)], axis=-2)


def _qr(x):
    """Orthogonal columns, and under them the transpose of the triangle: Q and R transposed."""
    q, r = np.linalg.qr(x)
    return np.concatenate([q, r.swapaxes(-1, -2)], axis=-2)


def _recurrence(a, b, axis):
    """y[i] = a[i] * y[i - 1] + b[i] along an axis."""
    y = np.array(b)
    rows, factors = np.moveaxis(y, axis, 0), np.moveaxis(a, axis, 0)
    for i in range(1, len(rows)):
        rows[i] += factors[i] * rows[i - 1]
    return y


def _quantile_weights(x, q, axis):
    """Weights along an axis whose product with x sums to its quantile q."""
    last = x.shape[axis] - 1
    low = int(q * last)
    order = np.argsort(x, axis=axis, kind="stable")
    y = np.zeros_like(x)
    for place, weight in ((low, 1 - (q * last - low)), (min(low + 1, last), q * last - low)):
        if weight:
            np.put_along_axis(y, np.take(order, [place], axis=axis), weight, axis=axis)
    return y


def _bernoulli(generator, shape, keep, out=None):
    """True with probability keep / 65536, from 16 raw bits a value, 32768 values at a time."""
    out = np.empty(shape, np.bool_) if out is None else out
    flat, draw = out.reshape(-1), generator.bit_generator.random_raw
    for i in range(0, flat.size, 32768):
        piece = flat[i : i + 32768]
        np.less(draw(-(-piece.size // 4)).view(np.uint16)[: piece.size], keep, out=piece)
    return out


def _name_seed(name):
    """A stable number for a name, mixed with the seed."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")


def _noise(like, seed, step, name):
    """Standard normal values, the same whenever seed, step and name are."""
    generator = np.random.Generator(np.random.SFC64([seed, step, _name_seed(name)]))
    return np.asarray(generator.standard_normal(np.shape(like), like.dtype), like.dtype)[()]
