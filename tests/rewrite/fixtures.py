"""A graph before and after, for each rule: the names of a function's parameters choose the leaves it is given."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

import graphc as gx
from graphc.ir.node import Node, engine
from graphc.ops import CARDS
from graphc.ops.leaves import size_node
from graphc.ops.shape import broadcast_to_op, reshape_op, squeeze_op, transpose_op
from tests.rewrite.function_fixtures import FUNCTION_PAIRS, FUNCTIONS_REFUSED
from tests.rewrite.loop_fixtures import LOOP_PAIRS, LOOPS_REFUSED
from tests.rewrite.pool_fixtures import POOL_PAIRS, POOLS_REFUSED
from tests.rewrite.product_fixtures import PRODUCT_PAIRS, PRODUCTS_REFUSED

LEAVES: dict[str, tuple[str, tuple[Any, ...]]] = {
    "x": ("float", ("k",)),
    "y": ("float", ("k",)),
    "z": ("float", ("k",)),
    "mask": ("bool", ("k",)),
    "s": ("float", ()),
    "a": ("float", (2, 3)),
    "b": ("float", (3, 4)),
    "q": ("float", (2, 3)),
    "row": ("float", (3,)),
    "column": ("float", (2, 1)),
    "cube": ("float", (2, 3, 4)),
    "rows": ("float", ("k", 4)),
    "labels": ("int64", ("k",)),
    "u": ("unit", ("k",)),
    "units": ("unit", ("k", 4)),
}
"""Each leaf by name: ``float`` is the dtype under test, ``unit`` the same with values from 0.1 to 0.9."""

Pair = tuple[Node, Any]


def leaf(name: str, dtype: str) -> Node:
    """A fresh leaf of this name."""
    kind, shape = LEAVES[name]
    return gx.input(name, shape, dtype=dtype if kind in ("float", "unit") else kind)


def pair(build: Callable[..., Pair], dtype: str = "float64") -> tuple[Node, Node]:
    """Before and after, over fresh leaves."""
    before, after = build(*(leaf(name, dtype) for name in inspect.signature(build).parameters))
    return before, after


def sum_op(x: Node, axis: tuple[int, ...], keepdims: bool = False) -> Node:
    return CARDS["sum"](x, axis=axis, keepdims=keepdims)


def placed(x: Node, start: int, stop: int | None, width: int = 6) -> Node:
    """Columns among zeros."""
    whole = (None, None, None)
    return CARDS["place"](x, shape=(x.shape[0], width), index=(whole, (start, stop, None)))


def picked_back(x: Node, column: int) -> Node:
    """One of two columns, the other zero."""
    return CARDS["place"](x, shape=(x.shape[0], 2), index=((None, None, None), column))


def scattered(x: Node, places: list[int]) -> Node:
    return CARDS["scatter_add"](x, gx.const(places), shape=x.shape, axis=1)


def relu_of_zero(x: Node) -> Node:
    return CARDS["maximum"](0.0, x)


def whole(x: Node, value: float) -> Node:
    return gx.full(x.shape, value, x.dtype)


def _bce(x: Node, y: Node) -> Pair:
    p = gx.sigmoid(x)
    return (p * (1 - p)) * ((1 - y) / (1 - p) - y / p), p - y


def _picked_rows(rows: Node, labels: Node) -> Pair:
    t = gx.one_hot(labels, 4, dtype=rows.dtype)
    return t * rows, gx.where(t > 0.0, rows, 0.0)


def _wide(rows: Node) -> Node:
    return gx.broadcast_to(rows[:, :1], (rows.shape[0], 70)) + gx.arange(70, dtype=rows.dtype)


def _sum_of_picked(rows: Node, labels: Node) -> Pair:
    wide, t = _wide(rows), gx.one_hot(labels, 70, dtype=rows.dtype)
    before = sum_op(gx.where(t > 0.0, wide, 0.0), (0, 1))
    return before, sum_op(gx.take_along_axis(wide, labels[:, None], 1), (0, 1))


def _sum_of_picked_logs(rows: Node, labels: Node) -> Pair:
    wide, t, shared = _wide(rows), gx.one_hot(labels, 70, dtype=rows.dtype), rows[:, 1:2]
    before = sum_op(gx.where(t > 0.0, wide - shared, 0.0), (1,), keepdims=True)
    return before, sum_op(gx.take_along_axis(wide, labels[:, None], 1) - shared, (1,), keepdims=True)


def _rows_less_labels(rows: Node, labels: Node) -> Pair:
    wide, t = _wide(rows), gx.one_hot(labels, 70, dtype=rows.dtype)
    sums, count = sum_op(wide, (1,), keepdims=True), size_node(rows.shape[0], rows.dtype)
    share = CARDS["divide"](gx.const(np.ones((), rows.dtype)), count)
    return (wide / sums - t) / count, wide * (share / sums) - t * share


def _laid_picked(rows: Node, labels: Node) -> Pair:
    t = gx.one_hot(labels, 4, dtype=rows.dtype)
    return sum_op(gx.where(t > 0.0, rows, 0.0), (0, 1)), CARDS["picked_sum"](t, rows)


def _laid_number(rows: Node) -> Pair:
    two, count = gx.const(np.full((), 2.0, rows.dtype)), size_node(rows.shape[0], rows.dtype)
    return two * rows / count, rows * CARDS["divide"](two, count)


def _tanh(x: Node) -> Pair:
    return (gx.exp(x) - gx.exp(-x)) / (gx.exp(x) + gx.exp(-x)), gx.tanh(x)


def _softmax(rows: Node) -> Pair:
    e = gx.exp(rows)
    return e / sum_op(e, (1,), keepdims=True), gx.softmax(rows)


def _probability(rows: Node, s: Node, labels: Node) -> Pair:
    p, t = gx.softmax(rows), gx.one_hot(labels, 4, dtype=rows.dtype)
    return p * s - t * s, (p - t) * s


def _target_minus(rows: Node, labels: Node) -> Pair:
    p, t = gx.softmax(rows), gx.one_hot(labels, 4, dtype=rows.dtype)
    return t * -0.2 - p * -0.2, (p - t) * 0.2


def _probability_divided(rows: Node, s: Node, labels: Node) -> Pair:
    p, t = gx.softmax(rows), gx.one_hot(labels, 4, dtype=rows.dtype)
    return p / s - t / s, (p - t) / s


def _rows_sum_to_one(labels: Node, s: Node) -> Pair:
    t = gx.one_hot(labels, 4, dtype=s.dtype)
    return sum_op(-t * s, (1,), keepdims=True), None


def _derived(build: Callable[..., Pair]) -> Callable[..., Pair]:
    """The same pair as an engine makes it: its nodes are no user's, so that rules may take them apart."""

    def built(*leaves: Node) -> Pair:
        with engine():
            return build(*leaves)

    built.__signature__ = inspect.signature(build)  # type: ignore[attr-defined]
    return built


def sum_to(x: Node, shape: Any) -> Node:
    return CARDS["sum_to"](x, shape=shape)


def _centred(a: Node) -> Node:
    return a - sum_op(a, (0,)) / 2


def _less_deviations(a: Node, q: Node, row: Node) -> Pair:
    return sum_op(a - _centred(q) * row, (0,)), sum_op(a, (0,))


def _less_deviations_to(a: Node, q: Node, row: Node) -> Pair:
    return sum_to(a - _centred(q) / row, row.shape), sum_to(a, row.shape)


def _less_deviations_of_rows(rows: Node) -> Pair:
    centred = rows - gx.expand_dims(sum_op(rows, (1,)) * 0.25, 1)
    return sum_op(rows * rows - centred, (1,)), sum_op(rows * rows, (1,))


def _less_deviations_of_batch(rows: Node) -> Pair:
    mean = sum_op(rows, (0,)) / size_node(rows.shape[0], rows.dtype)
    return sum_op(rows * rows - (rows - mean), (0,)), sum_op(rows * rows, (0,))


def _slope_of_root(x: Node, y: Node, z: Node, s: Node) -> Pair:
    root = gx.sqrt(z)
    return x * (1 / (2 * root)) / s * (2 * y), x / s * (y / root)


def _slope_of_root_scaled(x: Node, y: Node, z: Node) -> Pair:
    root = gx.sqrt(z)
    return x * (1 / (2 * root)) * 0.3 * (2 * y), x * 0.3 * (y / root)


def between(x: Node) -> Node:
    """What the values of ``unit`` leaves are."""
    return gx.assume(x, low=0.05, high=0.95)


def _plain_softmax(units: Node) -> Pair:
    e = gx.exp(between(units))
    return gx.softmax(between(units)), e / gx.sum(e, axis=1, keepdims=True)


def _plain_log_softmax(units: Node) -> Pair:
    z = between(units)
    return gx.log_softmax(z), z - gx.log(gx.sum(gx.exp(z), axis=1, keepdims=True))


FACT_PAIRS: dict[str, tuple[Callable[..., Pair], ...]] = {
    "sub-self": (lambda u: (between(u) - between(u), whole(u, 0.0)),),
    "div-self": (lambda u: (between(u) / between(u), whole(u, 1.0)),),
    "cancel": (lambda u, units: ((between(units) * between(units[:, 0:1])) / between(units), None),),
    "cancel-square": (lambda u: (gx.square(between(u)) / between(u), between(u)),),
    "exp-log": (lambda u: (gx.exp(gx.log(between(u))), between(u)),),
    "expm1-log": (lambda u: (gx.expm1(gx.log(between(u))), between(u) - 1.0),),
    "square-sqrt": (lambda u: (gx.square(gx.sqrt(between(u))), between(u)),),
    "softplus-log": (lambda u: (gx.softplus(gx.log(between(u))), gx.log1p(between(u))),),
    "log1mexp-log": (lambda u: (gx.log1mexp(gx.log(between(u))), gx.log1p(-between(u))),),
    "tanh-arctanh": (lambda u: (gx.tanh(gx.arctanh(between(u))), between(u)),),
    "exp-log1mexp": (lambda u: (gx.exp(gx.log1mexp(-between(u))), -gx.expm1(-between(u))),),
    "sigmoid-logit": (lambda u: (gx.sigmoid(gx.log(between(u) / (1 - between(u)))), between(u)),),
    "log-reciprocal": (lambda u: (gx.log(gx.reciprocal(between(u))), -gx.log(between(u))),),
    "sinh-arcsinh": (lambda x: (gx.sinh(gx.arcsinh(x)), x),),
    "plain-softplus": (
        lambda u: (gx.softplus(between(u)), gx.log(1 + gx.exp(between(u)))),
        lambda u: (gx.softplus(-9 * between(u)), gx.log1p(gx.exp(-9 * between(u)))),
    ),
    "plain-sigmoid": (lambda u: (gx.sigmoid(between(u)), gx.exp(between(u)) / (1 + gx.exp(between(u)))),),
    "plain-logsumexp": (
        lambda units: (gx.logsumexp(between(units), axis=1), gx.log(gx.sum(gx.exp(between(units)), axis=1))),
    ),
    "plain-softmax": (_plain_softmax,),
    "plain-log-softmax": (_plain_log_softmax,),
    "assumed": (lambda x: (gx.assume(x, nonzero=True), x),),
}

COLLECTED: dict[str, tuple[Callable[..., Pair], ...]] = {
    "collect-factors": (
        lambda x, y: (0.5 * x * y * 3.0, x * y * 1.5),
        lambda x, y, z: ((-x) / y / (-2.0 * z), (x * 0.5) / (y * z)),
        lambda x, y, z: (gx.exp(x) * y * gx.exp(z), y * gx.exp(x + z)),
        lambda u, y: (y * (between(u) / 2.0) * y / between(u), None),
        lambda x, y: (gx.power(2.0, x) / gx.power(2.0, y), gx.power(2.0, x - y)),
    ),
    "collect-terms": (
        lambda x, y: (2.0 + x + y + 2.0, x + y + 4.0),
        lambda x, y: (x - y - x * 1.0 + 1.0 + 3.0, None),
    ),
    "sigmoid-by-exp": (lambda x: (gx.sigmoid(-x) * gx.exp(x), gx.sigmoid(x)),),
    "sigmoid-by-exp-minus": (lambda x: (gx.sigmoid(x) * gx.exp(-x), gx.sigmoid(-x)),),
    "odds": (lambda x: (gx.sigmoid(x) / (1 - gx.sigmoid(x)), gx.exp(x)),),
    "softplus-difference": (lambda x: (gx.softplus(x) - gx.softplus(-x), x),),
    "softplus-difference-minus": (lambda x: (gx.softplus(-x) - gx.softplus(x), -x),),
}

COLLECTED_REFUSED: dict[str, tuple[Callable[..., Node], ...]] = {
    "numbers-first": (lambda x, y, s: (s * (x / s)) / (gx.sqrt(y / s) + s),),
    "collect-factors": (
        lambda x, y: (x * y) / x,
        lambda x, y: 0.0 * x * y,
        lambda labels: labels * 3 * 5,
        lambda x, y: x * y,
        lambda a, row: a * row * 2.0 * 3.0,
        lambda x: (x / x) * x,  # one is left, and still a pair cancels
        lambda x, y: gx.exp(y) * (gx.exp(x) / gx.exp(x)),
        lambda x: x * 1e300 * 1e300,  # constants whose product is no number of the dtype
        lambda x, y: x * 1e-200 * y * 1e-200,
        lambda x, y: x / 5e-324 / y / 2.0,
        lambda x, y: x / 0.0 / y / 2.0,
    ),
    "collect-terms": (
        lambda x, y: x + y - x,
        lambda x: x + 1.0,
        lambda x: x + x - x,
        lambda x: x + 1e308 + 1e308,
    ),
}

FACTS_REFUSED: dict[str, tuple[Callable[..., Node], ...]] = {
    "numbers-first": (lambda x, y, s: (s * (x / s)) / (gx.sqrt(y / s) + s),),
    "sub-self": (lambda x: x - x,),
    "div-self": (lambda x: x / x, lambda x: gx.assume(x, finite=True) / gx.assume(x, finite=True)),
    "cancel": (lambda x, y: (x * y) / x, lambda x, u: (between(u) * x) / between(u)),
    "cancel-square": (lambda x: gx.square(x) / x,),
    "exp-log": (lambda x: gx.exp(gx.log(x)),),
    "expm1-log": (lambda x: gx.expm1(gx.log(x)),),
    "square-sqrt": (lambda x: gx.square(gx.sqrt(x)),),
    "softplus-log": (lambda x: gx.softplus(gx.log(x)),),
    "log1mexp-log": (lambda x: gx.log1mexp(gx.log(x)),),
    "tanh-arctanh": (lambda x: gx.tanh(gx.arctanh(x)),),
    "exp-log1mexp": (lambda u: gx.exp(gx.log1mexp(between(u))),),
    "sigmoid-logit": (lambda x: gx.sigmoid(gx.log(x / (1 - x))),),
    "log-reciprocal": (lambda x: gx.log(gx.reciprocal(gx.assume(x, positive=True))),),
    "plain-softplus": (lambda x: gx.softplus(x), lambda x: gx.softplus(gx.assume(x, low=0, high=800))),
    "plain-sigmoid": (lambda x: gx.sigmoid(x), lambda x: gx.sigmoid(gx.square(x))),
    "plain-logsumexp": (
        lambda rows: gx.logsumexp(rows, axis=1),
        lambda units: gx.logsumexp(between(units), axis=0),
    ),
    "plain-softmax": (lambda rows: gx.softmax(rows),),
    "plain-log-softmax": (lambda rows: gx.log_softmax(rows),),
}


PAIRS: dict[str, tuple[Callable[..., Pair], ...]] = {
    **FUNCTION_PAIRS,
    **PRODUCT_PAIRS,
    **POOL_PAIRS,
    **LOOP_PAIRS,
    **FACT_PAIRS,
    **COLLECTED,
    "sub-zero": (lambda x: (x - 0.0, x), lambda a: (a - whole(a, 0.0), a)),
    "add-minus-zero": (lambda x: (x + -0.0, x), lambda x: (-0.0 + x, x)),
    "add-zero": (lambda x: (x + 0.0, x), lambda x: (0.0 + x, x)),
    "mul-one": (lambda x: (x * 1.0, x), lambda x: (1.0 * x, x)),
    "div-one": (lambda x: (x / 1.0, x),),
    "pow-one": (lambda x: (x**1.0, x),),
    "neg-neg": (lambda x: (gx.negative(gx.negative(x)), x),),
    "mul-minus-one": (lambda x: (x * -1.0, -x),),
    "neg-mul-neg": (lambda x, y: ((-x) * (-y), x * y),),
    "neg-mul": (lambda x, y: ((-x) * y, -(x * y)), lambda x, y: (y * (-x), -(x * y))),
    "neg-div": (lambda x, y: ((-x) / y, -(x / y)),),
    "div-neg": (lambda x, y: (x / (-y), -(x / y)),),
    "add-neg": (lambda x, y: (x + (-y), x - y), lambda x, y: ((-y) + x, x - y)),
    "sub-neg": (lambda x, y: (x - (-y), x + y),),
    "zero-sub": (lambda x: (0.0 - x, -x),),
    "square": (lambda x: (x * x, gx.square(x)),),
    "pow-two": (lambda x: (x**2.0, gx.square(x)),),
    "pow-two-rounded": (
        lambda s: (s**2.0, gx.square(s)),
        lambda a: (a ** gx.const(np.full((2, 3), 2.0, a.dtype)), gx.square(a)),
    ),
    "pow-half": (lambda x: (x**0.5, gx.sqrt(x)),),
    "pow-half-rounded": (lambda s: (s**0.5, gx.sqrt(s)),),
    "pow-minus-one": (lambda x: (x**-1.0, 1 / x),),
    "pow-minus-one-rounded": (lambda s: (s**-1.0, 1 / s),),
    "pow-zero": (lambda x: (x**0.0, whole(x, 1.0)), lambda s: (s**0.0, gx.const(1.0, s.dtype))),
    "pow-three": (lambda x: (x**3.0, gx.square(x) * x),),
    "square-neg": (lambda x: (gx.square(-x), gx.square(x)),),
    "scalar-merge": (lambda x: (x * 0.3 * 0.7, None), lambda x: (0.7 * (x * -3.0), None)),
    "mask-product": (
        lambda mask, x: (gx.where(mask, gx.const(1.0, x.dtype), 0.0) * x, gx.where(mask, x, 0)),
    ),
    "mask-product-of": (lambda mask, x, y: (gx.where(mask, x, 0.0) * y, gx.where(mask, x * y, 0.0)),),
    "mask-product-else": (lambda mask, x, y: (gx.where(mask, 0.0, x) * y, gx.where(mask, 0.0, x * y)),),
    "masks-in-order": (
        lambda mask, x: (
            gx.where(mask, gx.where(gx.exp(x) > 1.0, x, 0.0), 0.0),
            gx.where(gx.exp(x) > 1.0, gx.where(mask, x, 0.0), 0.0),
        ),
        lambda mask, x: (
            gx.where(mask, 0.0, gx.where(x > 1.0, x, 0.0)),
            gx.where(x > 1.0, gx.where(mask, 0.0, x), 0.0),
        ),
        lambda mask, x: (
            gx.where(mask, gx.where(x > 1.0, 0.0, x), 0.0),
            gx.where(x > 1.0, 0.0, gx.where(mask, x, 0.0)),
        ),
    ),
    "mask-neg": (lambda mask, x: (gx.where(mask, -x, 0.0), -gx.where(mask, x, 0.0)),),
    "mask-neg-else": (lambda mask, x: (gx.where(mask, 0.0, -x), -gx.where(mask, 0.0, x)),),
    "where-same": (lambda mask, x: (gx.where(mask, x, x), x),),
    "like-terms": (lambda x: (x + x, 2 * x),),
    "relu": (lambda x: (relu_of_zero(x), gx.relu(x)),),
    "relu-where": (lambda x: (gx.where(x > 0.0, x, 0.0), gx.relu(x)),),
    "max-max": (lambda x: (gx.maximum(gx.maximum(x, 0.5), 0.5), gx.maximum(x, 0.5)),),
    "min-min": (lambda x: (gx.minimum(gx.minimum(x, 0.5), 0.5), gx.minimum(x, 0.5)),),
    "unit-seed": (lambda x: (CARDS["seed"](x), whole(x, 1)),),
    "unbroadcast-nothing": (lambda x: (CARDS["sum_to"](x, shape=x.shape), x),),
    "broadcast-nothing": (lambda x: (broadcast_to_op(x, shape=x.shape), x),),
    "broadcast-scalar": (
        lambda s: (
            broadcast_to_op(gx.reshape(s, (1, 1)), shape=(2, 3)),
            broadcast_to_op(s, shape=(2, 3)),
        ),
    ),
    "move-full": (
        lambda s: (
            transpose_op(broadcast_to_op(s, shape=(2, 3)), axes=(1, 0)),
            broadcast_to_op(s, shape=(3, 2)),
        ),
        lambda s: (reshape_op(broadcast_to_op(s, shape=(2, 3)), shape=(6,)), broadcast_to_op(s, shape=(6,))),
    ),
    "broadcast-broadcast": (
        lambda row: (
            broadcast_to_op(broadcast_to_op(row, shape=(2, 3)), shape=(4, 2, 3)),
            broadcast_to_op(row, shape=(4, 2, 3)),
        ),
    ),
    "pointwise-broadcast": (
        lambda a, row: (a * broadcast_to_op(row, shape=(2, 3)), a * row),
        lambda a, row: (a * gx.expand_dims(row, 0), a * row),
        lambda a, column: (broadcast_to_op(column, shape=(2, 3)) - a, column - a),
        lambda row, column: (
            broadcast_to_op(row, shape=(2, 3)) / broadcast_to_op(column, shape=(2, 3)),
            None,
        ),
        lambda row: (broadcast_to_op(row, shape=(2, 3)) * 2.5, broadcast_to_op(row * 2.5, shape=(2, 3))),
    ),
    "transpose-nothing": (lambda a: (transpose_op(a, axes=(0, 1)), a),),
    "transpose-transpose": (
        lambda a: (a.T.T, transpose_op(a, axes=(0, 1))),
        lambda cube: (
            transpose_op(transpose_op(cube, axes=(1, 2, 0)), axes=(2, 1, 0)),
            transpose_op(cube, axes=(0, 2, 1)),
        ),
    ),
    "transpose-product": (lambda a, b: ((a @ b).T, b.T @ a.T),),
    "reshape-nothing": (lambda x: (reshape_op(x, shape=x.shape), x),),
    "reshape-reshape": (
        lambda cube: (
            reshape_op(reshape_op(cube, shape=(6, 4)), shape=(24,)),
            reshape_op(cube, shape=(24,)),
        ),
    ),
    "reshape-once": (
        lambda a: (reshape_op(gx.expand_dims(a, 1), shape=(3, 2)), reshape_op(a, shape=(3, 2))),
        lambda column: (gx.expand_dims(squeeze_op(column, axis=1), 0), reshape_op(column, shape=(1, 2))),
        lambda a: (gx.expand_dims(reshape_op(a, shape=(6,)), 1), reshape_op(a, shape=(6, 1))),
    ),
    "reshape-expand": (lambda a: (reshape_op(a, shape=(2, 1, 3)), gx.expand_dims(a, 1)),),
    "reshape-squeeze": (lambda column: (reshape_op(column, shape=(2,)), squeeze_op(column, axis=1)),),
    "squeeze-expand": (lambda a: (squeeze_op(gx.expand_dims(a, 1), axis=1), a),),
    "expand-squeeze": (lambda column: (gx.expand_dims(squeeze_op(column, axis=1), 1), column),),
    "keep-axis": (lambda a: (gx.expand_dims(sum_op(a, (1,)), 1), sum_op(a, (1,), keepdims=True)),),
    "places-joined": (
        lambda a, q: (placed(a, 0, 3) + placed(q, 3, 6), gx.concat([a, q], axis=1)),
        lambda a, q: (placed(q, 4, 7, 8) + placed(a, 1, 4, 8), placed(gx.concat([a, q], axis=1), 1, 7, 8)),
        lambda a, q, s: (
            placed(a, 3, None) + s * placed(q, 0, 3) + placed(q, 0, 3),
            gx.concat([q, a], axis=1) + s * placed(q, 0, 3),
        ),
        lambda x, y: (picked_back(y, -1) + picked_back(x, 0), gx.stack([x, y], axis=1)),
    ),
    "scatter-permuted": (
        lambda a: (scattered(a, [2, 0, 1]), gx.take(a, gx.const([1, 2, 0]), axis=1)),
        lambda a: (scattered(a, [0, 2, 1]), gx.take(a, gx.const([0, 2, 1]), axis=1)),
    ),
    "sum-neg": (lambda a: (sum_op(-a, (0,)), -sum_op(a, (0,))),),
    "sum-sum": (lambda a: (sum_op(sum_op(a, (0,)), (0,)), sum_op(a, (0, 1))),),
    "stop-stop": (lambda x: (gx.stop_gradient(gx.stop_gradient(x)), gx.stop_gradient(x)),),
    "softplus": (
        lambda x: (gx.log(1 + gx.exp(x)), gx.softplus(x)),
        lambda x: (gx.log(gx.exp(x) + 1), gx.softplus(x)),
    ),
    "softplus-log1p": (lambda x: (gx.log1p(gx.exp(x)), gx.softplus(x)),),
    "log1p": (lambda x: (gx.log(1 + x), gx.log1p(x)), lambda x: (gx.log(x + 1), gx.log1p(x))),
    "log1p-sub": (lambda x: (gx.log(1 - x), gx.log1p(-x)),),
    "expm1": (lambda x: (gx.exp(x) - 1.0, gx.expm1(x)),),
    "expm1-add": (lambda x: (gx.exp(x) + -1.0, gx.expm1(x)),),
    "expm1-neg": (lambda x: (1.0 - gx.exp(x), -gx.expm1(x)),),
    "sigmoid": (lambda x: (1 / (1 + gx.exp(x)), gx.sigmoid(-x)),),
    "sigmoid-exp": (lambda x: (gx.exp(x) / (1 + gx.exp(x)), gx.sigmoid(x)),),
    "over-one-plus-exp": (lambda x, y: (y / (1 + gx.exp(x)), y * gx.sigmoid(-x)),),
    "logaddexp": (lambda x, y: (gx.log(gx.exp(x) + gx.exp(y)), gx.logaddexp(x, y)),),
    "log-sigmoid": (lambda x: (gx.log(gx.sigmoid(x)), -gx.softplus(-x)),),
    "log-one-minus-sigmoid": (lambda x: (gx.log(1 - gx.sigmoid(x)), -gx.softplus(x)),),
    "one-minus-sigmoid": (lambda x: (1 - gx.sigmoid(x), gx.sigmoid(-x)),),
    "bce-logits": (_bce,),
    "sigmoid-cross-entropy": (lambda x, y: (gx.softplus(x) - y * x, gx.sigmoid_cross_entropy(x, y)),),
    "sigmoid-cross-entropy-naive": (
        lambda x, y: (gx.softplus(-x) * y + gx.softplus(x) * (1 - y), gx.sigmoid_cross_entropy(x, y)),
    ),
    "sigmoid-cross-entropy-minus": (
        lambda x, y: (-(y * gx.softplus(-x)) - (1 - y) * gx.softplus(x), -gx.sigmoid_cross_entropy(x, y)),
    ),
    "sigmoid-cross-entropy-other": (
        lambda x, y: (-((1 - y) * gx.softplus(x)) - y * gx.softplus(-x), -gx.sigmoid_cross_entropy(x, y)),
    ),
    "silu": (lambda x: (x * gx.sigmoid(x), gx.silu(x)),),
    "log1mexp": (lambda x: (gx.log(1 - gx.exp(x)), gx.log1mexp(x)),),
    "log1mexp-expm1": (lambda x: (gx.log(-gx.expm1(x)), gx.log1mexp(x)),),
    "tanh": (_tanh,),
    "sqrt-square": (lambda x: (gx.sqrt(gx.square(x)), gx.abs(x)),),
    "xlogx": (lambda x: (x * gx.log(x), gx.xlogx(x)), lambda x: (gx.log(x) * x, gx.xlogx(x))),
    "softmax": (_softmax,),
    "picked-softmax": (
        lambda rows: (gx.exp(rows)[:, 1] / sum_op(gx.exp(rows), (1,)), gx.softmax(rows)[:, 1]),
        lambda row: (gx.exp(row)[2] / sum_op(gx.exp(row), (0,)), gx.softmax(row)[2]),
    ),
    "log-softmax": (lambda rows: (gx.log(gx.softmax(rows)), gx.log_softmax(rows)),),
    "log-moved-softmax": (
        lambda rows: (gx.log(gx.softmax(rows)[:, 1]), gx.log_softmax(rows)[:, 1]),
        lambda rows: (gx.log(gx.softmax(rows).T), gx.log_softmax(rows).T),
    ),
    "logsumexp": (
        lambda rows: (gx.log(sum_op(gx.exp(rows), (1,))), gx.logsumexp(rows, axis=1)),
        lambda rows: (
            gx.log(sum_op(gx.exp(rows), (1,), keepdims=True)),
            gx.logsumexp(rows, axis=1, keepdims=True),
        ),
    ),
    "rows-sum-to-one": (_rows_sum_to_one,),
    "target-minus-probability": (_target_minus,),
    "probability-minus-target": (
        _probability,
        lambda x, y, s: (x * s - gx.sigmoid(y) * s, (x - gx.sigmoid(y)) * s),
    ),
    "probability-minus-target-divided": (_probability_divided,),
    "sum-scaled": (lambda a, s: (sum_op(a * s, (1,)), sum_op(a, (1,)) * s),),
    "sum-divided": (lambda a, s: (sum_op(a / s, (1,)), sum_op(a, (1,)) / s),),
    "sum-of-repeated": (
        _derived(lambda a, row: (sum_op(a * row, (0,)), sum_op(a, (0,)) * row)),
        _derived(lambda a, row: (sum_to(-(a / row), row.shape), -(sum_to(a, row.shape) / row))),
        _derived(lambda a, q, column: (sum_op(a * (q / column), (1,), keepdims=True), None)),
        _derived(lambda a, column: (sum_op(a * column, (1,)), sum_op(a, (1,)) * gx.reshape(column, (2,)))),
        _derived(lambda a, row, s: (sum_op(a * (row * s), (0,)), None)),
    ),
    "sum-less-deviations": (_less_deviations, _less_deviations_of_rows, _less_deviations_of_batch),
    "sum-less-deviations-to": (_less_deviations_to,),
    "sum-plus-deviations": (lambda a, q: (sum_op(a + _centred(q), (0,)), sum_op(a, (0,))),),
    "sum-plus-deviations-to": (lambda a, q: (sum_to(a + _centred(q), (3,)), sum_to(a, (3,))),),
    "slope-of-root": (_slope_of_root,),
    "slope-of-root-scaled": (_slope_of_root_scaled,),
    "common-factor": (
        _derived(lambda a, q, row: (a * row - q * row, (a - q) * row)),
        _derived(lambda a, q, column: (a / column + q / column, (a + q) / column)),
        _derived(lambda a, q, row, column: (a * row / column - q * row / column, None)),
        _derived(lambda a, q, row: (a * row - (-q) * row, (a - -q) * row)),
    ),
    "picked-rows": (_picked_rows,),
    "sum-of-picked": (_sum_of_picked, _sum_of_picked_logs),
    "numbers-first": (
        lambda x, u, s: (
            (s * (x / (1 + gx.square(s)))) / (gx.sqrt(u / gx.sigmoid(s)) + gx.exp(s)),
            x
            / (gx.sqrt(u) + gx.exp(s) * gx.sqrt(gx.sigmoid(s)))
            * (s * gx.sqrt(gx.sigmoid(s)) / (1 + gx.square(s))),
        ),
    ),
    "rows-less-labels": (_rows_less_labels,),
    "laid-dot": (lambda a, q: (sum_op(a * q, (0, 1)), CARDS["vdot"](a, q)),),
    "laid-dot-itself": (lambda x: (sum_op(gx.square(x), (0,)), CARDS["vdot"](x, x)),),
    "laid-picked": (_laid_picked,),
    "laid-number": (_laid_number,),
    "times-reciprocal": (lambda x, s: (x * (1 / s), x / s),),
}
"""For each rule, graphs before and after; an ``after`` of None is only run, not compared by structure."""


def _other_axis(rows: Node) -> Node:
    mean = sum_op(rows, (1,), keepdims=True) / 4
    return sum_op(gx.exp(rows) - (rows - mean), (0,))


REFUSED: dict[str, tuple[Callable[..., Node], ...]] = {
    "numbers-first": (lambda x, y, s: (s * (x / s)) / (gx.sqrt(y / s) + s),),
    **FUNCTIONS_REFUSED,
    **PRODUCTS_REFUSED,
    **POOLS_REFUSED,
    **LOOPS_REFUSED,
    "sum-of-repeated": (
        lambda a, row: sum_op(a * row, (0,)),  # the user's own product
        lambda a, row: sum_op(a * row, (1,)),
        lambda a, s: sum_op(a * s, (0,)),
    ),
    "sum-less-deviations": (
        lambda a, q: sum_op(a - q, (0,)),
        lambda a, q: sum_op(a - (q - sum_op(q, (0,)) / 3), (0,)),  # not the mean
        lambda a, q: sum_op(a - (q - sum_op(a, (0,)) / 2), (0,)),  # the mean of another
        lambda a, q: sum_op(a - _centred(q) * q, (0,)),  # not the same in every term
        lambda a, q: sum_op(_centred(q) - a, (0,)),
        lambda a, s: sum_op(a - s, (0, 1)),
        _other_axis,
    ),
    "sum-less-deviations-to": (
        lambda a, q: sum_to(a - q, (3,)),
        lambda row, q: sum_to(row - _centred(q), (1, 3)),
    ),
    "sum-plus-deviations": (lambda a, q: sum_op(a + q, (0,)),),
    "sum-plus-deviations-to": (lambda a, q: sum_to(a + q, (3,)),),
    "slope-of-root": (lambda x, y, z, s: x * (1 / (2 * z)) / s * (2 * y),),
    "common-factor": (
        lambda a, q, row: a * row - q * row,
        lambda a, q, row: a * row - q / row,
        lambda x, y, z: x * z - y * z,
    ),
    **FACTS_REFUSED,
    **COLLECTED_REFUSED,
    "sub-zero": (lambda x: gx.subtract(x, -0.0), lambda x: x - 1.0),
    "add-minus-zero": (lambda x: x + 0.0,),
    "add-zero": (lambda x: x + -0.0,),
    "scalar-merge": (
        lambda x: x * 1e300 * 1e300,
        lambda x: x * 1e-300 * 1e-300,
        lambda labels: labels * 3 * 5,
    ),
    "like-terms": (lambda labels: labels + labels, lambda x, y: x + y),
    "log1p-sub": (lambda x: gx.log(1 - gx.sigmoid(x)),),
    "sqrt-square": (lambda x: gx.sqrt(x),),
    "sum-divided": (lambda a: sum_op(a / gx.const(0.0, a.dtype), (1,)),),
    "keep-axis": (lambda cube: gx.expand_dims(sum_op(cube, (1,)), 0),),
    "sum-sum": (lambda cube: sum_op(sum_op(cube, (0,)), (0,)),),
    "transpose-product": (lambda cube: gx.transpose(cube @ gx.transpose(cube, (0, 2, 1)), (1, 0, 2)),),
    "softmax": (
        lambda rows: gx.exp(rows) / sum_op(gx.exp(rows), (0, 1), keepdims=True),
        lambda rows: gx.exp(rows) / sum_op(gx.exp(2 * rows), (1,), keepdims=True),
    ),
    "log-moved-softmax": (lambda rows: gx.log(gx.exp(rows)[:, 1]),),
    "picked-softmax": (
        lambda rows: gx.exp(rows)[:, 1] / sum_op(gx.exp(2 * rows), (1,)),
        lambda cube: gx.exp(cube)[0:1, 1] / sum_op(gx.exp(cube), (1,)),
        lambda cube: gx.exp(cube)[:, 1:2] / sum_op(gx.exp(cube), (1,), keepdims=True),
        lambda cube: gx.exp(cube)[1] / sum_op(gx.exp(cube), (1,), keepdims=True)[1],
    ),
    "target-minus-probability": (
        lambda x, y: x * -0.2 - y * -0.2,
        lambda x, y: x * 0.2 - gx.sigmoid(y) * 0.2,
    ),
    "rows-sum-to-one": (
        lambda rows: sum_op(rows, (1,)),
        lambda rows: sum_op(gx.softmax(rows), (0,)),
        lambda rows: sum_op(gx.softmax(rows) * gx.exp(rows), (1,)),
    ),
    "probability-minus-target": (lambda x, y, s: x * s - y * s,),
    "probability-minus-target-divided": (lambda x, y, s: x / s - y / s,),
    "masks-in-order": (
        lambda mask, x: gx.where(x > 1.0, gx.where(mask, x, 0.0), 0.0),
        lambda mask, x: gx.where(mask, gx.where(x > 1.0, x, -0.0), 0.0),
    ),
    "mask-product": (lambda mask, x: gx.where(mask, gx.const(1.0, x.dtype), 2.0) * x,),
    "reshape-once": (
        lambda a: gx.expand_dims(gx.expand_dims(a, 0), 0),
        lambda a: reshape_op(a.T, shape=(6,)),
    ),
    "reshape-expand": (lambda cube: reshape_op(cube, shape=(6, 4)),),
    "reshape-squeeze": (lambda cube: reshape_op(cube, shape=(6, 4)),),
    "transpose-nothing": (lambda a: a.T,),
    "places-joined": (
        lambda a, q: placed(a, 0, 3) + placed(q, 2, 5),
        lambda a, q: placed(a, 0, 3, 8) + placed(q, 4, 7, 8),
        lambda a, b: placed(a, 0, 3) + gx.concat([a, a], axis=1),
        lambda a: (
            CARDS["place"](a, shape=(2, 6), index=((None, None, None), (None, None, 2))) + placed(a, 3, 6)
        ),
    ),
    "scatter-permuted": (
        lambda a: scattered(a, [0, 0, 1]),
        lambda a: CARDS["scatter_add"](a, gx.const([2, 0, 1]), shape=(2, 4), axis=1),
    ),
    "pow-two": (lambda x: x**2.5, lambda s: s**2.0, lambda a: a ** gx.const(np.full((2, 3), 2.0))),
    "pow-half": (lambda s: s**0.5,),
    "pow-minus-one": (lambda s: s**-1.0,),
    "pointwise-broadcast": (lambda a, s: a ** broadcast_to_op(s, shape=(2, 3)),),
}
"""For rules with a condition, graphs that it must leave as they are."""
