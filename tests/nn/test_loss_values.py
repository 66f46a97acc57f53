"""Every loss against its equation in NumPy: values by every reduction, weights, gradients, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

import graphc as gx
from graphc import nn
from graphc.check import check_grad
from graphc.errors import GraphcError, ShapeError

RNG = np.random.default_rng(3)
P, T = RNG.normal(size=(6, 4)) * 2, RNG.normal(size=(6, 4)) * 2
PROB = 1 / (1 + np.exp(-P))
SIGN = np.where(T > 0, 1.0, -1.0)
LABELS = np.array([0, 3, 2, 2, 1, 0])
ROWS = np.eye(4)[LABELS]
SOFT = np.exp(T) / np.exp(T).sum(1, keepdims=True)
W = np.array([1.0, 2.0, 0.0, 0.5, 3.0, 1.5])
CLASS_W = np.array([0.5, 1.0, 2.0, 4.0])
COUNTS = np.array([0.0, 1, 2, 3, 4, 5]).reshape(6, 1) + np.zeros((6, 4))
E = P - T


def log_softmax(z):
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


LOG_P = log_softmax(P)
OWN = -LOG_P[np.arange(6), LABELS]
BCE = np.logaddexp(0, P) - (T > 0) * P
VECTORS = np.linalg.norm(P, axis=1), np.linalg.norm(T, axis=1)
COSINE = (P * T).sum(1) / VECTORS[0] / VECTORS[1]
ROW_SIGN = np.array([1.0, -1, 1, -1, -1, 1])
NEGATIVE = RNG.normal(size=(6, 4))
STIRLING = np.array([0, 0, *(n * math.log(n) - n + 0.5 * math.log(2 * math.pi * n) for n in (2, 3, 4, 5))])


def multi_margin(p):
    falls = np.maximum(0, 1 - P[np.arange(6), LABELS][:, None] + P) ** p
    return np.where(ROWS > 0, 0, falls).sum(1) / 4


def pairs():
    there = T > 0
    out = np.zeros(6)
    for n in range(6):
        for i in np.flatnonzero(there[n]):
            out[n] += sum(max(0, 1 - (P[n, i] - P[n, j])) for j in np.flatnonzero(~there[n]))
    return out / 4


# name: the loss of nodes, its arrays, its value per element
LOSSES = {
    "mse": (nn.mse, (P, T), E**2),
    "l1": (nn.l1, (P, T), abs(E)),
    "huber": (
        lambda p, t, *a, **k: nn.huber(p, t, *a, delta=1.5, **k),
        (P, T),
        np.where(abs(E) <= 1.5, E**2 / 2, 1.5 * (abs(E) - 0.75)),
    ),
    "smooth_l1": (
        lambda p, t, *a, **k: nn.smooth_l1(p, t, *a, beta=0.5, **k),
        (P, T),
        np.where(abs(E) < 0.5, E**2, abs(E) - 0.25),
    ),
    "smooth_l1 of 0": (lambda p, t, *a, **k: nn.smooth_l1(p, t, *a, beta=0, **k), (P, T), abs(E)),
    "log_cosh": (nn.log_cosh, (P, T), np.log(np.cosh(E))),
    "pinball": (
        lambda p, t, *a, **k: nn.pinball(p, t, *a, quantile=0.8, **k),
        (P, T),
        np.where(E < 0, -0.8 * E, 0.2 * E),
    ),
    "poisson": (nn.poisson_nll, (P, COUNTS), np.exp(P) - COUNTS * P),
    "poisson of rates, full": (
        lambda p, t, *a, **k: nn.poisson_nll(p, t, *a, log_rate=False, full=True, eps=0, **k),
        (PROB, COUNTS),
        PROB - COUNTS * np.log(PROB) + np.array([math.lgamma(n + 1) for n in range(6)])[:, None],
    ),
    "poisson, Stirling": (
        lambda p, t, *a, **k: nn.poisson_nll(p, t, *a, full="stirling", **k),
        (P, COUNTS),
        np.exp(P) - COUNTS * P + STIRLING[:, None],
    ),
    "gaussian": (
        lambda p, t, v, *a, **k: nn.gaussian_nll(p, t, v, *a, full=True, **k),
        (P, T, PROB),
        (np.log(2 * np.pi * PROB) + E**2 / PROB) / 2,
    ),
    "bce": (nn.binary_cross_entropy, (P, (T > 0) * 1.0), BCE),
    "bce of probabilities": (
        lambda p, t, *a, **k: nn.binary_cross_entropy(p, t, *a, from_logits=False, **k),
        (PROB, (T > 0) * 1.0),
        BCE,
    ),
    "bce, positives weighed": (
        lambda p, t, *a, **k: nn.binary_cross_entropy(p, t, *a, pos_weight=CLASS_W, **k),
        (P, (T > 0) * 1.0),
        np.where(T > 0, CLASS_W, 1) * BCE,
    ),
    "hinge": (nn.hinge, (P, SIGN), np.maximum(0, 1 - SIGN * P)),
    "squared_hinge": (nn.squared_hinge, (P, SIGN), np.maximum(0, 1 - SIGN * P) ** 2),
    "soft_margin": (nn.soft_margin, (P, SIGN), np.logaddexp(0, -SIGN * P)),
    "multilabel_soft_margin": (nn.multilabel_soft_margin, (P, (T > 0) * 1.0), BCE.mean(1)),
    "multilabel_margin": (nn.multilabel_margin, (P, (T > 0) * 1.0), pairs()),
    "cross_entropy": (nn.cross_entropy, (P, LABELS), OWN),
    "cross_entropy of whole rows": (nn.cross_entropy, (P, ROWS.astype("int64")), OWN),
    "cross_entropy of rows": (nn.cross_entropy, (P, SOFT), -(SOFT * LOG_P).sum(1)),
    "cross_entropy, smoothed": (
        lambda p, t, *a, **k: nn.cross_entropy(p, t, *a, label_smoothing=0.1, **k),
        (P, LABELS),
        0.9 * OWN - 0.1 * LOG_P.mean(1),
    ),
    "cross_entropy of axis 0": (
        lambda p, t, *a, **k: nn.cross_entropy(p, t, *a, axis=0, **k),
        (P.T.copy(), LABELS),
        OWN,
    ),
    "nll": (nn.nll, (LOG_P, LABELS), OWN),
    "kl_div": (nn.kl_div, (LOG_P, SOFT), (SOFT * (np.log(SOFT) - LOG_P)).sum(1)),
    "kl_div of logarithms": (
        lambda p, t, *a, **k: nn.kl_div(p, t, *a, log_target=True, **k),
        (LOG_P, np.log(SOFT)),
        (SOFT * (np.log(SOFT) - LOG_P)).sum(1),
    ),
    "kl_div of elements": (
        lambda p, t, *a, **k: nn.kl_div(p, t, *a, axis=None, **k),
        (LOG_P, SOFT),
        SOFT * (np.log(SOFT) - LOG_P),
    ),
    "multi_margin": (nn.multi_margin, (P, LABELS), multi_margin(1)),
    "multi_margin squared": (
        lambda p, t, *a, **k: nn.multi_margin(p, t, *a, p=2, class_weights=CLASS_W, **k),
        (P, LABELS),
        multi_margin(2) * CLASS_W[LABELS],
    ),
    "focal": (
        lambda p, t, *a, **k: nn.focal(p, t, *a, alpha=0.25, **k),
        (P, (T > 0) * 1.0),
        np.where(T > 0, 0.25, 0.75) * np.where(T > 0, 1 - PROB, PROB) ** 2 * BCE,
    ),
    "focal of classes": (
        lambda p, t, *a, **k: nn.focal(p, t, *a, gamma=1.5, alpha=CLASS_W, **k),
        (P, LABELS),
        CLASS_W[LABELS] * (1 - np.exp(-OWN)) ** 1.5 * OWN,
    ),
    "cosine_embedding": (
        lambda a, b, t, *r, **k: nn.cosine_embedding(a, b, t, *r, margin=0.1, **k),
        (P, T, ROW_SIGN),
        np.where(ROW_SIGN > 0, 1 - COSINE, np.maximum(0, COSINE - 0.1)),
    ),
    "triplet": (
        nn.triplet,
        (P, T, NEGATIVE),
        np.maximum(0, np.linalg.norm(E, axis=1) - np.linalg.norm(P - NEGATIVE, axis=1) + 1),
    ),
    "triplet, swapped": (
        lambda a, b, c, *r, **k: nn.triplet(a, b, c, *r, swap=True, p=1, **k),
        (P, T, NEGATIVE),
        np.maximum(
            0,
            abs(E).sum(1) - np.minimum(abs(P - NEGATIVE).sum(1), abs(T - NEGATIVE).sum(1)) + 1,
        ),
    ),
    "margin_ranking": (
        lambda a, b, t, *r, **k: nn.margin_ranking(a, b, t, *r, margin=0.3, **k),
        (P, T, SIGN),
        np.maximum(0, 0.3 - SIGN * E),
    ),
    "hinge_embedding": (
        nn.hinge_embedding,
        (abs(P), SIGN),
        np.where(SIGN > 0, abs(P), np.maximum(0, 1 - abs(P))),
    ),
}


def leaves(arrays):
    kinds = ["int64" if a.dtype.kind == "i" else "float64" for a in arrays]
    return [gx.input(f"x{i}", a.shape, k) for i, (a, k) in enumerate(zip(arrays, kinds, strict=True))]


def value(build, arrays):
    return gx.compile(build(*leaves(arrays)))(*arrays)


@pytest.mark.parametrize("name", LOSSES)
def test_values_by_every_reduction(name):
    loss, arrays, wanted = LOSSES[name]
    for reduction, want in (("none", wanted), ("sum", wanted.sum()), ("mean", wanted.mean())):
        got = value(lambda *x, r=reduction: loss(*x, r), arrays)
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-15, err_msg=reduction)


@pytest.mark.parametrize("name", LOSSES)
def test_weights_of_examples(name):
    loss, arrays, wanted = LOSSES[name]
    w = W.reshape(6, *(1,) * (wanted.ndim - 1))
    mean = (w * wanted).sum() / (w * np.ones_like(wanted)).sum()
    for reduction, want in (("none", w * wanted), ("sum", (w * wanted).sum()), ("mean", mean)):
        got = value(lambda *x, r=reduction: loss(*x, r, weights=W), arrays)
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-15, err_msg=reduction)


@pytest.mark.parametrize("name", LOSSES)
def test_gradients(name):
    loss, arrays, _ = LOSSES[name]
    nodes = leaves(arrays)
    given = {f"x{i}": a for i, a in enumerate(arrays)}
    report = check_grad(loss(*nodes, weights=W), nodes[:1], given, tolerance=1e-6, elements=8)
    assert report.ok, report


@pytest.mark.parametrize("name", LOSSES)
def test_a_batch_that_does_not_count_is_0_and_not_nan(name):
    loss, arrays, _ = LOSSES[name]
    nodes = leaves(arrays)
    total = loss(*nodes, weights=np.zeros(6))
    got, slope = gx.compile([total, gx.grad(total, nodes[0])])(*arrays)
    assert got == 0
    assert not slope.any()


@pytest.mark.parametrize("name", LOSSES)
def test_a_single_stays_a_single(name):
    loss, arrays, _ = LOSSES[name]
    kinds = ["int64" if a.dtype.kind == "i" else "float32" for a in arrays]
    nodes = [gx.input(f"x{i}", a.shape, k) for i, (a, k) in enumerate(zip(arrays, kinds, strict=True))]
    assert loss(*nodes, weights=W).dtype == "float32"


# -- classes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [LABELS, ROWS], ids=["labels", "one-hot"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_mean_of_weighed_classes_divides_by_their_weights(target, smoothing):
    q = ROWS * (1 - smoothing) + smoothing / 4
    want = -(q * CLASS_W * LOG_P).sum() / CLASS_W[LABELS].sum()
    options = {"class_weights": CLASS_W, "label_smoothing": smoothing}
    got = value(lambda z, t: nn.cross_entropy(z, t, **options), (P, target))
    np.testing.assert_allclose(got, want, rtol=1e-13)


@pytest.mark.parametrize("ignore", [-1, 2, -100, 7])
def test_ignored_labels_count_nowhere(ignore):
    labels = np.where(np.arange(6) % 3 == 1, ignore, LABELS)
    kept = labels != ignore
    want = np.where(kept, OWN, 0)
    for reduction, value_wanted in (("none", want), ("sum", want.sum()), ("mean", want.sum() / kept.sum())):
        got = value(lambda z, t, r=reduction: nn.cross_entropy(z, t, r, ignore=ignore), (P, labels))
        np.testing.assert_allclose(got, value_wanted, rtol=1e-13)
    z, t = leaves((P, labels))
    slope = gx.compile(gx.grad(nn.cross_entropy(z, t, ignore=ignore), z))(P, labels)
    np.testing.assert_allclose(slope, kept[:, None] * (np.exp(LOG_P) - ROWS) / kept.sum(), atol=1e-15)


def test_a_batch_of_ignored_labels_is_0():
    z, t = leaves((P, LABELS))
    loss = nn.cross_entropy(z, t, ignore=-1)
    got, slope = gx.compile([loss, gx.grad(loss, z)])(P, np.full(6, -1))
    assert got == 0
    assert not slope.any()


def test_a_class_ruled_out_by_minus_infinity_costs_nothing():
    logits = P.copy()
    logits[:, 1] = -np.inf
    labels = np.where(LABELS == 1, 0, LABELS)
    got = value(nn.cross_entropy, (logits, labels))
    assert np.isfinite(value(lambda z, t: nn.cross_entropy(z, t, class_weights=CLASS_W), (logits, labels)))
    rest = np.delete(logits, 1, axis=1)
    at = np.where(labels > 1, labels - 1, labels)
    np.testing.assert_allclose(got, -log_softmax(rest)[np.arange(6), at].mean(), rtol=1e-13)


def test_probabilities_of_0_and_1_are_right_where_they_are_right():
    p, t = np.array([0.0, 1.0, 0.5]), np.array([0.0, 1.0, 1.0])
    got = value(lambda a, b: nn.binary_cross_entropy(a, b, "none", from_logits=False), (p, t))
    np.testing.assert_allclose(got, [0, 0, np.log(2)], rtol=1e-15)


def test_a_variance_below_eps_still_gets_a_gradient():
    p, t, v = leaves((P, T, PROB))
    slope = gx.compile(gx.grad(nn.gaussian_nll(p, t, v, "sum", eps=0.1), v))(P, T, np.full((6, 4), 1e-9))
    np.testing.assert_allclose(slope, (1 / 0.1 - E**2 / 0.01) / 2, rtol=1e-12)


def test_equal_vectors_have_a_finite_gradient():
    a, b, c = leaves((P, P, T))
    slopes = gx.compile(gx.grad(nn.triplet(a, b, c, margin=100.0), [a, b, c]))(P, P, T)
    assert all(np.isfinite(s).all() for s in slopes)
    zero = np.zeros_like(P)
    loss = gx.sum(nn.cosine_similarity(a, b))
    slope = gx.compile(gx.grad(loss, a))(zero, T)
    np.testing.assert_allclose(slope, T / VECTORS[1][:, None] / 1e-8, rtol=1e-12)


# -- what is refused -----------------------------------------------------------------------------------------------


def x(*shape, dtype="float32"):
    return gx.input("x", shape, dtype)


def y(*shape, dtype="float32"):
    return gx.input("y", shape, dtype)


PAIRWISE = [
    *(
        "mse",
        "l1",
        "huber",
        "smooth_l1",
        "log_cosh",
        "pinball",
        "poisson_nll",
        "binary_cross_entropy",
        "hinge",
    ),
    *(
        "squared_hinge",
        "soft_margin",
        "multilabel_soft_margin",
        "multilabel_margin",
        "kl_div",
        "hinge_embedding",
    ),
]


@pytest.mark.parametrize("name", PAIRWISE)
def test_a_loss_never_broadcasts(name):
    for other in ((), ("n",), ("n", 1), (1, 3)):
        with pytest.raises(ShapeError, match="different shapes"):
            getattr(nn, name)(x("n", 3), y(*other))


BAD = {
    "weights of columns": (
        lambda: nn.mse(x("n", 3), y("n", 3), weights=gx.input("w", (3,))),
        "for each example",
    ),
    "weights of another rank": (
        lambda: nn.cross_entropy(x("n", 3), y("n", dtype="int64"), weights=gx.input("w", ("n", 1))),
        "for each example",
    ),
    "weights of other classes": (
        lambda: nn.cross_entropy(x("n", 3), y("n", dtype="int64"), class_weights=np.ones(4)),
        "one for each class",
    ),
    "float labels": (lambda: nn.nll(x("n", 3), y("n")), "labels are integers"),
    "ignoring rows": (lambda: nn.cross_entropy(x("n", 3), y("n", 3), ignore=1), "only a label"),
    "ignoring halves": (lambda: nn.nll(x("n", 3), y("n", dtype="int64"), ignore=0.5), "is an int"),
    "classes unknown": (lambda: nn.cross_entropy(x("n", "k"), y("n", dtype="int64")), "number of classes"),
    "smoothing beyond 1": (
        lambda: nn.cross_entropy(x("n", 3), y("n", 3), label_smoothing=1.5),
        "at most 1",
    ),
    "delta of 0": (lambda: nn.huber(x("n"), y("n"), delta=0), "above 0"),
    "beta below 0": (lambda: nn.smooth_l1(x("n"), y("n"), beta=-1), "at least 0"),
    "quantile of 2": (lambda: nn.pinball(x("n"), y("n"), quantile=2), "at most 1"),
    "gamma of a half": (lambda: nn.focal(x("n"), y("n"), gamma=0.5), "at least 1"),
    "p of 3": (lambda: nn.multi_margin(x("n", 3), y("n", dtype="int64"), p=3), "1 or 2"),
    "an unknown full": (lambda: nn.poisson_nll(x("n"), y("n"), full="half"), "stirling"),
    "a variance that does not fit": (
        lambda: nn.gaussian_nll(x("n", 3), y("n", 3), gx.input("v", (3,))),
        "does not fit",
    ),
    "integers alone": (lambda: nn.mse(x("n", dtype="int64"), y("n", dtype="int64")), "is a float"),
    "unknown reduction": (lambda: nn.hinge(x("n"), y("n"), "average"), "mean, sum, none"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_losses_are_refused_where_they_are_declared(what):
    build, words = BAD[what]
    with pytest.raises(GraphcError, match=words):
        build()
