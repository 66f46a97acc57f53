"""What parameters and states become: the equations of an optimizer, one cell for each parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphc.ir.graph import Graph
from graphc.ir.node import Node, toposort
from graphc.render.boxes import Boxes
from graphc.render.describe import wrapped
from graphc.render.parts import UPDATE, Parts

Owner = Node | None


def update_lines(graph: Graph, boxes: Boxes, parts: Parts) -> dict[Owner, tuple[str, ...]]:
    """For each parameter its equations, in an order in which each uses only what stands above it.

    What several parameters share (a counter, a correction) stands under None.
    """
    owners = _owners(graph)
    lines: dict[Owner, list[str]] = {}
    leaf_of = {value: leaf for leaf, value in graph.updates}
    for node in boxes.formulas:
        if parts.phase[node] == UPDATE:
            owner = owners.get(node)
            sign = "←" if node in leaf_of else "="
            lines.setdefault(owner, []).extend(_equation(boxes.titles[node], sign, boxes.formulas[node].text))
    for leaf, value in graph.updates:
        if parts.phase[value] != UPDATE:
            owner = leaf if leaf.op.role == "param" else None
            text = boxes.titles.get(value) or str(boxes.formulas[value].text)
            lines.setdefault(owner, []).extend(
                _equation(boxes.titles.get(leaf, str(leaf.about.name)), "←", text)
            )
    return {owner: tuple(text) for owner, text in lines.items()}


def _equation(title: str, sign: str, formula: str) -> Sequence[str]:
    first, *more = wrapped(f"{title} {sign} {formula}")
    return [first, *(f"      {line}" for line in more)]


def _owners(graph: Graph) -> Mapping[Node, Owner]:
    """For each node, the one parameter whose next value needs it; None where several do.

    What needs the next value of one parameter alone, such as an average of it, is that parameter's too.
    """
    owners: dict[Node, Owner] = {}
    for leaf, value in graph.updates:
        if leaf.op.role == "param":
            for node in toposort([value]):
                owners[node] = leaf if owners.get(node, leaf) is leaf else None
    for _, value in graph.updates:
        above = [] if value in owners else toposort([value])
        found = {owner for node in above if (owner := owners.get(node)) is not None}
        if len(found) == 1:
            owners.update({node: owner for node in above if node not in owners for owner in found})
    return owners
