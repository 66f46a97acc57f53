"""Total provenance: every node and every line of a program has an origin, and events alone rebuild it."""

from __future__ import annotations

import random
import runpy

import numpy as np
import pytest

import graphc as gx
from graphc import stages
from graphc.errors import ValidationError
from graphc.explanation.lines import places
from graphc.ir.events import ChainRule, Folded, Part, Rewrite
from graphc.ir.node import build, engine
from graphc.ir.provenance import descendants_of, unexplained
from graphc.ir.walk import deep_toposort
from graphc.ops import CARDS
from graphc.rewrite import pipeline
from graphc.rewrite.driver import Trace
from graphc.rewrite.pipeline import SIMPLIFY
from graphc.rewrite.replay import replay, steps
from graphc.rewrite.rule import EXACT, HARMLESS, LEVELS, ROUNDING, STABLE, STRUCTURE, Rule
from graphc.rewrite.rules import RULES
from graphc.rewrite.rules.holes import x as hole_x
from graphc.rewrite.rules.holes import y as hole_y
from graphc.runtime.interpret import interpret
from graphc.runtime.trial import Trial
from graphc.runtime.validate import validate_events
from tests.explanation.test_blame import choice, loop, nested
from tests.golden.models import MODELS
from tests.programs.generator import make_program
from tests.programs.table import ROWS
from tests.support import REPO

MADE = {"loop": loop, "choice": choice, "nested": nested}
FILES = sorted(
    [*(REPO / "examples").glob("*.py"), *(REPO / "graphc" / "examples").glob("*.py")], key=lambda p: str(p)
)


def with_optimizer(name):
    if name in MODELS:
        return MODELS[name]()
    return MADE[name](), gx.optim.adam(0.01)


def example(path):
    return runpy.run_path(str(path), run_name="example").get("model")


def assert_covered(model, optimizer):
    module = model.module(optimizer)
    plans = [module.model.predict, module.model.evaluate, module.model.train]
    for plan in plans:
        assert unexplained(deep_toposort(plan.graph.roots)) == []
    statements = [p.statement for p in places(module.source).values()]
    assert set(module.source.statements) <= set(statements)
    assert unexplained(n for s in statements for n in deep_toposort(s.nodes)) == []
    known = places(module.source)
    for number in known:
        assert known[number].statement.nodes
        assert model.blame(number, optimizer).formula


# -- every node has an origin --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*MODELS, *MADE])
def test_every_node_and_line_of_a_model_has_an_origin(name):
    assert_covered(*with_optimizer(name))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(REPO)))
def test_every_node_and_line_of_an_example_has_an_origin(path):
    model = example(path)
    if path.stem == "low_level":  # it has no model
        assert model is None
        return
    assert_covered(model, model.optimizer or gx.optim.adam())


@pytest.mark.parametrize("name", sorted(gx.optim.registry.OPTIMIZERS))
def test_every_line_of_every_optimizer_has_an_origin(name):
    model, _ = MODELS["line"]()
    assert_covered(model, gx.optim.registry.OPTIMIZERS[name]())


def test_derivatives_of_all_kinds_have_origins():
    x, v = gx.input("x", (3,)), gx.input("v", (3,))
    f = gx.sum(gx.tanh(x) * gx.sin(x) + gx.cumsum(x**3))
    found = [gx.jvp(f, x, v), gx.hvp(f, x, v), gx.jacobian(gx.sin(x) * x, x), gx.hessian(f, x)]
    program = gx.compile(found)
    assert unexplained(deep_toposort(program.graph.roots)) == []


@pytest.mark.parametrize("seed", range(40))
def test_random_programs_are_covered(seed):
    program = random_program(seed)
    compiled = gx.compile(program_graph(program), mode=program.mode)
    silent = set(
        unexplained(deep_toposort(compiled.resolved.roots))
    )  # what the generator made, as engines do
    for node in unexplained(deep_toposort(compiled.graph.roots)):
        assert silent & descendants_of(node, parts=True)


def test_a_node_that_a_pass_makes_in_the_dark_is_found(monkeypatch):
    x = gx.input("x", (3,), dtype="float64")
    graph = gx.graph_of(gx.tanh(gx.sin(x)))

    def dark(whole, level, trace):
        (root,) = whole.outputs
        with engine():
            planted = build(CARDS["exp"], root.inputs, {})
            return whole.over({root: build(root.op, [planted], root.attrs)})

    monkeypatch.setattr(stages, "SIMPLIFY", (dark, *SIMPLIFY))
    found = gx.simplify(graph)
    assert {n.op.name for n in unexplained(found.nodes)} == {"exp", "tanh"}


def test_what_comes_with_a_step_says_so():
    x = gx.input("x", (3,))
    gradient = gx.grad(gx.sum(gx.tanh(x)), x)
    inner = [n for n in gx.graph_of(gradient).nodes if n.op.name in ("square", "subtract")]
    assert inner
    for node in inner:
        (event,) = [e for e in node.about.events if isinstance(e, Part)]
        assert isinstance(event.event, ChainRule)


# -- events alone rebuild the program ------------------------------------------------------------------------------


def random_program(seed):
    chosen = random.Random(seed)
    names = list(ROWS)
    drawn = [(chosen.choice(names), chosen.randrange(2**32)) for _ in range(6)]
    return make_program(drawn, seed, "float64")


def program_graph(program, level="default"):
    outputs = [*program.outputs, program.loss]
    outputs += gx.grad(program.loss, list(program.wrt), level) if program.wrt else []
    return gx.graph_of([*outputs, *program.leaves])


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", [*MODELS, *MADE])
def test_replaying_the_events_gives_the_program(name, level):
    model, _ = with_optimizer(name)
    program = gx.compile(model.training_graph(), level=level, mode="train")
    assert replay(program.resolved, program.trace).roots == program.graph.roots


@pytest.mark.parametrize("seed", range(60))
def test_replaying_the_events_gives_a_random_program(seed):
    made = random_program(seed)
    level = list(LEVELS)[seed % 3]
    program = gx.compile(program_graph(made, level), level=level, mode=made.mode)
    assert replay(program.resolved, program.trace).roots == program.graph.roots


def test_a_trace_that_lacks_an_event_does_not_lead_there():
    program = gx.compile(MODELS["two_layers"]()[0].training_graph(), mode="train")
    for i, (_, event) in enumerate(program.trace.events):
        if isinstance(event, Rewrite) and event.rule == "probability-minus-target":
            less = Trace(program.trace.events[:i] + program.trace.events[i + 1 :])
    assert replay(program.resolved, less).roots != program.graph.roots


# -- after every event the result is the same ----------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["line", "two_layers", "layer_normed", "batch_normed"])
def test_evaluating_after_every_event_gives_the_same(name, level):
    model, _ = MODELS[name]()
    graph = gx.retype(model.training_graph(), "float64")
    program = gx.compile(graph, level=level, mode="train")
    trial = Trial(program.resolved, {})
    values = {str(program.resolved.name_of(n)): trial.values[n] for n in program.resolved.arguments}
    wanted = flat(interpret(program.resolved, values))
    count = 0
    for event, after in steps(program.resolved, program.trace):
        got = flat(interpret(after, values))
        for a, b in zip(wanted, got, strict=True):
            if level == "exact":
                np.testing.assert_array_equal(a, b, err_msg=str(event))
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12, err_msg=str(event))
        count += 1
    assert count >= 5


def flat(found):
    outputs, updates = found if isinstance(found, tuple) and isinstance(found[1], dict) else (found, {})
    return [*outputs, *updates.values()]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", [*MODELS, *MADE])
def test_validation_finds_nothing_wrong(name, level):
    model, _ = with_optimizer(name)
    program = gx.compile(model.training_graph(), level=level, mode="train", validate=True)
    fired = [e for _, e in program.trace.events if isinstance(e, (Rewrite, Folded))]
    assert validate_events(program.resolved, program.trace.events) >= len(fired)


@pytest.mark.parametrize("seed", range(60))
def test_validation_finds_nothing_wrong_in_random_programs(seed):
    made = random_program(seed + 1000)
    level = list(LEVELS)[seed % 3]
    gx.compile(program_graph(made, level), level=level, mode=made.mode, validate=True)


def planted(monkeypatch, rule):
    monkeypatch.setattr(
        pipeline, "rules_of", lambda phase: tuple(r for r in (rule, *RULES) if r.phase == phase)
    )


sin = CARDS["sin"]


@pytest.mark.parametrize(
    "rule",
    [
        Rule("wrong-exact", sin(hole_x), sin(hole_x) + 1e-16, EXACT, grows=True),
        Rule("wrong-zero", hole_x + hole_y, hole_y - (-hole_x) * 1.0000001, EXACT, grows=True),
        Rule("wrong-rounding", sin(hole_x), sin(hole_x * (1 + 1e-12)), ROUNDING, ulp=2, grows=True),
        Rule("wrong-harmless", sin(hole_x), -sin(-hole_x) + 1e-15, HARMLESS, grows=True),
        Rule("wrong-stable", sin(hole_x), hole_x, STABLE, grows=True),
        Rule("wrong-structure", sin(hole_x), sin(hole_x) * 1.00001, STRUCTURE, grows=True),
    ],
    ids=lambda rule: rule.name,
)
def test_a_planted_wrong_rule_is_named(monkeypatch, rule):
    x, y = gx.input("x", ("n", 3), dtype="float64"), gx.input("y", ("n", 3), dtype="float64")
    graph = gx.graph_of(gx.sum(gx.sin(x) + gx.tanh(y), axis=1))
    once = Rule(
        rule.name, rule.left, rule.right, rule.kind, ulp=rule.ulp, grows=True, when=only_on_leaves(graph)
    )
    planted(monkeypatch, once)
    with pytest.raises(ValidationError, match=f"the rule {rule.name} \\({rule.kind}\\) changed a value"):
        gx.simplify(graph, "fast", validate=True)
    with pytest.raises(ValidationError, match=rule.name):
        gx.compile(graph, level="fast", validate=True)
    gx.compile(graph, level="fast")


def only_on_leaves(graph):
    """So that a rule whose right side holds its left does not fire for ever."""
    declared = set(graph.nodes)
    return lambda m: None if m.root in declared else "not declared"


def test_a_wrong_value_says_where_and_what():
    x = gx.input("x", (3,), dtype="float64")
    before, after = gx.sin(x), gx.cos(x)
    event = Rewrite("swap", STABLE, before)
    with pytest.raises(ValidationError) as error:
        validate_events(gx.graph_of(before), [(after, event)], {"x": np.zeros(3)})
    text = str(error.value)
    assert "the rule swap (stable) changed a value: 0.0 became 1.0 at [0]; 3 of 3 values differ" in text
    assert "sin(x)" in text
    assert "cos(x)" in text
    assert "test_provenance.py" in text


def test_validation_takes_the_users_values():
    x = gx.input("x", ("n",), dtype="float64")
    graph = gx.graph_of(gx.exp(gx.log(gx.assume(x, low=0))))
    for values in ({"x": [1.0, 2.0]}, True):
        assert len(gx.simplify(graph, validate=values).nodes) < len(graph.nodes)
    # values without the fact that was claimed say nothing about rules that need it
    gx.simplify(graph, validate={"x": [-1.0, 2.0]})
    with pytest.raises(gx.GraphcError, match="no argument named"):
        gx.simplify(graph, validate={"z": [1.0]})


def test_a_drawn_value_fits_what_is_assumed_of_it():
    far = gx.assume(gx.input("far", (50,)), low=100, high=101)
    whole = gx.assume(gx.input("whole", (50,)), low=0, integer=True)
    labels = gx.input("labels", (50,), dtype="int64")
    graph = gx.graph_of([far, whole, gx.one_hot(labels, 3)])
    trial = Trial(graph, {})
    assert not trial.broken
    assert np.all((trial.values[graph.leaf("far")] >= 100) & (trial.values[graph.leaf("far")] <= 101))
    assert set(trial.values[graph.leaf("labels")]) == {0, 1, 2}
