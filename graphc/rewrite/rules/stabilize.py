"""Stable forms of what people write. They name cards, and the card's formula or gradient is what is differentiated.

(REWRITES 21-33, 34a-c)
"""

from __future__ import annotations

from typing import Any

from graphc.ir.node import Node, rebuild
from graphc.ir.op import Op
from graphc.ops.arith import abs as absolute
from graphc.ops.arith import divide, multiply, negative, square, subtract
from graphc.ops.card import constant
from graphc.ops.gather import gather_op, take_along_axis_op
from graphc.ops.index import take_op
from graphc.ops.math import (
    exp,
    expm1,
    log,
    log1mexp,
    log1p,
    logaddexp,
    sigmoid,
    sigmoid_cross_entropy,
    silu,
    softplus,
    sqrt,
    tanh,
    xlogx,
)
from graphc.ops.nn import log_softmax_op, logsumexp_op, softmax_op
from graphc.ops.reduce import sum_op
from graphc.ops.shape import expand_dims_op, reshape_op, squeeze_op, transpose_op
from graphc.ops.slices import WHOLE, slice_op
from graphc.rewrite.rule import EXACT, FACT, STABLE, Match, Rule
from graphc.rewrite.rules.holes import AXIS, KEEP, c, s, x, y

_MOVES = (
    slice_op,
    squeeze_op,
    expand_dims_op,
    reshape_op,
    transpose_op,
    take_op,
    gather_op,
    take_along_axis_op,
)


def _stable(name: str, left: Any, right: Any, **rest: Any) -> Rule:
    return Rule(name, left, right, STABLE, phase="stabilise", grows=rest.pop("grows", True), **rest)


def _floats(m: Match) -> str | None:
    return None if m.root.type.is_float else "integers"


def _no_empty_axis(m: Match) -> str | None:
    return "an empty axis has no maximum to shift by" if any(m.x.shape[a] == 0 for a in m.axis) else None


def _one_axis(m: Match) -> str | None:
    if reason := _no_empty_axis(m):
        return reason
    whole = m.x.ndim == 1 and not m.keepdims
    return None if len(m.axis) == 1 and (m.keepdims or whole) else "the sum is not along one kept axis"


def _log_of_moved_softmax(m: Match) -> Node:
    """log(softmax(x)[i]) is log_softmax(x)[i], whatever moves the values in between."""
    chain: list[Node] = []
    node = m.root.inputs[0]
    while node.op in _MOVES:
        chain.append(node)
        node = node.inputs[0]
    if node.op is not softmax_op or not chain:
        return m.root
    result: Node = log_softmax_op(node.inputs[0], axis=node.attrs["axis"])
    for move in reversed(chain):
        result = rebuild(move, [result, *move.inputs[1:]])
    return result


def _picked_softmax(m: Match) -> Node:
    """exp(x)[i] over the sum along the axis that i picks from is softmax(x)[i]."""
    whole, picked = m.root.inputs[1], m.root.inputs[0]
    if picked.op is not slice_op or whole.op is not sum_op or whole.inputs[0].op is not exp:
        return m.root
    places = {i: part for i, part in enumerate(picked.attrs["index"]) if part != WHOLE}
    if picked.inputs[0] is not whole.inputs[0] or not all(isinstance(p, int) for p in places.values()):
        return m.root
    if dict(whole.attrs) != {"axis": tuple(places), "keepdims": False} or len(places) != 1:
        return m.root
    return rebuild(picked, [softmax_op(whole.inputs[0].inputs[0], axis=whole.attrs["axis"][0])])


def _is_divide(op: Op) -> bool:
    return op is divide


def _is_log(op: Op) -> bool:
    return op is log


def _rows(node: Node) -> Node:
    """What is scaled by scalars and signs."""
    while node.op is negative or (node.op in (multiply, divide) and any(x.shape == () for x in node.inputs)):
        if node.op is divide and node.inputs[1].shape != ():
            return node
        node = node.inputs[0] if node.inputs[0].shape != () else node.inputs[1]
    return node


def _rows_sum_to_one(m: Match) -> str | None:
    rows = _rows(m.x)
    if "one_hot" in rows.op.properties and m.axis == (m.x.ndim - 1,):
        return None
    if "row_stochastic" in rows.op.properties and m.axis == (rows.attrs["axis"],):
        return None
    return "its rows are not known to sum to 1"


def _scale_of_rows(m: Match) -> Any:
    """The signs and scalars around rows that sum to 1."""
    chain: list[Node] = []
    node, rows = m.x, _rows(m.x)
    while node is not rows:
        chain.append(node)
        node = next(x for x in node.inputs if x.shape != ())
    result: Any = constant(1, m.root.dtype)
    for step in reversed(chain):
        result = step.op(*(x if x.shape == () else result for x in step.inputs))
    return result


def _probability(m: Match) -> str | None:
    return None if {m.x.op, m.y.op} & {softmax_op, sigmoid} else "neither is a probability"


def _right_probability(m: Match) -> str | None:
    negative_scale = m.c.attrs["value"].value < 0
    return None if m.y.op in (softmax_op, sigmoid) and negative_scale else "not a target minus a probability"


RULES: tuple[Rule, ...] = (
    _stable("softplus", log(1 + exp(x)), softplus(x)),
    _stable("softplus-log1p", log1p(exp(x)), softplus(x)),
    _stable("logaddexp", log(exp(x) + exp(y)), logaddexp(x, y)),
    _stable("log1p", log(1 + x), log1p(x)),
    _stable(
        "log1p-sub",
        log(1 - x),
        log1p(-x),
        when=lambda m: "sigmoid has a rule of its own" if m.x.op is sigmoid else None,
    ),
    _stable("expm1", exp(x) - 1.0, expm1(x)),
    _stable("expm1-add", exp(x) + -1.0, expm1(x)),
    _stable("expm1-neg", 1.0 - exp(x), -expm1(x)),
    _stable("sigmoid", 1 / (1 + exp(x)), sigmoid(-x)),
    _stable("sigmoid-exp", exp(x) / (1 + exp(x)), sigmoid(x)),
    _stable("over-one-plus-exp", y / (1 + exp(x)), y * sigmoid(-x)),
    _stable("log-sigmoid", log(sigmoid(x)), -softplus(-x)),
    _stable("log-one-minus-sigmoid", log(1 - sigmoid(x)), -softplus(x)),
    _stable(
        "one-minus-sigmoid",
        1 - sigmoid(x),
        sigmoid(-x),
        grows=False,
        note="only where it costs no second exponential",
    ),
    _stable(
        "bce-logits",
        (sigmoid(x) * (1 - sigmoid(x))) * ((1 - y) / (1 - sigmoid(x)) - y / sigmoid(x)),
        sigmoid(x) - y,
    ),
    _stable("sigmoid-cross-entropy", softplus(x) - y * x, sigmoid_cross_entropy(x, y)),
    _stable(
        "sigmoid-cross-entropy-naive",
        softplus(-x) * y + softplus(x) * (1 - y),
        sigmoid_cross_entropy(x, y),
    ),
    _stable(
        "sigmoid-cross-entropy-minus",
        -(softplus(-x) * y) - softplus(x) * (1 - y),
        -sigmoid_cross_entropy(x, y),
    ),
    _stable(
        "sigmoid-cross-entropy-other",
        -(softplus(x) * (1 - y)) - softplus(-x) * y,
        -sigmoid_cross_entropy(x, y),
    ),
    Rule(
        "silu",
        x * sigmoid(x),
        silu(x),
        EXACT,
        phase="stabilise",
        grows=True,
        note="the same value; its derivative does not enlarge the rounding of 1 - σ",
    ),
    _stable("log1mexp", log(1 - exp(x)), log1mexp(x)),
    _stable("log1mexp-expm1", log(-expm1(x)), log1mexp(x)),
    _stable("tanh", (exp(x) - exp(-x)) / (exp(x) + exp(-x)), tanh(x)),
    _stable("sqrt-square", sqrt(square(x)), absolute(x), when=_floats),
    _stable("xlogx", x * log(x), xlogx(x)),
    _stable(
        "softmax",
        exp(x) / sum_op(exp(x), axis=AXIS, keepdims=KEEP),
        lambda m: softmax_op(m.x, axis=m.axis[0]),
        when=_one_axis,
    ),
    Rule("picked-softmax", None, _picked_softmax, STABLE, phase="stabilise", cards=_is_divide, grows=True),
    _stable("log-softmax", log(softmax_op(x, axis=AXIS)), log_softmax_op(x, axis=AXIS)),
    Rule(
        "log-moved-softmax", None, _log_of_moved_softmax, STABLE, phase="stabilise", cards=_is_log, grows=True
    ),
    _stable(
        "logsumexp",
        log(sum_op(exp(x), axis=AXIS, keepdims=KEEP)),
        logsumexp_op(x, axis=AXIS, keepdims=KEEP),
        when=_no_empty_axis,
    ),
    Rule(
        "rows-sum-to-one",
        sum_op(x, axis=AXIS, keepdims=KEEP),
        _scale_of_rows,
        FACT,
        phase="stabilise",
        when=_rows_sum_to_one,
        fact="each row is one-hot or a softmax",
        grows=True,
    ),
    _stable(
        "target-minus-probability",
        x * c - y * c,
        lambda m: multiply(subtract(m.y, m.x), float(-m.c.attrs["value"].value)),
        when=_right_probability,
        note="-Y/n - p·(-1/n) reads better as (p - Y)/n",
    ),
    _stable(
        "probability-minus-target",
        x * s - y * s,
        lambda m: multiply(subtract(m.x, m.y), m.s),
        when=_probability,
        note="p and y are of one size, so p - y is exact where it is small",
    ),
    _stable(
        "probability-minus-target-divided", x / s - y / s, lambda m: (m.x - m.y) / m.s, when=_probability
    ),
)
