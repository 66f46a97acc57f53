"""Functions of one number, for kernels: their worst error, and what they are where numbers end."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest

from graphc.codegen.scalar import CONTRACT, EVERYWHERE, POLYNOMIALS, scalar_sources
from graphc.ops import scalars
from graphc.ops.template import helper_functions
from graphc.runtime.compiled import has_numba

INF, NAN = math.inf, math.nan
ENDS = {
    "_exp": {0: 1, INF: INF, -INF: 0, 88.8: INF, 89.5: INF, -104.1: 0, 1e38: INF, -1e38: 0},
    "_expm1": {0: 0, INF: INF, -INF: -1, 88.8: INF, -1e38: -1, 1e-40: 1e-40},
    "_log": {0: -INF, 1: 0, INF: INF, -1: NAN, -INF: NAN, -1e-40: NAN},
    "_log1p": {0: 0, -1: -INF, -1.5: NAN, INF: INF, -INF: NAN, 1e-40: 1e-40},
    "_tanh": {0: 0, INF: 1, -INF: -1, 20: 1, -20: -1, 1e-40: 1e-40},
    "_logistic": {0: 0.5, INF: 1, -INF: 0, 100: 1, -200: 0},
    "_log1p_exp": {INF: INF, -INF: 0, 100: 100, -200: 0, 1e38: 1e38},
}
WORST = {
    "_exp": 1.1,
    "_expm1": 1.5,
    "_log": 0.8,
    "_log1p": 1.5,
    "_tanh": 2.6,
    "_logistic": 2.3,
    "_log1p_exp": 1.9,
}
"""Units in the last place, as docs/howto/numba.md says."""

TRUTH = {
    "_exp": "math.exp(x) if not x > 709 else math.inf",
    "_expm1": "math.expm1(x) if not x > 709 else math.inf",
    "_log": "math.log(x) if x > 0 else (-math.inf if x == 0 else math.nan)",
    "_log1p": "math.log1p(x) if x > -1 else (-math.inf if x == -1 else math.nan)",
    "_tanh": "math.tanh(x)",
    "_logistic": "1 / (1 + math.exp(-x)) if not x < -700 else 0.0",
    "_log1p_exp": "math.log1p(math.exp(-abs(x))) + max(x, 0.0)",
}


@pytest.mark.parametrize("name", ENDS)
def test_where_numbers_end(name):
    function = getattr(scalars, name)
    with np.errstate(all="ignore"):
        for x, y in ENDS[name].items():
            got = function(np.float32(x))
            np.testing.assert_array_equal(got, np.float32(y), err_msg=str(x))
        assert np.isnan(function(np.float32(NAN)))


def test_larger_and_smaller_keep_nan():
    for one, other in ((1.0, 2.0), (2.0, 1.0), (NAN, 1.0), (1.0, NAN)):
        pair = np.float32(one), np.float32(other)
        np.testing.assert_array_equal(scalars._maximum(*pair), np.maximum(*pair))
        np.testing.assert_array_equal(scalars._minimum(*pair), np.minimum(*pair))


def test_every_polynomial_has_a_bound():
    assert {*POLYNOMIALS.values()} == {*WORST} == {*ENDS} == {*TRUTH}
    functions = {n for n, f in vars(scalars).items() if inspect.isfunction(f)}
    assert {f for f in (*POLYNOMIALS.values(), *EVERYWHERE.values()) if f.startswith("_")} <= functions


SWEEP = """
@njit(error_model="numpy")
def truth(x):
    return {truth}


@njit(error_model="numpy", fastmath={contract})
def computed(start, step, values):
    for k in range(values.size):
        values[k] = {name}(np.int32(start + step * k).view(np.float32))


@njit(error_model="numpy")
def worst(start, step, values):
    found = 0.0
    for k in range(values.size):
        exact = truth(np.float64(np.int32(start + step * k).view(np.float32)))
        rounded = np.float32(exact)
        if np.isnan(rounded) or np.isinf(rounded):
            same = values[k] == rounded or (np.isnan(values[k]) and np.isnan(rounded))
            # just below the largest number a value may round up
            found = max(found, 0.0 if same else np.inf)
        elif np.isfinite(values[k]):
            unit = 2.0 ** (math.floor(math.log2(max(abs(exact), 1.1754943508222875e-38))) - 23)
            found = max(found, abs(np.float64(values[k]) - exact) / unit)
        elif abs(exact) < 3.4028233e38:
            found = np.inf
    return found
"""


@pytest.mark.full
@pytest.mark.skipif(not has_numba(), reason='Numba is not installed: pip install "graphc[numba]"')
@pytest.mark.parametrize("name", WORST)
def test_worst_error(name):
    """Over every 1021st float32, compiled as kernels are: in a loop that is vectorised, with fused multiply-add."""
    from numba import njit

    space = {"np": np, "math": math, "njit": njit, "f4": np.float32}
    lines = [line for source in scalar_sources(f"{name}(") for line in source]
    text = SWEEP.format(name=name, truth=TRUTH[name], contract=CONTRACT)
    exec("\n".join(lines) + text, space)
    step = 1021
    for start in (0, -(2**31)):
        values = np.empty((2**31 - 1) // step, np.float32)
        space["computed"](start, step, values)
        assert space["worst"](start, step, values) <= WORST[name]


def test_no_function_of_one_number_is_called_as_one_of_arrays():
    assert not {n for n, f in vars(scalars).items() if inspect.isfunction(f)} & {*helper_functions()}
