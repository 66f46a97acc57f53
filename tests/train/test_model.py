"""A model trains, evaluates and predicts, whatever form its data have, and the seed decides everything."""

from __future__ import annotations

import numpy as np
import pytest

import graphc as gx
from graphc import nn, optim
from graphc.errors import UnknownNameError
from tests.train.support import classifier, line, same, spirals


def fitted(model, *data, **options):
    """A model after a short training."""
    options = {"epochs": 2, "batch_size": 16, "optimizer": optim.adam(0.01), "verbose": False, **options}
    model.fit(*data, **options)
    return model


DATA = spirals()

FORMS = {
    "arrays": lambda d: (d.x, d.y),
    "float64 and int32": lambda d: (d.x.astype("float64"), d.y.astype("int32")),
    "lists": lambda d: (d.x.tolist(), d.y.tolist()),
    "not contiguous": lambda d: (np.asfortranarray(d.x), np.repeat(d.y, 2)[::2]),
    "dict": lambda d: ({"x": d.x, "t": d.y},),
    "two dicts": lambda d: ({"x": d.x}, {"t": d.y}),
    "dataset": lambda d: (d,),
    "tuple": lambda d: ((d.x, d.y),),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_data_trains_alike(form):
    expected = fitted(classifier(), DATA.x, DATA.y)
    found = fitted(classifier(), *FORMS[form](DATA))
    assert same(found.params, expected.params)
    assert found.evaluate(*FORMS[form](DATA)) == expected.evaluate(DATA)


def test_streams_of_batches():
    def batches():
        for start in range(0, 60, 16):
            yield DATA.x[start : start + 16], DATA.y[start : start + 16]

    expected = fitted(classifier(), DATA, shuffle=False)
    assert same(fitted(classifier(), batches).params, expected.params)
    once = fitted(classifier(), batches(), epochs=1)
    assert same(once.params, fitted(classifier(), DATA, shuffle=False, epochs=1).params)
    dicts = fitted(classifier(), lambda: ({"x": x, "t": t} for x, t in batches()))
    assert same(dicts.params, expected.params)


def test_an_iterator_serves_one_epoch():
    stream = iter([(DATA.x, DATA.y)])
    model = classifier()
    with pytest.raises(gx.GraphcError, match="an iterator serves one epoch alone, and 3 are asked for"):
        fitted(model, stream, epochs=3)
    assert len(model.history) == 0
    assert repr(fitted(model, stream, epochs=1).history).endswith("; 1 epoch done>")
    with pytest.raises(gx.GraphcError, match="there was no batch to train on in epoch 2"):
        fitted(model, stream, epochs=1)


def test_several_inputs_and_targets():
    a, b = gx.input("a", ("n", 1)), gx.input("b", ("n", 1))
    y, weight = gx.input("y", ("n", 1)), gx.input("weight", ("n", 1))
    p = nn.dense(a, 1, name="left") + nn.dense(b, 1, name="right")
    model = gx.Model({"sum": p, "parts": [a, b]}, gx.mean(weight * gx.square(p - y)))
    assert (model.x_names, model.y_names) == (["a", "b"], ["y", "weight"])
    rng = np.random.default_rng(0)
    left, right, ones = rng.normal(size=(30, 1)), rng.normal(size=(30, 1)), np.ones((30, 1))
    model.fit([left, right], [left - right, ones], optimizer=optim.adam(0.1), epochs=300, verbose=False)
    found = model.predict((left, right))
    np.testing.assert_allclose(found["sum"], left - right, atol=0.05)
    np.testing.assert_array_equal(found["parts"][1], right.astype("float32"))
    with pytest.raises(gx.GraphcError, match="x holds 1 arrays"):
        model.predict([left])


def test_evaluate_weights_batches_by_their_size(monkeypatch):
    model = classifier()
    whole = model.evaluate(DATA)
    monkeypatch.setattr("graphc.train.evaluation.EVALUATION_BATCH", 7)
    parts = model.evaluate(DATA)
    assert parts == pytest.approx(whole, rel=1e-6)
    np.testing.assert_allclose(model.predict(DATA.x), model.predict(DATA), rtol=1e-6)


def test_predict_needs_no_targets_and_is_the_forward_pass():
    model = line("float64")
    model.set_params({"line.W": [[2.0]], "line.b": [1.0]})
    np.testing.assert_array_equal(model.predict([[3.0], [4.0]]), [[7.0], [9.0]])
    assert model.evaluate([[3.0]], [[9.0]]) == {"loss": 4.0}


@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_the_seed_decides_everything(rate):
    first = fitted(classifier(rate), DATA, seed=3)
    assert same(first.params, fitted(classifier(rate), DATA, seed=3).params)
    other = fitted(classifier(rate), DATA, seed=4)
    assert not same(first.params, other.params)
    assert first.history.rows == fitted(classifier(rate), DATA, seed=3).history.rows


def test_looking_at_values_does_not_decide_the_seed():
    looked = classifier()
    start = looked.params
    looked.predict(DATA.x)
    looked.evaluate(DATA)
    fitted(looked, DATA, seed=5)
    assert same(looked.params, fitted(classifier(), DATA, seed=5).params)
    assert same(start, classifier().params)


def test_one_longer_training_equals_two_shorter_ones():
    twice = fitted(fitted(classifier(0.2), DATA, epochs=2), DATA, epochs=3)
    once = fitted(classifier(0.2), DATA, epochs=5)
    assert same(twice.params, once.params)
    assert twice.history.rows == once.history.rows
    assert once.history["epoch"] == [1, 2, 3, 4, 5]


def test_reset_forgets_everything():
    model = fitted(classifier(), DATA)
    assert same(model.reset(0).params, classifier().params)
    assert len(model.history) == 0
    assert not same(model.reset(1).params, classifier().params)


def test_params_are_copies():
    model = classifier()
    model.params["hidden.W"][:] = 7
    assert not (model.params["hidden.W"] == 7).any()
    given = np.zeros((2, 8), "float32")
    model.set_params({"hidden.W": given})
    given[:] = 7
    assert not model.params["hidden.W"].any()
    assert list(model.params) == ["hidden.W", "hidden.b", "output.W", "output.b"]


REFUSED = {
    "name": ({"hidden.w": np.zeros((2, 8))}, UnknownNameError),
    "shape": ({"hidden.W": np.zeros((8, 2))}, gx.GraphcError),
    "dtype": ({"hidden.W": np.zeros((2, 8), "int64")}, gx.GraphcError),
    "text": ({"hidden.W": "zeros"}, gx.GraphcError),
}


@pytest.mark.parametrize("case", REFUSED)
def test_set_params_takes_all_or_nothing(case):
    values, error = REFUSED[case]
    model = classifier()
    before = model.params
    with pytest.raises(error):
        model.set_params({"output.b": np.ones(3), **values})
    assert same(model.params, before)


def test_frozen_parameters_stay():
    model = classifier()
    before = model.params
    fitted(model.freeze("hidden"), DATA)
    after = model.params
    assert [k for k in after if not np.array_equal(before[k], after[k])] == ["output.W", "output.b"]
    assert (
        "hidden" not in model.source().partition("def backward")[2].partition("return {")[2].partition("}")[0]
    )
    fitted(model.freeze(), DATA)
    assert not np.array_equal(model.params["hidden.W"], before["hidden.W"])
    with pytest.raises(gx.GraphcError, match="no parameter or layer named 'hiden'"):
        model.freeze("hiden")


def test_parameters_declared_fixed_stay():
    x, y = gx.input("x", ("n", 1)), gx.input("y", ("n", 1))
    w = gx.param("w", (1, 1), init="ones", trainable=False)
    b = gx.param("b", (1,), init="zeros")
    p = x @ w + b
    model = fitted(gx.Model(p, nn.mse(p, y)), [[1.0], [2.0]], [[0.0], [0.0]], batch_size=2)
    assert model.params["w"] == 1
    assert model.params["b"] != 0


def test_a_running_mean_is_carried_but_not_trained():
    x, y = gx.input("x", ("n", 1)), gx.input("y", ("n", 1))
    seen = gx.state("seen", (1,))
    mean = 0.5 * seen + 0.5 * gx.mean(x, axis=0)
    p = nn.dense(gx.update(x, {seen: mean}), 1, name="line")
    model = gx.Model(p, nn.mse(p, y))
    model.fit([[4.0]], [[1.0]], epochs=3, shuffle=False, verbose=False)
    assert model.state["seen"] == pytest.approx(3.5)
    model.predict([[100.0]])
    assert model.state["seen"] == pytest.approx(3.5)


def test_summary_counts_what_is_trained():
    model = classifier()
    text = str(model.summary())
    assert text.splitlines()[0].startswith("net: ")
    row = ["hidden", "float32[batch,", "8]", "W,", "b", "24", "48"]  # 2*2*8 + 8 + 8
    assert row in [line.split() for line in text.splitlines()]
    assert "51 numbers, 51 of them trained" in text
    assert model.freeze("output").summary().trained == 24


def test_optimizers_default_to_the_last_one_used():
    model = classifier()
    assert "def train_step" not in model.source()
    fitted(model, DATA, optimizer=optim.momentum(0.1))
    steps = model.values.slots
    fitted(model, DATA, optimizer=None)
    assert model.optimizer.name == "momentum"
    assert steps.keys() == model.values.slots.keys()
    assert "def momentum(" in model.source()
    fitted(model, DATA, optimizer=optim.sgd(0.1))
    assert model.values.slots == {}


def test_an_optimizer_by_name_is_the_one_with_its_defaults():
    by_name, called = (
        fitted(classifier(), DATA, optimizer="adam"),
        fitted(classifier(), DATA, optimizer=optim.adam()),
    )
    assert same(by_name.params, called.params)
    assert by_name.optimizer.settings == called.optimizer.settings
    assert classifier().source("momentum") == classifier().source(optim.momentum())
    model = classifier()
    assert gx.Model(model.outputs, model.loss, optimizer="lion").optimizer.name == "lion"
    with pytest.raises(gx.GraphcError, match=r"fix:      gx\.optim\.lion\(\)"):
        gx.Model(model.outputs, model.loss, optimizer=optim.lion)


BAD_CALLS = {
    "epochs": ({"epochs": 1.5}, "epochs is an int of at least 0"),
    "batch": ({"batch_size": 0}, "batch_size is an int of at least 1"),
    "seed": ({"seed": -1}, "seed is an int of at least 0"),
    "optimizer": ({"optimizer": optim.adam}, "the optimizer comes from gx.optim"),
    "optimizer by a wrong name": ({"optimizer": "sdg"}, "no optimizer is called 'sdg'"),
    "validation": (
        {"validation_data": (DATA.x[:, :1], DATA.y)},
        "axis 1 of x has size 1, but 2 was declared",
    ),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_a_refused_fit_changes_nothing(case):
    options, text = BAD_CALLS[case]
    model = fitted(classifier(), DATA)
    before, slots, rows = model.params, dict(model.values.slots), list(model.history.rows)
    with pytest.raises(gx.GraphcError, match=text):
        fitted(model, DATA, **options)
    with pytest.raises(gx.GraphcError):
        fitted(model, DATA.x, DATA.y + 5, seed=9)
    assert same(model.params, before)
    assert same(model.values.slots, slots)
    assert model.history.rows == rows


def test_a_model_without_a_loss_only_predicts():
    x = gx.input("x", ("n", 2))
    model = gx.Model(gx.tanh(x))
    np.testing.assert_allclose(model.predict([[0.0, 1.0]]), [[0.0, np.tanh(1.0)]], rtol=1e-6)
    for call in (lambda: model.fit([[0.0, 1.0]]), lambda: model.evaluate([[0.0, 1.0]]), model.explain):
        with pytest.raises(gx.GraphcError, match="this model has no loss"):
            call()


@pytest.mark.parametrize("name", ["loss", "epoch", "val_loss", "", 3])
def test_metrics_do_not_take_the_names_of_the_history(name):
    x = gx.input("x", ("n", 2))
    with pytest.raises(gx.GraphcError, match="this name of a metric is taken"):
        gx.Model(x, gx.mean(x), metrics={name: gx.mean(x)})


def test_the_listing_that_runs_is_the_listing_that_is_shown():
    model = fitted(classifier(), DATA)
    assert model.source() == model.module(model.optimizer).source.text
    assert (
        model.module(model.optimizer).functions["train_step"].__code__.co_filename.startswith("<graphc net ")
    )


def test_constants_of_different_functions_do_not_mix():
    x, y = gx.input("x", ("n", 3)), gx.input("C", ("n", 3))
    near, far = gx.const(np.float32([1, 2, 3])), gx.const(np.float32([10, 20, 30]))
    out = x * near * gx.param("w", (3,), init="ones")
    model = gx.Model(out, gx.mean(gx.square(out - y * far)))
    ones = np.ones((2, 3), np.float32)
    assert model.predict(ones).tolist() == [[1, 2, 3]] * 2
    assert model.evaluate(ones, ones) == {"loss": 378.0}
    assert model.fit(ones, ones, verbose=False).rows[0]["loss"] == 378.0


@pytest.mark.parametrize("name", ["check_labels", "forward", "backward", "update", "PARAMS", "SITES", "rng"])
def test_names_of_the_module_itself(name):
    x, t = gx.input(name, ("n", 3)), gx.input("t", ("n",), dtype="int64")
    table = gx.const(np.float32([1, 2, 3])).named(name.lower())
    logits = nn.dropout((x * table) @ gx.param("w", (3, 2)), 0.5)
    model = gx.Model(logits, nn.cross_entropy(logits, t))
    model.fit(np.ones((4, 3)), [0, 1, 0, 1], verbose=False)
    module = model.module(None).functions
    module["evaluate"](model.params, {}, np.ones((4, 3), np.float32), np.array([0, 1, 0, 1]))


@pytest.mark.parametrize("optimizer", [optim.sgd(), optim.adam()])
def test_a_model_with_nothing_to_train_still_carries_its_states(optimizer):
    x, s = gx.input("x", ("n", 3)), gx.state("s", (3,))
    loss = gx.mean(gx.update(x - s, {s: s + 1.0}))
    model = gx.Model(x, loss)
    model.fit(np.ones((4, 3)), optimizer=optimizer, batch_size=2, verbose=False)
    assert model.state["s"].tolist() == [2, 2, 2]
    assert "def train_step" in model.source(optimizer)


def test_all_parameters_frozen():
    model = classifier()
    names = list(model.params)
    before = model.params
    x, y = spirals()
    model.freeze(*names).fit(x, y, optimizer=optim.adam(), verbose=False)
    assert all(np.array_equal(before[n], model.params[n]) for n in names)


def test_a_loss_that_reads_no_input():
    x, p = gx.input("x", ("n",)), gx.param("p", (), init="ones")
    model = gx.Model(x * p, p)
    model.fit(np.ones(5), optimizer=optim.sgd(0.5), verbose=False)
    assert model.params["p"] == 0.5
    three = gx.const(3.0)
    assert gx.Model(x * p, three).evaluate(np.ones(5)) == {"loss": 3.0}
    assert three.name is None  # a constant is shared with everyone who writes it


def test_a_mask_that_is_drawn_in_use_too():
    x = gx.input("x", ("n",))
    model = gx.Model(gx.where(gx.bernoulli(("n",), 0.5), x, 0.0))
    first = model.predict(np.ones(20))
    assert 0 < first.sum() < 20
    assert np.array_equal(model.predict(np.ones(20)), first)


def test_a_model_needs_a_known_level_and_defaults():
    x = gx.input("x", ("n",))
    with pytest.raises(gx.GraphcError, match="unknown level"):
        gx.Model(x * gx.param("w", ()), level="O2")
    with pytest.raises(gx.GraphcError, match="needs a default"):
        gx.Model(x * gx.hyper("k"), gx.sum(x))


def test_a_summary_lists_layers_as_data_flow_through_them():
    x = gx.input("x", ("batch", 3))
    y = gx.nn.dense(gx.nn.batch_norm(gx.nn.dense(x, 4, name="first"), name="norm"), 2, name="last")
    rows = gx.Model(y).summary().layers
    assert [row.name for row in rows] == ["first", "norm", "last"]
