"""Losses and metrics against NumPy, and their gradients in closed form."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc import nn

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(6, 4)) * 3
LABELS = np.array([0, 3, 2, 2, 1, 0])
ROWS = np.eye(4)[LABELS]


def log_softmax(z):
    return z - z.max(1, keepdims=True) - np.log(np.exp(z - z.max(1, keepdims=True)).sum(1, keepdims=True))


def node(name, array):
    kind = "int64" if array.dtype.kind == "i" else "float64"
    return gx.input(name, ("n", *array.shape[1:]), dtype=kind)


def value(loss, *arrays):
    a, b = node("a", arrays[0]), node("b", arrays[1])
    return gx.compile(loss(a, b))(*arrays)


REFERENCE = -log_softmax(Z)[np.arange(6), LABELS]


@pytest.mark.parametrize("target", [LABELS, ROWS], ids=["labels", "one-hot"])
@pytest.mark.parametrize(
    ("reduction", "expected"), [("mean", REFERENCE.mean()), ("sum", REFERENCE.sum()), ("none", REFERENCE)]
)
def test_cross_entropy(target, reduction, expected):
    got = value(lambda z, t: nn.cross_entropy(z, t, reduction=reduction), Z, target)
    assert np.allclose(got, expected, rtol=1e-14)


def test_cross_entropy_of_soft_targets():
    soft = np.abs(RNG.normal(size=(6, 4)))
    soft /= soft.sum(1, keepdims=True)
    got = value(nn.cross_entropy, Z, soft)
    assert got == pytest.approx(-(soft * log_softmax(Z)).sum(1).mean(), rel=1e-14)


def test_gradient_of_cross_entropy_is_p_minus_one_hot():
    z, t = node("z", Z), node("t", LABELS)
    program = gx.compile(gx.grad(nn.cross_entropy(z, t), z))
    p = np.exp(log_softmax(Z))
    assert np.allclose(program(Z, LABELS), (p - ROWS) / 6, rtol=1e-12, atol=1e-16)
    assert program.source.count("np.exp") == 1
    assert "log" not in program.source.split('"""')[-1].replace("log_softmax", "")


def test_mse():
    a, b = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 3))
    assert value(nn.mse, a, b) == pytest.approx(((a - b) ** 2).mean(), rel=1e-14)
    assert value(lambda x, y: nn.mse(x, y, reduction="sum"), a, b) == pytest.approx(
        ((a - b) ** 2).sum(), rel=1e-14
    )


def test_binary_cross_entropy_on_logits_and_on_probabilities():
    z, t = RNG.normal(size=(8, 1)) * 2, RNG.integers(0, 2, (8, 1)).astype(float)
    p = 1 / (1 + np.exp(-z))
    expected = -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean()
    assert value(nn.binary_cross_entropy, z, t) == pytest.approx(expected, rel=1e-13)
    on_p = value(lambda q, y: nn.binary_cross_entropy(q, y, from_logits=False), p, t)
    assert on_p == pytest.approx(expected, rel=1e-13)


def test_binary_cross_entropy_is_exact_at_both_ends():
    z, t = np.array([[1000.0], [-1000.0]]), np.array([[0.0], [1.0]])
    assert value(nn.binary_cross_entropy, z, t) == 1000.0
    zn, tn = node("z", z), node("t", t)
    naive = gx.mean(-(tn * gx.log(gx.sigmoid(zn)) + (1 - tn) * gx.log(1 - gx.sigmoid(zn))))
    program = gx.compile([naive, gx.grad(naive, zn)])
    loss, gradient = program(z, t)
    assert loss == 1000.0
    assert gradient.tolist() == [[0.5], [-0.5]]


def test_int_targets_do_for_binary_cross_entropy():
    z, t = np.array([[0.5], [-1.0]]), np.array([[1], [0]])
    assert np.isfinite(value(nn.binary_cross_entropy, z, t))


def test_accuracy_forms():
    assert value(nn.accuracy, Z, LABELS) == pytest.approx((Z.argmax(1) == LABELS).mean())
    assert value(nn.accuracy, Z, ROWS) == pytest.approx((Z.argmax(1) == LABELS).mean())
    z, t = np.array([[0.5], [-1.0], [2.0]]), np.array([[1], [1], [0]])
    assert value(nn.accuracy, z, t) == pytest.approx(1 / 3)


BAD = {
    "mse of two shapes": lambda: nn.mse(gx.input("a", ("n", 1)), gx.input("b", ("n",))),
    "labels of the wrong rank": lambda: nn.cross_entropy(
        gx.input("z", ("n", 3)), gx.input("t", ("n", 1), "int64")
    ),
    "rows of the wrong size": lambda: nn.cross_entropy(gx.input("z", ("n", 3)), gx.input("t", ("n", 2))),
    "unknown reduction": lambda: nn.mse(gx.input("a", ("n",)), gx.input("b", ("n",)), reduction="average"),
    "accuracy of two shapes": lambda: nn.accuracy(gx.input("z", ("n", 3)), gx.input("t", ("m",), "int64")),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_losses_are_refused(what):
    with pytest.raises(gx.GraphcError):
        BAD[what]()
