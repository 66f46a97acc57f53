"""train_epoch takes the steps that a loop of train_step takes, on data that prepare made once."""

from __future__ import annotations

import tracemalloc
from functools import cache

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


@cache
def module_of(name="sgd", level="default", classes=5, layout="planned"):
    """Batch normalisation, dropout, weights of examples, and labels; compiled once for all tests."""
    x, t = gx.input("x", ("batch", 6)), gx.input("t", ("batch",), dtype="int64")
    weight = gx.input("weight", ("batch",))
    h = gx.relu(nn.batch_norm(nn.dense(x, 8, name="hidden"), axis=-1, name="norm"))
    y = nn.dense(nn.dropout(h, 0.25), classes, name="output")
    loss = gx.mean(nn.cross_entropy(y, t, reduction="none") * weight)
    return gx.Model(y, loss, level=level).module(OPTIMIZERS[name], layout)


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
    module = module_of(name, level)
    data = data_of(21)
    orders = [np.random.default_rng(k).permutation(21) for k in range(3)]
    assert_same(by_steps(module, data, orders, 8), by_epochs(module, data, orders, 8))


@pytest.mark.parametrize("classes", [5, 64, 65])
def test_rows_as_they_lie_have_the_bits_of_an_order(classes):
    module = module_of(classes=classes)
    data = data_of(20, classes)
    assert (module.prepare(data)["t"].ndim == 2) == (classes <= 64)
    whole = by_epochs(module, data, [np.arange(20)] * 2, 8)
    assert_same(whole, by_epochs(module, data, [None] * 2, 8))
    assert_same(whole, by_epochs(module, data, [slice(0, 16), slice(16, 20)] * 2, 8))
    assert_same(whole, by_steps(module, data, [np.arange(20)] * 2, 8))


def test_a_loss_that_is_not_finite_ends_an_epoch_and_its_step_changes_nothing():
    module = module_of("adam")
    data = data_of(20)
    whole = {k: v[:8] for k, v in data.items()}
    expected = by_epochs(module, whole, [None], 4)
    data["x"][9, 2] = np.nan
    losses, values = by_epochs(module, data, [None], 4)
    assert np.isnan(losses.pop())
    assert_same(expected, (losses, values))


def test_dicts_that_are_given_stay_and_those_that_came_back_change():
    module = module_of()
    params, state, slots = module.init(0)
    before = {k: v.copy() for k, v in params.items()}
    first, state, slots, _ = module.train_epoch(params, state, slots, data_of(8), rng=module.make_rng(0))
    assert all(np.array_equal(params[k], before[k]) for k in params)
    second, *_ = module.train_epoch(first, state, slots, data_of(8), rng=module.make_rng(0))
    assert second is first
    third, *_ = module.train_step(first, state, slots, *data_of(8).values(), rng=module.make_rng(0))
    assert third is first


WRONG = {
    "fewer labels": (lambda d: d | {"t": d["t"][:1]}, r"t has shape \(1,\), expected \(20,\)"),
    "more weights": (lambda d: d | {"weight": np.ones(21)}, r"weight has shape \(21,\), expected \(20,\)"),
    "narrow": (lambda d: d | {"x": d["x"][:, :5]}, r"x has shape \(20, 5\), expected \(20, 6\)"),
    "flat": (lambda d: d | {"x": d["x"].ravel()}, r"x has shape \(120,\), expected \(120, 6\)"),
    "label": (lambda d: d | {"t": d["t"] + 1}, "t holds labels 1 to 5, expected 0 to 4"),
    "no label": (lambda d: d | {"t": d["t"] - 1}, "t holds labels -1 to 3, expected 0 to 4"),
}


@pytest.mark.parametrize("layout", ["planned", "fresh"])
@pytest.mark.parametrize("case", WRONG)
def test_data_that_do_not_fit_are_refused_and_nothing_changes(case, layout):
    spoilt, message = WRONG[case]
    module = module_of(layout=layout)
    params, state, slots = module.init(0)
    before = {k: v.copy() for k, v in params.items()}
    data = spoilt({**data_of(20), "t": np.arange(20) % 5})
    with pytest.raises(ValueError, match=message):
        module.train_step(params, state, slots, *data.values(), rng=module.make_rng(0))
    if layout == "planned":
        for call in (module.prepare, lambda d: module.train_epoch(params, state, slots, d, rng={})):
            with pytest.raises(ValueError, match=message):
                call(data)
    assert all(np.array_equal(params[k], before[k]) for k in params)


@pytest.mark.parametrize(
    ("order", "error"),
    [([0, 20], IndexError), ([-1, 3], IndexError), ([0.0, 1.0], TypeError), (np.ones(20, bool), TypeError)],
)
def test_an_order_that_names_no_rows_is_refused(order, error):
    module = module_of()
    with pytest.raises(error, match="order holds"):
        module.train_epoch(*module.init(0), data_of(20), order, rng=module.make_rng(0))
    with pytest.raises(ValueError, match="batch_size is 0"):
        module.train_epoch(*module.init(0), data_of(20), batch_size=0, rng=module.make_rng(0))


@pytest.mark.parametrize("order", [3, [[0, 1], [2, 3]]])
def test_an_order_is_a_row_of_numbers(order):
    module = module_of()
    with pytest.raises(ValueError, match=r"order has shape .*, expected \(rows,\)"):
        module.train_epoch(*module.init(0), data_of(20), order, rng=module.make_rng(0))


def narrow(features):
    x, t = gx.input("x", ("batch", features)), gx.input("t", ("batch", 2))
    y = nn.dense(nn.dense(x, 5, activation="relu", name="hidden"), 2, name="output")
    return gx.Model(y, nn.mse(y, t)).module(optim.sgd(0.1))


def test_data_that_another_module_prepared_are_refused():
    """With its column of ones, six features are seven."""
    given = {"x": RANDOM.normal(size=(20, 6)), "t": RANDOM.normal(size=(20, 2))}
    module, other = narrow(6), narrow(7)
    prepared = module.prepare(given)
    assert prepared["x"].shape == (20, 7)
    for call in (other.prepare, module.prepare, lambda data: other.train_epoch(*other.init(0), data)):
        with pytest.raises(ValueError, match="prepared already"):
            call(prepared)


def test_prepared_rows_lie_one_after_the_other():
    module = narrow(6)
    given = {"x": np.asfortranarray(RANDOM.normal(size=(20, 6))), "t": RANDOM.normal(size=(2, 20)).T}
    assert all(array.flags.c_contiguous for array in module.prepare(given).values())


@pytest.mark.parametrize("order", [[], slice(5, 5)])
def test_an_epoch_of_no_rows_takes_no_step(order):
    module = module_of()
    *_, losses = module.train_epoch(*module.init(0), data_of(20), order, rng=module.make_rng(0))
    assert losses == []


def test_rows_may_come_again_and_in_steps_of_a_slice():
    module, data = module_of(), data_of(20)
    orders = [np.array([3, 3, 0, 19] * 12), np.arange(20)[::-3]]
    assert_same(
        by_steps(module, data, orders, 24), by_epochs(module, data, [orders[0], slice(None, None, -3)], 24)
    )


@pytest.mark.parametrize("order", [None, "shuffled"])
def test_an_epoch_allocates_no_arrays_for_its_steps(order):
    x, t = gx.input("x", ("batch", 64)), gx.input("t", ("batch",), dtype="int64")
    y = nn.dense(nn.dense(x, 64, activation="relu", name="hidden"), 10, name="output")
    module = gx.Model(y, nn.cross_entropy(y, t)).module(optim.adam(0.01))
    data = module.prepare({"x": RANDOM.random((6400, 64)), "t": RANDOM.integers(0, 10, 6400)})
    order = None if order is None else RANDOM.permutation(6400)
    values = module.train_epoch(*module.init(0), data, order, batch_size=3200)[:3]
    tracemalloc.start()
    peaks = []
    for size in (3200, 400):  # few steps, and many
        values = module.train_epoch(*values, data, order, batch_size=size)[:3]
        tracemalloc.reset_peak()
        start = tracemalloc.get_traced_memory()[0]
        values = module.train_epoch(*values, data, order, batch_size=size)[:3]
        peaks.append(tracemalloc.get_traced_memory()[1] - start)
    tracemalloc.stop()
    rows = 0 if order is None else 4 * (65 + 10)  # what rows are gathered in, once an epoch
    assert (
        peaks[0] < 3200 * rows + 160_000
    )  # the least array of a step has 128,000 bytes and NumPy casts in 80,000
    assert peaks[1] < 400 * rows + 160_000


def test_names_of_inputs_and_sizes_that_the_functions_use_too():
    names = ("data", "order", "losses", "count", "start", "loss_", "step", "rows", "given", "prepare")
    inputs = [gx.input(name, ("batch_size", "stop")) for name in names]
    w = gx.param("w", (), init="ones")
    loss = gx.mean(gx.square(sum(inputs) * w))
    module = gx.Model(sum(inputs) * w, loss).module(optim.sgd(0.01))
    data = {name: RANDOM.random((9, 3), dtype="float32") for name in names}
    losses = module.train_epoch(*module.init(0), data, [4, 3, 2], batch_size=2)[3]
    values, expected = module.init(0), []
    for rows in ([4, 3], [2]):
        *values, found = module.train_step(*values, *(a[rows] for a in data.values()))
        expected.append(found)
    assert losses == expected


def test_an_input_that_is_no_part_of_a_batch_is_read_whole():
    x, table = gx.input("x", ("batch", 3)), gx.input("table", (4, 3))
    w = gx.param("w", (3,), init="ones")
    loss = gx.mean(gx.square(x @ gx.sum(table, 0) * gx.sum(w)))
    module = gx.Model(x @ w, loss).module(optim.sgd(0.01))
    data = {"x": RANDOM.random((9, 3), dtype="float32"), "table": RANDOM.random((4, 3), dtype="float32")}
    losses = module.train_epoch(*module.init(0), data, batch_size=9)[3]
    assert losses == [module.train_step(*module.init(0), *data.values())[3]]


def test_a_model_without_batches_has_no_epochs():
    w = gx.param("w", (), init="ones")
    module = gx.Model(w, gx.square(w - gx.input("x", ()))).module(optim.sgd(0.1))
    assert "train_epoch" not in module.source.text
    assert "check_sizes" in module.source.text


@pytest.mark.parametrize("lr", [0.3, 1, np.float32(0.3), np.float64(0.3), np.array(0.3)], ids=repr)
@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_a_rate_of_any_kind_is_that_of_the_steps(name, lr):
    module, data = module_of(name), data_of(8)
    *values, losses = module.train_epoch(*module.init(0), data, batch_size=8, lr=lr, rng=module.make_rng(1))
    *others, loss = module.train_step(*module.init(0), *data.values(), lr=lr, rng=module.make_rng(1))
    assert_same((losses, values), ([loss], others))


@pytest.mark.parametrize("data", [{"x": np.ones((4, 3), np.float32)}, {}, np.ones((4, 3), np.float32)])
def test_data_without_a_name_say_what_was_given_and_expected(data):
    x, t = gx.input("x", ("batch", 3)), gx.input("t", ("batch",))
    model = gx.Model(y := x @ gx.param("w", (3,)), nn.mse(y, t), optimizer="sgd")
    module = model.module("sgd", "planned")
    found = ", ".join(data) or type(data).__name__ if isinstance(data, dict) else "ndarray"
    with pytest.raises(ValueError, match=f"data holds {found}, expected x, t"):
        module.train_epoch(*module.init(0), data)
