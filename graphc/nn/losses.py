"""Losses. Written as people write them; the compiler finds the stable form."""

from __future__ import annotations

from typing import Any

from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.ir.node import Node, describe
from graphc.ir.origin import here
from graphc.ir.types import shape_text
from graphc.ops import reduce
from graphc.ops.arith import square
from graphc.ops.card import as_nodes
from graphc.ops.index import one_hot
from graphc.ops.math import log, softplus
from graphc.ops.nn import log_softmax

REDUCTIONS = ("mean", "sum", "none")


def mse(prediction: Any, target: Any, reduction: str = "mean") -> Node:
    """Squared error: (prediction - target)², averaged over all elements.

    Args:
        prediction: float[...].
        target: float of the same shape.
        reduction: ``mean`` (over all elements), ``sum``, or ``none``.

    Raises:
        ShapeError: the shapes differ (no silent broadcasting of a loss).
    """
    prediction, target = as_nodes((prediction, target))
    _same_shape("mse", prediction, target)
    return reduced(square(prediction - target), reduction)


def cross_entropy(logits: Any, target: Any, reduction: str = "mean", axis: int = -1) -> Node:
    """Cross-entropy of logits: -Σ t log softmax(z) along ``axis``, averaged over the rest.

    Args:
        logits: float[..., classes].
        target: int labels of the shape without ``axis``, or rows of probabilities of the same shape as the logits.
        reduction: ``mean`` over examples, ``sum``, or ``none``.
        axis: the axis of classes.

    Raises:
        ShapeError: target fits neither form.
        DTypeError: labels that are floats.

    Example:
        >>> import graphc as gx
        >>> z, t = gx.input("z", ("n", 3)), gx.input("t", ("n",), dtype="int64")
        >>> float(gx.compile(gx.nn.cross_entropy(z, t))([[0.0, 0.0, 0.0]], [1]))  # log 3
        1.0986123085021973
    """
    logits, target = as_nodes((logits, target))
    rows = _rows(logits, target, axis)
    return reduced(-reduce.sum(rows * log_softmax(logits, axis=axis), axis=axis), reduction)


def _rows(logits: Node, target: Node, axis: int) -> Node:
    """Targets as rows of probabilities along the axis of classes."""
    at = axis % max(logits.ndim, 1)
    expected = (*logits.shape[:at], *logits.shape[at + 1 :])
    if target.type.is_float:
        if target.shape == expected != logits.shape:
            raise _float_labels(logits, target)
        _same_shape("cross_entropy", logits, target)
        return target
    if target.shape != expected:
        raise ShapeError(
            "cross_entropy: labels have one entry per example",
            given=f"logits {logits.type}, labels {target.type}",
            expected=f"labels of shape {shape_text(expected)}",
            where=here(),
            fix="pass rows of probabilities as floats, or integer labels",
        )
    classes = logits.shape[-1]
    if at != logits.ndim - 1 or not isinstance(classes, int):
        raise ShapeError(
            "cross_entropy: with labels, the classes are the last axis, and its size is an int",
            given=f"axis={axis} of {logits.type}",
        )
    return one_hot(target, classes, logits.dtype)


def _float_labels(logits: Node, target: Node) -> DTypeError:
    return DTypeError(
        "cross_entropy: labels are integers",
        given=f"{describe(logits, 'logits')}: {logits.type}, {describe(target, 'labels')}: {target.type}",
        where=here(),
        fix='declare the labels with dtype="int64"',
    )


def binary_cross_entropy(
    prediction: Any, target: Any, reduction: str = "mean", from_logits: bool = True
) -> Node:
    """Binary cross-entropy: -t log p - (1 - t) log(1 - p), with p = σ(z).

    On logits it is computed as softplus(z) - t z, which is exact at both ends.

    Args:
        prediction: float[...]: logits z, or with ``from_logits=False`` probabilities p.
        target: float or int of the same shape, 0 to 1.
        reduction: ``mean``, ``sum`` or ``none``.
        from_logits: what ``prediction`` holds.

    Raises:
        ShapeError: the shapes differ.
    """
    prediction, target = as_nodes((prediction, target))
    _same_shape("binary_cross_entropy", prediction, target)
    if from_logits:
        return reduced(softplus(prediction) - target * prediction, reduction)
    loss = -(target * log(prediction)) - (1 - target) * log(1 - prediction)
    return reduced(loss, reduction)


def reduced(loss: Node, reduction: str) -> Node:
    """A loss per element, reduced."""
    if reduction not in REDUCTIONS:
        raise ArgumentError("unknown reduction", given=repr(reduction), expected=", ".join(REDUCTIONS))
    if reduction == "none":
        return loss
    return reduce.mean(loss) if reduction == "mean" else reduce.sum(loss)


def _same_shape(name: str, a: Node, b: Node) -> None:
    if a.shape != b.shape:
        raise ShapeError(
            f"{name}: prediction and target have different shapes",
            given=f"{a.type} and {b.type}",
            expected="one shape",
            where=here(),
            fix="reshape or squeeze one of them; a loss never broadcasts",
        )
