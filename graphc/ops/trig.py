"""Trigonometric and hyperbolic functions and their inverses.

A derivative is written by hand where SymPy's loses digits: 1 - x² near 1 cancels, (1 - x)(1 + x) does not; x² + 1
overflows for large x, ``hypot`` does not.
"""

from __future__ import annotations

from typing import Any

from graphc.ops.card import POSITIVE, REAL, pointwise

INSIDE = (-0.9, 0.9)


def _function(name: str, latex: str, cost: float, **rest: Any) -> Any:
    return pointwise(name, f"{name}(x)", f"np.{name}({{x}})", latex=latex, cost=cost, **rest)


tan = _function("tan", r"\tan {x}", 4.0, domain=((-1.2, 1.2),))
arcsin = _function("arcsin", r"\arcsin {x}", 1.0, domain=(INSIDE,), partials=("1 / sqrt((1 - x) * (1 + x))",))
arccos = _function(
    "arccos", r"\arccos {x}", 1.0, domain=(INSIDE,), partials=("-1 / sqrt((1 - x) * (1 + x))",)
)
arctan = _function("arctan", r"\arctan {x}", 0.52)
sinh = _function("sinh", r"\sinh {x}", 1.0)
cosh = _function("cosh", r"\cosh {x}", 1.0, properties="positive")
arcsinh = _function("arcsinh", r"\operatorname{{arsinh}} {x}", 1.5, partials=("1 / hypot(x, 1)",))
arccosh = _function("arccosh", r"\operatorname{{arcosh}} {x}", 1.5, domain=((1.2, 3.0),))
arctanh = _function(
    "arctanh", r"\operatorname{{artanh}} {x}", 1.5, domain=(INSIDE,), partials=("1 / ((1 - x) * (1 + x))",)
)

# a product of two hypots neither overflows nor vanishes where the angle still changes
arctan2 = pointwise(
    "arctan2",
    "arctan2(y, x)",
    "np.arctan2({y}, {x})",
    operands="y x",
    domain=(REAL, POSITIVE),
    partials=("x / hypot(x, y) / hypot(x, y)", "-y / hypot(x, y) / hypot(x, y)"),
    latex=r"\operatorname{{atan2}}({y}, {x})",
    cost=8.0,
    doc="The angle of the point (x, y), between -pi and pi; the first operand is y.",
)
# the slope at 0 is 0, as that of a norm
hypot = pointwise(
    "hypot",
    "sqrt(x ** 2 + y ** 2)",
    "np.hypot({x}, {y})",
    operands="x y",
    properties="commutative",
    domain=(POSITIVE, REAL),
    partials=("x / where(out > 0, out, 1)", "y / where(out > 0, out, 1)"),
    latex=r"\sqrt{{{x}^2 + {y}^2}}",
    cost=2.0,
    doc="The length of the point (x, y), without overflow on the way; the slope at 0 is 0.",
)

asin, acos, atan, atan2 = arcsin, arccos, arctan, arctan2
asinh, acosh, atanh = arcsinh, arccosh, arctanh

CARDS = (tan, arcsin, arccos, arctan, sinh, cosh, arcsinh, arccosh, arctanh, arctan2, hypot)
