"""Losses over classes: from labels, one-hot rows or probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.ir.node import Node, describe
from graphc.ir.origin import here
from graphc.ir.types import shape_text
from graphc.nn.losses.reduction import cast_to, number, operands, reduced
from graphc.ops import reduce
from graphc.ops.arith import multiply, square
from graphc.ops.arrange import moveaxis
from graphc.ops.card import as_nodes
from graphc.ops.compare import equal, greater, not_equal, where
from graphc.ops.index import one_hot
from graphc.ops.math import exp, expm1, relu, sigmoid, softplus, xlogx
from graphc.ops.nn import log_softmax
from graphc.ops.shape import normal_axis


@dataclass(frozen=True)
class _Target:
    """A target as rows over the classes, which are the last axis.

    Attributes:
        rows: float[..., classes], one-hot or probabilities.
        counted: bool[...], whether an example counts; None where all do.
    """

    rows: Node
    counted: Node | None = None


def cross_entropy(
    logits: Any,
    target: Any,
    reduction: str = "mean",
    axis: int = -1,
    *,
    class_weights: Any = None,
    label_smoothing: float = 0.0,
    ignore: int | None = None,
    weights: Any = None,
) -> Node:
    """Cross-entropy of logits: -Σ_c w_c q_c log softmax(z)_c along ``axis``, averaged over the rest.

    Here q = (1 - ε) t + ε / classes, and t is the target's row: one-hot for a label. The mean divides by the weights
    that the examples have, Σ weights Σ_c w_c t_c, which is the number of examples where nothing is weighed. So labels
    and their one-hot rows give the same; the mean of PyTorch does that for labels alone.

    Args:
        logits: float[..., classes, ...].
        target: int labels of the shape without ``axis``, or rows of probabilities of the shape of the logits.
        reduction: ``mean`` over examples, ``sum``, or ``none``.
        axis: the axis of classes.
        class_weights: w, float[classes]; by default 1.
        label_smoothing: ε, from 0 to 1.
        ignore: the label of examples that do not count, such as -1 or a class.
        weights: of examples.

    Raises:
        ShapeError: target fits neither form.
        DTypeError: labels that are floats.

    Example:
        >>> import graphc as gx
        >>> z, t = gx.input("z", ("n", 3)), gx.input("t", ("n",), dtype="int64")
        >>> float(gx.compile(gx.nn.cross_entropy(z, t))([[0.0, 0.0, 0.0]], [1]))  # log 3
        1.0986123085021973

    Source: the smoothing is that of Szegedy et al. 2016, section 7.
    """
    z, t = _operands("cross_entropy", logits, target, axis, ignore)
    log_p = log_softmax(z, axis=-1)
    smoothing = number("the label_smoothing of cross_entropy", label_smoothing, 0, 1)
    return _weighted(log_p, t, reduction, class_weights, smoothing, weights)


def nll(
    log_probabilities: Any,
    target: Any,
    reduction: str = "mean",
    axis: int = -1,
    *,
    class_weights: Any = None,
    ignore: int | None = None,
    weights: Any = None,
) -> Node:
    """Negative log-likelihood: -Σ_c w_c t_c l_c along ``axis``, for logarithms of probabilities l.

    After ``log_softmax`` it is ``cross_entropy``, whose arguments it takes.

    Example:
        >>> import graphc as gx
        >>> l, t = gx.input("l", ("n", 2)), gx.input("t", ("n",), dtype="int64")
        >>> float(gx.compile(gx.nn.nll(l, t))([[-0.5, -2.0]], [1]))
        2.0
    """
    l, t = _operands("nll", log_probabilities, target, axis, ignore)  # noqa: E741
    return _weighted(l, t, reduction, class_weights, 0.0, weights)


def _weighted(
    log_p: Node, target: _Target, reduction: str, class_weights: Any, smoothing: float, weights: Any
) -> Node:
    rows, q = target.rows, target.rows
    if smoothing:
        q = q * (1 - smoothing) + smoothing / _classes(log_p)
    counts = None if target.counted is None else cast_to(target.counted, log_p)
    if class_weights is not None:
        w = _class_weights(class_weights, log_p)
        log_p, share = w * log_p, reduce.sum(rows * w, axis=-1)
        counts = share if counts is None else share * counts
    loss = -reduce.sum(q * log_p, axis=-1)
    if target.counted is not None:
        loss = where(target.counted, loss, 0)
    return reduced(loss, reduction, weights, counts)


def _class_weights(weights: Any, log_p: Node) -> Node:
    (w,) = as_nodes((weights,))
    if w.shape != log_p.shape[-1:]:
        raise ShapeError(
            "the weights of classes are one for each class",
            given=f"{describe(w, 'class_weights')}: {w.type}, for {log_p.shape[-1]} classes",
            where=here(),
        )
    return cast_to(w, log_p)


def _operands(name: str, scores: Any, target: Any, axis: int, ignore: int | None) -> tuple[Node, _Target]:
    """Scores with the classes as the last axis, and the target as rows over them."""
    z, t = as_nodes((scores, target))
    if not z.type.is_float or not z.ndim:
        raise DTypeError(
            f"{name}: scores are floats with an axis of classes", given=str(z.type), where=here()
        )
    at = normal_axis(axis, z.ndim)
    expected = (*z.shape[:at], *z.shape[at + 1 :])
    last = moveaxis(z, at, -1) if at != z.ndim - 1 else z
    if t.type.is_float or (t.shape == z.shape and t.shape != expected):
        return last, _rows(name, z, t, at, expected, ignore)
    return last, _labels(name, last, t, expected, ignore)


def _rows(name: str, z: Node, t: Node, at: int, expected: Any, ignore: int | None) -> _Target:
    if t.shape == expected != z.shape:
        raise DTypeError(
            f"{name}: labels are integers",
            given=f"{describe(z, 'logits')}: {z.type}, {describe(t, 'labels')}: {t.type}",
            where=here(),
            fix='declare the labels with dtype="int64"',
        )
    if ignore is not None:
        raise ArgumentError(
            f"{name}: only a label can be ignored",
            given=f"{describe(t, 'target')}: {t.type}",
            where=here(),
            fix="give such an example a weight of 0 in weights=",
        )
    _, t = operands(name, z, t)
    return _Target(moveaxis(t, at, -1) if at != z.ndim - 1 else t)


def _labels(name: str, z: Node, t: Node, expected: Any, ignore: int | None) -> _Target:
    if t.shape != expected:
        raise ShapeError(
            f"{name}: labels have one entry per example",
            given=f"logits {z.type}, labels {t.type}",
            expected=f"labels of shape {shape_text(expected)}",
            where=here(),
            fix="pass rows of probabilities as floats, or integer labels",
        )
    classes = _classes(z)
    if ignore is None:
        return _Target(one_hot(t, classes, z.dtype))
    if isinstance(ignore, bool) or not isinstance(ignore, int):
        raise ArgumentError(f"{name}: the ignored label is an int", given=repr(ignore)[:60], where=here())
    return _Target(one_hot(where(equal(t, ignore), 0, t), classes, z.dtype), not_equal(t, ignore))


def _classes(z: Node) -> int:
    if not isinstance(z.shape[-1], int):
        raise ShapeError(
            "the number of classes is an int where targets are labels", given=str(z.type), where=here()
        )
    return z.shape[-1]


def kl_div(
    log_probabilities: Any,
    target: Any,
    reduction: str = "mean",
    axis: int | None = -1,
    *,
    log_target: bool = False,
    weights: Any = None,
) -> Node:
    """The divergence of Kullback and Leibler: Σ t (log t - l) along ``axis``, averaged over the rest; 0 log 0 is 0.

    Args:
        log_probabilities: l, the logarithms of the model's probabilities, float[..., classes].
        target: t, probabilities of the same shape, or with ``log_target`` their logarithms.
        reduction: ``mean`` (over examples: the ``batchmean`` of PyTorch for two axes), ``sum`` or ``none``.
        axis: the axis of classes; None for no sum, so that the mean is over all elements, as PyTorch's ``mean``.
        log_target: what ``target`` holds.
        weights: of examples.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> import graphc as gx
        >>> l, t = gx.input("l", ("n", 2)), gx.input("t", ("n", 2))
        >>> float(gx.compile(gx.nn.kl_div(l, t))([[0.0, -50.0]], [[1.0, 0.0]]))
        0.0
    """
    l, t = operands("kl_div", log_probabilities, target)  # noqa: E741
    loss = exp(t) * (t - l) if log_target else xlogx(t) - t * l
    return reduced(loss if axis is None else reduce.sum(loss, axis=axis), reduction, weights)


def multi_margin(
    scores: Any,
    target: Any,
    reduction: str = "mean",
    *,
    margin: float = 1.0,
    p: int = 1,
    class_weights: Any = None,
    weights: Any = None,
) -> Node:
    """The hinge over classes: w_y Σ_{j≠y} max(0, margin - s_y + s_j)^p / classes, for labels y.

    Args:
        scores: s, float[..., classes].
        target: int labels.
        reduction: ``mean`` (over examples, whatever their class weighs), ``sum`` or ``none``.
        margin: how far above the others the score of the class must be.
        p: 1 or 2.
        class_weights: w, float[classes]; by default 1.
        weights: of examples.

    Raises:
        ShapeError: labels that do not fit.
        ArgumentError: another p.

    Example:
        >>> import graphc as gx
        >>> s, t = gx.input("s", ("n", 2)), gx.input("t", ("n",), dtype="int64")
        >>> float(gx.compile(gx.nn.multi_margin(s, t))([[2.0, 1.5]], [0]))
        0.25

    Source: Crammer and Singer 2001, summed over the classes as Weston and Watkins 1999 do.
    """
    if p not in (1, 2):
        raise ArgumentError("multi_margin: p is 1 or 2", given=repr(p)[:60], where=here())
    s, t = _operands("multi_margin", scores, target, -1, None)
    own = reduce.sum(t.rows * s, axis=-1, keepdims=True)
    falls = relu(number("the margin of multi_margin", margin, 0) - own + s)
    loss = reduce.mean(where(greater(t.rows, 0), 0, square(falls) if p == 2 else falls), axis=-1)
    if class_weights is not None:
        loss = loss * reduce.sum(t.rows * _class_weights(class_weights, s), axis=-1)
    return reduced(loss, reduction, weights)


def focal(
    logits: Any,
    target: Any,
    reduction: str = "mean",
    *,
    gamma: float = 2.0,
    alpha: Any = None,
    weights: Any = None,
) -> Node:
    """Cross-entropy that looks away from what is right already: -α_t (1 - p_t)^γ log p_t.

    Args:
        logits: float[...] of two classes, element by element, with targets of the same shape; or float[..., classes]
            with int labels of the shape without the last axis.
        target: 0 to 1, or labels.
        reduction: ``mean``, ``sum`` or ``none``.
        gamma: γ: 0 for the cross-entropy, else at least 1, so that the slope is finite where p_t is 1.
        alpha: the weight of class 1 (and 1 - α that of class 0); for labels, one for each class. None for 1.
        weights: of examples.

    Raises:
        ShapeError: the target fits neither form.
        ArgumentError: a γ between 0 and 1.

    Example:
        >>> import graphc as gx
        >>> z, t = gx.input("z", ("n", 2)), gx.input("t", ("n",), dtype="int64")
        >>> float(gx.compile(gx.nn.focal(z, t))([[0.0, -50.0]], [1]))
        50.0

    Source: Lin et al. 2017, eq. 5.
    """
    gamma = number("the gamma of focal", gamma, 0)
    if 0 < gamma < 1:
        raise ArgumentError("the gamma of focal is 0 or at least 1", given=repr(gamma), where=here())
    z, t = as_nodes((logits, target))
    if t.shape == z.shape:
        return reduced(_focal_of_two(z, t, gamma, alpha), reduction, weights)
    z, rows = _operands("focal", z, t, -1, None)
    log_p = reduce.sum(rows.rows * log_softmax(z, axis=-1), axis=-1)
    loss = -_faded(-expm1(log_p), gamma, log_p)
    if alpha is not None:
        loss = loss * reduce.sum(rows.rows * _class_weights(alpha, z), axis=-1)
    return reduced(loss, reduction, weights)


def _focal_of_two(z: Node, t: Node, gamma: float, alpha: Any) -> Node:
    z, t = operands("focal", z, t)
    miss = t * sigmoid(-z) + (1 - t) * sigmoid(z)
    loss = _faded(miss, gamma, softplus(z) - t * z)
    if alpha is None:
        return loss
    alpha = number("the alpha of focal", alpha, 0, 1)
    weighted: Node = loss * (t * alpha + (1 - t) * (1 - alpha))
    return weighted


def _faded(miss: Node, gamma: float, loss: Node) -> Node:
    if gamma == 0:
        return loss
    faded: Node = multiply(square(miss) if gamma == 2 else miss**gamma, loss)
    return faded
