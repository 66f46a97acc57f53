"""The complex step: the slope of a program along a direction, Im f(x + ihu)/h, without a difference that cancels.

A pointwise card is run by its formula, not by its kernel, which makes this a second witness beside central
differences. Comparisons, maxima and absolute values go by the real part, so that each piece of a function is analytic.

Source: Squire and Trapp, "Using complex variables to estimate derivatives of real functions" (1998); Martins, Sturdza
and Alonso, "The complex-step derivative approximation" (2003), for the pieces.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from graphc.ir.formula import parse_formula
from graphc.ir.graph import Graph
from graphc.ir.node import Node, engine
from graphc.ir.op import Op
from graphc.ops import CARDS
from graphc.ops.evaluate import evaluate, size_values
from graphc.rewrite.lower import expand
from graphc.symbolic.formulas import ALIASES, CONSTANTS

STEP = 1e-40

Array = Any


class NotAnalytic(Exception):
    """A card that has no complex form; the text is its name."""


def complex_slope(
    graph: Graph,
    arrays: Mapping[Node, Array],
    direction: Mapping[Node, Array],
    rng: Mapping[str, Any] | None = None,
) -> float:
    """The slope of a scalar output along a direction.

    Args:
        graph: with one scalar output.
        arrays: the value of every argument, in float64.
        direction: for some arguments, an array of their shape.
        rng: generators of random sites.

    Raises:
        NotAnalytic: a card on the way has no complex form.
    """
    values: dict[Node, Array] = dict(arrays)
    for leaf in direction.keys() & arrays.keys():  # a branch by mode may leave a variable unread
        values[leaf] = arrays[leaf] + 1j * STEP * np.asarray(direction[leaf])
    sizes = size_values([n.type for n in graph.arguments], [arrays[n] for n in graph.arguments])
    with engine(), np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        order = _plain(graph)
        for node in order.nodes:
            if node not in values:
                generator = (rng or {}).get(str(order.name_of(node))) if node.op.role == "random" else None
                values[node] = _value(node, [values[x] for x in node.inputs], sizes, generator)
    return float(np.imag(values[order.outputs[0]]) / STEP)


def _plain(graph: Graph) -> Graph:
    """The graph without composites, as far as they have bodies."""
    return expand(
        graph, lambda n: n.op.role == "call" or (n.op.kind == "composite" and n.op.body is not None)
    )


def _value(node: Node, operands: Sequence[Array], sizes: Mapping[str, int], generator: Any) -> Array:
    if not any(np.iscomplexobj(x) for x in operands):
        return evaluate(node, operands, sizes, generator)
    if not node.type.is_float:
        return evaluate(node, [np.real(x) for x in operands], sizes)
    if node.op.kind == "pointwise":
        return _by_formula(node.op, {**dict(zip(node.op.operands, operands, strict=True)), **node.attrs})
    if node.op.kind not in ("linear", "select") or node.op.run is not None:
        raise NotAnalytic(node.op.name)
    try:
        return evaluate(node, operands, sizes, dtype="complex128")
    except (TypeError, np.exceptions.ComplexWarning) as error:
        raise NotAnalytic(node.op.name) from error


def _by_formula(op: Op, names: Mapping[str, Array]) -> Array:
    """A card that is its own formula, such as erf, must be in the table of functions."""
    if op.formula is None or (op.formula.startswith(f"{op.name}(") and op.name not in _FUNCTIONS):
        raise NotAnalytic(op.name)
    return parse_formula(op.formula, _Complex(names))


def _power(x: Array, y: Array) -> Array:
    """The power to first order where the exponent is real: the logarithm of a negative base would not be."""
    if np.iscomplexobj(y):
        return np.exp(y * np.log(x))
    if not np.iscomplexobj(x):
        return np.power(np.asarray(x, dtype="float64"), y)
    return np.power(x.real, y) + 1j * (y * np.power(x.real, y - 1.0)) * x.imag


def _pick(condition: Array, x: Array, y: Array) -> Array:
    return np.where(condition, x, y)


def _of_the_real_part(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """A step function: what it gives does not change with the direction."""
    return lambda x: function(np.real(x))


_FUNCTIONS: Mapping[str, Callable[..., Array]] = {
    **{
        name: getattr(np, name)
        for name in (
            *("exp", "log", "log1p", "expm1", "sqrt", "sin", "cos", "tan", "arcsin", "arccos", "arctan"),
            *("sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh"),
        )
    },
    "abs": lambda x: _pick(np.real(x) >= 0, x, -x),
    **{name: _of_the_real_part(getattr(np, name)) for name in ("sign", "floor", "ceil", "trunc")},
    "maximum": lambda x, y: _pick(np.real(x) >= np.real(y), x, y),
    "minimum": lambda x, y: _pick(np.real(x) <= np.real(y), x, y),
    "where": _pick,
}

_COMPARE: Mapping[str, Callable[..., Array]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

_OPERATE: Mapping[str, Callable[..., Array]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": np.true_divide,
    "**": _power,
}


class _Complex:
    """The algebra of formulas over complex arrays."""

    def __init__(self, names: Mapping[str, Array]) -> None:
        self.names = names

    def number(self, value: int | float) -> float:
        return float(value)

    def name(self, name: str) -> Array:
        return self.names[name] if name in self.names else CONSTANTS[name]

    def operate(self, symbol: str, args: list[Array]) -> Array:
        if len(args) == 1:
            return -args[0]
        if symbol in _COMPARE:
            return _COMPARE[symbol](*map(np.real, args))
        return _OPERATE[symbol](*args)

    def call(self, name: str, args: list[Array]) -> Array:
        name = ALIASES.get(name, name)
        if name in _FUNCTIONS:
            return _FUNCTIONS[name](*args)
        if name not in CARDS:
            raise NotAnalytic(name)
        return _by_formula(CARDS[name], dict(zip(CARDS[name].operands, args, strict=True)))
