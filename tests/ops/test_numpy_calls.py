"""NumPy's own functions on nodes build nodes; a node never becomes an array by accident."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx


@pytest.mark.parametrize("name", ["sin", "exp", "tanh", "sqrt", "log1p", "absolute", "negative", "square"])
def test_ufuncs_are_the_operations(name):
    x = gx.input("x", (3,))
    ours = {"absolute": "abs"}.get(name, name)
    assert getattr(np, name)(x) is getattr(gx, ours)(x)


@pytest.mark.parametrize(
    "name", ["add", "subtract", "multiply", "divide", "maximum", "power", "matmul", "greater"]
)
def test_arrays_meet_nodes_on_either_side(name):
    array = np.arange(1.0, 4.0, dtype=np.float32)
    x = gx.input("x", (3,))
    left, right = getattr(np, name)(array, x), getattr(np, name)(x, array)
    data = np.float32([3, 1, 2])
    got = gx.compile([left, right])(data)
    function = getattr(np, name)
    assert np.allclose(got[0], function(array, data))
    assert np.allclose(got[1], function(data, array))


def test_operators_with_arrays_and_numpy_scalars():
    x = gx.input("x", (2,))
    for node in (np.float32([1, 2]) * x, np.float64(2) * x, x - np.float32([1, 2])):
        assert node.dtype == "float32"


REFUSED = {
    "an array": lambda x: np.asarray(x),
    "a reduction": lambda x: np.add.reduce(x),
    "an out": lambda x: np.sin(x, out=np.zeros(3)),
    "a ufunc that graphc has not": lambda x: np.frexp(x),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_is_said(what):
    with pytest.raises(gx.GraphcError):
        REFUSED[what](gx.input("x", (3,)))
