"""The holes that rules are written over."""

from __future__ import annotations

from graphc.ir.node import Node
from graphc.ir.pattern import AttrVar, Var

x, y, z = Var("x"), Var("y"), Var("z")
AXIS, KEEP = AttrVar("axis"), AttrVar("keepdims")


def _is_constant(node: Node) -> bool:
    return node.op.role == "const"


def _is_scalar(node: Node) -> bool:
    return node.shape == ()


def _is_scalar_constant(node: Node) -> bool:
    return _is_scalar(node) and _is_constant(node)


c, d = Var("c", _is_scalar_constant), Var("d", _is_scalar_constant)
s = Var("s", _is_scalar)
