"""What parameters and states become: the equations of an optimizer, one cell for each parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphc.ir.graph import Graph
from graphc.ir.node import Node, toposort
from graphc.render.boxes import Boxes
from graphc.render.describe import wrapped
from graphc.render.maths import Math, operator, row, titled
from graphc.render.parts import UPDATE, Parts
from graphc.render.terms import box_formula

Owner = Node | None


@dataclass(frozen=True)
class Update:
    """One equation, as lines of text and as a formula."""

    lines: tuple[str, ...]
    formula: Math


def updates_of(graph: Graph, boxes: Boxes, parts: Parts) -> dict[Owner, list[Update]]:
    """For each parameter its equations, in an order in which each uses only what stands above it.

    What several parameters share (a counter, a correction) stands under None.
    """
    owners = _owners(graph)
    found: dict[Owner, list[Update]] = {}
    leaf_of = {value: leaf for leaf, value in graph.updates}
    for node in boxes.formulas:
        if parts.phase[node] == UPDATE:
            owner = owners.get(node)
            sign = "←" if node in leaf_of else "="
            found.setdefault(owner, []).append(_equation(boxes, node, boxes.titles[node], sign))
    for leaf, value in graph.updates:
        if parts.phase[value] != UPDATE:
            owner = leaf if leaf.op.role == "param" else None
            title = boxes.titles.get(leaf, str(leaf.about.name))
            found.setdefault(owner, []).append(_equation(boxes, value, title, "←"))
    return found


def _equation(boxes: Boxes, node: Node, title: str, sign: str) -> Update:
    """``m ← β₁ m + (1 − β₁) ∂W``: what has another name goes by that."""
    own = boxes.titles.get(node)
    if own is not None and own != title:
        return _written(title, sign, own, titled(own))
    names = {x: titled(boxes.titles[x]) for x in boxes.formulas[node].refs}
    formula = box_formula(node, names, boxes)
    return _written(title, sign, str(boxes.formulas[node].text), formula)


def _written(title: str, sign: str, text: str, formula: Math) -> Update:
    first, *more = wrapped(f"{title} {sign} {text}")
    lines = (first, *(f"      {line}" for line in more))
    return Update(lines, row([titled(title), operator(sign), formula], 0))


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
