"""Functions of the Array API and of NumPy that are short equations in other cards: counts, differences, ranges."""

from __future__ import annotations

from typing import Any

from graphc.errors import ArgumentError, ShapeError
from graphc.ir.node import Node
from graphc.ir.op import ZERO, Op
from graphc.ir.types import Type, broadcast
from graphc.ops.arith import subtract
from graphc.ops.card import as_nodes, promoted
from graphc.ops.compare import not_equal
from graphc.ops.index import take
from graphc.ops.leaves import full
from graphc.ops.reduce import max, min, sum
from graphc.ops.shape import broadcast_to, normal_axis, reshape
from graphc.ops.slices import WHOLE, concat, slice_op

# -- along axes ---------------------------------------------------------------------------------------------------


def count_nonzero(x: Any, axis: Any = None, keepdims: bool = False) -> Node:
    """How many entries along axes (all by default) are not 0, as int64; nan counts.

    Raises:
        ShapeError: there is no such axis.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.count_nonzero(gx.const([[0, 2, 3], [0, 0, 1]]), axis=1))()
        array([2, 1])
    """
    (x,) = as_nodes((x,))
    return sum(x if x.dtype == "bool" else not_equal(x, 0), axis, keepdims)


def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Node:
    """The largest value along axes (all by default) less the smallest; at a tie the first takes the gradient.

    Raises:
        ShapeError: there is no such axis, or it is empty.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.ptp(gx.const([[4, 2, 3], [0, 0, 1]]), axis=1))()
        array([2, 1])
    """
    node: Node = subtract(max(x, axis, keepdims), min(x, axis, keepdims))
    return node


def diff(x: Any, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Node:
    """Each entry along an axis less the one before it, ``n`` times over; of bools, whether they differ.

    Args:
        x: of one axis or more.
        axis: along which.
        n: how often; 0 gives ``x``.
        prepend: what stands in front, of the rank of ``x``, or a scalar.
        append: what stands behind, likewise.

    Returns:
        one entry less for each time, along the axis.

    Raises:
        ShapeError: there is no such axis, or too few entries.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.diff(gx.const([1, 4, 9, 16]), prepend=0))()
        array([1, 3, 5, 7])
    """
    if not hasattr(n, "__index__") or n < 0:
        raise ArgumentError("differences are taken a whole number of times", given=repr(n)[:60])
    (x,) = as_nodes((x,))
    at = normal_axis(axis, x)
    parts = [p if p is x else _end(p, x, at) for p in (prepend, x, append) if p is not None]
    node: Node = concat(parts, at) if len(parts) > 1 else x
    for _ in range(n):
        node = _step(node, at)
    return node


def _end(value: Any, x: Node, axis: int) -> Node:
    """What stands before or behind, a scalar as one entry along the axis."""
    nodes = as_nodes((value,)) if isinstance(value, Node) else promoted((value, x))
    if nodes[0].ndim:
        return nodes[0]
    return broadcast_to(nodes[0], (*x.shape[:axis], 1, *x.shape[axis + 1 :]))


def _step(x: Node, axis: int) -> Node:
    if x.shape[axis] == 0:
        raise ShapeError(f"axis {axis} has no entries left to differ")
    lead = (WHOLE,) * axis
    later, earlier = slice_op(x, index=(*lead, (1, None, None))), slice_op(x, index=(*lead, (None, -1, None)))
    node: Node = (not_equal if x.dtype == "bool" else subtract)(later, earlier)
    return node


# -- places in a sorted vector ------------------------------------------------------------------------------------


def _places_type(x1: Type, x2: Type, *, right: bool) -> Type:
    if x1.ndim != 1:
        raise ShapeError("values are searched for in a vector", given=str(x1))
    return Type("int64", x2.shape)


def _search_text(x1: Any, x2: Any, node: Node) -> str:
    side = ', side="right"' if node.attrs["right"] else ""
    return f"np.searchsorted({x1}, {x2}{side})"


searchsorted_op = Op(
    "searchsorted",
    "select",
    ("x1", "x2"),
    _places_type,
    attrs={"right": False},
    coerce=promoted,
    gradient=lambda g, out, x1, x2, *, right: (ZERO, ZERO),
    numpy=_search_text,
    latex=r"\#\{{{x1} < {x2}\}}",
    doc="How many entries of a sorted vector lie before each value (with right: at or before it).",
    cost=30.0,
)


def searchsorted(x1: Any, x2: Any, side: str = "left", sorter: Any = None) -> Node:
    """Where each of ``x2`` would be put into the sorted vector ``x1``, as int64.

    Args:
        x1: a vector, in increasing order unless ``sorter`` gives one.
        x2: of any shape.
        side: ``left`` before entries equal to it, ``right`` behind them.
        sorter: the places of ``x1`` in increasing order, as ``argsort`` gives them.

    Raises:
        ArgumentError: another side.
        ShapeError: ``x1`` is not a vector.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.searchsorted(gx.const([1, 3, 5]), gx.const([0, 3, 9])))()
        array([0, 1, 3])
    """
    if side not in ("left", "right"):
        raise ArgumentError("there is no such side", given=repr(side)[:60], expected="left or right")
    (x1,) = as_nodes((x1,))
    node: Node = searchsorted_op(x1 if sorter is None else take(x1, sorter), x2, right=side == "right")
    return node


# -- shapes of several --------------------------------------------------------------------------------------------


def broadcast_arrays(*xs: Any) -> tuple[Node, ...]:
    """Each operand repeated to the shape that all of them broadcast to; dtypes stay.

    Raises:
        ShapeError: the shapes do not fit.

    Example:
        >>> import graphc as gx
        >>> [x.shape for x in gx.broadcast_arrays(gx.input("x", ("n", 1)), gx.input("y", (1, 3)))]
        [(n, 3), (n, 3)]
    """
    nodes = as_nodes(xs)
    shape = broadcast([x.shape for x in nodes]) if nodes else ()
    return tuple(broadcast_to(x, shape) for x in nodes)


def meshgrid(*xs: Any, indexing: str = "xy") -> tuple[Node, ...]:
    """The coordinates of every point of the grid that vectors span, one array for each vector.

    Args:
        xs: vectors, or scalars.
        indexing: ``xy`` has the second vector along the first axis, ``ij`` the first.

    Raises:
        ArgumentError: another indexing.
        ShapeError: an operand with more than one axis.

    Example:
        >>> import graphc as gx
        >>> [x.shape for x in gx.meshgrid(gx.input("x", ("n",)), gx.input("y", (3,)))]
        [(3, n), (3, n)]
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError("there is no such indexing", given=repr(indexing)[:60], expected="xy or ij")
    nodes = as_nodes(xs)
    order = list(range(len(nodes)))
    if indexing == "xy" and len(order) > 1:
        order[:2] = (1, 0)
    return broadcast_arrays(*(_on_axis(x, order[i], len(nodes)) for i, x in enumerate(nodes)))


def _on_axis(x: Node, axis: int, rank: int) -> Node:
    if x.ndim > 1:
        raise ShapeError("a grid is spanned by vectors", given=str(x.type))
    count = x.shape[0] if x.ndim else 1
    return reshape(x, tuple(count if i == axis else 1 for i in range(rank)))


def full_like(x: Any, fill_value: Any, dtype: object = None) -> Node:
    """One value in the shape of ``x``, in its dtype unless said otherwise.

    Example:
        >>> import graphc as gx
        >>> str(gx.full_like(gx.input("x", ("n", 3)), 0.5).type)
        'float32[n, 3]'
    """
    (x,) = as_nodes((x,))
    return full(x.shape, fill_value, dtype or x.dtype)


def positive(x: Any) -> Node:
    """``x`` itself; a bool becomes int64, as ``-x`` does.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", (3,))
        >>> gx.positive(x) is x
        True
    """
    (node,) = promoted((x,), numbers=True)
    return node


CARDS = (searchsorted_op,)
