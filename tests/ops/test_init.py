"""Initialisers: the distributions of their papers, seeds of their own, and the same values from an exported file."""

from __future__ import annotations

import math

import numpy as np
import pytest

import graphc as gx
from graphc import nn
from graphc.ops.init import Init, initial_value
from graphc.ops.initialisers import ALIASES, FAMILIES, GAINS, INITIALISERS, fans

SHAPE = (300, 200)
OPTIONS = {
    "constant": {"value": 0.5},
    "truncated_normal": {"std": 0.5, "low": -1.0},
    "sparse": {"sparsity": 0.25},
}


def drawn(init, shape=SHAPE, name="W", seed=0):
    return initial_value(init if isinstance(init, Init) else gx.init(init), shape, "float64", name, seed)


def variance(name, fan_in, fan_out):
    """What the papers say."""
    return {
        "xavier_normal": 2 / (fan_in + fan_out),
        "xavier_uniform": 2 / (fan_in + fan_out),
        "he_normal": 2 / fan_in,
        "he_uniform": 2 / fan_in,
        "lecun_normal": 1 / fan_in,
        "lecun_uniform": 1 / fan_in,
        "normal": 0.01**2,
        "uniform": 0.05**2 / 3,
    }[name]


def within(values, expected, uniform=False):
    spread = 5 * np.sqrt((0.8 if uniform else 2) / values.size)
    return abs(values.var() / expected - 1) <= spread and abs(values.mean()) <= 5 * np.sqrt(
        expected / values.size
    )


@pytest.mark.parametrize("name", [n for n in INITIALISERS if "normal" in n or "uniform" in n])
def test_initialisers_have_the_variance_of_their_papers(name):
    if name == "truncated_normal":
        return
    values = drawn(name)
    expected = variance(name, *SHAPE)
    assert within(values, expected, uniform="uniform" in name)
    if "uniform" in name:
        assert 0.99 * np.sqrt(3 * expected) < abs(values).max() <= np.sqrt(3 * expected)


def test_constants():
    for name, value in (("zeros", 0.0), ("ones", 1.0), (gx.init("constant", value=-2.5), -2.5)):
        assert np.array_equal(drawn(name, (3, 2)), np.full((3, 2), value))


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize("name", ["xavier_normal", "he_uniform", "lecun_normal"])
def test_modes_and_gains(name, mode):
    fan = {"fan_in": 300, "fan_out": 200, "fan_avg": 250}[mode]
    values = drawn(gx.init(name, mode=mode, gain=3.0))
    assert within(values, 9 / fan, uniform="uniform" in name)


@pytest.mark.parametrize("activation", GAINS)
def test_a_gain_may_be_that_of_an_activation(activation):
    gain = {
        "linear": 1,
        "sigmoid": 1,
        "tanh": 5 / 3,
        "relu": 2**0.5,
        "leaky_relu": (2 / 1.0001) ** 0.5,
        "selu": 0.75,
    }
    assert dict(gx.init("xavier_normal", gain=activation).options)["gain"] == pytest.approx(gain[activation])


def test_the_slope_of_leaky_relu():
    assert dict(gx.init("he_normal", gain="leaky_relu", slope=0.2).options) == {"gain": math.sqrt(2 / 1.04)}


def test_fans():
    assert fans((5, 7)) == (5, 7)
    assert fans((3, 3, 5, 7)) == (45, 63)
    assert fans((4,)) == (4, 4)
    assert fans(()) == (1, 1)


def test_fans_of_layers():
    """A kernel's fan_in is what one output reads, whatever the groups; one row of a table is one unit that is on."""
    x, ids = gx.input("x", ("n", 16, 8, 8)), gx.input("ids", ("n",), "int64")
    kernel = nn.conv2d(x, 256, 3, groups=4, init="lecun_normal", name="c")
    table = nn.embedding(ids, 1000, 64, init="lecun_normal", name="e")
    params = gx.Model({"c": kernel, "e": table}).params
    assert params["c.W"].shape == (3, 3, 4, 256)
    assert within(params["c.W"], 1 / (9 * 4))
    assert within(params["e.W"], 1.0)
    assert within(drawn(gx.init("xavier_normal", fan_in=1)), 2 / (1 + 200))


def test_truncation_is_between_its_bounds():
    values = drawn(gx.init("truncated_normal", std=0.5, mean=3.0, low=-1.0, high=2.0), (100_000,))
    assert 2.5 <= values.min() < 2.51
    assert 3.99 < values.max() <= 4.0
    assert drawn(gx.init("truncated_normal", low=2.0, high=3.0), ()).shape == ()
    two = drawn(gx.init("truncated_normal", std=1.0), (200_000,))
    assert two.std() == pytest.approx(0.8796, rel=0.01)


def test_a_uniform_of_two_bounds_and_a_normal_of_another_mean():
    values = drawn(gx.init("uniform", low=1.0, high=3.0))
    assert values.min() >= 1.0
    assert values.max() < 3.0
    assert drawn(gx.init("normal", mean=5.0, std=0.1)).mean() == pytest.approx(5.0, abs=0.01)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (3, 3, 2, 7), (3, 3, 8, 7)])
def test_orthogonal(shape):
    q = drawn(gx.init("orthogonal", gain=1.5), shape).reshape(-1, shape[-1])
    product = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
    assert np.allclose(product, 2.25 * np.eye(min(q.shape)), rtol=0, atol=1e-12)


def test_orthogonal_prefers_no_direction():
    """Without the signs of R, the first entry would always be negative."""
    signs = [np.sign(drawn("orthogonal", (2, 2), seed=s)[0, 0]) for s in range(40)]
    assert abs(sum(signs)) < 30


def test_identity():
    assert np.array_equal(drawn(gx.init("identity", gain=2.0), (3, 5)), 2 * np.eye(3, 5))
    kernel = drawn("identity", (3, 5, 4, 4))
    assert np.array_equal(kernel[1, 2], np.eye(4))
    assert kernel.sum() == 4


def test_an_identity_kernel_keeps_an_image():
    x = gx.input("x", ("n", 3, 6, 6))
    model = gx.Model(nn.conv2d(x, 3, 3, padding="same", init="identity", name="c"))
    image = np.random.default_rng(0).normal(size=(2, 3, 6, 6)).astype(np.float32)
    assert np.array_equal(model.predict(image), image)


def test_sparse():
    values = drawn(gx.init("sparse", sparsity=0.25, std=2.0), (101, 50))
    assert set((values == 0).sum(axis=0)) == {26}  # 25.25, rounded up
    assert values[values != 0].std() == pytest.approx(2.0, rel=0.05)
    assert len({tuple(column) for column in (values == 0).T}) == 50


def test_other_names():
    assert {str(gx.init(other)) for other in ALIASES} == set(ALIASES.values())


# -- seeds --------------------------------------------------------------------------------------------------------


def test_adding_a_parameter_does_not_change_the_others():
    a = drawn("normal", (3,), "a")
    assert np.array_equal(a, drawn("normal", (3,), "a"))
    assert not np.array_equal(a, drawn("normal", (3,), "b"))
    assert not np.array_equal(a, drawn("normal", (3,), "a", seed=1))


def deep(layers):
    h = gx.input("x", ("n", 4))
    for i in range(layers):
        h = nn.dense(h, 4, init="orthogonal", name=f"h{i}")
    return gx.Model(h)


def test_adding_a_layer_does_not_change_the_others():
    short, long = deep(2).params, deep(3).params
    assert set(short) < set(long)
    for name, value in short.items():
        assert np.array_equal(value, long[name])


# -- in a model ---------------------------------------------------------------------------------------------------


def ramp(rng, shape):
    return np.linspace(-1, 1, math.prod(shape)).reshape(shape) + rng.normal(0, 0.01, shape)


def model_of_all():
    total = gx.input("x", (4,))
    for i, name in enumerate(INITIALISERS):
        init = gx.init(name, **OPTIONS.get(name, {}))
        dtype = "float64" if i % 2 else "float32"
        total = total + gx.astype(gx.param(f"p.{name}", (6, 4), init=init, dtype=dtype), "float32")[1]
    shifted = gx.param("shifted", (4,), init=gx.init("normal", mean=1.0, std=0.1))
    between = gx.param("between", (), init=gx.init("uniform", low=1.0, high=2.0))
    cut = gx.param("cut", (), init="truncated_normal")
    return gx.Model(total + shifted + between + cut, name="all")


def test_an_exported_module_starts_the_same_way(tmp_path):
    model = model_of_all()
    space: dict = {}
    exec(compile(model.export(tmp_path / "all.py").read_text(), "all", "exec"), space)
    for seed in (0, 7):
        params, _, _ = space["init"](seed)
        ours = model.reset(seed).params
        assert params.keys() == ours.keys()
        for name, value in ours.items():
            assert params[name].dtype == value.dtype
            assert np.array_equal(params[name], value), name


def test_a_model_without_starting_values_by_chance_exports_no_generator(tmp_path):
    text = (
        gx.Model(gx.param("a", (2,), init="ones") * gx.input("x", (2,)), name="m")
        .export(tmp_path / "m.py")
        .read_text()
    )
    assert "generator" not in text


def test_every_distribution_is_used():
    used = {row.numbers(SHAPE, {**row.options})[0] for row in INITIALISERS.values()}
    assert used | {"shifted", "between"} == set(FAMILIES)


def test_text_and_back():
    model = model_of_all()
    again = gx.parse(str(model.graph))
    assert str(again) == str(model.graph)
    init = gx.init("he_normal", mode="fan_out", gain=2.0)
    text = str(gx.graph_of([gx.param("W", (2, 3), init=init)]))
    assert '@he_normal{gain=2.0, mode="fan_out"}' in text
    assert str(gx.parse(text)) == text


def own_model():
    x = gx.input("x", ("n", 3))
    W = gx.param("W", (3, 2), init=ramp)
    return gx.Model(x @ W + gx.param("b", (2,), init="normal"), name="own")


def test_a_function_of_ones_own():
    model = own_model()
    assert model.params["W"].dtype == np.float32
    assert np.allclose(model.params["W"], np.linspace(-1, 1, 6).reshape(3, 2), atol=0.1)
    assert np.array_equal(own_model().params["W"], model.params["W"])
    assert not np.array_equal(own_model().reset(1).params["W"], model.params["W"])


def test_a_function_of_ones_own_is_an_argument_of_an_exported_init(tmp_path):
    model = own_model()
    space: dict = {}
    exec(compile(model.export(tmp_path / "own.py").read_text(), "own", "exec"), space)
    params, _, _ = space["init"](0, {"W": ramp})
    assert all(np.array_equal(params[name], value) for name, value in model.params.items())
    with pytest.raises(TypeError, match="own"):
        space["init"](0)


def test_a_function_is_not_saved_and_its_values_are(tmp_path):
    model = own_model()
    again = gx.load(model.save(tmp_path / "own.gx"))
    assert np.array_equal(again.params["W"], model.params["W"])
    with pytest.raises(gx.GraphcError, match="W starts by a function that was not saved"):
        again.reset(1)


BAD = {
    "an unknown name": (lambda: gx.init("he_norml"), "did you mean he_normal"),
    "an unknown option": (lambda: gx.init("normal", sd=1.0), "does not take sd=1.0"),
    "an option of another": (lambda: gx.init("zeros", std=1.0), "zeros does not take std"),
    "an option that is nan": (lambda: gx.init("normal", std=math.nan), "does not take std=nan"),
    "an option that is text": (lambda: gx.init("normal", std="1"), "does not take std"),
    "a mode that is none": (lambda: gx.init("he_normal", mode="fan"), "unknown mode of fans"),
    "a mode that is a number": (lambda: gx.init("he_normal", mode=1.0), "does not take mode"),
    "a gain of no activation": (lambda: gx.init("he_normal", gain="rel"), "did you mean 'relu'"),
    "a gain of 0": (lambda: gx.init("he_normal", gain=0.0), "gain is above 0"),
    "a slope of relu": (lambda: gx.init("he_normal", gain="relu", slope=0.1), "slope is of"),
    "a negative std": (lambda: gx.init("normal", std=-1.0), "std is at least 0"),
    "a negative bound": (lambda: gx.init("uniform", bound=-1.0), "bound is at least 0"),
    "bounds in the wrong order": (lambda: gx.init("uniform", low=2.0, high=1.0), "low is below high"),
    "one bound": (lambda: gx.init("uniform", low=2.0), "low and high go together"),
    "a truncation in the wrong order": (lambda: gx.init("truncated_normal", low=2.0, high=-2.0), "rise"),
    "a truncation that keeps nothing": (lambda: gx.init("truncated_normal", low=8.0, high=9.0), "too long"),
    "more than all zeros": (lambda: gx.init("sparse", sparsity=1.5), "share between 0 and 1"),
    "an orthogonal vector": (lambda: gx.param("v", (3,), init="orthogonal"), "v cannot start as orthogonal"),
    "an identity vector": (lambda: gx.param("v", (3,), init="identity"), "v cannot start as identity"),
    "a sparse kernel": (lambda: gx.param("k", (3, 2, 2), init="sparse"), "k cannot start as sparse"),
    "a function of another shape": (
        lambda: gx.Model(gx.param("W", (3, 2), init=lambda rng, shape: np.ones(3)) + 1).params,
        "W starts by gives something else",
    ),
    "something else": (
        lambda: gx.param("W", (2,), init={"a": 1}),
        "is a name, a number, an array or a function",
    ),
    "an option of another kind in a text": (
        lambda: gx.parse(
            'graphc 1\ngraph f\n%w = param() {init=@normal{std="1"}, trainable=True} : float32[3]\nreturn %w\n'
        ),
        "std",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_starts_are_refused(what):
    make, message = BAD[what]
    with pytest.raises(gx.GraphcError, match=message):
        make()
