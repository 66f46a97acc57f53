"""No silent float64 in a float32 program: every intermediate has the dtype that its node declares."""

from __future__ import annotations

import sys
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import graphc as gx
from graphc.codegen import statements
from graphc.ops.card import pointwise
from tests.programs.generator import programs

RANDOM = np.random.default_rng(0)


def locals_of(program, values):
    """Every local variable of one call of the generated function."""
    found = {}
    filename = program.function.__code__.co_filename

    def trace(frame, event, _):
        if frame.f_code.co_filename != filename or frame.f_code.co_name != program.name:
            return None
        if event == "return":
            found.update(frame.f_locals)
        return trace

    previous = sys.gettrace()
    sys.settrace(trace)
    try:
        with np.errstate(all="ignore"):
            program(**values)
    finally:
        sys.settrace(previous)
    return found


def wrong_locals(program, values):
    """Statements whose value has another dtype than their node."""
    found = locals_of(program, values)
    assert found
    named = {s.name: s.node for s in program.emitted.statements}
    assert set(named) <= set(found)
    return [
        f"{name}: {np.asarray(found[name]).dtype.name} is no {node.dtype}"
        for name, node in named.items()
        if np.asarray(found[name]).dtype.name != node.dtype
    ]


@contextmanager
def one_node_a_line():
    """Inside, the listing gives every node a line, so that nothing hides inside an expression."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statements, "MAX_INLINE", -1)
        yield


def wrong_everywhere(outputs, values, level="default"):
    """Wrong dtypes in the listing as it is, and in the one with a line for every node."""
    wrong = wrong_locals(gx.compile(outputs, level=level), values)
    with one_node_a_line():
        return wrong + wrong_locals(gx.compile(outputs, level=level), values)


def network(dtype, layers=2):
    x, t = gx.input("x", ("n", 5), dtype=dtype), gx.input("t", ("n",), dtype="int64")
    rate = gx.hyper("rate", 0.1, dtype=dtype)
    A, b = gx.param("A", (5, 4), dtype=dtype), gx.param("b", (4,), dtype=dtype)
    C = gx.param("C", (4, 3), dtype=dtype)
    h = x @ A + b
    for f in (gx.tanh, gx.gelu, gx.silu, gx.elu, gx.leaky_relu, gx.relu, gx.softplus, gx.sigmoid, gx.erf):
        h = f(h) + h * 0.1
    p = gx.softmax(h @ C)
    loss = -gx.mean(gx.log(p[:, 0])) + gx.mean(
        gx.sum(gx.one_hot(t, 3, dtype=dtype) * gx.log_softmax(h @ C), axis=1)
    )
    loss = (
        loss
        + 1e-3 * gx.sum(gx.square(A))
        + gx.var(h)
        + gx.mean(t) * gx.size(x, 0)
        + gx.sum(gx.max(h, axis=1))
    )
    grads = gx.grad(loss, [A, b, C])
    steps = [w - rate * g / (gx.sqrt(gx.square(g)) + 1e-8) for w, g in zip([A, b, C], grads, strict=True)]
    return [loss, p, *grads, *steps]


def network_values(dtype):
    shapes = {"x": (6, 5), "A": (5, 4), "b": (4,), "C": (4, 3)}
    return {n: RANDOM.normal(size=s).astype(dtype) for n, s in shapes.items()} | {
        "t": np.arange(6) % 3,
        "rate": 0.1,
    }


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("level", ["exact", "default", "fast"])
def test_every_line_of_a_network_has_its_dtype(dtype, level):
    outputs, values = network(dtype), network_values(dtype)
    program = gx.compile(outputs, level=level)
    assert wrong_everywhere(outputs, values, level) == []
    assert {np.asarray(v).dtype.name for v in program(**values)} == {dtype}


def test_no_node_of_a_float32_program_is_float64():
    program = gx.compile(network("float32"))
    assert not [n.op.name for n in program.graph.nodes if n.dtype == "float64"]


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(programs("float32"), st.integers(0, 1000))
def test_every_line_of_random_programs_is_float32(program, seed):
    assume(not gx.graph_of(program.loss).sites)
    outputs = [program.loss, *program.outputs, *gx.grad(program.loss, list(program.wrt)), *program.leaves]
    assert wrong_everywhere(outputs, program.values(seed)) == []


def test_a_widening_template_is_found():
    wide = pointwise("wide", "tanh(x)", "np.tanh({x}).astype(np.float64)")
    x = gx.input("x", ("n",))
    y = gx.astype(wide(x) > 0.0, "float32").named("y")
    values = {"x": np.ones(3, np.float32)}
    assert wrong_locals(gx.compile(y), values) == []
    assert wrong_everywhere(y, values) == ["wide: float64 is no float32"]
    assert wrong_locals(gx.compile(wide(x).named("z")), values) == ["z: float64 is no float32"]


def test_a_line_for_every_node_leaves_none_out():
    with one_node_a_line():
        program = gx.compile(network("float32"))
    lines = {s.node for s in program.emitted.statements}
    without = [n for n in program.graph.nodes if n.op.kind != "leaf" and n not in lines]
    assert all(n.op.name == "transpose" and n.inputs[0].op.kind == "leaf" for n in without)


@pytest.mark.parametrize("name", ["sum", "mean", "max"])
def test_rank_0_results_are_numpy_scalars_of_their_dtype(name):
    x = gx.input("x", ("n",))
    value = gx.compile(getattr(gx, name)(x))(np.ones(3, np.float32))
    assert type(value) is np.float32


def test_python_numbers_never_widen():
    x = gx.input("x", (3,))
    for node in (x + 1, 2.5 * x, x / 3, x**2.5, gx.maximum(x, 0), gx.where(x > 0, x, 1), x + True, 1e-8 + x):
        assert node.dtype == "float32"
        assert gx.compile(node)(np.ones(3, np.float32)).dtype == np.float32


def test_integers_take_the_float_they_meet():
    x, t = gx.input("x", (3,)), gx.input("t", (3,), dtype="int64")
    for node in (x + t, t * x, x / t, gx.where(x > 0, t, x), t / t, gx.exp(t), gx.mean(t)):
        assert node.dtype == "float32"
        values = {"x": np.ones(3, np.float32), "t": np.ones(3, np.int64)}
        names = [n.name for n in gx.graph_of(node).arguments]
        assert gx.compile(node)(**{n: values[n] for n in names}).dtype == np.float32
