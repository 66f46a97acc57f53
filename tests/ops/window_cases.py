"""References for windows, convolution and pooling: loops over places."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gx
from graphc.ops import CARDS
from tests.ops.references import DTYPES, FLOATS, Case

NUMBERS = DTYPES[:4]


def _windows(x: Any, size: int, stride: int, dilation: int) -> Any:
    """Along the last axis."""
    count = (x.shape[-1] - (size - 1) * dilation - 1) // stride + 1
    rows = [x[..., i * stride : i * stride + (size - 1) * dilation + 1 : dilation] for i in range(count)]
    return np.stack(rows, axis=-2)


def _woven(parts: Any) -> Any:
    """Six parts of windows of (3, 2) along the last two axes, of which the last has 5."""
    out = np.zeros((2, 3, 5), parts[0].dtype)
    for k, part in enumerate(parts):
        for j in range(part.shape[2]):
            out[:, k // 2, 2 * j + k % 2] = part[:, 0, j]
    return out


def _folded(x: Any, length: int, stride: int) -> Any:
    out = np.zeros((x.shape[0], length))
    for i in range(x.shape[1]):
        for j in range(x.shape[2]):
            out[:, i * stride + j] += x[:, i, j]
    return out


def _conv(x: Any, w: Any, stride: Any, pads: Any, dilation: Any, groups: int) -> Any:
    """Over two axes of space, one product at a time."""
    x = np.pad(x, ((0, 0), (0, 0), *pads))
    high, wide = (
        (x.shape[2 + i] - (w.shape[2 + i] - 1) * dilation[i] - 1) // stride[i] + 1 for i in range(2)
    )
    out = np.zeros((len(x), len(w), high, wide))
    per_out, per_in = len(w) // groups, w.shape[1]
    for o, i, j in np.ndindex(len(w), high, wide):
        part = x[:, o // per_out * per_in :][:, :per_in]
        for a, b in np.ndindex(w.shape[2:]):
            place = part[:, :, i * stride[0] + a * dilation[0], j * stride[1] + b * dilation[1]]
            out[:, o, i, j] += place @ w[o, :, a, b]
    return out


def _transposed(x: Any, w: Any, stride: int, pad: int, more: int, groups: int) -> Any:
    """Over one axis of space."""
    per_in, per_out, size = x.shape[1] // groups, w.shape[1], w.shape[2]
    out = np.zeros((len(x), per_out * groups, (x.shape[2] - 1) * stride + size + more))
    for c, i, j in np.ndindex(x.shape[1], x.shape[2], size):
        group = c // per_in
        for o in range(per_out):
            out[:, group * per_out + o, i * stride + j] += x[:, c, i] * w[c, o, j]
    return out[:, :, pad : out.shape[2] - pad]


def _pooled(x: Any, size: int, stride: int, pad: int, value: float, function: Any) -> Any:
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), constant_values=value)
    places = [(x.shape[2 + i] - size) // stride + 1 for i in range(2)]
    out = np.zeros((*x.shape[:2], *places))
    for i, j in np.ndindex(*places):
        out[:, :, i, j] = function(x[:, :, i * stride :, j * stride :][:, :, :size, :size], axis=(2, 3))
    return out


IMAGE, KERNEL = ("n", 2, 5, 4), (4, 2, 3, 2)
PLAIN = ((1, 1), ((0, 0), (0, 0)), (1, 1), 1)

WINDOWS: tuple[Case, ...] = (
    Case(
        "sliding_windows",
        lambda x: gx.sliding_windows(x, 2),
        (("m", "n"),),
        lambda x: _windows(x, 2, 1, 1),
        "[m, n - 1, 2]",
        linear=True,
    ),
    Case(
        "sliding_windows",
        lambda x: gx.sliding_windows(x, (2, 3), axis=(0, 2), stride=(2, 1), dilation=(1, 2)),
        ((4, 2, 7),),
        lambda x: _windows(_windows(x, 3, 1, 2).transpose(1, 2, 3, 0), 2, 2, 1).transpose(3, 0, 1, 4, 2),
        "[2, 2, 3, 2, 3]",
        linear=True,
    ),
    Case(
        "fold",
        lambda x: gx.fold(x, (2, 5)),
        ((2, 4, 2),),
        lambda x: _folded(x, 5, 1),
        "[2, 5]",
        linear=True,
        dtypes=NUMBERS,
    ),
    Case(
        "fold",
        lambda x: CARDS["fold"](x, shape=(2, 7), axis=(1,), window=(3,), stride=(2,), dilation=(1,)),
        ((2, 3, 3),),
        lambda x: _folded(x, 7, 2),
        "[2, 7]",
        linear=True,
        dtypes=NUMBERS,
    ),
    Case(
        "weave",
        lambda *parts: CARDS["weave"](*parts, shape=(2, 3, 5), axis=(1, 2), window=(3, 2)),
        ((2, 1, 2),) * 6,
        lambda *parts: _woven(parts),
        "[2, 3, 5]",
        linear=True,
        dtypes=NUMBERS,
    ),
    Case(
        "sliding_windows",
        lambda x, w: gx.conv2d(x, w),
        (IMAGE, KERNEL),
        lambda x, w: _conv(x, w, *PLAIN),
        "[n, 4, 3, 3]",
        dtypes=FLOATS,
    ),
    Case(
        "sliding_windows",
        lambda x, w: gx.conv2d(x, w, stride=(2, 1), padding=((1, 0), (0, 2)), dilation=(1, 2)),
        (IMAGE, KERNEL),
        lambda x, w: _conv(x, w, (2, 1), ((1, 0), (0, 2)), (1, 2), 1),
        "[n, 4, 2, 4]",
        dtypes=FLOATS,
    ),
    Case(
        "sliding_windows",
        lambda x, w: gx.conv2d(x, w, padding="same", groups=2),
        (IMAGE, (4, 1, 3, 2)),
        lambda x, w: _conv(x, w, (1, 1), ((1, 1), (0, 1)), (1, 1), 2),
        "[n, 4, 5, 4]",
        dtypes=FLOATS,
    ),
    Case(
        "sliding_windows",
        lambda x, w: gx.conv1d(x, w, stride=2, padding=1),
        ((2, 3, "n"), (2, 3, 3)),
        lambda x, w: _conv(x[:, :, None], w[:, :, None], (1, 2), ((0, 0), (1, 1)), (1, 1), 1)[:, :, 0],
        "[2, 2, (n + 1)//2]",
        dtypes=FLOATS,
    ),
    Case(
        "fold",
        lambda x, w: gx.conv_transpose(x, w, stride=2, padding=1, output_padding=1),
        ((2, 3, "n"), (3, 2, 3)),
        lambda x, w: _transposed(x, w, 2, 1, 1, 1),
        "[2, 2, 2*n]",
        dtypes=FLOATS,
    ),
    Case(
        "fold",
        lambda x, w: gx.conv_transpose(x, w, groups=2),
        ((2, 4, 3), (4, 1, 2)),
        lambda x, w: _transposed(x, w, 1, 0, 0, 2),
        "[2, 2, 4]",
        dtypes=FLOATS,
    ),
    Case(
        "max",
        lambda x: gx.max_pool(x, 2),
        (("n", 2, 4, 5),),
        lambda x: _pooled(x, 2, 2, 0, 0, np.max),
        "[n, 2, 2, 2]",
        dtypes=FLOATS,
    ),
    Case(
        "max",
        lambda x: gx.max_pool(x, 3, stride=2, padding=1),
        ((1, 2, 4, 5),),
        lambda x: _pooled(x, 3, 2, 1, -np.inf, np.max),
        "[1, 2, 2, 3]",
        dtypes=FLOATS,
    ),
    Case(
        "mean",
        lambda x: gx.avg_pool(x, 3, stride=2, padding=1),
        ((1, 2, 4, 5),),
        lambda x: _pooled(x, 3, 2, 1, 0, np.mean),
        "[1, 2, 2, 3]",
        dtypes=FLOATS,
    ),
    Case(
        "divide",
        lambda x: gx.avg_pool(x, 3, stride=2, padding=1, count_include_pad=False),
        ((1, 2, 4, 5),),
        lambda x: _pooled(x, 3, 2, 1, np.nan, np.nanmean),
        "[1, 2, 2, 3]",
        dtypes=FLOATS,
    ),
    Case(
        "max",
        lambda x: gx.max_pool(x, 2, stride=3, ceil_mode=True),
        ((1, 2, 5, 7),),
        lambda x: _pooled(
            np.pad(x, ((0, 0), (0, 0), (0, 0), (0, 1)), constant_values=-9), 2, 3, 0, 0, np.max
        ),
        "[1, 2, 2, 3]",
        dtypes=FLOATS,
    ),
    Case(
        "divide",
        lambda x: gx.avg_pool(x, 2, ceil_mode=True),
        ((1, 2, 5, 4),),
        lambda x: _pooled(
            np.pad(x, ((0, 0), (0, 0), (0, 1), (0, 0)), constant_values=np.nan), 2, 2, 0, 0, np.nanmean
        ),
        "[1, 2, 3, 2]",
        dtypes=FLOATS,
    ),
    Case(
        "mean",
        lambda x: gx.global_avg_pool(x),
        (IMAGE,),
        lambda x: x.mean(axis=(2, 3)),
        "[n, 2]",
        dtypes=FLOATS,
    ),
    Case(
        "max",
        lambda x: gx.global_max_pool(x),
        (IMAGE,),
        lambda x: x.max(axis=(2, 3)),
        "[n, 2]",
        dtypes=FLOATS,
    ),
)
