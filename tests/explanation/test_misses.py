"""Why a rule did not fire: the failed condition, or the part of the pattern that is not there."""

from __future__ import annotations

import pytest

import graphc as gx
from graphc import nn
from graphc.explanation.near import compared
from graphc.ir.events import Rewrite
from graphc.rewrite.driver import Trace, rewrite
from graphc.rewrite.rules import RULES
from tests.rewrite.fixtures import PAIRS, REFUSED, leaf, pair


def leaves(*names: str):
    return [gx.input(name, ("n",)) for name in names]


def test_a_fact_that_is_missing_is_named_with_what_is_known():
    x, w = leaves("x", "w")
    found = gx.why_not((x * w / x).named("y"), "cancel")
    assert [m.text for m in found.misses] == ["y = (x * w) / x"]
    assert found.misses[0].reason == (
        "x is not known to be finite and nonzero: it is in [-inf, inf] (y is w)"
    )
    assert "test_misses.py" in found.misses[0].declared
    assert "needs: x is not 0 and x y is finite" in str(found)


def test_a_declared_fact_makes_it_fire():
    x = gx.assume(gx.input("x", ("n",)), low=0)
    found = gx.why_not(gx.exp(gx.log(x)), "exp-log")
    assert len(found.fired) == 1
    assert "fired once:" in str(found)


def test_the_part_of_the_pattern_that_is_not_there_is_named():
    (x,) = leaves("x")
    (miss,) = gx.why_not(gx.log(2 + gx.sin(x)), "log1p").misses
    assert miss.reason == "2.0 stands where the rule has 1"
    (miss,) = gx.why_not(gx.log(gx.sin(x)), "log1p").misses
    assert miss.reason == "sin(x) stands where the rule has (1 + x)"


def test_a_hole_that_would_stand_for_two_things():
    x, w = leaves("x", "w")
    (miss,) = gx.why_not(x * w, "square").misses
    assert miss.reason == "the rule's x would be both x and w"


def test_an_attribute_that_differs_is_named():
    x = gx.input("x", (1, "n"))
    (miss,) = gx.why_not(gx.squeeze(gx.expand_dims(x, 1), axis=0), "squeeze-expand").misses
    assert miss.reason == "axis would be both 0 and 1"
    kept = gx.sum(gx.input("a", (2, 3)), axis=1, keepdims=True)
    (miss,) = gx.why_not(gx.expand_dims(kept, 0), "keep-axis").misses
    assert miss.reason == "sum has keepdims=True here, not False"


def test_the_nearest_comes_first():
    (x,) = leaves("x")
    nodes = [gx.exp(x), gx.exp(gx.log(x))]
    assert [m.node for m in gx.why_not(nodes, "exp-log").misses] == nodes[::-1]


def test_a_level_that_forbids_a_rule_is_said():
    (x,) = leaves("x")
    assert "allows no rule of kind stable" in str(gx.why_not(gx.log(1 + x), "log1p", level="exact"))
    assert "allows at most 4 ulp" in str(gx.why_not(gx.sinh(gx.arcsinh(x)), "sinh-arcsinh"))


def test_a_rule_without_any_place_is_said():
    (x,) = leaves("x")
    assert "no log in this graph, where the rule begins" in str(gx.why_not(gx.sin(x), "log1p"))


def test_a_rule_that_came_too_late_is_told_which_came_first():
    (x,) = leaves("x")
    found = gx.why_not(x**2.0, "pow-two-rounded")
    assert found.misses[0].reason == "pow-two came first, and made it something else"


def test_a_part_that_is_used_elsewhere():
    x, y = leaves("x", "y")
    shared = -x
    (miss,) = gx.why_not([shared * y, gx.tanh(shared), gx.sin(shared)], "neg-mul").misses
    assert miss.reason == "a part of it is used elsewhere too, and would be computed twice"


def test_a_program_and_a_model_in_use():
    x, t = gx.input("x", ("n", 3)), gx.input("t", ("n",), dtype="int64")
    loss = nn.cross_entropy(x, t)
    program = gx.compile([loss, gx.grad(loss, x)])
    assert program.why_not("probability-minus-target").fired
    with pytest.raises(gx.GraphcError, match="compiled already"):
        gx.why_not(program, "log1p", level="exact")


def test_a_model_is_its_loss_with_all_gradients():
    from tests.golden.models import MODELS

    model, _ = MODELS["two_layers"]()
    assert gx.why_not(model, "probability-minus-target").fired
    assert "allows no rule of kind" in str(gx.why_not(model, "probability-minus-target", level="exact"))


def test_either_order_is_understood():
    (x,) = leaves("x")
    assert gx.why_not("log1p", gx.log(1 + x)).fired


def test_an_unknown_rule_gets_the_nearest_name():
    (x,) = leaves("x")
    with pytest.raises(gx.GraphcError, match="did you mean 'log1p'"):
        gx.why_not(x, "log1")
    with pytest.raises(gx.GraphcError, match="goes by its name"):
        gx.why_not(x, 3)


@pytest.mark.parametrize("rule", [r for r in RULES if r.left is not None], ids=lambda r: r.name)
def test_what_matches_is_said_to_match(rule):
    for build in PAIRS[rule.name]:
        before, _ = pair(build)
        trace = Trace()
        rewrite(gx.graph_of(before), [rule], "fast", trace)
        event = next(e for _, e in trace.events if isinstance(e, Rewrite))
        near = compared(rule, event.before)
        assert near.problem is None
        assert near.matched == near.parts


@pytest.mark.parametrize("name", REFUSED)
def test_every_refusal_has_a_reason(name):
    import inspect

    rule = next(r for r in RULES if r.name == name)
    for build in REFUSED[name]:
        node = build(*(leaf(n, "float64") for n in inspect.signature(build).parameters))
        found = gx.why_not(node, name, level="fast")
        where = [m for m in found.misses if m.node is node] or found.misses or found.fired
        if node.op in rule.roots({node.op.name: node.op}):
            assert where, str(found)
