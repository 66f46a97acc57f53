"""Kernels as plain Python, without a compiler: what stands together, what is stored, and what each value is."""

from __future__ import annotations

import random
import sys
from dataclasses import replace

import numpy as np
import pytest

import graphc as gx
from graphc.runtime import compiled
from graphc.runtime.program import Program
from graphc.stages import emit
from tests.golden.models import MODELS
from tests.programs.compare import Comparison, called, forms_as_written, in_buffers, oracle, outcome
from tests.programs.generator import make_program
from tests.programs.table import ROWS

pytestmark = [
    pytest.mark.skipif(
        not compiled.has_numba(), reason='Numba is not installed: pip install "graphc[numba]"'
    ),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]


@pytest.fixture(autouse=True)
def uncompiled(tmp_path, monkeypatch):
    """Kernels as the functions that they are written as, which takes no time to compile."""
    from numba import config

    monkeypatch.setattr(config, "DISABLE_JIT", True)
    monkeypatch.setenv("GRAPHC_CACHE", str(tmp_path))
    forget()
    yield
    forget()


def forget():
    """Kernels of another test are not those of this one."""
    for name in [n for n in sys.modules if n.startswith("graphc_kernels_")]:
        del sys.modules[name]


def in_kernels(program, products):
    plan = replace(program.plan, layout="planned", products=products)
    return Program(program.declared, plan, emit(plan, "numba"), program.trace)


def compared(seed):
    """A random program: at exact the bits of its buffers, twice and with nan and inf; at default near the oracle."""
    draw = random.Random(seed)
    names = [draw.choice(list(ROWS)) for _ in range(draw.randrange(2, 7))]
    program = make_program([(name, draw.randrange(1 << 16)) for name in names], seed)
    one = Comparison(program, seed)
    graph = one.graph("exact")
    one.oracle = outcome(lambda: oracle(graph, program.mode, one.values, seed))
    if isinstance(one.oracle, str):
        return
    with forms_as_written():
        exact = gx.compile(graph, mode=program.mode, level="exact")
        default = gx.compile(one.graph("default"), mode=program.mode)
    special = program.values(seed, special=True) | {
        str(u.name): one.values[str(u.name)] for u in one.directions
    }
    same(in_buffers(exact, products=False), in_kernels(exact, False), one.values, special, seed)
    one.near(one.oracle, called(in_kernels(default, True), one.values, seed), "kernels at default")


def same(program, other, values, special, seed):
    for given in (values, special, values):
        wanted = outcome(lambda given=given: called(program, given, seed))
        got = outcome(lambda given=given: called(other, given, seed))
        if isinstance(wanted, str) or isinstance(got, str):
            assert wanted == got
            continue
        for one, two in zip(wanted, got, strict=True):
            assert np.asarray(one).dtype == np.asarray(two).dtype
            np.testing.assert_array_equal(two, one)


# 13: two names of one buffer; 152: a matrix and its transpose; 214: the row of one label; 5: a sum that is reshaped;
# 1085: a function of arrays with the name of one of numbers; 2064: columns of one row; 3508: one-hot rows of integers
@pytest.mark.parametrize("seed", [5, 13, 152, 214, 1085, 2064, 3508])
def test_random_programs(seed):
    compared(seed)


@pytest.mark.full
def test_many_random_programs():
    for seed in range(2000, 2120):
        compared(seed)


def values_after(model, optimizer, target, batches):
    model.target = target
    module = model.module(optimizer)
    rng = module.make_rng(1) if "make_rng" in module.functions else None
    values, losses = module.init(0), []
    for arrays in batches:
        *values, loss = module.train_step(*values, *arrays, rng=rng)
        losses.append(float(loss))
    return losses, values, module


def batch_for(model, rows, draw):
    arrays = []
    for leaf in (n for n in model.graph.leaves("input") if str(model.graph.name_of(n)) in model.train_inputs):
        shape = tuple(rows if not isinstance(d, int) else d for d in leaf.shape)
        arrays.append(
            draw.normal(size=shape).astype(leaf.dtype) if leaf.type.is_float else draw.integers(0, 2, shape)
        )
    return arrays


@pytest.mark.parametrize("name", MODELS)
def test_golden_models_learn_the_same(name):
    draw = np.random.default_rng(0)
    model, optimizer = MODELS[name]()
    batches = [batch_for(model, rows, draw) for rows in (8, 8, 5, 8)]
    losses, values, _ = values_after(model, optimizer, "numpy", batches)
    others, changed, module = values_after(model, optimizer, "numba", batches)
    assert "@kernel" in module.source.text
    np.testing.assert_allclose(others, losses, rtol=1e-4)
    for one, other in zip(values, changed, strict=True):
        for key in one:
            np.testing.assert_allclose(other[key], one[key], rtol=1e-3, atol=1e-4, err_msg=key)


def test_the_largest_of_a_wide_row_is_nan_where_numpy_says_so():
    x = gx.input("x", ("n", 40))
    program = gx.compile([gx.max(x, axis=1), x - gx.max(x, axis=1, keepdims=True)], target="numba")
    assert "_rank(" in program.source
    values = np.random.default_rng(0).normal(size=(8, 40)).astype("float32")
    values[0, 3], values[1, 5] = np.nan, np.copysign(np.nan, -1)
    values[2], values[3, 0], values[4], values[5] = -np.inf, np.inf, -0.0, -3
    values[6, 0], values[6, 1] = np.inf, np.nan
    np.testing.assert_array_equal(program(values)[0], values.max(axis=1))


@pytest.mark.parametrize("name", ["f4", "i", "j", "offset", "start", "rank", "range", "njit"])
def test_an_input_or_a_size_with_a_name_that_a_kernel_uses(name):
    draw = np.random.default_rng(0)
    values = draw.normal(size=(4, 5)).astype("float32"), draw.normal(size=5).astype("float32")
    for x, b in [
        (gx.input(name, ("n", 5)), gx.input("b", (5,))),
        (gx.input("x", ("n", name)), gx.input("b", (name,))),
        (gx.input("x", (name, 5)), gx.input("b", (5,))),
    ]:
        y = gx.exp(x + b) * gx.tanh(x)
        outs = [y / gx.sum(y, axis=1, keepdims=True), gx.sum(gx.tanh(x) * x), gx.sum(y)]
        program = gx.compile(outs, target="numba")
        assert "@kernel" in program.source
        for one, two in zip(gx.compile(outs)(*values), program(*values), strict=True):
            np.testing.assert_allclose(two, one, rtol=1e-4, atol=1e-5)
