"""How near a node comes to a pattern: what of the pattern is there, and the first part that is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphc.explanation.words import called, expression
from graphc.ir.node import Node, freeze
from graphc.ir.pattern import Apply, AttrVar, Var
from graphc.rewrite.rule import Rule, is_constant


@dataclass(frozen=True)
class Near:
    """How much of a pattern a node has.

    Attributes:
        matched: how many parts (operations, numbers, holes) are there; another number counts half.
        parts: how many there are in the pattern.
        problem: the first part that is not there, in words; None where all are.
        nodes: what the holes stand for.
        attrs: what the holes of attributes stand for.
    """

    matched: float = 0
    parts: int = 0
    problem: str | None = None
    nodes: Mapping[str, Node] = field(default_factory=dict)
    attrs: Mapping[str, Any] = field(default_factory=dict)


def compared(rule: Rule, node: Node) -> Near:
    """How near a node comes to the left side of a rule."""
    if rule.left is None:
        return Near(1, 1)
    return _compared(rule.left, node, Near(parts=_parts(rule.left)))


def _parts(pattern: Any) -> int:
    return 1 + (sum(map(_parts, pattern.inputs)) if isinstance(pattern, Apply) else 0)


def _compared(pattern: Any, node: Node, so_far: Near) -> Near:
    if isinstance(pattern, Var):
        return _hole(pattern, node, so_far)
    if isinstance(pattern, Apply):
        return _operation(pattern, node, so_far)
    if is_constant(node, pattern):
        return _with(so_far, 1)
    half = 0.5 if node.op.role == "const" else 0.0
    return _with(so_far, half, f"{_word(node)} stands where the rule has {pattern}")


def _hole(hole: Var, node: Node, so_far: Near) -> Near:
    known = so_far.nodes.get(hole.name)
    if known is not None and known is not node:
        return _with(so_far, 0, f"the rule's {hole.name} would be both {_word(known)} and {_word(node)}")
    if hole.accepts is not None and not hole.accepts(node):
        kind = _kind_of(hole)
        return _with(so_far, 0, f"{_word(node)} is not what the rule's {hole.name} may be{kind}")
    return _with(so_far, 1, nodes={hole.name: node})


def _kind_of(hole: Var) -> str:
    """What a hole takes, from the name of its test."""
    name = getattr(hole.accepts, "__name__", "").strip("_")
    return f" ({name.removeprefix('is_').replace('_', ' ')})" if name.isidentifier() else ""


def _operation(pattern: Apply, node: Node, so_far: Near) -> Near:
    if node.op is not pattern.op:
        return _with(so_far, 0, f"{_word(node)} stands where the rule has {pattern}")
    if len(node.inputs) != len(pattern.inputs):
        return _with(so_far, 0, f"{node.op.name} has {len(node.inputs)} operands here")
    here = _attributes(pattern, node, _with(so_far, 1))
    orders = [node.inputs, *([node.inputs[::-1]] if "commutative" in node.op.properties else [])]
    tried = []
    for inputs in orders:
        found = here
        for part, operand in zip(pattern.inputs, inputs, strict=True):
            found = _compared(part, operand, found)
        tried.append(found)
    return max(tried, key=lambda found: (found.problem is None, found.matched))


def _attributes(pattern: Apply, node: Node, so_far: Near) -> Near:
    for key, wanted in pattern.attrs.items():
        value = node.attrs[key]
        if not isinstance(wanted, AttrVar):
            if freeze(wanted) != freeze(value):
                so_far = _with(so_far, 0, f"{node.op.name} has {key}={value} here, not {wanted}")
            continue
        known = so_far.attrs.get(wanted.name, value)
        if freeze(known) != freeze(value):
            so_far = _with(so_far, 0, f"{key} would be both {known} and {value}")
        so_far = _with(so_far, 0, attrs={wanted.name: known})
    return so_far


def _with(
    near: Near, matched: float, problem: str | None = None, nodes: Any = None, attrs: Any = None
) -> Near:
    return Near(
        near.matched + matched,
        near.parts,
        near.problem or problem,
        {**near.nodes, **(nodes or {})},
        {**near.attrs, **(attrs or {})},
    )


def _word(node: Node) -> str:
    return called(node) or expression(node, depth=2)
