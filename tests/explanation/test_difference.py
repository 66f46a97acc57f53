"""What lies between two graphs: by events where there are any, by structure and name in any case."""

from __future__ import annotations

import pytest

import graphc as gx
from graphc import nn
from tests.golden.models import MODELS


def test_a_replaced_node_names_its_rule():
    x = gx.input("x", ("n",))
    program = gx.compile(gx.log(1 + x))
    (change,) = gx.changes(program.declared, program).replaced
    assert change.after == "%_log1p = log1p(%x) : float32[n]"
    assert change.reasons == ("log1p (stable)",)


def test_a_node_that_a_leaf_replaced_is_known_from_the_trace():
    x = gx.input("x", ("n",))
    program = gx.compile(x * 1.0)
    (change,) = gx.changes(program.declared, program).replaced
    assert change.after == "%x = input() : float32[n]"
    assert change.reasons == ("mul-one (exact)",)


@pytest.mark.parametrize("name", MODELS)
def test_a_graph_and_its_text_are_the_same(name):
    graph = MODELS[name]()[0].training_graph()
    found = gx.changes(graph, gx.parse(str(graph)))
    assert found.empty
    assert str(found).startswith("no difference")


@pytest.mark.parametrize("name", MODELS)
def test_every_node_is_accounted_for(name):
    graph = MODELS[name]()[0].training_graph()
    after = gx.simplify(graph)
    found = gx.changes(graph, after)
    gone = len(found.replaced) + len(found.changed) + len(found.rebuilt) + len(found.removed)
    assert found.same + gone == found.counts[0]
    assert found.same + len(found.added) <= found.counts[1]
    assert found.replaced
    assert not found.empty


def test_texts_are_compared_by_names():
    def net(activation):
        x = gx.input("x", ("n", 3))
        return gx.parse(str(gx.graph_of(nn.dense(x, 2, activation=activation, name="a"))))

    found = gx.changes(net("tanh"), net("relu"))
    assert [c.before.partition(" : ")[0] for c in found.changed] == ["%a.h = tanh(%a.z)"]
    assert not found.removed
    assert not found.added


def test_another_order_of_outputs_is_a_difference():
    x, y = gx.input("x", ()), gx.input("y", ())
    found = gx.changes([x, y], [y, x])
    assert not found.empty
    assert "but not what is returned" in str(found)


def test_bodies_are_compared_too():
    def loop(factor):
        x = gx.input("x", ("n",))
        return gx.scan(lambda h, x: (gx.tanh(x * factor + h), None), gx.const(0.0), x)[0]

    assert gx.changes(loop(2.0), loop(2.0)).empty
    assert not gx.changes(loop(2.0), loop(3.0)).empty


def test_the_same_twice_reads_alike():
    graph = MODELS["masked"]()[0].training_graph()
    assert str(gx.changes(graph, gx.simplify(graph))) == str(gx.changes(graph, gx.simplify(graph)))
