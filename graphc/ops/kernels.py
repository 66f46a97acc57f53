# mypy: disable-error-code="no-untyped-def, assignment"
# (The text of these functions is copied into generated listings, where annotations would be noise.)
"""Functions NumPy lacks, in plain vectorised NumPy.

A generated program that needs one of these carries its source text, so each function uses nothing but ``np``
and its own arguments. All take float arrays of any rank (rank 0 included) and keep the dtype; none warns.
The comment above a function, which no listing carries, is its worst error against mpmath, measured with
NumPy 2.4 on an AVX-512 machine and rounded up: float32, then float64, in units of eps * max(1, |f|), and in
brackets in units in the last place. It is over 19,000 or more points of all magnitudes; for functions of an
axis, over normal rows of 2 to 1000 elements of scale 0.001 to 300.
"""

import numpy as np


# 0.84 (2.6), 0.53 (1.8)
# fmt: off
def _erf(x):
    """Error function: sign(x) * (1 - exp(-h)), where h = -log(erfc(|x|))."""
    # With a = |x|, h = a * (a * p(a) / q(a) + 2/sqrt(pi)): a minimax fit up to where erf has
    # rounded to 1. All coefficients are positive (nothing cancels); q is held as -q, so h
    # becomes -h for free.
    if x.dtype == np.float32:
        top = 4.0
        p = (3.509447909e-4, 0.09338264121, 0.4124209262, 0.6366210368)
        q = (-0.09806754205, -0.4864219331, -1.0)
    else:
        top = 6.0
        p = (1.5580900755445459e-4, 4.5316893709160858e-3, 0.043034060092444366,
             0.21488768662288558, 0.64751379050099182, 1.2073279210060715, 1.3108209533760903,
             0.63661977236759007)
        q = (-1.5582900702409027e-4, -4.7047166760738873e-3, -0.047590851585731065,
             -0.25295396155187286, -0.81290517556134244, -1.6201747659323546,
             -1.8975979108878296, -1.0)
    a = np.minimum(np.abs(x), top)
    h = np.full_like(a, p[0])
    for c in p[1:]:
        h *= a
        h += c
    d = np.full_like(a, q[0])
    for c in q[1:]:
        d *= a
        d += c
    h *= a
    h /= d
    h -= 1.1283791670955126
    h *= a
    np.expm1(h, out=h)
    return np.copysign(h, x, out=h)[()]
# fmt: on


# 0.73 (3.3), 0.73 (2.1)
def _sigmoid(x):
    """1 / (1 + exp(-x)), accurate to the last subnormal of the left tail."""
    e = np.exp(-np.abs(x))
    y = np.maximum(e, x >= 0)  # exp(min(x, 0)): 1 on the right, e on the left
    e += 1.0
    y /= e
    return y


# 1.0 (2.7), 0.73 (1.5)
def _softplus(x):
    """log(1 + exp(x)) without overflow."""
    y = np.log1p(np.exp(-np.abs(x)))
    y += np.maximum(x, 0.0)
    return y


# 0.81, 1.1
def _logsumexp(x, axis, keepdims):
    """log(sum(exp(x))) over an axis or a tuple of axes, shifted by the maximum."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        m = np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)
        y = m + np.log(np.add.reduce(np.exp(x - m), axis=axis, keepdims=True))
    y = np.fmax(y, m)  # never below the maximum; where m is infinite, y is nan and m is the value
    return y if keepdims else y.squeeze(axis)[()]


# 1.4, 1.9
def _softmax(x, axis):
    """exp(x) / sum(exp(x)) over an axis, shifted by the maximum; nan where the maximum is infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(x - np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf))
    e /= np.add.reduce(e, axis=axis, keepdims=True)
    return e


# 1.7, 1.9
def _log_softmax(x, axis):
    """Logarithm of softmax, x - logsumexp(x); nan where the maximum is infinite."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        y = x - np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)
        y -= np.log(np.add.reduce(np.exp(y), axis=axis, keepdims=True))
    return y


# measured with _softplus: the products add nothing that cancels
def _sigmoid_cross_entropy(x, t):
    """softplus(x) - t x, without their difference: log1p(exp(-|x|)) + ([x > 0] - t) x."""
    return np.log1p(np.exp(-np.abs(x))) + ((x > 0) - t) * x


# 1.2 (2.9), 0.88 (1.4)
def _xlogx(x):
    """The product x * log(x), 0 at 0, nan below."""
    with np.errstate(over="ignore", invalid="ignore"):
        return x * np.log(x + (x == 0))


# 0.93, 0.66
def _xlogy(x, y):
    """The product x * log(y), 0 where x is 0 and y is a number."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        return np.where((x == 0) & (y == y), 0.0, x * np.log(y))[()]


# 1.1 (3.4), 0.71 (1.4)
def _log1mexp(x):
    """log(1 - exp(x)) for x <= 0, by whichever of two forms is accurate: they meet at -log(2)."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        return np.where(x > -0.6931471805599453, np.log(-np.expm1(x)), np.log1p(-np.exp(x)))[()]


def _one_hot(t, n, dtype):
    """Rows of the n x n identity picked by the integer labels t: shape t.shape + (n,)."""
    if n <= 64:
        return np.eye(n, dtype=dtype).take(t, axis=0)
    rows = np.zeros((t.size, n), dtype=dtype)
    rows[np.arange(t.size), t.reshape(-1)] = 1
    return rows.reshape((*t.shape, n))


def _argmax_one_hot(x, axis):
    """1 at the first maximum along an axis, 0 elsewhere, in the shape and dtype of x."""
    y = np.zeros_like(x)
    np.put_along_axis(y, x.argmax(axis=axis, keepdims=True), 1, axis=axis)
    return y
