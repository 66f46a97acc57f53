"""Reductions along axes."""

from __future__ import annotations

import math
from typing import Any

from graphc.errors import ShapeError
from graphc.ir.node import Node
from graphc.ir.op import ZERO, Op
from graphc.ir.size import product
from graphc.ir.types import Shape, Type
from graphc.ops.arith import add, divide, maximum_op, multiply, negative, square, subtract
from graphc.ops.card import as_nodes, linear, promoted
from graphc.ops.compare import bools, greater, where
from graphc.ops.leaves import size_node
from graphc.ops.math import sqrt
from graphc.ops.shape import along, broadcast_to, expand_dims, normal_axes, reshape, transpose


def _reduced(shape: Shape, axis: tuple[int, ...], keepdims: bool) -> Shape:
    if keepdims:
        return tuple(1 if i in axis else d for i, d in enumerate(shape))
    return tuple(d for i, d in enumerate(shape) if i not in axis)


def restore_axes(g: Node, axis: tuple[int, ...], keepdims: bool) -> Node:
    """A reduced value with its axes back, as size 1."""
    if not keepdims:
        for a in axis:
            g = expand_dims(g, a)
    return g


def _sum_type(x: Type, *, axis: tuple[int, ...], keepdims: bool) -> Type:
    dtype = x.dtype if x.is_float else "int64"
    return Type(dtype, _reduced(x.shape, axis, keepdims))


def _axis_text(axis: tuple[int, ...], ndim: int) -> str:
    if axis == tuple(range(ndim)):
        return ""
    return f"axis={axis[0] if len(axis) == 1 else axis}"


def _call(method: str, x: Any, node: Node) -> str:
    axes = node.attrs["axis"]
    axis = _axis_text(axes if isinstance(axes, tuple) else (axes,), node.inputs[0].ndim)
    keep = "keepdims=True" if node.attrs["keepdims"] else ""
    return f"{x.atom}.{method}({', '.join(t for t in (axis, keep) if t)})"


def _reduce_into(ufunc: str) -> Any:
    """A reduction by a ufunc, into an array that is there."""

    def into(operands: Any, out: str, node: Node, hoist: Any) -> list[str]:
        axes = node.attrs["axis"]
        axis = _axis_text(axes if isinstance(axes, tuple) else (axes,), node.inputs[0].ndim) or "axis=None"
        keep = ", keepdims=True" if node.attrs["keepdims"] else ""
        return [f"np.{ufunc}.reduce({operands[0]}, {axis}, out={out}{keep})"]

    return into


def _turned(node: Node, across: Any) -> Node:
    """A reduction over the other axes of a transposed matrix."""
    axis = node.attrs["axis"]
    other = tuple(sorted(1 - a for a in axis)) if isinstance(axis, tuple) else 1 - axis
    new: Node = node.op(across(node.inputs[0]), axis=other, keepdims=node.attrs["keepdims"])
    return new


sum_op = linear(
    "sum",
    "x",
    _sum_type,
    lambda g, x, *, axis, keepdims: broadcast_to(restore_axes(g, axis, keepdims), x.shape),
    attrs={"axis": ..., "keepdims": False},
    numpy=lambda x, node: _call("sum", x, node),
    into=_reduce_into("add"),
    turn=_turned,
    noun="total",
    axes="reduce",
    pair=add,
    latex=r"\textstyle\sum {x}",
    cost=0.19,
    properties="sums",
)


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Node:
    """Summed along axes (all by default); integers and bools add up in int64.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n", 2))
        >>> gx.compile([gx.sum(x), gx.sum(x, axis=1)])([[1.0, 2.0], [3.0, 5.0]])
        [np.float32(11.0), array([3., 8.], dtype=float32)]
    """
    (x,) = as_nodes((x,))
    axes = normal_axes(axis, x)
    node: Node = sum_op(x, axis=axes, keepdims=bool(keepdims)) if axes else x
    return node


def float_type(x: Type, *, axis: tuple[int, ...], keepdims: bool, **_: Any) -> Type:
    """The type of a reduction that keeps the dtype."""
    return Type(x.dtype, _reduced(x.shape, axis, keepdims))


def floats(inputs: tuple[Any, ...]) -> tuple[Node, ...]:
    """Operands as floats of one dtype."""
    return promoted(inputs, floats=True)


def _mean_body(x: Node, *, axis: tuple[int, ...], keepdims: bool) -> Node:
    count = size_node(product(tuple(x.shape[a] for a in axis)), x.dtype)
    node: Node = divide(sum_op(x, axis=axis, keepdims=keepdims), count)
    return node


mean_op = Op(
    "mean",
    "composite",
    ("x",),
    float_type,
    attrs={"axis": ..., "keepdims": False},
    coerce=floats,
    body=_mean_body,
    latex=r"\operatorname{{mean}} {x}",
    cost=0.2,
)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Node:
    """The average along axes (all by default).

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n", 2))
        >>> gx.compile(gx.mean(x, axis=0))([[1.0, 2.0], [3.0, 5.0]])
        array([2. , 3.5], dtype=float32)
    """
    (x,) = as_nodes((x,))
    node: Node = mean_op(x, axis=normal_axes(axis, x), keepdims=bool(keepdims))
    return node


def _var_body(x: Node, *, axis: tuple[int, ...], keepdims: bool, correction: float) -> Node:
    centred = subtract(x, mean_op(x, axis=axis, keepdims=True))
    count = size_node(product(tuple(x.shape[a] for a in axis)), x.dtype)
    squares = sum_op(square(centred), axis=axis, keepdims=keepdims)
    node: Node = divide(squares, subtract(count, correction) if correction else count)
    return node


var_op = Op(
    "var",
    "composite",
    ("x",),
    float_type,
    attrs={"axis": ..., "keepdims": False, "correction": 0.0},
    coerce=floats,
    body=_var_body,
    latex=r"\operatorname{{var}} {x}",
    cost=0.6,
)


def var(x: Any, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Node:
    """The variance along axes: squares of deviations over ``n - correction`` (0: biased, 1: unbiased).

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n", 2))
        >>> gx.compile(gx.var(x, axis=0))([[1.0, 2.0], [3.0, 5.0]])
        array([1.  , 2.25], dtype=float32)
    """
    (x,) = as_nodes((x,))
    node: Node = var_op(x, axis=normal_axes(axis, x), keepdims=bool(keepdims), correction=float(correction))
    return node


def _std_body(x: Node, *, axis: tuple[int, ...], keepdims: bool, correction: float) -> Node:
    node: Node = sqrt(var_op(x, axis=axis, keepdims=keepdims, correction=correction))
    return node


def _std_gradient(
    g: Node, out: Node, x: Node, *, axis: tuple[int, ...], keepdims: bool, correction: float
) -> tuple[Node]:
    """Deviations over the spread; 0 where nothing varies, as that of a norm."""
    count = subtract(size_node(product(tuple(x.shape[a] for a in axis)), x.dtype), correction)
    scale = restore_axes(divide(divide(g, count), where(greater(out, 0), out, 1)), axis, keepdims)
    return (multiply(subtract(x, mean_op(x, axis=axis, keepdims=True)), scale),)


std_op = Op(
    "std",
    "composite",
    ("x",),
    float_type,
    attrs={"axis": ..., "keepdims": False, "correction": 0.0},
    coerce=floats,
    body=_std_body,
    gradient=_std_gradient,
    latex=r"\operatorname{{std}} {x}",
    cost=0.6,
)


def std(x: Any, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Node:
    """The standard deviation along axes, the root of the variance; its gradient is 0 where nothing varies.

    Example:
        >>> import graphc as gx
        >>> str(gx.std(gx.input("x", ("n", 3)), axis=0, correction=1).type)
        'float32[3]'
    """
    (x,) = as_nodes((x,))
    node: Node = std_op(x, axis=normal_axes(axis, x), keepdims=bool(keepdims), correction=float(correction))
    return node


# -- whether any or all are true ----------------------------------------------------------------------------------


def _truth(name: str, latex: str) -> Op:
    return Op(
        name,
        "select",
        ("x",),
        float_type,
        attrs={"axis": ..., "keepdims": False},
        coerce=bools,
        gradient=lambda g, out, x, **_: (ZERO,),
        numpy=lambda x, node: _call(name, x, node),
        latex=latex,
        cost=0.1,
    )


any_op = _truth("any", r"\exists\, {x}")
all_op = _truth("all", r"\forall\, {x}")


def any(x: Any, axis: Any = None, keepdims: bool = False) -> Node:
    """Whether a condition holds somewhere along axes (all by default).

    Raises:
        DTypeError: ``x`` is not bool.

    Example:
        >>> import graphc as gx
        >>> str(gx.any(gx.input("x", ("n", 3)) > 0, axis=1).type)
        'bool[n]'
    """
    (x,) = bools((x,))
    node: Node = any_op(x, axis=normal_axes(axis, x), keepdims=bool(keepdims))
    return node


def all(x: Any, axis: Any = None, keepdims: bool = False) -> Node:
    """Whether a condition holds everywhere along axes (all by default).

    Raises:
        DTypeError: ``x`` is not bool.

    Example:
        >>> import graphc as gx
        >>> str(gx.all(gx.input("x", ("n", 3)) > 0).type)
        'bool[]'
    """
    (x,) = bools((x,))
    node: Node = all_op(x, axis=normal_axes(axis, x), keepdims=bool(keepdims))
    return node


# -- selections: linear once the place of the maximum is fixed ----------------------------------------------------


def _one_axis(x: Type, *, axis: int, keepdims: bool) -> Type:
    if x.shape[axis] == 0:
        raise ShapeError(f"axis {axis} is empty, so it has no maximum")
    return Type(x.dtype, _reduced(x.shape, (axis,), keepdims))


first_max = Op(
    "first_max",
    "select",
    ("x",),
    along,
    attrs={"axis": ...},
    coerce=as_nodes,
    gradient=lambda g, out, x, *, axis: (ZERO,),
    numpy="_argmax_one_hot({x}, {axis})",
    helpers=("_argmax_one_hot",),
    axes="first",
    pair=maximum_op,
    latex=r"\operatorname{{onehot}}(\arg\max {x})",
    doc="1 at the first maximum along an axis, 0 elsewhere.",
    cost=1.0,
)


def _max_gradient(g: Node, out: Node, x: Node, *, axis: int, keepdims: bool) -> tuple[Node]:
    return (multiply(restore_axes(g, (axis,), keepdims), first_max(x, axis=axis)),)


SHORT, MANY = 16, 64
"""An axis of at most so many elements, and at least so many reductions along it: many short rows."""


def _is_short(node: Node) -> bool:
    """Whether NumPy would go through very many very short rows: a copy with the axis in front is 20 times as fast."""
    axis, (*others, last) = node.attrs["axis"], node.inputs[0].shape
    if axis != len(others) or node.attrs["keepdims"] or not isinstance(last, int):
        return False
    return last <= SHORT and math.prod(d for d in others if isinstance(d, int)) >= MANY


def _max_code(x: str, node: Node) -> str:
    if _is_short(node):
        return f"np.moveaxis({x}, {node.attrs['axis']}, 0).copy().max(axis=0)"
    return _call("max", x, node)


def _max_into(operands: Any, out: str, node: Node, hoist: Any) -> list[str]:
    if _is_short(node):
        axis = node.attrs["axis"]
        return [f"np.maximum.reduce(np.moveaxis({operands[0]}, {axis}, 0).copy(), axis=0, out={out})"]
    lines: list[str] = _reduce_into("maximum")(operands, out, node, hoist)
    return lines


max_op = Op(
    "max",
    "select",
    ("x",),
    _one_axis,
    attrs={"axis": ..., "keepdims": False},
    coerce=as_nodes,
    gradient=_max_gradient,
    numpy=_max_code,
    into=_max_into,
    turn=_turned,
    noun="largest",
    axes="reduce",
    pair=maximum_op,
    latex=r"\max {x}",
    cost=0.3,
    properties=frozenset({"moves"}),
)


row_shift = Op(
    "row_shift",
    "select",
    ("x",),
    _one_axis,
    attrs={"axis": ..., "keepdims": True},
    coerce=as_nodes,
    gradient=_max_gradient,
    numpy=_max_code,
    into=_max_into,
    turn=_turned,
    noun="largest",
    latex=r"\max {x}",
    cost=0.3,
    doc="A number for each row that its exponentials are taken less, which cancels: the largest of the row.",
    properties=frozenset({"shift"}),  # nothing is known of its range: planned code may take 0
)


def max(x: Any, axis: Any = None, keepdims: bool = False) -> Node:
    """The largest value along axes (all by default); at a tie the first takes the gradient.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n", 2))
        >>> gx.compile(gx.max(x, axis=1))([[1.0, 2.0], [3.0, 5.0]])
        array([2., 5.], dtype=float32)
    """
    (x,) = as_nodes((x,))
    axes = normal_axes(axis, x)
    if not axes:
        scalar: Node = x
        return scalar
    if len(axes) == 1:
        node: Node = max_op(x, axis=axes[0], keepdims=bool(keepdims))
        return node
    flat, at = merged(x, axes)
    return _keep(max_op(flat, axis=at, keepdims=False), axes, keepdims)


def merged(x: Node, axes: tuple[int, ...]) -> tuple[Node, int]:
    """The same entries with these axes as one, and which one: itself, or the last."""
    if len(axes) == 1:
        return x, axes[0]
    kept = [a for a in range(x.ndim) if a not in axes]
    count = product(tuple(x.shape[a] for a in axes))
    return reshape(transpose(x, (*kept, *axes)), (*(x.shape[a] for a in kept), count)), len(kept)


def unmerged(flat: Node, shape: Shape, axes: tuple[int, ...]) -> Node:
    """The inverse of ``merged``, for what had this shape."""
    if len(axes) == 1:
        return flat
    order = (*(a for a in range(len(shape)) if a not in axes), *axes)
    back = tuple(sorted(range(len(order)), key=order.__getitem__))
    return transpose(reshape(flat, tuple(shape[a] for a in order)), back)


def _keep(x: Node, axes: tuple[int, ...], keepdims: bool) -> Node:
    return restore_axes(x, axes, False) if keepdims else x


def min(x: Any, axis: Any = None, keepdims: bool = False) -> Node:
    """The smallest value along axes (all by default); at a tie the first takes the gradient.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n", 2))
        >>> gx.compile(gx.min(x, axis=1))([[1.0, 2.0], [3.0, 5.0]])
        array([1., 3.], dtype=float32)
    """
    node: Node = negative(max(negative(x), axis, keepdims))
    return node


def _place(name: str, latex: str) -> Op:
    return Op(
        name,
        "select",
        ("x",),
        lambda x, *, axis, keepdims: Type("int64", _one_axis(x, axis=axis, keepdims=keepdims).shape),
        attrs={"axis": ..., "keepdims": False},
        coerce=as_nodes,
        gradient=lambda g, out, x, **_: (ZERO,),
        numpy=lambda x, node: _call(name, x, node),
        latex=latex,
        cost=0.3,
    )


argmax_op = _place("argmax", r"\arg\max {x}")
argmin_op = _place("argmin", r"\arg\min {x}")


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Node:
    """The place of the first maximum along an axis, or in the flattened array, as int64.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n", 2))
        >>> gx.compile(gx.argmax(x, axis=1))([[1.0, 2.0], [3.0, 5.0]])
        array([1, 1])
    """
    return _found(argmax_op, x, axis, keepdims)


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Node:
    """The place of the first minimum along an axis, or in the flattened array, as int64.

    Example:
        >>> import graphc as gx
        >>> str(gx.argmin(gx.input("x", ("n", 3)), axis=1).type)
        'int64[n]'
    """
    return _found(argmin_op, x, axis, keepdims)


def _found(op: Op, x: Any, axis: int | None, keepdims: bool) -> Node:
    (x,) = as_nodes((x,))
    if axis is None:
        flat: Node = op(reshape(x, -1), axis=0, keepdims=False)
        return _keep(flat, tuple(range(x.ndim)), keepdims)
    (a,) = normal_axes(axis, x)
    node: Node = op(x, axis=a, keepdims=bool(keepdims))
    return node


CARDS = (sum_op, mean_op, var_op, std_op, any_op, all_op, first_max, max_op, row_shift, argmax_op, argmin_op)
