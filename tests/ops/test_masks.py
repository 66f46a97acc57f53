"""Masks from raw bits: the same however many are drawn at a time, in both layouts, and as often as was asked for."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc import nn
from graphc.ops.moves import _bernoulli


def generator(seed=3):
    return np.random.Generator(np.random.SFC64([seed, 1]))


@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (3, 7), (2, 32_768), (32_769,), (70_001,)])
def test_bits_follow_each_other_over_pieces(shape):
    mask = _bernoulli(generator(), shape, 20_000)
    count = int(np.prod(shape))
    bits = generator().bit_generator.random_raw(-(-count // 4)).view(np.uint16)[:count]
    assert mask.dtype == bool
    np.testing.assert_array_equal(mask, (bits < 20_000).reshape(shape))


def test_a_mask_is_drawn_into_an_array_that_is_there():
    out = np.zeros((100, 400), np.bool_)
    assert _bernoulli(generator(), out.shape, 40_000, out=out) is out
    np.testing.assert_array_equal(out, _bernoulli(generator(), out.shape, 40_000))


@pytest.mark.parametrize("rate", [0.5, 0.1, 0.97])
def test_values_are_kept_as_often_as_asked_for(rate):
    count = 1 << 20
    kept = _bernoulli(generator(), (count,), round((1 - rate) * 65536)).mean()
    assert abs(kept - (1 - rate)) < 5 * (rate * (1 - rate) / count) ** 0.5 + 2**-17


def test_what_is_kept_for_certain_is_kept():
    assert _bernoulli(generator(), (1000,), 65536).all()


def test_both_layouts_draw_the_same_and_their_gradients_agree():
    x = gx.input("x", ("n", 300))
    loss = gx.sum(gx.square(nn.dropout(gx.sin(x), 0.3, name="drop")))
    outputs, array = (
        [loss, gx.grad(loss, x)],
        np.random.default_rng(0).normal(size=(200, 300)).astype(np.float32),
    )
    results = [
        gx.compile(outputs, mode="train", layout=layout)(array, rng=5) for layout in ("fresh", "planned")
    ]
    np.testing.assert_array_equal(results[0][1], results[1][1])
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-6)
    dropped = (results[0][1] == 0).mean()
    assert abs(dropped - 0.3) < 0.02
