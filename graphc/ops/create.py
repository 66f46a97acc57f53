"""Arrays made of sizes (ranges, identities), and the parts of a matrix beside its diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.node import Node
from graphc.ir.op import Op
from graphc.ir.size import Dim, Size, size
from graphc.ir.types import DEFAULT_FLOAT, Shape, Type, as_dtype
from graphc.ops.card import as_nodes, constant, linear, promoted
from graphc.ops.shape import dims_text, normal_axis, transpose

# -- ranges and identities ----------------------------------------------------------------------------------------


def _made(name: str, attrs: dict[str, Any], rank: int, numpy: Any, latex: str) -> Op:
    """A card without operands: its value follows from its attributes and from sizes."""

    def infer(*, shape: Shape, dtype: str, **_: Any) -> Type:
        if len(shape) != rank:
            raise ShapeError(f"{name} makes {rank} axes", given=str(shape))
        return Type(dtype, shape)

    return Op(
        name,
        "select",
        (),
        infer,
        attrs={"shape": ..., **attrs, "dtype": ...},
        gradient=lambda g, out, **_: (),
        numpy=numpy,
        latex=latex,
        cost=0.5,
    )


def _dtype_text(dtype: str) -> str:
    return f"np.{dtype}{'_' if dtype == 'bool' else ''}"


def _arange_text(node: Node) -> str:
    start, step, (count,) = node.attrs["start"], node.attrs["step"], node.shape
    stop = count * step + start
    bounds = (
        [str(stop)]
        if (start, step) == (0, 1)
        else [str(start), str(stop), *([str(step)] if step != 1 else [])]
    )
    return f"np.arange({', '.join([*bounds, *_dtype_part(node, 'int64')])})"


def _dtype_part(node: Node, default: str) -> list[str]:
    return [] if node.dtype == default else [f"dtype={_dtype_text(node.dtype)}"]


arange_op = _made("arange", {"start": 0, "step": 1}, 1, _arange_text, r"[0, 1, \ldots]")


def _eye_text(node: Node) -> str:
    rows, columns = node.shape
    k = [f"k={node.attrs['k']}"] if node.attrs["k"] else []
    sizes = [str(rows)] if rows == columns else [str(rows), str(columns)]
    return f"np.eye({', '.join([*sizes, *k, *_dtype_part(node, 'float64')])})"


eye_op = _made("eye", {"k": 0}, 2, _eye_text, "I")


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: object = None) -> Node:
    """The numbers from ``start`` (0 by default) up to ``stop``, without it, in steps.

    Args:
        start: where the range begins; alone, where it ends.
        stop: where it ends: a number or, in steps of 1 from an int, a size.
        step: not 0.
        dtype: int64, or float32 where a float is given, unless said otherwise.

    Raises:
        ArgumentError: a step of 0, or a named size with a step that is not 1.

    Example:
        >>> import graphc as gx
        >>> gx.arange("n").type, gx.compile(gx.arange(1, 7, 2))()
        (Type(dtype='int64', shape=(n,)), array([1, 3, 5]))
    """
    start, stop = (0, start) if stop is None else (start, stop)
    if step == 0:
        raise ArgumentError("the step of a range is zero")
    if any(isinstance(v, (float, np.floating)) for v in (start, stop, step)):
        return constant(np.arange(start, stop, step), as_dtype(dtype or DEFAULT_FLOAT))
    node: Node = arange_op(
        shape=(_range_size(start, stop, step),),
        start=start.__index__(),
        step=step.__index__(),
        dtype=as_dtype(dtype or "int64"),
    )
    return node


def _range_size(start: Any, stop: Any, step: Any) -> Dim:
    if isinstance(stop, (str, Size)):
        if step != 1:
            raise ArgumentError("a range up to a named size has steps of 1", given=f"step={step}")
        count: Dim = size(stop) - start.__index__()
        return count
    return len(range(start, stop, step))


def linspace(start: Any, stop: Any, num: int, dtype: object = None, endpoint: bool = True) -> Node:
    """``num`` numbers from ``start`` to ``stop`` at equal distances; both may be nodes.

    Args:
        start: a number, or a scalar.
        stop: likewise.
        num: an int.
        dtype: float32 unless said otherwise, or that of the nodes.
        endpoint: whether ``stop`` is the last of them.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.linspace(0, 1, 5))()
        array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    if not isinstance(start, Node) and not isinstance(stop, Node):
        return constant(np.linspace(start, stop, num, endpoint=endpoint), as_dtype(dtype or DEFAULT_FLOAT))
    first, last = promoted((start, stop), floats=True)
    share = constant(np.linspace(0, 1, num, endpoint=endpoint), as_dtype(dtype or first.dtype))
    node: Node = first * (1 - share) + last * share
    return node


def eye(n_rows: Any, n_cols: Any = None, k: int = 0, dtype: object = DEFAULT_FLOAT) -> Node:
    """Ones on the k-th diagonal, zeros elsewhere.

    Args:
        n_rows: a size.
        n_cols: a size; ``n_rows`` by default.
        k: which diagonal; above the main one where positive.
        dtype: float32 unless said otherwise.

    Example:
        >>> import graphc as gx
        >>> gx.eye("n", 3).type
        Type(dtype='float32', shape=(n, 3))
    """
    rows = size(n_rows)
    columns = rows if n_cols is None else size(n_cols)
    node: Node = eye_op(shape=(rows, columns), k=k.__index__(), dtype=as_dtype(dtype))
    return node


# -- above and below the diagonal ---------------------------------------------------------------------------------


def _matrix(x: Type, *, k: int) -> Type:
    if x.ndim < 2:
        raise ShapeError("only a matrix has a diagonal", given=str(x))
    return x


def _triangle(name: str) -> Op:
    op: Op = linear(
        name,
        "x",
        _matrix,
        lambda g, x, *, k: op(g, k=k),
        attrs={"k": 0},
        numpy=lambda x, node: f"np.{name}({x}{', ' + str(node.attrs['k']) if node.attrs['k'] else ''})",
        latex=rf"\operatorname{{{{{name}}}}}({{x}})",
        cost=1.0,
    )
    return op


tril_op = _triangle("tril")
triu_op = _triangle("triu")


def tril(x: Any, k: int = 0) -> Node:
    """``x`` on and below the k-th diagonal of its last two axes, 0 above.

    Raises:
        ShapeError: fewer than two axes.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.tril(gx.ones((2, 2))))()
        array([[1., 0.],
               [1., 1.]], dtype=float32)
    """
    node: Node = tril_op(*as_nodes((x,)), k=k.__index__())
    return node


def triu(x: Any, k: int = 0) -> Node:
    """``x`` on and above the k-th diagonal of its last two axes, 0 below.

    Raises:
        ShapeError: fewer than two axes.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.triu(gx.ones((2, 2)), k=1))()
        array([[0., 1.],
               [0., 0.]], dtype=float32)
    """
    node: Node = triu_op(*as_nodes((x,)), k=k.__index__())
    return node


# -- the diagonal and its transpose -------------------------------------------------------------------------------


def _diagonal_type(x: Type, *, k: int) -> Type:
    rows, columns = _matrix(x, k=k).shape[-2:]
    return Type(x.dtype, (*x.shape[:-2], _diagonal_size(rows, columns, k)))


def _diagonal_size(rows: Dim, columns: Dim, k: int) -> Dim:
    high, wide = rows + min(k, 0), columns - max(k, 0)
    if isinstance(high, int) and isinstance(wide, int):
        return max(0, min(high, wide))
    if rows == columns:
        return rows - abs(k)
    raise ShapeError(
        f"which of {rows} and {columns} is less is only known at run time", fix="slice it square"
    )


diagonal_op: Op = linear(
    "diagonal",
    "x",
    _diagonal_type,
    lambda g, x, *, k: place_diagonal_op(g, shape=x.shape, k=k),
    attrs={"k": 0},
    properties="view",
    suffix=lambda node: "diagonal",
    numpy=lambda x, node: (
        f"{x.atom}.diagonal({node.attrs['k'] or ''})"
        if node.ndim == 1
        else f"{x.atom}.diagonal({node.attrs['k']}, -2, -1)"
    ),
    latex=r"\operatorname{{diag}}({x})",
    cost=0.0,
)


def _place_diagonal_type(x: Type, *, shape: Shape, k: int) -> Type:
    if _diagonal_type(Type(x.dtype, shape), k=k).shape != x.shape:
        raise ShapeError("the values do not fit the diagonal", given=f"{x}, {shape}")
    return Type(x.dtype, shape)


place_diagonal_op: Op = linear(
    "place_diagonal",
    "x",
    _place_diagonal_type,
    lambda g, x, *, shape, k: diagonal_op(g, k=k),
    attrs={"shape": ..., "k": 0},
    numpy=lambda x, node: f"_place_diagonal({x}, {dims_text(node.shape)}, {node.attrs['k']})",
    helpers=("_place_diagonal",),
    latex=r"\operatorname{{diag}}({x})",
    cost=1.0,
    doc="Zeros of a shape, with values on a diagonal.",
)


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Node:
    """The diagonals of two axes, as a last axis.

    Args:
        x: of two axes or more.
        offset: which diagonal; above the main one where positive.
        axis1: the axis of the rows.
        axis2: the axis of the columns.

    Raises:
        ShapeError: fewer than two axes, or named sizes of which one is not known to be less.

    Example:
        >>> import graphc as gx
        >>> gx.diagonal(gx.input("x", ("n", "n"))).type
        Type(dtype='float32', shape=(n,))
    """
    (x,) = as_nodes((x,))
    rows, columns = normal_axis(axis1, x.ndim), normal_axis(axis2, x.ndim)
    if rows == columns:
        raise ShapeError("a diagonal runs through two axes", given=f"axis {rows} twice")
    order = (*(a for a in range(x.ndim) if a not in (rows, columns)), rows, columns)
    if order != tuple(range(x.ndim)):
        x = transpose(x, order)
    node: Node = diagonal_op(x, k=offset.__index__())
    return node


def diag(x: Any, k: int = 0) -> Node:
    """A matrix with the vector ``x`` on its k-th diagonal; of a matrix, its k-th diagonal.

    Example:
        >>> import graphc as gx
        >>> gx.diag(gx.input("v", ("n",))).type
        Type(dtype='float32', shape=(n, n))
    """
    (x,) = as_nodes((x,))
    if x.ndim != 1:
        return diagonal(x, offset=k)
    n = x.shape[0] + abs(k)
    node: Node = place_diagonal_op(x, shape=(n, n), k=k.__index__())
    return node


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Node:
    """The sum of a diagonal.

    Example:
        >>> import graphc as gx
        >>> int(gx.compile(gx.trace(gx.const([[1, 2], [3, 4]])))())
        5
    """
    from graphc.ops.reduce import sum

    return sum(diagonal(x, offset, axis1, axis2), axis=-1)


CARDS = (arange_op, eye_op, tril_op, triu_op, diagonal_op, place_diagonal_op)
