"""Values combined with others at places: the sum, product, largest or smallest of all that meet there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.errors import DTypeError
from graphc.ir.node import Node
from graphc.ir.op import ZERO, Op
from graphc.ir.types import Type
from graphc.ops.arith import add, multiply
from graphc.ops.arrange import flip
from graphc.ops.card import as_nodes
from graphc.ops.compare import equal, logical_and, where
from graphc.ops.create import arange
from graphc.ops.cumulate import _before, recurrence
from graphc.ops.index import scatter_add_op, take_op
from graphc.ops.leaves import full, ones_like, size_node, zeros_like
from graphc.ops.order import argsort_op
from graphc.ops.put import _numbered, _put_at, _put_type
from graphc.ops.shape import broadcast_to
from graphc.ops.slices import getitem


def _numbers(x: Type, values: Type, indices: Type) -> Type:
    if x.dtype == "bool":
        raise DTypeError("bools do not combine", given=str(x), fix="convert them with gx.astype")
    return _put_type(x, values, indices)


def _card(name: str, gradient: Callable[..., Any], doc: str) -> Op:
    return Op(
        f"{name}_at",
        "select",
        ("x", "values", "indices"),
        _numbers,
        coerce=as_nodes,
        gradient=gradient,
        numpy=f"_combined_at(np.{name}, {{x}}, {{values}}, {{indices}})",
        helpers=("_combined_at",),
        latex=rf"\operatorname{{{{{name}}}}}_{{{{{{indices}}}}}}({{x}}, {{values}})",
        cost=8.0,
        doc=doc,
    )


# -- the largest and the smallest ---------------------------------------------------------------------------------


def _winner(g: Node, out: Node, x: Node, values: Node, indices: Node) -> tuple[Any, ...]:
    """What was there wins a tie, else the first of the values that are equal to the result."""
    count = size_node(values.shape[0], "int64")
    order = arange(values.shape[0])
    meets = equal(values, take_op(out, indices, axis=0))
    kept = equal(x, out)
    start = where(kept, -1, broadcast_to(count, x.shape))
    first = minimum_at_op(start, where(meets, order, broadcast_to(count, values.shape)), indices)
    wins = logical_and(meets, equal(take_op(first, indices, axis=0), order))
    picked = take_op(g, indices, axis=0)
    return where(kept, g, zeros_like(g)), where(wins, picked, zeros_like(picked)), ZERO


maximum_at_op = _card("maximum", _winner, "The largest of x and the values that meet it, at integer places.")
minimum_at_op = _card("minimum", _winner, "The smallest of x and the values that meet it, at integer places.")


# -- the product --------------------------------------------------------------------------------------------------


def _product_gradient(g: Node, out: Node, x: Node, values: Node, indices: Node) -> tuple[Any, ...]:
    """Each factor's slope is the product of the others, without a division: right at zeros."""
    others = multiply(take_op(x, indices, axis=0), _other_factors(values, indices))
    rest = multiply_at_op(ones_like(x), values, indices)
    return multiply(g, rest), multiply(take_op(g, indices, axis=0), others), ZERO


def _other_factors(values: Node, indices: Node) -> Node:
    """For each value the product of the others for its place: those before it, and those behind it."""
    order = argsort_op(indices, axis=0)
    sorted_values, places = take_op(values, order, axis=0), take_op(indices, order, axis=0)
    before = _products_before(sorted_values, places)
    behind = flip(_products_before(flip(sorted_values, 0), flip(places, 0)), 0)
    node: Node = take_op(multiply(before, behind), argsort_op(order, axis=0), axis=0)
    return node


def _products_before(values: Node, places: Node) -> Node:
    """The running product before each value, begun anew where the place changes: a linear recurrence."""
    same = logical_and(equal(places, _before(places, 0, 0)), arange(places.shape[0]) > 0)
    one = full(values.shape, 1, values.dtype)
    carried = where(same, _before(values, 0, 0), zeros_like(values))
    node: Node = recurrence(carried, where(same, zeros_like(values), one), axis=0)
    return node


multiply_at_op = _card("multiply", _product_gradient, "x times the values that meet it, at integer places.")


# -- what users call ----------------------------------------------------------------------------------------------


def _sum_at(x: Node, values: Node, indices: Node) -> Node:
    node: Node = add(x, scatter_add_op(values, indices, shape=x.shape, axis=0))
    return node


def _combined(combine: Callable[..., Node], x: Any, index: Any, values: Any) -> Node:
    (x,) = as_nodes((x,))
    return _put_at(x, getitem(_numbered(x), index), values, combine)


def add_at(x: Any, index: Any, values: Any) -> Node:
    """``x`` with ``values`` added where ``index`` says; a place that is named twice gets both (``np.add.at``).

    Args:
        x: float or int.
        index: any index that ``x[...]`` takes.
        values: the shape of ``x[index]``, or what broadcasts to it.

    Raises:
        DTypeError: bools, or floats for an integer array.
        ShapeError: an index out of range, or values that do not fit.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.add_at(gx.const([1, 2, 3]), gx.const([0, 0, 2]), gx.const([10, 20, 30])))()
        array([31,  2, 33])
    """
    return _combined(_sum_at, x, index, values)


def multiply_at(x: Any, index: Any, values: Any) -> Node:
    """``x`` times ``values`` where ``index`` says; a place that is named twice takes both (``np.multiply.at``).

    The gradient divides by nothing, so it is right at zeros.

    Args:
        x: float or int.
        index: any index that ``x[...]`` takes.
        values: the shape of ``x[index]``, or what broadcasts to it.

    Raises:
        DTypeError, ShapeError: as for ``add_at``.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.multiply_at(gx.const([1, 2, 3]), gx.const([0, 0, 2]), gx.const([10, 20, 30])))()
        array([200,   2,  90])
    """
    return _combined(multiply_at_op, x, index, values)


def maximum_at(x: Any, index: Any, values: Any) -> Node:
    """``x``, or the largest of ``values`` where that is larger, at the places of ``index`` (``np.maximum.at``).

    At a tie ``x`` takes the gradient, else the first of the values.

    Args:
        x: float or int.
        index: any index that ``x[...]`` takes.
        values: the shape of ``x[index]``, or what broadcasts to it.

    Raises:
        DTypeError, ShapeError: as for ``add_at``.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.maximum_at(gx.const([1, 2, 3]), gx.const([0, 0, 2]), gx.const([5, 4, 1])))()
        array([5, 2, 3])
    """
    return _combined(maximum_at_op, x, index, values)


def minimum_at(x: Any, index: Any, values: Any) -> Node:
    """``x``, or the smallest of ``values`` where that is smaller, at the places of ``index`` (``np.minimum.at``).

    At a tie ``x`` takes the gradient, else the first of the values.

    Args:
        x: float or int.
        index: any index that ``x[...]`` takes.
        values: the shape of ``x[index]``, or what broadcasts to it.

    Raises:
        DTypeError, ShapeError: as for ``add_at``.

    Example:
        >>> import graphc as gx
        >>> gx.compile(gx.minimum_at(gx.const([1, 2, 3]), gx.const([0, 0, 2]), gx.const([5, 4, 1])))()
        array([1, 2, 1])
    """
    return _combined(minimum_at_op, x, index, values)


CARDS = (maximum_at_op, minimum_at_op, multiply_at_op)
