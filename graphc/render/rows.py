"""From boxes to a figure: which row and column each box stands in, what is written in it, and the edges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from graphc.ir.graph import Graph
from graphc.ir.node import Node
from graphc.render.bodies import Body, body_of, named_in
from graphc.render.boxes import Boxes, boxes_of
from graphc.render.figure import (
    BACKWARD,
    BETWEEN,
    EXTRA,
    FACTORS,
    FORWARD,
    GRADIENTS,
    SOURCES,
    UPDATES,
    Box,
    Edge,
    Figure,
    Row,
)
from graphc.render.filled import Filler
from graphc.render.formula import shape_label
from graphc.render.loops import Loop, loop_formulas, loop_lines, loops_of
from graphc.render.maths import Math, titled
from graphc.render.order import layer_by_layer
from graphc.render.parts import BACKWARD as BACK
from graphc.render.parts import FORWARD as FRONT
from graphc.render.parts import Parts, carries_gradient, parts_of
from graphc.render.titles import Path, path_of
from graphc.render.updates import updates_of

Layers = dict[Path, str]

READ_AS = {
    "param": "param",
    "input": "data",
    "state": "data",
    "const": "data",
    "random": "data",
    "hyper": "data",
}
"""The kind of an edge from a leaf, by its role."""


@dataclass
class Draft:
    """A row while it is filled."""

    layer: Path
    number: int = 0
    columns: dict[str, list[Box]] = field(default_factory=dict)

    def add(self, column: str, box: Box) -> None:
        """Put a box into a column."""
        self.columns.setdefault(column, []).append(box)

    @property
    def row(self) -> Row:
        """The row, once it is full; gradients stand in the order of what they belong to."""
        return Row(self.layer, {column: tuple(boxes) for column, boxes in self.columns.items()})


def figure_of(
    graph: Graph,
    *,
    share: bool = True,
    updates: bool = False,
    steps: Mapping[Node, int] | None = None,
    slots: Mapping[Node, int] | None = None,
) -> Figure:
    """The paired figure of a graph.

    Args:
        graph: outputs without gradients, with gradients, or gradients alone.
        share: write a short value out at each of its uses.
        updates: show what parameters and states become.
        steps: the number of each node in the order of a plan.
        slots: the number of the buffer in which a node lies.
    """
    parts = parts_of(graph)
    boxes = boxes_of(graph, parts, share, brief=share)
    return _Layout(graph, parts, boxes, steps or {}, slots or {}).figure(updates)


class _Layout:
    """Places boxes: rows by forward nodes, then leaves at their first use, gradients beside what they belong to."""

    def __init__(
        self, graph: Graph, parts: Parts, boxes: Boxes, steps: Mapping[Node, int], slots: Mapping[Node, int]
    ) -> None:
        self.graph, self.parts, self.boxes = graph, parts, boxes
        self.keys = {node: i for i, node in enumerate(boxes.titles)}
        self.fresh = len(self.keys)
        self.edges: list[Edge] = []
        self.drafts: list[Draft] = []
        self.row_of: dict[Node, Draft] = {}
        self.lone: set[Node] = set()
        self.copies: dict[int, Node] = {}
        self.repeated: dict[int, Node] = {}
        self.joined: set[tuple[int, int]] = set()
        self.loops = {n: loop for loop in loops_of(boxes, parts, graph.outputs) for n in loop.members}
        self.hidden = {
            n: loop.shown for loop in self.loops.values() for n in loop.hidden if loop.shown is not None
        }
        self.blocks: dict[Node, int] = {}
        self.bodies: dict[Node, tuple[Body, list[int]]] = {}
        self.fill = Filler(graph, parts, boxes, self.keys, self.loops, self.bodies, steps, slots)

    def figure(self, updates: bool) -> Figure:
        """All of it."""
        forward = self._in_front()
        for node in forward:
            self._forward(node)
        backward = [n for n in self.boxes.formulas if self._phase(n) == BACK and n not in self.hidden]
        self._hide()
        self._lone_leaves(backward)
        for node in reversed(backward):
            self._backward(node)
        self._loops_back(backward)
        self._aliases(backward)
        self._seed(backward)
        self._forward_edges(forward)
        self._backward_edges(backward)
        self._between()
        if updates:
            self._updates()
        cause = {edge.head: edge.tail for edge in self.edges if edge.kind == "update"}
        for draft in self.drafts:
            order = {f"∂{box.title}": i for i, box in enumerate(draft.columns.get(SOURCES, ()))}
            gradients = draft.columns.get(GRADIENTS, [])
            gradients.sort(key=lambda box: order.get(box.title, len(order)))
            place = {box.key: i for i, box in enumerate(gradients)}
            draft.columns.get(UPDATES, []).sort(key=lambda box: place.get(cause.get(box.key, -1), len(place)))
        rows = tuple(d.row for d in self.drafts if any(d.columns.values()))
        nodes: dict[int, tuple[Node, ...]] = {}
        for node, key in reversed(self.keys.items()):  # what has the box stands last in it
            nodes[key] = (*nodes.get(key, ()), *self.boxes.inside.get(node, (node,)))
        nodes.update({key: (node,) for key, node in self.repeated.items()})
        for node, key in self.blocks.items():
            nodes[key] = (*nodes.get(key, ()), node)
        for node, (_, keys) in self.bodies.items():
            for key in keys:
                nodes[key] = (*nodes.get(key, ()), node)
        return Figure(
            rows,
            tuple(self.edges),
            self.graph.name,
            layers=self._layer_names(rows),
            nodes=nodes,
            copies=self.copies,
        )

    def _in_front(self) -> list[Node]:
        """Forward values, a layer after the other; in a plan in the order of its steps."""
        found = [n for n in self.boxes.formulas if self._phase(n) == FRONT and n.op.kind != "leaf"]
        if self.fill.steps:
            return found
        return layer_by_layer(found, lambda n: path_of(self.graph, n), lambda n: self.boxes.formulas[n].refs)

    def _phase(self, node: Node) -> str:
        return self.parts.phase[node]

    # -- rows ---------------------------------------------------------------------------------------------------

    def _forward(self, node: Node) -> None:
        """A row for a forward box, with the leaves that are used here first at its left."""
        loop = self.loops.get(node)
        if loop is not None and node not in self.bodies:
            self._take_apart(node, loop)
        apart = node in self.bodies
        layer = self._frame(node) if apart else self._layer(node)
        refs = () if apart else self.boxes.formulas[node].refs  # the equations of a loop read for it
        self._place(node, self._row_with(layer, refs), FORWARD)

    def _row_with(self, layer: Path, refs: Iterable[Node]) -> Draft:
        """A new row, with the leaves that are read here first at its left; the first input has a row of its own."""
        leaves = [r for r in refs if r.op.kind == "leaf" and r not in self.row_of]
        top = next((r for r in leaves if r.op.role == "input"), None)
        if top is not None and not self.drafts:
            leaves.remove(top)
            self._place(top, self._draft(()), FORWARD)
        draft = self._draft(layer)
        for leaf in leaves:
            self._place(leaf, self._home(leaf, draft), SOURCES)
        return draft

    def _home(self, leaf: Node, draft: Draft) -> Draft:
        """Where a leaf stands: beside its first use, but a parameter in the last row of its own layer so far."""
        own = path_of(self.graph, leaf)
        if leaf.op.role != "param" or not own or draft.layer[: len(own)] == own:
            return draft
        return next((d for d in reversed(self.drafts) if d.layer[: len(own)] == own), draft)

    def _take_apart(self, node: Node, loop: Loop) -> None:
        """Rows for the equations of a small loop, in a frame of their own."""
        body = body_of(node, self.boxes)
        if body is None:
            return
        keys = [self._key() for _ in body.steps]
        self.bodies.update((member, (body, keys)) for member in (*loop.members, *loop.hidden))
        frame = self._frame(node)
        for i, key in enumerate(keys):
            refs = [r for x in body.operands(i) for r in named_in(node, x, self.boxes)]
            self._row_with(frame, refs).add(FORWARD, body.box(i, key))
            for ref in refs:
                self._join(self.keys[ref], key, READ_AS.get(ref.op.role or "", "forward"))
            for other in body.reads(i).same:
                self._join(keys[other], key, "forward")
            for other in body.reads(i).before:
                self.edges.append(Edge(keys[other], key, "carry", "from one step to the next"))

    def _frame(self, node: Node) -> Path:
        """The frame of a loop: no two loops share one."""
        body, _ = self.bodies[node]
        others = {id(b): b for b, _ in self.bodies.values()}
        same = [b for b in others.values() if b.heading == body.heading]
        number = f" ({same.index(body) + 1})" if same.index(body) else ""
        return (*self._layer(node), body.heading + number)

    def _layer(self, node: Node) -> Path:
        """The layer of a node; what a pass made of the user's nodes belongs where it is used."""
        seen = {node}
        while not path_of(self.graph, node) and not node.about.origins:
            user = next(
                (u for u in self._users.get(node, ()) if self._phase(u) == FRONT and u not in seen), None
            )
            if user is None:
                break
            node = user
            seen.add(user)
        return path_of(self.graph, node)

    def _draft(self, layer: Path) -> Draft:
        self.drafts.append(Draft(layer, len(self.drafts)))
        return self.drafts[-1]

    def _place(self, node: Node, draft: Draft, column: str) -> None:
        draft.add(column, self.fill.box(node))
        self.row_of[node] = draft

    def _lone_leaves(self, backward: Iterable[Node]) -> None:
        """Leaves that no forward box reads: outputs themselves, or what only gradients read."""
        used = [r for n in backward for r in self.boxes.formulas[n].refs if r.op.kind == "leaf"]
        outputs = [n for n in self.graph.outputs if n.op.kind == "leaf" and n in self.keys]
        for leaf in dict.fromkeys([*outputs, *used]):
            if leaf in self.row_of:
                continue
            self.lone.add(leaf)
            first = not self.drafts
            draft = self._draft(path_of(self.graph, leaf)) if first or leaf in outputs else self.drafts[0]
            self._place(
                leaf, draft, SOURCES if FORWARD in draft.columns or leaf.op.role == "param" else FORWARD
            )

    def _backward(self, node: Node) -> None:
        """A gradient stands beside its forward node, a helper beside what uses it last."""
        partner = self.parts.partner.get(node)
        if partner is not None and partner in self.row_of:
            draft = self.row_of[partner]
            column = self._gradient_column(partner, draft)
        else:
            draft = self._helper_row(node) or self._draft(path_of(self.graph, node))
            taken = draft.columns.get(BACKWARD) or self._awaited(draft)
            column = self._helper_column(node) if draft.columns.get(FORWARD) and taken else BACKWARD
        self._place(node, draft, column)

    def _helper_column(self, node: Node) -> str:
        """A factor reads forward values and is read by a gradient: it stands between the two."""
        return FACTORS if self.fill.kind(node) == "factor" else EXTRA

    def _hide(self) -> None:
        """What a loop saves stands in the box of the loop, or in that of its equation."""
        for node, shown in self.hidden.items():
            self.keys[node], self.row_of[node] = self.keys[shown], self.row_of[shown]
            if node in self.bodies:
                body, keys = self.bodies[node]
                self.keys[node] = next((keys[i] for i in body.behind(node)), self.keys[shown])

    def _loops_back(self, backward: Iterable[Node]) -> None:
        """The loop of gradients is a box of its own, which the gradients that it gives are read off."""
        for node in backward:
            loop = self.loops.get(node)
            if loop is None or loop.shown is not None or node is not loop.members[0]:
                continue
            draft = self.row_of[node]
            key = self._key()
            self.blocks.update(dict.fromkeys(loop.members, key))
            lines = loop_lines(node, self.boxes)
            formulas = loop_formulas(node, self.boxes)
            box = Box(key, "backward loop", "backward", lines, "", lines, listed=True, formulas=formulas)
            draft.add(EXTRA if draft.columns.get(BACKWARD) else BACKWARD, box)
            for member in loop.members:
                self._join(key, self.keys[member], self.fill.edge_kind(member))

    def _gradient_column(self, partner: Node, draft: Draft) -> str:
        standing = draft.columns.get(FORWARD, [])
        if any(box.key == self.keys[partner] for box in standing):
            return BACKWARD if BACKWARD not in draft.columns else EXTRA
        return GRADIENTS

    def _helper_row(self, node: Node) -> Draft | None:
        """Beside what uses a helper; but where all that it reads is of one other layer, high up in that layer."""
        user = self._user_row(node)
        refs = [ref for ref in self.boxes.formulas[node].refs if "sizes" not in ref.op.properties]
        read = [self._row_read(ref) for ref in refs]  # a count is no value that it differentiates
        rows = [draft for draft in read if draft is not None]
        layers = {draft.layer for draft in rows}
        if user is None or len(rows) < len(read) or len(layers) != 1 or user.layer in layers or () in layers:
            return user
        return min(rows, key=lambda draft: draft.number)

    def _row_read(self, ref: Node) -> Draft | None:
        """The row of what a helper reads; of a gradient that has no row yet, that of its forward node."""
        return self.row_of.get(ref) or self.row_of.get(self.parts.partner.get(ref, ref))

    def _awaited(self, draft: Draft) -> bool:
        """Whether a gradient is still to come to the forward box of a row."""
        keys = {box.key for box in draft.columns.get(FORWARD, ())}
        return any(self.keys.get(forward) in keys for forward in self.parts.partner.values())

    def _user_row(self, node: Node) -> Draft | None:
        """The lowest row of those that use a helper: it is nearest to where its operands are."""
        rows = [self.row_of[user] for user in self._users.get(node, ()) if user in self.row_of]
        return max(rows, key=lambda draft: draft.number, default=None)

    @cached_property
    def _users(self) -> dict[Node, list[Node]]:
        users: dict[Node, list[Node]] = {}
        for user, written in self.boxes.formulas.items():
            for ref in written.refs:
                users.setdefault(ref, []).append(user)
        return users

    def _aliases(self, backward: Iterable[Node]) -> None:
        """Where several boxes have one gradient, each gets a partner: ∂b = ∂z."""
        for node in backward:
            for other in self.parts.others.get(node, ()):
                if other in self.row_of and other in self.keys:
                    self._alias(node, other)

    def _alias(self, node: Node, other: Node) -> None:
        draft = self.row_of[other]
        column = self._gradient_column(other, draft)
        title = f"∂{self.boxes.titles[other]}"
        kind = "gradient" if other.op.role == "param" else "backward"
        box = Box(
            self._key(),
            title,
            kind,
            (self.boxes.titles[node],),
            shape_label(other.shape),
            (f"{title} = {self.boxes.titles[node]}",),
            formulas=(titled(self.boxes.titles[node]),),
        )
        draft.add(column, box)
        self.copies[box.key] = other
        self.repeated[box.key] = node
        self._join(self.keys[node], box.key, kind)
        if column == BACKWARD:
            self._join(self.keys[other], box.key, "tie")

    def _seed(self, backward: list[Node]) -> None:
        """∂L = 1 beside the loss, where the sweep began."""
        loss = self.parts.loss
        if loss is None or loss not in self.row_of or not backward or BACKWARD in self.row_of[loss].columns:
            return
        title = f"∂{self.boxes.titles[loss]}"
        box = Box(
            self._key(),
            title,
            "backward",
            ("1",),
            shape_label(()),
            ("the seed: the loss changes as itself",),
            formulas=(Math("number", "1"),),
        )
        self.row_of[loss].add(BACKWARD, box)
        self._join(self.keys[loss], box.key, "tie")
        first = [n for n in backward if not any(self._phase(r) == BACK for r in self.boxes.formulas[n].refs)]
        led = [n for n in first if carries_gradient(n)] or first  # a mere derivative reads no gradient
        for node in led:
            self._join(box.key, self.keys[node], self.fill.edge_kind(node))

    def _updates(self) -> None:
        """What updates: a cell in the row of each parameter; states, and what the cells share, below."""
        gradient_of = {forward: g for g, forward in self.parts.partner.items()}
        for owner, updates in updates_of(self.graph, self.boxes, self.parts).items():
            lines = tuple(line for update in updates for line in update.lines)
            formulas = tuple(update.formula for update in updates)
            box = Box(self._key(), "", "update", lines, "", lines, listed=True, formulas=formulas)
            if owner is None or owner not in self.row_of:
                self._draft(("updates",) if owner is None else ()).add(SOURCES, box)
                continue
            self.row_of[owner].add(UPDATES, box)
            gradient = gradient_of.get(owner)
            if gradient in self.keys:
                self._join(self.keys[gradient], box.key, "update")

    def _key(self) -> int:
        self.fresh += 1
        return self.fresh

    def _layer_names(self, rows: Iterable[Row]) -> Layers:
        """The innermost name of each layer; what stands outside any layer is unnamed, but for the loss."""
        names: Layers = {}
        for row in rows:
            for depth in range(1, len(row.layer) + 1):
                names[row.layer[:depth]] = row.layer[depth - 1]
        return names

    def _between(self) -> None:
        """An input that is saved for a gradient above stands between the two: no edge of it crosses another."""
        saved = {(edge.tail, edge.head) for edge in self.edges if edge.kind == "saved"}
        row = {box.key: d.number for d in self.drafts for boxes in d.columns.values() for box in boxes}
        for draft in self.drafts:
            sources = draft.columns.get(SOURCES, [])
            if FORWARD in draft.columns and BACKWARD in draft.columns:
                above = {tail for tail, head in saved if row[head] < row[tail] == draft.number}
                for box in [box for box in sources if box.kind == "input" and box.key in above]:
                    sources.remove(box)
                    draft.add(BETWEEN, box)
                if draft.columns.get(BETWEEN) or draft.columns.get(FACTORS):
                    self._untie(draft)

    def _untie(self, draft: Draft) -> None:
        """No tie leads through what stands between its ends."""
        keys = {box.key for column in (FORWARD, BACKWARD) for box in draft.columns[column]}
        self.edges = [e for e in self.edges if e.kind != "tie" or not {e.tail, e.head} <= keys]

    # -- edges --------------------------------------------------------------------------------------------------

    def _join(self, tail: int, head: int, kind: str, text: str = "") -> None:
        """One edge, and never a second between the same two boxes."""
        if tail != head and (tail, head) not in self.joined:
            self.joined.add((tail, head))
            self.edges.append(Edge(tail, head, kind, text))

    def _forward_edges(self, forward: Iterable[Node]) -> None:
        for node in forward:
            if node in self.bodies:
                body, keys = self.bodies[node]
                for i in body.behind(node):
                    self._join(keys[i], self.keys[node], "forward")
                continue
            for ref in self.boxes.formulas[node].refs:
                kind = READ_AS.get(ref.op.role or "", "forward")
                self._join(self.keys[ref], self.keys[node], kind, self._text(ref, node))

    def _backward_edges(self, backward: Iterable[Node]) -> None:
        for node in backward:
            head = self.blocks.get(node, self.keys[node])
            kind = "backward" if node in self.blocks else self.fill.edge_kind(node)
            for ref in self.boxes.formulas[node].refs:
                if self._phase(ref) == BACK and ref not in self.hidden:
                    self._join(self.keys[ref], head, kind, self._text(ref, node))
                elif ref in self.lone or (ref in self.row_of and ref.op.role not in ("param", "hyper")):
                    text = f"{self.boxes.titles[ref]} is saved for {self.boxes.titles[node]}"
                    self._join(self.keys[ref], head, "saved", text)
            self._tie(node)

    def _tie(self, node: Node) -> None:
        partner = self.parts.partner.get(node)
        if partner is None or partner not in self.row_of or partner in self.boxes.formulas[node].refs:
            return
        if any(box.key == self.keys[partner] for box in self.row_of[partner].columns.get(FORWARD, ())):
            text = f"{self.boxes.titles[node]} is the gradient of the loss by {self.boxes.titles[partner]}"
            self._join(self.keys[partner], self.keys[node], "tie", text)

    def _text(self, tail: Node, head: Node) -> str:
        return f"{self.boxes.titles[tail]} → {self.boxes.titles[head]}   {shape_label(tail.shape)}"
