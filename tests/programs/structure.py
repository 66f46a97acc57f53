"""What shapes, moves, picks and makes values."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gx
from graphc.ir.node import Node
from graphc.ir.size import product
from tests.programs.maker import CONSTANTS, Maker, kind_of
from tests.programs.pointwise import Row, some

ANY = ("float", "float", "float", "int", "bool")


def reshape(m: Maker) -> Node:
    x = m.number(kind=m.one(ANY))
    if m.coin() or x.ndim < 2:
        return gx.reshape(x, -1)
    at = m.choose(x.ndim - 1)
    return gx.reshape(x, (*x.shape[:at], x.shape[at] * x.shape[at + 1], *x.shape[at + 2 :]))


def expand_dims(m: Maker) -> Node:
    x = m.number(most=2, kind=m.one(ANY))
    return gx.expand_dims(x, m.choose(x.ndim + 1))


def squeeze(m: Maker) -> Node:
    x = m.value(m.one(ANY), lambda x: 1 in x.shape)
    return (
        gx.squeeze(x, m.one((None, x.shape.index(1))))
        if 1 in x.shape
        else gx.squeeze(gx.expand_dims(x, 0), 0)
    )


def broadcast_to(m: Maker) -> Node:
    x = m.number(most=2, kind=m.one(ANY))
    wide = tuple(3 if d == 1 else d for d in x.shape)
    return gx.broadcast_to(x, wide if m.coin() and wide else (2, *wide))


def astype(m: Maker) -> Node:
    kind = m.one(ANY)
    return gx.astype(
        m.number(kind=kind), m.float_dtype() if kind != "float" else m.one((m.float_dtype(), "int64"))
    )


def stop_gradient(m: Maker) -> Node:
    x = m.number()
    return gx.stop_gradient(gx.sin(x)) * x


def indexed(m: Maker) -> Node:
    """Slices, new axes, ellipses, integers."""
    x = some(m, ANY)
    part: list[Any] = [slice(None)] * x.ndim
    axis = m.choose(x.ndim)
    options = [slice(None, None, -1), None, 0, slice(None, None, 2), slice(None, None, -2), -1]
    if m.length(x.shape[axis]) > 2:
        options += [slice(1, None), slice(None, -1), slice(-1, 0, -1)]
    if isinstance(x.shape[axis], int):  # of a named size these are only known at run time, and refused
        options += [slice(0, 1), slice(-2, None)]
    part[axis] = m.one(options)
    return x[tuple(part)] if m.coin() or part[axis] is None else x[(..., *part[axis:])]


def concat(m: Maker) -> Node:
    x = some(m, ANY)
    axis = m.axis(x)
    parts = [x, m.of(x.shape, kind_of(x)), x][: m.one((2, 3, 1))]
    if kind_of(x) == "float" and m.coin():  # of another length along the axis
        lead = x.shape[: axis % x.ndim]
        parts.append(m.of((*lead, 2, *x.shape[axis % x.ndim + 1 :])))
    return gx.concat(parts, axis)


def stack(m: Maker) -> Node:
    x = m.number(0, 2, m.one(ANY))
    return gx.stack([x, m.of(x.shape, kind_of(x))], m.choose(x.ndim + 1))


def split(m: Maker) -> list[Node]:
    x = some(m)
    axis = m.axis(x)
    dim = x.shape[axis]
    sections = [1] + [k for k in (2, 3) if isinstance(dim, int) and dim % k == 0]
    return gx.split(x, [1] if m.coin() and isinstance(dim, int) and dim > 1 else m.one(sections[::-1]), axis)


def unstack(m: Maker) -> Any:
    x = m.value(fits=lambda x: x.ndim > 0 and isinstance(x.shape[-1], int))
    return gx.unstack(x, -1)[: m.one((1, 2))]


def roll(m: Maker) -> Node:
    x = some(m, ANY)
    axis = m.one((None, m.axis(x)))
    return gx.roll(x, m.one((1, -2, 5)), axis) if m.coin() or x.ndim < 2 else gx.roll(x, (1, 2), (0, 1))


def flip(m: Maker) -> Node:
    x = some(m, ANY)
    return gx.flip(x, m.axes(x))


def repeat(m: Maker) -> Node:
    x = m.number(1, 2, m.one(ANY))
    axis = m.one((None, m.axis(x)))
    if axis is not None and x.shape[axis] == 3 and m.coin():
        return gx.repeat(x, [1, 0, 2], axis)
    return gx.repeat(x, m.one((2, 1, 3)), axis)


def tile(m: Maker) -> Node:
    return gx.tile(m.number(1, 2, m.one(ANY)), m.one((2, (2, 1), (1, 3), (2, 1, 2))))


def pad(m: Maker) -> Node:
    x = m.number(1, 2)
    mode = m.one(("constant", "edge", "reflect", "symmetric", "wrap"))
    if mode != "constant" and min(m.shape(x)) < 3:
        mode = "constant"
    width = m.one((1, (1, 2), tuple((i, 1) for i in range(x.ndim))))
    return gx.pad(x, width, mode, **({"constant_values": m.one((0, 1.5))} if mode == "constant" else {}))


def permuted(m: Maker) -> Node:
    x = some(m, ANY)
    return gx.permute_dims(x, m.order(x.ndim))


def transpose(m: Maker) -> Node:
    x = m.number(kind=m.one(ANY))
    return gx.transpose(x, m.one((None, m.order(x.ndim))))


def pair_of_axes(function: Any) -> Row:
    def row(m: Maker) -> Node:
        x = some(m, ANY)
        return function(x, m.axis(x), m.axis(x))

    return row


# -- places ----------------------------------------------------------------------------------------------------


def take(m: Maker) -> Node:
    x = some(m, ANY)
    axis = m.axis(x)
    return gx.take(x, m.places(m.one(((2,), (), ("n",), (2, 2))), x.shape[axis]), axis)


def gather(m: Maker) -> Node:
    x = m.number(2, 3)
    shape = m.one(((2,), ("n",), (2, 2)))
    axis = m.choose(x.ndim - 1)
    return gx.gather(x, [m.places(shape, d) for d in x.shape[axis : axis + 2]], axis)


def picked(m: Maker) -> Node:
    """Integer arrays among slices, constant masks, an array as an index."""
    x = m.number(2, 3)
    lead = m.places((2,), x.shape[0])
    if m.coin():
        return x[lead, ..., m.one((0, slice(None), m.places((2,), x.shape[-1])))]
    if isinstance(x.shape[-1], int) and x.shape[-1] > 1:
        return x[..., np.arange(x.shape[-1]) % 2 == 0]
    return x[gx.arange(x.shape[0]), m.places((x.shape[0],), x.shape[1])]


def scatter_add(m: Maker) -> Node:
    x = some(m, ("float", "float", "int"))
    axis = m.axis(x)
    at = m.places(m.one(((2,), ("n",))), x.shape[axis])
    picked = gx.take(x, at, axis)
    return gx.scatter_add(x, at, m.one((1, m.of(picked.shape, kind_of(x)))), axis)


def take_along_axis(m: Maker) -> Node:
    x = some(m)
    axis = m.choose(x.ndim)
    shape = tuple(m.one((d, 2)) if i == axis else m.one((d, 1)) for i, d in enumerate(x.shape))
    return gx.take_along_axis(x, m.places(shape, x.shape[axis]), axis)


def put(m: Maker) -> Node:
    x = some(m, ("float", "float", "int"))
    at = m.places((3,), product(x.shape))
    return gx.put(x, at, m.one((1, m.of((3,), kind_of(x)))))


def put_along_axis(m: Maker) -> Node:
    x = some(m)
    axis = m.choose(x.ndim)
    shape = tuple(2 if i == axis else d for i, d in enumerate(x.shape))
    return gx.put_along_axis(x, m.places(shape, x.shape[axis]), m.one((1, m.of(shape))), axis)


def set_at(m: Maker) -> Node:
    x = some(m)
    index = m.one((0, slice(None, None, -2), (..., 0), m.places((2,), x.shape[0])))
    part = x[index]
    return gx.set_at(x, index, m.one((2, m.of(part.shape))))


def at(function: Any) -> Row:
    """Values combined with others at places that an index names, some of them twice."""

    def row(m: Maker) -> Node:
        x = some(m)
        index = m.one((0, slice(None, None, -2), m.places((2,), x.shape[0])))
        return function(x, index, m.one((2, m.of(x[index].shape))))

    return row


def meshgrid(m: Maker) -> Any:
    vectors = [m.value(fits=lambda x: x.ndim == 1) for _ in range(2)]
    return gx.meshgrid(*vectors, indexing=m.one(("xy", "ij")))


def broadcast_arrays(m: Maker) -> Any:
    x = m.number()
    return gx.broadcast_arrays(x, m.beside(x, same_dtype=True))


def one_hot(m: Maker) -> Node:
    labels = m.leaf(m.one((("n",), (), ("n", 2))), "int", (0, 3))
    return gx.one_hot(labels, 3, dtype=m.one((m.float_dtype(), "int64")))


# -- made ----------------------------------------------------------------------------------------------------


def arange(m: Maker) -> Node:
    made = m.one((gx.arange("n"), gx.arange(1, 7, 2), gx.arange(3, 0, -1), gx.arange(0.5, 2.5, 0.5)))
    x = m.one(("int", "float"))
    return made if x == "int" else gx.astype(made, m.float_dtype())


def linspace(m: Maker) -> Node:
    stop = m.number(0, 0)
    return gx.linspace(m.one((0, m.of(()))), stop, m.one((3, 1, 4)), endpoint=m.coin())


def eye(m: Maker) -> Node:
    return gx.eye(
        m.one((3, "n")),
        m.one((None, 3, "m")),
        k=m.one((0, 1, -1)),
        dtype=m.one((m.float_dtype(), "int64", "bool")),
    )


def triangle(function: Any) -> Row:
    return lambda m: function(m.number(2, kind=m.one(ANY)), k=m.one((0, 1, -1)))


def diagonal(function: Any) -> Row:
    def row(m: Maker) -> Node:
        x = m.number(2)
        a, b, *_ = m.order(x.ndim)
        short = min(m.length(x.shape[a]), m.length(x.shape[b])) < 2
        same = x.shape[a] == x.shape[b] or all(isinstance(x.shape[i], int) for i in (a, b))
        if not same:
            x, a, b = m.of((3, 3)), 0, 1
            short = False
        return function(x, 0 if short else m.one((0, 1, -1)), a, b)

    return row


def diag(m: Maker) -> Node:
    return gx.diag(m.value(fits=lambda x: x.ndim == 1), m.one((0, 1, -1)))


def const(m: Maker) -> Node:
    values = m.one(
        (np.array([0.5, -1.0, 2.0]), np.zeros((3, 3)), np.array([1, 0, 2]), np.array([[True], [False]]))
    )
    return gx.const(values.astype(m.float_dtype()) if values.dtype.kind == "f" else values)


def full(m: Maker) -> Node:
    shape = m.one((("n", 3), (), (2,)))
    return m.beside(gx.full(shape, m.one(CONSTANTS), dtype=m.float_dtype()), "float", same_dtype=True)


def shaped(function: Any) -> Row:
    return lambda m: function(m.one((("n", 3), (), (2,))), dtype=m.one((m.float_dtype(), "int64", "bool")))


def size(m: Maker) -> Node:
    x = some(m)
    return x / gx.astype(gx.size(x, m.one((None, m.axis(x)))), x.dtype)
