"""Types: a dtype and a shape; promotion and broadcasting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from graphc.errors import DTypeError, ShapeError
from graphc.ir.size import Dim, Size, size

DTYPES = ("bool", "int32", "int64", "float32", "float64")
"""In order of promotion: the result of two dtypes is the later one, so an integer array takes a float's dtype."""

DEFAULT_FLOAT = "float32"
"""The dtype of a float where nothing else decides."""

Shape: TypeAlias = "tuple[Dim, ...]"


@dataclass(frozen=True, slots=True)
class Type:
    """What a node is: ``float32[batch, 64]``."""

    dtype: str
    shape: Shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def is_float(self) -> bool:
        """Whether values of this type can carry a gradient."""
        return self.dtype.startswith("float")

    def __str__(self) -> str:
        return f"{self.dtype}{shape_text(self.shape)}"


def shape_text(shape: Shape) -> str:
    """``[batch, 64]``; a scalar is ``[]``."""
    return f"[{', '.join(map(str, shape))}]"


def as_dtype(dtype: object) -> str:
    """The name of a dtype that graphc computes with.

    Raises:
        DTypeError: any other dtype.
    """
    name = getattr(dtype, "__name__", None) or getattr(dtype, "name", None) or str(dtype)
    name = {"bool_": "bool", "int": "int64", "float": DEFAULT_FLOAT}.get(name, name)
    if name not in DTYPES:
        raise DTypeError("graphc does not compute with this dtype", given=name, expected=", ".join(DTYPES))
    return name


def as_shape(shape: object) -> Shape:
    """A shape from what a user writes: one size or a sequence of sizes."""
    if isinstance(shape, (int, str, Size)):
        return (size(shape),)
    if not isinstance(shape, Sequence):
        raise ShapeError("a shape is a sequence of sizes", given=repr(shape), fix='for example ("batch", 64)')
    return tuple(size(dim) for dim in shape)


def promote(dtypes: Sequence[str]) -> str:
    """The dtype that operands of these dtypes meet in.

    Example:
        >>> promote(["int64", "float32"])
        'float32'
    """
    return max(dtypes, key=DTYPES.index)


def broadcast(shapes: Sequence[Shape]) -> Shape:
    """The shape that these shapes broadcast to.

    A name never broadcasts, even when it is 1 at run time. Two operands of different rank that would *both* be
    stretched are refused, because ``(N, 1) - (N,)`` is nearly always a mistake.

    Raises:
        ShapeError: the sizes differ, or both operands would be stretched.
    """
    result: Shape = ()
    for shape in shapes:
        result = _broadcast_two(result, shape)
    return result


def _broadcast_two(a: Shape, b: Shape) -> Shape:
    if a == b or not b:
        return a
    rank = max(len(a), len(b))
    wide_a, wide_b = (1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b
    dims = []
    for axis, (m, n) in enumerate(zip(wide_a, wide_b, strict=True)):
        if m != n and m != 1 and n != 1:
            place = "the last axis" if axis == rank - 1 else f"axis {axis - rank}, counted from the end"
            raise ShapeError(f"size {m} meets size {n} on {place}", fix=_broadcast_hint(a, b))
        dims.append(n if m == 1 else m)
    if len(a) != len(b) and a and b and tuple(dims) != wide_a and tuple(dims) != wide_b:
        raise ShapeError(
            f"{shape_text(a)} and {shape_text(b)} would both be stretched, to {shape_text(tuple(dims))}",
            fix=f"{_broadcast_hint(a, b)}; if all pairs are meant, say so with expand_dims",
        )
    return tuple(dims)


def _broadcast_hint(a: Shape, b: Shape) -> str:
    short, long = sorted((a, b), key=len)
    if len(short) == len(long):
        named = any(isinstance(m, Size) or isinstance(n, Size) for m, n in zip(a, b, strict=True) if m != n)
        return (
            "use one name for sizes that are always equal"
            if named
            else "make the sizes equal, or one of them 1"
        )
    if len(short) == 1 and short[0] == long[0]:
        return f"expand_dims(..., axis=1) turns {shape_text(short)} into {shape_text((*short, 1))}"
    if len(long) == len(short) + 1 and 1 in long:
        return f"squeeze the axis of size 1 of {shape_text(long)}, or reshape {shape_text(short)}"
    return "reshape one of them so that the sizes line up from the right"
