# The text of these functions is copied into generated listings, so they carry no annotations.
# mypy: ignore-errors
"""NumPy helpers that move values, for generated listings."""

import hashlib
import math

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


def _bernoulli(generator, shape, keep):
    """True with probability keep / 65536, from 16 raw bits a value."""
    count = math.prod(shape)
    bits = generator.bit_generator.random_raw(-(-count // 4)).view(np.uint16)[:count]
    return (bits < keep).reshape(shape)


def _name_seed(name):
    """A stable number for a name, mixed with the seed."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
