"""Look-ups by integers, and their transposes."""

from __future__ import annotations

from typing import Any

from graphc.errors import DTypeError, ShapeError
from graphc.ir.node import Node
from graphc.ir.op import ZERO, Op
from graphc.ir.size import Size, size
from graphc.ir.types import DEFAULT_FLOAT, Type, as_dtype
from graphc.ops.card import as_nodes, linear, promoted
from graphc.ops.compare import greater, where
from graphc.ops.shape import along, dims_text, normal_axis


def _integers(indices: Type) -> None:
    if not indices.dtype.startswith("int"):
        raise DTypeError("an index is an integer", given=str(indices), fix='declare it with dtype="int64"')


def _take_type(x: Type, indices: Type, *, axis: int) -> Type:
    _integers(indices)
    along(x, axis=axis)
    return Type(x.dtype, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


take_op = linear(
    "take",
    "x indices",
    _take_type,
    (lambda g, x, indices, *, axis: scatter_add_op(g, indices, shape=x.shape, axis=axis), ZERO),
    attrs={"axis": 0},
    numpy="np.take({x}, {indices}, axis={axis})",
    latex=r"{x}_{{{indices}}}",
    cost=0.5,
    properties="moves",
)


def adding_type(x: Type, taken: Type, shape: tuple[Any, ...]) -> Type:
    """The type of values added up at indices, where ``taken`` is what those indices would take from it."""
    if x.dtype == "bool":
        raise DTypeError("bools do not add up", given=str(x), fix="convert them with gx.astype")
    if taken.shape != x.shape:
        raise ShapeError("the values do not fit the indices")
    return Type(x.dtype, shape)


def _scatter_type(x: Type, indices: Type, *, shape: tuple[Any, ...], axis: int) -> Type:
    return adding_type(x, _take_type(Type(x.dtype, shape), indices, axis=axis), shape)


scatter_add_op: Op = linear(
    "scatter_add",
    "x indices",
    _scatter_type,
    (lambda g, x, indices, *, shape, axis: take_op(g, indices, axis=axis), ZERO),
    attrs={"shape": ..., "axis": 0},
    numpy=lambda x, indices, node: (
        f"_scatter_add({x}, {indices}, {dims_text(node.shape)}, {node.attrs['axis']})"
    ),
    helpers=("_scatter_add",),
    latex=r"\operatorname{{scatter}}_{{{indices}}}({x})",
    cost=5.0,
)


def take(x: Any, indices: Any, axis: int = 0) -> Node:
    """The entries of ``x`` at integer ``indices`` along an axis; the gradient is added up where they came from.

    Example:
        >>> import graphc as gx
        >>> table = gx.param("table", (3, 2))
        >>> ids = gx.input("ids", ("n",), dtype="int64")
        >>> gx.compile(gx.take(table, ids, axis=0))([2, 0], [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
        array([[4., 5.],
               [0., 1.]], dtype=float32)
    """
    x, indices = as_nodes((x, indices))
    axis = normal_axis(axis, x)
    node: Node = take_op(x, indices, axis=axis)
    _refuse_outside(indices, x.shape[axis], axis)
    return node


def _refuse_outside(indices: Node, dim: Any, axis: int) -> None:
    """Fixed indices into an axis of fixed size are checked where they are written."""
    if indices.op.role != "const" or not isinstance(dim, int):
        return
    values = indices.attrs["value"].value
    outside = values[(values < -dim) | (values >= dim)]
    if outside.size:
        raise ShapeError(f"index {outside.flat[0]} is out of range on axis {axis} of size {dim}")


def _one_hot_type(labels: Type, *, classes: int, dtype: str) -> Type:
    _integers(labels)
    return Type(dtype, (*labels.shape, classes))


one_hot_op = Op(
    "one_hot",
    "select",
    ("labels",),
    _one_hot_type,
    attrs={"classes": ..., "dtype": DEFAULT_FLOAT},
    coerce=as_nodes,
    gradient=lambda g, out, labels, **_: (ZERO,),
    numpy=lambda labels, node: f"_one_hot({labels}, {node.attrs['classes']}, np.{node.dtype})",
    into=lambda operands, out, node, hoist: [
        "np.equal({}[..., None], {}, out={})".format(
            operands[0], hoist(f"np.arange({node.attrs['classes']})", "classes"), out
        )
    ],
    helpers=("_one_hot",),
    properties=frozenset({"one_hot"}),
    noun="onehot",
    latex=r"\operatorname{{onehot}}({labels})",
    cost=0.5,
)


def _picked_type(marks: Type, x: Type) -> Type:
    if marks != x:
        raise ShapeError("marks and values are of one type", given=f"{marks} and {x}")
    return Type(x.dtype, ())


def _picked_body(marks: Node, x: Node) -> Node:
    from graphc.ops.reduce import sum

    return sum(where(greater(marks, 0.0), x, 0.0))


picked_sum: Op = Op(
    "picked_sum",
    "composite",
    ("marks", "x"),
    _picked_type,
    coerce=lambda inputs: promoted(inputs, floats=True),
    body=_picked_body,
    numpy="_picked({marks}, {x})",
    turn=lambda node, across: picked_sum(*map(across, node.inputs)),
    helpers=("_picked",),
    noun="picked",
    latex=r"\textstyle\sum_{{{marks} > 0}} {x}",
    cost=0.2,
    doc="The sum of the values where marks are above 0, for marks that are 1 or 0 (one-hot rows).",
)


def one_hot(labels: Any, classes: int, dtype: object = DEFAULT_FLOAT) -> Node:
    """A row per label with a single 1; the last axis has size ``classes``.

    Example:
        >>> import graphc as gx
        >>> t = gx.input("t", ("n",), dtype="int64")
        >>> gx.compile(gx.one_hot(t, 3))([2, 0])
        array([[0., 0., 1.],
               [1., 0., 0.]], dtype=float32)
    """
    count = size(classes)
    if isinstance(count, Size) or count < 1:
        raise ShapeError("the number of classes is an int of at least 1", given=str(classes))
    node: Node = one_hot_op(labels, classes=count, dtype=as_dtype(dtype))
    return node


CARDS = (take_op, scatter_add_op, one_hot_op, picked_sum)
