"""Shapes: linear cards that move values without computing them. Each transpose is another card of this file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import ArgumentError, DTypeError, ShapeError
from graphc.ir.node import Node, describe
from graphc.ir.op import ZERO, Op
from graphc.ir.origin import here, in_layer
from graphc.ir.size import Size, floor_divide, product
from graphc.ir.types import Shape, Type, as_dtype, as_shape, broadcast, shape_text
from graphc.ops.card import linear, same_type


def normal_axis(axis: Any, of: int | Node | Type) -> int:
    """An axis counted from the front, of a value or of so many axes.

    Raises:
        ShapeError: there is no such axis.
    """
    if not hasattr(axis, "__index__") or isinstance(axis, bool):
        raise ArgumentError("an axis is an int", given=repr(axis))
    axis = axis.__index__()
    ndim = of if isinstance(of, int) else of.ndim
    if not -ndim <= axis < ndim:
        raise ShapeError(
            f"there is no axis {axis}{in_layer()}",
            given=_axes_of(of),
            expected=f"from {-ndim} to {ndim - 1}" if ndim else "no axis: this is a scalar",
            where=here(),
            fix="count axes from 0 at the front, or from -1 at the end",
        )
    return int(axis % ndim)


def _axes_of(of: int | Node | Type) -> str:
    if isinstance(of, Node):
        return f"{describe(of, 'x')}: {of.type}"
    return str(of) if isinstance(of, Type) else f"{of} {'axis' if of == 1 else 'axes'}"


def normal_axes(axis: Any, of: int | Node | Type) -> tuple[int, ...]:
    """Axes in increasing order, counted from the front; None means all.

    Raises:
        ShapeError: there is no such axis, or one is named twice.
    """
    if axis is None:
        return tuple(range(of if isinstance(of, int) else of.ndim))
    axes = tuple(normal_axis(a, of) for a in (axis if isinstance(axis, (tuple, list)) else (axis,)))
    if len(set(axes)) != len(axes):
        raise ShapeError("an axis is named twice", given=str(axis), where=here(), fix="name each axis once")
    return tuple(sorted(axes))


def along(x: Type, *, axis: int) -> Type:
    """The type of ``x`` itself, for what goes along one of its axes, counted from the front."""
    if not 0 <= axis < x.ndim:
        raise ShapeError(f"there is no axis {axis}", given=str(x))
    return x


def dims_text(shape: Shape) -> str:
    """A shape as Python text, with sizes by name."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


# -- reshape, transpose, and axes of size one ---------------------------------------------------------------------


def by_rank(node: Node) -> str:
    """What is put behind a name for the same elements in another number of axes: ``column``, ``2d``."""
    if node.ndim == 2 and 1 in node.shape:
        return "column" if node.shape[1] == 1 else "row"
    return "flat" if node.ndim == 1 else f"{node.ndim}d"


def _reshape_type(x: Type, *, shape: Shape) -> Type:
    if product(x.shape) != product(shape):
        raise ShapeError(
            f"{shape_text(x.shape)} has {product(x.shape)} elements, {shape_text(shape)} has {product(shape)}",
            fix="keep the number of elements; one size may be -1, which is then what is left",
        )
    return Type(x.dtype, shape)


reshape_op: Op = linear(
    "reshape",
    "x",
    _reshape_type,
    lambda g, x, *, shape: reshape_op(g, shape=x.shape),
    attrs={"shape": ...},
    properties="view rows rearranges",
    suffix=by_rank,
    numpy=lambda x, node: (
        f"{x.atom}.reshape({dims_text(node.shape)[1:-1].rstrip(',')})"
        if node.shape
        else f"{x.atom}.reshape(())[()]"
    ),
    axes="regroup",
    latex=r"\operatorname{{reshape}}({x})",
    cost=0.0,
)


def reshape(x: Node, shape: Any) -> Node:
    """The same elements in another shape; one size may be -1.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n", 2))
        >>> gx.compile(gx.reshape(x, (-1,)))([[1.0, 2.0], [3.0, 5.0]])
        array([1., 2., 3., 5.], dtype=float32)
    """
    dims = [shape] if isinstance(shape, (int, str, Size)) else list(shape)
    if dims.count(-1) > 1:
        raise ShapeError(
            "only one size can be -1", given=str(tuple(dims)), where=here(), fix="write out the others"
        )
    if -1 in dims:
        rest = product(as_shape([d for d in dims if d != -1]))
        dims[dims.index(-1)] = floor_divide(product(x.shape), rest)
    node: Node = reshape_op(x, shape=as_shape(dims))
    return node


def _transpose_type(x: Type, *, axes: tuple[int, ...]) -> Type:
    if sorted(axes) != list(range(x.ndim)):
        raise ShapeError(
            "the axes are not a permutation", given=str(axes), expected=f"each of 0 to {x.ndim - 1} once"
        )
    return Type(x.dtype, tuple(x.shape[a] for a in axes))


def _inverse(axes: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


transpose_op: Op = linear(
    "transpose",
    "x",
    _transpose_type,
    lambda g, x, *, axes: transpose_op(g, axes=_inverse(axes)),
    attrs={"axes": ...},
    properties="view rearranges",
    suffix=lambda node: "T" if node.ndim == 2 else "permuted",
    numpy=lambda x, node: (
        f"{x.atom}.T"
        if node.attrs["axes"] == tuple(range(node.ndim))[::-1]
        else f"{x.atom}.transpose({', '.join(map(str, node.attrs['axes']))})"
    ),
    axes="permute",
    latex=r"{x}^\top",
    cost=0.0,
)


def transpose(x: Node, axes: Sequence[int] | None = None) -> Node:
    """The axes in another order; reversed by default.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n", 2))
        >>> gx.compile(gx.transpose(x))([[1.0, 2.0], [3.0, 5.0]])
        array([[1., 3.],
               [2., 5.]], dtype=float32)
    """
    order = tuple(range(x.ndim))[::-1] if axes is None else tuple(normal_axis(a, x) for a in axes)
    node: Node = transpose_op(x, axes=order)
    return node


def matrix_transpose(x: Node) -> Node:
    """The last two axes exchanged.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n", 2, 3))
        >>> gx.matrix_transpose(x).shape
        (n, 3, 2)
    """
    return transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _expand_type(x: Type, *, axis: int) -> Type:
    return Type(x.dtype, (*x.shape[:axis], 1, *x.shape[axis:]))


expand_dims_op = linear(
    "expand_dims",
    "x",
    _expand_type,
    lambda g, x, *, axis: squeeze_op(g, axis=axis),
    attrs={"axis": ...},
    properties="view rearranges",
    suffix=by_rank,
    numpy=lambda x, node: (
        f"{x.atom}[{', '.join([':'] * node.attrs['axis'] + ['None'])}]"
        if node.ndim > 1
        else f"np.expand_dims({x}, 0)"
    ),
    axes="regroup",
    turn=lambda node, across: (
        across(node.inputs[0]) if node.attrs["axis"] == 0 else transpose(across(node.inputs[0]))
    ),
    latex=r"{x}",
    cost=0.0,
)


def expand_dims(x: Node, axis: int) -> Node:
    """One more axis, of size 1, at this place.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> gx.expand_dims(x, 1).shape
        (n, 1)
    """
    node: Node = expand_dims_op(x, axis=normal_axis(axis, x.ndim + 1))
    return node


def _squeeze_type(x: Type, *, axis: int) -> Type:
    if x.shape[axis] != 1:
        raise ShapeError(f"axis {axis} has size {x.shape[axis]}", expected="1")
    return Type(x.dtype, (*x.shape[:axis], *x.shape[axis + 1 :]))


squeeze_op: Op = linear(
    "squeeze",
    "x",
    _squeeze_type,
    lambda g, x, *, axis: expand_dims_op(g, axis=axis),
    attrs={"axis": ...},
    properties="view rearranges",
    suffix=by_rank,
    numpy=lambda x, node: f"{x.atom}[{', '.join([':'] * node.attrs['axis'] + ['0'])}]",
    axes="regroup",
    turn=lambda node, across: squeeze_op(across(node.inputs[0]), axis=1 - node.attrs["axis"]),
    latex=r"{x}",
    cost=0.0,
)


def squeeze(x: Node, axis: Any = None) -> Node:
    """Without these axes of size 1; by default without every axis that is 1.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n", 1))
        >>> gx.squeeze(x, 1).shape
        (n,)
    """
    axes = [i for i, d in enumerate(x.shape) if d == 1] if axis is None else normal_axes(axis, x)
    for a in sorted(axes, reverse=True):
        x = squeeze_op(x, axis=a)
    return x


# -- broadcasting and its transpose -------------------------------------------------------------------------------


def _broadcast_type(x: Type, *, shape: Shape) -> Type:
    if broadcast([x.shape, shape]) != shape:
        raise ShapeError(
            f"{shape_text(x.shape)} does not broadcast to {shape_text(shape)}",
            fix="reshape it, or reduce it along the axes that are too many",
        )
    return Type(x.dtype, shape)


def _broadcast_numpy(x: Any, node: Node) -> str:
    if node.inputs[0].op.role == "const" and not node.inputs[0].shape:
        return f"np.full({dims_text(node.shape)}, {x}, np.{node.dtype}{'_' if node.dtype == 'bool' else ''})"
    return f"np.broadcast_to({x}, {dims_text(node.shape)})"


broadcast_to_op: Op = linear(
    "broadcast_to",
    "x",
    _broadcast_type,
    lambda g, x, *, shape: sum_to(g, x.shape),
    attrs={"shape": ...},
    properties="view",
    noun="filled",
    suffix=lambda node: "repeated",
    numpy=_broadcast_numpy,
    axes="broadcast",
    turn=lambda node, across: broadcast_to_op(across(node.inputs[0]), shape=node.shape[::-1]),
    latex=r"{x}",
    cost=0.1,
)


def broadcast_to(x: Any, shape: Any) -> Node:
    """``x`` repeated to this shape.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", (2,))
        >>> gx.compile(gx.broadcast_to(x, (3, 2)))([1.0, 2.0]).shape
        (3, 2)
    """
    dims = as_shape(shape)
    if isinstance(x, Node) and x.shape == dims:
        return x
    node: Node = broadcast_to_op(x, shape=dims)
    return node


def _sum_to_type(x: Type, *, shape: Shape) -> Type:
    if not x.is_float:
        raise DTypeError("sum_to adds up cotangents, which are floats", given=str(x), fix="use sum")
    if broadcast([x.shape, shape]) != x.shape:
        raise ShapeError(f"{shape_text(x.shape)} was not broadcast from {shape_text(shape)}")
    return Type(x.dtype, shape)


def stretched_axes(wide: Shape, narrow: Shape) -> tuple[int, ...]:
    """The axes of ``wide`` along which ``narrow`` is repeated."""
    lead = len(wide) - len(narrow)
    kept = [i + lead for i, dim in enumerate(narrow) if dim == 1 and wide[i + lead] != 1]
    return (*range(lead), *kept)


def _sum_to_body(x: Node, *, shape: Shape) -> Node:
    from graphc.ops.reduce import sum_op

    axes = stretched_axes(x.shape, shape)
    lead = len(x.shape) - len(shape)
    if all(a < lead for a in axes):
        summed: Node = sum_op(x, axis=axes, keepdims=False) if axes else x
        return summed
    return reshape(sum_op(x, axis=axes, keepdims=True), shape)


sum_to_op = linear(
    "sum_to",
    "x",
    _sum_to_type,
    lambda g, x, *, shape: broadcast_to(g, x.shape),
    attrs={"shape": ...},
    body=_sum_to_body,
    latex=r"\textstyle\sum {x}",
    cost=0.19,
    doc="Summed over the axes along which a value of this shape was repeated.",
)


def sum_to(x: Node, shape: Shape) -> Node:
    """Summed over the axes along which a value of ``shape`` was repeated: the transpose of ``broadcast_to``."""
    if x.shape == shape:
        return x
    node: Node = sum_to_op(x, shape=shape)
    return node


# -- dtypes, and stopping gradients --------------------------------------------------------------------------------


def _astype_transpose(g: Node, x: Node, *, dtype: str) -> Any:
    return astype(g, x.dtype) if x.type.is_float else ZERO


astype_op: Op = linear(
    "astype",
    "x",
    lambda x, *, dtype: Type(dtype, x.shape),
    _astype_transpose,
    attrs={"dtype": ...},
    numpy=lambda x, node: (
        f"{x.atom}.astype(np.{node.dtype}{'_' if node.dtype == 'bool' else ''})"
        if node.shape
        else f"np.{node.dtype}{'_' if node.dtype == 'bool' else ''}({x})"
    ),
    into="np.copyto({out}, {x})",
    turn=lambda node, across: astype_op(across(node.inputs[0]), dtype=node.dtype),
    noun="converted",
    properties="converts",
    axes="each",
    latex="{x}",
    cost=0.1,
)


def astype(x: Any, dtype: object) -> Node:
    """Converted to a dtype; the gradient is converted back, and is zero into integers.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> gx.compile(gx.astype(x, "int64"))([1.9, -1.9])
        array([ 1, -1])
    """
    name = as_dtype(dtype)
    if isinstance(x, Node) and x.dtype == name:
        return x
    if isinstance(x, Node) and x.type.is_float and name == "bool":
        raise DTypeError("a float is not a condition", given=str(x.type), fix="compare it, such as x != 0")
    node: Node = astype_op(x, dtype=name)
    return node


stop_gradient = linear(
    "stop_gradient",
    "x",
    same_type,
    lambda g, x: ZERO,
    body=lambda x: x,
    latex="{x}",
    doc="The value, through which no gradient flows.",
    properties="moves",
)

CARDS = (
    reshape_op,
    transpose_op,
    expand_dims_op,
    squeeze_op,
    broadcast_to_op,
    sum_to_op,
    astype_op,
    stop_gradient,
)
