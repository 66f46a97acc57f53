"""Random networks over images: with the batch as the last axis, the numbers of the fresh layout."""

from __future__ import annotations

import random

import numpy as np
import pytest

import graphc as gx
from graphc.errors import GraphcError

SIZES = {1: 12, 2: 9, 3: 5}


class Maker:
    """Draws what a network is made of."""

    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.rank = self.draw.choice([1, 2, 2, 2, 3])
        shape = (self.draw.choice([1, 2, 4]), *(SIZES[self.rank],) * self.rank)
        self.params = 0
        self.h = gx.input("x", ("n", *shape), dtype="float64")

    def param(self, *shape):
        self.params += 1
        return gx.param(f"p{self.params}", shape, dtype="float64")

    def any(self, *values):
        return self.draw.choice(values)

    def axis(self):
        return self.draw.randrange(1, self.h.ndim)


def convolved(m):
    groups = m.any(1, 1, 1, m.h.shape[1])
    out, kernel = m.any(1, 3, 4) * groups, m.any(1, 2, 3)
    w = m.param(out, m.h.shape[1] // groups, *(kernel,) * m.rank)
    return gx.conv(m.h, w, m.any(1, 1, 2), m.any(0, 1), m.any(1, 1, 2), groups)


def pooled(m):
    pool, window = m.any(gx.max_pool, gx.max_pool, gx.avg_pool), m.any(2, 2, 3)
    return pool(m.h, window, m.any(None, None, 1, 2), m.any(0, 0, 1))


def normalised(m):
    axes = (0, *range(2, m.h.ndim))
    spread = gx.sqrt(gx.var(m.h, axis=axes, keepdims=True) + 0.1)
    return (m.h - gx.mean(m.h, axis=axes, keepdims=True)) / spread


def halves(m):
    shape = m.h.shape
    return gx.reshape(m.h, (shape[0], 2, shape[1] // 2, *shape[2:])) if shape[1] % 2 == 0 else None


def in_groups(m):
    parts = halves(m)
    if parts is None:
        return m.h
    return gx.reshape(parts - gx.mean(parts, axis=tuple(range(2, parts.ndim)), keepdims=True), m.h.shape)


def shuffled(m):
    parts = halves(m)
    return m.h if parts is None else gx.reshape(gx.swapaxes(parts, 1, 2), m.h.shape)


LAYERS = [
    *[convolved] * 4,
    *[pooled] * 3,
    normalised,
    in_groups,
    shuffled,
    lambda m: gx.relu(m.h),
    lambda m: gx.tanh(m.h) * m.param(m.h.shape[1], *(1,) * m.rank),
    lambda m: m.h + gx.reshape(m.param(m.h.shape[1]), (m.h.shape[1], *(1,) * m.rank)),
    lambda m: m.h + gx.sin(m.h),
    lambda m: gx.concat([m.h, gx.exp(-gx.square(m.h))], axis=m.axis()),
    lambda m: gx.flip(m.h, m.axis()),
    lambda m: m.h[:, :, 1 :: m.any(1, 2)],
    lambda m: m.h * gx.mean(m.h, axis=tuple(range(1, m.h.ndim)), keepdims=True),
    lambda m: gx.swapaxes(m.h, 2, m.h.ndim - 1),
    lambda m: gx.softmax(m.h, axis=m.axis()),
    lambda m: gx.cumsum(m.h, axis=m.any(0, 1, 2)),
    lambda m: gx.pad(m.h, ((0, 0), (0, 0), *((1, 0),) * m.rank), constant_values=m.any(0, 1.5)),
    lambda m: gx.where(m.h > 0.1, m.h, gx.square(m.h)),
    lambda m: m.h - gx.sum(m.h, axis=0, keepdims=True),
    lambda m: gx.sort(m.h, axis=m.any(0, 1)),
]


def flat(m):
    columns = 1
    for dim in m.h.shape[1:]:
        columns = columns * dim
    return gx.reshape(m.h, (m.h.shape[0], columns)) @ m.param(columns, 3)


ENDS = [
    flat,
    lambda m: gx.global_avg_pool(m.h),
    lambda m: gx.global_max_pool(m.h),
    lambda m: gx.sum(m.h, axis=0),
    lambda m: m.h,
]


def network(seed):
    """A random network; a layer that does not fit is left out."""
    m = Maker(seed)
    for _ in range(m.draw.randint(2, 6)):
        try:
            m.h = m.any(*LAYERS)(m)
        except GraphcError:
            continue
    return m.any(*ENDS)(m)


def assert_same(seed):
    """Value and gradients of a network in both layouts; whether anything was stored with the batch last."""
    y = network(seed)
    leaves = list(gx.graph_of(y).arguments)
    outputs = [y, *gx.grad(gx.sum(gx.sin(y)), leaves)]
    fresh, planned = (gx.compile(outputs, layout=layout) for layout in ("fresh", "planned"))
    draw = np.random.default_rng(seed)
    for rows in (3, 2, 3):
        arrays = [draw.normal(size=[d if isinstance(d, int) else rows for d in n.shape]) for n in leaves]
        for one, other in zip(fresh(*arrays), planned(*arrays), strict=True):
            most = np.abs(one).max(initial=1.0)
            np.testing.assert_allclose(other, one, rtol=1e-7, atol=1e-8 * most, err_msg=str(seed))
    return "contiguous" in {n.op.name for n in planned.plan.graph.nodes}


def test_random_networks():
    assert sum(assert_same(seed) for seed in range(5)) >= 2


@pytest.mark.full
def test_more_random_networks():
    assert sum(assert_same(seed) for seed in range(100, 170)) >= 35
