"""Leaves: inputs, parameters, states, hyper-parameters, constants and sizes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.ir.node import Node, fresh_leaf, intern
from graphc.ir.op import ZERO, Op
from graphc.ir.size import Dim, Size
from graphc.ir.types import DEFAULT_FLOAT, Type, as_dtype, as_shape
from graphc.ops.card import cast, constant
from graphc.ops.init import Init, as_init


def _leaf_type(*, shape: tuple[Dim, ...], dtype: str, **_: Any) -> Type:
    return Type(dtype, shape)


def _leaf(role: str, doc: str, **attrs: Any) -> Op:
    fields = {"name": ..., "shape": ..., "dtype": ..., **attrs}
    return Op(role, "leaf", (), _leaf_type, attrs=fields, role=role, doc=doc)


input_op = _leaf("input", "Data that a call brings.")
param_op = _leaf("param", "A trained value.", init=..., trainable=True)
state_op = _leaf("state", "A value that is carried from step to step but not trained.", init=...)
hyper_op = _leaf("hyper", "A named scalar argument; a schedule changes it without recompiling.", default=...)

size_op = Op(
    "size",
    "leaf",
    (),
    lambda *, dim, dtype: Type(dtype, ()),
    attrs={"dim": ..., "dtype": "int64"},
    role="size",
    doc="A size as a number.",
)
arg_op = Op(
    "arg",
    "leaf",
    (),
    lambda *, index, dtype, shape: Type(dtype, shape),
    attrs={"index": ..., "dtype": ..., "shape": ...},
    role="arg",
    doc="An operand of the body of a card that carries a graph.",
)


seed_op = Op(
    "seed",
    "select",
    ("x",),
    lambda x: x,
    gradient=lambda g, out, x: (ZERO,),
    body=lambda x: ones_like(x),
    latex="1",
    doc="The gradient of a value with respect to itself: ones.",
)


MAX_NAME = 200


def _check_name(name: Any) -> str:
    if not isinstance(name, str) or not name or not name.isprintable():
        raise ArgumentError("a leaf needs a printable name", given=repr(name)[:80])
    if len(name) > MAX_NAME:
        given = f"{len(name)} characters: {name[:40]}…"
        raise ArgumentError("the name of a leaf is too long", given=given, expected=f"at most {MAX_NAME}")
    return name


def input(name: str, shape: object, dtype: object = DEFAULT_FLOAT) -> Node:
    """Data that a call brings.

    Args:
        name: what to call it in listings, errors and dicts of data.
        shape: sizes; each an int or a name. A name stands for one number per call.
        dtype: float32, float64, int32, int64 or bool.

    Raises:
        ShapeError, DTypeError: a shape or dtype that graphc does not have.

    Example:
        >>> import graphc as gx
        >>> gx.input("x", ("batch", 64)).type
        Type(dtype='float32', shape=(batch, 64))
    """
    attrs: dict[str, Any] = {"name": _check_name(name), "shape": as_shape(shape), "dtype": as_dtype(dtype)}
    return _named(fresh_leaf(input_op, attrs, _leaf_type(**attrs)))


def param(
    name: str,
    shape: object,
    init: Any = "xavier_uniform",
    dtype: object = DEFAULT_FLOAT,
    trainable: bool = True,
) -> Node:
    """A value that training changes.

    Args:
        name: its name, with the scopes around it in front (``hidden1.W``).
        shape: ints.
        init: the name of an initialiser (``he_normal``, ``zeros``, ...), a ``gx.init`` with options, a number, an
            array, or a function ``(rng, shape) -> array`` of a NumPy generator, which is seeded by the name.
        dtype: float32 or float64.
        trainable: False keeps it fixed.

    Raises:
        ShapeError: a named size (a parameter's size is known), an array of another shape, or a rank that an initialiser
            does not take.
        ArgumentError: an unknown initialiser.

    Example:
        >>> import graphc as gx
        >>> w = gx.param("w", (2, 3), init="zeros")
        >>> x = gx.input("x", ("n", 2))
        >>> (x @ w).type
        Type(dtype='float32', shape=(n, 3))
    """
    attrs = _valued(name, shape, dtype, init)
    if not attrs["dtype"].startswith("float"):
        raise DTypeError(
            f"{name} cannot be trained",
            given=attrs["dtype"],
            expected="float32 or float64",
            fix="gx.state carries integers",
        )
    attrs["trainable"] = bool(trainable)
    return _named(fresh_leaf(param_op, attrs, _leaf_type(**attrs)))


def state(name: str, shape: object, init: Any = "zeros", dtype: object = DEFAULT_FLOAT) -> Node:
    """A value that is carried from step to step but not trained, such as a running mean.

    ``gx.update(y, {state: next})`` or ``compile(..., updates=...)`` says what it becomes.

    Example:
        >>> import graphc as gx
        >>> seen = gx.state("seen", ())
        >>> x = gx.input("x", ("n",))
        >>> program = gx.compile(gx.sum(x), updates={seen: seen + gx.size(x, 0)})
        >>> program([1.0, 2.0], 10.0)
        (np.float32(3.0), {'seen': np.float32(12.0)})
    """
    attrs = _valued(name, shape, dtype, init)
    return _named(fresh_leaf(state_op, attrs, _leaf_type(**attrs)))


def hyper(name: str, default: float | None = None, dtype: object = DEFAULT_FLOAT) -> Node:
    """A named scalar argument of the generated function, such as the learning rate.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> rate = gx.hyper("rate", 0.5)
        >>> step = gx.compile(rate * x)
        >>> step([2.0]), step([2.0], rate=0.25)
        (array([1.], dtype=float32), array([0.5], dtype=float32))
    """
    number = None if default is None else _default(name, default, np.dtype(as_dtype(dtype)).kind)
    attrs: dict[str, Any] = {
        "name": _check_name(name),
        "shape": (),
        "dtype": as_dtype(dtype),
        "default": number,
    }
    return _named(fresh_leaf(hyper_op, attrs, _leaf_type(**attrs)))


def _default(name: str, value: Any, kind: str) -> float:
    """A number of the kind of dtype that the hyper-parameter has."""
    try:
        number: float = {"f": float, "i": int, "b": bool}[kind](value)
        known = number == value and math.isfinite(number)
    except (TypeError, ValueError, OverflowError):
        known = False
    if not known:
        raise ArgumentError(f"the default of {name} is a finite number of its dtype", given=f"{value!r:.60}")
    return number


def const(value: Any, dtype: object = None) -> Node:
    """A value fixed in the program: a number or an array.

    Example:
        >>> import graphc as gx
        >>> gx.const([[1.0, 2.0]]).dtype
        'float64'
    """
    return constant(value, None if dtype is None else as_dtype(dtype))


def size(x: Node, axis: int | None = None) -> Node:
    """The number of elements of ``x`` along an axis, or of all of it, as an int64 scalar.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n", 2))
        >>> gx.compile(gx.sum(x, axis=0) / gx.size(x, 0))([[1.0, 2.0], [3.0, 5.0]])
        array([2. , 3.5], dtype=float32)
    """
    from graphc.ir.size import product
    from graphc.ops.shape import normal_axis

    return size_node(product(x.shape) if axis is None else x.shape[normal_axis(axis, x)], "int64")


def size_node(dim: Dim, dtype: str) -> Node:
    """A size as a scalar of some dtype: a constant where it is an int."""
    if not isinstance(dim, Size):
        return constant(dim, dtype)
    return intern(size_op, (), {"dim": dim, "dtype": dtype}, Type(dtype, ()))


def full(shape: object, value: float, dtype: object = DEFAULT_FLOAT) -> Node:
    """An array of one value.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.full((2, 2), 7.0))()
        array([[7., 7.],
               [7., 7.]], dtype=float32)
    """
    from graphc.ops.shape import broadcast_to

    return broadcast_to(cast(value, as_dtype(dtype)), as_shape(shape))


def zeros(shape: object, dtype: object = DEFAULT_FLOAT) -> Node:
    """An array of zeros.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.zeros((2,)))()
        array([0., 0.], dtype=float32)
    """
    return full(shape, 0, dtype)


def ones(shape: object, dtype: object = DEFAULT_FLOAT) -> Node:
    """An array of ones.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.ones((2,)))()
        array([1., 1.], dtype=float32)
    """
    return full(shape, 1, dtype)


def zeros_like(x: Node) -> Node:
    """Zeros of the shape and dtype of ``x``.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n", 2), dtype="float64")
        >>> gx.zeros_like(x).type
        Type(dtype='float64', shape=(n, 2))
    """
    return full(x.shape, 0, x.dtype)


def ones_like(x: Node) -> Node:
    """Ones of the shape and dtype of ``x``.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n", 2), dtype="float64")
        >>> gx.ones_like(x).type
        Type(dtype='float64', shape=(n, 2))
    """
    return full(x.shape, 1, x.dtype)


def _valued(name: str, shape: object, dtype: object, init: Any) -> dict[str, Any]:
    dims = as_shape(shape)
    if any(isinstance(d, Size) for d in dims):
        raise ShapeError(
            f"the sizes of {name} must be ints", given=str(dims), fix="only inputs have named sizes"
        )
    initialiser: Init = as_init(init, dims, name)
    return {"name": _check_name(name), "shape": dims, "dtype": as_dtype(dtype), "init": initialiser}


def _named(leaf: Node) -> Node:
    from graphc.ir import origin

    leaf.about.rename(leaf.attrs["name"], origin.current_scopes())
    return leaf


CARDS = (input_op, param_op, state_op, hyper_op, size_op, arg_op, seed_op)
