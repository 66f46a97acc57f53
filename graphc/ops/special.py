"""Special functions: each is a helper of the listing, fitted here and measured against mpmath."""

from __future__ import annotations

from typing import Any

from graphc.errors import DTypeError
from graphc.ir.node import Node
from graphc.ir.types import Type, broadcast
from graphc.ops.card import POSITIVE, cast, constant, pointwise, promoted

erfc = pointwise(
    "erfc",
    "erfc(x)",
    "_erfc({x})",
    helpers=("_erfc",),
    properties="positive",
    latex=r"\operatorname{{erfc}} {x}",
    cost=12.0,
    doc="1 - erf(x), accurate in the right tail too.",
)
erfinv = pointwise(
    "erfinv",
    "erfinv(x)",
    "_erfinv({x})",
    helpers=("_erfinv",),
    domain=((-0.9, 0.9),),
    latex=r"\operatorname{{erf}}^{{-1}} {x}",
    cost=30.0,
    doc="The value of which x is the error function; infinite at 1 and -1, nan beyond.",
)
erfcinv = pointwise(
    "erfcinv",
    "erfcinv(x)",
    "_erfcinv({x})",
    helpers=("_erfcinv",),
    domain=((0.1, 1.9),),
    latex=r"\operatorname{{erfc}}^{{-1}} {x}",
    cost=60.0,
    doc="The value of which x is 1 - erf, accurate for the smallest x too; infinite at 0 and 2, nan beyond.",
)
gammaln = pointwise(
    "gammaln",
    "gammaln(x)",
    "_gammaln({x})",
    helpers=("_gammaln",),
    domain=(POSITIVE,),
    latex=r"\log|\Gamma({x})|",
    cost=15.0,
    doc="The logarithm of the size of the gamma function; infinite at its poles.",
)
digamma = pointwise(
    "digamma",
    "digamma(x)",
    "_digamma({x})",
    helpers=("_digamma",),
    domain=(POSITIVE,),
    latex=r"\psi({x})",
    cost=15.0,
    doc="The derivative of gammaln; nan at its poles.",
)


def _order_and_point(inputs: tuple[Any, ...]) -> tuple[Node, ...]:
    n = inputs[0] if isinstance(inputs[0], Node) else constant(inputs[0])
    if not n.dtype.startswith("int"):
        raise DTypeError("the order of a derivative is an integer", given=str(n.type), expected="int64")
    return (cast(n, "int64"), *promoted(inputs[1:], floats=True))


polygamma = pointwise(
    "polygamma",
    "polygamma(n, x)",
    "_polygamma({n}, {x})",
    operands="n x",
    coerce=_order_and_point,
    infer=lambda n, x: Type(x.dtype, broadcast([n.shape, x.shape])),
    helpers=("_polygamma",),
    domain=((1.0, 4.0), POSITIVE),
    latex=r"\psi^{{({n})}}({x})",
    cost=300.0,
    doc="The derivative of order n of digamma, for integers n from 1 to 170; nan at its poles below 0 where n is even.",
)

CARDS = (erfc, erfinv, erfcinv, gammaln, digamma, polygamma)
