"""train_epoch takes the steps that a loop of train_step takes, on data that prepare made once."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim

RANDOM = np.random.default_rng(0)
OPTIMIZERS = {
    "sgd": optim.sgd(0.1),
    "momentum": optim.momentum(0.1),
    "adam": optim.adam(0.01),
    "clipped": optim.chain(optim.clip_by_global_norm(1.0), optim.adam(0.01)),
    "scheduled": optim.adam(optim.schedules.exponential(0.01, 0.5, 10)),
}


def classifier(optimizer=None, level="default", classes=5):
    """Batch normalisation, dropout, weights of examples, and labels."""
    x, t = gx.input("x", ("batch", 6)), gx.input("t", ("batch",), dtype="int64")
    weight = gx.input("weight", ("batch",))
    h = gx.relu(nn.batch_norm(nn.dense(x, 8, name="hidden"), axis=-1, name="norm"))
    y = nn.dense(nn.dropout(h, 0.25), classes, name="output")
    loss = gx.mean(nn.cross_entropy(y, t, reduction="none") * weight)
    return gx.Model(y, loss, optimizer=optimizer or optim.sgd(0.1), level=level)


def data_of(rows, classes=5):
    return {
        "x": RANDOM.normal(size=(rows, 6)).astype("float32"),
        "t": RANDOM.integers(0, classes, rows),
        "weight": RANDOM.random(rows, dtype="float32"),
    }


def by_steps(module, data, orders, batch_size):
    values, rng, losses = module.init(0), module.make_rng(1), []
    for order in orders:
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            *values, loss = module.train_step(*values, *(a[rows] for a in data.values()), rng=rng)
            losses.append(loss)
    return losses, values


def by_epochs(module, data, orders, batch_size):
    values, rng, losses = module.init(0), module.make_rng(1), []
    prepared = module.prepare(data)
    for order in orders:
        *values, found = module.train_epoch(*values, prepared, order, batch_size=batch_size, rng=rng)
        losses += found
    return losses, values


def assert_same(one, other):
    assert one[0] == other[0]
    for mine, theirs in zip(one[1], other[1], strict=True):
        assert mine.keys() == theirs.keys()
        for key in mine:
            np.testing.assert_array_equal(mine[key], theirs[key], err_msg=key)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("level", ["default", "exact"])
def test_an_epoch_has_the_bits_of_its_steps(name, level):
    module = classifier(OPTIMIZERS[name], level).module(OPTIMIZERS[name])
    data = data_of(21)
    orders = [np.random.default_rng(k).permutation(21) for k in range(3)]
    assert_same(by_steps(module, data, orders, 8), by_epochs(module, data, orders, 8))


@pytest.mark.parametrize("classes", [5, 64, 65])
def test_rows_as_they_lie_have_the_bits_of_an_order(classes):
    module = classifier(classes=classes).module(optim.sgd(0.1))
    data = data_of(20, classes)
    assert (module.prepare(data)["t"].ndim == 2) == (classes <= 64)
    whole = by_epochs(module, data, [np.arange(20)] * 2, 8)
    assert_same(whole, by_epochs(module, data, [None] * 2, 8))
    assert_same(whole, by_epochs(module, data, [slice(0, 16), slice(16, 20)] * 2, 8))
    assert_same(whole, by_steps(module, data, [np.arange(20)] * 2, 8))
