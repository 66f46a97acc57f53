"""What the attributes of each name may hold, for attributes that come from text.

A card's own type rule trusts its attributes, because the functions of ``graphc.ops`` have normalised them, and code is
generated from them. Text has no such door, so it passes this one. The table goes by the *name* of an attribute,
which means the same on every card; an attribute that it does not list holds numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphc.errors import ParseError
from graphc.ir.literal import MAX_DIM, check_shape
from graphc.ir.node import Array, Node
from graphc.ir.op import Op
from graphc.ir.size import Size
from graphc.ir.types import DTYPES, Type

MAX_COUNT = 2**31 - 1
MAX_NAME = 1000


def _is_int(value: Any, low: int, high: int = MAX_COUNT) -> bool:
    return type(value) is int and low <= value <= high


def _is_dim(value: Any) -> bool:
    return isinstance(value, Size) or _is_int(value, 0, MAX_DIM)


def _is_shape(value: Any, rank: int) -> bool:
    return isinstance(value, tuple) and all(_is_dim(d) for d in value)


def _is_axis(value: Any, rank: int) -> bool:
    """One axis, or several in increasing order."""
    if not isinstance(value, tuple):
        return _is_int(value, 0, rank - 1)
    return all(_is_int(a, 0, rank - 1) for a in value) and list(value) == sorted(set(value))


def _is_axes(value: Any, rank: int) -> bool:
    return isinstance(value, tuple) and all(_is_int(a, 0, rank - 1) for a in value)


def _is_slice(part: Any) -> bool:
    if not isinstance(part, tuple) or len(part) != 3 or part[2] == 0:
        return False
    step = part[2]
    bounds = all(p is None or isinstance(p, Size) or _is_int(p, -MAX_COUNT) for p in part[:2])
    return bounds and (step is None or _is_int(step, -MAX_COUNT))


def _is_node(value: Any, rank: int) -> bool:
    return isinstance(value, Node)


def _are_nodes(value: Any, rank: int) -> bool:
    return isinstance(value, tuple) and all(isinstance(part, Node) for part in value)


def is_name(value: Any) -> bool:
    """Text on one line, of moderate length: what may be shown in comments and messages."""
    return isinstance(value, str) and 0 < len(value) <= MAX_NAME and value.isprintable()


Check = Callable[[Any, int], bool]

CHECKS: Mapping[str, tuple[str, Check]] = {
    "axis": ("an axis, or axes in increasing order", _is_axis),
    "axes": ("axes", _is_axes),
    **{
        key: ("True or False", lambda v, rank: isinstance(v, bool))
        for key in ("keepdims", "right", "trainable", "reverse")
    },
    "shape": ("sizes", _is_shape),
    "index": ("a place, or a start, stop and step per axis", lambda v, rank: _is_int(v, 0) or _are_slices(v)),
    "dtype": (", ".join(DTYPES), lambda v, rank: v in DTYPES),
    "q": ("a number from 0 to 1", lambda v, rank: isinstance(v, float) and 0 <= v <= 1),
    "rtol": ("a number from 0 up to 1", lambda v, rank: isinstance(v, float) and 0 <= v < 1),
    "ord": (
        "a finite number other than 0",
        lambda v, rank: isinstance(v, float) and math.isfinite(v) and v != 0,
    ),
    "classes": ("an int of at least 1", lambda v, rank: _is_int(v, 1)),
    **{key: ("an int", lambda v, rank: _is_int(v, -MAX_COUNT)) for key in ("k", "start")},
    "shift": ("an int for each axis", lambda v, rank: _are_ints(v, -MAX_COUNT)),
    **{
        key: ("an int of at least 1 for each axis", lambda v, rank: _are_ints(v, 1))
        for key in ("window", "stride", "dilation")
    },
    "kth": ("ints", lambda v, rank: bool(v) and _are_ints(v, -MAX_COUNT)),
    "step": ("an int other than 0", lambda v, rank: _is_int(v, -MAX_COUNT) and v != 0),
    "keep": ("an int between 1 and 65536", lambda v, rank: _is_int(v, 1, 65536)),
    "default": (
        "a finite number, or None",
        lambda v, rank: v is None or (isinstance(v, (int, float)) and math.isfinite(v)),
    ),
    "dim": ("a size that has a name", lambda v, rank: isinstance(v, Size)),
    "name": ("text on one line", lambda v, rank: is_name(v)),
    "value": ("an array", lambda v, rank: isinstance(v, Array) and v.value.dtype.name in DTYPES),
    "init": ("an initialiser such as @zeros", lambda v, rank: hasattr(v, "options")),
    "states": ("leaves", _are_nodes),
    "body": ("a node", _is_node),
    **dict.fromkeys(("next", "ys", "then", "otherwise"), ("nodes", _are_nodes)),
    **{key: ("an int of at least 0", lambda v, rank: _is_int(v, 0)) for key in ("over", "result")},
    **{
        key: ("True or False", lambda v, rank: isinstance(v, bool))
        for key in ("nonzero", "finite", "integer", "one_hot", "row_stochastic", "symmetric")
    },
    **{
        key: ("a number, or None", lambda v, rank: v is None or isinstance(v, float))
        for key in ("at_least", "at_most")
    },
    "length": ("a size", lambda v, rank: _is_dim(v)),
    "names": ("names", lambda v, rank: isinstance(v, tuple) and all(is_name(part) for part in v)),
    "gradient": ("nodes, or None", lambda v, rank: v is None or _are_nodes(v, rank)),
}
"""Name of an attribute to what it holds, and whether a value is that (over the largest rank in sight)."""


def _are_slices(value: Any) -> bool:
    return isinstance(value, tuple) and all(_is_slice(part) or _is_int(part, -MAX_COUNT) for part in value)


def _are_ints(value: Any, low: int) -> bool:
    return isinstance(value, tuple) and all(_is_int(part, low) for part in value)


def _is_number(value: Any, rank: int) -> bool:
    return isinstance(value, (bool, int, float))


def check_attrs(op: Op, attrs: Mapping[str, Any], operands: Sequence[Type], result: Type) -> None:
    """Refuse attributes that the functions of ``graphc.ops`` would never make.

    Raises:
        ParseError: the attributes are not those of the card, or one holds what it cannot hold.

    Example:
        >>> from graphc.ops import CARDS
        >>> check_attrs(CARDS["softmax"], {"axis": 7}, [Type("float32", (2,))], Type("float32", (2,)))
        Traceback (most recent call last):
        ...
        graphc.errors.ParseError: softmax cannot have this axis
          given:    7
          expected: an axis, or axes in increasing order
    """
    if set(attrs) != set(op.attrs):
        given, expected = (", ".join(names) or "none" for names in (attrs, op.attrs))
        raise ParseError(f"these are not the attributes of {op.name}", given=given, expected=expected)
    rank = max((t.ndim for t in (result, *operands[:1])), default=0)
    users = "user" in op.properties  # its constants are numbers, whatever they are called
    for key, value in attrs.items():
        expected, holds = ("a number", _is_number) if users else CHECKS.get(key, ("a number", _is_number))
        if not holds(value, rank):
            raise ParseError(f"{op.name} cannot have this {key}", given=repr(value)[:60], expected=expected)
    if not users:
        _check_together(op, attrs)


def _check_together(op: Op, attrs: Mapping[str, Any]) -> None:
    shape = attrs.get("shape", ())
    check_shape(shape)
    if "init" in attrs:
        array = attrs["init"].value
        if not all(isinstance(d, int) for d in shape) or (array is not None and array.value.shape != shape):
            raise ParseError(f"a {op.name} has ints for sizes, and the shape of its starting array")
    low, high = attrs.get("at_least"), attrs.get("at_most")
    if any(bound is not None and math.isnan(bound) for bound in (low, high)) or (
        low is not None and high is not None and low > high
    ):
        raise ParseError("no value is in this range", given=f"{low} to {high}")
    if "default" in attrs and shape:
        raise ParseError(f"a {op.name} is a scalar", given=str(shape)[:60])
