"""Convolution over windows. Axes are batch, channels, then space; no card is needed but the windows."""

from __future__ import annotations

import string
from typing import Any

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.node import Node
from graphc.ir.size import Dim
from graphc.ir.types import Shape
from graphc.ops.arrange import pad
from graphc.ops.card import as_nodes, promoted
from graphc.ops.einsum import einsum
from graphc.ops.shape import reshape
from graphc.ops.slices import slice_op
from graphc.ops.windows import Ints, fold_op, per_axis, sliding_windows, spans

Pairs = tuple[tuple[int, int], ...]


def conv(x: Any, w: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> Node:
    """A convolution (without turning the kernel round) over any number of axes of space.

    Args:
        x: float[batch, channels, ...space]
        w: float[out, channels / groups, ...kernel]
        stride: an int, or one for each axis of space.
        padding: zeros on both sides: an int, one for each axis, a pair for each axis, ``valid`` or ``same``.
        dilation: an int, or one for each axis of space.
        groups: into how many parts the channels fall, each convolved by itself.

    Returns:
        float[batch, out, ...space]

    Raises:
        ShapeError: ranks or channels that do not fit, or a kernel larger than what it slides over.

    Example:
        >>> import graphc as gx
        >>> x, w = gx.input("x", ("n", 3, 8, 8)), gx.param("w", (5, 3, 3, 3))
        >>> gx.conv(x, w, stride=2, padding=1).shape
        (n, 5, 4, 4)
    """
    x, w = promoted((x, w), floats=True)
    rank = _rank(x, w)
    _check_channels(x, w.shape[1], w.shape[0], groups)
    kernel, steps = _kernel(w), per_axis(stride, rank, "a stride")
    dilations = per_axis(dilation, rank, "a dilation")
    widths = pads(padding, x.shape[2:], spans(kernel, dilations), steps)
    x = pad(x, ((0, 0), (0, 0), *widths))
    columns = sliding_windows(x, kernel, tuple(range(2, x.ndim)), steps, dilations)
    space, offsets = _letters(rank)
    if groups == 1:
        return einsum(f"NC{space}{offsets},OC{offsets}->NO{space}", columns, w)
    y = einsum(
        f"NGC{space}{offsets},GOC{offsets}->NGO{space}", _split(columns, 1, groups), _split(w, 0, groups)
    )
    return _merged(y)


def conv1d(x: Any, w: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> Node:
    """``conv`` over one axis of space.

    Example:
        >>> import graphc as gx
        >>> gx.conv1d(gx.input("x", ("n", 3, 8)), gx.param("w", (5, 3, 3)), padding="same").shape
        (n, 5, 8)
    """
    return conv(_of_rank(x, 3), w, stride, padding, dilation, groups)


def conv2d(x: Any, w: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> Node:
    """``conv`` over two axes of space.

    Example:
        >>> import graphc as gx
        >>> gx.conv2d(gx.input("x", ("n", 3, 8, 8)), gx.param("w", (5, 3, 3, 3))).shape
        (n, 5, 6, 6)
    """
    return conv(_of_rank(x, 4), w, stride, padding, dilation, groups)


def conv_transpose(
    x: Any,
    w: Any,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Node:
    """The transpose of ``conv`` with the same kernel: what pulls its cotangents back.

    Args:
        x: float[batch, channels, ...space]
        w: float[channels, out / groups, ...kernel]
        stride: an int, or one for each axis of space.
        padding: how much is cut off on both sides: an int, one for each axis, or a pair for each axis.
        output_padding: how much longer the result is at the end; less than the stride.
        dilation: an int, or one for each axis of space.
        groups: into how many parts the channels fall.

    Returns:
        float[batch, out, ...space]

    Raises:
        ShapeError: ranks or channels that do not fit.
        ArgumentError: an output padding that is not less than the stride.

    Example:
        >>> import graphc as gx
        >>> x, w = gx.input("x", ("n", 5, 4, 4)), gx.param("w", (5, 3, 3, 3))
        >>> gx.conv_transpose(x, w, stride=2, padding=1, output_padding=1).shape
        (n, 3, 8, 8)
    """
    x, w = promoted((x, w), floats=True)
    rank = _rank(x, w)
    _check_channels(x, w.shape[0], w.shape[0], groups, whole=True)
    kernel, steps = _kernel(w), per_axis(stride, rank, "a stride")
    dilations, more = per_axis(dilation, rank, "a dilation"), per_axis(output_padding, rank, "it", 0)
    if any(m >= s for m, s in zip(more, steps, strict=True)):
        raise ArgumentError("the output padding is less than the stride", given=f"{more}, {steps}")
    space, offsets = _letters(rank)
    y = einsum(f"NGC{space},GCO{offsets}->NGO{space}{offsets}", _split(x, 1, groups), _split(w, 0, groups))
    columns = _merged(y)
    sizes = _spread(x.shape[2:], spans(kernel, dilations), steps, more)
    full: Node = fold_op(
        columns,
        shape=(x.shape[0], columns.shape[1], *sizes),
        axis=tuple(range(2, x.ndim)),
        window=kernel,
        stride=steps,
        dilation=dilations,
    )
    return _cropped(full, pads(padding, x.shape[2:], (1,) * rank, steps))


def _spread(sizes: Shape, reach: Ints, steps: Ints, more: Ints) -> Shape:
    """How long each axis is of which these are the numbers of windows."""
    return tuple(
        (n - 1) * step + (span + m) for n, span, step, m in zip(sizes, reach, steps, more, strict=True)
    )


def _cropped(x: Node, widths: Pairs) -> Node:
    if not any(a or b for a, b in widths):
        return x
    ends = tuple((a or None, -b if b else None, None) for a, b in widths)
    node: Node = slice_op(x, index=((None, None, None),) * 2 + ends)
    return node


# -- what fits ----------------------------------------------------------------------------------------------------


def _of_rank(x: Any, rank: int) -> Node:
    (x,) = as_nodes((x,))
    if x.ndim != rank:
        raise ShapeError(f"a value of {rank} axes is wanted: batch, channels, space", given=str(x.type))
    node: Node = x
    return node


def _rank(x: Node, w: Node) -> int:
    if x.ndim < 3 or x.ndim != w.ndim:
        raise ShapeError("a value and a kernel of equal ranks, of 3 or more", given=f"{x.type}, {w.type}")
    return x.ndim - 2


def _check_channels(x: Node, per_group: Dim, out: Dim, groups: int, whole: bool = False) -> None:
    """``whole`` says that the kernel has an axis for all channels, not for those of one group."""
    channels = per_group if whole else per_group * groups
    if x.shape[1] != channels or not isinstance(out, int) or groups < 1 or out % groups:
        raise ShapeError(
            f"{x.shape[1]} channels meet a kernel for {channels} in {groups} groups, with {out} in front",
            expected="as many channels as the kernel has, and a multiple of the groups in front",
        )


def _kernel(w: Node) -> Ints:
    if not all(isinstance(d, int) for d in w.shape[2:]):
        raise ShapeError("the sizes of a kernel are ints", given=str(w.type))
    return tuple(int(d) for d in w.shape[2:])  # type: ignore[arg-type]


def _letters(rank: int) -> tuple[str, str]:
    """Letters of the axes of space, and of the places in a window."""
    return string.ascii_lowercase[:rank], string.ascii_lowercase[rank : 2 * rank]


def _split(x: Node, axis: int, groups: int) -> Node:
    dim = x.shape[axis]
    return reshape(x, (*x.shape[:axis], groups, dim // groups, *x.shape[axis + 1 :]))


def _merged(y: Node) -> Node:
    """Groups and the channels of each, as one axis again."""
    return reshape(y, (y.shape[0], y.shape[1] * y.shape[2], *y.shape[3:]))


def pads(padding: Any, sizes: Shape, reach: Ints, steps: Ints) -> Pairs:
    """Zeros before and behind on each axis of space."""
    if isinstance(padding, str):
        return tuple(_named_pad(padding, *axis) for axis in zip(sizes, reach, steps, strict=True))
    values = tuple(padding) if isinstance(padding, (tuple, list)) else (padding,) * len(sizes)
    pairs = [tuple(v) if isinstance(v, (tuple, list)) else (v, v) for v in values]
    if len(pairs) != len(sizes) or any(len(p) != 2 for p in pairs):
        raise ArgumentError(
            "padding is an int, an int or a pair for each axis, valid or same", given=str(padding)
        )
    return tuple((p[0], p[1]) for p in (per_axis(p, 2, "padding", 0) for p in pairs))


def _named_pad(padding: str, size: Dim, span: int, step: int) -> tuple[int, int]:
    """``same`` keeps the size (over the stride); what cannot be halved has one more at the end."""
    if padding == "valid":
        return 0, 0
    if padding != "same":
        raise ArgumentError(f"there is no padding called {padding!r}", expected="valid or same")
    if step == 1:
        total = span - 1
    elif isinstance(size, int):
        total = max((-(-size // step) - 1) * step + span - size, 0)
    else:
        raise ShapeError(f"how much to pad a size of {size} for a stride of {step} is only known at run time")
    return total // 2, total - total // 2
