"""The words in a figure: formulas broken over lines, marks, and what is shown when a pointer rests on a box."""

from __future__ import annotations

from graphc.ir.graph import Graph
from graphc.ir.node import Node
from graphc.ir.provenance import chain_rule_of
from graphc.ops.template import Text
from graphc.render.boxes import Boxes
from graphc.render.parts import Parts
from graphc.render.titles import printable

MAX_LINE = 40
"""A longer formula is broken before an operator."""

MAX_LINES = 4
MAX_TOOLTIP = 160

_BREAKS = (" + ", " − ", " ⊙ ", " / ", " · ")
_OPEN, _CLOSE = "([{", ")]}"


def wrapped(text: Text | str) -> tuple[str, ...]:
    """A formula on several lines, broken before operators that stand outside brackets where that is possible.

    Example:
        >>> wrapped("∂z₃ W₃ᵀ + ∂z₂ W₂ᵀ ⊙ (1 − h₂²) + ∂z₁ W₁ᵀ ⊙ [h₁ > 0]")
        ('∂z₃ W₃ᵀ + ∂z₂ W₂ᵀ ⊙ (1 − h₂²)', '+ ∂z₁ W₁ᵀ ⊙ [h₁ > 0]')
    """
    lines: list[str] = []
    rest = str(text)
    while len(rest) > MAX_LINE and len(lines) < MAX_LINES - 1:
        at = _break(rest)
        if at is None:
            break
        lines.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    return (*lines, rest)


def _break(text: str) -> int | None:
    """Where to break: at the least nested sum, or else product, and of those at the last that fits."""
    depth, best = 0, None
    for i, character in enumerate(text[: MAX_LINE + 1]):
        depth += (character in _OPEN) - (character in _CLOSE)
        sign = next((n for n, sign in enumerate(_BREAKS) if i > 6 and text.startswith(sign, i)), None)
        if sign is not None and (best is None or (depth, sign) <= best[0]):
            best = (depth, max(sign, 1)), i
    return None if best is None else best[1]


def accumulation(uses: int) -> str:
    """The mark of a gradient that was added up."""
    return f"added up over {uses} uses"


def tooltip(graph: Graph, node: Node, boxes: Boxes, parts: Parts) -> tuple[str, ...]:
    """Full name and type, the rule that made it, what it costs, and the user's line."""
    name = graph.name_of(node) or boxes.titles[node]
    lines = [f"{printable(name, 80)}: {node.type}"]
    if node in boxes.formulas:
        lines.append(f"{boxes.titles[node]} = {boxes.formulas[node].text}")
    lines.extend(_steps(node, parts))
    costs = [f"{n.op.name} {n.op.cost:g}" for n in boxes.inside.get(node, ()) if n.op.cost]
    if costs:
        lines.append(f"cost in ns per element: {', '.join(costs)}")
    if node.about.origin is not None:
        lines.append(str(node.about.origin))
    return tuple(printable(line, MAX_TOOLTIP) for line in lines)


def _steps(node: Node, parts: Parts) -> list[str]:
    """What the chain rule did to make a gradient."""
    lines = []
    step = chain_rule_of(node)
    if step is not None and node in parts.partner:
        lines.append(f"chain rule through {step.rule}: {step.formula}")
    if node in parts.accumulated:
        lines.append(f"the gradients of {parts.accumulated[node]} uses of the value, added up")
    if parts.unbroadcast.get(node):
        lines.append(f"summed over {parts.unbroadcast[node]}, along which the operand was stretched")
    return lines
