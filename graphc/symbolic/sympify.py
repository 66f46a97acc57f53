"""Nodes as SymPy expressions: the scalar part of a graph, in the library people know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy

from graphc.errors import MissingRule
from graphc.ir.formula import parse_formula
from graphc.ir.node import Node, toposort
from graphc.symbolic.atoms import FUNCTIONS, SympyAlgebra


def to_sympy(node: Node, symbols: Mapping[Node, Any] | None = None) -> Any:
    """The pointwise part above a node as a SymPy expression.

    Args:
        node: a node made of pointwise operations; anything else (a product, a sum) becomes a symbol of its name.
        symbols: what to call some nodes.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ())
        >>> gx.to_sympy(gx.tanh(x) * 2)
        2*tanh(x)
    """
    found: dict[Node, Any] = dict(symbols or {})
    for current in toposort([node]):
        if current not in found:
            found[current] = _expression(current, found)
    return found[node]


def _expression(node: Node, found: Mapping[Node, Any]) -> Any:
    if node.op.role == "const" and node.shape == ():
        value = node.attrs["value"].value[()]
        return sympy.Rational(repr(float(value))) if node.type.is_float else sympy.Integer(int(value))
    args = [found[x] for x in node.inputs]
    if node.op.kind == "linear" and len(args) == 1 and _only_moves(node):
        return args[0]
    if node.op.kind != "pointwise":
        return sympy.Symbol(node.about.name or f"{node.op.name}_{node.serial}", real=True)
    if node.op.name in FUNCTIONS and not node.op.attrs:
        return FUNCTIONS[node.op.name](*args)
    if node.op.formula is None:
        raise MissingRule(f"{node.op.name} has no formula")
    names = dict(zip(node.op.operands, args, strict=True)) | {
        k: sympy.Rational(repr(v)) for k, v in node.attrs.items()
    }
    return parse_formula(node.op.formula, SympyAlgebra(names))


def _only_moves(node: Node) -> bool:
    """Whether each value passes unchanged (a stretch, a stopped gradient)."""
    return "view" in node.op.properties or (node.op.body is not None and node.op.transpose is not None)
