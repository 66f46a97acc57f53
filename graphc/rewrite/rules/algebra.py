"""Algebra on real numbers, as far as floating point allows: REWRITES 4-10, 17, 19, 34, 55."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from graphc.ir.node import Node, rebuild, toposort
from graphc.ir.pattern import Var
from graphc.ops.arith import maximum_op, minimum_op, multiply, negative, square
from graphc.ops.compare import greater, where
from graphc.ops.math import relu, sqrt
from graphc.rewrite.rule import EXACT, HARMLESS, ROUNDING, Match, Rule, is_constant
from graphc.rewrite.rules.holes import c, d, x, y, z

_SIGN = "differs only in the sign of a zero"
_NORMAL = {"float32": (1.2e-38, 3.4e38), "float64": (2.3e-308, 1.7e308)}


def _normal_product(m: Match) -> str | None:
    """Merging constants must not leave the normal range on the way."""
    if not m.root.type.is_float:
        return "integers may overflow differently"
    product = float(m.c.attrs["value"].value) * float(m.d.attrs["value"].value)
    low, high = _NORMAL[m.root.dtype]
    inside = low <= abs(product) <= high
    return None if inside else "the product of the constants is not a normal number"


def _merged(m: Match) -> Any:
    value = np.float64(m.c.attrs["value"].value) * np.float64(m.d.attrs["value"].value)
    return multiply(m.x, float(value))


def _special_power(m: Match) -> str | None:
    """NumPy computes an array to the power of one number 2, ½ or -1 by square, sqrt and reciprocal; else by pow."""
    base, exponent = m.root.inputs
    return (
        None
        if base.ndim and not exponent.ndim
        else "NumPy treats no scalar, and no array of exponents, specially"
    )


def _float(m: Match) -> str | None:
    return None if m.root.type.is_float else "integers"


def _condition_first(m: Match) -> Any:
    return where(m.y, m.z, 0)


_condition = Var("y", lambda node: node.dtype == "bool")


# -- masks of one value -------------------------------------------------------------------------------------------


def _is_mask(node: Node) -> bool:
    """Whether a node is a value where a condition holds (or does not), and 0 elsewhere."""
    return node.op is where and any(is_constant(x, 0.0) for x in node.inputs[1:])


def _depth(node: Node) -> int:
    """The longest way down from a node (iterative; each node is looked at once)."""
    if node not in _depths:
        for each in toposort([node]):
            if each not in _depths:
                _depths[each] = 1 + max((_depths[x] for x in each.inputs), default=0)
    return _depths[node]


_depths: WeakKeyDictionary[Node, int] = WeakKeyDictionary()  # a pure function, remembered


def _masked(node: Node) -> int:
    """Which operand of a mask is its value."""
    return 1 if is_constant(node.inputs[2], 0.0) else 2


def _mask_below(node: Node) -> Node | None:
    """The mask that the value of this mask is, where it should stand outside: that of a deeper condition."""
    if not _is_mask(node) or node.inputs[0].shape != node.shape:
        return None
    inner = node.inputs[_masked(node)]
    if not _is_mask(inner) or inner.inputs[0].shape != inner.shape:
        return None
    return inner if _depth(inner.inputs[0]) > _depth(node.inputs[0]) else None


def _masks_exchanged(m: Match) -> Node | None:
    inner = _mask_below(m.root)
    if inner is None:
        return None
    parts, around = list(m.root.inputs), list(inner.inputs)
    parts[_masked(m.root)] = inner.inputs[_masked(inner)]
    around[_masked(inner)] = rebuild(m.root, parts)
    return rebuild(inner, around)


def _masks_apart(root: Node) -> tuple[Node, ...]:
    inner = _mask_below(root)
    return () if inner is None else (inner,)


def _negated(m: Match) -> Node:
    """-mask(x) for mask(-x)."""
    parts = [m.x if part.op is negative and part.inputs[0] is m.x else part for part in m.root.inputs]
    result: Node = negative(rebuild(m.root, parts))
    return result


RULES: tuple[Rule, ...] = (
    Rule("sub-zero", x - 0.0, x, EXACT),
    Rule("add-minus-zero", x + -0.0, x, EXACT),
    Rule("add-zero", x + 0.0, x, HARMLESS, fact=_SIGN),
    Rule("mul-one", x * 1.0, x, EXACT),
    Rule("div-one", x / 1.0, x, EXACT),
    Rule("pow-one", x**1.0, x, EXACT),
    Rule("neg-neg", negative(negative(x)), x, EXACT),
    Rule("mul-minus-one", x * -1.0, -x, EXACT),
    Rule("neg-mul-neg", (-x) * (-y), x * y, EXACT),
    Rule("neg-mul", (-x) * y, -(x * y), EXACT),
    Rule("neg-div", (-x) / y, -(x / y), EXACT),
    Rule("div-neg", x / (-y), -(x / y), EXACT),
    Rule("add-neg", x + (-y), x - y, EXACT),
    Rule("sub-neg", x - (-y), x + y, EXACT),
    Rule("zero-sub", 0.0 - x, -x, HARMLESS, fact=_SIGN),
    Rule("square", x * x, square(x), EXACT),
    Rule("pow-two", x**2.0, square(x), EXACT, when=_special_power, note="as NumPy's power does it"),
    Rule("pow-half", x**0.5, sqrt(x), EXACT, when=_special_power, note="as NumPy's power does it"),
    Rule("pow-minus-one", x**-1.0, 1 / x, EXACT, when=_special_power, note="as NumPy's power does it"),
    Rule("pow-two-rounded", x**2.0, square(x), ROUNDING, ulp=1),
    Rule("pow-half-rounded", x**0.5, sqrt(x), ROUNDING, ulp=1),
    Rule("pow-minus-one-rounded", x**-1.0, 1 / x, ROUNDING, ulp=1),
    Rule("pow-zero", x**0.0, lambda m: 1.0, EXACT, note="x**0 is 1 in NumPy, even for nan"),
    Rule("pow-three", x**3.0, square(x) * x, ROUNDING, ulp=2, note="power costs 60 times as much"),
    Rule("square-neg", square(-x), square(x), EXACT),
    Rule("scalar-merge", (x * c) * d, _merged, ROUNDING, when=_normal_product, ulp=2),
    Rule(
        "mask-product",
        where(_condition, 1.0, 0.0) * z,
        _condition_first,
        HARMLESS,
        fact="safer where z is not finite",
    ),
    Rule(
        "mask-product-of",
        where(_condition, x, 0.0) * z,
        where(_condition, x * z, 0.0),
        HARMLESS,
        fact="safer where z is not finite",
    ),
    Rule(
        "mask-product-else",
        where(_condition, 0.0, x) * z,
        where(_condition, 0.0, x * z),
        HARMLESS,
        fact="safer where z is not finite",
    ),
    Rule(
        "masks-in-order",
        None,
        _masks_exchanged,
        EXACT,
        cards=lambda op: op is where,
        over=lambda op: op is where,
        apart=_masks_apart,
        note="that of the deepest condition stands outside, however they came together",
    ),
    Rule("mask-neg", where(_condition, -x, 0.0), _negated, HARMLESS, fact=_SIGN),
    Rule("mask-neg-else", where(_condition, 0.0, -x), _negated, HARMLESS, fact=_SIGN),
    Rule("where-same", where(_condition, x, x), x, EXACT),
    Rule("like-terms", x + x, 2 * x, EXACT, when=_float),
    Rule("relu", maximum_op(0.0, x), relu(x), HARMLESS, fact=_SIGN),
    Rule("relu-where", where(greater(x, 0.0), x, 0.0), relu(x), HARMLESS, fact="differs only at nan"),
    Rule("max-max", maximum_op(c, maximum_op(c, x)), maximum_op(c, x), EXACT),
    Rule("min-min", minimum_op(c, minimum_op(c, x)), minimum_op(c, x), EXACT),
)
