"""Metrics: scalars that people read, without gradients."""

from __future__ import annotations

from typing import Any

from graphc.errors import ShapeError
from graphc.ir.node import Node
from graphc.ops import reduce
from graphc.ops.card import as_nodes
from graphc.ops.compare import equal, greater
from graphc.ops.shape import astype


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
