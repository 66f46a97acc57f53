"""Normalisations and attention of PyTorch and ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.external.judging import later, layers, ops


def _or_false(node: Any) -> Any:
    return False if node is None else node


def _wide(value: Any, x: Any) -> Any:
    """A value per channel in a shape that meets x."""
    return ops.reshape(value, (value.shape[0], *(1,) * (x.ndim - 2)))


def _used(x: Any, mean: Any, var: Any, weight: Any, bias: Any, eps: float) -> Any:
    """Normalised by statistics that are given."""
    y = layers.standardize(x, 0, mean=_wide(mean, x), var=_wide(var, x), eps=eps)
    y = y if weight is None else _wide(weight, x) * y
    return y if bias is None else y + _wide(bias, x)


def batch_norm(
    x: Any,
    mean: Any,
    var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    if x.ndim < 2:
        later("nn.batch_norm without an axis of channels")()
    if not training:
        return _used(x, mean, var, weight, bias, eps)
    return layers.batch_norm(x, running=False, scale=_or_false(weight), shift=_or_false(bias), eps=eps)


def instance_norm(
    x: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    if not use_input_stats:
        return _used(x, running_mean, running_var, weight, bias, eps)
    return layers.instance_norm(x, scale=_or_false(weight), shift=_or_false(bias), eps=eps)


def layer_norm(x: Any, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    axis = tuple(range(x.ndim - len(shape), x.ndim))
    return layers.layer_norm(x, axis=axis, scale=_or_false(weight), shift=_or_false(bias), eps=eps)


def group_norm(x: Any, groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    return layers.group_norm(x, groups, scale=_or_false(weight), shift=_or_false(bias), eps=eps)


F = "nn.functional."

TORCH = {
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "instance_norm": instance_norm,
    "group_norm": group_norm,
    "normalize": lambda x, p=2.0, dim=1, eps=1e-12: layers.normalize(x, axis=dim, ord=p, eps=eps),
}

# -- ONNX ---------------------------------------------------------------------------------------------------------


def _from(x: Any, a: Any) -> tuple[int, ...]:
    """The axes from the one named to the last."""
    return tuple(range(a.get("axis", -1) % x[0].ndim, x[0].ndim))


def onnx_layer_norm(x: Any, a: Any) -> Any:
    axis, eps = _from(x, a), a.get("epsilon", 1e-5)
    y = layers.layer_norm(x[0], axis=axis, scale=x[1], shift=x[2] if x.has(2) else False, eps=eps)
    mean = ops.mean(x[0], axis=axis, keepdims=True)
    inverse = ops.rsqrt(ops.var(x[0], axis=axis, keepdims=True) + eps)
    return (y, mean, inverse)[: a["outputs"]]


def onnx_group_norm(x: Any, a: Any) -> Any:
    return group_norm(x[0], a["num_groups"], x[1], x[2], a.get("epsilon", 1e-5))


def lrn(x: Any, a: Any) -> Any:
    return layers.local_response_norm(
        x[0], a["size"], a.get("alpha", 1e-4), a.get("beta", 0.75), a.get("bias", 1.0)
    )


def _heads(x: Any, count: int) -> Any:
    """[batch, places, heads * d] as [batch, heads, places, d]."""
    n, places, width = x.shape
    return ops.transpose(ops.reshape(x, (n, places, count, width // count)), (0, 2, 1, 3))


def _attention_mask(x: Any, a: Any, shape: Any) -> Any:
    """A mask of what is seen: causal, counted from behind the past, and within a window."""
    queries, keys = shape
    past = x.array(4).shape[2] if x.has(4) else 0
    seen = None
    distance = np.arange(queries)[:, None] + past - np.arange(keys)[None, :]
    if a.get("is_causal"):
        seen = distance >= 0
    for side, sign in (("left_window_size", 1), ("right_window_size", -1)):
        if a.get(side, -1) >= 0:
            near = sign * distance <= a[side]
            seen = near if seen is None else seen & near
    return seen


def attention(x: Any, a: Any) -> Any:
    if x.has(6) or "softmax_precision" in a or a["outputs"] > 3:
        later("nn.attention with lengths of keys, its scores, or another precision")()
    q, k, v = (x[i] for i in range(3))
    flat = q.ndim == 3
    if flat:
        q, k, v = _heads(q, a["q_num_heads"]), _heads(k, a["kv_num_heads"]), _heads(v, a["kv_num_heads"])
    if x.has(4):
        k, v = ops.concat([x[4], k], axis=2), ops.concat([x[5], v], axis=2)
    seen = _attention_mask(x, a, (q.shape[2], k.shape[2]))
    mask, added = (None if seen is None else ops.const(seen)), None
    if x.has(3):
        given = x[3]
        if str(given.dtype) != "bool":
            added = given
        else:
            mask = given if mask is None else ops.logical_and(given, mask)
    if added is not None:
        mask = added if mask is None else ops.where(mask, added, -np.inf)
    y = layers.attention(q, k, v, mask, scale=a.get("scale"), softcap=a.get("softcap") or None)
    if flat:
        n, heads, places, d = y.shape
        y = ops.reshape(ops.transpose(y, (0, 2, 1, 3)), (n, places, heads * d))
    return (y, k, v)[: a["outputs"]]


ONNX = {
    "BatchNormalization": lambda x, a: _used(x[0], x[3], x[4], x[1], x[2], a.get("epsilon", 1e-5)),
    "GroupNormalization": onnx_group_norm,
    "InstanceNormalization": lambda x, a: instance_norm(
        x[0], weight=x[1], bias=x[2], eps=a.get("epsilon", 1e-5)
    ),
    "LayerNormalization": onnx_layer_norm,
    "LpNormalization": lambda x, a: layers.normalize(x[0], a.get("axis", -1), a.get("p", 2)),
    "LRN": lrn,
    "RMSNormalization": lambda x, a: layers.rms_norm(
        x[0], axis=_from(x, a), scale=x[1], eps=a.get("epsilon", 1e-5)
    ),
    "Attention": attention,
}
