"""A figure before it is a picture: rows of boxes, layer by layer, and the edges between them.

One row holds, left to right: what a forward node reads (parameters, inputs), the forward node, its gradient, and the
gradients of the parameters. An input that both directions read, such as the target of a loss, stands between them;
so does a factor that a gradient is multiplied by, where it has a box: the derivative of an activation, say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from graphc.ir.node import Node
from graphc.render.maths import Math

SOURCES, FORWARD, BETWEEN, FACTORS, BACKWARD, EXTRA, GRADIENTS, UPDATES = (
    "sources",
    "forward",
    "between",
    "factors",
    "backward",
    "extra",
    "gradients",
    "updates",
)
COLUMNS = (SOURCES, FORWARD, BETWEEN, FACTORS, BACKWARD, EXTRA, GRADIENTS, UPDATES)
"""The columns of a row, left to right."""


@dataclass(frozen=True)
class Box:
    """One value.

    Attributes:
        key: what edges call it.
        title: its short name.
        kind: what it is, a key of ``style.KINDS``.
        lines: its formula.
        foot: its shape and what is remarkable about it.
        tooltip: what is shown when a pointer rests on it.
        heavy: drawn with a heavy border: added up over several uses.
        label: the number of its step, in a plan.
        listed: lines that stand below each other from the left, such as the steps of a loop.
        faint: drawn in grey, because something else is to be looked at.
        formulas: the same as ``lines`` as formulas, one for each equation; nothing where there is only text.
    """

    key: int
    title: str
    kind: str
    lines: tuple[str, ...] = ()
    foot: str = ""
    tooltip: tuple[str, ...] = ()
    heavy: bool = False
    label: str = ""
    listed: bool = False
    faint: bool = False
    formulas: tuple[Math, ...] = ()


@dataclass(frozen=True)
class Row:
    """Boxes on one level, by column, in one layer."""

    layer: tuple[str, ...]
    columns: Mapping[str, tuple[Box, ...]]

    @property
    def boxes(self) -> tuple[Box, ...]:
        """All boxes of the row, left to right."""
        return tuple(box for column in COLUMNS for box in self.columns.get(column, ()))


@dataclass(frozen=True)
class Edge:
    """A value (``tail``) that is used by another (``head``); ``kind`` is a key of ``style.EDGES``."""

    tail: int
    head: int
    kind: str
    tooltip: str = ""
    faint: bool = False


@dataclass(frozen=True)
class Figure:
    """Rows of boxes, top to bottom, and edges between them.

    Attributes:
        rows: in an order in which every forward edge leads down.
        edges: each pair of boxes at most once.
        name: of the graph.
        note: one line that says what is not shown, or the empty text.
        layers: what a layer is called in the picture.
        nodes: for each box, the nodes that stand inside it, the one whose value it is last.
        copies: boxes that repeat the gradient of another; for each, the value whose gradient it is as well.
    """

    rows: tuple[Row, ...]
    edges: tuple[Edge, ...]
    name: str = "f"
    note: str = ""
    layers: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    nodes: Mapping[int, tuple[Node, ...]] = field(default_factory=dict)
    copies: Mapping[int, Node] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The name as Graphviz takes it, and as a page can refer to it."""
        return "".join(c if c.isalnum() else "_" for c in self.name)

    @cached_property
    def place(self) -> dict[int, tuple[int, str, int]]:
        """Of each box by key: its row, its column, and its place within that column."""
        return {
            box.key: (r, column, i)
            for r, row in enumerate(self.rows)
            for column in COLUMNS
            for i, box in enumerate(row.columns.get(column, ()))
        }

    @cached_property
    def clusters(self) -> tuple[tuple[str, ...], ...]:
        """Every layer and the layers around it, outer before inner, in order of first appearance."""
        order: dict[tuple[str, ...], None] = {}
        for row in self.rows:
            order.update(dict.fromkeys(row.layer[:depth] for depth in range(len(row.layer) + 1)))
        return tuple(order)

    @property
    def boxes(self) -> tuple[Box, ...]:
        """All boxes, row by row."""
        return tuple(box for row in self.rows for box in row.boxes)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of boxes that there are, in order of first appearance."""
        return tuple(dict.fromkeys(box.kind for box in self.boxes))
