"""Facts about shapes: REWRITES 6, 11-16, 36-38, 57."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.errors import ShapeError
from graphc.ir.node import Node, rebuild
from graphc.ir.op import Op
from graphc.ir.pattern import AttrVar
from graphc.ir.types import broadcast
from graphc.ops.arith import divide, multiply, negative, power
from graphc.ops.card import constant
from graphc.ops.contract import matmul_op
from graphc.ops.leaves import ones_like, seed_op
from graphc.ops.reduce import sum_op
from graphc.ops.shape import (
    broadcast_to,
    broadcast_to_op,
    expand_dims_op,
    reshape_op,
    squeeze_op,
    stop_gradient,
    sum_to_op,
    transpose_op,
)
from graphc.rewrite.rule import EXACT, HARMLESS, STRUCTURE, Match, Rule, is_constant
from graphc.rewrite.rules.holes import AXIS, KEEP, s, x, y

SHAPE, AXES, SHAPE2, AXES2, AXIS2 = (AttrVar(n) for n in ("shape", "axes", "shape2", "axes2", "axis2"))


def _same_shape(m: Match) -> str | None:
    return None if m.x.shape == m.root.shape else "the shape changes"


def _identity(m: Match) -> str | None:
    return None if m.axes == tuple(range(len(m.axes))) else "the axes change"


def _composed(m: Match) -> Any:
    return transpose_op(m.x, axes=tuple(m.axes2[a] for a in m.axes))


def _matrices(m: Match) -> str | None:
    n = m.root.ndim
    return (
        None if m.axes == (*range(n - 2), n - 1, n - 2) and m.x.ndim == m.y.ndim == n else "other axes move"
    )


def _transposed_product(m: Match) -> Any:
    return matmul_op(transpose_op(m.y, axes=m.axes), transpose_op(m.x, axes=m.axes))


def _one_more_axis(m: Match) -> str | None:
    return None if _inserted_axis(m) is not None else "it is not one more axis of size 1"


def _inserted_axis(m: Match) -> int | None:
    for axis in range(len(m.shape)):
        if m.shape[axis] == 1 and (*m.shape[:axis], *m.shape[axis + 1 :]) == m.x.shape:
            return axis
    return None


def _one_axis_less(m: Match) -> str | None:
    return None if _removed_axis(m) is not None else "it is not one axis of size 1 less"


def _removed_axis(m: Match) -> int | None:
    for axis in range(m.x.ndim):
        if m.x.shape[axis] == 1 and (*m.x.shape[:axis], *m.x.shape[axis + 1 :]) == m.shape:
            return axis
    return None


def _kept_axis(m: Match) -> str | None:
    return None if m.axis == (m.axis2,) and m.root.ndim == m.x.ndim else "another axis comes back"


def _unstretched(m: Match) -> Node | None:
    """A pointwise operation stretches its operands by itself."""
    node = m.root
    inputs = [_source(x) for x in node.inputs]
    if all(a is b for a, b in zip(inputs, node.inputs, strict=True)):
        return node
    try:
        same = broadcast([x.shape for x in inputs]) == node.shape
    except ShapeError:
        same = False
    if same:
        return rebuild(node, inputs)
    for i, candidate in enumerate(inputs):
        if candidate is not node.inputs[i]:
            kept = [*node.inputs[:i], candidate, *node.inputs[i + 1 :]]
            try:
                if broadcast([x.shape for x in kept]) == node.shape:
                    return rebuild(node, kept)
            except ShapeError:
                continue
    return _stretched_last(node, inputs)


def _stretched_last(node: Node, inputs: Sequence[Node]) -> Node:
    """Where every operand was stretched, or is a scalar: computed on what it was stretched from, and stretched then.

    So it does not matter whether a stretched value meets a scalar before it meets what has its shape by itself.
    """
    if any(x is source and x.shape for x, source in zip(node.inputs, inputs, strict=True)):
        return node
    try:
        small = broadcast([x.shape for x in inputs])
    except ShapeError:
        return node
    if small == node.shape or all(x.op.role == "const" for x in inputs):
        return node  # what is made of constants alone is folded, whole
    stretched: Node = broadcast_to_op(rebuild(node, inputs), shape=node.shape)
    return stretched


def _stretches(op: Op) -> bool:
    """NumPy's power treats one exponent for all specially, so stretching one beforehand can change its bits."""
    return op.kind == "pointwise" and len(op.operands) > 1 and op is not power


def _may_be_stretched(op: Op) -> bool:
    return op in (broadcast_to_op, expand_dims_op) or op.role == "const"


def _source(node: Node) -> Node:
    """What a value was stretched from; leading axes of size 1 come by themselves, and so does one constant for all."""
    while node.op is broadcast_to_op or (node.op is expand_dims_op and node.attrs["axis"] == 0):
        node = node.inputs[0]
    return _one_for_all(node)


def _scalar_of(node: Node) -> Node:
    """The scalar behind reshapes and stretches, or the node."""
    while node.op in (expand_dims_op, reshape_op, squeeze_op, broadcast_to_op):
        node = node.inputs[0]
    return _one_for_all(node)


def _one_for_all(node: Node) -> Node:
    """The scalar that a constant is all of whose elements are the same, or the node."""
    if node.op.role == "const" and node.shape and _uniform(node.attrs["value"].value):
        return constant(node.attrs["value"].value.flat[0], node.dtype)
    return node


def _uniform(array: np.ndarray[Any, Any]) -> bool:
    """Whether all elements have the same bits: 0 and -0 are told apart."""
    return array.size > 0 and array.tobytes() == array.flat[0].tobytes() * array.size


def _from_scalar(m: Match) -> str | None:
    source = _scalar_of(m.x)
    return None if source is not m.x and source.shape == () else "it is not a stretched scalar"


def _reshaped_full(m: Match) -> str | None:
    inner = m.root.inputs[0]
    return (
        None
        if inner.op is broadcast_to_op and inner.inputs[0].shape == ()
        else "it is not a stretched scalar"
    )


def _full(m: Match) -> Any:
    return broadcast_to_op(m.root.inputs[0].inputs[0], shape=m.root.shape)


def _moves(op: Op) -> bool:
    return op in (reshape_op, transpose_op, expand_dims_op, squeeze_op)


_ONES = (reshape_op, expand_dims_op, squeeze_op)
"""Cards that keep the elements and their order."""


def _reshaped_once(m: Match) -> Node:
    """One reshape for two cards of the kind; two axes that are put in (or taken away) stay two."""
    node, inner = m.root, m.root.inputs[0]
    if inner.op not in _ONES or (inner.op is node.op and node.op is not reshape_op):
        return node
    result: Node = reshape_op(inner.inputs[0], shape=node.shape)
    return result


def _sums_all(m: Match) -> str | None:
    return None if m.root.shape == () and not m.keepdims else "axes remain"


def _whole_sum(m: Match) -> Any:
    return sum_op(m.x, axis=tuple(range(m.x.ndim)), keepdims=False)


def _plain_broadcast(m: Match) -> Any:
    return broadcast_to(m.x, m.root.shape)


RULES: tuple[Rule, ...] = (
    Rule("unit-seed", seed_op(x), lambda m: ones_like(m.x), EXACT, note="dL/dL is 1"),
    Rule("unbroadcast-nothing", sum_to_op(x, shape=SHAPE), x, EXACT, when=_same_shape),
    Rule("broadcast-nothing", broadcast_to_op(x, shape=SHAPE), x, EXACT, when=_same_shape),
    Rule(
        "broadcast-scalar",
        broadcast_to_op(x, shape=SHAPE),
        lambda m: broadcast_to_op(_scalar_of(m.x), shape=m.shape),
        EXACT,
        when=_from_scalar,
    ),
    Rule(
        "move-full",
        None,
        lambda m: m.root if _reshaped_full(m) else _full(m),
        EXACT,
        cards=_moves,
        over=lambda op: op is broadcast_to_op,
    ),
    Rule(
        "broadcast-broadcast",
        broadcast_to_op(broadcast_to_op(x, shape=SHAPE2), shape=SHAPE),
        _plain_broadcast,
        EXACT,
    ),
    Rule("pointwise-broadcast", None, _unstretched, EXACT, cards=_stretches, over=_may_be_stretched),
    Rule("transpose-nothing", transpose_op(x, axes=AXES), x, EXACT, when=_identity),
    Rule("transpose-transpose", transpose_op(transpose_op(x, axes=AXES2), axes=AXES), _composed, EXACT),
    Rule(
        "transpose-product",
        transpose_op(matmul_op(x, y), axes=AXES),
        _transposed_product,
        STRUCTURE,
        when=_matrices,
    ),
    Rule("reshape-nothing", reshape_op(x, shape=SHAPE), x, EXACT, when=_same_shape),
    Rule(
        "reshape-reshape",
        reshape_op(reshape_op(x, shape=SHAPE2), shape=SHAPE),
        reshape_op(x, shape=SHAPE),
        EXACT,
    ),
    Rule(
        "reshape-once",
        None,
        _reshaped_once,
        EXACT,
        cards=lambda op: op in _ONES,
        over=lambda op: op in _ONES,
        note="an axis of size 1 that comes and goes",
    ),
    Rule(
        "reshape-expand",
        reshape_op(x, shape=SHAPE),
        lambda m: expand_dims_op(m.x, axis=_inserted_axis(m)),
        EXACT,
        when=_one_more_axis,
    ),
    Rule(
        "reshape-squeeze",
        reshape_op(x, shape=SHAPE),
        lambda m: squeeze_op(m.x, axis=_removed_axis(m)),
        EXACT,
        when=_one_axis_less,
    ),
    Rule("squeeze-expand", squeeze_op(expand_dims_op(x, axis=AXIS), axis=AXIS), x, EXACT),
    Rule("expand-squeeze", expand_dims_op(squeeze_op(x, axis=AXIS), axis=AXIS), x, EXACT),
    Rule(
        "keep-axis",
        expand_dims_op(sum_op(x, axis=AXIS, keepdims=False), axis=AttrVar("axis2")),
        lambda m: sum_op(m.x, axis=m.axis, keepdims=True),
        EXACT,
        when=_kept_axis,
    ),
    Rule(
        "sum-neg",
        sum_op(-x, axis=AXIS, keepdims=KEEP),
        lambda m: negative(sum_op(m.x, axis=m.axis, keepdims=m.keepdims)),
        HARMLESS,
        fact="differs only in the sign of a zero",
    ),
    Rule(
        "sum-sum",
        sum_op(sum_op(x, axis=AXIS, keepdims=False), axis=AttrVar("axis2"), keepdims=KEEP),
        _whole_sum,
        STRUCTURE,
        when=_sums_all,
    ),
    Rule("stop-stop", stop_gradient(stop_gradient(x)), stop_gradient(x), EXACT),
)

COST: tuple[Rule, ...] = (
    Rule(
        "sum-scaled",
        sum_op(x * s, axis=AXIS, keepdims=KEEP),
        lambda m: multiply(sum_op(m.x, axis=m.axis, keepdims=m.keepdims), m.s),
        STRUCTURE,
        phase="cost",
        note="one multiplication per sum instead of one per term",
    ),
    Rule(
        "sum-divided",
        sum_op(x / s, axis=AXIS, keepdims=KEEP),
        lambda m: divide(sum_op(m.x, axis=m.axis, keepdims=m.keepdims), m.s),
        STRUCTURE,
        phase="cost",
        when=lambda m: "it divides by zero" if is_constant(m.s, 0.0) or is_constant(m.s, -0.0) else None,
        note="one division per sum instead of one per term",
    ),
)
