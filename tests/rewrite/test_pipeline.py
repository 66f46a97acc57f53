"""The pipeline: no pass is load-bearing for correctness, all are idempotent, depth costs no stack."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc import derivatives, stages
from graphc.ir.events import Rebuilt, Rewrite
from graphc.ir.verify import verify
from graphc.rewrite import driver, pipeline
from graphc.rewrite.driver import Trace
from graphc.rewrite.pipeline import BEFORE_GRADIENT, SIMPLIFY, TO_CODE, run
from graphc.rewrite.rule import LEVELS
from graphc.rewrite.rules import rules_of
from graphc.runtime.interpret import interpret

RANDOM = np.random.default_rng(0)


def two_layers():
    x, t = gx.input("x", ("n", 5), dtype="float64"), gx.input("t", ("n",), dtype="int64")
    A, b = gx.param("A", (5, 4), dtype="float64"), gx.param("b", (4,), dtype="float64")
    C = gx.param("C", (4, 3), dtype="float64")
    z = gx.tanh(x @ A + b) @ C
    p = gx.exp(z) / gx.sum(gx.exp(z), axis=1, keepdims=True)
    loss = -gx.mean(gx.sum(gx.one_hot(t, 3, dtype="float64") * gx.log(p), axis=1))
    values = {"x": RANDOM.normal(size=(6, 5)), "t": RANDOM.integers(0, 3, 6)}
    values |= {"A": RANDOM.normal(size=(5, 4)), "b": RANDOM.normal(size=4), "C": RANDOM.normal(size=(4, 3))}
    return loss, [A, b, C], values


def mixed():
    x = gx.input("x", ("n", 4), dtype="float64")
    s = gx.input("s", (4,), dtype="float64")
    y = (
        gx.relu(x / s)
        + gx.softplus(gx.negative(gx.negative(x))) * 1.0
        + gx.gelu(x) ** 2
        - gx.log(1 + gx.exp(x)) * 0.5
    )
    loss = gx.sum(gx.var(y, axis=1)) + gx.mean(gx.logsumexp(y, axis=0)) + gx.sum(gx.max(y, axis=1))
    return loss, [x, s], {"x": RANDOM.normal(size=(6, 4)), "s": RANDOM.uniform(1, 2, 4)}


MODELS = {"two layers": two_layers, "mixed": mixed}
TUPLES = {"BEFORE_GRADIENT": BEFORE_GRADIENT, "SIMPLIFY": SIMPLIFY, "TO_CODE": TO_CODE}
REMOVED = [(name, i) for name, passes in TUPLES.items() for i in range(len(passes))]


def results(model, level="default"):
    loss, wrt, values = model
    outputs = [loss, *gx.grad(loss, wrt, level)]
    return gx.compile(outputs, level=level)(**values), outputs, values


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("name", "i"), [(t, i) for t, i in REMOVED if TUPLES[t][i] is not pipeline.to_code])
def test_the_pipeline_is_correct_without_any_one_pass(model, name, i, monkeypatch):
    declared = MODELS[model]()
    whole, _, _ = results(declared)
    home = derivatives if name == "BEFORE_GRADIENT" else stages
    monkeypatch.setattr(home, name, TUPLES[name][:i] + TUPLES[name][i + 1 :])
    if TUPLES[name][i] is pipeline.to_derivable:
        with pytest.raises(gx.GraphcError, match="neither a formula, a transpose nor a gradient"):
            results(declared)
        return
    less, _, _ = results(declared)
    for a, b in zip(less, whole, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_lowering_is_what_makes_code_possible(monkeypatch):
    monkeypatch.setattr(stages, "TO_CODE", tuple(p for p in TO_CODE if p is not pipeline.to_code))
    with pytest.raises(gx.GraphcError, match="lower the graph first"):
        results(mixed())


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("level", LEVELS)
def test_every_pass_is_valid_and_idempotent(model, level):
    loss, wrt, _ = MODELS[model]()
    graph = gx.graph_of([loss, *gx.grad(loss, wrt, level)])
    for step in (*SIMPLIFY, *TO_CODE):
        once = verify(run(graph, (step,), level))
        assert once.arguments == graph.arguments
        assert run(once, (step,), level).outputs == once.outputs
        graph = once


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("level", LEVELS)
def test_levels_agree_with_the_oracle(model, level):
    got, outputs, values = results(MODELS[model](), level)
    for a, b in zip(got, interpret(gx.graph_of(outputs), values), strict=True):
        if level == "exact":
            np.testing.assert_array_equal(a, b)
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_every_replacement_is_recorded():
    loss, wrt, _ = two_layers()
    graph = gx.graph_of([loss, *gx.grad(loss, wrt)])
    trace = Trace()
    simplified = gx.simplify(graph, trace=trace)
    new = set(simplified.nodes) - set(graph.nodes)
    assert trace.fired()
    # whatever is new at the end was made by a recorded rewrite, or stands inside the result of one
    roots = {node for node, event in trace.events if isinstance(event, (Rewrite, Rebuilt))}
    inside = set(gx.graph_of(sorted(roots, key=lambda n: n.serial)).nodes)
    assert new <= inside


def test_an_unknown_level_is_refused():
    x = gx.input("x", ())
    for call in (gx.simplify, gx.compile):
        with pytest.raises(gx.GraphcError, match="unknown level"):
            call(x, level="extreme")


def test_a_value_with_several_users_is_not_computed_twice():
    x, y = gx.input("x", ("n",)), gx.input("y", ("n",))
    shared = gx.negative(x)
    simplified = gx.simplify([shared * y, gx.tanh(shared), gx.sin(shared)])
    assert sum(n.op.name == "negative" for n in simplified.nodes) == 1


def test_a_chain_is_taken_apart_in_pieces():
    """The work of collecting factors grows with the length of a product, not with its square."""
    y = gx.input("x0", ())
    for i in range(1, 500):
        y = y * gx.input(f"x{i}", ())
    (rule,) = [r for r in rules_of("cost") if r.name == "collect-factors"]
    assert len(rule.match(y).inner) < 40


@pytest.mark.full
@pytest.mark.parametrize("level", LEVELS)
def test_a_chain_of_20000_nodes_passes_every_stage(level):
    x, s = gx.input("x", (3,), dtype="float64"), gx.param("s", (), dtype="float64")
    y = x
    for _ in range(10_000):
        y = gx.tanh(y) + s
    loss = gx.sum(y)
    program = gx.compile([loss, gx.grad(loss, s, level)], level=level)
    assert len(program.graph.nodes) > 20_000
    value, slope = program([0.1, 0.2, 0.3], s=0.01)
    t, d = np.array([0.1, 0.2, 0.3]), np.zeros(3)
    for _ in range(10_000):
        t = np.tanh(t)
        d = (1 - t * t) * d + 1
        t = t + 0.01
    np.testing.assert_allclose([value, slope], [t.sum(), d.sum()], rtol=1e-10)


def test_what_a_replacement_brings_is_counted_down_to_the_graph():
    x = gx.input("x", (3,))
    y = gx.sin(gx.cos(x))
    round_ = driver._Round(gx.graph_of(y), {}, driver.Trace())
    settled = gx.exp(y * 2)  # what stands for a node: its parts were counted when it came
    round_.uses[settled] = 1
    assert round_._added(gx.tanh(settled), set()) == 1
    assert round_._added(gx.tanh(gx.sqrt(y)), set()) == 2
