"""Attention: by hand, masks of every kind, heads that are shared, gradients, and what is refused."""

from __future__ import annotations

import re

import numpy as np
import pytest

import graphc as gx
from graphc import nn

RANDOM = np.random.default_rng(0)
VALUES = {n: RANDOM.normal(size=(2, 2, s, d)) for n, s, d in (("q", 3, 4), ("k", 5, 4), ("v", 5, 6))}
MASK = RANDOM.integers(0, 2, (3, 5)).astype(bool)
MASK[0], MASK[1, 0] = False, True


def inputs(n=2):
    return [gx.input(name, (n, *a.shape[1:]), "float64") for name, a in VALUES.items()]


def by_hand(seen=True, added=0.0, scale=0.5, softcap=None):
    scores = scale * VALUES["q"] @ VALUES["k"].swapaxes(-1, -2)
    scores = softcap * np.tanh(scores / softcap) if softcap else scores
    e = np.exp(scores + added) * seen
    total = e.sum(-1, keepdims=True)
    return e / np.where(total == 0, 1, total) @ VALUES["v"]


ADDED = RANDOM.normal(size=(3, 5))
CASES = {
    "plain": ({}, by_hand()),
    "scaled": ({"scale": 0.1}, by_hand(scale=0.1)),
    "causal": ({"causal": True}, by_hand(np.tri(3, 5))),
    "masked": ({"mask": MASK}, by_hand(MASK)),
    "masked and causal": ({"mask": MASK, "causal": True}, by_hand(MASK * np.tri(3, 5))),
    "added": ({"mask": ADDED}, by_hand(added=ADDED)),
    "softcap": ({"softcap": 0.7, "mask": ADDED}, by_hand(added=ADDED, softcap=0.7)),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name):
    options, want = CASES[name]
    leaves = inputs()
    if "mask" in options:
        options = {**options, "mask": gx.const(options["mask"])}
    y = nn.attention(*leaves, **options)
    np.testing.assert_allclose(gx.compile(y)(**VALUES), want, rtol=1e-12, atol=1e-14)
    assert gx.check_grad(y, leaves, VALUES, elements=20).ok


@pytest.mark.parametrize("level", ["exact", "default", "fast"])
def test_a_query_that_sees_no_key_gets_zeros_and_sends_no_gradient(level):
    leaves = inputs()
    y = nn.attention(*leaves, gx.const(MASK))
    outputs = [y, *gx.grad(gx.sum(gx.sin(y)), leaves, level)]
    found, slope, *others = gx.compile(outputs, level=level)(**VALUES)
    assert (found[:, :, 0] == 0).all()
    assert (slope[:, :, 0] == 0).all()
    assert all(np.isfinite(o).all() for o in others)


def test_large_scores_stay_finite():
    leaves = inputs()
    big = VALUES | {"q": 1e5 * VALUES["q"]}
    for found in gx.compile([nn.attention(*leaves, causal=True)])(**big):
        assert np.isfinite(found).all()


def test_the_heads_of_keys_serve_several_queries_each():
    q, k, v = gx.input("q", ("n", 4, 3, 2)), gx.input("k", ("n", 2, 5, 2)), gx.input("v", ("n", 2, 5, 3))
    arrays = [RANDOM.normal(size=(2, *s)).astype(np.float32) for s in ((4, 3, 2), (2, 5, 2), (2, 5, 3))]
    shared = gx.compile(nn.attention(q, k, v))(*arrays)
    wide = [gx.input(n, ("n", 4, 5, d)) for n, d in (("k", 2), ("v", 3))]
    repeated = [np.repeat(a, 2, axis=1) for a in arrays[1:]]
    plain = gx.compile(nn.attention(q, *wide))(arrays[0], *repeated)
    np.testing.assert_array_equal(shared, plain)


def test_the_order_of_keys_does_not_matter():
    program = gx.compile(nn.attention(*inputs()))
    order = RANDOM.permutation(5)
    moved = VALUES | {n: VALUES[n][:, :, order] for n in "kv"}
    np.testing.assert_allclose(program(**VALUES), program(**moved), rtol=1e-12)


def test_weights_are_dropped_in_training_alone():
    leaves = inputs()
    y = nn.attention(*leaves, dropout=0.5)
    np.testing.assert_allclose(gx.compile(y)(**VALUES), by_hand(), rtol=1e-12)
    a, b = (gx.compile(y, mode="train")(**VALUES, rng=seed) for seed in (0, 1))
    assert not np.array_equal(a, b)


def node(shape, dtype="float32"):
    return gx.input("x", shape, dtype)


REFUSED = {
    "other features": (
        lambda: nn.attention(node((3, 4)), node((5, 3)), node((5, 3))),
        "share their features",
    ),
    "other places": (lambda: nn.attention(node((3, 4)), node((5, 4)), node((6, 4))), "share their features"),
    "integers": (lambda: nn.attention(node((3, 4), "int64"), node((3, 4)), node((3, 4))), "q is a float"),
    "one axis": (lambda: nn.attention(node((4,)), node((4,)), node((4,))), "axis of places"),
    "a named size": (lambda: nn.attention(*[node((3, "d"))] * 3), "pass scale="),
    "a mask of integers": (
        lambda: nn.attention(*[node((3, 4))] * 3, gx.const(np.ones((3, 3), int))),
        "a mask is of bools",
    ),
    "heads that do not divide": (
        lambda: nn.attention(node((1, 3, 2, 4)), node((1, 2, 2, 4)), node((1, 2, 2, 4))),
        "a multiple of those",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(what):
    build, words = REFUSED[what]
    with pytest.raises(gx.GraphcError, match=re.escape(words)):
        build()
