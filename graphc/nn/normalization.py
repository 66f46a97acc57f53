"""Normalisation: values brought to mean 0 and variance 1 along axes, then scaled and shifted by parameters.

x̂ = (x - mean) / √(var + ε), y = γ x̂ + β, with the biased variance (over n), and ε inside the root. The backward
pass is not written here: the chain rule goes through these equations, and rules bring it to its three terms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.ir.node import Node, hinted
from graphc.ir.origin import here, scope
from graphc.ir.types import Shape
from graphc.nn.layers import _layer_name
from graphc.nn.losses.reduction import number
from graphc.ops import reduce
from graphc.ops.arith import add, divide, maximum, multiply, power, square
from graphc.ops.effects import by_mode, update
from graphc.ops.leaves import param, state
from graphc.ops.math import sqrt
from graphc.ops.norms import vector_norm
from graphc.ops.samples import sample_count
from graphc.ops.shape import normal_axes, normal_axis, reshape

Affine = bool | Node
"""Whether there is a parameter; or a node to take in its place."""


def batch_norm(
    x: Node,
    *,
    axis: int = 1,
    momentum: float | None = 0.1,
    momentum_of: str = "new",
    unbiased: bool = True,
    eps: float = 1e-5,
    scale: Affine = True,
    shift: Affine = True,
    running: bool = True,
    name: str | None = None,
) -> Node:
    """Batch normalisation: each channel normalised by the mean and the variance of its batch; y = γ x̂ + β.

    In training x̂ = (x - mean) / √(var + ε), with mean and biased variance (over n) of all axes but the channels'. In
    use x̂ = (x - running_mean) / √(running_var + ε). A training step also changes the states:
    running ← (1 - momentum) running + momentum · new.

    Args:
        x: float[...]; the size of the channel axis is an int.
        axis: the axis of channels: 1 in float[batch, channels, ...space], -1 where they come last.
        momentum: the weight of the new value (PyTorch's convention); None for the plain average of all batches so far.
        momentum_of: ``new``, or ``old`` where ``momentum`` is the weight of the old value (Keras, ONNX).
        unbiased: whether the running variance is over n - 1 (PyTorch) or over n (Keras, ONNX); the variance that
            normalises is over n in all.
        eps: ε, added to the variance inside the root.
        scale: whether there is a γ (``name.gamma``, from 1), or a node of shape [channels] for it.
        shift: whether there is a β (``name.beta``, from 0), or a node of shape [channels] for it.
        running: whether there are running statistics; without, the batch's own serve in use as well.
        name: the layer's name.

    Returns:
        float of the shape of x.

    Raises:
        ShapeError: no such axis, or channels whose number is not an int.
        ArgumentError: a momentum outside [0, 1], or an unknown ``momentum_of``.
        DataError: at run time in training, fewer than 2 values per channel (a batch of one).

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n", 3))
        >>> train = gx.compile(gx.nn.batch_norm(x, scale=False, shift=False, name="norm"), mode="train")
        >>> y, states = train([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]], [0.0] * 3, [1.0] * 3)
        >>> states["norm.running_mean"]
        array([0.1, 0.1, 0.1], dtype=float32)

    Source: Ioffe and Szegedy 2015, algorithm 1.
    """
    _floats(x, "batch normalisation")
    weight = _weight_of_new(momentum, momentum_of)
    at = normal_axis(axis, x)
    channels = _channels(x, at)
    axes = tuple(a for a in range(x.ndim) if a != at)
    with scope(_layer_name(name), "batch_norm"):
        wide = _Wide(x, at)
        count = sample_count(x, axes)
        mean = (wide.sum(x) / count).named("mean")
        centred = hinted(x - mean, "centred")
        squares = wide.sum(square(centred))
        var = (squares / count).named("var")
        normal = _over_root(centred, var, eps)
        if running:
            spread = squares / (count - 1) if unbiased else var
            normal = _running(x, normal, (mean, spread), weight, channels, wide, eps)
        return _affine(normal.named("x_hat"), scale, shift, (channels,), wide.shape).named("h")


def _running(
    x: Node,
    normal: Node,
    statistics: tuple[Node, Node],
    weight: float | None,
    channels: int,
    wide: _Wide,
    eps: float,
) -> Node:
    """The running statistics in use; in training, those of the batch, which change them."""
    mean, var = (
        state(n, (channels,), init, x.dtype)
        for n, init in (("running_mean", "zeros"), ("running_var", "ones"))
    )
    transitions: dict[Node, Any] = {}
    share: Any = weight
    if weight is None:
        batches = state("batches", (), "zeros", x.dtype)
        transitions[batches] = batches + 1
        share = 1 / (batches + 1)
    for old, new in zip((mean, var), statistics, strict=True):
        moved = (1 - share) * old + share * wide.narrow(new)
        transitions[old] = hinted(moved, f"{old.name}_next")
    used = _over_root(x - wide(mean), wide(var), eps)
    return by_mode(train=update(normal, transitions), eval=used)


class _Wide:
    """Values per channel in a shape that meets x: [channels] where they come last, else [1, channels, 1, ...]."""

    def __init__(self, x: Node, axis: int) -> None:
        self.axes = tuple(a for a in range(x.ndim) if a != axis)
        self.keepdims = axis != x.ndim - 1
        size = x.shape[axis]
        self.shape: Shape = (
            tuple(size if a == axis else 1 for a in range(x.ndim)) if self.keepdims else (size,)
        )

    def __call__(self, value: Node) -> Node:
        return reshape(value, self.shape) if value.shape != self.shape else value

    def narrow(self, value: Node) -> Node:
        """The same as [channels]."""
        return reshape(value, -1) if self.keepdims else value

    def sum(self, x: Node) -> Node:
        """The sum of each channel."""
        return reduce.sum(x, self.axes, keepdims=self.keepdims)


def layer_norm(
    x: Node,
    *,
    axis: int | Sequence[int] = -1,
    eps: float = 1e-5,
    scale: Affine = True,
    shift: Affine = True,
    name: str | None = None,
) -> Node:
    """Layer normalisation: each example normalised over its own features; y = γ x̂ + β, x̂ = (x - mean) / √(var + ε).

    Args:
        x: float[...]; the sizes along ``axis`` are ints where there is a γ or β.
        axis: the axis of features, or several; γ and β have their sizes.
        eps: ε, added to the biased variance inside the root.
        scale: whether there is a γ (``name.gamma``, from 1), or a node for it.
        shift: whether there is a β (``name.beta``, from 0), or a node for it.
        name: the layer's name.

    Raises:
        ShapeError: no such axis, or a size that is not an int.

    Example:
        >>> import graphc as gx
        >>> y = gx.nn.layer_norm(gx.input("x", ("n", 2)), name="norm")
        >>> gx.compile(y)([[0.0, 2.0]], [1.0, 1.0], [0.0, 0.0]).round(3)
        array([[-1.,  1.]], dtype=float32)

    Source: Ba, Kiros and Hinton 2016, eq. 4.
    """
    _floats(x, "layer normalisation")
    axes = normal_axes(axis, x.ndim)
    sizes, wide = _feature_sizes(x, axes)
    with scope(_layer_name(name), "layer_norm"):
        return _affine(_standardised(x, axes, eps), scale, shift, sizes, wide).named("h")


def rms_norm(
    x: Node,
    *,
    axis: int | Sequence[int] = -1,
    eps: float = 1e-6,
    scale: Affine = True,
    name: str | None = None,
) -> Node:
    """Root-mean-square normalisation: y = γ x / √(mean(x²) + ε); nothing is subtracted.

    Args:
        x: float[...]; the sizes along ``axis`` are ints where there is a γ.
        axis: the axis of features, or several; γ has their sizes.
        eps: ε, added to the mean square inside the root.
        scale: whether there is a γ (``name.gamma``, from 1), or a node for it.
        name: the layer's name.

    Raises:
        ShapeError: no such axis, or a size that is not an int.

    Example:
        >>> import graphc as gx
        >>> y = gx.nn.rms_norm(gx.input("x", ("n", 2)), scale=False)
        >>> gx.compile(y)([[3.0, 3.0]]).round(3)
        array([[1., 1.]], dtype=float32)

    Source: Zhang and Sennrich 2019, eq. 4.
    """
    _floats(x, "RMS normalisation")
    axes = normal_axes(axis, x.ndim)
    sizes, wide = _feature_sizes(x, axes)
    with scope(_layer_name(name), "rms_norm"):
        normal = _over_root(x, reduce.mean(square(x), axes, keepdims=True), eps).named("x_hat")
        return _affine(normal, scale, False, sizes, wide).named("h")


def group_norm(
    x: Node,
    groups: int,
    *,
    eps: float = 1e-5,
    scale: Affine = True,
    shift: Affine = True,
    name: str | None = None,
) -> Node:
    """Group normalisation: each example normalised over the channels of a group and all of space; y = γ x̂ + β.

    Args:
        x: float[batch, channels, ...space]; the number of channels is an int.
        groups: how many groups the channels are cut into, in order.
        eps: ε, added to the biased variance inside the root.
        scale: whether there is a γ (``name.gamma``, of shape [channels], from 1), or a node for it.
        shift: whether there is a β (``name.beta``, of shape [channels], from 0), or a node for it.
        name: the layer's name.

    Raises:
        ShapeError: no channels, or a number of channels that the groups do not divide.

    Example:
        >>> import graphc as gx
        >>> gx.nn.group_norm(gx.input("x", ("n", 6, 4, 4)), 3, name="norm").shape
        (n, 6, 4, 4)

    Source: Wu and He 2018, eq. 1 and 7.
    """
    _floats(x, "group normalisation")
    channels = _channels(x, 1)
    if isinstance(groups, bool) or not isinstance(groups, int) or groups < 1 or channels % groups:
        raise ShapeError(f"{channels} channels cannot be cut into {groups!r} groups", where=here())
    split = (x.shape[0], groups, channels // groups, *x.shape[2:])
    with scope(_layer_name(name), "group_norm"):
        normal = reshape(_standardised(reshape(x, split), tuple(range(2, len(split))), eps), x.shape)
        return _affine(normal, scale, shift, (channels,), _Wide(x, 1).shape).named("h")


def instance_norm(
    x: Node,
    *,
    eps: float = 1e-5,
    scale: Affine = True,
    shift: Affine = True,
    name: str | None = None,
) -> Node:
    """Instance normalisation: each channel of each example normalised over its space; y = γ x̂ + β.

    Args:
        x: float[batch, channels, ...space]; the number of channels is an int.
        eps: ε, added to the biased variance inside the root.
        scale: whether there is a γ (``name.gamma``, of shape [channels], from 1), or a node for it.
        shift: whether there is a β (``name.beta``, of shape [channels], from 0), or a node for it.
        name: the layer's name.

    Raises:
        ShapeError: no axis of space, or channels whose number is not an int.

    Example:
        >>> import graphc as gx
        >>> gx.nn.instance_norm(gx.input("x", ("n", 3, 8, 8)), name="norm").shape
        (n, 3, 8, 8)

    Source: Ulyanov, Vedaldi and Lempitsky 2016.
    """
    _floats(x, "instance normalisation")
    channels = _channels(x, 1)
    if x.ndim < 3:
        raise ShapeError("instance normalisation needs an axis of space", given=str(x.type), where=here())
    with scope(_layer_name(name), "instance_norm"):
        normal = _standardised(x, tuple(range(2, x.ndim)), eps)
        return _affine(normal, scale, shift, (channels,), _Wide(x, 1).shape).named("h")


def standardize(
    x: Node, axis: int | Sequence[int], *, mean: Any = None, var: Any = None, eps: float = 1e-5
) -> Node:
    """x̂ = (x - mean) / √(var + ε): values of mean 0 and variance 1 along axes.

    Args:
        x: float[...].
        axis: one axis, or several.
        mean: what is subtracted, in a shape that meets x; by default the mean along the axes.
        var: what is divided by, before ε and the root; by default the variance along the axes, over n.
        eps: ε.

    Raises:
        ShapeError: no such axis, or a mean or variance that does not meet x.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.nn.standardize(gx.input("x", (2,)), 0, eps=0.0))([1.0, 3.0])
        array([-1.,  1.], dtype=float32)
    """
    _floats(x, "standardisation")
    axes = normal_axes(axis, x.ndim)
    return _standardised(x, axes, eps, mean, var)


def weight_norm(v: Node, g: Node | None = None, *, axis: int | Sequence[int] = 0) -> Node:
    """A weight whose direction and length are trained apart: W = g v / ‖v‖.

    Args:
        v: float[...]: the direction, usually a parameter.
        g: the length, of the shape of ``v`` without ``axis`` (or with size 1 there); by default a parameter ``g``
            from 1.
        axis: the axis (or axes) of a vector of weights: 0 in W[in, out], so that each output has a length.

    Raises:
        ShapeError: no such axis, or a ``g`` that does not fit.

    Example:
        >>> import graphc as gx
        >>> x, v = gx.input("x", ("n", 2)), gx.param("v", (2, 1), init=[[3.0], [4.0]])
        >>> y = x @ gx.nn.weight_norm(v)
        >>> gx.compile(y)([[1.0, 0.0]], [[3.0], [4.0]], [2.0])
        array([[1.2]], dtype=float32)

    Source: Salimans and Kingma 2016, eq. 2.
    """
    _floats(v, "weight normalisation")
    axes = normal_axes(axis, v.ndim)
    narrow = tuple(d for a, d in enumerate(v.shape) if a not in axes)
    wide = tuple(1 if a in axes else d for a, d in enumerate(v.shape))
    length = param("g", narrow, init="ones", dtype=v.dtype) if g is None else g
    if length.shape not in (narrow, wide):
        raise ShapeError("g has one length per vector of v", given=str(length.type), expected=str(narrow))
    direction: Node = multiply(v, divide(reshape(length, wide), vector_norm(v, axes, keepdims=True)))
    return direction.named("W")


def l2_normalize(x: Node, axis: Any = -1, eps: float = 1e-12) -> Node:
    """Vectors of length 1: x / max(‖x‖, ε); see ``normalize``."""
    return normalize(x, axis, 2, eps)


def normalize(x: Node, axis: Any = -1, ord: float = 2, eps: float = 1e-12) -> Node:
    """Vectors of norm 1 along an axis: x / max(‖x‖, ε); a vector of zeros stays, with gradient 1 / ε.

    Args:
        x: float[...].
        axis: the axis of the vectors, or several.
        ord: which norm; see ``gx.vector_norm``.
        eps: the smallest norm that is divided by.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.nn.normalize(gx.input("x", (2,))))([3.0, 4.0])
        array([0.6, 0.8], dtype=float32)
    """
    node: Node = divide(x, maximum(vector_norm(x, axis, keepdims=True, ord=ord), eps))
    return node


def local_response_norm(x: Node, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Node:
    """Local response normalisation: y = x / (k + α/size · Σ x²)^β, over ``size`` neighbouring channels.

    Args:
        x: float[batch, channels, ...].
        size: how many channels count: (size - 1) // 2 before the channel itself and size // 2 behind it (as ONNX;
            PyTorch exchanges the two, which shows where the size is even); beyond the ends are zeros.
        alpha: the weight of the mean square.
        beta: the exponent.
        k: what is added.

    Raises:
        ShapeError: no axis of channels.

    Example:
        >>> import graphc as gx
        >>> gx.nn.local_response_norm(gx.input("x", ("n", 8, 4, 4)), 5).shape
        (n, 8, 4, 4)

    Source: Krizhevsky, Sutskever and Hinton 2012, section 3.3, with α / size in place of α, as PyTorch and ONNX do.
    """
    from graphc.ops.arrange import pad
    from graphc.ops.windows import sliding_windows

    _floats(x, "local response normalisation")
    _channels(x, 1)
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ArgumentError("the number of neighbouring channels is an int of at least 1", given=repr(size))
    around = [(0, 0)] * x.ndim
    around[1] = ((size - 1) // 2, size // 2)
    windows = sliding_windows(pad(square(x), tuple(around)), size, 1)
    node: Node = divide(x, power(k + alpha * reduce.mean(windows, axis=-1), beta))
    return node


# -- what they share ----------------------------------------------------------------------------------------------


def _standardised(x: Node, axes: tuple[int, ...], eps: float, mean: Any = None, var: Any = None) -> Node:
    """x̂ = (x - mean) / √(var + ε), with the biased variance."""
    if mean is None:
        mean = reduce.mean(x, axes, keepdims=True).named("mean")
    centred = hinted(x - mean, "centred")
    if var is None:
        var = reduce.mean(square(centred), axes, keepdims=True).named("var")
    return _over_root(centred, var, eps).named("x_hat")


def _over_root(x: Node, var: Node, eps: float) -> Node:
    """x / √(var + ε).

    Raises:
        ArgumentError: an ε that is no number of at least 0.
    """
    eps = number("the eps of a normalisation", eps, 0)
    node: Node = divide(x, sqrt(hinted(var + eps, "above_zero")).named("sigma"))
    return node


def _affine(normal: Node, scale: Affine, shift: Affine, sizes: Shape, wide: Shape) -> Node:
    """γ x̂ + β, as far as there are a γ and a β; both take the shape that meets x̂."""
    gamma, beta = (
        _parameter(name, kind, init, normal.dtype, sizes, wide)
        for name, kind, init in (("gamma", scale, "ones"), ("beta", shift, "zeros"))
    )
    scaled: Node = normal if gamma is None else hinted(multiply(gamma, normal), "scaled")
    shifted: Node = scaled if beta is None else add(scaled, beta)
    return shifted


def _parameter(name: str, kind: Affine, init: str, dtype: str, sizes: Shape, wide: Shape) -> Node | None:
    if isinstance(kind, bool):
        if not kind:
            return None
        kind = param(name, sizes, init=init, dtype=dtype)
    if not isinstance(kind, Node):
        raise ArgumentError(
            f"{name} is True, False or a node", given=f"{kind!r:.60}", fix="gx.const(...)", where=here()
        )
    if kind.shape != sizes:
        raise ShapeError(f"{name} has another shape", given=str(kind.type), expected=str(sizes), where=here())
    return hinted(reshape(kind, wide), f"{name}_wide") if kind.shape != wide else kind


def _feature_sizes(x: Node, axes: tuple[int, ...]) -> tuple[Shape, Shape]:
    """The sizes along these axes, and with 1 for each axis between and behind them."""
    sizes = tuple(x.shape[a] for a in axes)
    wide = tuple(x.shape[a] if a in axes else 1 for a in range(min(axes, default=0), x.ndim))
    return sizes, wide


def _channels(x: Node, axis: int) -> int:
    size = x.shape[axis] if x.ndim > axis else None
    if not isinstance(size, int):
        raise ShapeError("the number of channels is an int", given=str(x.type), where=here())
    return size


def _weight_of_new(momentum: float | None, momentum_of: str) -> float | None:
    if momentum_of not in ("new", "old"):
        raise ArgumentError("momentum is that of new or old", given=repr(momentum_of), expected="new, old")
    if momentum is None:
        return None
    if isinstance(momentum, bool) or not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
        raise ArgumentError("a momentum is between 0 and 1", given=repr(momentum), where=here())
    return momentum if momentum_of == "new" else 1 - momentum


def _floats(x: Any, what: str) -> None:
    if not isinstance(x, Node):
        raise ArgumentError(
            f"{what} is applied to a node", given=type(x).__name__, fix="gx.const or gx.input"
        )
    if not x.type.is_float:
        raise DTypeError(
            f"{what} is applied to floats", given=str(x.type), where=here(), fix="convert with gx.astype"
        )
