"""Scaled dot-product attention."""

from __future__ import annotations

import math
from typing import Any

from graphc.errors import DTypeError, ShapeError
from graphc.ir.node import Node
from graphc.ir.origin import here, in_layer, scope
from graphc.nn.layers import _layer_name
from graphc.nn.layers import dropout as dropped
from graphc.ops import reduce
from graphc.ops.arith import divide, multiply
from graphc.ops.card import as_nodes, constant
from graphc.ops.compare import greater_equal, logical_and, where
from graphc.ops.contract import matmul
from graphc.ops.create import arange
from graphc.ops.math import tanh
from graphc.ops.nn import softmax
from graphc.ops.shape import broadcast_to, expand_dims, matrix_transpose, reshape


def attention(
    q: Node,
    k: Node,
    v: Node,
    mask: Any = None,
    *,
    causal: bool = False,
    scale: float | None = None,
    softcap: float | None = None,
    dropout: float = 0.0,
    name: str | None = None,
) -> Node:
    """Scaled dot-product attention: softmax(s q kᵀ + mask) v, each query a weighted mean of the values.

    Args:
        q: float[..., queries, d]; d is an int unless ``scale`` is given.
        k: float[..., keys, d].
        v: float[..., keys, e]. With four axes, the heads (axis 1) of k and v may be fewer: each serves as many heads
            of q in a row as there are for one.
        mask: bool[..., queries, keys], True where a key is seen; or a float that is added to the scores.
        causal: whether a query sees the keys up to its own place alone.
        scale: s; 1/√d by default.
        softcap: c: scores become c tanh(scores / c) before the mask.
        dropout: the share of weights dropped in training.
        name: the layer's name.

    Returns:
        float[..., queries, e]. A query that sees no key gets 0.

    Raises:
        ShapeError: shapes that do not fit.
        DTypeError: q, k or v that are no floats, or a mask of integers.

    Example:
        >>> import graphc as gx
        >>> q, k, v = (gx.input(n, ("n", 2, 5, 8)) for n in "qkv")
        >>> gx.nn.attention(q, k, v, causal=True).shape
        (n, 2, 5, 8)

    Source: Vaswani et al. 2017, eq. 1; shared heads: Ainslie et al. 2023.
    """
    q, k, v = as_nodes((q, k, v))
    _check(q, k, v)
    with scope(_layer_name(name), "attention"):
        k, v = _for_heads(k, q), _for_heads(v, q)
        scores = multiply(matmul(q, matrix_transpose(k)), _scale(q) if scale is None else scale).named(
            "scores"
        )
        if softcap:
            scores = multiply(tanh(divide(scores, softcap)), softcap)
        shown, added = _mask(mask)
        scores = scores if added is None else scores + added
        weights = _weights(scores, shown, causal)
        return matmul(dropped(weights.named("weights"), dropout), v).named("h")


def _weights(scores: Node, mask: Node | None, causal: bool) -> Node:
    """The softmax over the keys that are seen; a query that sees none gets zeros, and sends no gradient."""
    seen = _seen(scores, mask, causal)
    if seen is None:
        return softmax(scores)
    never, nothing = constant(-math.inf, scores.dtype), constant(0.0, scores.dtype)
    if mask is None:  # a causal query sees the first key
        return softmax(where(seen, scores, never))
    some = reduce.any(seen, axis=-1, keepdims=True)
    weights: Node = where(seen, softmax(where(seen, scores, where(some, never, nothing))), nothing)
    return weights


def _seen(scores: Node, mask: Node | None, causal: bool) -> Node | None:
    """Which keys each query sees; None where it is all."""
    if not causal:
        return mask
    rows, columns = (arange(scores.shape[axis]) for axis in (-2, -1))
    before: Node = greater_equal(expand_dims(rows, 1), expand_dims(columns, 0))
    both: Node = before if mask is None else logical_and(mask, before)
    return both


def _mask(mask: Any) -> tuple[Node | None, Node | None]:
    """A mask of what is seen, or one that is added."""
    if mask is None:
        return None, None
    (node,) = as_nodes((mask,))
    if node.dtype != "bool" and not node.type.is_float:
        raise DTypeError("a mask is of bools, or a float that is added", given=str(node.type), where=here())
    return (None, node) if node.type.is_float else (node, None)


def _scale(q: Node) -> float:
    d = q.shape[-1]
    if not isinstance(d, int):
        raise ShapeError(
            "the last size of q is an int, since the scores are over its root",
            given=str(q.type),
            where=here(),
            fix="pass scale=",
        )
    return 1 / math.sqrt(d)


def _for_heads(x: Node, q: Node) -> Node:
    """Keys or values with as many heads as the queries have: each repeated for those it serves."""
    if q.ndim != 4 or x.shape[1] == q.shape[1]:
        return x
    ours, theirs = q.shape[1], x.shape[1]
    if not isinstance(ours, int) or not isinstance(theirs, int) or ours % theirs:
        raise ShapeError("the heads of q are a multiple of those of k and v", given=f"{ours} and {theirs}")
    n, _, keys, d = x.shape
    each = broadcast_to(expand_dims(x, 2), (n, theirs, ours // theirs, keys, d))
    return reshape(each, (n, ours, keys, d))


def _check(q: Node, k: Node, v: Node) -> None:
    for name, node in zip("qkv", (q, k, v), strict=True):
        if not node.type.is_float:
            raise DTypeError(f"{name} is a float", given=str(node.type), where=here())
        if node.ndim < 2:
            raise ShapeError(f"{name} has an axis of places and one of features", given=str(node.type))
    if q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        raise ShapeError(
            f"q and k share their features, k and v their places{in_layer()}",
            given=f"q {q.type}, k {k.type}, v {v.type}",
            where=here(),
            fix="bring q and k to one number of features with nn.dense",
        )
