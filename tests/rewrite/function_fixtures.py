"""Graphs before and after, for the rules of ``rules.functions``; see ``fixtures``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import graphc as gx
from graphc.ir.node import Node
from graphc.ops import CARDS

Pair = tuple[Node, Any]
_OUTER = np.sqrt(2 / np.pi)


def sum_op(x: Node, axis: tuple[int, ...]) -> Node:
    return CARDS["sum"](x, axis=axis, keepdims=False)


def _gelu(argument: Callable[[Node], Node]) -> Callable[[Node], Pair]:
    def build(x: Node) -> Pair:
        return (0.5 * x) * (1 + gx.tanh(argument(x))), gx.gelu_tanh(x)

    return build


def _log_picked(rows: Node, labels: Node) -> Pair:
    t = gx.one_hot(labels, 4, dtype=rows.dtype)
    return (
        gx.log(sum_op(t * gx.softmax(rows), (1,))),
        sum_op(t * gx.log_softmax(rows), (1,)),
    )


FUNCTION_PAIRS: dict[str, tuple[Callable[..., Pair], ...]] = {
    "gelu-tanh": (
        _gelu(lambda x: _OUTER * (x + 0.044715 * (gx.square(x) * x))),
        _gelu(lambda x: _OUTER * (x + 0.044715 * gx.square(x) * x)),
        _gelu(lambda x: _OUTER * (x + 0.044715 * x * x * x)),
        _gelu(lambda x: _OUTER * x * (1 + 0.044715 * gx.square(x))),
        _gelu(lambda x: _OUTER * (x * (1 + 0.044715 * gx.square(x)))),
        _gelu(lambda x: _OUTER * x * (1 + 0.044715 * x * x)),
        lambda x: (
            x * (1 + gx.tanh(_OUTER * (x + 0.044715 * (gx.square(x) * x)))),
            gx.gelu_tanh(x) * 2.0,
        ),
        lambda x: (x / 2 * (1 + gx.tanh(_OUTER * (x + 0.044715 * (gx.square(x) * x)))), gx.gelu_tanh(x)),
    ),
    "gelu-tanh-half": (
        lambda x: (
            x * (0.5 * (1 + gx.tanh(_OUTER * (x + 0.044715 * (gx.square(x) * x))))),
            gx.gelu_tanh(x),
        ),
    ),
    "cosh": (lambda x: (0.5 * (gx.exp(x) + gx.exp(-x)), gx.cosh(x)),),
    "cosh-divided": (lambda x: ((gx.exp(-x) + gx.exp(x)) / 2, gx.cosh(x)),),
    "sinh": (lambda x: (0.5 * (gx.exp(x) - gx.exp(-x)), gx.sinh(x)),),
    "sinh-divided": (lambda x: ((gx.exp(x) - gx.exp(-x)) / 2, gx.sinh(x)),),
    "tanh-ratio": (lambda x: (gx.sinh(x) / gx.cosh(x), gx.tanh(x)),),
    "log-cosh": (lambda x: (gx.log(gx.cosh(x)), gx.log_cosh(x)),),
    "log-exp": (lambda x: (gx.log(gx.exp(x)), x),),
    "log-ratio": (
        lambda x, y: (gx.log(gx.exp(x) / y), x - gx.log(y)),
        lambda x, y: (gx.log(gx.sigmoid(x) / gx.sigmoid(y)), -gx.softplus(-x) - -gx.softplus(-y)),
    ),
    "log-product": (lambda x, y: (gx.log(gx.exp(x) * y), x + gx.log(y)),),
    "log1p-minus-sigmoid": (lambda x: (gx.log1p(-gx.sigmoid(x)), -gx.softplus(x)),),
    "xlogy-sigmoid": (lambda x, y: (gx.xlogy(y, gx.sigmoid(x)), -(gx.softplus(-x) * y)),),
    "xlogy-one-minus-sigmoid": (lambda x, y: (gx.xlogy(y, 1 - gx.sigmoid(x)), -(gx.softplus(x) * y)),),
    "xlogy-softmax": (lambda rows, s: (gx.xlogy(s, gx.softmax(rows)), s * gx.log_softmax(rows)),),
    "log-picked-by-label": (_log_picked,),
}

FUNCTIONS_REFUSED: dict[str, tuple[Callable[..., Node], ...]] = {
    "gelu-tanh": (
        lambda x: 0.5 * x * (1 + gx.tanh(0.79788 * (x + 0.044715 * (gx.square(x) * x)))),
        lambda x: 0.5 * x * (1 + gx.tanh(x)),
        lambda x, y: y * (1 + gx.tanh(_OUTER * (x + 0.044715 * (gx.square(x) * x)))),
    ),
    "gelu-tanh-half": (lambda x, y: y * (0.5 * (1 + gx.tanh(_OUTER * (x + 0.044715 * (gx.square(x) * x))))),),
    "log-ratio": (lambda x, y: gx.log(x / y),),
    "log-product": (lambda x, y: gx.log(x * y),),
    "log-picked-by-label": (
        lambda rows, labels: gx.log(sum_op(gx.one_hot(labels, 4, dtype=rows.dtype) * gx.softmax(rows), (0,))),
    ),
}
