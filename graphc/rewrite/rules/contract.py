"""Sums and products of matrices with less to do: REWRITES 36-44 and 58.

Whether something is less is asked of sizes: a name counts as each of a few numbers, and nothing may get worse for any.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from graphc.ir.node import Node
from graphc.ir.pattern import AttrVar, Var
from graphc.ir.size import Dim, evaluate, names_of, product
from graphc.ops.arith import multiply, square
from graphc.ops.card import constant
from graphc.ops.contract import matmul_op, matvec_op, vdot_op
from graphc.ops.create import place_diagonal_op
from graphc.ops.reduce import sum_op
from graphc.ops.shape import (
    broadcast_to_op,
    expand_dims,
    matrix_transpose,
    squeeze_op,
    transpose_op,
)
from graphc.rewrite.facts import facts_of
from graphc.rewrite.rule import FACT, STRUCTURE, Match, Rule
from graphc.rewrite.rules.holes import AXIS, KEEP, s, x, y, z

SHAPE, AXES, PLACES = (AttrVar(n) for n in ("shape", "axes", "places"))


# -- what is less -------------------------------------------------------------------------------------------------

_SIZES = (8, 128, 1024)
_MOST_NAMES = 4


def less(first: Dim, second: Dim) -> bool:
    """Whether a number of operations is less than another for some sizes, and more for none."""
    names = sorted({*names_of(first), *names_of(second)})
    if len(names) > _MOST_NAMES:
        return False
    each = [
        (evaluate(first, known), evaluate(second, known))
        for values in itertools.product(_SIZES, repeat=len(names))
        for known in [dict(zip(names, values, strict=True))]
    ]
    return all(a <= b for a, b in each) and any(a < b for a, b in each)


def _work(result: Node) -> Dim:
    """The multiplications of a product of matrices."""
    return product(result.shape) * result.inputs[0].shape[-1]


# -- sums ---------------------------------------------------------------------------------------------------------


def _sum_of_moved(m: Match) -> Node:
    axes = tuple(sorted(m.axes[a] for a in m.axis))
    total: Node = sum_op(m.x, axis=axes, keepdims=False)
    return total


def _rest_in_order(m: Match) -> str | None:
    rest = [a for i, a in enumerate(m.axes) if i not in m.axis]
    if m.keepdims:
        return "the axes that were summed remain"
    return None if rest == sorted(rest) else "the axes that remain change places"


def _sum_of_sum(m: Match) -> Node:
    """One sum over the axes of both."""
    left = [a for a in range(m.x.ndim) if a not in m.axis]
    axes = tuple(sorted((*m.axis, *(left[a] for a in m.axis2))))
    total: Node = sum_op(m.x, axis=axes, keepdims=False)
    return total


def _no_axes_kept(m: Match) -> str | None:
    return "the second sum keeps its axes, and the first did not" if m.keepdims and m.root.shape else None


def _repeats_of(m: Match) -> tuple[int, tuple[int, ...]] | None:
    """How often each element is added up, and along which of its own axes the value itself is summed."""
    lead = len(m.shape) - m.x.ndim
    count, own = 1, []
    for a in m.axis:
        if a >= lead and m.x.shape[a - lead] == m.shape[a]:
            own.append(a - lead)
        elif isinstance(m.shape[a], int):
            count *= m.shape[a]
        else:
            return None
    return count, tuple(own)


def _may_be_counted(m: Match) -> str | None:
    found = _repeats_of(m)
    if found is None or found[0] == 0:
        return "along an axis of named size there may be nothing to add up"
    return None if found[0] > 1 and m.root.type.is_float else "nothing is added up more than once"


def _counted(m: Match) -> Node | None:
    found = _repeats_of(m)
    assert found is not None
    count, own = found
    value = sum_op(m.x, axis=own, keepdims=m.keepdims) if own else m.x
    if not m.keepdims:
        lead = len(m.shape) - m.x.ndim
        for a in sorted((a - lead for a in m.axis if a >= lead and a - lead not in own), reverse=True):
            value = squeeze_op(value, axis=a - sum(b < a for b in own))
    counted: Node = multiply(value, constant(count, m.root.dtype))
    return counted


def _sums_of_two(m: Match) -> str | None:
    if m.x.ndim != 2 or m.y.ndim != 2:
        return "there are several products"
    ends = [m.x.shape[0], m.y.shape[1]]
    return None if any(ends[a] != 1 for a in m.axis) else "there is nothing to add up"


def _sums_first(m: Match) -> Node:
    """Σ₀(AB) = (Σ₀A)B and Σ₁(AB) = A(Σ₁B): vectors meet in place of matrices."""
    rows, columns = 0 in m.axis, 1 in m.axis
    left = sum_op(m.x, axis=(0,), keepdims=m.keepdims) if rows else m.x
    right = sum_op(m.y, axis=(1,), keepdims=m.keepdims) if columns else m.y
    result: Node
    if m.keepdims:
        result = matmul_op(left, right)
    elif rows and columns:
        result = sum_op(multiply(left, right), axis=(0,), keepdims=False)
    else:
        result = matvec_op(matrix_transpose(right), left) if rows else matvec_op(left, right)
    return result


def _one_row(m: Match) -> str | None:
    ones = m.root.inputs[0]
    return None if ones.ndim == m.x.ndim == 2 and ones.shape[0] == 1 else "it is more than one row of ones"


def _one_column(m: Match) -> str | None:
    ones = m.root.inputs[1]
    return None if ones.ndim == m.x.ndim == 2 and ones.shape[1] == 1 else "it is more than one column of ones"


# -- products -----------------------------------------------------------------------------------------------------


def _scale_last(m: Match) -> Node:
    result: Node = multiply(m.root.op(m.x, m.y), m.s)
    return result


def _scale_is_dear(side: int) -> Callable[[Match], str | None]:
    def when(m: Match) -> str | None:
        fewer = less(product(m.root.shape), product(m.root.inputs[side].shape))
        return None if fewer else "the product has as many elements as what is scaled, or more"

    return when


def _regrouped(m: Match) -> Node:
    """A(BC) in place of (AB)C."""
    result: Node = matmul_op(m.x, m.root.op(m.y, m.z))
    return result


def _regrouped_vector(m: Match) -> Node:
    result: Node = matvec_op(m.x, matvec_op(m.y, m.z))
    return result


def _regrouped_left(m: Match) -> Node:
    result: Node = matmul_op(matmul_op(m.x, m.y), m.z)
    return result


def _cheaper(build: Callable[[Match], Node]) -> Callable[[Match], str | None]:
    def when(m: Match) -> str | None:
        if m.x.ndim != 2 or m.y.ndim != 2 or m.z.ndim > 2:
            return "there are several products"
        other = build(m)
        before, after = (
            sum((_work(n) for n in both), start=0) for both in (_products(m.root), _products(other))
        )
        return None if less(after, before) else f"{after} multiplications are not fewer than {before}"

    return when


def _products(root: Node) -> list[Node]:
    """A product of three matrices: the last product, and the one inside it."""
    inner = [n for n in root.inputs if n.op in (matmul_op, matvec_op)]
    return [root, *inner[:1]]


def _diagonal(m: Match) -> str | None:
    side = next(n for n in m.root.inputs if n.op is place_diagonal_op)
    if m.y.ndim != 2 or side.attrs["k"] or side.ndim != 2 or side.shape[0] != side.shape[1]:
        return "it is not a square matrix of its main diagonal"
    found = facts_of(m.y)
    return None if found.finite else f"the other factor is not known to be finite: it is in {found}"


def _vector_times(m: Match) -> str | None:
    if not m.root.type.is_float or m.keepdims or m.y.ndim != 2 or m.axis != (0,):
        return "it is not a sum of rows of a matrix"
    return None if m.x.shape == (m.y.shape[0], 1) and m.y.shape[1] != 1 else "no row has a weight of its own"


_weights = Var("x", lambda node: node.ndim == 2 and node.shape[1] == 1)


def _weighted_rows(m: Match) -> Node:
    result: Node = matvec_op(matrix_transpose(m.y), squeeze_op(m.x, axis=1))
    return result


def is_of_all(m: Match) -> str | None:
    """Whether a sum takes all elements of a product of two arrays of one shape."""
    if m.root.shape != () or not m.root.type.is_float:
        return "it is not the sum of all"
    return None if m.x.shape == m.nodes.get("y", m.x).shape and m.x.ndim else "one factor is stretched"


# -- the tables ---------------------------------------------------------------------------------------------------


def _structure(name: str, left: Any, right: Any, **rest: Any) -> Rule:
    return Rule(name, left, right, STRUCTURE, phase="cost", **rest)


SUMS = (
    _structure(
        "sum-moved",
        sum_op(transpose_op(x, axes=AXES), axis=AXIS, keepdims=KEEP),
        _sum_of_moved,
        when=_rest_in_order,
        note="the same terms, where they are",
    ),
    _structure(
        "sum-sum-axes",
        sum_op(sum_op(x, axis=AXIS, keepdims=False), axis=AttrVar("axis2"), keepdims=KEEP),
        _sum_of_sum,
        when=_no_axes_kept,
    ),
    _structure(
        "sum-stretched",
        sum_op(broadcast_to_op(x, shape=SHAPE), axis=AXIS, keepdims=KEEP),
        _counted,
        when=_may_be_counted,
        note="n times a value is rounded once",
    ),
    _structure(
        "sum-of-product",
        sum_op(matmul_op(x, y), axis=AXIS, keepdims=KEEP),
        _sums_first,
        when=_sums_of_two,
        note="vectors are multiplied in place of matrices",
    ),
    _structure(
        "row-of-ones",
        matmul_op(1.0, x),
        lambda m: sum_op(m.x, axis=(0,), keepdims=True),
        when=_one_row,
        note="a sum by its name",
    ),
    _structure(
        "column-of-ones",
        matmul_op(x, 1.0),
        lambda m: sum_op(m.x, axis=(1,), keepdims=True),
        when=_one_column,
        note="a sum by its name",
    ),
    _structure(
        "vector-of-ones",
        matvec_op(x, 1.0),
        lambda m: sum_op(m.x, axis=(1,), keepdims=False),
        note="a sum by its name",
    ),
)

_SMALLER = "the product has fewer elements"
_FEWER = "fewer multiplications"

PRODUCTS = (
    _structure("scaled-left", matmul_op(x * s, y), _scale_last, when=_scale_is_dear(0), note=_SMALLER),
    _structure("scaled-right", matmul_op(x, y * s), _scale_last, when=_scale_is_dear(1), note=_SMALLER),
    _structure("scaled-matrix", matvec_op(x * s, y), _scale_last, when=_scale_is_dear(0), note=_SMALLER),
    _structure(
        "chain-right",
        matmul_op(matmul_op(x, y), z),
        _regrouped,
        when=_cheaper(_regrouped),
        note=_FEWER,
    ),
    _structure(
        "chain-left",
        matmul_op(x, matmul_op(y, z)),
        _regrouped_left,
        when=_cheaper(_regrouped_left),
        note=_FEWER,
    ),
    _structure(
        "chain-vector",
        matvec_op(matmul_op(x, y), z),
        _regrouped_vector,
        when=_cheaper(_regrouped_vector),
        note=_FEWER,
    ),
    Rule(
        "diagonal-left",
        matmul_op(place_diagonal_op(x, shape=SHAPE, k=PLACES), y),
        lambda m: multiply(expand_dims(m.x, 1), m.y),
        FACT,
        phase="cost",
        when=_diagonal,
        fact="the other factor is finite: 0 times infinity is nan",
    ),
    Rule(
        "diagonal-right",
        matmul_op(y, place_diagonal_op(x, shape=SHAPE, k=PLACES)),
        lambda m: multiply(m.y, expand_dims(m.x, 0)),
        FACT,
        phase="cost",
        when=_diagonal,
        fact="the other factor is finite: 0 times infinity is nan",
    ),
)

_IN_A_ROW = "BLAS adds in long runs, NumPy in pairs: at fast only"

BY_BLAS = tuple(
    Rule(name, left, right, STRUCTURE, phase="code", fast=True, when=when, note=_IN_A_ROW)
    for name, left, right, when in (
        ("dot", sum_op(x * y, axis=AXIS, keepdims=KEEP), lambda m: vdot_op(m.x, m.y), is_of_all),
        ("dot-itself", sum_op(square(x), axis=AXIS, keepdims=KEEP), lambda m: vdot_op(m.x, m.x), is_of_all),
        ("weighted-rows", sum_op(_weights * y, axis=AXIS, keepdims=KEEP), _weighted_rows, _vector_times),
    )
)

RULES: tuple[Rule, ...] = (*SUMS, *PRODUCTS, *BY_BLAS)
