"""Nodes: interned, immutable, identity for ==, and what is known about them beside them."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest

import graphc as gx
from graphc.errors import AmbiguousTruthError, ArgumentError, DTypeError, GraphcError, ShapeError
from graphc.ir.node import Array, apply, freeze, toposort
from graphc.ops import CARDS


def test_the_same_structure_is_the_same_node() -> None:
    x = gx.input("x", ("n",))
    assert gx.tanh(x) is gx.tanh(x)
    assert x * 2 is x * 2.0
    assert gx.sum(x, axis=0) is gx.sum(x)


def test_attributes_tell_nodes_apart() -> None:
    x = gx.input("x", ("n",))
    assert gx.leaky_relu(x, negative_slope=0.0) is not gx.leaky_relu(x, negative_slope=-0.0)
    assert gx.const(0.0) is not gx.const(-0.0)
    assert gx.const(1, "int32") is not gx.const(1, "int64")
    assert gx.const(np.nan) is gx.const(np.nan)


@pytest.mark.parametrize(("a", "b"), [(1, 1.0), (1, True), (0.0, -0.0), ((1,), (1.0,)), (None, 0), ("1", 1)])
def test_frozen_values_that_are_equal_in_python_differ(a: object, b: object) -> None:
    assert freeze(a) != freeze(b)


def test_leaves_are_made_not_interned() -> None:
    assert gx.input("x", (3,)) is not gx.input("x", (3,))
    assert gx.bernoulli((3,), 0.5) is not gx.bernoulli((3,), 0.5)
    assert gx.param("w", (3,)) is not gx.param("w", (3,))


def test_a_node_that_nobody_holds_is_forgotten() -> None:
    x = gx.input("x", (3,))
    seen = weakref.ref(gx.tanh(x))
    gc.collect()
    assert seen() is None


def test_a_node_is_immutable() -> None:
    x = gx.tanh(gx.input("x", (3,)))
    with pytest.raises(AttributeError, match="immutable"):
        x.op = CARDS["exp"]
    with pytest.raises(TypeError):
        gx.leaky_relu(x).attrs["negative_slope"] = 3.0  # type: ignore[index]


def test_arrays_in_attributes_are_copies() -> None:
    data = np.ones(3)
    node = gx.const(data)
    data[0] = 5
    assert node.attrs["value"].value[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        node.attrs["value"].value[0] = 5


def test_arrays_of_another_byte_order_are_the_same_numbers() -> None:
    assert Array(np.array([1.0, 2.0], dtype=">f8")) == Array(np.array([1.0, 2.0]))
    assert Array(np.array([1.0])) != Array(np.array([1.0], dtype="float32"))


def test_equality_is_identity_and_names_the_alternative() -> None:
    x, y = gx.input("x", ()), gx.input("y", ())
    assert x == x
    assert x != y
    assert x in [y, x]
    for compared in (0, 1.5, "x", None, np.float32(1)):
        with pytest.raises(AmbiguousTruthError, match=r"gx\.equal"):
            x == compared  # noqa: B015
        with pytest.raises(AmbiguousTruthError, match=r"gx\.equal"):
            x != compared  # noqa: B015


def test_a_node_has_no_truth_value() -> None:
    x = gx.input("x", ())
    with pytest.raises(AmbiguousTruthError, match=r"gx\.where"):
        bool(x > 0)
    with pytest.raises(AmbiguousTruthError, match=r"gx\.where"):
        max(x, x * 2)


def test_numpy_leaves_the_operators_to_us() -> None:
    x = gx.input("x", (3,), dtype="float64")
    assert (np.ones(3) * x).op is CARDS["multiply"]
    assert (np.float64(2) + x).op is CARDS["add"]


def test_a_node_lives_in_its_process() -> None:
    with pytest.raises(ArgumentError, match="a node lives in its process"):
        pickle.dumps(gx.input("x", ()))
    with pytest.raises(ArgumentError, match="a node lives in its process"):
        copy.deepcopy(gx.input("x", ()))


def test_a_node_keeps_all_its_origins_and_shows_the_latest() -> None:
    x = gx.input("x", (3,))
    first = gx.tanh(x)
    second = gx.tanh(x)
    assert first is second
    lines = [origin.line for origin in first.about.origins]
    assert len(lines) == 2
    assert first.about.origin.line == lines[1] == lines[0] + 1
    assert "second = gx.tanh(x)" in str(first.about.origin)


def test_names_and_scopes() -> None:
    with gx.scope("encoder"), gx.scope("first"):
        w = gx.param("W", (2, 2))
        h = (w @ w).named("h")
    graph = gx.graph_of(h)
    assert graph.name_of(w) == "encoder.first.W"
    assert graph.name_of(h) == "encoder.first.h"
    assert graph.layer_of(h) == "encoder.first"
    assert h.name == "h"


@pytest.mark.parametrize("bad", ["", "a\nb", "a\u2028b", None, 3])
def test_a_name_is_text_on_one_line(bad: object) -> None:
    with pytest.raises(ArgumentError):
        gx.input("x", ()).named(bad)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError):
        gx.input(bad, ())  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", ["", "a\nimport os", 3])
def test_a_layer_has_a_name_on_one_line(bad: object) -> None:
    with pytest.raises(ArgumentError), gx.scope(bad):  # type: ignore[arg-type]
        pass


def test_apply_is_strict() -> None:
    x = gx.input("x", (3,))
    with pytest.raises(ArgumentError, match="no attribute 'axis'"):
        apply(CARDS["tanh"], x, axis=0)
    with pytest.raises(ArgumentError, match="needs the attribute 'shape'"):
        apply(CARDS["reshape"], x)
    with pytest.raises(ArgumentError, match="takes 1 operands"):
        apply(CARDS["reshape"], x, x, shape=(3,))
    with pytest.raises(GraphcError):
        gx.tanh("x")


def test_errors_name_layer_operands_and_line() -> None:
    x = gx.input("x", ("batch", 3))
    with gx.scope("hidden"):
        w = gx.param("W", (4, 2))
        with pytest.raises(ShapeError) as error:
            x @ w
    text = str(error.value)
    assert "matmul in layer hidden: size 3 meets size 4" in text
    assert "x: float32[batch, 3], hidden.W: float32[4, 2]" in text
    assert "x @ w" in text
    with pytest.raises(DTypeError):
        CARDS["add"].infer(x.type, gx.input("i", ("batch", 3), dtype="int64").type)


def test_threads_share_one_table() -> None:
    x = gx.input("x", (3,))
    start, found = threading.Barrier(8), []

    def declare(number: int) -> None:
        start.wait()
        with gx.scope(f"thread{number}"):
            own = gx.param("w", (3,))
            found.append(([gx.tanh(x * float(i)) for i in range(200)], own))

    threads = [threading.Thread(target=declare, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first = found[0][0]
    assert all(a is b for nodes, _ in found for a, b in zip(first, nodes, strict=True))
    assert sorted(own.about.scopes[0].name or "" for _, own in found) == [f"thread{i}" for i in range(8)]


def test_order_has_operands_first() -> None:
    x = gx.input("x", ())
    y = gx.exp(x) + gx.tanh(gx.exp(x))
    order = toposort([y])
    assert [n.op.name for n in order] == ["input", "exp", "tanh", "add"]


@pytest.mark.full
def test_deep_chains_are_walked_and_freed() -> None:
    x = gx.input("x", ())
    y = x
    for _ in range(20_000):
        y = gx.tanh(y)
    assert len(toposort([y])) == 20_001
    del y
    gc.collect()
