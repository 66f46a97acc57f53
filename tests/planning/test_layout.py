"""Steps stored features × batch: the numbers of the fresh layout, and where they stay as they were declared."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim

RANDOM = np.random.default_rng(0)
LAID = "params.whole["


def regression(dtype="float32", optimizer=None, **options):
    x, t = gx.input("x", ("batch", 3), dtype=dtype), gx.input("t", ("batch", 2), dtype=dtype)
    h = nn.dense(x, 8, activation="tanh", name="hidden1")
    h = nn.dense(h, 5, activation="relu", name="hidden2")
    y = nn.dense(h, 2, name="output")
    return gx.Model(y, nn.mse(y, t), optimizer=optimizer or optim.sgd(0.1), **options)


def classes(count=4):
    x, t = gx.input("x", ("batch", 3)), gx.input("t", ("batch",), dtype="int64")
    y = nn.dense(nn.dense(x, 8, activation="relu", name="hidden"), count, name="output")
    return gx.Model(y, nn.cross_entropy(y, t), optimizer=optim.adam(0.05))


def residual():
    x, t = gx.input("x", ("batch", 3)), gx.input("t", ("batch", 1))
    h = nn.dense(x, 6, activation="tanh", name="first")
    h = h + nn.dense(h, 6, activation="gelu", name="second")
    y = nn.dense(h, 1, name="output")
    return gx.Model(y, nn.mse(y, t), optimizer=optim.momentum(0.1))


def normed(layer):
    def build():
        x, t = gx.input("x", ("batch", 3)), gx.input("t", ("batch", 1))
        h = gx.tanh(layer(nn.dense(x, 6, name="first")))
        y = nn.dense(h, 1, name="output")
        return gx.Model(y, nn.mse(y, t), optimizer=optim.sgd(0.1))

    return build


def half_joined():
    """A layer without a bias, one whose weight is held down, and one that reads what the loss reads too."""
    x, t = gx.input("x", ("batch", 3)), gx.input("t", ("batch", 3))
    h = nn.dense(x, 6, activation="tanh", bias=False, name="bare")
    h = nn.dense(h, 6, activation="sigmoid", name="held")
    y = nn.dense(h, 3, name="output")
    held = next(p for p in gx.graph_of(y).leaves("param") if p.shape == (6, 6))
    return gx.Model(y, nn.mse(y, t) + 0.01 * gx.sum(gx.square(held)), optimizer=optim.sgd(0.1))


def shared():
    x, t = gx.input("x", ("batch", 4)), gx.input("t", ("batch", 1))
    w, b = gx.param("w", (4, 4), init="he_normal"), gx.param("b", (4,), init="zeros")
    h = gx.tanh(gx.tanh(x @ w + b) @ w + b)
    y = nn.dense(h, 1, name="output")
    return gx.Model(y, nn.mse(y, t), optimizer=optim.sgd(0.1))


def autoencoder():
    x = gx.input("x", ("batch", 4))
    y = nn.dense(nn.dense(x, 2, activation="tanh", name="code"), 4, name="output")
    return gx.Model(y, nn.mse(y, x), optimizer=optim.sgd(0.1))


def of_rows():
    """What meets all samples with each other has two axes of the batch."""
    x = gx.input("x", ("batch", 3))
    h = nn.dense(x, 4, activation="tanh", name="a")
    return gx.Model(h, gx.mean(gx.square(h @ h.T)), optimizer=optim.sgd(0.1))


def bystander():
    """An output whose parameters the loss does not depend on: they are trained, with a gradient of 0."""
    x, t = gx.input("x", ("batch", 3)), gx.input("t", ("batch", 1))
    h = nn.dense(x, 6, activation="tanh", name="first")
    y, other = nn.dense(h, 1, name="output"), nn.dense(h, 2, name="other")
    return gx.Model([y, other], nn.mse(y, t), optimizer=optim.adamw(0.01))


MODELS = {
    "regression": regression,
    "float64": lambda: regression("float64"),
    "classes": classes,
    "residual": residual,
    "layer norm": normed(nn.layer_norm),
    "batch norm": normed(nn.batch_norm),
    "half joined": half_joined,
    "shared": shared,
    "autoencoder": autoencoder,
    "all pairs": of_rows,
    "bystander": bystander,
}
OPTIMIZERS = {
    "momentum": optim.momentum(0.1),
    "adam": optim.adam(0.01),
    "adamw": optim.adamw(0.01),
    "rmsprop": optim.rmsprop(0.01),
    "clipped": optim.chain(optim.clip_by_global_norm(1.0), optim.adam(0.01)),
    "lamb": optim.lamb(0.01),
    "scheduled": optim.sgd(optim.schedules.exponential(0.1, 10, 0.5)),
}


def is_laid(model):
    return LAID in model.source(layout="planned")


def batches(model, rows=(16, 16, 7, 16, 2)):
    draw = np.random.default_rng(1)

    def array(leaf, n):
        if leaf.dtype == "int64":
            return draw.integers(0, 4, n)
        return draw.normal(size=(n, *leaf.shape[1:])).astype(leaf.dtype)

    inputs = model.graph.leaves("input")
    return [[array(leaf, n) for leaf in inputs] for n in rows]


def run(model, layout, values=None):
    module = model.module(model.optimizer, layout)
    values, losses = values or module.init(0), []
    for batch in batches(model):
        *values, loss = module.train_step(*values, *batch)
        losses.append(loss)
    return losses, values


def assert_close(one, other, rtol):
    for left, right in zip(one, other, strict=True):
        assert left.keys() == right.keys()
        for name in left:
            np.testing.assert_allclose(left[name], right[name], rtol=rtol, atol=rtol / 10, err_msg=name)
            assert np.shape(left[name]) == np.shape(right[name])


@pytest.mark.parametrize("name", MODELS)
def test_steps_agree_with_the_fresh_layout(name):
    fresh, laid = MODELS[name](), MODELS[name]()
    assert is_laid(laid), name
    rtol = 1e-12 if name == "float64" else 1e-4
    (losses, values), (others, found) = run(fresh, "fresh"), run(laid, "planned")
    np.testing.assert_allclose(losses, others, rtol=rtol)
    assert_close(values, found, rtol)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_takes_the_same_steps(name):
    fresh, laid = (regression("float64", OPTIMIZERS[name]) for _ in range(2))
    (losses, values), (others, found) = run(fresh, "fresh"), run(laid, "planned")
    np.testing.assert_allclose(losses, others, rtol=1e-10)
    assert_close(values, found, 1e-9)


ACTIVATIONS = ["sigmoid", "gelu", "silu", "elu", "softplus", "mish", "hard_swish", "softmax", "prelu", "celu"]
LOSSES = ["huber", "log_cosh", "hinge", "poisson_nll", "multilabel_soft_margin", "pinball", "squared_hinge"]


@pytest.mark.full
@pytest.mark.parametrize("name", [*ACTIVATIONS, *LOSSES])
def test_activations_and_losses_agree_with_the_fresh_layout(name):
    def build():
        x, t = (gx.input(n, ("batch", k), dtype="float64") for n, k in (("x", 3), ("t", 2)))
        h = nn.dense(x, 6, activation=name if name in ACTIVATIONS else "tanh", name="hidden")
        y = nn.dense(h, 2, name="output")
        return gx.Model(y, getattr(nn, name if name in LOSSES else "mse")(y, t), optimizer=optim.adam(0.01))

    assert is_laid(build())
    (losses, values), (others, found) = run(build(), "fresh"), run(build(), "planned")
    np.testing.assert_allclose(losses, others, rtol=1e-10)
    assert_close(values, found, 1e-9)


# -- where it stays as it was declared ----------------------------------------------------------------------------


def dropped():
    x, t = gx.input("x", ("batch", 3)), gx.input("t", ("batch", 1))
    y = nn.dense(nn.dropout(nn.dense(x, 6, activation="relu", name="a"), 0.5), 1, name="b")
    return gx.Model(y, nn.mse(y, t), optimizer=optim.sgd(0.1))


def large():
    x, t = gx.input("x", ("batch", 100)), gx.input("t", ("batch", 1))
    y = nn.dense(nn.dense(x, 100, activation="relu", name="a"), 1, name="b")
    return gx.Model(y, nn.mse(y, t), optimizer=optim.sgd(0.1))


def in_three_axes():
    x, t = gx.input("x", ("batch", 3)), gx.input("t", ("batch", 2, 3))
    y = gx.reshape(nn.dense(x, 6, activation="tanh", name="a"), ("batch", 2, 3))
    return gx.Model(y, nn.mse(y, t), optimizer=optim.sgd(0.1))


REFUSED = {
    "dropout": dropped,
    "large": large,
    "three axes": in_three_axes,
    "many classes": lambda: classes(70),
    "exact": lambda: regression(level="exact"),
    "no vectors": lambda: regression(optimizer=optim.lamb(0.1)),
    "rows": lambda: regression(layout="rows"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_these_stay_as_they_were_declared(name):
    model = REFUSED[name]()
    assert "def plan_step" in model.source()
    assert LAID not in model.source()
    assert 'PIECES = ("' in model.source()


def test_a_frozen_layer_stays_as_it_is_while_others_are_laid():
    model = regression()
    model.freeze("hidden1")
    source = model.source()
    assert LAID in source
    assert 'whole["theta"]["hidden1.W"]' not in source
    before = model.params
    model.fit(*batches(model, [64])[0], epochs=2, verbose=False)
    np.testing.assert_array_equal(before["hidden1.W"], model.params["hidden1.W"])
    assert not np.array_equal(before["hidden2.W"], model.params["hidden2.W"])


# -- what users see -----------------------------------------------------------------------------------------------


def test_parameters_gradients_and_slots_are_views_of_what_was_declared():
    model = regression(optimizer=optim.adam(0.01))
    _, (params, _, slots) = run(model, "planned")
    joined = params.whole["theta"]["hidden1.W"]
    assert joined.shape == (8, 4)
    assert np.shares_memory(params["hidden1.W"], joined)
    np.testing.assert_array_equal(params["hidden1.W"].T, joined[:, :-1])
    np.testing.assert_array_equal(params["hidden1.b"], joined[:, -1])
    assert slots["adam.m/hidden1.W"].shape == params.grads["hidden1.W"].shape == (3, 8)
    params["hidden1.W"] = np.ones((3, 8))
    assert (joined[:, :-1] == 1).all()


def test_an_epoch_over_prepared_data_is_its_steps():
    model = classes()
    module = model.module(model.optimizer)
    x, t = batches(model, [50])[0]
    prepared = module.prepare({"x": x, "t": t})
    assert prepared["x"].shape == (50, 4)
    assert (prepared["x"][:, -1] == 1).all()
    params, _, _, losses = module.train_epoch(*module.init(0), prepared, batch_size=16)
    values, found = module.init(0), []
    for start in range(0, 50, 16):
        *values, loss = module.train_step(*values, x[start : start + 16], t[start : start + 16])
        found.append(loss)
    assert losses == found
    for name in params:
        np.testing.assert_array_equal(params[name], values[0][name])


def test_a_saved_model_goes_on_as_the_one_that_was_not(tmp_path):
    x, t = batches(classes(), [64])[0]
    whole, first = classes(), classes()
    whole.fit(x, t, epochs=4, batch_size=16, shuffle=False, verbose=False)
    first.fit(x, t, epochs=2, batch_size=16, shuffle=False, verbose=False)
    first.save(tmp_path / "half.gx")
    second = gx.load(tmp_path / "half.gx")
    second.fit(x, t, epochs=2, batch_size=16, shuffle=False, verbose=False)
    for name, value in whole.params.items():
        np.testing.assert_array_equal(value, second.params[name])


def test_a_loss_that_is_not_finite_changes_nothing():
    model = regression()
    module = model.module(model.optimizer)
    x, t = batches(model, [8])[0]
    *values, _ = module.train_step(*module.init(0), x, t)
    before = {name: value.copy() for name, value in values[0].items()}
    x[0, 0] = np.nan
    *values, loss = module.train_step(*values, x, t)
    assert np.isnan(loss)
    for name, value in before.items():
        np.testing.assert_array_equal(value, values[0][name])


def test_a_class_that_is_ruled_out_costs_the_others_nothing():
    x, t = gx.input("x", ("batch", 3)), gx.input("t", ("batch",), dtype="int64")
    ruled = gx.const(np.array([[0, 0, -np.inf, 0]], np.float32))
    y = nn.dense(x, 4, name="output") + ruled
    fresh, laid = (gx.Model(y, nn.cross_entropy(y, t), optimizer=optim.sgd(0.1)) for _ in range(2))
    assert "_picked(" in laid.source()
    x, t = batches(fresh, [16])[0]
    t[t == 2] = 1
    one, other = (m.module(m.optimizer, how) for m, how in ((fresh, "fresh"), (laid, "planned")))
    *values, loss = one.train_step(*one.init(0), x, t)
    *found, same = other.train_step(*other.init(0), x, t)
    np.testing.assert_allclose(loss, same, rtol=1e-6)
    assert_close(values, found, 1e-5)


def test_memory_of_a_row_of_ones_is_shared_and_written_at_each_step():
    model = regression()
    source = model.source()
    assert "hidden1_h = hidden1_h_1[:-1]" in source
    assert "hidden1_h_ones.fill(1)" in source
    assert "# [batch, 8]ᵀ" in source


def test_an_input_of_three_axes_keeps_its_layout():
    x, t = gx.input("x", ("batch", 2, 3)), gx.input("t", ("batch", 1))
    y = nn.dense(gx.sum(x, axis=1), 1, name="output")
    model = gx.Model(y, nn.mse(y, t), optimizer=optim.sgd(0.1))
    assert "output_Wb" not in model.source(layout="planned")
