"""The maximum of very many very short rows goes through a copy with the axis in front, and is the same."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc.ops.kernels import _argmax_one_hot


def values(*shape):
    found = np.random.default_rng(0).integers(0, 3, shape).astype(np.float32)  # many ties
    found[3, 2, 1], found[4, 2, 0], found[4, 2, 1] = np.nan, np.nan, np.nan
    return found


@pytest.mark.parametrize("layout", ["fresh", "planned"])
def test_a_maximum_of_short_rows_is_the_maximum(layout):
    x = gx.input("x", ("n", 70, 4))
    program = gx.compile(gx.max(x, axis=2), layout=layout)
    assert ".copy()" in program.source
    array = values(50, 70, 4)
    np.testing.assert_array_equal(program(array), array.max(axis=2))


@pytest.mark.parametrize("shape", [("n", 10), ("n", 3, 4), ("n", 70, 17), (100, "n")])
def test_other_rows_are_reduced_as_they_are(shape):
    assert ".copy()" not in gx.compile(gx.max(gx.input("x", shape), axis=-1)).source


def test_the_middle_axis_and_one_that_stays_are_reduced_as_they_are():
    x = gx.input("x", (100, 4, 100))
    assert ".copy()" not in gx.compile([gx.max(x, axis=1), gx.max(x, axis=2, keepdims=True)]).source


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_first_of_equal_maxima_is_marked(axis):
    array = values(60, 70, 4)[:, :, : (4 if axis == 2 else 3)]
    array = array[:16] if axis == 0 else array
    array = np.concatenate([array] * 2, axis=1) if axis != 1 else array[:, :14].repeat(30, axis=2)
    assert array.size >= 4096
    expected = np.zeros_like(array)
    np.put_along_axis(expected, array.argmax(axis=axis, keepdims=True), 1, axis=axis)
    found = _argmax_one_hot(array, axis)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == array.dtype
    assert found.flags.c_contiguous
