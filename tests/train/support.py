"""What the tests of training share: a small classifier and a line."""

from __future__ import annotations

import numpy as np

import graphc as gx
from graphc import datasets, nn


def classifier(rate=0.0, name="net"):
    """A network of two layers on the plane, three classes; with dropout where a rate is given."""
    x = gx.input("x", ("batch", 2))
    t = gx.input("t", ("batch",), dtype="int64")
    h = nn.dense(x, 8, activation="tanh", name="hidden")
    if rate:
        h = nn.dropout(h, rate, name="drop")
    z = nn.dense(h, 3, name="output")
    return gx.Model(z, nn.cross_entropy(z, t), metrics={"accuracy": nn.accuracy(z, t)}, name=name)


def line(dtype="float32"):
    """y = w x + b with squared error."""
    x = gx.input("x", ("batch", 1), dtype=dtype)
    y = gx.input("y", ("batch", 1), dtype=dtype)
    p = nn.dense(x, 1, name="line")
    return gx.Model(p, nn.mse(p, y), name="line")


def spirals(rows=60):
    """Points of three classes."""
    return datasets.spirals(rows=rows)


def same(a, b):
    """Whether two dicts of arrays are equal to the last bit."""
    return a.keys() == b.keys() and all(
        np.asarray(a[k]).dtype == np.asarray(b[k]).dtype
        and np.asarray(a[k]).tobytes() == np.asarray(b[k]).tobytes()
        for k in a
    )
