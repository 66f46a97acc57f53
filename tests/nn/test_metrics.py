"""Metrics against scikit-learn, as nodes and over whole arrays; what does not fit is refused when it is declared."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn import metrics as reference

import graphc as gx
from graphc import nn
from graphc.errors import ArgumentError, DataError, GraphcError, ShapeError
from graphc.nn.metrics import METRICS

RNG = np.random.default_rng(0)
SEEDS = range(6)


def many(seed, classes=4, rows=57):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, classes)).round(1), rng.integers(0, classes, rows)


def two(seed, rows=57):
    rng = np.random.default_rng(seed)
    return rng.normal(size=rows).round(1), rng.integers(0, 2, rows)


def compiled(metric, *arrays):
    """A metric of inputs, run."""
    leaves = [
        gx.input(f"a{i}", ("n", *np.shape(a)[1:]), dtype="int64" if a.dtype.kind == "i" else "float64")
        for i, a in enumerate(arrays)
    ]
    return gx.compile(metric(*leaves))(*arrays)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
def test_precision_recall_and_f1_of_many_classes(seed, average):
    z, t = many(seed)
    for name, expected in (
        ("precision", reference.precision_score),
        ("recall", reference.recall_score),
        ("f1", reference.f1_score),
    ):
        found = getattr(nn, name)(z, t, average)
        assert found == pytest.approx(expected(t, z.argmax(1), average=average, zero_division=0), rel=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_precision_recall_and_f1_of_two_classes(seed):
    z, t = two(seed)
    for form in (z, np.stack([-z, z], axis=1), (z > 0).astype(int), z[:, None]):
        target = t[:, None] if form.shape == (57, 1) else t
        assert nn.precision(form, target) == pytest.approx(reference.precision_score(t, z > 0), rel=1e-12)
        assert nn.recall(form, target) == pytest.approx(reference.recall_score(t, z > 0), rel=1e-12)
        assert nn.f1(form, target) == pytest.approx(reference.f1_score(t, z > 0), rel=1e-12)
    p = 1 / (1 + np.exp(-z))
    assert nn.f1(p, t, threshold=0.5) == nn.f1(z, t)
    assert nn.f1(z, t.astype(float)) == nn.f1(z, t)


def test_where_nothing_is_counted_the_score_is_zero():
    assert nn.precision([0, 0], [0, 1]) == nn.recall([0, 1], [0, 0]) == nn.f1([0, 0], [0, 0]) == 0.0
    assert nn.f1([1], [1]) == nn.precision([1, 1], [1, 1]) == 1.0


def test_macro_counts_the_classes_that_occur():
    z, t = np.eye(5)[[0, 0, 3]], np.array([0, 3, 3])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = reference.f1_score(t, z.argmax(1), average="macro")
    assert nn.f1(z, t, "macro") == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_auc_with_ties(seed):
    z, t = two(seed)
    expected = reference.roc_auc_score(t, z)
    assert nn.auc(z, t) == pytest.approx(expected, rel=1e-12)
    assert nn.auc(np.stack([-z, z], axis=1), t) == pytest.approx(expected, rel=1e-12)
    assert nn.auc(z[:, None], t) == pytest.approx(expected, rel=1e-12)
    p = np.exp(many(seed)[0])
    p /= p.sum(axis=1, keepdims=True)
    expected = reference.roc_auc_score(many(seed)[1], p, multi_class="ovr")
    assert nn.auc(p, many(seed)[1]) == pytest.approx(expected, rel=1e-12)


def test_auc_of_one_class_is_no_number():
    assert np.isnan(nn.auc([0.1, 0.2], [1, 1]))
    assert nn.auc([0.5, 0.5], [0, 1]) == 0.5
    assert nn.auc(np.eye(3)[[0, 1]], [0, 1]) == 1.0  # the third class does not occur


@pytest.mark.parametrize("seed", SEEDS)
def test_the_confusion_matrix(seed):
    z, t = many(seed)
    expected = reference.confusion_matrix(t, z.argmax(1), labels=range(4))
    np.testing.assert_array_equal(nn.confusion_matrix(z, t, classes=4), expected)
    np.testing.assert_array_equal(nn.confusion_matrix(z, np.eye(4)[t]), expected)
    assert nn.confusion_matrix(*two(seed)).shape == (2, 2)
    with pytest.raises(DataError, match="a class out of range"):
        nn.confusion_matrix(z, t, classes=3)
    with pytest.raises(ArgumentError, match="a table, not a number"):
        nn.confusion_matrix(gx.input("z", ("n", 4)), gx.input("t", ("n",), dtype="int64"))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("shape", [(31,), (31, 1), (31, 3)])
def test_errors_of_quantities(seed, shape):
    rng = np.random.default_rng(seed)
    p, t = rng.normal(size=shape), rng.normal(size=shape)
    rows = [a.reshape(31, -1) for a in (t, p)]
    assert nn.rmse(p, t) == pytest.approx(np.sqrt(reference.mean_squared_error(*rows)), rel=1e-12)
    assert nn.r2(p, t) == pytest.approx(reference.r2_score(*rows), rel=1e-12)
    assert compiled(nn.mae, p, t) == pytest.approx(reference.mean_absolute_error(*rows), rel=1e-12)


def test_r2_of_a_constant_target():
    for p in ([2.0, 2.0], [2.0, 3.0]):
        assert nn.r2(p, [2.0, 2.0]) == reference.r2_score([2.0, 2.0], p)
    with pytest.raises(DataError, match="at least two examples"):
        nn.r2([1.0], [1.0])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("k", [1, 2, 4])
def test_top_k(seed, k):
    z, t = np.random.default_rng(seed).normal(size=(40, 4)), many(seed, rows=40)[1]
    expected = reference.top_k_accuracy_score(t, z, k=k, labels=range(4)) if k < 4 else 1.0
    assert compiled(lambda a, b: nn.top_k(a, b, k), z, t) == np.float32(expected)


def test_of_equal_predictions_the_first_count():
    assert compiled(lambda a, b: nn.top_k(a, b, 2), np.zeros((3, 3)), np.array([0, 1, 2])) == np.float32(
        2 / 3
    )


Z, T = gx.input("z", ("n", 3)), gx.input("t", ("n",), dtype="int64")
Y = gx.input("y", ("n", 1))
REFUSED = {
    "k too large": (lambda: nn.top_k(Z, T, 4), ArgumentError, "k is an int from 1"),
    "k of another kind": (lambda: nn.top_k(Z, T, True), ArgumentError, "k is an int from 1"),
    "labels that are floats": (lambda: nn.top_k(Z, Y), ShapeError, "do not fit"),
    "mae of two shapes": (lambda: nn.mae(Z, Y), ShapeError, "different shapes"),
    "rmse of two shapes": (lambda: nn.rmse(Z, Y), ShapeError, "different shapes"),
    "r2 of a scalar": (lambda: nn.r2(gx.mean(Z), gx.mean(Z)), ShapeError, "an axis of examples"),
    "binary of three": (lambda: nn.f1(Z, T), ArgumentError, "f1 of 3 classes needs an average"),
    "unknown average": (lambda: nn.f1(Z, T, "samples"), ArgumentError, "unknown average"),
    "a threshold of text": (lambda: nn.recall(Z, T, "macro", "0"), ArgumentError, "threshold"),
    "auc of other rows": (lambda: nn.auc(Z, Y), ShapeError, "do not fit"),
    "binary of three, arrays": (lambda: nn.f1([0, 1, 2], [0, 1, 2]), DataError, "there are 3 classes"),
    "arrays of two lengths": (lambda: nn.f1([0, 1, 2], [0, 1]), ShapeError, "do not fit"),
    "targets that are no classes": (lambda: nn.f1([0.5, 1.0], [0.5, 1.0]), DataError, "no classes"),
    "auc of two lengths": (lambda: nn.auc([0.5, 1.0, 2.0], [0, 1]), ShapeError, "do not fit"),
    "rmse of numbers": (lambda: nn.rmse(1.0, 2.0), ShapeError, "an axis of examples"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused(case):
    call, error, text = REFUSED[case]
    with pytest.raises(error, match=text) as caught:
        call()
    assert isinstance(caught.value, GraphcError)


def test_every_name_is_a_metric():
    z, t, y = gx.input("z", ("n", 6)), gx.input("t", ("n",), dtype="int64"), gx.input("y", ("n", 6))
    for name, make in METRICS.items():
        if name in ("precision", "recall", "f1"):
            continue  # of two classes
        made = make(z, y if name in ("mae", "rmse", "r2") else t)
        assert isinstance(made, (gx.ir.node.Node, nn.metrics.Score)), name


NO_NUMBERS = {
    "no examples": (lambda: nn.r2([], []), DataError, "at least two examples"),
    "text": (lambda: nn.f1(["a"], ["b"]), ArgumentError, "are numbers"),
    "text for labels": (lambda: nn.f1([1], ["b"]), DataError, "no classes"),
    "nan for a label": (lambda: nn.f1([1.0], [np.nan]), DataError, "no classes"),
    "a billion classes": (
        lambda: nn.confusion_matrix([0, 1], [0, 10**9]),
        ArgumentError,
        "number of classes",
    ),
    "a count in words": (
        lambda: nn.confusion_matrix([0, 1], [0, 1], classes="two"),
        ArgumentError,
        "number of classes",
    ),
    "no classes": (
        lambda: nn.confusion_matrix([0, 1], [0, 1], classes=0),
        ArgumentError,
        "number of classes",
    ),
    "a threshold in words": (
        lambda: nn.confusion_matrix([0.5], [1], threshold="half"),
        ArgumentError,
        "are numbers",
    ),
}


@pytest.mark.parametrize("case", NO_NUMBERS)
def test_what_is_no_prediction_or_no_class_is_said(case):
    call, kind, says = NO_NUMBERS[case]
    with pytest.raises(kind, match=says):
        call()


def test_a_nan_among_the_scores_gives_no_area():
    assert np.isnan(nn.auc([np.nan, 0.2, 0.4], [0, 1, 0]))
