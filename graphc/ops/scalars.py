# mypy: ignore-errors
# The text of these functions is copied into listings for Numba, where each stands under @njit.
"""Functions of one number, for kernels: without a branch or a table, so that a loop over them is vectorised.

The float32 forms are polynomials after Cephes (S. L. Moshier, `expf`, `logf`); ``f4`` is ``np.float32``. The comment
above a function is its worst error in units in the last place, over every seventh float32 of its domain, rounded up,
on a machine with fused multiply-add; subnormal results are within one subnormal.
"""

import math

import numpy as np

f4 = np.float32


# 1.1
def _exp(x):
    """e**x as 2**n e**r with |r| <= log(2) / 2; 2**n in two factors, for subnormal results."""
    x = f4(89.0) if x > f4(89.0) else x
    x = f4(-104.0) if x < f4(-104.0) else x
    shifted = x * f4(1.44269504) + f4(12582912.0)  # 1.5 * 2**23: rounds to a whole number
    n = shifted - f4(12582912.0)
    i = np.int32(np.float32(shifted).view(np.int32) - np.int32(0x4B400000))
    r = x - n * f4(0.693359375) + n * f4(2.12194440e-4)
    p = f4(1.9875691500e-4) * r + f4(1.3981999507e-3)
    p = p * r + f4(8.3334519073e-3)
    p = p * r + f4(4.1665795894e-2)
    p = p * r + f4(1.6666665459e-1)
    p = p * r + f4(5.0000001201e-1)
    y = p * (r * r) + r + f4(1.0)
    half = np.int32(i >> np.int32(1))
    low = np.int32(np.int32(half + np.int32(127)) << np.int32(23)).view(np.float32)
    high = np.int32(np.int32(i - half + np.int32(127)) << np.int32(23)).view(np.float32)
    return y * low * high


# 1.1
def _expm1(x):
    """e**x - 1 as 2**n (e**r - 1) + (2**n - 1)."""
    x = f4(89.0) if x > f4(89.0) else x
    x = f4(-20.0) if x < f4(-20.0) else x
    shifted = x * f4(1.44269504) + f4(12582912.0)
    n = shifted - f4(12582912.0)
    i = np.int32(np.float32(shifted).view(np.int32) - np.int32(0x4B400000))
    r = x - n * f4(0.693359375) + n * f4(2.12194440e-4)
    p = f4(1.9875691500e-4) * r + f4(1.3981999507e-3)
    p = p * r + f4(8.3334519073e-3)
    p = p * r + f4(4.1665795894e-2)
    p = p * r + f4(1.6666665459e-1)
    p = p * r + f4(5.0000001201e-1)
    half = np.int32(np.int32(i + np.int32(126)) << np.int32(23)).view(
        np.float32
    )  # 2**(n - 1), as 2**128 is none
    y = (p * (r * r) + r) * half + (half - f4(0.5))
    return y + y


# 0.9
def _log(x):
    """log(x) as log(m) + n log(2) with m from sqrt(1/2) to sqrt(2)."""
    tiny = x < f4(1.1754944e-38)
    bits = np.float32(x * f4(8388608.0) if tiny else x).view(np.int32)
    i = np.int32(np.int32(bits - np.int32(0x3F3504F3)) >> np.int32(23))
    f = np.int32(bits - np.int32(i << np.int32(23))).view(np.float32) - f4(1.0)
    n = f4(i) - (f4(23.0) if tiny else f4(0.0))
    z = f * f
    p = f4(7.0376836292e-2) * f - f4(1.1514610310e-1)
    p = p * f + f4(1.1676998740e-1)
    p = p * f - f4(1.2420140846e-1)
    p = p * f + f4(1.4249322787e-1)
    p = p * f - f4(1.6668057665e-1)
    p = p * f + f4(2.0000714765e-1)
    p = p * f - f4(2.4999993993e-1)
    p = p * f + f4(3.3333331174e-1)
    y = (p * f) * z - n * f4(2.12194440e-4) - f4(0.5) * z
    y = f + y + n * f4(0.693359375)
    y = y if x < f4(np.inf) else x
    y = y if x > f4(0.0) else f4(np.nan)
    return f4(-np.inf) if x == f4(0.0) else y


def _log1p(x):
    """log(1 + x): what is lost in 1 + x is brought back."""
    w = f4(1.0) + x
    y = _log(w)
    lost = (x - (w - f4(1.0))) / w
    return y + (lost if abs(y) < f4(np.inf) else f4(0.0))


def _tanh(x):
    """-t / (2 + t) with t = e**(-2 |x|) - 1."""
    a = f4(abs(x))
    t = _expm1(f4(-2.0) * a)
    return f4(math.copysign(t / (t + f4(2.0)), x))


def _logistic(x):
    """1 / (1 + e**-x), by e**x on the left, accurate to the last subnormal."""
    e = _exp(f4(-abs(x)))
    return (f4(1.0) if x >= f4(0.0) else e) / (f4(1.0) + e)


def _log1p_exp(x):
    """log(1 + e**x) without overflow: max(x, 0) + log(1 + u) with u = e**-|x|, a polynomial for u from 0 to 1."""
    u = _exp(f4(-abs(x)))
    p = f4(0.00287388382) * u - f4(0.0175122432)
    p = p * u + f4(0.0499311797)
    p = p * u - f4(0.0920296311)
    p = p * u + f4(0.130713284)
    p = p * u - f4(0.163785085)
    p = p * u + f4(0.199593559)
    p = p * u - f4(0.249970242)
    p = p * u + f4(0.333332479)
    p = p * u - f4(0.5)
    return max(x, f4(0.0)) + (u + u * u * p)


def _maximum(x, y):
    """The larger one; nan where one is nan."""
    return x if x >= y or x != x else y


def _minimum(x, y):
    """The smaller one; nan where one is nan."""
    return x if x <= y or x != x else y


def _where(condition, x, y):
    """One of two numbers."""
    return x if condition else y


def _plus(x, y):
    """A sum that may be added up in another order."""
    return x + y


def _rank(x):
    """The whole number that has the place of x among all: the largest is found in it without a branch."""
    bits = np.float32(x).view(np.int32)
    return np.int32(bits ^ np.int32(np.int32(bits >> np.int32(31)) & np.int32(0x7FFFFFFF)))


def _of_ranks(highest, lowest):
    """The largest of numbers by their ranks; nan where the highest or the lowest is one."""
    rank = highest if lowest >= np.int32(-2139095041) else np.int32(0x7FC00000)
    return np.int32(rank ^ np.int32(np.int32(rank >> np.int32(31)) & np.int32(0x7FFFFFFF))).view(np.float32)
