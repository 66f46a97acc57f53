"""Scores of whole predictions, by NumPy: what is no mean over examples cannot be averaged over batches.

Conventions, shared by all that count classes. A prediction is float[..., classes] (the largest counts, logits and
probabilities alike), or float of the shape of the target (class 1 above the threshold), or int classes. A target is int
labels, floats that are whole numbers, or rows of probabilities of the shape of the prediction.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from graphc.errors import ArgumentError, DataError, ShapeError

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

AVERAGES = ("binary", "macro", "micro", "weighted")
MOST_CLASSES = 20_000
"""A table of more has over 3 GB: what was passed are no labels."""


def labels_of(prediction: Any, target: Any, threshold: float) -> tuple[Array, Array]:
    """Predicted and true classes, int64[n] each.

    Raises:
        ShapeError: the shapes fit no form.
        ArgumentError: predictions or a threshold that are no numbers.
        DataError: targets that are no classes, or predictions that are no numbers.
    """
    p, t = np.asarray(prediction), np.asarray(target)
    if p.dtype.kind not in "biuf" or not isinstance(threshold, (int, float)):
        raise ArgumentError("predictions and threshold are numbers", given=f"{_form(p)}, {threshold!r:.60}")
    if p.dtype.kind == "f" and np.isnan(p).any():
        raise DataError("the predictions hold nan", given=f"{np.isnan(p).sum()} of {p.size} numbers")
    if t.dtype.kind == "f" and p.shape == t.shape and p.ndim > 1 and p.shape[-1] > 1:
        p, t = p.argmax(axis=-1), t.argmax(axis=-1)
    elif p.dtype.kind == "f" and p.ndim == t.ndim + 1 and p.shape[:-1] == t.shape and p.shape[-1] > 1:
        p = p.argmax(axis=-1)
    elif p.dtype.kind == "f":
        p = p > threshold
    if p.size != t.size or (p.shape != t.shape and p.reshape(-1).shape != t.reshape(-1).shape):
        raise ShapeError("prediction and target do not fit", given=f"{_form(prediction)} and {_form(target)}")
    if t.dtype.kind not in "biuf" or not np.isfinite(t).all() or not np.array_equal(t, t.astype(np.int64)):
        raise DataError("the targets are no classes", given=f"{_form(target)}", expected="whole numbers")
    return p.reshape(-1).astype(np.int64), t.reshape(-1).astype(np.int64)


def _form(value: Any) -> str:
    array = np.asarray(value)
    return f"{array.dtype}[{', '.join(map(str, array.shape))}]"


def confusion_matrix(
    prediction: Any, target: Any, threshold: float = 0.0, classes: int | None = None
) -> Array:
    """How often class i (row) was predicted as class j (column), int64[classes, classes].

    Args:
        prediction: see the module.
        target: see the module.
        threshold: above it lies class 1, where there is one number per example: 0 for logits, 0.5 for probabilities.
        classes: how many there are; by default those up to the largest that occurs.

    Raises:
        ArgumentError: more classes than a table can have.
        DataError: a class below 0 or beyond ``classes``.

    Example:
        >>> confusion_matrix([0, 1, 1, 1], [0, 0, 1, 1])
        array([[1, 1],
               [0, 2]])
    """
    p, t = labels_of(prediction, target, threshold)
    count = int(max(p.max(initial=0), t.max(initial=0))) + 1 if classes is None else classes
    if isinstance(count, bool) or not isinstance(count, int) or not 0 < count <= MOST_CLASSES:
        raise ArgumentError(
            "the number of classes is an int", given=repr(count), expected=f"from 1 to {MOST_CLASSES:,}"
        )
    both = np.concatenate([p, t])
    if both.size and (both.min() < 0 or both.max() >= count):
        raise DataError(
            "a class out of range", given=f"{both.min()} to {both.max()}", expected=f"0 to {count - 1}"
        )
    return np.bincount(t * count + p, minlength=count * count).reshape(count, count)


def _ratio(hits: Array, of: Array) -> Array:
    """hits / of, and 0 where nothing is counted (scikit-learn's ``zero_division=0``)."""
    return np.divide(hits, of, out=np.zeros(np.shape(hits)), where=np.asarray(of) != 0)


def precision_recall_f1(
    prediction: Any, target: Any, average: str = "binary", threshold: float = 0.0
) -> tuple[float, float, float]:
    """Precision tp / (tp + fp), recall tp / (tp + fn), and F1 = 2 tp / (2 tp + fp + fn); 0 where nothing is counted.

    ``binary``: of class 1. ``macro``: the mean over the classes that occur. ``weighted``: the same, weighted by how
    often each is true. ``micro``: of the counts of all classes together.

    Raises:
        ArgumentError: an unknown average.
        DataError: ``binary`` with more than two classes.
    """
    check_average(average)
    table = confusion_matrix(prediction, target, threshold)
    hits, predicted, true = np.diag(table), table.sum(axis=0), table.sum(axis=1)
    if average == "binary":
        if len(table) > 2:
            raise DataError(
                f"there are {len(table)} classes", given="average='binary'", fix="average='macro' or 'micro'"
            )
        hits, predicted, true = (np.append(a, [0, 0])[1:2] for a in (hits, predicted, true))
    elif average == "micro":
        hits, predicted, true = (a.sum(keepdims=True) for a in (hits, predicted, true))
    else:
        seen = predicted + true > 0
        hits, predicted, true = hits[seen], predicted[seen], true[seen]
    parts = _ratio(hits, predicted), _ratio(hits, true), _ratio(2 * hits, predicted + true)
    weights = true if average == "weighted" and true.sum() else None
    scores = [float(np.average(part, weights=weights)) for part in parts]
    return scores[0], scores[1], scores[2]


def check_average(average: str) -> None:
    """Raises ArgumentError for an average that is none."""
    if average not in AVERAGES:
        raise ArgumentError("unknown average", given=repr(average), expected=", ".join(AVERAGES))


def area_under_roc(prediction: Any, target: Any) -> float:
    """The probability that an example of class 1 has a higher score than one of class 0; a tie counts half.

    Of more than two columns, the mean over the classes that occur of each against the rest. nan where only one class
    occurs, or a score is nan.

    Raises:
        ShapeError: prediction and target do not fit.

    Source: Mann and Whitney 1947; Hanley and McNeil 1982.

    Example:
        >>> area_under_roc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
        0.75
    """
    p, t = np.asarray(prediction, np.float64), np.asarray(target)
    if p.shape != t.shape and p.shape[:-1] != t.shape:
        raise ShapeError(
            "auc: prediction and target do not fit", given=f"{_form(prediction)} and {_form(target)}"
        )
    columns = p.reshape(-1, p.shape[-1]) if p.shape != t.shape else p.reshape(-1, 1)
    t = t.reshape(-1)
    if (
        columns.shape[1] == 2
    ):  # for logits and for probabilities alike, this rises with the probability of class 1
        columns = columns[:, 1:] - columns[:, :1]
    if columns.shape[1] == 1:
        return _area(columns[:, 0], t == 1)
    areas = [_area(columns[:, c], t == c) for c in range(columns.shape[1]) if (t == c).any()]
    return float(np.mean(areas)) if areas else float("nan")


def _area(scores: Array, positive: Array) -> float:
    """By ranks, those of ties averaged."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    yes = int(positive.sum())
    no = len(positive) - yes
    if not yes or not no or np.isnan(scores).any():
        return float("nan")
    return float((ranks[positive].sum() - yes * (yes + 1) / 2) / (yes * no))


def root_mean_squared_error(prediction: Any, target: Any) -> float:
    """√ mean (prediction - target)², over all elements, in float64.

    Raises:
        ShapeError: the shapes differ.
    """
    p, t = _quantities(prediction, target)
    return float(np.sqrt(np.mean(np.square(p - t))))


def r_squared(prediction: Any, target: Any) -> float:
    """R² = 1 - Σ (t - p)² / Σ (t - mean t)², in float64; of several columns, the mean.

    A constant target gives 1 where it is met exactly, else 0 (scikit-learn's ``force_finite``).

    Raises:
        ShapeError: the shapes differ.
        DataError: fewer than two examples.
    """
    p, t = _quantities(prediction, target)
    if len(p) < 2:
        raise DataError("R² needs at least two examples", given=str(len(p)))
    p, t = p.reshape(len(p), -1), t.reshape(len(t), -1)
    rest, spread = np.square(t - p).sum(axis=0), np.square(t - t.mean(axis=0)).sum(axis=0)
    share = np.divide(rest, spread, out=np.where(rest == 0, 0.0, 1.0), where=spread != 0)
    return float(np.mean(1 - share))


def _quantities(prediction: Any, target: Any) -> tuple[Array, Array]:
    p, t = np.asarray(prediction, np.float64), np.asarray(target, np.float64)
    if p.shape != t.shape or not p.ndim:
        raise ShapeError(
            "prediction and target have different shapes",
            given=f"{_form(prediction)} and {_form(target)}",
            expected="one shape, with an axis of examples",
        )
    return p, t
