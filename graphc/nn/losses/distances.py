"""Losses of vectors that should lie near each other or apart."""

from __future__ import annotations

from typing import Any

from graphc.ir.node import Node
from graphc.nn.losses.reduction import number, operands, reduced, same_shape
from graphc.ops import reduce
from graphc.ops.arith import maximum, minimum
from graphc.ops.card import as_nodes, promoted
from graphc.ops.compare import equal, greater, where
from graphc.ops.math import relu
from graphc.ops.norms import vector_norm


def cosine_similarity(a: Any, b: Any, axis: int = -1, *, eps: float = 1e-8) -> Node:
    """The cosine of the angle between vectors: a·b / (max(|a|, ε) max(|b|, ε)) along an axis.

    Args:
        a: float[...].
        b: what broadcasts with it: this is a function like another, not a loss.
        axis: along which the vectors lie.
        eps: ε, the least length that counts.

    Raises:
        ShapeError: the shapes do not broadcast.

    Example:
        >>> import graphc as gx
        >>> a, b = gx.input("a", ("n", 2)), gx.input("b", ("n", 2))
        >>> gx.compile(gx.nn.cosine_similarity(a, b))([[1.0, 0.0]], [[0.0, 2.0]])
        array([0.], dtype=float32)
    """
    a, b = promoted((a, b), floats=True)
    eps = number("the eps of cosine_similarity", eps, 0)
    length_a, length_b = (maximum(vector_norm(x, axis=axis, keepdims=True), eps) for x in (a, b))
    # each is divided by its own length: the product of two lengths may overflow
    cosine: Node = reduce.sum((a / length_a) * (b / length_b), axis=axis)
    return cosine


def cosine_embedding(
    a: Any,
    b: Any,
    target: Any,
    reduction: str = "mean",
    *,
    margin: float = 0.0,
    axis: int = -1,
    weights: Any = None,
) -> Node:
    """1 - cos(a, b) where the target is 1, and max(0, cos(a, b) - margin) where it is -1.

    Args:
        a: float[..., size].
        b: of the same shape.
        target: -1 or 1, of the shape without ``axis``.
        reduction: ``mean``, ``sum`` or ``none``.
        margin: from -1 to 1.
        axis: along which the vectors lie.
        weights: of examples.

    Raises:
        ShapeError: the shapes do not fit.

    Example:
        >>> import graphc as gx
        >>> a, b, t = gx.input("a", ("n", 2)), gx.input("b", ("n", 2)), gx.input("t", ("n",))
        >>> float(gx.compile(gx.nn.cosine_embedding(a, b, t))([[1.0, 0.0]], [[0.0, 2.0]], [1.0]))
        1.0
    """
    a, b = operands("cosine_embedding", a, b)
    cosine = cosine_similarity(a, b, axis)
    c, t = operands("cosine_embedding", cosine, target)
    margin = number("the margin of cosine_embedding", margin, -1, 1)
    return reduced(where(greater(t, 0), 1 - c, relu(c - margin)), reduction, weights)


def triplet(
    anchor: Any,
    positive: Any,
    negative: Any,
    reduction: str = "mean",
    *,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 0.0,
    swap: bool = False,
    weights: Any = None,
) -> Node:
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), with d(x, y) = |x - y + ε| of order p.

    Args:
        anchor: float[..., size].
        positive: of the same shape: what should be near.
        negative: of the same shape: what should be far.
        reduction: ``mean``, ``sum`` or ``none``.
        margin: how much farther it should be.
        p: the order of the norm over the last axis.
        eps: ε. PyTorch adds 1e-6, so that the slope of the norm is defined where both are equal; here it is 0 there.
        swap: whether the negative may also be compared with the positive, if that is nearer.
        weights: of examples.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> import graphc as gx
        >>> a, p, q = (gx.input(name, ("n", 2)) for name in "apq")
        >>> found = gx.compile(gx.nn.triplet(a, p, q))(a=[[0.0, 0.0]], p=[[3.0, 4.0]], q=[[0.0, 2.0]])
        >>> float(found)
        4.0

    Source: Schroff et al. 2015; the swap is that of Balntas et al. 2016.
    """
    a, b, c = as_nodes((anchor, positive, negative))
    for other in (b, c):
        same_shape("triplet", a, other)
    near, far = _distance(a, b, p, eps), _distance(a, c, p, eps)
    if swap:
        far = minimum(far, _distance(b, c, p, eps))
    return reduced(relu(near - far + number("the margin of triplet", margin, 0)), reduction, weights)


def _distance(a: Node, b: Node, p: float, eps: float) -> Node:
    return vector_norm(a - b + eps if eps else a - b, axis=-1, ord=p)


def margin_ranking(
    a: Any, b: Any, target: Any, reduction: str = "mean", *, margin: float = 0.0, weights: Any = None
) -> Node:
    """max(0, margin - t (a - b)): a should rank higher where t is 1, b where it is -1.

    Args:
        a: scores, float[...].
        b: of the same shape.
        target: t, -1 or 1, of the same shape.
        reduction: ``mean``, ``sum`` or ``none``.
        margin: by how much.
        weights: of examples.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> import graphc as gx
        >>> a, b, t = (gx.input(name, ("n",)) for name in "abt")
        >>> float(gx.compile(gx.nn.margin_ranking(a, b, t))(a=[1.0], b=[3.0], t=[1.0]))
        2.0
    """
    a, b = operands("margin_ranking", a, b)
    d, t = operands("margin_ranking", a - b, target)
    return reduced(relu(number("the margin of margin_ranking", margin, 0) - t * d), reduction, weights)


def hinge_embedding(
    distance: Any, target: Any, reduction: str = "mean", *, margin: float = 1.0, weights: Any = None
) -> Node:
    """The distance where the target is 1, and max(0, margin - distance) where it is -1; elsewhere both.

    Args:
        distance: float[...].
        target: -1 or 1, of the same shape.
        reduction: ``mean``, ``sum`` or ``none``.
        margin: how far apart is far enough.
        weights: of examples.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> import graphc as gx
        >>> d, t = gx.input("d", ("n",)), gx.input("t", ("n",))
        >>> float(gx.compile(gx.nn.hinge_embedding(d, t))([0.25, 0.25], [1.0, -1.0]))
        0.5
    """
    d, t = operands("hinge_embedding", distance, target)
    far = relu(number("the margin of hinge_embedding", margin, 0) - d)
    return reduced(where(equal(t, -1), 0, d) + where(equal(t, 1), 0, far), reduction, weights)
