"""Graphs: order of arguments, numbers of unnamed layers, structures, updates."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc.errors import ArgumentError, DuplicateNameError, UnknownNameError, VerifyError
from graphc.ir.graph import Graph
from graphc.ir.verify import verify


def test_arguments_stand_by_role_then_by_declaration() -> None:
    lr = gx.hyper("lr", 0.1)
    w = gx.param("w", ())
    s = gx.state("s", ())
    x = gx.input("x", ())
    b = gx.param("b", ())
    t = gx.input("t", ())
    graph = gx.graph_of(b * w + lr * s + t + x)
    assert [graph.name_of(n) for n in graph.arguments] == ["x", "t", "s", "w", "b", "lr"]
    assert graph.leaves("param") == (w, b)
    assert graph.leaf("lr") is lr


@pytest.mark.parametrize("name", ["", "\ud800", "a\0b", "\x07", 3, None])
def test_a_graph_has_a_printable_name(name) -> None:
    with pytest.raises(ArgumentError, match="the name of a graph is printable text"):
        gx.graph_of(gx.param("w", ()), name=name)


def test_an_unknown_argument_lists_near_names() -> None:
    graph = gx.graph_of(gx.param("hidden", ()) * 2)
    with pytest.raises(UnknownNameError, match="hidden"):
        graph.leaf("hiden")


def test_two_leaves_of_one_name_are_refused() -> None:
    a, b = gx.input("x", ()), gx.input("x", ())
    with pytest.raises(DuplicateNameError, match="two leaves of one graph are named 'x'") as error:
        gx.graph_of(a + b)
    assert "use the same leaf twice to share it" in str(error.value)
    assert len(gx.graph_of(a * a).arguments) == 1


def test_two_random_sites_of_one_name_are_refused() -> None:
    x = gx.input("x", (3,))
    a, b = gx.bernoulli((3,), 0.5), gx.bernoulli((3,), 0.5)
    with pytest.raises(DuplicateNameError, match="'mask'"):
        gx.graph_of(gx.where(a, x, 0) + gx.where(b, x, 0))


def test_unnamed_layers_are_numbered_in_order_of_declaration() -> None:
    from graphc.ir.origin import scope

    params = []
    for name in (None, "dense2", None):
        with scope(name, "dense"):
            params.append(gx.param("W", ()))
    forward = gx.graph_of(params[0] + params[1] + params[2])
    backward = gx.graph_of(params[2] + params[1] + params[0])
    for graph in (forward, backward):
        assert [graph.name_of(p) for p in params] == ["dense1.W", "dense2.W", "dense3.W"]
    assert gx.graph_of(params[2] * 2).name_of(params[2]) == "dense1.W"


def test_the_name_of_a_python_variable_is_a_hint() -> None:
    x = gx.input("x", ())
    hidden = gx.tanh(x * 2)
    graph = gx.graph_of(hidden)
    assert graph.name_of(hidden) == "hidden"
    assert graph.name_of(hidden.inputs[0]) is None


def test_a_line_names_what_it_ends_with() -> None:
    v = gx.input("v", (3,))
    loss = gx.mean(gx.square(gx.tanh(v)))
    part = loss.inputs[0]
    gx.graph_of(part)  # formed first, and without the end of the line that declares both
    assert part.name is None
    assert gx.graph_of(loss).outputs[0].name == "loss"


def test_a_line_that_gives_no_node_names_none() -> None:
    v = gx.input("v", (3,))
    program = gx.compile(gx.exp(v))
    assert program.graph.outputs[0].name is None


def test_a_second_declaration_without_a_name_leaves_the_first() -> None:
    v = gx.input("v", (3,))
    named = gx.sin(v)
    assert gx.sin(v) is named
    assert gx.graph_of(named).outputs[0].name == "named"


def test_outputs_come_back_in_their_structure() -> None:
    x = gx.input("x", ())
    graph = gx.graph_of({"a": [x + 1, (x + 2,)], "b": x + 3})
    assert graph.unflatten([1, 2, 3]) == {"a": [1, (2,)], "b": 3}
    with pytest.raises(ArgumentError, match=r"outputs\['a'\]\[0\]"):
        gx.graph_of({"a": [3]})


def test_a_structure_that_is_too_deep_is_refused() -> None:
    outputs: object = gx.input("x", ())
    for _ in range(100):
        outputs = [outputs]
    with pytest.raises(ArgumentError, match="nested too deeply"):
        gx.graph_of(outputs)


def test_an_update_needs_a_leaf_and_its_type() -> None:
    x, s = gx.input("x", (3,)), gx.state("s", (3,))
    graph = gx.graph_of(x, {s: s + x})
    assert graph.updates[0][0] is s
    assert graph.roots == (x, s + x)
    with pytest.raises(ArgumentError, match="only a leaf"):
        gx.graph_of(x, {x + 1: x})
    with pytest.raises(ArgumentError, match="must have its type"):
        gx.graph_of(x, {s: gx.sum(x)})


def test_a_state_that_is_only_written_is_an_argument() -> None:
    x, s = gx.input("x", (3,)), gx.state("s", ())
    graph = gx.graph_of(gx.update(x, {s: gx.sum(x)}))
    assert graph.arguments == (x, s)


def test_leaves_and_sites_of_a_body_are_those_of_the_graph() -> None:
    x, w = gx.input("x", (3,)), gx.param("w", (3,))
    mask = gx.bernoulli((3,), 0.5)
    box = gx.composite("box", lambda v: gx.where(mask, v * w, 0))
    graph = gx.graph_of(box(x))
    assert graph.arguments == (x, w)
    assert graph.sites == (mask,)
    values = gx.interpret(graph, [np.ones(3), np.ones(3)], gx.compile(graph).make_rng(0))
    np.testing.assert_array_equal(values, gx.compile(graph)(np.ones(3), np.ones(3), rng=0))


def test_a_declared_gradient_does_not_lose_a_leaf_of_the_body() -> None:
    w = gx.param("w", (3,))
    box = gx.composite("box", lambda v: v * w, lambda g, v: g)
    with pytest.raises(ArgumentError, match="pass w to box as an operand"):
        box(gx.input("x", (3,)))


def test_verify_finds_what_is_wrong() -> None:
    x, s = gx.input("x", (3,)), gx.state("s", (3,))
    assert verify(gx.graph_of(x * 2)).name == "f"
    with pytest.raises(VerifyError, match="is not an argument"):
        verify(Graph((x * 2,)))
    with pytest.raises(VerifyError, match="random site"):
        verify(Graph((gx.where(gx.bernoulli((3,), 0.5), x, 0),), arguments=(x,)))
    with pytest.raises(VerifyError, match="the update of s"):
        verify(Graph((x,), "*", ((s, gx.sum(x)),), (x, s)))
