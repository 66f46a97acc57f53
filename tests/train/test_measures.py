"""A model is measured by nodes, by scores of whole predictions, and by names."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

import graphc as gx
from graphc import nn, optim
from graphc.errors import ArgumentError, GraphcError, UnknownNameError
from tests.train.support import same, spirals

DATA = spirals()
QUIET = {"verbose": False, "batch_size": 16, "optimizer": optim.adam(0.01)}


def measured(metrics=None, of=None):
    """A classifier with metrics as given, or as a function makes them of logits and labels."""
    x, t = gx.input("x", ("batch", 2)), gx.input("t", ("batch",), dtype="int64")
    z = nn.dense(nn.dense(x, 8, activation="tanh", name="hidden"), 3, name="output")
    return gx.Model(z, nn.cross_entropy(z, t), metrics=of(z, t) if of else metrics, name="net")


def test_names_in_fit_and_evaluate():
    model = measured(["accuracy", "f1_macro", "recall_micro", "auc"])
    history = model.fit(DATA, epochs=2, validation_data=DATA, **QUIET)
    found = model.evaluate(DATA)
    z = model.predict(DATA.x)
    assert list(found) == ["loss", "accuracy", "f1_macro", "recall_micro", "auc"]
    assert found["f1_macro"] == pytest.approx(reference.f1_score(DATA.y, z.argmax(1), average="macro"))
    assert found["recall_micro"] == pytest.approx(found["accuracy"])
    assert history.columns == [*found, *(f"val_{name}" for name in found)]
    assert history.last["f1_macro"] == history.last["val_f1_macro"] == found["f1_macro"]


def test_scores_are_of_all_predictions_not_means_of_batches(monkeypatch):
    make = {"f1": lambda z, t: nn.f1(z, t, "macro"), "auc": nn.auc, "accuracy": nn.accuracy}
    model = measured(of=lambda z, t: {name: f(z, t) for name, f in make.items()})
    whole = model.evaluate(DATA)
    monkeypatch.setattr("graphc.train.evaluation.EVALUATION_BATCH", 7)
    parts = model.evaluate(DATA)
    assert (parts["f1"], parts["auc"]) == (whole["f1"], whole["auc"])
    assert parts == pytest.approx(whole, rel=1e-6)


def test_a_list_of_scores_and_named_nodes():
    model = measured(of=lambda z, t: [nn.accuracy(z, t).named("right"), nn.f1(z, t, "micro"), "top_k"][:2])
    assert list(model.evaluate(DATA)) == ["loss", "right", "f1"]


def test_scores_of_a_regression():
    x, y = gx.input("x", ("n", 2)), gx.input("y", ("n", 1))
    p = nn.dense(x, 1, name="line")
    model = gx.Model(p, nn.mse(p, y), metrics=["rmse", "r2", "mae"])
    a, b = np.random.default_rng(0).normal(size=(2, 40, 2))
    found = model.evaluate(a, b[:, :1])
    assert found["rmse"] == pytest.approx(np.sqrt(found["loss"]), rel=1e-6)
    assert found["r2"] == pytest.approx(reference.r2_score(b[:, :1].astype("float32"), model.predict(a)))


def test_scores_see_the_form_in_use():
    x, t = gx.input("x", ("n", 2)), gx.input("t", ("n",), dtype="int64")
    h = nn.dropout(nn.dense(x, 8, activation="tanh", name="hidden"), 0.9)
    z = nn.dense(h, 3, name="output")
    model = gx.Model(z, nn.cross_entropy(z, t), metrics=["f1_macro", "accuracy"])
    assert model.evaluate(DATA) == model.evaluate(DATA)
    expected = reference.f1_score(DATA.y, model.predict(DATA.x).argmax(1), average="macro")
    assert model.evaluate(DATA)["f1_macro"] == pytest.approx(expected)


def test_scores_do_not_change_training():
    plain, scored = measured(["accuracy"]), measured(["accuracy", "f1_macro"])
    for model in (plain, scored):
        model.fit(DATA, epochs=2, **QUIET)
    assert same(plain.params, scored.params)
    assert plain.source() == scored.source()


def test_scores_are_saved(tmp_path):
    model = measured(["accuracy", "f1_macro"])
    loaded = gx.load(model.save(tmp_path / "net.gx"))
    assert loaded.evaluate(DATA) == model.evaluate(DATA)
    twice = gx.load(loaded.save(tmp_path / "again.gx"))
    assert twice.evaluate(DATA) == model.evaluate(DATA)


def two_targets(metrics):
    x, t, u = gx.input("x", ("n", 2)), gx.input("t", ("n", 1)), gx.input("u", ("n", 1))
    p = nn.dense(x, 1)
    return gx.Model(p, nn.mse(p, t) + nn.mse(p, u), metrics=metrics)


BAD = {
    "unknown": (lambda: measured(["acuracy"]), UnknownNameError, "no metric named 'acuracy'"),
    "binary": (lambda: measured(["f1"]), ArgumentError, "f1 of 3 classes needs an average"),
    "of quantities": (lambda: measured(["rmse"]), GraphcError, "different shapes"),
    "twice": (lambda: measured(["auc", "auc"]), ArgumentError, "two metrics are named 'auc'"),
    "taken": (lambda: measured({"loss": "auc"}), ArgumentError, "taken by the history"),
    "no scalar": (lambda: measured(of=lambda z, t: {"z": z}), ArgumentError, "must be a scalar node"),
    "no metric": (lambda: measured({"f": len}), ArgumentError, "must be a scalar node"),
    "no name": (lambda: measured(of=lambda z, t: [gx.mean(z)]), ArgumentError, "needs a name"),
    "two targets": (lambda: two_targets(["rmse"]), ArgumentError, "needs one output and one target"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_metric_that_does_not_fit_is_refused_when_the_model_is_declared(case):
    make, error, text = BAD[case]
    with pytest.raises(error, match=text):
        make()
