"""The planned layout: the numbers of the fresh one, in arrays that are there before the step begins."""

from __future__ import annotations

import threading
import tracemalloc

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim
from graphc.errors import ArgumentError
from tests.golden.models import MODELS

RANDOM = np.random.default_rng(0)
OPTIMIZERS = {
    "sgd": optim.sgd(0.1),
    "momentum": optim.momentum(0.1),
    "adam": optim.adam(0.01),
    "clipped": optim.chain(optim.clip_by_global_norm(1.0), optim.adam(0.01)),
    "decayed": optim.adamw(0.01),
    "lamb": optim.lamb(0.01),
    "scheduled": optim.adam(optim.schedules.exponential(0.01, 10, 0.5)),
    "accumulated": optim.chain(optim.accumulate(2), optim.sgd(0.1)),
}


def network(level="exact", optimizer=None, sizes=(6, 8, 5)):
    x, t = gx.input("x", ("batch", sizes[0])), gx.input("t", ("batch",), dtype="int64")
    h = nn.dense(x, sizes[1], activation="relu", name="hidden")
    h = nn.dropout(h, 0.25)
    y = nn.dense(h, sizes[2], name="output")
    return gx.Model(y, nn.cross_entropy(y, t), optimizer=optimizer or optim.sgd(0.1), level=level)


def batch(rows, sizes=(6, 8, 5)):
    return RANDOM.normal(size=(rows, sizes[0])).astype("float32"), RANDOM.integers(0, sizes[2], rows)


def run(model, layout, batches):
    module = model.module(model.optimizer, layout)
    values, rng, losses = module.init(0), module.make_rng(1), []
    for x, t in batches:
        *values, loss = module.train_step(*values, x, t, rng=rng)
        losses.append(loss)
    return losses, values


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_run_has_the_bits_of_the_fresh_layout(name):
    batches = [batch(rows) for rows in (16, 16, 7, 16, 7)]
    losses, values = run(network(optimizer=OPTIMIZERS[name]), "fresh", batches)
    planned, others = run(network(optimizer=OPTIMIZERS[name]), "planned", batches)
    assert losses == planned
    for one, other in zip(values, others, strict=True):
        assert one.keys() == other.keys()
        for key in one:
            np.testing.assert_array_equal(one[key], other[key], err_msg=key)


def test_sums_as_products_stay_within_rounding():
    batches = [batch(16) for _ in range(5)]
    losses, values = run(network("default"), "fresh", batches)
    planned, others = run(network("default"), "planned", batches)
    np.testing.assert_allclose(losses, planned, rtol=1e-5)
    for key in values[0]:
        np.testing.assert_allclose(values[0][key], others[0][key], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_golden_models_fit_the_same_in_both_layouts(name):
    def trained(layout):
        model, optimizer = MODELS[name]()
        model.layout, model.level = layout, "exact"
        arrays = {}
        for leaf in model.graph.leaves("input"):
            shape = [12 if not isinstance(d, int) else d for d in leaf.shape]
            draw = np.random.default_rng(1)
            arrays[leaf.attrs["name"]] = (
                draw.normal(size=shape).astype(leaf.dtype)
                if leaf.type.is_float
                else draw.integers(0, 2, shape)
            )
        history = model.fit(arrays, optimizer=optimizer, epochs=3, batch_size=5, verbose=False)
        return history["loss"], model.params

    (one, params), (other, others) = trained("fresh"), trained("planned")
    assert one == other
    for key in params:
        np.testing.assert_array_equal(params[key], others[key])


def test_values_that_are_given_stay_and_those_that_came_back_change():
    module = network().module(optim.sgd(0.1))
    params, state, slots = module.init(0)
    before = {k: v.copy() for k, v in params.items()}
    rng = module.make_rng(0)
    first, state, slots, _ = module.train_step(params, state, slots, *batch(4), rng=rng)
    for key in params:
        np.testing.assert_array_equal(params[key], before[key])
    seen = first["hidden.W"].copy()
    second, *_ = module.train_step(first, state, slots, *batch(4), rng=rng)
    assert second is first
    assert not np.array_equal(seen, first["hidden.W"])


@pytest.mark.parametrize("how", ["item", "update", "or"])
def test_an_assigned_parameter_is_the_one_that_is_trained(how):
    module = network().module(optim.sgd(0.0))
    rng = module.make_rng(0)
    params, state, slots, _ = module.train_step(*module.init(0), *batch(4), rng=rng)
    if how == "item":
        params["output.b"] = np.full(5, 3.0)
    elif how == "update":
        params.update({"output.b": np.full(5, 3.0)})
    else:
        params |= {"output.b": np.full(5, 3.0)}
    params, *_ = module.train_step(params, state, slots, *batch(4), rng=rng)
    np.testing.assert_array_equal(params["output.b"], np.full(5, 3.0, "float32"))


@pytest.mark.parametrize("how", ["pop", "popitem", "clear", "__delitem__"])
def test_names_of_what_is_trained_stay(how):
    """An array that came in the place of a deleted piece would not be trained."""
    module = network().module(optim.adam(0.1))
    params, _, slots, _ = module.train_step(*module.init(0), *batch(4), rng=module.make_rng(0))
    for pieces, name in ((params, "output.b"), (slots, "adam.m/output.b")):
        with pytest.raises(TypeError, match="take a copy"):
            getattr(pieces, how)(*([] if how in ("popitem", "clear") else [name]))
        assert name in pieces
        assert type(pieces.copy()) is dict


def test_what_does_not_fit_is_refused():
    module = network().module(optim.sgd(0.1))
    rng = module.make_rng(0)
    params, state, slots, _ = module.train_step(*module.init(0), *batch(4), rng=rng)
    with pytest.raises(ValueError, match=r"output.b has shape \(5,\), not \(\)"):
        params["output.b"] = 3.0
    x, t = batch(4)
    with pytest.raises(TypeError, match="float64"):
        module.train_step(params, state, slots, x, t + 0.5, rng=rng)
    module.train_step(params, state, slots, x.tolist(), t.tolist(), rng=rng)


def test_plans_of_many_sizes_are_not_all_kept():
    module = network().module(optim.sgd(0.1))
    rng, values = module.make_rng(0), module.init(0)
    for rows in range(1, 40):
        *values, _ = module.train_step(*values, *batch(rows), rng=rng)
    assert len(values[0].steps) <= 16


def test_parameters_that_a_callback_sets_are_trained_on():
    class Set(gx.train.Callback):
        def on_epoch_end(self, run, row):
            run.model.set_params({"output.b": np.full(5, 2.0)})

    model = network(optimizer=optim.adam(0.01))
    model.fit(*batch(20), epochs=2, batch_size=8, verbose=False, callbacks=[Set()])
    np.testing.assert_array_equal(model.params["output.b"], np.full(5, 2.0, "float32"))


def test_the_layout_is_saved_with_the_model(tmp_path):
    model = network()
    assert gx.load(model.save(tmp_path / "a.gx")).layout == "planned"
    model.layout = "fresh"
    assert gx.load(model.save(tmp_path / "b.gx")).layout == "fresh"


def test_a_loss_that_is_not_finite_changes_nothing():
    module = network(optimizer=optim.adam(0.1)).module(optim.adam(0.1))
    rng = module.make_rng(0)
    params, state, slots, _ = module.train_step(*module.init(0), *batch(4), rng=rng)
    before = {k: np.array(v) for k, v in {**params, **slots}.items()}
    x, t = batch(4)
    x[0, 0] = np.nan
    params, state, slots, loss = module.train_step(params, state, slots, x, t, rng=rng)
    assert np.isnan(loss)
    for key, value in {**params, **slots}.items():
        np.testing.assert_array_equal(value, before[key])


@pytest.mark.parametrize("sizes", [(2, 16, 3), (64, 64, 10)])
def test_a_step_allocates_no_arrays(sizes):
    x, t = gx.input("x", ("batch", sizes[0])), gx.input("t", ("batch",), dtype="int64")
    h = nn.dense(x, sizes[1], activation="relu", name="hidden")
    y = nn.dense(h, sizes[2], name="output")
    module = gx.Model(y, nn.cross_entropy(y, t)).module(optim.adam(0.01))
    values, data = module.init(0), batch(50_000, sizes)
    for _ in range(3):
        *values, _ = module.train_step(*values, *data, check=False)
    tracemalloc.start()
    for _ in range(3):
        *values, _ = module.train_step(*values, *data, check=False)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # NumPy converts 8,192 elements at a time; the least array of this step has 200,000 bytes
    assert peak < 160_000


@pytest.mark.parametrize("classes", [64, 65, 300])
def test_many_classes_are_picked_by_index(classes):
    z, t = gx.input("z", ("n", classes)), gx.input("t", ("n",), dtype="int64")
    loss = nn.cross_entropy(z, t)
    outputs = [loss, gx.grad(loss, z)]
    planned = gx.compile(outputs, layout="planned")
    assert (", t] -= " in planned.source) == (classes > 64)
    values = RANDOM.normal(size=(9, classes)), RANDOM.integers(0, classes, 9)
    for one, other in zip(gx.compile(outputs, level="exact")(*values), planned(*values), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


# -- programs -----------------------------------------------------------------------------------------------------


def value_and_gradient(**options):
    x = gx.input("x", ("n",))
    y = gx.sum(gx.tanh(x) * gx.exp(-gx.square(x)))
    return gx.compile([y, gx.grad(y, x)], **options)


def test_a_number_that_a_choice_reads_has_a_line_of_its_own():
    x, c = gx.input("x", (), dtype="float64"), gx.input("c", (), dtype="bool")
    outputs = gx.cond(c, lambda a: a * gx.cos(a), lambda a: -a, 1.0 + gx.sin(x))
    assert gx.compile(outputs, layout="planned")(0.5, True) == gx.compile(outputs)(0.5, True)


def test_what_a_program_returns_is_the_callers():
    program = value_and_gradient(layout="planned")
    first = program(np.ones(5))[1]
    kept = first.copy()
    program(np.zeros(5))
    np.testing.assert_array_equal(first, kept)


def test_outputs_are_reused_where_that_was_asked_for():
    program = value_and_gradient(layout="planned", reuse_outputs=True)
    first = program(np.ones(5))[1]
    assert program(np.zeros(5))[1] is first
    assert first[0] == 1.0


def test_two_threads_have_buffers_of_their_own():
    program, wrong = value_and_gradient(layout="planned"), []
    data = [np.full(2000, v, "float32") for v in (0.25, 1.5)]
    wanted = [value_and_gradient()(x)[1] for x in data]

    def call(i):
        for _ in range(200):
            if not np.array_equal(program(data[i])[1], wanted[i]):
                wrong.append(i)  # noqa: PERF401

    threads = [threading.Thread(target=call, args=(i,)) for i in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_an_unknown_layout_is_refused():
    for call in (
        lambda: value_and_gradient(layout="packed"),
        lambda: gx.Model(gx.input("x", ()), layout="packed"),
    ):
        with pytest.raises(ArgumentError, match="unknown layout"):
            call()


@pytest.mark.full
def test_memory_stays_flat_over_ten_thousand_steps():
    module = network().module(optim.adam(0.01))
    values, rng = module.init(0), module.make_rng(0)
    data = [batch(16), batch(9)]
    for i in range(100):
        *values, _ = module.train_step(*values, *data[i % 2], rng=rng)
    tracemalloc.start()
    start, _ = tracemalloc.get_traced_memory()
    for i in range(10_000):
        *values, _ = module.train_step(*values, *data[i % 2], rng=rng)
    end, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert end - start < 20_000
