"""Losses of two classes, element by element."""

from __future__ import annotations

from typing import Any

from graphc.ir.node import Node
from graphc.nn.losses.reduction import cast_to, number, operands, reduced
from graphc.ops import reduce
from graphc.ops.arith import square
from graphc.ops.card import as_nodes
from graphc.ops.math import relu, softplus, xlogy
from graphc.ops.shape import expand_dims


def binary_cross_entropy(
    prediction: Any,
    target: Any,
    reduction: str = "mean",
    from_logits: bool = True,
    *,
    pos_weight: Any = None,
    weights: Any = None,
) -> Node:
    """Binary cross-entropy: -t log p - (1 - t) log(1 - p), with p = σ(z).

    On logits it is computed as softplus(z) - t z, which is exact at both ends. On probabilities 0 log 0 is 0.

    Args:
        prediction: float[...]: logits z, or with ``from_logits=False`` probabilities p.
        target: float or int of the same shape, 0 to 1.
        reduction: ``mean``, ``sum`` or ``none``.
        from_logits: what ``prediction`` holds.
        pos_weight: what t log p is multiplied with: a number, or one for each place of the last axis.
        weights: of examples.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> import graphc as gx
        >>> p, t = gx.input("p", ("n",)), gx.input("t", ("n",))
        >>> loss = gx.nn.binary_cross_entropy(p, t, from_logits=False)
        >>> float(gx.compile(loss)([0.0, 1.0], [0.0, 1.0]))
        0.0
    """
    p, t = operands("binary_cross_entropy", prediction, target)
    if from_logits and pos_weight is None:
        return reduced(softplus(p) - t * p, reduction, weights)
    positive = t if pos_weight is None else t * cast_to(as_nodes((pos_weight,))[0], p)
    if from_logits:
        return reduced(positive * softplus(-p) + (1 - t) * softplus(p), reduction, weights)
    return reduced(-xlogy(positive, p) - xlogy(1 - t, 1 - p), reduction, weights)


def hinge(
    prediction: Any, target: Any, reduction: str = "mean", *, margin: float = 1.0, weights: Any = None
) -> Node:
    """The hinge of a support vector machine: max(0, margin - t s).

    Args:
        prediction: scores s, float[...].
        target: t, -1 or 1, of the same shape.
        reduction: ``mean``, ``sum`` or ``none``.
        margin: how far on the right side a score must be.
        weights: of examples.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> import graphc as gx
        >>> s, t = gx.input("s", ("n",)), gx.input("t", ("n",), dtype="int64")
        >>> float(gx.compile(gx.nn.hinge(s, t))([2.0, 0.5, 1.0], [1, 1, -1]))  # 0, 0.5, 2
        0.8333333134651184
    """
    s, t = operands("hinge", prediction, target)
    return reduced(relu(number("the margin of hinge", margin, 0) - t * s), reduction, weights)


def squared_hinge(
    prediction: Any, target: Any, reduction: str = "mean", *, margin: float = 1.0, weights: Any = None
) -> Node:
    """The square of the hinge: max(0, margin - t s)².

    Arguments as for ``hinge``.

    Example:
        >>> import graphc as gx
        >>> p, t = gx.input("p", ("n",)), gx.input("t", ("n",))
        >>> float(gx.compile(gx.nn.squared_hinge(p, t))([0.5, 2.0], [1.0, -1.0]))
        4.625
    """
    s, t = operands("squared_hinge", prediction, target)
    return reduced(square(relu(number("the margin of squared_hinge", margin, 0) - t * s)), reduction, weights)


def soft_margin(prediction: Any, target: Any, reduction: str = "mean", *, weights: Any = None) -> Node:
    """log(1 + exp(-t s)), for t of -1 or 1: the binary cross-entropy of the logit s.

    Arguments as for ``hinge``.

    Example:
        >>> import graphc as gx
        >>> p, t = gx.input("p", ("n",)), gx.input("t", ("n",))
        >>> float(gx.compile(gx.nn.soft_margin(p, t))([100.0, -100.0], [1.0, 1.0]))
        50.0
    """
    s, t = operands("soft_margin", prediction, target)
    return reduced(softplus(-(t * s)), reduction, weights)


def multilabel_soft_margin(
    prediction: Any, target: Any, reduction: str = "mean", *, weights: Any = None
) -> Node:
    """Binary cross-entropy of logits, averaged over the last axis: each class is there or not, whatever the others.

    Args:
        prediction: logits, float[..., classes].
        target: 0 or 1, of the same shape.
        reduction: over examples: ``mean``, ``sum`` or ``none``.
        weights: of examples.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> import graphc as gx
        >>> s, t = gx.input("s", ("n", 2)), gx.input("t", ("n", 2))
        >>> float(gx.compile(gx.nn.multilabel_soft_margin(s, t))([[-100.0, -100.0]], [[1.0, 0.0]]))
        50.0
    """
    z, t = operands("multilabel_soft_margin", prediction, target)
    return reduced(reduce.mean(softplus(z) - t * z, axis=-1), reduction, weights)


def multilabel_margin(
    prediction: Any, target: Any, reduction: str = "mean", *, margin: float = 1.0, weights: Any = None
) -> Node:
    """Σ max(0, margin - (s_i - s_j)) / classes over all classes i that are there and j that are not.

    Args:
        prediction: scores s, float[..., classes].
        target: 0 or 1, of the same shape.
        reduction: over examples: ``mean``, ``sum`` or ``none``.
        margin: how far above the others the scores of what is there must be.
        weights: of examples.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> import graphc as gx
        >>> s, t = gx.input("s", ("n", 2)), gx.input("t", ("n", 2))
        >>> float(gx.compile(gx.nn.multilabel_margin(s, t))([[0.0, 0.0]], [[1.0, 0.0]]))
        0.5
    """
    s, t = operands("multilabel_margin", prediction, target)
    apart = expand_dims(s, -1) - expand_dims(s, -2)
    pairs = expand_dims(t, -1) * expand_dims(1 - t, -2)
    falls = relu(number("the margin of multilabel_margin", margin, 0) - apart)
    return reduced(reduce.mean(reduce.sum(pairs * falls, axis=-1), axis=-1), reduction, weights)
