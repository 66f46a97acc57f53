"""A figure as DOT text.

What keeps the layout fast and calm: one cluster per layer holds forward and backward nodes; every edge is written
from the upper row to the lower one, so backward edges are written reversed with ``dir=back``; pairs and saved values
do not constrain ranks; small boxes of a row (parameters, gradients) are cells of one table, so no edge runs past them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from graphc.render import style
from graphc.render.figure import (
    BACKWARD,
    COLUMNS,
    FORWARD,
    GRADIENTS,
    SOURCES,
    UPDATES,
    Box,
    Edge,
    Figure,
    Row,
)
from graphc.render.routes import LEFT, Lane, routes_of

CELLS = (SOURCES, GRADIENTS, UPDATES)
"""Columns whose boxes are cells of one table."""


BACKSLASH = "∖"
"""Shown for a backslash: Graphviz replaces ``\\N`` and its kin everywhere, however it is quoted."""

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
    return _Writer(figure, legend).text()


class _Writer:
    def __init__(self, figure: Figure, legend: bool) -> None:
        from graphviz import Digraph

        self.figure, self.legend = figure, legend
        self.boxes = {box.key: box for box in figure.boxes}
        self.graph = Digraph(figure.name)
        self.routes = routes_of(figure)
        self.colours: dict[Lane, str] = {}
        for edge, lane in self.routes.lanes.items():
            if not edge.faint or lane not in self.colours:
                self.colours[lane] = style.FAINT if edge.faint else style.EDGES[edge.kind].colour
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
        rows = [_legend(self.figure)] if self.legend and self.figure.rows else []
        if self.figure.note:
            rows.append(f"<TR><TD>{_font(self.figure.note, 11, style.GREY)}</TD></TR>")
        return f"<{_table(''.join(rows), CELLSPACING=0)}>" if rows else ""

    # -- rows and clusters --------------------------------------------------------------------------------------

    def _clusters(self) -> None:
        """Clusters in order of first appearance; a row opens and closes only what it must not share."""
        members: dict[tuple[str, ...], list[tuple[int, Row]]] = {}
        for r, row in enumerate(self.figure.rows):
            members.setdefault(row.layer, []).append((r, row))
        self.graph.body.extend(_nested(members, self.figure.clusters, self._cluster_lines, self._row_lines))

    def _cluster_lines(self, layer: tuple[str, ...], number: int) -> list[str]:
        name = self.figure.layers.get(layer, layer[-1])
        label = f"<{self._indent(layer)}{_font(name, 12, style.GREY) or '&nbsp;'}>"
        return [
            f"subgraph cluster_{number} {{",
            f"id=layer{number}",
            f"label={label} labelloc=t labeljust=l margin=10 tooltip={_quoted(name)}",
            f'style=rounded color="{style.FAINT}"',
        ]

    def _indent(self, layer: tuple[str, ...]) -> str:
        """Room before the name of a layer for the lanes that run down at its left."""
        first = next(r for r, row in enumerate(self.figure.rows) if row.layer[: len(layer)] == layer)
        lanes = len(self.routes.points.get(first, ((), ()))[0])
        return "&nbsp;" * (2 + 5 * lanes) if lanes else ""

    def _row_lines(self, r: int, row: Row) -> list[str]:
        left, right = self.routes.points.get(r, ((), ()))
        ids = [_point(lane, r) for lane in left]
        lines = [_point_node(lane, r, self.colours[lane]) for lane in (*left, *right)]
        for column in COLUMNS:
            boxes = row.columns.get(column, ())
            if boxes and column in CELLS:
                ids.append(f"{column}{r}")
                lines.append(_cells_node(ids[-1], boxes))
            else:
                ids.extend(f"n{box.key}" for box in boxes)
                lines.extend(_box_node(f"n{box.key}", box, column) for box in boxes)
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
            line = f"\t{start} -> {end} [{' '.join(f'{k}={_quoted(v)}' for k, v in look.items() if v)}]\n"
            if f"{a}{b}" not in self.drawn or len(ends) == 2:
                self.graph.body.append(line)
            self.drawn.add(f"{a}{b}")

    def _stations(self, edge: Edge, upper: int, lower: int) -> list[str]:
        """The DOT nodes that an edge passes, the points of its lane between its ends."""
        sides = self._sides(upper, lower)
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
            "constraint": "false" if edge.kind in ("saved", "tie") else "",
            "tooltip": edge.tooltip,
            "class": f"{edge.kind} from{edge.tail} to{edge.head}",
        }

    def _sides(self, upper: int, lower: int) -> tuple[str, str]:
        """The sides at which an edge leaves and enters."""
        (r1, c1, _), (r2, c2, _) = self.figure.place[upper], self.figure.place[lower]
        a, b = COLUMNS.index(c1), COLUMNS.index(c2)
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


# -- labels -------------------------------------------------------------------------------------------------------


def _point(lane: Lane, row: int) -> str:
    return f"{lane[1]}{lane[0]}_{row}"


def _point_node(lane: Lane, row: int, colour: str) -> str:
    """A piece of the line that passes: edges end at its rim, above and below, so that it closes the gap."""
    size = 'shape=box label="" width=0.001 height=0.06 fixedsize=true margin=0 style=filled penwidth=1.4'
    return f'{_point(lane, row)} [{size} color="{colour}" fillcolor="{colour}" group="{lane[1]}{lane[0]}" tooltip=" "]'


def _box_node(name: str, box: Box, column: str) -> str:
    look = _colours(box)
    rows = [_title(box), *(_font(line, 12, look.ink) for line in _lines(box))]
    rows.append(_font(box.foot, 9.5, look.grey))
    rows = [row for row in rows if row] or ["&nbsp;"]
    cell = '<TD ALIGN="LEFT">' if box.listed else "<TD>"
    label = _table("".join(f"<TR>{cell}{row}</TD></TR>" for row in rows), CELLPADDING=1, CELLSPACING=0)
    group = f" group={column}" if column in (FORWARD, BACKWARD) else ""
    heavy = " penwidth=2.6" if box.heavy else ""
    return (
        f'{name} [id=box{box.key} label=<{label}> fillcolor="{look.fill}" color="{look.line}"{heavy}{group} '
        f"tooltip={_quoted(*box.tooltip)}]"
    )


def _lines(box: Box) -> Sequence[str]:
    return box.lines or ((style.KINDS[box.kind].legend,) if box.kind not in ("forward", "backward") else ())


def _title(box: Box) -> str:
    look = _colours(box)
    label = f" {_font(f'#{box.label}', 9, look.grey)}" if box.label else ""
    return f"<B>{_font(box.title, 13, look.ink)}</B>{label}" if box.title.strip() else label


@dataclass(frozen=True)
class _Colours:
    fill: str
    line: str
    ink: str = style.INK
    grey: str = style.GREY


def _colours(box: Box) -> _Colours:
    if box.faint:
        return _Colours(style.PAPER, style.FAINT, style.PALE, style.PALE)
    return _Colours(style.KINDS[box.kind].fill, style.KINDS[box.kind].line)


def _cells_node(name: str, boxes: Iterable[Box]) -> str:
    rows = "".join(f"<TR>{_cell(box)}</TR>" for box in boxes)
    label = _table(rows, CELLSPACING=5, CELLPADDING=0)
    return f'{name} [shape=plain style="" label=<{label}>]'


def _cell(box: Box) -> str:
    look = _colours(box)
    first, *more = box.lines or ("",)
    foot = _font(box.foot, 9.5, look.grey)
    head = (_title(box), _font(first, 12, look.ink), "" if more else foot)
    rows = [
        "&nbsp;&nbsp;".join(part for part in head if part),
        *(_font(line, 12, look.ink) for line in more),
    ]
    rows = [row for row in (*rows, foot if more else "") if row] or ["&nbsp;"]
    inner = "".join(f'<TR><TD ALIGN="LEFT">{row}</TD></TR>' for row in rows)
    border = 2 if box.heavy else 1
    tip = "&#10;".join(_safe(line) for line in box.tooltip)
    return (
        f'<TD PORT="b{box.key}" ID="box{box.key}" BORDER="{border}" STYLE="ROUNDED" COLOR="{look.line}" '
        f'BGCOLOR="{look.fill}" CELLPADDING="3" TITLE="{tip}" HREF="#">'
        f"{_table(inner, CELLSPACING=0, CELLPADDING=1)}</TD>"
    )


def _legend(figure: Figure) -> str:
    cells = [
        f'<TD BORDER="1" STYLE="ROUNDED" COLOR="{look.line}" BGCOLOR="{look.fill}" CELLPADDING="3">'
        f"{_font(look.legend, 9.5, style.INK)}</TD>"
        for look in (style.KINDS[kind] for kind in figure.kinds)
    ]
    if any(edge.kind == "saved" for edge in figure.edges):
        cells.append(f"<TD>{_font('– – → saved for the backward pass', 9.5, style.GREY)}</TD>")
    inner = _table(f"<TR>{''.join(cells)}</TR>", CELLSPACING=6)
    return f"<TR><TD>{inner}</TD></TR>"


def _table(rows: str, **attributes: int) -> str:
    text = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f'<TABLE BORDER="0" CELLBORDER="0"{text}>{rows}</TABLE>'


def _font(text: str, size: float, colour: str) -> str:
    """Coloured text; nothing for nothing, since an empty FONT is an error that loses the whole label."""
    if not text.strip():
        return ""
    return f'<FONT POINT-SIZE="{size:g}" COLOR="{colour}">{_safe(text)}</FONT>'


def _safe(text: str) -> str:
    """Text inside a label: markup and entities are shown, not read."""
    return escape(text.replace("\\", BACKSLASH), quote=True)


def _quoted(*lines: str) -> str:
    """A DOT string of these lines; quotes and backslashes are shown, not read."""
    return '"' + "\\n".join(line.replace("\\", BACKSLASH).replace('"', '\\"') for line in lines) + '"'
