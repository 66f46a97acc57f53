"""What is known of a value: its range, and facts such as one-hot rows, inferred from cards and from ``gx.assume``."""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from graphc.ir.node import Node, toposort
from graphc.ir.size import floor_divide, product
from graphc.ops.assume import FLAGS
from graphc.rewrite.intervals import ANY, FUNCTIONS, TRUTH, Interval, formula_range, point, rounded, union

LABELS = ("integer", "one_hot", "row_stochastic", "symmetric")


@dataclass(frozen=True)
class Facts:
    """What every element of a value is known to be.

    Attributes:
        range: between which numbers, and whether nan is possible.
        nonzero: never 0, although the range may hold 0.
        labels: ``integer``, ``one_hot``, ``row_stochastic``, ``symmetric``.
    """

    range: Interval = ANY
    nonzero: bool = False
    labels: frozenset[str] = frozenset()

    @property
    def finite(self) -> bool:
        """Neither infinite nor nan."""
        return self.range.finite

    def __str__(self) -> str:
        words = [f"[{self.range.low:g}, {self.range.high:g}]"]
        words += ["finite"] if self.finite else []
        words += ["nonzero"] if self.nonzero else []
        return ", ".join([*words, *sorted(self.labels)])


NOTHING = Facts()
_known: weakref.WeakKeyDictionary[Node, Facts] = weakref.WeakKeyDictionary()  # a pure function, remembered


def facts_of(node: Node) -> Facts:
    """What is known of a node (iterative; each node is looked at once).

    Example:
        >>> import graphc as gx
        >>> x = gx.assume(gx.input("x", ("n",)), low=0, high=2, finite=True)
        >>> str(facts_of(gx.sigmoid(x) + 1).range.high < 1.9)
        'True'
    """
    if node not in _known:
        for each in toposort([node]):
            if each not in _known:
                _known[each] = _inferred(each, [_known[x] for x in each.inputs])
    return _known[node]


def _inferred(node: Node, operands: Sequence[Facts]) -> Facts:
    if node.dtype == "bool":
        return Facts(TRUTH)
    found = _by_kind(node, operands)
    properties = node.op.properties
    labels = found.labels | {label for label in LABELS if label in properties}
    if "one_hot" in labels or "row_stochastic" in labels:
        found = replace(found, range=Interval(0.0, 1.0, found.range.nan and "one_hot" not in properties))
    if node.dtype.startswith("int"):
        labels |= {"integer"}
        found = replace(found, range=replace(found.range, nan=False))
    return replace(found, labels=labels, nonzero=found.nonzero or found.range.nonzero)


def _by_kind(node: Node, operands: Sequence[Facts]) -> Facts:
    op = node.op
    if op.role == "const":
        return _of_constant(node)
    if op.role == "size":
        return Facts(Interval(0.0, float(2**53), False), labels=frozenset({"integer"}))
    if op.role == "assume":
        return _assumed(node, operands[0])
    if op.kind == "pointwise":
        return pointwise_facts(node, operands) if node.type.is_float else NOTHING
    if "converts" in op.properties:
        return Facts(rounded(operands[0].range, node.dtype)) if node.type.is_float else NOTHING
    if op.kind == "effect" or op.properties & {"view", "moves"}:
        return _moved(_carried(node, operands))
    if "sums" in op.properties:
        return _summed(node, operands[0])
    if "row_stochastic" in op.properties:
        return Facts(Interval(0.0, 1.0, not operands[0].finite))
    return facts_of(op.body(*node.inputs, **node.attrs)) if op.body is not None else NOTHING


def _of_constant(node: Node) -> Facts:
    array = np.asarray(node.attrs["value"].value)
    if not array.size or np.isnan(array).any():
        return NOTHING
    whole = frozenset({"integer"}) if np.all(array == np.floor(array)) else frozenset()
    return Facts(Interval(float(array.min()), float(array.max()), False), bool(np.all(array != 0)), whole)


def _assumed(node: Node, known: Facts) -> Facts:
    """What the program shows and what the user says, together."""
    attrs = node.attrs
    least, most = (_as_compared(attrs[key], node) for key in ("at_least", "at_most"))
    low = known.range.low if least is None else max(known.range.low, least)
    high = known.range.high if most is None else min(known.range.high, most)
    said = attrs["at_least"] is not None or attrs["at_most"] is not None  # a number in a range is no nan
    if attrs["finite"]:
        largest = float(np.finfo(node.dtype if node.type.is_float else "float64").max)
        low, high = max(low, -largest), min(high, largest)
    range = Interval(low, high, known.range.nan and not said and not attrs["finite"])
    labels = known.labels | {flag for flag in FLAGS if attrs[flag] and flag in LABELS}
    return Facts(range, known.nonzero or attrs["nonzero"], labels)


def _as_compared(bound: float | None, node: Node) -> float | None:
    """A bound in the dtype of the values, as a check compares it: 0.1 is another number in float32."""
    if bound is None or not node.type.is_float:
        return bound
    with np.errstate(over="ignore"):
        return float(np.dtype(node.dtype).type(bound))


def _carried(node: Node, operands: Sequence[Facts]) -> Sequence[Facts]:
    """The operands whose elements a node hands on: an update its first, a choice by index those of its dtype."""
    if node.op.role == "update":
        return operands[:1]
    return [f for x, f in zip(node.inputs, operands, strict=True) if x.dtype == node.dtype]


def _summed(node: Node, known: Facts) -> Facts:
    """Sums of nonnegative numbers are nonnegative; of a known count of them, bounded."""
    range = known.range
    whole, left = product(node.inputs[0].shape), product(node.shape)
    ratio = floor_divide(whole, left) if left != 0 else 0
    count = float(ratio) if isinstance(ratio, int) else math.inf
    if count == 0:
        return Facts(point(0.0))
    low = 0.0 if range.low >= 0 else -math.inf if math.isinf(count) else range.low * count
    high = 0.0 if range.high <= 0 else math.inf if math.isinf(count) else range.high * count
    bound = Interval(low, high, range.nan)
    if node.type.is_float:
        bound = rounded(bound, node.dtype, 8 + min(count, 2.0**20))
    both = bound.low == -math.inf and bound.high == math.inf  # on the way one end may meet the other
    return Facts(replace(bound, nan=bound.nan or both))


def _moved(operands: Sequence[Facts]) -> Facts:
    """Elements that only changed places: what holds of each holds of all. Rows may be others, so labels end."""
    labels = frozenset.intersection(*(x.labels for x in operands)) & {"integer"}
    return Facts(union([x.range for x in operands]), all(x.nonzero for x in operands), labels)


def pointwise_facts(node: Node, operands: Sequence[Facts]) -> Facts:
    """What a pointwise card makes of what is known of its operands."""
    names = {n: x.range for n, x in zip(node.op.operands, operands, strict=True)}
    names |= {k: point(v) for k, v in node.attrs.items() if isinstance(v, (int, float))}
    if node.op.name in FUNCTIONS:
        return Facts(rounded(FUNCTIONS[node.op.name](*(x.range for x in operands)), node.dtype))
    assert node.op.formula is not None
    found = formula_range(node.op.formula, names, node.dtype)
    return Facts(found)
