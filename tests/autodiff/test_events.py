"""The reverse sweep leaves a record: seed, chain rule, accumulation, unbroadcast, structural zero, cotangent."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc.autodiff.reverse import seed, vjp_nodes
from graphc.errors import ArgumentError, DTypeError, MissingRule
from graphc.ir.events import Accumulate, ChainRule, Cotangent, Seed, StructuralZero, Unbroadcast
from graphc.ir.op import Op
from graphc.ir.provenance import chain_rule_of, find, gradient_of, history


def events(node, kind):
    return [e for e in history(node) if isinstance(e, kind)]


def everywhere(node, kind):
    return [e for n in gx.graph_of(node).nodes for e in n.about.events if isinstance(e, kind)]


def test_the_seed_is_one_and_says_of_what():
    x = gx.input("x", (3,))
    loss = gx.sum(x)
    one = seed(loss)
    assert [e.of for e in events(one, Seed)] == [loss]
    assert gx.compile(one)(np.zeros(3)) == 1.0
    assert [e.of for e in everywhere(gx.grad(loss, x), Seed)] == [loss]


def test_each_use_of_the_chain_rule_names_rule_node_operand_and_formula():
    x = gx.input("x", (3,))
    y = gx.tanh(x)
    gradient = gx.grad(gx.sum(y), x)
    step = chain_rule_of(gradient)
    assert (step.rule, step.forward, step.operand, step.formula) == ("tanh", y, 0, "1 - out**2")
    assert gradient_of(step.cotangent) is y
    assert {e.rule for e in everywhere(gradient, ChainRule)} == {"tanh", "sum"}


def test_both_operands_of_a_product_have_a_step_of_their_own():
    x, y = gx.input("x", (3,)), gx.input("y", (3,))
    dx, dy = gx.grad(gx.sum(x * y), [x, y])
    assert [(chain_rule_of(d).operand, chain_rule_of(d).formula) for d in (dx, dy)] == [(0, "y"), (1, "x")]


def test_transposes_and_declared_gradients_are_named():
    x, W = gx.input("x", ("n", 3)), gx.param("W", (3, 2))
    assert chain_rule_of(gx.grad(gx.sum(x @ W), W)).formula == "transpose of matmul"
    rules = {e.formula for e in everywhere(gx.grad(gx.sum(gx.square(gx.softmax(x))), x), ChainRule)}
    assert "gradient of softmax" in rules


def test_a_value_used_twice_has_its_cotangents_added_up():
    x = gx.input("x", (3,))
    h = gx.tanh(x).named("h")
    d_h = gx.grad(gx.sum(gx.sin(h)) + gx.sum(gx.exp(h)), h)
    added = find(d_h, Accumulate)
    assert added.of.about.name == "h"
    assert len(added.terms) == 2
    assert {chain_rule_of(t).rule for t in added.terms} == {"sin", "exp"}


def test_one_use_is_no_accumulation():
    x = gx.input("x", (3,))
    assert not everywhere(gx.grad(gx.sum(gx.sin(gx.tanh(x))), x), Accumulate)


def test_a_stretched_operand_is_summed_back():
    x, b = gx.input("x", ("n", 3)), gx.param("b", (3,))
    d_b = gx.grad(gx.sum(gx.square(x + b)), b)
    (event,) = events(d_b, Unbroadcast)
    assert event.of is b
    assert d_b.type == b.type
    assert [str(d) for d in event.cotangent.shape] == ["n", "3"]


def test_an_absent_gradient_is_a_zero_that_says_so():
    x, y = gx.input("x", (3,)), gx.input("y", (2, 2))
    zero = gx.grad(gx.sum(x), y)
    (event,) = events(zero, StructuralZero)
    assert event.of is y
    assert zero.type == y.type
    np.testing.assert_array_equal(gx.compile(zero)(), np.zeros((2, 2)))


def test_absence_is_a_matter_of_paths_not_of_values():
    x, y = gx.input("x", (3,)), gx.input("y", (3,))
    # y reaches the loss only through comparisons, labels and stopped values
    loss = gx.sum(gx.where(y > 0.0, x, 2.0 * x) + gx.stop_gradient(y))
    assert events(gx.grad(loss, y), StructuralZero)
    # but a product with zero is a path
    assert not events(gx.grad(gx.sum(x * y * 0.0), y), StructuralZero)


def test_every_gradient_is_marked_and_named_after_its_variable():
    x, W = gx.input("x", ("n", 3)), gx.param("W", (3, 2))
    h = (x @ W).named("h")
    d_W = gx.grad(gx.sum(gx.tanh(h)), W)
    assert gradient_of(d_W) is W
    assert d_W.about.name == "d_W"
    marked = {e.of.about.name for e in everywhere(d_W, Cotangent)}
    assert {"h", "W"} <= marked


def test_what_is_not_on_a_path_is_not_computed():
    x, W = gx.input("x", ("n", 3)), gx.param("W", (3, 2))
    d_W = gx.grad(gx.sum(gx.tanh(x @ W)), W)
    products = [n for n in gx.graph_of(d_W).nodes if n.op.name == "matmul"]
    assert len(products) == 2  # forward, and for W; none for x


def test_a_card_without_a_derivative_is_no_zero():
    opaque = Op("opaque", "linear", ("x",), lambda x: x, numpy="{x}")
    x = gx.input("x", (3,))
    with pytest.raises(MissingRule, match="opaque"):
        gx.grad(gx.sum(opaque(x)), x)


def test_what_cannot_be_differentiated_is_refused():
    x, t = gx.input("x", (3,)), gx.input("t", (3,), dtype="int64")
    with pytest.raises(ArgumentError, match="only a scalar"):
        gx.grad(x, x)
    with pytest.raises(DTypeError, match="t cannot be differentiated"):
        gx.grad(gx.sum(x * t), t)
    with pytest.raises(DTypeError, match="cannot be differentiated"):
        gx.grad(gx.sum(t), x)
    with pytest.raises(ArgumentError, match="the output's type"):
        vjp_nodes([x], [gx.const(1.0)], [x])
    with pytest.raises(ArgumentError, match="unknown level"):
        gx.grad(gx.sum(x), x, level="none")
