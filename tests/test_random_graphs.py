"""Random graphs: what is compiled agrees with the oracle at every level, and gradients with differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import graphc as gx
from graphc.check import check_grad
from graphc.ir.verify import verify
from graphc.rewrite.pipeline import BEFORE_GRADIENT, SIMPLIFY, TO_CODE, run
from graphc.runtime.interpret import interpret, interpret_nodes
from tests.graphs import programs

FEW = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
MANY = settings(FEW, max_examples=300)
SEEDS = st.integers(0, 2**20)


def same_bits(left, right):
    """Equal in dtype, shape and bits; any nan equals any nan."""
    a, b = np.asarray(left), np.asarray(right)
    assert (a.dtype, a.shape) == (b.dtype, b.shape)
    np.testing.assert_array_equal(a, b)
    nan = np.isnan(a)
    np.testing.assert_array_equal(np.signbit(a)[~nan], np.signbit(b)[~nan])


def close(left, right, largest):
    """Equal up to rounding, on the scale of the largest number on the way."""
    assert np.shape(left) == np.shape(right)
    assert np.all(np.abs(left - right) <= 1e4 * np.finfo("float64").eps * max(1.0, largest))


def outputs_of(program, level):
    return [program.loss, *program.outputs, *gx.grad(program.loss, list(program.leaves), level)]


def agrees_exactly(program, seed):
    """At ``exact`` the program and the oracle give the same bits, also on nan and infinities."""
    graph = gx.graph_of(outputs_of(program, "exact"))
    compiled = gx.compile(graph, level="exact")
    for special in (False, True):
        values = program.values(seed, special)
        with np.errstate(all="ignore"):
            for got, want in zip(compiled(**values), interpret(graph, values), strict=True):
                same_bits(got, want)


def agrees(program, seed, level):
    """Elsewhere they agree up to rounding, on the scale of what is computed on the way."""
    graph = gx.graph_of(outputs_of(program, "exact"))
    values = program.values(seed)
    with np.errstate(all="ignore"):
        nodes = interpret_nodes(graph, values)
        got = gx.compile([program.loss, *program.outputs], level=level)(**values)
        stable = gx.compile(outputs_of(program, level), level=level)(**values)
    largest = max(float(np.max(np.abs(v), initial=0.0)) for n, v in nodes.items() if n.type.is_float)
    wanted = [nodes[x] for x in graph.outputs]
    for left, right in zip(got, wanted, strict=False):
        close(left, right, largest)
    for left, right in zip(stable, wanted, strict=True):
        close(left, right, largest)


def has_right_gradients(program, seed):
    report = check_grad(program.loss, list(program.leaves), program.values(seed), tolerance=1e-6, elements=3)
    assert report.ok, report


def passes_hold(program):
    """Each pass: valid in, valid out, same arguments, and nothing left to do the second time."""
    graph = gx.graph_of(outputs_of(program, "default"))
    for passes in (
        BEFORE_GRADIENT[:1],
        BEFORE_GRADIENT[:2],
        SIMPLIFY[:1],
        SIMPLIFY[1:2],
        SIMPLIFY[2:],
        TO_CODE,
    ):
        for level in ("exact", "default", "fast"):
            once = run(graph, passes, level)
            assert verify(once).arguments == graph.arguments
            assert [x.type for x in once.outputs] == [x.type for x in graph.outputs]
            assert run(once, passes, level).outputs == once.outputs


@FEW
@given(programs(), SEEDS)
def test_exact_programs_give_the_oracles_bits(program, seed):
    agrees_exactly(program, seed)


@FEW
@given(programs("float32"), SEEDS)
def test_exact_programs_give_the_oracles_bits_in_float32(program, seed):
    agrees_exactly(program, seed)


@pytest.mark.parametrize("level", ["default", "fast"])
@FEW
@given(programs(), SEEDS)
def test_programs_agree_with_the_oracle(level, program, seed):
    agrees(program, seed, level)


@settings(FEW, max_examples=30)
@given(programs(most=6), SEEDS)
def test_gradients_agree_with_differences(program, seed):
    has_right_gradients(program, seed)


@settings(FEW, max_examples=15)
@given(programs())
def test_passes_keep_graphs_valid_and_are_idempotent(program):
    passes_hold(program)


@pytest.mark.full
@MANY
@given(programs(most=16), SEEDS)
def test_many_exact_programs(program, seed):
    agrees_exactly(program, seed)


@pytest.mark.full
@MANY
@given(programs(most=14), SEEDS)
def test_many_programs(program, seed):
    for level in ("default", "fast"):
        agrees(program, seed, level)


@pytest.mark.full
@settings(MANY, max_examples=150)
@given(programs(most=9), SEEDS)
def test_many_gradients(program, seed):
    has_right_gradients(program, seed)
