"""Windows of PyTorch, ONNX and autograd, over graphc's convolutions, pools and sliding windows."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tests.external.judging import ops

# -- PyTorch ------------------------------------------------------------------------------------------------------


def batched(function: Any, rank: int) -> Any:
    """A function of a batch, for a single example as well."""

    def applied(x: Any, *arguments: Any, **options: Any) -> Any:
        if x.ndim == rank + 2:
            return function(x, *arguments, **options)
        found = function(ops.expand_dims(x, 0), *arguments, **options)
        return tuple(part[0] for part in found) if isinstance(found, tuple) else found[0]

    return applied


def plain(value: Any, rank: int) -> Any:
    """A number, or one for each axis; a sequence of one is for all; a word stays."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return values[0] if len(values) == 1 else values


def convolution(rank: int) -> Any:
    """A convolution; its bias stands beside the channels."""

    def conv(
        x: Any,
        w: Any,
        bias: Any = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ):
        sizes = (plain(v, rank) for v in (stride, padding, dilation))
        return biased(getattr(ops, f"conv{rank}d")(x, w, *sizes, groups), bias)

    return batched(conv, rank)


def biased(y: Any, bias: Any) -> Any:
    return y if bias is None else y + ops.reshape(bias, (bias.shape[0],) + (1,) * (y.ndim - 2))


def max_pool(rank: int) -> Any:
    def pool(
        x: Any,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        ceil_mode: bool,
        return_indices: bool,
    ):
        step = None if stride is None else plain(stride, rank)
        return ops.max_pool(
            x,
            plain(kernel_size, rank),
            step,
            plain(padding, rank),
            plain(dilation, rank),
            ceil_mode,
            return_indices,
        )

    return batched(pool, rank)


def avg_pool(rank: int) -> Any:
    def pool(
        x: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: Any = None,
    ) -> Any:
        step = None if stride is None else plain(stride, rank)
        frame = (x, plain(kernel_size, rank), step, plain(padding, rank), ceil_mode, count_include_pad)
        return ops.avg_pool(*frame, divisor_override=divisor_override)

    return batched(pool, rank)


def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """The windows as columns."""
    window, steps, dilations, (p, q) = (pair(v) for v in (kernel_size, stride, dilation, padding))
    padded = ops.pad(x, ((0, 0), (0, 0), (p, p), (q, q)))
    windows = ops.sliding_windows(padded, window, axis=(2, 3), stride=steps, dilation=dilations)
    n, c, h, w, *_ = windows.shape
    return ops.reshape(ops.transpose(windows, (0, 1, 4, 5, 2, 3)), (n, c * prod(window), h * w))


def pair(value: Any) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return values * 2 if len(values) == 1 else values


TORCH = {
    "conv1d": convolution(1),
    "conv2d": convolution(2),
    "max_pool1d": max_pool(1),
    "max_pool2d": max_pool(2),
    "avg_pool1d": avg_pool(1),
    "avg_pool2d": avg_pool(2),
    "unfold": batched(unfold, 2),
}


# -- ONNX ---------------------------------------------------------------------------------------------------------


def frame(x: Any, kernel: Any, a: Any) -> tuple[list[int], list[int], list[tuple[int, int]]]:
    """Strides, dilations and the zeros before and behind each axis."""
    rank = len(kernel)
    steps, dilations = a.get("strides", [1] * rank), a.get("dilations", [1] * rank)
    if a.get("auto_pad", "NOTSET").startswith("SAME"):
        sizes = zip(x.shape[2:], kernel, steps, dilations, strict=True)
        widths = [same(*axis, upper=a["auto_pad"] == "SAME_UPPER") for axis in sizes]
    else:
        pads = a.get("pads", [0] * 2 * rank)
        widths = list(zip(pads[:rank], pads[rank:], strict=True))
    return steps, dilations, widths


def same(size: int, kernel: int, step: int, dilation: int, upper: bool) -> tuple[int, int]:
    """As many windows as steps; what cannot be halved has one more at the end, or else before."""
    total = max((-(-size // step) - 1) * step + (kernel - 1) * dilation + 1 - size, 0)
    return (total // 2, total - total // 2) if upper else (total - total // 2, total // 2)


def onnx_conv(x: Any, a: Any) -> Any:
    steps, dilations, widths = frame(x[0], x[1].shape[2:], a)
    y = ops.conv(x[0], x[1], tuple(steps), tuple(widths), tuple(dilations), a.get("group", 1))
    return biased(y, x[2] if x.has(2) else None)


def onnx_conv_transpose(x: Any, a: Any) -> Any:
    """Where the shape is given, zeros are cut off both sides, or more are left at the end."""
    kernel, more = x[1].shape[2:], a.get("output_padding", [0] * (x[0].ndim - 2))
    steps, dilations, widths = frame(x[0], kernel, {k: v for k, v in a.items() if k != "auto_pad"})
    wanted = a.get("output_shape")
    if a.get("auto_pad", "NOTSET").startswith("SAME"):
        wanted = [n * s for n, s in zip(x[0].shape[2:], steps, strict=True)]
    if wanted:
        upper = a.get("auto_pad") == "SAME_UPPER"
        axes = zip(x[0].shape[2:], kernel, steps, dilations, more, wanted, strict=True)
        cuts = [cut(*axis, upper=upper) for axis in axes]
        widths, more = (
            [(p, max(q, 0)) for p, q in cuts],
            [m - min(q, 0) for m, (_, q) in zip(more, cuts, strict=True)],
        )
    group = a.get("group", 1)
    y = ops.conv_transpose(x[0], x[1], tuple(steps), tuple(widths), tuple(more), tuple(dilations), group)
    return biased(y, x[2] if x.has(2) else None)


def cut(
    size: int, kernel: int, step: int, dilation: int, more: int, wanted: int, upper: bool
) -> tuple[int, int]:
    total = step * (size - 1) + more + (kernel - 1) * dilation + 1 - wanted
    return (total // 2, total - total // 2) if upper else (total - total // 2, total // 2)


def onnx_max_pool(x: Any, a: Any) -> Any:
    steps, dilations, widths = frame(x[0], a["kernel_shape"], a)
    kernel, ceil = tuple(a["kernel_shape"]), bool(a.get("ceil_mode"))
    y, places = ops.max_pool(x[0], kernel, tuple(steps), tuple(widths), tuple(dilations), ceil, True)
    if a["outputs"] == 1:
        return y
    return y, ops.astype(whole_places(places, x[0].shape, bool(a.get("storage_order"))), "int64")


def whole_places(places: Any, shape: Any, columns_first: bool) -> Any:
    """Places in planes as places in the whole array; ONNX also counts down columns."""
    if columns_first:
        places = places // shape[-1] + places % shape[-1] * shape[-2]
    planes = ops.reshape(ops.arange(shape[0] * shape[1]), (*shape[:2], *(1,) * (len(shape) - 2)))
    return planes * prod(shape[2:]) + places


def onnx_avg_pool(x: Any, a: Any) -> Any:
    steps, dilations, widths = frame(x[0], a["kernel_shape"], a)
    whole, ceil = bool(a.get("count_include_pad", 0)), bool(a.get("ceil_mode"))
    kernel = tuple(a["kernel_shape"])
    return ops.avg_pool(x[0], kernel, tuple(steps), tuple(widths), ceil, whole, tuple(dilations))


def onnx_lp_pool(x: Any, a: Any) -> Any:
    steps, _, widths = frame(x[0], a["kernel_shape"], a)
    p, kernel = a.get("p", 2), tuple(a["kernel_shape"])
    mean = ops.avg_pool(
        ops.abs(x[0]) ** p, kernel, tuple(steps), tuple(widths), bool(a.get("ceil_mode")), True
    )
    return (mean * prod(kernel)) ** (1 / p)


def columns_to_image(x: Any, a: Any) -> Any:
    """The transpose of unfolding: that of a convolution whose kernels pick one place each."""
    (n, rows, _), block, image = x[0].shape, x.ints(2), x.ints(1)
    k, rank = prod(block), len(block)
    channels, steps = rows // k, a.get("strides", [1] * rank)
    dilations, pads = a.get("dilations", [1] * rank), a.get("pads", [0] * 2 * rank)
    widths = list(zip(pads[:rank], pads[rank:], strict=True))
    axes = zip(image, block, steps, dilations, widths, strict=True)
    counts = [(s + p + q - (b - 1) * d - 1) // t + 1 for s, b, t, d, (p, q) in axes]
    kernel = np.tile(np.eye(k, dtype=x[0].dtype).reshape(k, 1, *block), (channels, 1) + (1,) * rank)
    grid = ops.reshape(x[0], (n, rows, *counts))
    return ops.conv_transpose(
        grid, ops.const(kernel), tuple(steps), tuple(widths), 0, tuple(dilations), channels
    )


ONNX = {
    "Conv": onnx_conv,
    "ConvTranspose": onnx_conv_transpose,
    "MaxPool": onnx_max_pool,
    "AveragePool": onnx_avg_pool,
    "LpPool": onnx_lp_pool,
    "Col2Im": columns_to_image,
}


# -- autograd -----------------------------------------------------------------------------------------------------


def convolve(A: Any, B: Any, axes: Any = None, dot_axes: Any = ((), ()), mode: str = "full") -> Any:
    """Along some axes of both; others are summed over together, or kept: those of A before those of B."""
    along = axes or [list(range(A.ndim)), list(range(B.ndim))]
    (a, kept_a), (b, kept_b) = (laid(x, c, d) for x, c, d in zip((A, B), along, dot_axes, strict=True))
    rank, sizes = len(along[0]), [x.shape[2:] for x in (a, b)]
    if mode == "valid" and any(n < k for n, k in zip(*sizes, strict=True)):
        found = ops.swapaxes(crossed(b, a, rank, mode), 0, 1)
    else:
        found = crossed(a, b, rank, mode)
    if mode == "same":
        starts = [(k - 1) // 2 for k in sizes[1]]
        found = found[(..., *(slice(s, s + n) for s, n in zip(starts, sizes[0], strict=True)))]
    return ops.reshape(found, (*kept_a, *kept_b, *found.shape[2:]))


def laid(x: Any, along: Any, summed: Any) -> tuple[Any, tuple[int, ...]]:
    """Kept axes as one, summed ones as one, then those of the convolution."""
    along, summed = ([axis % x.ndim for axis in part] for part in (along, summed))
    kept = [axis for axis in range(x.ndim) if axis not in (*along, *summed)]
    shape = [tuple(x.shape[axis] for axis in part) for part in (kept, summed, along)]
    moved = ops.transpose(x, (*kept, *summed, *along)) if x.ndim else x
    return ops.reshape(moved, (prod(shape[0]), prod(shape[1]), *shape[2])), shape[0]


def crossed(a: Any, b: Any, rank: int, mode: str) -> Any:
    """A convolution turns the kernel round."""
    turned = ops.flip(b, axis=tuple(range(2, 2 + rank)))
    pads = tuple((k - 1, k - 1) if mode != "valid" else (0, 0) for k in b.shape[2:])
    return ops.conv(a, turned, padding=pads)
