"""What all losses share: how values per element become one number, and that shapes agree."""

from __future__ import annotations

import math
from typing import Any

from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.ir.node import Node, describe
from graphc.ir.origin import here
from graphc.ir.types import shape_text
from graphc.ops import reduce
from graphc.ops.card import as_nodes
from graphc.ops.compare import equal, where
from graphc.ops.shape import astype, expand_dims

REDUCTIONS = ("mean", "sum", "none")


def reduced(loss: Any, reduction: str = "mean", weights: Any = None, counts: Any = None) -> Node:
    """A loss per element, reduced: Σ w l / Σ w, Σ w l, or w l.

    Args:
        loss: float[...], l.
        reduction: ``mean``: with weights the weighted mean, which divides by the sum of the weights (0 where that is
            0, not nan); ``sum``; ``none``.
        weights: w, one for each place of the first axes of the loss; by default 1. The other axes are averaged over.
        counts: how much each element counts in the divisor of the mean, of the shape of the loss; by default 1. A loss
            that weighs its elements itself (by class) says so here.

    Raises:
        ArgumentError: an unknown reduction.
        ShapeError: weights that are not one for each place of the first axes.

    Example:
        >>> import graphc as gx
        >>> l, w = gx.input("l", ("n",)), gx.input("w", ("n",))
        >>> float(gx.compile(reduced(gx.square(l), "mean", w))([1.0, 3.0], [3.0, 1.0]))
        3.0
    """
    (loss,) = as_nodes((loss,))
    if reduction not in REDUCTIONS:
        raise ArgumentError("unknown reduction", given=repr(reduction), expected=", ".join(REDUCTIONS))
    w = None if weights is None else _weights(weights, loss)
    if reduction == "mean":
        return _mean(loss, w, counts)
    if w is not None:
        loss = loss * _along_first_axes(w, loss.ndim)
    return loss if reduction == "none" else reduce.sum(loss)


def _mean(loss: Node, w: Node | None, counts: Node | None) -> Node:
    if w is not None and loss.ndim > w.ndim:  # the other axes have no weights of their own
        rest = tuple(range(w.ndim, loss.ndim))
        loss = reduce.mean(loss, axis=rest)
        counts = None if counts is None else reduce.mean(counts, axis=rest)
    total = w if counts is None else counts if w is None else w * counts
    if total is None:
        return reduce.mean(loss)
    whole = reduce.sum(total)
    weighted = loss if w is None else loss * w
    mean: Node = reduce.sum(weighted) / where(equal(whole, 0), 1, whole)
    return mean


def _weights(weights: Any, loss: Node) -> Node:
    (w,) = as_nodes((weights,))
    if w.shape != loss.shape[: w.ndim]:
        raise ShapeError(
            "the weights of a loss are one for each example",
            given=f"{describe(w, 'weights')}: {w.type}, for a loss of shape {shape_text(loss.shape)}",
            expected=f"the shape {shape_text(loss.shape)}, or its first sizes",
            where=here(),
            fix="reshape the weights, or broadcast them with gx.broadcast_to",
        )
    return cast_to(w, loss)


def cast_to(x: Node, like: Node) -> Node:
    """With the dtype of another: what weighs or compares never widens a loss."""
    if x.dtype == like.dtype:
        return x
    converted: Node = astype(x, like.dtype)
    return converted


def _along_first_axes(w: Node, rank: int) -> Node:
    while w.ndim < rank:
        w = expand_dims(w, w.ndim)
    return w


def operands(name: str, prediction: Any, target: Any) -> tuple[Node, Node]:
    """A prediction and its target as nodes of one shape and of the prediction's dtype.

    Raises:
        DTypeError: the prediction is no float.
        ShapeError: the shapes differ.
    """
    p, t = as_nodes((prediction, target))
    if not p.type.is_float and not t.type.is_float:
        raise DTypeError(
            f"{name}: a prediction is a float",
            given=f"{describe(p, 'prediction')}: {p.type}",
            where=here(),
            fix="convert it with gx.astype",
        )
    same_shape(name, p, t)
    return p, t if t.type.is_float else cast_to(t, p)


def same_shape(name: str, a: Node, b: Node) -> None:
    """Raises ShapeError where two shapes differ: a loss never broadcasts."""
    if a.shape != b.shape:
        raise ShapeError(
            f"{name}: prediction and target have different shapes",
            given=f"{describe(a, 'prediction')}: {a.type}, {describe(b, 'target')}: {b.type}",
            expected="one shape",
            where=here(),
            fix="reshape or squeeze one of them; a loss never broadcasts",
        )


def number(what: str, value: Any, low: float, high: float = math.inf, *, open_low: bool = False) -> float:
    """An option of a loss, checked.

    Raises:
        ArgumentError: it is no number, or outside its bounds.
    """
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not good or not low <= value <= high or (open_low and value == low):
        bounds = f"above {low:g}" if open_low else f"at least {low:g}"
        upper = "" if high == math.inf else f" and at most {high:g}"
        raise ArgumentError(
            f"{what} is a number", given=repr(value)[:60], expected=bounds + upper, where=here()
        )
    return float(value)
