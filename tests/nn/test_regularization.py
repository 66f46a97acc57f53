"""Penalties by hand, noise by its moments, masks of their own, and what is refused."""

from __future__ import annotations

import re

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim

RANDOM = np.random.default_rng(0)
NETWORK = {"first.W": RANDOM.normal(size=(3, 4)), "second.W": RANDOM.normal(size=(4, 2))}


def network():
    x = gx.input("x", ("n", 3), "float64")
    return nn.dense(nn.dense(x, 4, "tanh", name="first"), 2, name="second")


PENALTIES = {
    "l1": (lambda p: nn.l1_penalty(p, 0.3), lambda w: 0.3 * np.abs(w).sum()),
    "l2": (lambda p: nn.l2_penalty(p, 0.3), lambda w: 0.3 * (w**2).sum()),
    "half l2": (lambda p: nn.l2_penalty(p, 0.3, half=True), lambda w: 0.15 * (w**2).sum()),
    "elastic net": (
        lambda p: nn.elastic_net(p, 0.3, 0.7),
        lambda w: 0.3 * np.abs(w).sum() + 0.7 * (w**2).sum(),
    ),
}


@pytest.mark.parametrize("name", PENALTIES)
def test_a_penalty_of_a_network_is_over_its_weights_and_not_its_biases(name):
    build, by_hand = PENALTIES[name]
    penalty = build(network())
    assert [gx.graph_of(penalty).name_of(p) for p in gx.graph_of(penalty).leaves("param")] == list(NETWORK)
    found = gx.compile(penalty)(*NETWORK.values())
    np.testing.assert_allclose(found, sum(by_hand(w) for w in NETWORK.values()), rtol=1e-12)


@pytest.mark.parametrize("name", PENALTIES)
def test_penalties_have_their_gradients(name):
    W, b = gx.param("W", (3, 2), dtype="float64"), gx.param("b", (2,), dtype="float64")
    values = {"W": RANDOM.normal(size=(3, 2)), "b": RANDOM.normal(size=2)}
    for given in ([W, b], {"W": W, "b": b}):
        assert gx.check_grad(PENALTIES[name][0](given), [W, b], values).ok


def test_a_parameter_that_is_frozen_by_declaration_is_not_penalised():
    x = gx.input("x", ("n", 3))
    y = x @ gx.param("A", (3, 2), trainable=False) @ gx.param("B", (2, 2))
    assert [p.name for p in gx.graph_of(nn.l2_penalty(y, 1.0)).leaves("param")] == ["B"]


def test_half_an_l2_penalty_is_coupled_weight_decay():
    data = RANDOM.normal(size=(8, 3)).astype(np.float32), RANDOM.normal(size=(8, 1)).astype(np.float32)
    x, t = gx.input("x", ("n", 3)), gx.input("t", ("n", 1))
    y = nn.dense(x, 1, bias=False, name="line")
    penalty = gx.Model(y, nn.mse(y, t) + nn.l2_penalty(y, 0.1, half=True))
    decay = gx.Model(y, nn.mse(y, t))
    penalty.fit(*data, optimizer=optim.sgd(0.1), epochs=3, verbose=False)
    decay.fit(*data, optimizer=optim.chain(optim.weight_decay(0.1), optim.sgd(0.1)), epochs=3, verbose=False)
    np.testing.assert_allclose(penalty.params["line.W"], decay.params["line.W"], rtol=1e-5)


# -- noise ---------------------------------------------------------------------------------------------------------

COUNT = 200_000
NOISE = {
    "spatial_dropout": lambda x: nn.spatial_dropout(x, 0.25),
    "alpha_dropout": lambda x: nn.alpha_dropout(x, 0.25),
    "gaussian_noise": lambda x: nn.gaussian_noise(x, 0.5),
    "gaussian_dropout": lambda x: nn.gaussian_dropout(x, 0.25),
}


@pytest.mark.parametrize("name", NOISE)
def test_in_use_the_value_passes_unchanged(name):
    x = gx.input("x", ("n", 3), "float64")
    data = RANDOM.normal(size=(5, 3))
    assert np.array_equal(gx.compile(NOISE[name](x))(data), data)


@pytest.mark.parametrize("name", NOISE)
def test_noise_depends_on_the_seed_and_two_sites_never_share_it(name):
    x = gx.input("x", ("n", 3), "float64")
    program = gx.compile([NOISE[name](x), NOISE[name](x)], mode="train")
    data = np.ones((200, 3))
    a, b = program(data, rng=1)
    assert (a != b).mean() > 0.2
    assert np.array_equal(program(data, rng=1)[0], a)
    assert not np.array_equal(program(data, rng=2)[0], a)


@pytest.mark.parametrize("name", NOISE)
def test_noise_has_its_gradient(name):
    x = gx.input("x", (4, 3), "float64")
    assert gx.check_grad(NOISE[name](x), x, {"x": RANDOM.normal(size=(4, 3))}, mode="train").ok


@pytest.mark.parametrize(
    ("name", "variance"), [("spatial_dropout", 1 / 3), ("gaussian_noise", 0.25), ("gaussian_dropout", 1 / 3)]
)
def test_noise_keeps_the_mean_and_has_its_variance(name, variance):
    x = gx.input("x", ("n", 1), "float64")
    found = gx.compile(NOISE[name](x), mode="train")(np.ones((COUNT, 1)), rng=0)
    assert abs(found.mean() - 1) < 5 * np.sqrt(variance / COUNT)
    assert abs(found.var() - variance) < 5 * np.sqrt(3 / COUNT) * variance * 2


def test_alpha_dropout_keeps_mean_zero_and_variance_one():
    x = gx.input("x", ("n",), "float64")
    found = gx.compile(nn.alpha_dropout(x, 0.25), mode="train")(RANDOM.normal(size=COUNT), rng=0)
    assert abs(found.mean()) < 5 / np.sqrt(COUNT)
    assert abs(found.var() - 1) < 5 * np.sqrt(2 / COUNT) * 2


def test_spatial_dropout_drops_whole_channels_at_its_rate():
    x = gx.input("x", ("n", 8, 3, 2), "float64")
    found = gx.compile(nn.spatial_dropout(x, 0.25), mode="train")(np.ones((500, 8, 3, 2)), rng=0)
    assert (found == found[:, :, :1, :1]).all()
    kept = (found[:, :, 0, 0] != 0).mean()
    assert abs(kept - 0.75) < 5 * np.sqrt(0.75 * 0.25 / 4000)


def test_a_model_with_noise_is_exported_and_draws_the_same(tmp_path):
    x, t = gx.input("x", ("batch", 3)), gx.input("t", ("batch", 1))
    h = nn.gaussian_dropout(nn.gaussian_noise(nn.dense(x, 4, "tanh", name="a"), 0.1), 0.2)
    y = nn.dense(h, 1, name="b")
    model = gx.Model(y, nn.mse(y, t), name="noisy")
    data = RANDOM.normal(size=(8, 3)).astype(np.float32), RANDOM.normal(size=(8, 1)).astype(np.float32)
    start = model.reset(3).params
    model.fit(*data, optimizer=optim.sgd(0.1), epochs=2, batch_size=8, shuffle=False, seed=3, verbose=False)
    model.export(tmp_path / "noisy.py")
    space: dict[str, object] = {"__name__": "noisy", "__file__": str(tmp_path / "noisy.py")}
    exec(compile((tmp_path / "noisy.py").read_text(), "noisy.py", "exec"), space)  # our own text
    params, state, slots, rng = start, {}, space["init"](3)[2], space["make_rng"](3)
    for _ in range(2):
        params, state, slots, _ = space["train_step"](
            params, state, slots, *data, lr=np.float32(0.1), rng=rng
        )
    for name, value in model.params.items():
        np.testing.assert_array_equal(params[name], value)


# -- max-norm ------------------------------------------------------------------------------------------------------


def test_max_norm_keeps_the_weights_of_each_unit_within_a_ball():
    data = RANDOM.normal(size=(32, 3)).astype(np.float32), 50 * RANDOM.normal(size=(32, 2)).astype(np.float32)
    x, t = gx.input("x", ("n", 3)), gx.input("t", ("n", 2))
    y = nn.dense(x, 2, name="line")
    model = gx.Model(y, nn.mse(y, t))
    model.fit(*data, optimizer=optim.chain(optim.sgd(0.1), optim.max_norm(1.5)), epochs=5, verbose=False)
    lengths = np.linalg.norm(model.params["line.W"], axis=0)
    np.testing.assert_allclose(lengths, 1.5, rtol=1e-5)  # both would be longer without


def test_max_norm_leaves_what_is_short_enough_to_the_last_bit():
    x, t = gx.input("x", ("n", 3)), gx.input("t", ("n", 2))
    y = nn.dense(x, 2, name="line")
    data = RANDOM.normal(size=(32, 3)).astype(np.float32), RANDOM.normal(size=(32, 2)).astype(np.float32)
    # rows: features × batch, which a norm of columns turns off, adds in another order
    plain, bound = (gx.Model(y, nn.mse(y, t), layout="rows") for _ in range(2))
    plain.fit(*data, optimizer=optim.sgd(0.01), epochs=2, verbose=False)
    bound.fit(*data, optimizer=optim.chain(optim.sgd(0.01), optim.max_norm(100.0)), epochs=2, verbose=False)
    for name, value in plain.params.items():
        np.testing.assert_array_equal(bound.params[name], value)


X = gx.input("x", ("n", 4))

REFUSED = {
    "no parameters": (lambda: nn.l2_penalty(gx.tanh(X), 0.1), "there are none"),
    "no parameter": (lambda: nn.l2_penalty([X], 0.1), "over parameters"),
    "a weight below 0": (lambda: nn.l1_penalty(gx.param("W", (2,)), -1.0), "at least 0"),
    "a weight that is nan": (lambda: nn.l1_penalty(gx.param("W", (2,)), float("nan")), "at least 0"),
    "a rate of one": (lambda: nn.gaussian_dropout(X, 1.0), "less than 1"),
    "no channels": (lambda: nn.spatial_dropout(gx.input("v", ("n",)), 0.5), "axis of channels"),
    "a negative deviation": (lambda: nn.gaussian_noise(X, -0.1), "at least 0"),
    "integers": (lambda: nn.alpha_dropout(gx.input("i", ("n",), "int64"), 0.5), "floats"),
    "no node": (lambda: nn.gaussian_noise(1.0, 0.5), "applied to a node"),
    "noise of integers": (lambda: gx.normal((3,), "int64"), "one of floats"),
    "a ball of no size": (lambda: optim.max_norm(0.0), "above 0"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(what):
    build, words = REFUSED[what]
    with pytest.raises(gx.GraphcError, match=re.escape(words)):
        build()
