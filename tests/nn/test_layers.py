"""Layers: shapes, names, initial values, dropout's expectation."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc import nn
from graphc.ir.graph import graph_of


def names(node):
    graph = graph_of(node)
    return [graph.name_of(n) for n in graph.leaves("param")]


def test_dense_names_its_parameters_after_the_layer():
    y = nn.dense(gx.input("x", ("n", 3)), 4, name="first")
    assert names(y) == ["first.W", "first.b"]
    assert y.shape == (y.shape[0], 4)


def test_unnamed_layers_are_numbered_in_order_of_declaration():
    x = gx.input("x", ("n", 3))
    y = nn.dense(nn.dense(x, 4), 2)
    assert names(y) == ["dense1.W", "dense1.b", "dense2.W", "dense2.b"]
    again = nn.dense(nn.dense(x, 4), 2)
    assert names(again) == ["dense1.W", "dense1.b", "dense2.W", "dense2.b"]  # no counter of the process


def test_scopes_go_around():
    with gx.scope("encoder"):
        y = nn.dense(gx.input("x", ("n", 3)), 4, bias=False, name="first")
    assert names(y) == ["encoder.first.W"]


@pytest.mark.parametrize("activation", sorted({*nn.ACTIVATIONS} - {"prelu"}))  # that one has a parameter
def test_activations_by_name_are_the_functions(activation):
    x = gx.input("x", ("n", 3))
    y = nn.dense(x, 4, activation=activation, name="l")
    plain = nn.ACTIVATIONS[activation](nn.dense(x, 4, name="l"))
    data, W, b = np.ones((2, 3)), np.full((3, 4), 0.5), np.arange(4.0)
    assert np.array_equal(gx.compile(y)(data, W, b), gx.compile(plain)(data, W, b))


def test_dense_takes_any_number_of_axes():
    y = nn.dense(gx.input("x", ("batch", "time", 3)), 4)
    values = gx.compile(y)(np.ones((2, 5, 3)), np.ones((3, 4)), np.zeros(4))
    assert values.shape == (2, 5, 4)
    assert (values == 3).all()


def test_relu_starts_by_he_and_others_by_xavier():
    x = gx.input("x", ("n", 3))
    inits = [
        graph_of(nn.dense(x, 4, activation=a)).leaves("param")[0].attrs["init"].name for a in ("relu", "tanh")
    ]
    assert inits == ["he_normal", "xavier_uniform"]


def test_dropout_keeps_the_expectation_and_vanishes_in_use():
    x = gx.input("x", ("n",))
    y = nn.dropout(x, 0.3)
    data = np.ones(200_000)
    train = gx.compile(y, mode="train")(data, rng=0)
    kept = (train != 0).mean()
    assert abs(kept - 0.7) < 5 * np.sqrt(0.7 * 0.3 / data.size)
    assert np.unique(train).size == 2
    assert train.max() * round(0.7 * 2**16) / 2**16 == pytest.approx(
        1, abs=1e-7
    )  # the quantised share scales
    assert np.array_equal(gx.compile(y)(data), data)


def test_two_dropouts_never_share_a_mask():
    x = gx.input("x", ("n",))
    a, b = gx.compile([nn.dropout(x, 0.5), nn.dropout(x, 0.5)], mode="train")(np.ones(1000), rng=1)
    assert 0.3 < (a == b).mean() < 0.7


def test_a_mask_depends_on_seed_and_name_alone():
    x = gx.input("x", ("n",))
    first = gx.compile(nn.dropout(x, 0.5, name="d"), mode="train")
    both = gx.compile([nn.dropout(x, 0.5, name="e"), nn.dropout(x, 0.5, name="d")], mode="train")
    data = np.ones(1000)
    assert np.array_equal(first(data, rng=7), both(data, rng=7)[1])
    assert not np.array_equal(first(data, rng=7), first(data, rng=8))


def test_a_generator_goes_on_where_it_was():
    program = gx.compile(nn.dropout(gx.input("x", ("n",)), 0.5), mode="train")
    rng = program.make_rng(3)
    a, b = program(np.ones(100), rng=rng), program(np.ones(100), rng=rng)
    assert not np.array_equal(a, b)


BAD = {
    "no node": lambda: nn.dense(np.ones((2, 3)), 4),
    "named features": lambda: nn.dense(gx.input("x", ("n", "m")), 4),
    "unknown activation": lambda: nn.dense(gx.input("x", ("n", 3)), 4, activation="rellu"),
    "rate of one": lambda: nn.dropout(gx.input("x", ("n", 3)), 1.0),
    "negative rate": lambda: nn.dropout(gx.input("x", ("n", 3)), -0.1),
    "negative units": lambda: nn.dense(gx.input("x", ("n", 3)), -4),
    "unknown init": lambda: nn.dense(gx.input("x", ("n", 3)), 4, init="kaiming"),
    "empty name": lambda: nn.dense(gx.input("x", ("n", 3)), 4, name=""),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_layers_are_refused(what):
    with pytest.raises(gx.GraphcError):
        BAD[what]()


@pytest.mark.parametrize(
    ("name", "options"), [("he", {}), ("normal", {"sd": 1.0}), ("zeros", {"value": 1.0})]
)
def test_unknown_initialisers_and_options_are_refused(name, options):
    with pytest.raises(gx.GraphcError):
        gx.init(name, **options)


def test_starting_arrays_must_fit():
    with pytest.raises(gx.GraphcError, match="another shape"):
        gx.param("W", (2, 3), init=np.zeros((3, 2)))
    assert gx.param("W", (2,), init=3.0).attrs["init"].name == "constant"


def test_weights_may_start_from_an_array():
    start = np.arange(6.0).reshape(3, 2)
    model = gx.Model(nn.dense(gx.input("x", ("n", 3)), 2, init=start, name="line"))
    np.testing.assert_array_equal(model.params["line.W"], start)
