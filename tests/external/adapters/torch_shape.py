"""Shapes, joins and look-ups of PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.external.adapters.torch_math import direct
from tests.external.judging import ops

STATIC = frozenset({"__getitem__", "narrow"})
"""Operations whose integers and masks are part of the program: its shapes depend on them."""


def flattened(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    last = end_dim % x.ndim
    return ops.reshape(x, (*x.shape[:start_dim], -1, *x.shape[last + 1 :]))


def squeezed(x: Any, dim: Any) -> Any:
    """An axis of another size than 1 stays."""
    if not x.ndim:
        return x
    wanted = {d % x.ndim for d in (dim if isinstance(dim, tuple) else (dim,))}
    return ops.squeeze(x, tuple(d for d in sorted(wanted) if x.shape[d] == 1))


def expanded(x: Any, shape: tuple[int, ...]) -> Any:
    """-1 keeps a size."""
    own = (1,) * (len(shape) - x.ndim) + tuple(x.shape)
    return ops.broadcast_to(x, tuple(b if a == -1 else a for a, b in zip(shape, own, strict=True)))


def joined(xs: Any, dim: int = 0) -> Any:
    """PyTorch passes over an empty vector, whatever the rank of the others."""
    return ops.concat([x for x in xs if tuple(x.shape) != (0,)] or xs, axis=dim)


def split(x: Any, sizes: Any, dim: int = 0) -> Any:
    """Parts of one size, or of the sizes given."""
    total = x.shape[dim]
    ends = range(sizes, total, sizes) if isinstance(sizes, int) else running(sizes)[:-1]
    return ops.split(x, list(ends), axis=dim)


def running(sizes: Any) -> list[int]:
    return [sum(sizes[: i + 1]) for i in range(len(sizes))]


def chunk(x: Any, count: int, dim: int = 0) -> Any:
    return split(x, -(-x.shape[dim] // count), dim)


def along(x: Any, index: Any, dim: int) -> Any:
    """PyTorch's gather reads only the corner that the index covers; a number has one place."""
    if x.ndim == 0 or 0 in index.shape:
        return ops.take(ops.reshape(x, -1), index)
    corner = tuple(slice(None) if a == dim % x.ndim else slice(n) for a, n in enumerate(index.shape))
    return ops.take_along_axis(x[corner], index, axis=dim)


def scattered(x: Any, dim: int, index: Any, source: Any) -> Any:
    """At places that are all different, setting is adding what is new less what was there."""
    source = covered(ops.broadcast_to(source, x.shape if not source.ndim else source.shape), index)
    return scatter_added(x, dim, index, source - along(x, index, dim))


def scatter_added(x: Any, dim: int, index: Any, source: Any) -> Any:
    """Values added along an axis: the places are counted in the flattened array."""
    places = flat_places(index, x.shape, dim % x.ndim)
    flat = ops.scatter_add(ops.reshape(x, -1), places, ops.reshape(covered(source, index), -1))
    return ops.reshape(flat, x.shape)


def flat_places(index: Any, shape: Any, dim: int) -> Any:
    """Where in the flattened array an index along one axis points to."""
    steps = [int(np.prod(shape[a + 1 :])) for a in range(len(shape))]
    others = sum(
        np.arange(n).reshape((n,) + (1,) * (len(shape) - 1 - a)) * steps[a]
        for a, n in enumerate(index.shape)
        if a != dim
    )
    return ops.reshape(index * steps[dim] + np.broadcast_to(others, index.shape), -1)


def covered(source: Any, index: Any) -> Any:
    """The corner of the source that the index covers."""
    return source if not source.ndim else source[tuple(slice(n) for n in index.shape)]


def rolled(x: Any, shifts: Any, dims: Any = None) -> Any:
    return ops.roll(x, shifts, axis=dims)


def diagonal(x: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    return ops.diagonal(x, offset=offset, axis1=dim1, axis2=dim2)


def indexed(x: Any, index: Any) -> Any:
    return x[tuple(index) if isinstance(index, tuple) else index]


def narrowed(x: Any, dim: int, start: Any, length: int) -> Any:
    start = int(start) % max(x.shape[dim], 1)
    return x[(slice(None),) * (dim % x.ndim) + (slice(start, start + length),)]


def selected(x: Any, dim: int, index: int) -> Any:
    return x[(slice(None),) * (dim % x.ndim) + (index,)]


def padded(x: Any, widths: tuple[int, ...], value: float = 0.0) -> Any:
    """PyTorch counts the axes from the last; a negative width cuts."""
    pairs = [(0, 0)] * (x.ndim - len(widths) // 2) + list(zip(widths[::2], widths[1::2], strict=True))[::-1]
    cut = tuple(slice(max(-low, 0), n - max(-high, 0)) for n, (low, high) in zip(x.shape, pairs, strict=True))
    return ops.pad(x[cut], [(max(low, 0), max(high, 0)) for low, high in pairs], constant_values=value)


TABLE = {
    "transpose": lambda x, a, b: ops.swapaxes(x, a, b) if x.ndim else x,
    "permute": lambda x, dims: ops.transpose(x, dims),
    "reshape": direct("reshape"),
    "view": direct("reshape"),
    "flatten": flattened,
    "squeeze": squeezed,
    "squeeze/multiple": squeezed,
    "unsqueeze": direct("expand_dims"),
    "expand": expanded,
    "broadcast_to": direct("broadcast_to"),
    "cat": joined,
    "stack": lambda xs, dim=0: ops.stack(xs, axis=dim),
    "split": split,
    "split/list_args": split,
    "chunk": chunk,
    "tile": direct("tile"),
    "repeat": direct("tile"),
    "flip": lambda x, dims: ops.flip(x, axis=dims),
    "roll": rolled,
    "tril": lambda x, diagonal=0: ops.tril(x, k=diagonal),
    "triu": lambda x, diagonal=0: ops.triu(x, k=diagonal),
    "diag": lambda x, k=0: ops.diag(x, k) if x.ndim == 1 else ops.diagonal(x, offset=k),
    "diagonal": diagonal,
    "gather": lambda x, dim, index: along(x, index, dim),
    "index_select": lambda x, dim, index: ops.take(x, index, axis=dim) if x.ndim else along(x, index[0], dim),
    "take_along_dim": lambda x, index, dim: ops.take_along_axis(x, index, axis=dim),
    "scatter": scattered,
    "scatter_add": scatter_added,
    "__getitem__": indexed,
    "masked_fill": lambda x, mask, value: ops.where(mask, value, x),
    "select": selected,
    "narrow": narrowed,
    "unbind": lambda x, dim=0: ops.unstack(x, axis=dim),
    "constant_pad_nd": padded,
}
