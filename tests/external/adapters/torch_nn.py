"""PyTorch's functions of networks: activations as equations, windows, and the losses that graphc has."""

from __future__ import annotations

from typing import Any

from tests.external.adapters import windows
from tests.external.adapters.torch_math import direct
from tests.external.judging import later, layers, ops

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


def loss(function: Any) -> Any:
    """A loss that graphc has; with the options that it does not have it is not covered."""

    def judged(x: Any, target: Any, *rest: Any, reduction: str = "mean", **options: Any) -> Any:
        if rest or options:
            raise_named = ", ".join(sorted(options)) or "weight"
            return later(f"nn losses with {raise_named}")()
        return function(x, target, reduction)

    return judged


def cross_entropy(x: Any, target: Any, reduction: str) -> Any:
    """PyTorch's classes are axis 1; graphc's, with labels, the last."""
    last = (0, *range(2, x.ndim), 1) if x.ndim > 1 else (0,)
    if target.shape == x.shape:
        target = ops.transpose(target, last)
    return layers.cross_entropy(ops.transpose(x, last), target, reduction)


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
    "mse_loss": loss(lambda x, t, reduction: layers.mse(x, t, reduction)),
    "cross_entropy": loss(cross_entropy),
    "binary_cross_entropy_with_logits": loss(
        lambda x, t, reduction: layers.binary_cross_entropy(x, t, reduction)
    ),
    "l1_loss": later("nn.l1"),
    "smooth_l1_loss": later("nn.smooth_l1"),
    "huber_loss": later("nn.huber"),
    "nll_loss": later("nn.nll"),
    "kl_div": later("nn.kl_div"),
    "binary_cross_entropy": later("nn.binary_cross_entropy of probabilities"),
    "poisson_nll_loss": later("nn.poisson_nll"),
    "gaussian_nll_loss": later("nn.gaussian_nll"),
    "cosine_similarity": later("nn.cosine_similarity"),
    "hinge_embedding_loss": later("nn.hinge_embedding"),
}

NORMALISATIONS = {
    "batch_norm": later("nn.batch_norm"),
    "layer_norm": later("nn.layer_norm"),
    "instance_norm": later("nn.instance_norm"),
    "group_norm": later("nn.group_norm"),
    "normalize": later("nn.normalize"),
}

TABLE = {
    **{
        F + name: adapter for name, adapter in (ACTIVATIONS | LOSSES | NORMALISATIONS | windows.TORCH).items()
    },
    "softmax": along("softmax"),
    "softmax/with_dtype": along("softmax"),
    "log_softmax": along("log_softmax"),
    "log_softmax/with_dtype": along("log_softmax"),
}
