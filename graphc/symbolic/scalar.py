"""Pointwise cards from the text of a formula: what ``scalar_function`` makes, and what is read from the textual IR."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from keyword import iskeyword
from typing import Any

from graphc.errors import ArgumentError, GraphcError, ParseError
from graphc.ir.node import Node, engine, fresh_leaf
from graphc.ir.op import Op
from graphc.ir.types import DEFAULT_FLOAT, Type
from graphc.ops import CARDS
from graphc.ops.card import pointwise
from graphc.ops.leaves import input_op
from graphc.symbolic.formulas import CONSTANTS, formula_names, formula_nodes

RESERVED = frozenset({*CONSTANTS, "nan", "out", "op", "self", "inputs", "states", "np", "rng"})
MAX_NAME = 100


def scalar_card(
    name: str, formula: str, operands: Sequence[str], attrs: Mapping[str, float] | None = None
) -> Op:
    """A pointwise card from a formula; the same definition gives the same card.

    Args:
        name: an identifier that no built-in operation has.
        formula: an expression in operands and attributes, of the functions that cards have.
        operands: the names of its arguments; each is used.
        attrs: named constants, with their defaults.

    Raises:
        ArgumentError: a name that is no identifier, is taken, or stands twice.
        ParseError: the formula is not one, does not use an operand, uses what it does not know, or has no float value.

    Example:
        >>> swish = scalar_card("swish", "x * sigmoid(beta * x)", ["x"], {"beta": 1.0})
        >>> swish, swish.operands, dict(swish.attrs)
        (<op swish>, ('x',), {'beta': 1.0})
    """
    constants = tuple((key, float(value)) for key, value in (attrs or {}).items())
    _check_names(name, tuple(operands), tuple(key for key, _ in constants))
    for key, value in constants:
        if not math.isfinite(value):
            raise ArgumentError(f"the constant {key} of {name} is a finite number", given=repr(value))
    return _card(name, formula, tuple(operands), constants)


@lru_cache(maxsize=1024)
def _card(name: str, formula: str, operands: tuple[str, ...], attrs: tuple[tuple[str, float], ...]) -> Op:
    _check_formula(name, formula, operands, dict(attrs))
    return pointwise(name, formula, operands=" ".join(operands), attrs=dict(attrs), properties="user")


def formula_of(formula: Any) -> str:
    """The text of a formula that is text, a SymPy expression, or a function of SymPy symbols.

    Raises:
        ArgumentError: something else.

    Example:
        >>> formula_of(lambda x, beta: x**2 + beta)
        'beta + x**2'
    """
    if isinstance(formula, str):
        return formula
    import sympy

    from graphc.symbolic.derive import formula_text

    if callable(formula):
        names = inspect.signature(formula).parameters
        formula = formula(*(sympy.Symbol(name, real=True) for name in names))
    if not isinstance(formula, sympy.Expr):
        raise ArgumentError(
            "a formula is text, a SymPy expression, or a function of SymPy symbols", given=f"{formula!r:.60}"
        )
    return formula_text(formula)


def _check_names(name: str, operands: tuple[str, ...], attrs: tuple[str, ...]) -> None:
    for word in (name, *operands, *attrs):
        if not _is_identifier(word) or word in RESERVED:
            raise ArgumentError(
                "this cannot be the name of a function or of its arguments", given=repr(word)[:80]
            )
    if name in CARDS:
        raise ArgumentError(f"there is an operation {name!r} already", fix="choose another name")
    if not operands or len({*operands, *attrs}) != len(operands) + len(attrs):
        raise ArgumentError(
            f"{name} needs arguments, each with a name of its own", given=", ".join((*operands, *attrs))
        )


def _is_identifier(word: object) -> bool:
    return (
        isinstance(word, str)
        and word.isascii()
        and word.isidentifier()
        and len(word) <= MAX_NAME
        and not iskeyword(word)
    )


def _check_formula(name: str, formula: str, operands: tuple[str, ...], attrs: Mapping[str, float]) -> None:
    """Try it on scalars: it must come out as a float, and depend on each operand."""
    unused = [x for x in operands if x not in formula_names(formula)]
    if unused:
        raise ParseError(f"the formula of {name} does not use {', '.join(unused)}", given=repr(formula)[:120])
    scalar = Type(DEFAULT_FLOAT, ())
    with engine():
        nodes = {
            x: fresh_leaf(input_op, {"name": x, "shape": (), "dtype": DEFAULT_FLOAT}, scalar)
            for x in operands
        }
        value = _value(name, formula, {**nodes, **attrs})
    if not isinstance(value, Node) or value.type != scalar:
        given = str(value.type) if isinstance(value, Node) else type(value).__name__
        raise ParseError(
            f"the value of {name} is not a float", given=given, expected="an expression of its operands"
        )


def _value(name: str, formula: str, names: Mapping[str, object]) -> object:
    try:
        return formula_nodes(formula, names, DEFAULT_FLOAT)
    except (GraphcError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        what = getattr(error, "what", None) or str(error)
        raise ParseError(
            f"the formula of {name} does not compute: {what}", given=repr(formula)[:120]
        ) from error
