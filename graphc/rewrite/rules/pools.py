"""What stands in front of a pool and may as well stand behind it, on a fraction of the values."""

from __future__ import annotations

from collections.abc import Sequence

from graphc.ir.node import Node, rebuild
from graphc.ops.arith import add
from graphc.ops.math import relu
from graphc.ops.reduce import max_op
from graphc.ops.shape import reshape_op, squeeze_op, transpose_op
from graphc.ops.windows import windows_op
from graphc.rewrite.rule import STRUCTURE, Match, Rule
from graphc.rewrite.rules.holes import AXIS, KEEP, x


def _keeps_order(node: Node) -> bool:
    """Whether a node has the elements of its operand in the same order."""
    if node.op is transpose_op:
        return bool(node.attrs["axes"] == tuple(range(node.ndim)))
    return node.op in (reshape_op, squeeze_op)


def _slid(node: Node) -> list[Node]:
    """The nodes from a maximum over the places in windows down to these, and what they slide over; else none."""
    chain = [node]
    while _keeps_order(chain[-1].inputs[0]):
        chain.append(chain[-1].inputs[0])
    windows, flat = chain[-1].inputs[0], node.inputs[0]
    if windows.op is not windows_op or node.attrs["keepdims"]:
        return []
    whole = windows.inputs[0]
    placed = flat.ndim == whole.ndim + 1 and flat.shape[:-1] == windows.shape[: whole.ndim]
    return [*chain, windows, whole] if placed and node.attrs["axis"] == whole.ndim else []


def _over(chain: Sequence[Node], inner: Node) -> Node:
    """The same pool of another value."""
    for node in reversed(chain[:-1]):
        inner = rebuild(node, [inner])
    return inner


def _fewer(node: Node, whole: Node) -> bool:
    """Whether a pool leaves fewer values."""
    return node.shape != whole.shape


def _relu_behind(m: Match) -> Node | None:
    chain = _slid(m.root)
    if not chain or chain[-1].op is not relu or not _fewer(m.root, chain[-1]):
        return None
    found: Node = relu(_over(chain, chain[-1].inputs[0]))
    return found


def _sum_behind(m: Match) -> Node | None:
    chain = _slid(m.root)
    if not chain or chain[-1].op is not add or not chain[-1].type.is_float or not _fewer(m.root, chain[-1]):
        return None
    total, axes = chain[-1], chain[-2].attrs["axis"]
    for value, offset in (total.inputs, total.inputs[::-1]):
        if value.shape == total.shape and _is_same(offset, axes, total.ndim):
            found: Node = add(_over(chain, value), offset)
            return found
    return None


def _is_same(offset: Node, axes: Sequence[int], ndim: int) -> bool:
    """Whether a value is one and the same along these axes of one that it is added to."""
    lead = ndim - offset.ndim
    return all(a < lead or offset.shape[a - lead] == 1 for a in axes)


RULES: tuple[Rule, ...] = (
    Rule(
        "relu-behind-pool",
        max_op(x, axis=AXIS, keepdims=KEEP),
        _relu_behind,
        STRUCTURE,
        note="the same values, and the same place of the first largest wherever it is above 0",
    ),
    Rule(
        "sum-behind-pool",
        max_op(x, axis=AXIS, keepdims=KEEP),
        _sum_behind,
        STRUCTURE,
        note="rounding keeps order, so the values are the same; of two that rounding makes equal, the larger is first",
    ),
)
"""Before the gradient is derived, so that it is one of fewer values too."""
