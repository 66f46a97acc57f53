"""Layers over axes of space (batch, channels, space), and the look-up of embeddings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.errors import DTypeError, ShapeError
from graphc.ir.node import Node, describe
from graphc.ir.origin import here, in_layer, scope
from graphc.ir.size import product
from graphc.nn.activations import activation_of, initialiser_for
from graphc.nn.layers import _layer_name
from graphc.ops import pool
from graphc.ops.conv import conv
from graphc.ops.index import take
from graphc.ops.init import Init
from graphc.ops.init import init as initialiser
from graphc.ops.leaves import param
from graphc.ops.shape import normal_axis, reshape, transpose
from graphc.ops.windows import per_axis

Activation = str | Callable[[Node], Node] | None


def conv1d(x: Node, channels: int, kernel: Any, activation: Activation = None, **options: Any) -> Node:
    """A convolution over one axis of space: h = φ(W * x + b); see ``conv2d``.

    Example:
        >>> import graphc as gx
        >>> gx.nn.conv1d(gx.input("x", ("n", 3, 8)), 5, 3, padding="same").shape
        (n, 5, 8)
    """
    return _conv(x, channels, kernel, activation, rank=1, **options)


def conv2d(x: Node, channels: int, kernel: Any, activation: Activation = None, **options: Any) -> Node:
    """A convolution over two axes of space: h = φ(W * x + b).

    Args:
        x: float[batch, in, height, width]; ``in`` is an int.
        channels: the number of channels of the result.
        kernel: its size: an int, or one for each axis of space.
        activation: φ, by name or as a function of a node; None for none.
        options: ``stride``, ``padding``, ``dilation`` and ``groups`` as for ``gx.conv``; ``bias``, ``init``,
            ``bias_init`` and ``name`` as for ``nn.dense``. W is float[...kernel, in / groups, channels], so that its
            last axes are those of a dense layer.

    Returns:
        float[batch, channels, ...space]

    Raises:
        ShapeError: another rank, channels that do not fit, or a kernel larger than what it slides over.
        ArgumentError: an unknown activation or padding.

    Example:
        >>> import graphc as gx
        >>> gx.nn.conv2d(gx.input("x", ("n", 3, 8, 8)), 5, 3, "relu", name="c1").shape
        (n, 5, 6, 6)
    """
    return _conv(x, channels, kernel, activation, rank=2, **options)


def _conv(
    x: Node,
    channels: int,
    kernel: Any,
    activation: Activation,
    rank: int,
    *,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    bias: bool = True,
    init: Any = None,
    bias_init: Any = "zeros",
    name: str | None = None,
) -> Node:
    function = activation_of(activation)
    shape = (*per_axis(kernel, rank, "the size of a kernel"), _channels(x, rank) // groups, channels)
    with scope(_layer_name(name), f"conv{rank}d"):
        W = param("W", shape, init=initialiser_for(activation) if init is None else init, dtype=x.dtype)
        w = transpose(W, (rank + 1, rank, *range(rank)))
        z = conv(x, w, stride, padding, dilation, groups)
        if bias:
            b = param("b", (channels,), init=bias_init, dtype=x.dtype)
            z = z + reshape(b, (channels, *(1,) * rank))
        z.named("z")
        return z if function is None else function(z).named("h")


def _channels(x: Node, rank: int) -> int:
    if not x.type.is_float:
        raise DTypeError("a layer is applied to floats", given=str(x.type), fix="convert with gx.astype")
    if x.ndim != rank + 2 or not isinstance(x.shape[1], int):
        raise ShapeError(
            f"a convolution over {rank} axes of space takes batch, channels and those axes{in_layer()}",
            given=f"{describe(x, 'x')}: {x.type}",
            expected=f"{rank + 2} axes, with an int for the number of channels",
            where=here(),
            fix=f"reshape, for example to (batch, channels{', size' * rank})",
        )
    return x.shape[1]


def max_pool(x: Node, window: Any, stride: Any = None, padding: Any = 0, *, name: str | None = None) -> Node:
    """``gx.max_pool`` as a layer of its own in pictures.

    Example:
        >>> import graphc as gx
        >>> gx.nn.max_pool(gx.input("x", ("n", 3, 8, 8)), 2).shape
        (n, 3, 4, 4)
    """
    with scope(_layer_name(name), "max_pool"):
        node: Node = pool.max_pool(x, window, stride, padding)
        return node.named("h")


def avg_pool(x: Node, window: Any, stride: Any = None, padding: Any = 0, *, name: str | None = None) -> Node:
    """``gx.avg_pool`` as a layer of its own in pictures.

    Example:
        >>> import graphc as gx
        >>> gx.nn.avg_pool(gx.input("x", ("n", 3, 8, 8)), 2).shape
        (n, 3, 4, 4)
    """
    with scope(_layer_name(name), "avg_pool"):
        return pool.avg_pool(x, window, stride, padding).named("h")


def global_avg_pool(x: Node, *, name: str | None = None) -> Node:
    """The average over all axes of space, as a layer: float[batch, channels].

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n", 1, 2, 2))
        >>> gx.compile(gx.nn.global_avg_pool(x))([[[[1.0, 2.0], [3.0, 6.0]]]])
        array([[3.]], dtype=float32)
    """
    with scope(_layer_name(name), "global_avg_pool"):
        return pool.global_avg_pool(x).named("h")


def flatten(x: Node) -> Node:
    """All axes but the first as one.

    Example:
        >>> import graphc as gx
        >>> gx.nn.flatten(gx.input("x", ("n", 3, 8, 8))).shape
        (n, 192)
    """
    normal_axis(0, x.ndim)
    return reshape(x, (x.shape[0], product(x.shape[1:])))


def embedding(
    ids: Node,
    count: int,
    features: int,
    *,
    init: Any = None,
    dtype: object = "float32",
    name: str | None = None,
) -> Node:
    """A trained row for each id: W[ids]; the gradient is added up over the places where an id stands.

    Args:
        ids: int[...], from 0 up to ``count``, without it.
        count: how many rows.
        features: how long a row is.
        init: how W starts; normal with a standard deviation of 1. One id is one unit that is on, so fan_in is 1.
        dtype: of W.
        name: the layer's name; its parameter is ``name.W``.

    Returns:
        float[..., features]

    Raises:
        DTypeError: ids that are no integers.

    Example:
        >>> import graphc as gx
        >>> gx.nn.embedding(gx.input("ids", ("n", 7), dtype="int64"), 100, 16).shape
        (n, 7, 16)
    """
    with scope(_layer_name(name), "embedding"):
        W = param("W", (count, features), init=_table_init(init), dtype=dtype)
        return take(W, ids, axis=0).named("h")


def _table_init(init: Any) -> Any:
    """A table of rows, of which one is read at a time: its fan_in is 1, unless one is given."""
    if init is None:
        return initialiser("normal", std=1.0)
    made = initialiser(init) if isinstance(init, str) else init
    return made.with_fan_in(1.0) if isinstance(made, Init) else init
