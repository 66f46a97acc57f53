"""Pooling: the largest or the average value of each window. Axes are batch, channels, then space."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.node import Node
from graphc.ir.size import Dim, product
from graphc.ops import reduce
from graphc.ops.arith import divide
from graphc.ops.arrange import pad
from graphc.ops.card import as_nodes
from graphc.ops.conv import pads
from graphc.ops.create import arange
from graphc.ops.gather import take_along_axis
from graphc.ops.leaves import ones
from graphc.ops.shape import broadcast_to, reshape, squeeze
from graphc.ops.windows import Ints, per_axis, sliding_windows, spans


class _Pool:
    """Where the windows of one pooling stand."""

    def __init__(
        self, x: Any, window: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
    ) -> None:
        (self.x,) = as_nodes((x,))
        rank = self.x.ndim - 2
        if rank < 1:
            raise ShapeError("pooling needs batch, channels and space", given=str(self.x.type))
        self.window = per_axis(window, rank, "the size of a window")
        self.stride = per_axis(window if stride is None else stride, rank, "a stride")
        self.dilation = per_axis(dilation, rank, "a dilation")
        reach, sizes = spans(self.window, self.dilation), self.x.shape[2:]
        self.pads = pads(padding, sizes, reach, self.stride)
        axes = zip(sizes, self.pads, reach, self.stride, strict=True)
        self.beyond = tuple((0, _beyond(*axis) if ceil_mode else 0) for axis in axes)

    def windows(self, x: Node, fill: float, beyond: float) -> Node:
        """The windows of a value of this shape, padded with these numbers."""
        x = pad(x, ((0, 0), (0, 0), *self.pads), constant_values=fill)
        x = pad(x, ((0, 0), (0, 0), *self.beyond), constant_values=beyond)
        return sliding_windows(x, self.window, tuple(range(2, x.ndim)), self.stride, self.dilation)

    def places(self, windows: Node) -> Node:
        """Where the largest of each window stands in its plane of space, counted row by row."""
        space = self.x.shape[2:]
        numbers = self.windows(reshape(arange(product(space)), (1, 1, *space)), -1, -1)
        flat, at = reduce.merged(windows, _last(windows))
        largest = reduce.argmax(flat, axis=at, keepdims=True)
        every = broadcast_to(reduce.merged(numbers, _last(numbers))[0], flat.shape)
        return squeeze(take_along_axis(every, largest, at), at)

    def counts(self, include_pad: bool) -> Node:
        """How many elements of each window count in its average."""
        there = ones((1, 1, *self.x.shape[2:]), self.x.dtype)
        windows = self.windows(there, float(include_pad), 0)
        return reduce.sum(windows, axis=_last(windows))


def _beyond(size: Dim, widths: tuple[int, int], span: int, step: int) -> int:
    """How far a last window reaches beyond the end; it begins before the end all the same."""
    if not isinstance(size, int):
        raise ShapeError(f"how far windows reach beyond a size of {size} is only known at run time")
    length = size + sum(widths)
    count = -(-(length - span) // step) + 1
    if (count - 1) * step >= size + widths[0]:
        count -= 1
    return max((count - 1) * step + span - length, 0)


def max_pool(
    x: Any,
    window: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value in each window over the axes of space; of equal ones, the first takes the gradient.

    Args:
        x: float[batch, channels, ...space]
        window: its size: an int, or one for each axis of space.
        stride: from window to window; the size of a window by default, so that they do not overlap.
        padding: as for ``conv``; what is padded is never the largest.
        dilation: from element to element of a window.
        ceil_mode: whether a last window may reach beyond the end.
        return_indices: whether the places of the largest are returned as well, as int64: in each plane of space,
            counted row by row.

    Returns:
        float[batch, channels, ...windows], or a pair of that and the places.

    Raises:
        ShapeError: a window larger than what it slides over.

    Example:
        >>> import graphc as gx
        >>> gx.max_pool(gx.input("x", ("n", 3, 8, 8)), 2).shape
        (n, 3, 4, 4)
    """
    pool = _Pool(x, window, stride, padding, dilation, ceil_mode)
    windows = pool.windows(pool.x, -np.inf, -np.inf)
    values = reduce.max(windows, axis=_last(windows))
    return (values, pool.places(windows)) if return_indices else values


def avg_pool(
    x: Any,
    window: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    dilation: Any = 1,
    divisor_override: float | None = None,
) -> Node:
    """The average of each window over the axes of space.

    Args:
        x: float[batch, channels, ...space]
        window: its size: an int, or one for each axis of space.
        stride: from window to window; the size of a window by default, so that they do not overlap.
        padding: as for ``conv``.
        ceil_mode: whether a last window may reach beyond the end; what lies there never counts.
        count_include_pad: whether what is padded counts in the average.
        dilation: from element to element of a window.
        divisor_override: what the sum of each window is divided by, instead of how many elements count.

    Raises:
        ArgumentError: a divisor of 0.
        ShapeError: a window larger than what it slides over.

    Example:
        >>> import graphc as gx
        >>> gx.avg_pool(gx.input("x", ("n", 3, 8, 8)), 2).shape
        (n, 3, 4, 4)
    """
    pool = _Pool(x, window, stride, padding, dilation, ceil_mode)
    windows = pool.windows(pool.x, 0, 0)
    if divisor_override is not None:
        return _divided(reduce.sum(windows, axis=_last(windows)), divisor_override)
    padded = any(map(any, pool.pads))
    if any(map(any, pool.beyond)) or (padded and not count_include_pad):
        node: Node = divide(reduce.sum(windows, axis=_last(windows)), pool.counts(count_include_pad))
        return node
    return reduce.mean(windows, axis=_last(windows))


def _divided(total: Node, divisor: Any) -> Node:
    if isinstance(divisor, bool) or not isinstance(divisor, (int, float)) or divisor == 0:
        raise ArgumentError("a divisor is a number other than 0", given=repr(divisor)[:60])
    node: Node = divide(total, divisor)
    return node


def _last(windows: Node) -> Ints:
    """The axes of the places in a window: as many as there are of space."""
    rank = (windows.ndim - 2) // 2
    return tuple(range(windows.ndim - rank, windows.ndim))


def global_avg_pool(x: Any) -> Node:
    """The average over all axes of space: float[batch, channels].

    Example:
        >>> import graphc as gx
        >>> gx.global_avg_pool(gx.input("x", ("n", 3, 8, 8))).shape
        (n, 3)
    """
    (x,) = as_nodes((x,))
    return reduce.mean(x, axis=tuple(range(2, x.ndim)))


def global_max_pool(x: Any) -> Node:
    """The largest value over all axes of space: float[batch, channels].

    Example:
        >>> import graphc as gx
        >>> gx.global_max_pool(gx.input("x", ("n", 3, 8, 8))).shape
        (n, 3)
    """
    (x,) = as_nodes((x,))
    return reduce.max(x, axis=tuple(range(2, x.ndim)))
