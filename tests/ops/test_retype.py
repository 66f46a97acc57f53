"""A graph in another float dtype."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc.errors import ArgumentError
from graphc.ir.verify import verify
from graphc.ir.walk import deep_toposort
from graphc.runtime.interpret import interpret, interpret_nodes
from graphc.runtime.program import make_rng
from tests.ir.examples import GRAPHS, arguments, mlp

FLOATS = {"float32", "float64"}


@pytest.mark.parametrize("name", GRAPHS)
def test_no_other_float_is_left(name: str) -> None:
    graph = gx.retype(GRAPHS[name](), "float32")
    verify(graph)
    nodes = deep_toposort([*graph.arguments, *graph.sites, *graph.roots])
    assert {n.dtype for n in nodes} & FLOATS <= {"float32"}
    with np.errstate(all="ignore"):
        values = interpret_nodes(graph, arguments(graph), make_rng(graph, 0))
    assert {v.dtype.name for v in values.values()} & FLOATS <= {"float32"}


@pytest.mark.parametrize("name", GRAPHS)
def test_there_and_back_keeps_all_but_the_numbers(name: str) -> None:
    graph = GRAPHS[name]()
    once = gx.retype(graph, "float32")
    back = gx.retype(once, "float64")
    again = gx.retype(back, "float32")
    assert str(again) == str(once)
    assert [back.name_of(n) for n in back.arguments] == [graph.name_of(n) for n in graph.arguments]
    assert [back.name_of(n) for n in back.sites] == [graph.name_of(n) for n in graph.sites]
    assert [n.dtype for n in back.arguments] == [n.dtype for n in graph.arguments]
    if name != "numbers":  # whose constants do not fit float32
        assert str(back).count("\n") == str(graph).count("\n")


def test_the_same_numbers_to_the_accuracy_of_the_dtype() -> None:
    loss, params = mlp("float32")
    graph = gx.graph_of([loss, *gx.grad(loss, list(params.values()))])
    wide = gx.retype(graph, "float64")
    values = arguments(graph)
    for a, b in zip(interpret(graph, values), interpret(wide, values), strict=True):
        assert (a.dtype, b.dtype) == ("float32", "float64")
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_outputs_keep_their_structure_and_order_of_arguments() -> None:
    x, t = gx.input("x", (3,)), gx.input("t", (3,), dtype="int64")
    w = gx.param("w", (3,), init=np.arange(3))
    out = gx.retype({"a": [w * x], "b": x * t}, "float64")
    graph = gx.graph_of(out)
    assert [graph.name_of(n) for n in graph.arguments] == ["x", "t", "w"]
    assert out["a"][0].dtype == "float64"
    assert graph.leaf("w").attrs["init"] == w.attrs["init"]
    assert graph.leaf("t").dtype == "int64"
    assert x.dtype == "float32"


def test_masks_are_the_same() -> None:
    graph = GRAPHS["dropout"]()
    narrow = gx.retype(graph, "float32")
    x = np.ones((5, 3))
    a = gx.compile(graph, mode="train")(x, rng=0)
    b = gx.compile(narrow, mode="train")(x, rng=0)
    np.testing.assert_array_equal(a != 0, b != 0)


def test_layers_and_origins_stay() -> None:
    with gx.scope("hidden"):
        h = gx.tanh(gx.param("w", (3,))).named("h")
    wide = gx.retype(h, "float64")
    assert gx.graph_of(wide).name_of(wide) == "hidden.h"
    assert wide.about.origin == h.about.origin


def test_other_dtypes_are_refused() -> None:
    with pytest.raises(ArgumentError, match="float32 or float64"):
        gx.retype(gx.input("x", ()), "int64")


@pytest.mark.full
def test_a_deep_chain() -> None:
    y = gx.input("x", ("n",))
    for i in range(20_000):
        y = gx.tanh(y) if i % 2 else y * 1.5
    assert gx.retype(y, "float64").dtype == "float64"
