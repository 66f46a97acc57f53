"""Means and variances: what batch and layer normalisation are made of (REWRITES 37, 45, 59-60).

The chain rule goes three ways through a normalisation: straight, through the variance, through the mean. These rules
bring the sum of the three to (γ/σ) (g - mean(g) - x̂ mean(g x̂)): what is the same along the summed axes moves out of
a sum, deviations from a mean add up to 0, and the slope of a root of squares is a quotient that is there already.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.errors import ShapeError
from graphc.ir.node import Node
from graphc.ir.op import Op
from graphc.ir.pattern import AttrVar, Var
from graphc.ir.size import product
from graphc.ops.arith import add, divide, multiply, subtract
from graphc.ops.math import sqrt
from graphc.ops.reduce import mean_op, sum_op
from graphc.ops.samples import sample_count_op
from graphc.ops.shape import (
    broadcast_to,
    broadcast_to_op,
    expand_dims_op,
    reshape_op,
    stretched_axes,
    sum_to_op,
)
from graphc.rewrite.products import Product, factors, repeats, without_axes
from graphc.rewrite.rule import FACT, ROUNDING, STRUCTURE, Match, Rule
from graphc.rewrite.rules.holes import AXIS, KEEP, c, x, y

_root = Var("s", lambda node: node.op is sqrt)
_count = Var("n", lambda node: node.shape == ())


# -- out of a sum -------------------------------------------------------------------------------------------------


def _where_shapes_meet(right: Callable[[Match], Node]) -> Callable[[Match], Node]:
    """A right side that leaves the node where its factors would have to be stretched both."""

    def careful(m: Match) -> Node:
        try:
            return right(m)
        except ShapeError:
            return m.root

    return careful


def _is_sum(op: Op) -> bool:
    return op in (sum_op, sum_to_op)


def _axes(total: Node) -> tuple[int, ...]:
    """The axes over which a node sums its operand."""
    if total.op is sum_op:
        axes: tuple[int, ...] = total.attrs["axis"]
        return axes
    return stretched_axes(total.inputs[0].shape, total.shape)


def _split(total: Node) -> tuple[Product, Product]:
    """The factors of a summand: those that vary along the axes of the sum, and those that do not.

    What was declared stays one: it is computed anyway.
    """
    (summand,), axes = total.inputs, _axes(total)

    def same(node: Node) -> bool:
        return repeats(node, summand.shape, axes)

    parts = factors(summand, lambda n: n.shape != () and same(n), lambda n: n.about.declared or same(n))
    above, below = ([n for n in side if not same(n)] for side in (parts.above, parts.below))
    outer_above, outer_below = ([n for n in side if same(n)] for side in (parts.above, parts.below))
    return Product(False, above, below), Product(parts.negated, outer_above, outer_below)


def _out_of_sum(m: Match) -> Node:
    """The sum of what varies, times what is the same in every term."""
    inner, outer = _split(m.root)
    if not (inner.above or inner.below) or all(n.shape == () for n in (*outer.above, *outer.below)):
        return m.root
    summand = broadcast_to(inner.built(m.root.dtype), m.root.inputs[0].shape)
    total = m.root.op(summand, **m.root.attrs)
    shape, axes = m.root.inputs[0].shape, _axes(m.root)
    if total.ndim < len(shape):
        outer.above, outer.below = (
            [without_axes(n, shape, axes) if n.shape else n for n in side]
            for side in (outer.above, outer.below)
        )
    outer.above.insert(0, total)
    return outer.built(m.root.dtype)


# -- deviations add up to nothing ---------------------------------------------------------------------------------


def _deviates(node: Node, axes: tuple[int, ...]) -> bool:
    """Whether a value is a deviation from its own mean along these axes, times what is the same along them."""

    def same(part: Node) -> bool:
        return repeats(part, node.shape, axes)

    parts = factors(node, same, same)
    varying = [n for n in parts.above if not same(n)]
    return len(varying) == 1 and all(map(same, parts.below)) and _is_deviation(varying[0], node, axes)


def _is_deviation(difference: Node, whole: Node, axes: tuple[int, ...]) -> bool:
    if difference.op is not subtract or difference.shape != whole.shape:
        return False
    values, mean = difference.inputs
    return values.shape == whole.shape and repeats(mean, whole.shape, axes) and _is_mean(mean, values, axes)


def _is_mean(node: Node, values: Node, axes: tuple[int, ...]) -> bool:
    while node.op in (reshape_op, expand_dims_op, broadcast_to_op):
        node = node.inputs[0]
    if node.op is mean_op:
        return node.inputs[0] is values and node.attrs["axis"] == axes
    if node.op not in (divide, multiply):
        return False
    total, other = node.inputs
    return (
        total.op is sum_op
        and total.inputs[0] is values
        and total.attrs["axis"] == axes
        and _counts(other, values, axes, inverse=node.op is multiply)
    )


def _counts(node: Node, values: Node, axes: tuple[int, ...], inverse: bool) -> bool:
    """Whether a scalar is how many values there are along the axes (or one over that)."""
    dim = product(tuple(values.shape[a] for a in axes))
    if node.op.role == "const" and node.shape == () and isinstance(dim, int) and dim:
        return bool(
            node.attrs["value"].value == node.attrs["value"].value.dtype.type(1 / dim if inverse else dim)
        )
    if node.op is sample_count_op:
        return not inverse and node.inputs[0].shape == values.shape and node.attrs["axis"] == axes
    return not inverse and node.op.role == "size" and node.attrs["dim"] == dim


def _deviation_added(m: Match) -> str | None:
    whole = m.x.shape == m.y.shape == m.root.inputs[0].shape  # what is repeated counts more than once
    return None if whole and _deviates(m.y, _axes(m.root)) else "what is added does not add up to 0"


# -- common factors -----------------------------------------------------------------------------------------------


def _is_sum_of_two(op: Op) -> bool:
    return op in (add, subtract)


def _terms(root: Node) -> list[Product]:
    def smaller(node: Node) -> bool:
        return node.shape not in ((), root.shape)

    return [factors(x, smaller, lambda n: n.about.declared) for x in root.inputs]


def _common(root: Node) -> tuple[list[Product], Product]:
    """The two terms without the factors that both have and that are smaller than the sum; and those factors."""
    terms = _terms(root)
    shared = Product()
    for name in ("above", "below"):
        first, second = (getattr(t, name) for t in terms)
        for factor in [f for f in first if f.shape not in ((), root.shape)]:
            if factor in second:
                first.remove(factor)
                second.remove(factor)
                getattr(shared, name).append(factor)
    return terms, shared


def _apart(root: Node) -> tuple[Node, ...]:
    return tuple(n for term in _terms(root) for n in term.inner)


def _factored(m: Match) -> Node:
    """(a ± b) k / s: one multiplication at full size in place of two."""
    terms, shared = _common(m.root)
    if not (shared.above or shared.below):
        return m.root
    rest = m.root.op(*(t.built(m.root.dtype) for t in terms))
    if rest.shape != m.root.shape:
        return m.root
    shared.above.insert(0, rest)
    return shared.built(m.root.dtype)


def _sums(name: str, inner: Any, **rest: Any) -> tuple[Rule, Rule]:
    """A rule for sums over axes and for sums to a shape."""
    return (
        Rule(name, sum_op(inner, axis=AXIS, keepdims=KEEP), sum_op(x, axis=AXIS, keepdims=KEEP), **rest),
        Rule(
            f"{name}-to",
            sum_to_op(inner, shape=AttrVar("shape")),
            sum_to_op(x, shape=AttrVar("shape")),
            **rest,
        ),
    )


_ZERO_SUM: dict[str, Any] = {
    "kind": FACT,
    "phase": "cost",
    "when": _deviation_added,
    "fact": "deviations from their mean add up to 0",
    "grows": True,
}

RULES: tuple[Rule, ...] = (
    Rule(
        "sum-of-repeated",
        None,
        _where_shapes_meet(_out_of_sum),
        STRUCTURE,
        phase="cost",
        cards=_is_sum,
        structural=False,
        note="what is the same in every term is multiplied once",
    ),
    *_sums("sum-less-deviations", x - y, **_ZERO_SUM),
    *_sums("sum-plus-deviations", x + y, **_ZERO_SUM),
    Rule(
        "slope-of-root",
        (x * (1 / (2 * _root))) / _count * (2 * y),
        (x / _count) * (y / _root),
        ROUNDING,
        phase="cost",
        ulp=4,
        note="the quotient is the normalised value itself",
    ),
    Rule(
        "slope-of-root-scaled",
        (x * (1 / (2 * _root))) * c * (2 * y),
        (x * c) * (y / _root),
        ROUNDING,
        phase="cost",
        ulp=4,
        note="the quotient is the normalised value itself",
    ),
    Rule(
        "common-factor",
        None,
        _where_shapes_meet(_factored),
        STRUCTURE,
        phase="factor",
        cards=_is_sum_of_two,
        apart=_apart,
        structural=False,
        note="one multiplication at full size in place of two",
    ),
)
