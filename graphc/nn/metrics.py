"""Metrics: numbers that people read, without gradients.

What is a mean over examples is a node (``accuracy``, ``top_k``, ``mae``). What is not (``f1``, ``auc``, ``rmse``,
``r2``, ...) is a ``Score``: a model computes it by NumPy over the predictions for all of the data, as a mean over
batches would be another number. Given arrays instead of nodes, the functions that make scores return the number itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.node import Node
from graphc.ir.origin import here
from graphc.nn import scores
from graphc.ops import reduce
from graphc.ops.arith import abs
from graphc.ops.card import as_nodes
from graphc.ops.compare import equal, greater
from graphc.ops.order import argsort
from graphc.ops.shape import astype, expand_dims
from graphc.ops.slices import getitem


def accuracy(prediction: Any, target: Any) -> Node:
    """The share of examples whose predicted class is right.

    Args:
        prediction: logits or probabilities; float[..., classes], or, for two classes, logits of the shape of
            ``target`` (class 1 above 0).
        target: int labels, or rows of probabilities of the same shape as the prediction.

    Returns:
        float32 scalar.

    Raises:
        ShapeError: the shapes fit neither form.

    Example:
        >>> import graphc as gx
        >>> z, t = gx.input("z", ("n", 2)), gx.input("t", ("n",), dtype="int64")
        >>> float(gx.compile(gx.nn.accuracy(z, t))([[1.0, 0.0], [1.0, 0.0]], [0, 1]))
        0.5
    """
    prediction, target = as_nodes((prediction, target))
    if target.shape == prediction.shape[:-1] and not target.type.is_float:
        hit = equal(reduce.argmax(prediction, axis=-1), target)
    elif target.shape == prediction.shape and not target.type.is_float:
        hit = equal(astype(greater(prediction, 0), "int64"), target)
    elif target.shape == prediction.shape:
        hit = equal(reduce.argmax(prediction, axis=-1), reduce.argmax(target, axis=-1))
    else:
        raise ShapeError(
            "accuracy: prediction and target do not fit", given=f"{prediction.type} and {target.type}"
        )
    return reduce.mean(astype(hit, "float32"))


def top_k(prediction: Any, target: Any, k: int = 5) -> Node:
    """The share of examples whose true class is among the k largest predictions; of equal ones, the first count.

    Args:
        prediction: float[..., classes].
        target: int labels, the shape without the last axis.
        k: from 1 to the number of classes.

    Returns:
        float32 scalar.

    Raises:
        ShapeError: the shapes do not fit.
        ArgumentError: k out of range.

    Example:
        >>> import graphc as gx
        >>> z, t = gx.input("z", ("n", 3)), gx.input("t", ("n",), dtype="int64")
        >>> float(gx.compile(gx.nn.top_k(z, t, 2))([[3.0, 2.0, 1.0]], [1]))
        1.0
    """
    prediction, target = as_nodes((prediction, target))
    if target.type.is_float or target.shape != prediction.shape[:-1]:
        raise ShapeError(
            "top_k: prediction and labels do not fit", given=f"{prediction.type} and {target.type}"
        )
    classes = prediction.shape[-1]
    if isinstance(k, bool) or not isinstance(k, int) or k < 1 or (isinstance(classes, int) and k > classes):
        raise ArgumentError(
            "k is an int from 1 to the number of classes", given=repr(k), expected=str(classes)
        )
    best = getitem(argsort(-prediction, axis=-1), (..., slice(k)))
    hit = reduce.any(equal(best, expand_dims(target, axis=-1)), axis=-1)
    return reduce.mean(astype(hit, "float32"))


def mae(prediction: Any, target: Any) -> Node:
    """The mean absolute error: the mean of |prediction - target| over all elements.

    Args:
        prediction: float[...].
        target: float of the same shape.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> import graphc as gx
        >>> p, t = gx.input("p", ("n",)), gx.input("t", ("n",))
        >>> float(gx.compile(gx.nn.mae(p, t))([1.0, 4.0], [2.0, 2.0]))
        1.5
    """
    prediction, target = as_nodes((prediction, target))
    _one_shape("mae", prediction, target)
    return reduce.mean(abs(prediction - target))


# -- scores: of all predictions at once ---------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Score:
    """A number from the predictions for all of the data, and their targets.

    Attributes:
        kind: its name in ``SCORES``.
        options: what it was asked with, as ``average`` and ``threshold``.
        nodes: what it reads, prediction and target; each with an axis of examples first.
    """

    kind: str
    options: tuple[tuple[str, Any], ...]
    nodes: tuple[Node, ...]

    def __call__(self, *arrays: Any) -> float:
        """The number for these values of the nodes."""
        return float(SCORES[self.kind](*arrays, **dict(self.options)))


def _part(index: int, prediction: Any, target: Any, average: str = "binary", threshold: float = 0.0) -> float:
    return scores.precision_recall_f1(prediction, target, average, threshold)[index]


SCORES: Mapping[str, Callable[..., float]] = MappingProxyType(
    {
        "precision": partial(_part, 0),
        "recall": partial(_part, 1),
        "f1": partial(_part, 2),
        "auc": scores.area_under_roc,
        "rmse": scores.root_mean_squared_error,
        "r2": scores.r_squared,
    }
)
"""What computes each kind of score from whole arrays."""


def _score(kind: str, prediction: Any, target: Any, **options: Any) -> Any:
    """A score of nodes, or the number for arrays."""
    if not isinstance(prediction, Node) and not isinstance(target, Node):
        return SCORES[kind](prediction, target, **options)
    nodes = as_nodes((prediction, target))
    for node in nodes:
        if not node.shape:
            raise ShapeError(
                f"{kind} needs an axis of examples",
                given=str(node.type),
                where=here(),
                fix="leave out the mean",
            )
    return Score(kind, tuple(options.items()), tuple(nodes))


def _of_classes(kind: str, prediction: Any, target: Any, average: str, threshold: float) -> Any:
    scores.check_average(average)
    if not isinstance(threshold, (int, float)) or not np.isfinite(threshold):
        raise ArgumentError("threshold is a finite number", given=repr(threshold))
    found = _score(kind, prediction, target, average=average, threshold=threshold)
    if isinstance(found, Score):
        _check_classes(found, average)
    return found


def _check_classes(score: Score, average: str) -> None:
    """What can be known before there are data."""
    kind, (prediction, target) = score.kind, score.nodes
    columns = prediction.shape[-1] if prediction.type.is_float else None
    if prediction.shape not in (target.shape, (*target.shape, columns)):
        raise ShapeError(
            f"{kind}: prediction and target do not fit",
            given=f"{prediction.type} and {target.type}",
            where=here(),
        )
    many = isinstance(columns, int) and columns > 2 and prediction.ndim > 1
    if many and average == "binary":
        raise ArgumentError(
            f"{kind} of {columns} classes needs an average",
            given="average='binary'",
            fix="average='macro' or 'micro'",
        )


def precision(prediction: Any, target: Any, average: str = "binary", threshold: float = 0.0) -> Any:
    """The share of true ones among those predicted: tp / (tp + fp); 0 where none was predicted.

    Args:
        prediction: float[n, classes], or float[n] (class 1 above ``threshold``), or int classes.
        target: int labels, or rows of probabilities.
        average: ``binary`` (of class 1), ``macro`` (the mean over the classes that occur), ``weighted`` (the same,
            weighted by how often each is true) or ``micro`` (of all counts together).
        threshold: 0 for logits, 0.5 for probabilities.

    Returns:
        A ``Score`` of nodes for a model, or the number for arrays.

    Raises:
        ArgumentError, ShapeError: what does not fit.

    Example:
        >>> import graphc as gx
        >>> gx.nn.precision([1, 1, 0, 1], [1, 0, 0, 1])
        0.6666666666666666
    """
    return _of_classes("precision", prediction, target, average, threshold)


def recall(prediction: Any, target: Any, average: str = "binary", threshold: float = 0.0) -> Any:
    """The share of those found among the true ones: tp / (tp + fn); arguments as for ``precision``.

    Example:
        >>> import graphc as gx
        >>> gx.nn.recall([1, 1, 0, 1], [1, 0, 0, 1])
        1.0
    """
    return _of_classes("recall", prediction, target, average, threshold)


def f1(prediction: Any, target: Any, average: str = "binary", threshold: float = 0.0) -> Any:
    """The harmonic mean of precision and recall: 2 tp / (2 tp + fp + fn); arguments as for ``precision``.

    Example:
        >>> f1([1, 1, 0, 1], [1, 0, 0, 1])
        0.8
    """
    return _of_classes("f1", prediction, target, average, threshold)


def auc(prediction: Any, target: Any) -> Any:
    """The area under the ROC curve; see ``scores.area_under_roc``.

    Args:
        prediction: float[n] or float[n, classes], logits or probabilities.
        target: int[n] labels; where there is one number or two per example, 0 and 1.

    Returns:
        A ``Score`` of nodes for a model, or the number for arrays; nan where only one class occurs.

    Example:
        >>> import graphc as gx
        >>> gx.nn.auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
        0.75
    """
    found = _score("auc", prediction, target)
    if isinstance(found, Score):
        _check_classes(found, "macro")
    return found


def rmse(prediction: Any, target: Any) -> Any:
    """The root of the mean squared error: √ mean (prediction - target)², over all elements.

    Returns:
        A ``Score`` of nodes for a model, or the number for arrays.

    Example:
        >>> rmse([0.0, 0.0], [3.0, 3.0])
        3.0
    """
    found = _score("rmse", prediction, target)
    if isinstance(found, Score):
        _one_shape("rmse", *found.nodes)
    return found


def r2(prediction: Any, target: Any) -> Any:
    """The coefficient of determination R² = 1 - Σ (t - p)² / Σ (t - mean t)²; of several columns, the mean.

    Returns:
        A ``Score`` of nodes for a model, or the number for arrays.

    Example:
        >>> import graphc as gx
        >>> gx.nn.r2([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
        0.7857142857142857
    """
    found = _score("r2", prediction, target)
    if isinstance(found, Score):
        _one_shape("r2", *found.nodes)
    return found


def confusion_matrix(prediction: Any, target: Any, threshold: float = 0.0, classes: int | None = None) -> Any:
    """How often class i (row) was predicted as class j (column), of arrays: int64[classes, classes].

    Args:
        prediction: what ``model.predict`` gave; float[n, classes], float[n] or int[n].
        target: int labels, or rows of probabilities.
        threshold: 0 for logits, 0.5 for probabilities.
        classes: how many there are; by default those up to the largest that occurs.

    Raises:
        ArgumentError: nodes: a table is no number for a history.

    Example:
        >>> import graphc as gx
        >>> gx.nn.confusion_matrix([0, 1, 1], [0, 1, 0])
        array([[1, 1],
               [0, 1]])
    """
    if isinstance(prediction, Node) or isinstance(target, Node):
        raise ArgumentError(
            "a confusion matrix is a table, not a number for the history",
            given="nodes",
            fix="nn.confusion_matrix(model.predict(x), y)",
        )
    return scores.confusion_matrix(prediction, target, threshold, classes)


def _one_shape(name: str, prediction: Node, target: Node) -> None:
    if prediction.shape != target.shape:
        raise ShapeError(
            f"{name}: prediction and target have different shapes",
            given=f"{prediction.type} and {target.type}",
            expected="one shape",
            where=here(),
            fix="reshape or squeeze one of them",
        )


SCORE_MAKERS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {function.__name__: function for function in (precision, recall, f1, auc, rmse, r2)}
)
"""What makes each kind of score from nodes."""

METRICS: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        "accuracy": accuracy,
        "top_k": top_k,
        "mae": mae,
        "auc": auc,
        "rmse": rmse,
        "r2": r2,
        **{
            f"{function.__name__}{'' if average == 'binary' else f'_{average}'}": partial(
                function, average=average
            )
            for function in (precision, recall, f1)
            for average in scores.AVERAGES
        },
    }
)
"""Metrics by the name under which a model may ask for them."""
