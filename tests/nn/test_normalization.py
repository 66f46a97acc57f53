"""Normalisation: values by hand, gradients, running statistics, two graphs from one model, and what is refused."""

from __future__ import annotations

import re

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim
from graphc.errors import ArgumentError, DataError

RANDOM = np.random.default_rng(0)

LAYERS = {
    "batch_norm": (lambda x: nn.batch_norm(x, name="norm"), ("n", 3)),
    "batch_norm over space": (lambda x: nn.batch_norm(x, name="norm"), ("n", 3, 2, 2)),
    "batch_norm, channels last": (lambda x: nn.batch_norm(x, axis=-1, name="norm"), ("n", 2, 2, 3)),
    "batch_norm, all averaged": (lambda x: nn.batch_norm(x, momentum=None, name="norm"), ("n", 3)),
    "batch_norm without affine": (
        lambda x: nn.batch_norm(x, scale=False, shift=False, name="norm"),
        ("n", 3),
    ),
    "layer_norm": (lambda x: nn.layer_norm(x, name="norm"), ("n", 4)),
    "layer_norm of two axes": (lambda x: nn.layer_norm(x, axis=(1, 2), name="norm"), ("n", 2, 3)),
    "layer_norm of an inner axis": (lambda x: nn.layer_norm(x, axis=1, name="norm"), ("n", 2, 3)),
    "rms_norm": (lambda x: nn.rms_norm(x, name="norm"), ("n", 4)),
    "group_norm": (lambda x: nn.group_norm(x, 2, name="norm"), ("n", 4, 3)),
    "instance_norm": (lambda x: nn.instance_norm(x, name="norm"), ("n", 2, 5)),
    "normalize": (nn.normalize, ("n", 3)),
    "local_response_norm": (lambda x: nn.local_response_norm(x, 3, alpha=0.5), ("n", 5, 2)),
}


def values_of(graph, n=6, positive=("norm.running_var",)):
    """Values for each argument: random, and positive where they are variances."""
    found = {}
    for leaf in graph.arguments:
        name = str(graph.name_of(leaf))
        draw = RANDOM.normal(size=tuple(d if isinstance(d, int) else n for d in leaf.shape))
        found[name] = np.abs(draw) + 0.5 if name in positive else draw + 0.3
    return found


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_gradients_agree_with_differences(name, mode):
    build, shape = LAYERS[name]
    x = gx.input("x", shape, "float64")
    y = build(gx.tanh(x))
    graph = gx.graph_of(y)
    report = gx.check_grad(y, [x, *graph.leaves("param")], values_of(graph), mode=mode)
    assert report.ok, report


def argument_names(program):
    return [str(program.graph.name_of(leaf)) for leaf in program.graph.arguments]


def run(program, values):
    return program(**{name: values[name] for name in argument_names(program)})


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_agree_between_levels(name):
    build, shape = LAYERS[name]
    x = gx.input("x", shape, "float64")
    y = gx.sum(gx.sin(build(x)))
    graph = gx.graph_of(y)
    wrt = [x, *graph.leaves("param")]
    values = values_of(graph)
    for mode in ("train", "eval"):
        exact, default = (
            run(gx.compile(gx.grad(y, wrt, level), mode=mode, level=level), values)
            for level in ("exact", "default")
        )
        for a, b in zip(exact, default, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", LAYERS)
def test_second_derivatives_agree_with_differences(name):
    build, shape = LAYERS[name]
    x = gx.input("x", shape, "float64")
    y = gx.sum(gx.sin(build(x)))
    slope = gx.sum(gx.cos(gx.grad(y, x)))
    report = gx.check_grad(slope, x, values_of(gx.graph_of(slope)), mode="train", elements=12, tolerance=1e-5)
    assert report.ok, report


# -- values by hand ------------------------------------------------------------------------------------------------


def test_batch_statistics_in_training_and_running_ones_in_use():
    x = gx.input("x", ("n", 2), "float64")
    y = nn.batch_norm(x, momentum=0.25, eps=0.01, name="norm")
    data = np.array([[0.0, 1.0], [2.0, 5.0], [4.0, 0.0]])
    gamma, beta = np.array([2.0, -1.0]), np.array([0.5, 1.0])
    found, states = gx.compile(y, mode="train")(data, np.zeros(2), np.ones(2), gamma, beta)
    want = gamma * (data - data.mean(0)) / np.sqrt(data.var(0) + 0.01) + beta
    np.testing.assert_allclose(found, want, rtol=1e-12)
    np.testing.assert_allclose(states["norm.running_mean"], 0.25 * data.mean(0), rtol=1e-12)
    np.testing.assert_allclose(states["norm.running_var"], 0.75 + 0.25 * data.var(0, ddof=1), rtol=1e-12)
    used = gx.compile(y)(data, np.array([1.0, 2.0]), np.array([4.0, 9.0]), gamma, beta)
    want = gamma * (data - [1, 2]) / np.sqrt(np.array([4.0, 9.0]) + 0.01) + beta
    np.testing.assert_allclose(used, want, rtol=1e-12)


def states_after(**options):
    x = gx.input("x", ("n", 2), "float64")
    y = nn.batch_norm(x, name="norm", scale=False, shift=False, **options)
    program = gx.compile(y, mode="train")
    data = np.array([[0.0, 1.0], [2.0, 5.0], [4.0, 0.0]])
    return program(data, np.ones(2), np.full(2, 2.0))[1], data


def test_the_momentum_of_the_old_value_is_one_minus_that_of_the_new():
    a, _ = states_after(momentum=0.25)
    b, _ = states_after(momentum=0.75, momentum_of="old")
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


def test_the_running_variance_is_over_n_where_asked():
    states, data = states_after(momentum=0.25, unbiased=False)
    np.testing.assert_allclose(states["norm.running_var"], 1.5 + 0.25 * data.var(0), rtol=1e-12)


def test_without_momentum_the_running_values_are_averages_of_all_batches():
    x = gx.input("x", ("n", 2), "float64")
    program = gx.compile(nn.batch_norm(x, momentum=None, scale=False, shift=False, name="norm"), mode="train")
    data = RANDOM.normal(size=(4, 5, 2))
    states = {"norm.running_mean": np.zeros(2), "norm.running_var": np.ones(2), "norm.batches": 0.0}
    for batch in data:
        _, states = program(x=batch, **states)
    np.testing.assert_allclose(states["norm.running_mean"], data.mean((0, 1)), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(states["norm.running_var"], data.var(1, ddof=1).mean(0), rtol=1e-12)
    assert states["norm.batches"] == 4


def test_weight_normalisation_trains_length_and_direction_apart():
    v, g = gx.input("v", (3, 2), "float64"), gx.input("g", (2,), "float64")
    W = nn.weight_norm(v, g)
    data, lengths = RANDOM.normal(size=(3, 2)), np.array([2.0, 0.5])
    found, slope = gx.compile([W, gx.grad(gx.sum(gx.sin(W)), v)])(data, lengths)
    np.testing.assert_allclose(np.linalg.norm(found, axis=0), lengths)
    np.testing.assert_allclose((slope * data).sum(0), 0, atol=1e-12)  # only the direction turns
    assert gx.check_grad(W, [v, g], {"v": data, "g": lengths}).ok


def test_a_weight_makes_its_own_length():
    with gx.scope("layer"):
        W = nn.weight_norm(gx.param("v", (3, 2)))
    assert [gx.graph_of(W).name_of(p) for p in gx.graph_of(W).leaves("param")] == ["layer.v", "layer.g"]


# -- what does not change ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in LAYERS if n.startswith(("batch", "layer", "group", "instance"))])
def test_a_scale_and_a_shift_of_the_input_do_not_show(name):
    build, shape = LAYERS[name]
    x = gx.input("x", shape, "float64")
    y = build(x)
    values = values_of(gx.graph_of(y))
    program = gx.compile(y, mode="train")
    first = run(program, values | {"x": 1e3 * values["x"]})  # where epsilon does not show
    second = run(program, values | {"x": 5e3 * values["x"] + 7})
    first, second = (r[0] if isinstance(r, tuple) else r for r in (first, second))
    np.testing.assert_allclose(first, second, atol=1e-4)


def test_the_order_of_a_batch_does_not_matter():
    x = gx.input("x", ("n", 3), "float64")
    program = gx.compile(nn.batch_norm(x, name="norm"), mode="train")
    values = values_of(program.graph)
    order = RANDOM.permutation(6)
    (a, before), (b, after) = run(program, values), run(program, values | {"x": values["x"][order]})
    np.testing.assert_allclose(a[order], b, rtol=1e-12)
    np.testing.assert_allclose(before["norm.running_var"], after["norm.running_var"], rtol=1e-12)


@pytest.mark.parametrize("name", [n for n in LAYERS if n != "normalize"])
@pytest.mark.parametrize("value", [0.0, 3.0])
def test_constant_features_stay_finite(name, value):
    build, shape = LAYERS[name]
    x = gx.input("x", shape, "float64")
    y = build(x)
    graph = gx.graph_of(y)
    wrt = [x, *graph.leaves("param")]
    program = gx.compile([y, *gx.grad(gx.sum(gx.sin(y)), wrt)], mode="train")
    values = values_of(graph)
    found = run(program, values | {"x": np.full_like(values["x"], value)})
    for array in found[0] if program.graph.updates else found:
        assert np.isfinite(array).all()


# -- one model, two graphs -----------------------------------------------------------------------------------------


def network(batch="batch"):
    x, t = gx.input("x", (batch, 4)), gx.input("t", (batch,), dtype="int64")
    h = nn.batch_norm(nn.dense(x, 8, "relu", name="hidden"), name="norm")
    logits = nn.dense(h, 3, name="output")
    return gx.Model(logits, nn.cross_entropy(logits, t), name="network")


DATA = RANDOM.normal(size=(40, 4)).astype(np.float32), RANDOM.integers(0, 3, 40)


def test_the_exported_file_equals_the_model_to_the_last_bit(tmp_path):
    model = network()
    adam = optim.adam(1e-2)
    start = model.reset(0).params, model.state
    model.fit(*DATA, optimizer=adam, epochs=2, batch_size=8, shuffle=False, verbose=False)
    model.export(tmp_path / "network.py", optimizer=adam)
    space: dict[str, object] = {"__name__": "network", "__file__": str(tmp_path / "network.py")}
    exec(compile((tmp_path / "network.py").read_text(), "network.py", "exec"), space)  # our own text
    params, state = start
    slots = space["init"](0)[2]
    for _ in range(2):
        for i in range(0, 40, 8):
            batch = DATA[0][i : i + 8], DATA[1][i : i + 8]
            params, state, slots, _ = space["train_step"](params, state, slots, *batch, lr=np.float32(1e-2))
    for name, value in model.state.items():
        np.testing.assert_array_equal(state[name], value)
    for name, value in model.params.items():
        np.testing.assert_array_equal(params[name], value)
    np.testing.assert_array_equal(space["predict"](params, state, DATA[0]), model.predict(DATA[0]))


def test_use_after_training_takes_the_running_values_and_not_the_batch():
    model = network()
    model.fit(*DATA, epochs=3, batch_size=8, verbose=False)
    alone = np.concatenate([model.predict(DATA[0][i : i + 1]) for i in range(40)])
    np.testing.assert_allclose(alone, model.predict(DATA[0]), rtol=1e-5, atol=1e-6)
    assert np.abs(model.state["norm.running_mean"]).max() > 0


def test_both_graphs_are_drawn():
    x = gx.input("x", ("n", 3))
    y = nn.batch_norm(x, name="norm")
    assert "norm" in gx.draw(y).dot
    model = network()
    assert "running_mean" in model.draw(optimizer=optim.sgd(0.1), level="graph").dot


def test_a_saved_model_keeps_its_running_values(tmp_path):
    model = network()
    model.fit(*DATA, epochs=1, batch_size=8, verbose=False)
    model.save(tmp_path / "network.gx")
    again = gx.load(tmp_path / "network.gx")
    np.testing.assert_array_equal(again.predict(DATA[0]), model.predict(DATA[0]))


# -- what is refused -----------------------------------------------------------------------------------------------


def test_a_batch_of_one_is_refused_in_training_alone():
    x = gx.input("x", ("n", 3))
    y = nn.batch_norm(x, name="norm")
    one, rest = [[1.0, 2.0, 3.0]], ([0.0] * 3, [1.0] * 3, [1.0] * 3, [0.0] * 3)
    with pytest.raises(DataError, match="train with larger batches, or leave out a last batch of one"):
        gx.compile(y, mode="train")(one, *rest)
    assert np.isfinite(gx.compile(y)(one, *rest)).all()


def test_a_last_batch_of_one_is_refused_by_fit_and_leaves_the_model():
    model = network()
    with pytest.raises(DataError, match="a batch with 1 of the values"):
        model.fit(DATA[0][:9], DATA[1][:9], batch_size=8, shuffle=False, verbose=False)
    assert all(np.isfinite(v).all() for v in (*model.params.values(), *model.state.values()))


def test_a_place_of_one_is_enough_where_there_is_space():
    x = gx.input("x", ("n", 3, 4))
    program = gx.compile(nn.batch_norm(x, running=False, scale=False, shift=False), mode="train")
    assert np.isfinite(program(RANDOM.normal(size=(1, 3, 4)))).all()


X = gx.input("x", ("n", 4), "float32")
IMAGE = gx.input("image", ("n", 6, 2, 2), "float32")

REFUSED = {
    "no node": (lambda: nn.batch_norm([[1.0]]), "applied to a node"),
    "integers": (lambda: nn.layer_norm(gx.input("i", ("n", 3), "int64")), "applied to floats"),
    "no such axis": (lambda: nn.batch_norm(X, axis=2), "no axis 2"),
    "channels of a named size": (lambda: nn.batch_norm(X, axis=0), "number of channels"),
    "a momentum above one": (lambda: nn.batch_norm(X, momentum=1.5), "between 0 and 1"),
    "an unknown convention": (lambda: nn.batch_norm(X, momentum_of="keras"), "new or old"),
    "features of a named size": (lambda: nn.layer_norm(X, axis=0), "must be ints"),
    "groups that do not divide": (lambda: nn.group_norm(IMAGE, 4), "6 channels cannot be cut into 4 groups"),
    "no space": (lambda: nn.instance_norm(X), "axis of space"),
    "a scale of another shape": (
        lambda: nn.layer_norm(X, scale=gx.param("g", (3,))),
        "gamma has another shape",
    ),
    "a length of another shape": (
        lambda: nn.weight_norm(gx.param("v", (3, 2)), gx.param("g", (3,))),
        "one length",
    ),
    "no channels around": (lambda: nn.local_response_norm(IMAGE, 0), "at least 1"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(what):
    build, words = REFUSED[what]
    with pytest.raises(gx.GraphcError, match=re.escape(words)):
        build()


# -- the gradient in three terms, by rules ------------------------------------------------------------------------


def backward_of(y, x):
    """The nodes of the backward pass of Σ c y, by x and all parameters, and its listing."""
    leaves = gx.graph_of(y).leaves("param")
    loss = gx.sum(y * gx.input("c", y.shape, y.dtype))
    program = gx.compile([loss, *gx.grad(loss, [x, *leaves])], mode="train")
    return program.plan.of_phase("backward"), program.source


def written(x, axis):
    """As a user writes it, without any layer."""
    mean = gx.mean(x, axis=axis, keepdims=True)
    sigma = gx.sqrt(gx.var(x, axis=axis, keepdims=True) + 1e-5)
    x_hat = (x - mean) / sigma
    return gx.param("gamma", (4,), init="ones", dtype=x.dtype) * x_hat + gx.param("beta", (4,), dtype=x.dtype)


THREE_TERMS = {
    "batch_norm": (lambda x: nn.batch_norm(x), ("n", 4), 2),
    "batch_norm over space": (lambda x: nn.batch_norm(x), ("n", 3, 2, 2), 2),
    "batch_norm by hand": (lambda x: written(x, 0), ("n", 4), 4),
    "layer_norm": (lambda x: nn.layer_norm(x), ("n", 4), 4),
    "layer_norm by hand": (lambda x: written(x, 1), ("n", 4), 4),
    "layer_norm without affine": (lambda x: nn.layer_norm(x, scale=False, shift=False), ("n", 4), 2),
    "group_norm": (lambda x: nn.group_norm(x, 2), ("n", 4, 3), 4),
    "instance_norm": (lambda x: nn.instance_norm(x), ("n", 2, 5), 4),
    "rms_norm": (lambda x: nn.rms_norm(x, scale=False), ("n", 4), 1),
}
"""How many sums the backward pass needs: one for β, one for γ, and two of its own where those two do not serve."""


@pytest.mark.parametrize("name", THREE_TERMS)
def test_the_backward_pass_has_the_sums_of_the_three_term_formula(name):
    build, shape, sums = THREE_TERMS[name]
    x = gx.input("x", shape)
    nodes, source = backward_of(build(x), x)
    assert sum(n.op.name == "sum" for n in nodes) == sums, source


@pytest.mark.parametrize("name", THREE_TERMS)
def test_the_three_terms_take_few_operations_at_full_size(name):
    build, shape, _ = THREE_TERMS[name]
    x = gx.input("x", shape)
    nodes, source = backward_of(build(x), x)
    full = [
        n for n in nodes if n.ndim == len(shape) and 1 not in n.shape and n.op.name not in ("reshape", "sum")
    ]
    assert len(full) <= 7, source  # c x̂, g = c γ, g x̂, x̂ (...), two differences, / σ


def statements(source):
    """The lines of a listing without comments."""
    lines = (line.split("  #")[0].strip() for line in source.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def test_the_listing_of_batch_normalisation_reads_like_the_formula():
    x = gx.input("x", ("n", 4))
    _, source = backward_of(nn.batch_norm(x, name="bn"), x)
    lines = statements(source[source.index("# backward") :])
    assert lines[:4] == [
        "d_bn_beta = c.sum(axis=0)",
        "d_bn_gamma = (bn_x_hat * c).sum(axis=0)",
        "difference = c - bn_x_hat * (d_bn_gamma / count) - d_bn_beta / count",
        "d_x = difference * (bn_gamma / bn_sigma)",
    ]


def test_the_listing_of_layer_normalisation_reads_like_the_formula():
    x = gx.input("x", ("n", 4))
    _, source = backward_of(nn.layer_norm(x, scale=False, shift=False, name="ln"), x)
    lines = statements(source[source.index("# backward") :])
    assert lines[:3] == [
        "product_2 = ln_h * (product.sum(axis=1, keepdims=True) * 0.25)",  # product is c x̂
        "difference = c - product_2 - c.sum(axis=1, keepdims=True) * 0.25",
        "d_x = difference / ln_sigma",
    ]


@pytest.mark.parametrize("eps", [-1e-5, float("nan"), "small"])
@pytest.mark.parametrize("layer", [nn.batch_norm, nn.layer_norm, nn.rms_norm])
def test_an_epsilon_is_a_number_of_at_least_0(layer, eps):
    with pytest.raises(ArgumentError, match="eps of a normalisation"):
        layer(gx.input("x", ("n", 4)), eps=eps)


def test_a_scale_is_a_node_or_a_choice():
    with pytest.raises(ArgumentError, match="gamma is True, False or a node"):
        nn.batch_norm(gx.input("x", ("n", 4)), scale=3)


def test_no_axis_is_all_axes():
    y = nn.layer_norm(gx.input("x", (2, 2)), axis=None, scale=False, shift=False, eps=0.0)
    np.testing.assert_allclose(gx.compile(y)([[1.0, 1.0], [3.0, 3.0]]), [[-1, -1], [1, 1]], rtol=1e-6)
