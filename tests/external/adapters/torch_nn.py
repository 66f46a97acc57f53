"""PyTorch's functions of networks: activations as equations, windows, and the losses that graphc has."""

from __future__ import annotations

from typing import Any

from tests.external.adapters import norms, windows
from tests.external.adapters.torch_math import direct
from tests.external.judging import layers, ops

F = "nn.functional."


def along(name: str, home: Any = ops) -> Any:
    """A function along an axis; a number has one axis, of size 1, in PyTorch."""

    def applied(x: Any, dim: int, dtype: Any = None) -> Any:
        if x.ndim:
            return getattr(home, name)(x, axis=dim)
        return ops.reshape(getattr(home, name)(ops.reshape(x, (1,)), axis=0), ())

    return applied


def gelu(x: Any, approximate: str = "none") -> Any:
    return ops.gelu(x) if approximate == "none" else ops.gelu_tanh(x)


def softplus(x: Any, beta: float = 1, threshold: float = 20) -> Any:
    """Linear above the threshold."""
    return layers.softplus(x, float(beta), threshold)


def prelu(x: Any, weight: Any) -> Any:
    """Slopes stand along axis 1."""
    if x.ndim > 1 and weight.ndim == 1:
        weight = ops.reshape(weight, (weight.shape[0], *(1,) * (x.ndim - 2)))
    return ops.prelu(x, weight)


def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    y = x @ (ops.matrix_transpose(weight) if weight.ndim > 1 else weight)
    return y if bias is None else y + bias


def averaged(loss: Any, reduction: str) -> Any:
    """PyTorch's mean of a weighted loss divides by the number of elements, not by the sum of the weights."""
    return {"mean": ops.mean, "sum": ops.sum, "none": lambda x: x}[reduction](loss)


def loss(name: str) -> Any:
    """A loss of the same operands and options."""
    return lambda x, t, reduction="mean", **options: getattr(layers, name)(x, t, reduction, **options)


def over_classes(name: str) -> Any:
    """The classes are axis 1; where the target is probabilities, the mean divides by the number of examples."""

    def judged(
        x: Any, t: Any, weight: Any = None, ignore_index: Any = None, reduction: str = "mean", **options: Any
    ) -> Any:
        function, axis = getattr(layers, name), 1 if x.ndim > 1 else 0
        options |= {"class_weights": weight, "axis": axis}
        if t.type.is_float:
            return averaged(function(x, t, "none", **options), reduction)
        return function(x, t, reduction, ignore=ignore_index, **options)

    return judged


def kl_div(x: Any, t: Any, reduction: str = "mean", log_target: bool = False) -> Any:
    """Element by element; the mean is over all of them, unless it is over the batch."""
    if reduction != "batchmean":
        return layers.kl_div(x, t, reduction, None, log_target=log_target)
    return layers.kl_div(x, t, "sum", None, log_target=log_target) / x.shape[0]


def binary_cross_entropy(from_logits: bool) -> Any:
    """A weight is broadcast against the last axes."""

    def judged(x: Any, t: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> Any:
        loss = layers.binary_cross_entropy(x, t, "none", from_logits, pos_weight=pos_weight)
        return averaged(loss if weight is None else loss * weight, reduction)

    return judged


def poisson_nll(
    x: Any, t: Any, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean"
) -> Any:
    """The full form is Stirling's."""
    options = {"log_rate": log_input, "full": "stirling" if full else False, "eps": eps}
    return layers.poisson_nll(x, t, reduction, **options)


def gaussian_nll(x: Any, t: Any, var: Any, reduction: str = "mean", **options: Any) -> Any:
    """The target is stretched; the variance may leave out the last axis."""
    if var.ndim == x.ndim - 1 and var.shape == x.shape[:-1]:
        var = ops.expand_dims(var, -1)
    t = ops.broadcast_to(t, x.shape)
    return layers.gaussian_nll(x, t, var, reduction, **options)


ACTIVATIONS = {
    "relu": direct("relu"),
    "relu6": direct("relu6"),
    "leaky_relu": lambda x, slope=0.01: ops.leaky_relu(x, negative_slope=slope),
    "elu": lambda x, alpha=1.0: ops.elu(x, alpha=alpha),
    "celu": lambda x, alpha=1.0: ops.celu(x, alpha=alpha),
    "selu": direct("selu"),
    "gelu": gelu,
    "silu": direct("silu"),
    "mish": direct("mish"),
    "softplus": softplus,
    "logsigmoid": direct("log_sigmoid"),
    "hardtanh": lambda x, low=-1.0, high=1.0: ops.hard_tanh(x, low=low, high=high),
    "hardsigmoid": direct("hard_sigmoid"),
    "hardswish": direct("hard_swish"),
    "softmin": along("softmin", layers),
    "softmin/with_dtype": along("softmin", layers),
    "tanhshrink": direct("tanhshrink"),
    "prelu": prelu,
    "glu": lambda x, dim=-1: layers.glu(x, dim),
    "linear": linear,
}

LOSSES = {
    "mse_loss": loss("mse"),
    "l1_loss": loss("l1"),
    "smooth_l1_loss": loss("smooth_l1"),
    "huber_loss": loss("huber"),
    "cross_entropy": over_classes("cross_entropy"),
    "nll_loss": over_classes("nll"),
    "kl_div": kl_div,
    "binary_cross_entropy": binary_cross_entropy(from_logits=False),
    "binary_cross_entropy_with_logits": binary_cross_entropy(from_logits=True),
    "poisson_nll_loss": poisson_nll,
    "gaussian_nll_loss": gaussian_nll,
    "cosine_similarity": lambda x, y, dim=1, eps=1e-8: layers.cosine_similarity(x, y, dim, eps=eps),
    "hinge_embedding_loss": lambda x, t, margin=1.0, reduction="mean": layers.hinge_embedding(
        x, t, reduction, margin=margin
    ),
}

TABLE = {
    **{F + name: adapter for name, adapter in (ACTIVATIONS | LOSSES | norms.TORCH | windows.TORCH).items()},
    "softmax": along("softmax"),
    "softmax/with_dtype": along("softmax"),
    "log_softmax": along("log_softmax"),
    "log_softmax/with_dtype": along("log_softmax"),
}
