"""Arithmetic."""

from __future__ import annotations

from typing import Any

from graphc.ir.node import Node
from graphc.ops.card import POSITIVE, REAL, is_weak, pointwise

add = pointwise(
    "add",
    "x + y",
    operands="x y",
    infix="+",
    floats=False,
    properties="commutative",
    noun="total",
    latex="{x} + {y}",
    cost=0.15,
)
subtract = pointwise(
    "subtract",
    "x - y",
    operands="x y",
    infix="-",
    floats=False,
    noun="difference",
    latex="{x} - {y}",
    cost=0.15,
)
multiply = pointwise(
    "multiply",
    "x * y",
    operands="x y",
    infix="*",
    floats=False,
    properties="commutative",
    noun="product",
    latex=r"{x} \odot {y}",
    cost=0.15,
)
divide = pointwise(
    "divide",
    "x / y",
    operands="x y",
    infix="/",
    domain=(REAL, POSITIVE),
    noun="ratio",
    latex=r"\frac{{{x}}}{{{y}}}",
    cost=0.19,
)
negative = pointwise("negative", "-x", prefix="-", floats=False, noun="minus", latex="-{x}", cost=0.1)


def _square_text(x: Any) -> Any:
    """``h * h`` reads best of a name; both give the same bits."""
    from graphc.ops.template import PRECEDENCE, Text

    return Text(f"{x} * {x}", PRECEDENCE["*"]) if x.isidentifier() else Text(f"np.square({x})")


# SymPy writes the derivatives of a power as x**y * y/x and x**y * log(x), which are nan at x = 0.
power = pointwise(
    "power",
    "x ** y",
    operands="x y",
    infix="**",
    domain=(POSITIVE, REAL),
    partials=("y * x ** (y - 1)", "where(x > 0, out * log(where(x > 0, x, 1)), 0)"),
    latex="{x}^{{{y}}}",
    cost=1.5,
)
pow = power

square = pointwise(
    "square",
    "x ** 2",
    lambda x, node: _square_text(x),
    into="np.multiply({x}, {x}, out={out})",
    floats=False,
    partials=("2 * x",),
    latex="{x}^2",
    cost=0.1,
)
abs = pointwise(
    "abs", "abs(x)", "np.abs({x})", floats=False, domain=(POSITIVE,), latex=r"\left|{x}\right|", cost=0.1
)
sign = pointwise(
    "sign",
    "sign(x)",
    "np.sign({x})",
    floats=False,
    domain=(POSITIVE,),
    latex=r"\operatorname{{sign}}({x})",
    cost=0.68,
)

# At a tie the first operand takes the gradient; `maximum` and `minimum` put a constant operand first.
maximum_op = pointwise(
    "maximum",
    "where(x >= y, x, y)",
    "np.maximum({x}, {y})",
    operands="x y",
    floats=False,
    domain=((-2.0, -1.1), (-1.0, 2.0)),
    noun="larger",
    latex=r"\max({x}, {y})",
    cost=0.19,
)
minimum_op = pointwise(
    "minimum",
    "where(x <= y, x, y)",
    "np.minimum({x}, {y})",
    operands="x y",
    floats=False,
    domain=((-2.0, -1.1), (-1.0, 2.0)),
    noun="smaller",
    latex=r"\min({x}, {y})",
    cost=0.19,
)


def maximum(x: Any, y: Any) -> Node:
    """The larger of two values; at a tie a constant operand takes the gradient, else the first.

    Example:
        >>> import graphc as gx
        >>> gx.maximum(gx.input("x", (3,)), 0).op
        <op maximum>
    """
    node: Node = maximum_op(*_constant_first(x, y))
    return node


def minimum(x: Any, y: Any) -> Node:
    """The smaller of two values; at a tie a constant operand takes the gradient, else the first.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> gx.compile(gx.minimum(x, 2))([1.0, 3.0])
        array([1., 2.], dtype=float32)
    """
    node: Node = minimum_op(*_constant_first(x, y))
    return node


def clip(x: Any, min: Any = None, max: Any = None) -> Node:
    """``x`` kept between two bounds; the gradient is 0 outside and at constant bounds.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> gx.compile(gx.clip(x, -1, 1))([-3.0, 0.5, 3.0])
        array([-1. ,  0.5,  1. ], dtype=float32)
    """
    if min is not None:
        x = maximum(x, min)
    return x if max is None else minimum(x, max)


def _constant_first(x: Any, y: Any) -> tuple[Any, Any]:
    return (y, x) if _is_constant(y) and not _is_constant(x) else (x, y)


def _is_constant(x: Any) -> bool:
    return is_weak(x) or not isinstance(x, Node) or x.op.role == "const"


CARDS = (add, subtract, multiply, divide, negative, power, square, abs, sign, maximum_op, minimum_op)
