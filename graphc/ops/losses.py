"""Pointwise parts of losses: functions of an error, with a derivative that stays finite."""

from __future__ import annotations

from graphc.ops.card import pointwise

# with h = min(|x|, delta): no square of a large error is ever taken, so nothing overflows
huber = pointwise(
    "huber",
    "minimum(abs(x), delta) * (abs(x) - minimum(abs(x), delta) / 2)",
    partials=("maximum(minimum(x, delta), -delta)",),
    attrs={"delta": 1.0},
    domain=((-0.9, 0.9),),
    latex=r"\operatorname{{huber}}({x})",
    doc="x**2/2 within delta of 0, delta (|x| - delta/2) beyond; its slope is x held within delta.",
)
log_cosh = pointwise(
    "log_cosh",
    "log(cosh(x))",
    "_log_cosh({x})",
    partials=("tanh(x)",),
    helpers=("_log_cosh",),
    latex=r"\log\cosh {x}",
    cost=6.0,
)

CARDS = (huber, log_cosh)
