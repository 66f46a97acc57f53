"""Convolutional networks and embeddings: gradients, training, export."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim
from graphc.check import check_grad
from graphc.errors import ArgumentError, DTypeError, ShapeError


def network(dtype="float32"):
    x = gx.input("x", ("n", 1, 8, 8), dtype=dtype)
    h = nn.conv2d(x, 4, 3, "tanh", padding="same", name="c1")
    h = nn.max_pool(h, 2)
    h = nn.conv2d(h, 6, 3, "tanh", name="c2")
    h = nn.avg_pool(h, 2)
    return x, nn.dense(nn.flatten(h), 10, name="out")


def test_shapes_and_names():
    _, y = network()
    assert str(y.type) == "float32[n, 10]"
    graph = gx.graph_of(y)
    assert {graph.name_of(p): p.shape for p in graph.leaves("param")} == {
        "c1.W": (3, 3, 1, 4),
        "c1.b": (4,),
        "c2.W": (3, 3, 4, 6),
        "c2.b": (6,),
        "out.W": (6, 10),
        "out.b": (10,),
    }


def test_gradients_agree_with_differences():
    _, y = network("float64")
    graph = gx.graph_of(y)
    random = np.random.default_rng(0)
    values = {
        str(graph.name_of(n)): random.normal(size=tuple(d if isinstance(d, int) else 2 for d in n.shape))
        * 0.5
        for n in graph.arguments
    }
    report = check_grad(y, list(graph.leaves("param")), values, elements=8)
    assert report.ok, report


def test_a_small_network_learns_the_digits():
    digits = gx.datasets.digits()
    images = digits.x[:400].reshape(-1, 1, 8, 8)
    _, logits = network()
    t = gx.input("t", ("n",), dtype="int64")
    model = gx.Model(logits, nn.cross_entropy(logits, t), metrics={"accuracy": nn.accuracy(logits, t)})
    history = model.fit(
        images, digits.y[:400], optimizer=optim.adam(0.03), epochs=10, batch_size=50, seed=0, verbose=False
    )
    assert history["loss"][-1] < 0.35 * history["loss"][0]
    text = model.source()
    assert "_windows" in text
    assert "_fold" in text


def test_an_embedding_adds_up_where_an_id_stands_twice():
    ids = gx.input("ids", ("n",), dtype="int64")
    y = nn.embedding(ids, 4, 2, name="e")
    W = gx.graph_of(y).leaves("param")[0]
    g = gx.compile(gx.grad(gx.sum(y), W))(np.array([1, 1, 3]), np.zeros((4, 2), np.float32))
    np.testing.assert_array_equal(g, [[0, 0], [2, 2], [0, 0], [1, 1]])


def test_what_does_not_fit_is_refused():
    x = gx.input("x", ("n", 3, 8, 8))
    with pytest.raises(ShapeError, match="groups"):
        nn.conv2d(x, 4, 3, groups=3)
    with pytest.raises(ShapeError, match="does not fit"):
        nn.conv2d(x, 4, 9)
    with pytest.raises(ShapeError, match="takes batch, channels"):
        nn.conv1d(x, 4, 3)
    with pytest.raises(DTypeError):
        nn.conv2d(gx.astype(x, "int64"), 4, 3)
    with pytest.raises(ArgumentError, match="no padding called"):
        nn.conv2d(x, 4, 3, padding="full")
    with pytest.raises(DTypeError):
        nn.embedding(x, 4, 3)
