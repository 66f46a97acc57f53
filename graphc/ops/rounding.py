"""Rounding, remainders, signs and tests of floats: pointwise cards that are flat between their jumps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.ir.node import Node
from graphc.ops.card import POSITIVE, as_nodes, pointwise, promoted
from graphc.ops.compare import equal, where


def _rounding(name: str, latex: str, doc: str) -> Any:
    return pointwise(
        name,
        f"{name}(x)",
        _float_call(name),
        floats=False,
        domain=((0.1, 0.4),),
        latex=latex,
        cost=0.2,
        doc=doc,
    )


def _float_call(name: str) -> Callable[..., str]:
    """Integers stay as they are; NumPy 2.0 would make float64 of them."""
    return lambda x, node: f"np.{name}({x})" if node.type.is_float else f"np.positive({x})"


floor = _rounding("floor", r"\lfloor {x} \rfloor", "The largest integer that is not above.")
ceil = _rounding("ceil", r"\lceil {x} \rceil", "The smallest integer that is not below.")
trunc = _rounding("trunc", r"\operatorname{{trunc}}({x})", "The next integer towards 0.")
round = _rounding("round", r"\operatorname{{round}}({x})", "The nearest integer; halves go to the even one.")

remainder = pointwise(
    "remainder",
    "x - floor_divide(x, y) * y",
    "np.remainder({x}, {y})",
    operands="x y",
    floats=False,
    domain=((0.1, 0.9), (1.0, 3.0)),
    latex=r"{x} \bmod {y}",
    cost=8.0,
    doc="What is left of a floored division; it has the sign of the divisor.",
)
floor_divide = pointwise(
    "floor_divide",
    "floor_divide(x, y)",
    "np.floor_divide({x}, {y})",
    operands="x y",
    floats=False,
    domain=((0.1, 0.9), (1.0, 3.0)),
    latex=r"\lfloor {x} / {y} \rfloor",
    cost=8.0,
    doc="The quotient, rounded down.",
)
copysign = pointwise(
    "copysign",
    "copysign(x, y)",
    "np.copysign({x}, {y})",
    operands="x y",
    domain=(POSITIVE, POSITIVE),
    latex=r"|{x}| \operatorname{{sign}}({y})",
    cost=0.2,
    doc="The size of the first with the sign of the second; the slope is 0 where the first is 0.",
)


def _test(name: str, latex: str, doc: str) -> Any:
    return pointwise(
        name,
        f"{name}(x)",
        f"np.{name}({{x}})",
        result="bool",
        floats=False,
        latex=latex,
        cost=0.1,
        doc=doc,
    )


isfinite = _test("isfinite", r"[{x} \in \mathbb{{R}}]", "Whether a value is neither infinite nor nan.")
isinf = _test("isinf", r"[|{x}| = \infty]", "Whether a value is infinite.")
isnan = _test("isnan", r"[{x} = \mathrm{{nan}}]", "Whether a value is nan.")
signbit = _test("signbit", r"[{x} < 0]", "Whether a value carries a minus sign, as -0.0 does.")


def nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Node:
    """``x`` with numbers for nan and the infinities (by default the largest and smallest of the dtype).

    The gradient is 0 where a value was replaced.

    Example:
        >>> import graphc as gx
        >>> str(gx.nan_to_num(gx.input("x", (3,))).type)
        'float32[3]'
    """
    (node,) = promoted(as_nodes((x,)), numbers=True)
    if node.type.is_float:
        largest = float(np.finfo(node.dtype).max)
        node = where(isnan(node), nan, node)
        node = where(equal(node, np.inf), largest if posinf is None else posinf, node)
        node = where(equal(node, -np.inf), -largest if neginf is None else neginf, node)
    return node


CARDS = (floor, ceil, trunc, round, remainder, floor_divide, copysign, isfinite, isinf, isnan, signbit)
