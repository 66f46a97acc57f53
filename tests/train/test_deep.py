"""Deep networks from end to end: residual connections, shared parameters, several inputs, outputs and losses.

Each is trained, checked against central differences, exported and run with NumPy alone, drawn and explained.
"""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim
from graphc.errors import GraphcError

RNG = np.random.default_rng(0)
X, Z = RNG.normal(size=(2, 48, 4)).astype("float32")


def residual():
    """Four blocks, each added to what it was given."""
    x, t = gx.input("x", ("batch", 4)), gx.input("t", ("batch", 1))
    h = nn.dense(x, 8, "tanh", name="stem")
    for i in range(4):
        with gx.scope(f"block{i}"):
            r = nn.dense(nn.dense(h, 8, "relu", name="first"), 8, name="second")
            h = (h + r).named("h")
    y = nn.dense(h, 1, name="head")
    data = {"x": X, "t": X[:, :1] * X[:, 1:2]}
    return gx.Model(y, nn.mse(y, t), name="residual"), data


def siamese():
    """One encoder, in the course's notation, over two inputs."""
    x, z, t = gx.input("x", ("batch", 4)), gx.input("z", ("batch", 4)), gx.input("t", ("batch",))
    A, b = gx.param("A", (4, 3), init="he_normal"), gx.param("b", (3,), init="zeros")
    left, right = gx.tanh(x @ A + b), gx.tanh(z @ A + b)
    d = gx.sum(gx.square(left - right), axis=1)
    data = {"x": X, "z": Z, "t": (X[:, 0] > Z[:, 0]).astype("float32")}
    return gx.Model(d, nn.mse(d, t), name="siamese"), data


def recurrent():
    """One layer used at every step of a sequence."""
    x, t = gx.input("x", ("batch", 4)), gx.input("t", ("batch", 1))
    step = nn.shared(lambda h, v: nn.dense(gx.concat([h, v], axis=1), 5, "tanh", name="step"))
    h = gx.broadcast_to(gx.param("start", (1, 5), init="zeros"), (x.shape[0], 5))
    for i in range(4):
        h = step(h, x[:, i : i + 1])
    y = nn.dense(h, 1, name="head")
    data = {"x": X, "t": np.cumsum(X, axis=1)[:, -1:]}
    return gx.Model(y, nn.mse(y, t), name="recurrent"), data


def many():
    """Two inputs, a trunk, two outputs, and a weighted sum of two losses."""
    x, z = gx.input("x", ("batch", 4)), gx.input("z", ("batch", 4))
    labels, value = gx.input("labels", ("batch",), dtype="int64"), gx.input("value", ("batch", 1))
    trunk = nn.dense(gx.concat([nn.dense(x, 6, "relu", name="left"), z], axis=1), 8, "relu", name="trunk")
    logits, size = nn.dense(trunk, 3, name="class"), nn.dense(trunk, 1, name="size")
    of_class, of_size = nn.cross_entropy(logits, labels), nn.huber(size, value)
    loss = of_class + 0.5 * of_size
    outputs = {"logits": logits, "size": size}
    metrics = {"of_class": of_class, "of_size": of_size, "accuracy": nn.accuracy(logits, labels)}
    data = {
        "x": X,
        "z": Z,
        "labels": (X[:, 0] > 0) + (Z[:, 0] > 0).astype("int64"),
        "value": X[:, :1] + Z[:, :1],
    }
    return gx.Model(outputs, loss, metrics=metrics, name="many"), data


NETWORKS = {"residual": residual, "siamese": siamese, "recurrent": recurrent, "many": many}


@pytest.fixture(params=NETWORKS)
def network(request):
    return NETWORKS[request.param]()


def test_training_lowers_the_loss(network):
    model, data = network
    history = model.fit(data, optimizer=optim.adam(0.02), epochs=30, batch_size=16, verbose=False)
    assert history["loss"][-1] < 0.5 * history["loss"][0]


def test_gradients_are_those_of_central_differences(network):
    model, data = network
    params = list(model.graph.leaves("param"))
    values = {**{k: v[:6] for k, v in data.items()}, **model.params}
    report = gx.check_grad(model.loss, params, values, elements=6)
    assert report.ok, report


def test_the_exported_file_takes_the_same_step(network, tmp_path):
    model, data = network
    model.reset(1)
    path = model.export(tmp_path / "net.py", optimizer=optim.sgd(0.1), weights="inline")
    spec = importlib.util.spec_from_file_location("net", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    params, state, _ = module.load()
    batch = [data[str(model.graph.name_of(leaf))] for leaf in model.graph.leaves("input")]
    before = module.evaluate(params, state, *batch)
    params, state, _, loss = module.train_step(params, state, {}, *batch, lr=0.1)
    model.fit(data, optimizer=optim.sgd(0.1), epochs=1, batch_size=48, shuffle=False, verbose=False)
    assert loss == pytest.approx(before["loss"], rel=1e-6)
    assert model.history["loss"] == [pytest.approx(float(loss), rel=1e-6)]
    for name, value in model.params.items():
        np.testing.assert_array_equal(params[name], value)


def test_every_parameter_is_explained_and_drawn(network):
    model, _ = network
    figure = model.draw()
    for leaf in model.graph.leaves("param"):
        name = str(model.graph.name_of(leaf))
        assert f"d_{name.replace('.', '_')}" in str(model.explain(name))
    assert "digraph" in figure.dot
    assert "svg" in figure.svg


# -- what each is about ---------------------------------------------------------------------------------------------


def test_a_residual_stream_adds_two_gradients_at_each_block():
    model, _ = residual()
    text = str(model.explain("stem.W"))
    assert text.count("used 2 times, so 2 gradients are added") == 4


def test_shared_parameters_add_up_in_listing_picture_and_explanation():
    model, _ = siamese()
    listing = model.source(optim.sgd(0.1))
    assert "dL/d(A) added up over 2 uses" in listing
    assert "dL/d(b) added up over 2 uses" in listing
    assert "used 2 times, so 2 gradients are added" in str(model.explain("A"))
    picture = model.draw(level="graph").dot
    assert all(f"&#8706;{name}" in picture or f"∂{name}" in picture for name in "Ab")
    assert "added up over 2 uses" in picture


def test_a_shared_layer_adds_up_over_all_of_its_uses():
    model, _ = recurrent()
    assert set(model.params) == {"start", "step.W", "step.b", "head.W", "head.b"}
    assert "used 4 times, so 4 gradients are added" in str(model.explain("step.W"))
    assert "dL/d(step.b) added up over 4 uses" in model.source(optim.sgd(0.1))


def test_several_outputs_keep_their_structure_and_several_losses_are_reported():
    model, data = many()
    assert model.x_names == ["x", "z"]
    assert model.y_names == ["labels", "value"]
    found = model.predict({"x": X, "z": Z})
    assert {k: v.shape for k, v in found.items()} == {"logits": (48, 3), "size": (48, 1)}
    scores = model.evaluate(data)
    assert scores["loss"] == pytest.approx(scores["of_class"] + 0.5 * scores["of_size"], rel=1e-6)
    both = model.evaluate((X, Z), (data["labels"], data["value"]))
    assert both == scores
    text = str(model.explain("trunk.W"))
    assert "used 2 times, so 2 gradients are added" in text


def test_a_loss_may_be_weighed_anew_without_compiling():
    x, t = gx.input("x", ("batch", 4)), gx.input("t", ("batch", 1))
    y = nn.dense(x, 1, name="y")
    loss = nn.mse(y, t) + gx.hyper("share", 0.5) * nn.l1(y, t)
    model = gx.Model(y, loss, metrics={"mse": nn.mse(y, t), "l1": nn.l1(y, t)})
    scores = model.evaluate(X, X[:, :1])
    assert scores["loss"] == pytest.approx(scores["mse"] + 0.5 * scores["l1"], rel=1e-6)
    assert "share=0.5" in model.source(optim.sgd())


# -- sharing ---------------------------------------------------------------------------------------------------------


def test_a_shared_layer_is_the_layer_itself():
    layer = nn.shared(lambda v: nn.dense(v, 3, "relu", name="l"))
    x, z = gx.input("x", ("n", 4)), gx.input("z", ("n", 4))
    a, b = layer(x), layer(z)
    W, bias = RNG.normal(size=(4, 3)), RNG.normal(size=3)
    program = gx.compile([a, b])
    got = program(x=X, z=Z, **{"l.W": W, "l.b": bias})
    for out, data in zip(got, (X, Z), strict=True):
        np.testing.assert_allclose(
            out, np.maximum(data @ W.astype("f4") + bias.astype("f4"), 0), rtol=1e-5, atol=1e-6
        )
    assert layer(x) is a


BAD = {
    "another number": (lambda layer, x: layer(x, x), "takes 1 nodes"),
    "another size": (lambda layer, x: layer(gx.input("z", ("n", 5))), "of one type"),
    "another dtype": (lambda layer, x: layer(gx.input("z", ("n", 4), "float64")), "of one type"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_shared_layer_refuses_what_its_parameters_do_not_fit(what):
    use, words = BAD[what]
    x = gx.input("x", ("n", 4))
    layer = nn.shared(lambda v: nn.dense(v, 3, name="l"))
    layer(x)
    with pytest.raises(GraphcError, match=words):
        use(layer, x)


def test_what_is_drawn_or_carried_is_not_shared():
    x, z = gx.input("x", ("n", 4)), gx.input("z", ("n", 4))
    for inner in (lambda v: nn.dropout(v, 0.5), nn.batch_norm):
        layer = nn.shared(inner)
        layer(x)
        with pytest.raises(GraphcError, match="no random site and no state"):
            layer(z)
    outside = nn.shared(lambda v: nn.dense(v, 3, name="l"))
    dropped = nn.dropout(x, 0.5)
    assert outside(dropped).shape == outside(nn.dropout(dropped, 0.5)).shape
