"""Boxes with what stands in them: title, formula, shape and marks, and what is shown beside the pointer."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from graphc.ir.graph import Graph
from graphc.ir.node import Node
from graphc.render.boxes import Boxes, Written
from graphc.render.describe import accumulation, tooltip, wrapped
from graphc.render.figure import Box
from graphc.render.formula import shape_label
from graphc.render.loops import (
    Loop,
    choice_formulas,
    choice_lines,
    kept_formulas,
    kept_lines,
    loop_lines,
    result_formula,
    result_text,
    shown_formulas,
)
from graphc.render.maths import Math, titled
from graphc.render.parts import BACKWARD, UPDATE, Parts
from graphc.render.terms import box_formula


@dataclass(frozen=True)
class Filler:
    """Fills the boxes of one figure.

    Attributes:
        graph: what is drawn.
        parts: its nodes, taken apart.
        boxes: which nodes have boxes.
        keys: what edges call them.
        loops: for each result of a loop, the loop.
        apart: results of loops that are drawn equation by equation.
        steps: the number of each node in a plan.
        slots: the number of its buffer.
    """

    graph: Graph
    parts: Parts
    boxes: Boxes
    keys: Mapping[Node, int]
    loops: Mapping[Node, Loop]
    apart: Container[Node]
    steps: Mapping[Node, int]
    slots: Mapping[Node, int]

    def kind(self, node: Node) -> str:
        """What a box is, a key of ``style.KINDS``."""
        if node.op.kind == "leaf":
            return node.op.role or "const"
        phase = self.parts.phase[node]
        if phase == BACKWARD:
            partner = self.parts.partner.get(node)
            if partner is None and node not in self.parts.flow:
                return "factor"
            return "gradient" if partner is not None and partner.op.role == "param" else "backward"
        return "update" if phase == UPDATE else "forward"

    def edge_kind(self, node: Node) -> str:
        """What an edge to the box of a gradient is, a key of ``style.EDGES``."""
        kind = self.kind(node)
        return "backward" if kind == "factor" else kind

    def box(self, node: Node) -> Box:
        """The box of a node."""
        written = self.boxes.formulas.get(node)
        lines = self._lines(node, written)
        return Box(
            self.keys[node],
            self.boxes.titles[node],
            self.kind(node),
            lines,
            " · ".join(self._marks(node)),
            tooltip(self.graph, node, self.boxes, self.parts),
            self._added_up(node),
            str(self.steps[node]) if node in self.steps else "",
            node in self.loops and node not in self.apart and len(lines) > 1,
            formulas=self._formulas(node, written),
        )

    def _marks(self, node: Node) -> list[str]:
        """The shape, and what is remarkable."""
        marks = [shape_label(node.shape)]
        if self._added_up(node):
            marks.append(accumulation(self.parts.accumulated[node]))
        elif self.parts.unbroadcast.get(node):
            marks.append(f"over {self.parts.unbroadcast[node]}")
        if node in self.slots:
            marks.append(f"slot {self.slots[node]}")
        return marks

    def _added_up(self, node: Node) -> bool:
        """Whether its box shows the sum over uses: simplifying may have left it to another box."""
        inside = self.boxes.inside.get(node, ())
        return node in self.parts.accumulated and (node in self.boxes.sums or any(map(self._adds, inside)))

    def _adds(self, node: Node) -> bool:
        return node.op.infix in ("+", "-") and sum(x in self.parts.flow for x in node.inputs) > 1

    def _formulas(self, node: Node, written: Written | None) -> tuple[Math, ...]:
        """The same to be set as formulas."""
        if written is None:
            return ()
        if "then" in node.op.bodies:
            return choice_formulas(node, self.boxes)
        loop = self.loops.get(node)
        if loop is not None and node in self.apart:
            kept = kept_formulas(loop, self.boxes) if node is loop.shown else ()
            return (result_formula(node, self.boxes), *kept)
        if loop is not None:
            return shown_formulas(loop, node, self.boxes)
        names = {x: titled(self.boxes.titles[x]) for x in written.refs}
        return (box_formula(node, names, self.boxes),)

    def _lines(self, node: Node, written: Written | None) -> tuple[str, ...]:
        """The formula; a loop that is not drawn apart is written out in the first of its boxes."""
        if written is None:
            return ()
        loop = self.loops.get(node)
        if loop is None:
            return choice_lines(node, self.boxes) if "then" in node.op.bodies else wrapped(written.text)
        result = result_text(node, self.boxes)
        if node is not loop.shown:
            return (result,)
        kept = kept_lines(loop, self.boxes)
        if node in self.apart:
            return (result, *kept)
        return (*loop_lines(node, self.boxes), *kept, f"{self.boxes.titles[node]} = {result}")
