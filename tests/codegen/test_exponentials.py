"""Softmax without the largest of a row in planned code, and with it where a sum says so: the same values as ever."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim
from graphc.ops.vectors import _exponentials

RANDOM = np.random.default_rng(3)
CLASSES = 70


def cross_entropy(dtype="float32"):
    z, t = gx.input("z", ("n", CLASSES), dtype=dtype), gx.input("t", ("n",), dtype="int64")
    loss = nn.cross_entropy(z, t)
    return [loss, gx.grad(loss, z)]


def rows(*changes):
    """Ordinary logits, of which some rows are other: ``(row, what is done to it)``."""
    z = RANDOM.normal(size=(6, CLASSES)).astype("float32")
    for row, change in changes:
        z[row] = change(z[row])
    return z


def with_entry(value):
    return lambda row: np.where(np.arange(CLASSES) == 3, value, row)


LOGITS = {
    "ordinary": rows(),
    "overflow": rows((1, lambda z: z + 200)),
    "vanish": rows((1, lambda z: z - 200)),
    "far apart": rows((0, lambda z: z + 1e4), (1, lambda z: z - 1e4), (2, lambda z: z * 1e4)),
    "at the ends": rows((0, lambda z: z + 50), (1, lambda z: z - 24)),
    "a class ruled out": rows((2, with_entry(-np.inf))),
    "all ruled out": rows((2, lambda z: z * 0 - np.inf)),
    "infinite": rows((2, with_entry(np.inf))),
    "nan": rows((2, with_entry(np.nan))),
    "no rows": np.zeros((0, CLASSES), "float32"),
}
LABELS = np.array([0, 1, 2, 69, 4, 5])


@pytest.mark.parametrize("name", LOGITS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("reuse_outputs", [False, True])
def test_planned_cross_entropy_is_the_fresh_one(name, dtype, reuse_outputs):
    outputs = cross_entropy(dtype)
    planned = gx.compile(outputs, layout="planned", reuse_outputs=reuse_outputs)
    assert "_exponentials(" in planned.source
    values = LOGITS[name].astype(dtype), LABELS[: len(LOGITS[name])]
    room = 8 * np.finfo(dtype).eps
    with np.errstate(all="ignore"):
        for one, other in zip(gx.compile(outputs)(*values), planned(*values), strict=True):
            np.testing.assert_allclose(other, one, rtol=room, atol=room)
            np.testing.assert_array_equal(np.isnan(one), np.isnan(other))


def test_exact_takes_the_largest_off_and_gives_the_same_bits():
    outputs = cross_entropy()
    planned = gx.compile(outputs, layout="planned", level="exact")
    assert "_exponentials(" not in planned.source
    for one, other in zip(
        gx.compile(outputs, level="exact")(LOGITS["overflow"], LABELS),
        planned(LOGITS["overflow"], LABELS),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("shape", [(5, 40), (40, 5), (3, 4, 40)])
@pytest.mark.parametrize("shift", [0.0, 300.0, -300.0])
def test_softmax_and_its_logarithm_along_any_axis(shape, shift):
    x = gx.input("x", ("n", *shape[1:]))
    axis = 0 if shape[0] == 40 else -1
    outputs = [gx.softmax(x, axis=axis), gx.log_softmax(x, axis=axis)]
    planned = gx.compile(outputs, layout="planned")
    assert "_exponentials(" in planned.source
    value = (RANDOM.normal(size=shape) + shift).astype("float32")
    for one, other in zip(gx.compile(outputs)(value), planned(value), strict=True):
        np.testing.assert_allclose(other, one, rtol=2e-6, atol=2e-6)


def test_the_largest_that_somebody_asks_for_is_the_largest():
    """Only the shift of a softmax may be another number."""
    x = gx.input("x", ("n", CLASSES))
    outputs = [gx.max(x, axis=1, keepdims=True), gx.softmax(x), x - gx.max(x, axis=1, keepdims=True)]
    value = LOGITS["ordinary"]
    largest, _, below = gx.compile(outputs, layout="planned")(value)
    np.testing.assert_array_equal(largest, value.max(axis=1, keepdims=True))
    np.testing.assert_array_equal(below, value - largest)


@pytest.mark.parametrize("shift", [0.0, 85.0, 200.0, -60.0, -200.0])
def test_no_row_loses_digits(shift):
    """Against float64: within 4 eps of each sum, whatever the level of the logits."""
    x = (RANDOM.normal(size=(50, 300)) * 3 + shift).astype("float32")
    e, total, largest = np.empty_like(x), np.empty((50, 1), "float32"), np.empty((50, 1), "float32")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _exponentials(x, e, total, largest, 1, np.ones((300, 1), "float32"))
    wide = x.astype("float64")
    expected = np.exp(wide - wide.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)
    found = e.astype("float64") / total
    np.testing.assert_allclose(found, expected, rtol=5e-6, atol=1e-28)
    assert (largest != 0).all() == (not -20 < shift < 50)


def test_logits_stay_as_they_are():
    value = LOGITS["overflow"].copy()
    gx.compile(cross_entropy(), layout="planned")(value, LABELS)
    np.testing.assert_array_equal(value, LOGITS["overflow"])


def classifier():
    """Dropout and running statistics before the logits, which are far too large."""
    x, t = gx.input("x", ("batch", 5)), gx.input("t", ("batch",), dtype="int64")
    h = nn.dropout(
        gx.relu(nn.batch_norm(nn.dense(x, 6, bias=False, name="hidden"), name="norm")), 0.5, name="drop"
    )
    logits = nn.dense(h, CLASSES, name="output") * gx.input("scale", ())
    return gx.Model(logits, nn.cross_entropy(logits, t), name="classifier")


@pytest.mark.parametrize("scale", [1.0, 500.0, np.nan])
def test_a_step_that_is_taken_again_draws_no_other_masks(scale):
    """Parameters, state, slots and generators are those of the fresh step; a loss that is nan changes nothing."""
    x = RANDOM.normal(size=(8, 5)).astype("float32")
    results = []
    for layout in ("fresh", "planned"):
        module = classifier().module(optim.sgd(1e-4), layout)
        params, state, slots = module.init(0)
        rng = module.make_rng(0)
        losses = []
        with np.errstate(all="ignore"):
            for _ in range(3):
                params, state, slots, loss = module.train_step(
                    params, state, slots, x, LABELS[[0, 1, 2, 3, 4, 5, 0, 1]], np.float32(scale), rng=rng
                )
                losses.append(loss)
        drawn = [g.integers(0, 1 << 30) for g in rng.values()]
        results.append((losses, params, state, drawn))
    (losses, params, state, drawn), (others, other_params, other_state, other_drawn) = results
    np.testing.assert_allclose(others, losses, rtol=1e-4)
    assert drawn == other_drawn
    if np.isfinite(scale):
        for name in params:
            np.testing.assert_allclose(other_params[name], params[name], rtol=1e-3, atol=1e-5, err_msg=name)
        for name in state:
            np.testing.assert_allclose(other_state[name], state[name], rtol=1e-4, atol=1e-6, err_msg=name)


def test_what_is_filled_last_shares_no_memory():
    """Of a softmax alone nothing reads the shift afterwards; it is filled all the same."""
    x = gx.input("x", ("m",))
    outputs = gx.softmax(gx.softmax(gx.tanh(x)) + gx.exp(x))
    value = RANDOM.normal(size=3).astype("float32")
    expected = gx.compile(outputs)(value)
    np.testing.assert_allclose(gx.compile(outputs, layout="planned")(value), expected, rtol=2e-6)


@pytest.mark.parametrize("label", [CLASSES, -1])
def test_labels_out_of_range_are_refused_before_anything_is_computed(label):
    planned = gx.compile(cross_entropy(), layout="planned", reuse_outputs=True)
    with pytest.raises(gx.errors.DataError):
        planned(LOGITS["ordinary"], np.full(6, label))


def test_a_long_batch_is_done_again_strip_by_strip():
    """Of 3,000 rows one overflows: values are those of the fresh layout in its strip and in all others."""
    z, t = gx.input("z", ("n", 300)), gx.input("t", ("n",), dtype="int64")
    loss = nn.cross_entropy(z, t)
    planned = gx.compile([loss, gx.grad(loss, z)], layout="planned", reuse_outputs=True)
    assert " in strips" in planned.source
    value, labels = RANDOM.normal(size=(3000, 300)).astype("float32"), RANDOM.integers(0, 300, 3000)
    value[1700] += 500
    for one, other in zip(
        gx.compile([loss, gx.grad(loss, z)])(value, labels), planned(value, labels), strict=True
    ):
        np.testing.assert_allclose(other, one, rtol=4e-6, atol=1e-9)
