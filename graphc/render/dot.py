"""A figure as DOT text.

What keeps the layout fast and calm: one cluster per layer holds forward and backward nodes; every edge is written
from the upper row to the lower one, so backward edges are written reversed with ``dir=back``; pairs and saved values
do not constrain ranks; small boxes of a row (parameters, gradients) are cells of one table, so no edge runs past them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from graphc.render import style
from graphc.render.figure import BACKWARD, BETWEEN, COLUMNS, GRADIENTS, SOURCES, UPDATES, Edge, Figure, Row
from graphc.render.labels import Labels, Mark, Settings, apart, font, legend_row, quoted, table
from graphc.render.routes import LEFT, RIGHT, Lane, routes_of
from graphc.render.titles import MAX_PATH, printable

CELLS = (SOURCES, BETWEEN, GRADIENTS, UPDATES)
"""Columns whose boxes are cells of one table."""


LONG_NAME = 20
"""A longer name of a layer would meet the edges that come into it from above."""

# remincross=false keeps the order within rows that the invisible chains ask for, also in nested clusters
ATTRIBUTES = {
    "graph": {
        "rankdir": "TB", "newrank": "true", "remincross": "false", "splines": "spline", "nodesep": "0.28",
        "ranksep": "0.38", "pad": "0.15", "bgcolor": style.PAPER, "fontname": style.FONT, "fontsize": "11",
        "fontcolor": style.GREY, "labelloc": "b", "labeljust": "c", "tooltip": " ",
    },
    "node": {
        "shape": "box", "style": "filled,rounded", "fontname": style.FONT, "fontsize": "12",
        "fontcolor": style.INK, "margin": "0.11,0.05", "penwidth": "1.2",
    },
    "edge": {"fontname": style.FONT, "arrowsize": "0.65"},
}  # fmt: skip


def dot_of(figure: Figure, legend: bool = True) -> str:
    """The DOT text of a figure; the same figure gives the same text.

    Example:
        >>> import graphc as gx
        >>> from graphc.render.rows import figure_of
        >>> x = gx.input("x", ("n",))
        >>> dot_of(figure_of(gx.graph_of(gx.exp(x).named("y")))).splitlines()[0]
        'digraph f {'
    """
    return _Writer(figure, legend, {}).text()


def dot_with_marks(figure: Figure, legend: bool, settings: Settings) -> tuple[str, list[Mark]]:
    """The DOT text in which formulas that were set have cells of their size, and the marks of these cells."""
    writer = _Writer(figure, legend, settings)
    return writer.text(), writer.labels.marks


class _Writer:
    def __init__(self, figure: Figure, legend: bool, settings: Settings) -> None:
        from graphviz import Digraph

        self.figure, self.legend = figure, legend
        self.labels = Labels(settings)
        self.boxes = {box.key: box for box in figure.boxes}
        self.graph = Digraph(figure.key)
        self.routes = routes_of(figure)
        self.pens: dict[Lane, tuple[str, float]] = {}
        for edge, lane in self.routes.lanes.items():
            if not edge.faint or lane not in self.pens:
                line = style.EDGES[edge.kind]
                self.pens[lane] = (style.FAINT if edge.faint else line.colour, line.width)
        self.drawn: set[str] = set()

    def text(self) -> str:
        """Attributes, clusters with their rows, then edges."""
        self._attributes()
        self._clusters()
        for edge in self.figure.edges:
            self._edge(edge)
        self._hold_loose_rows()
        source: str = self.graph.source
        return source

    def _attributes(self) -> None:
        caption = self._caption()
        for kind, attributes in ATTRIBUTES.items():
            self.graph.attr(kind, **attributes)
        if caption:
            self.graph.attr("graph", label=caption)

    def _caption(self) -> str:
        rows = [legend_row(self.figure)] if self.legend and self.figure.rows else []
        if self.figure.note:
            rows = [apart(row) for row in rows]
            rows.append(f"<TR><TD>{font(self.figure.note, 11, style.GREY)}</TD></TR>")
        return f"<{table(''.join(rows), CELLSPACING=0)}>" if rows else ""

    # -- rows and clusters --------------------------------------------------------------------------------------

    def _clusters(self) -> None:
        """Clusters in order of first appearance; a row opens and closes only what it must not share."""
        members: dict[tuple[str, ...], list[tuple[int, Row]]] = {}
        for r, row in enumerate(self.figure.rows):
            members.setdefault(row.layer, []).append((r, row))
        self.graph.body.extend(_nested(members, self.figure.clusters, self._cluster_lines, self._row_lines))

    def _cluster_lines(self, layer: tuple[str, ...], number: int) -> list[str]:
        name = printable(self.figure.layers.get(layer, layer[-1]), MAX_PATH)
        left, right = self._passing(layer)
        indent = "&nbsp;" * (2 + 5 * left) if left and right else ""
        label = f"<{indent}{font(name, 12, style.GREY) or '&nbsp;'}>"
        crowded = (left and not right) or self._is_entered(layer) or len(name) > LONG_NAME
        middle = self._is_left(layer) and len(name) <= LONG_NAME
        side = ("c" if middle else "r") if crowded else "l"  # edges come in at the left
        return [
            f"subgraph cluster_{number} {{",
            f"id=layer{number}",
            f"label={label} labelloc=t labeljust={side} margin=10 tooltip={quoted(name)}",
            f'style=rounded color="{style.FAINT}"',
        ]

    def _passing(self, layer: tuple[str, ...]) -> tuple[int, int]:
        """How many lanes run down at the left and at the right of the name of a layer, which keeps clear of them."""
        first = self._first_row(layer)
        left, right = self.routes.points.get(first, ((), ()))
        inside = GRADIENTS not in self.figure.rows[first].columns  # then those at the right run in the middle
        return len(left), 0 if inside else len(right)

    def _first_row(self, layer: tuple[str, ...]) -> int:
        return next(r for r, row in enumerate(self.figure.rows) if row.layer[: len(layer)] == layer)

    def _is_left(self, layer: tuple[str, ...]) -> bool:
        """Whether gradients leave the first row of a layer at the right: straight up, or along a lane."""
        first, place = self._first_row(layer), self.figure.place
        columns = self.figure.rows[first].columns
        if BACKWARD in columns and GRADIENTS not in columns:
            return True
        lanes = ((edge.tail, lane) for edge, lane in self.routes.lanes.items())
        return any(
            side == RIGHT and place[tail][0] == first and upper != tail for tail, (upper, side) in lanes
        )

    def _is_entered(self, layer: tuple[str, ...]) -> bool:
        """Whether a parameter of another layer is read in the first row of a layer: its arrow comes in at the left."""
        first, place = self._first_row(layer), self.figure.place
        ends = ((place[edge.tail], place[edge.head][0]) for edge in self.figure.edges)
        return any(head == first and row < first and column == SOURCES for (row, column, _), head in ends)

    def _row_lines(self, r: int, row: Row) -> list[str]:
        left, right = self.routes.points.get(r, ((), ()))
        ids = [_point(lane, r) for lane in left]
        lines = [_point_node(lane, r, *self.pens[lane]) for lane in (*left, *right)]
        for column in COLUMNS:
            boxes = row.columns.get(column, ())
            if boxes and column in CELLS:
                ids.append(f"{column}{r}")
                lines.append(self.labels.cells(ids[-1], boxes))
            else:
                ids.extend(f"n{box.key}" for box in boxes)
                lines.extend(self.labels.box(f"n{box.key}", box, column) for box in boxes)
        ids.extend(_point(lane, r) for lane in right)
        if len(ids) > 1:
            lines.append(f"{{rank=same; {' -> '.join(ids)} [style=invis]}}")
        return lines

    def _hold_loose_rows(self) -> None:
        """What no edge ties to the rows above it, such as the equations of an optimizer, stands below them."""
        place = self.figure.place
        tied = {place[key][0] for edge in self.figure.edges for key in (edge.tail, edge.head)}
        for r in range(1, len(self.figure.rows)):
            if r not in tied:
                self.graph.body.append(f"\t{self._anchor(r - 1)} -> {self._anchor(r)} [style=invis]\n")

    def _anchor(self, r: int) -> str:
        box = self.figure.rows[r].boxes[0]
        column = self.figure.place[box.key][1]
        return f"{column}{r}" if column in CELLS else f"n{box.key}"

    # -- edges --------------------------------------------------------------------------------------------------

    def _edge(self, edge: Edge) -> None:
        """One edge, written from the upper row to the lower one, or from left to right."""
        place = self.figure.place
        (r1, c1, i1), (r2, c2, i2) = place[edge.tail], place[edge.head]
        if r1 == r2 and c1 == c2 and c1 in CELLS:
            return
        back = (r1, COLUMNS.index(c1), i1) > (r2, COLUMNS.index(c2), i2)
        first, second = (edge.head, edge.tail) if back else (edge.tail, edge.head)
        ends = self._stations(edge, first, second)
        for i, (a, b) in enumerate(pairwise(ends)):
            tip = (i == 0) if back else (i == len(ends) - 2)
            look = self._look(edge, back, abs(r1 - r2) > 1, tip)
            look |= {"tailclip": "false" if i else "", "headclip": "false" if i < len(ends) - 2 else ""}
            start, end = (
                f"{a}:s" if i else a,
                f"{b}:n" if i < len(ends) - 2 else b,
            )  # points are passed downwards
            line = f"\t{start} -> {end} [{' '.join(f'{k}={quoted(v)}' for k, v in look.items() if v)}]\n"
            if f"{a}{b}" not in self.drawn or len(ends) == 2:
                self.graph.body.append(line)
            self.drawn.add(f"{a}{b}")

    def _stations(self, edge: Edge, upper: int, lower: int) -> list[str]:
        """The DOT nodes that an edge passes, the points of its lane between its ends."""
        sides = ("e", "e") if edge.kind == "carry" and upper != lower else self._sides(upper, lower)
        lane = self.routes.lanes.get(edge)
        if lane is None:
            return [self._end(upper, sides[0]), self._end(lower, sides[1])]
        rows = range(self.figure.place[upper][0] + 1, self.figure.place[lower][0])
        return [self._start(upper, lane[1], rows), *(_point(lane, r) for r in rows), f"n{lower}"]

    def _start(self, upper: int, side: str, rows: range) -> str:
        """Where a lane begins: at the outside of a table if tables stand below, else at its inside."""
        column = self.figure.place[upper][1]
        if column not in CELLS:
            return f"n{upper}"
        outside = any(column in self.figure.rows[r].columns for r in rows)
        return self._end(upper, "w" if outside == (side == LEFT) else "e")

    def _look(self, edge: Edge, back: bool, far: bool, tip: bool) -> dict[str, str]:
        line = style.EDGES[edge.kind]
        return {
            "color": style.FAINT if edge.faint else line.colour,
            "penwidth": f"{line.width:g}",
            "style": line.dashes if line.dashes != "solid" else "",
            "dir": "none" if not (line.arrow and tip) else "back" if back else "",
            "weight": str(line.weight) if line.weight != 1 and not far else "",
            "constraint": "false" if edge.kind in ("saved", "tie", "carry") else "",
            "tooltip": edge.tooltip,
            "class": f"{edge.kind} from{edge.tail} to{edge.head}",
        }

    def _sides(self, upper: int, lower: int) -> tuple[str, str]:
        """The sides at which an edge leaves and enters."""
        (r1, c1, _), (r2, c2, _) = self.figure.place[upper], self.figure.place[lower]
        a, b = COLUMNS.index(c1), COLUMNS.index(c2)
        if upper == lower:
            return "", ""
        if r1 == r2:
            return ("e", "w") if a <= b else ("w", "e")
        return ("e" if c1 in CELLS and a < b else "w" if c1 in CELLS else "", "n" if c2 in CELLS else "")

    def _end(self, key: int, side: str) -> str:
        """The DOT node of a box, with a port; only the first cell of a table is entered from above."""
        row, column, place = self.figure.place[key]
        port = f":{side}" if side else ""
        if column not in CELLS:
            return f"n{key}{port}"
        return f"{column}{row}:b{key}{':w' if side == 'n' and place else port}"


def _nested(members, order, open_lines, row_lines) -> Iterator[str]:  # type: ignore[no-untyped-def]
    """Clusters inside clusters, as lines of DOT (iterative: scopes may be deep)."""
    children: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for layer in order:
        if layer:
            children.setdefault(layer[:-1], []).append(layer)
    numbers = {layer: i for i, layer in enumerate(order)}
    stack: list[tuple[str, tuple[str, ...]]] = [("open", ())]
    while stack:
        action, layer = stack.pop()
        if action == "close":
            yield "\t}\n"
            continue
        if layer:
            yield from (f"\t{line}\n" for line in open_lines(layer, numbers[layer]))
            stack.append(("close", layer))
        for r, row in members.get(layer, ()):
            yield from (f"\t{line}\n" for line in row_lines(r, row))
        stack.extend(("open", child) for child in reversed(children.get(layer, ())))


def _point(lane: Lane, row: int) -> str:
    return f"{lane[1]}{lane[0]}_{row}"


def _point_node(lane: Lane, row: int, colour: str, width: float) -> str:
    """A piece of the line that passes: edges end at its rim, above and below, so that it closes the gap."""
    pen = f"penwidth={width:g} class=lane"  # of which the SVG makes a line
    size = f'shape=box label="" width=0.001 height=0.06 fixedsize=true margin=0 style=filled {pen}'
    return f'{_point(lane, row)} [{size} color="{colour}" fillcolor="{colour}" group="{lane[1]}{lane[0]}" tooltip=" "]'
