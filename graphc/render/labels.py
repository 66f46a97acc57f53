"""What stands in the boxes of a figure, as HTML-like labels of Graphviz.

A formula that was set is a cell of its size in a colour of its own, its mark; ``render.place`` puts the outlines
there once the picture is laid out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from math import ceil

from graphc.render import style
from graphc.render.figure import BACKWARD, FORWARD, Box, Figure
from graphc.render.typeset import SIZE, Setting

BACKSLASH = "∖"
"""Shown for a backslash: Graphviz replaces ``\\N`` and its kin everywhere, however it is quoted."""

Settings = Mapping[int, tuple[Setting, ...]]
"""For boxes by key, the lines of their formulas; a box that is not there has text."""


@dataclass(frozen=True)
class Mark:
    """A formula in a label.

    Attributes:
        colour: of the cell that holds its place.
        setting: the formula.
        ink: the colour in which it is drawn.
        base: how far its baseline is below the middle of the cell.
        left: whether it stands at the left of the cell.
    """

    colour: str
    setting: Setting
    ink: str
    base: float
    left: bool


@dataclass(frozen=True)
class Colours:
    """How one box is drawn."""

    fill: str
    line: str
    ink: str = style.INK
    grey: str = style.GREY


@dataclass
class Labels:
    """Writes labels, and remembers the marks that it made."""

    settings: Settings = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)

    def box(self, name: str, box: Box, column: str) -> str:
        """The DOT node of a box that stands by itself: title, formula, shape, below each other."""
        look = colours_of(box)
        align = LEFT if box.listed else ""
        rows = [
            _td(_title(box), align),
            *self._formula(box, look, align),
            _td(font(box.foot, 9.5, look.grey), align),
        ]
        label = table(
            "".join(f"<TR>{row}</TR>" for row in rows if row) or EMPTY, CELLPADDING=1, CELLSPACING=0
        )
        group = f" group={column}" if column in (FORWARD, BACKWARD) else ""
        heavy = " penwidth=2.6" if box.heavy else ""
        return (
            f'{name} [id=box{box.key} label=<{label}> fillcolor="{look.fill}" color="{look.line}"{heavy}{group} '
            f"tooltip={quoted(*box.tooltip)}]"
        )

    def cells(self, name: str, boxes: Iterable[Box]) -> str:
        """The DOT node of small boxes below each other, which are cells of one table."""
        label = table("".join(f"<TR>{self._cell(box)}</TR>" for box in boxes), CELLSPACING=5, CELLPADDING=0)
        return f'{name} [shape=plain style="" label=<{label}>]'

    def _cell(self, box: Box) -> str:
        look = colours_of(box)
        inner = self._set_cell(box, look) if box.key in self.settings else _text_cell(box, look)
        tip = "&#10;".join(safe(line) for line in box.tooltip)
        return (
            f'<TD PORT="b{box.key}" ID="box{box.key}" BORDER="{2 if box.heavy else 1}" STYLE="ROUNDED" '
            f'COLOR="{look.line}" BGCOLOR="{look.fill}" CELLPADDING="3" TITLE="{tip}" HREF="#">{inner}</TD>'
        )

    def _set_cell(self, box: Box, look: Colours) -> str:
        """Title, formula and shape beside each other; a formula of several lines stands below the title."""
        foot = font(box.foot, 9.5, look.grey)
        if len(self.settings[box.key]) == 1:
            (formula,) = (self._mark(setting, look.ink, LEFT, True) for setting in self.settings[box.key])
            # room that is left over goes to many columns in equal parts, and so to the last cell
            rest = f'<TD COLSPAN="{MANY}"{LEFT}>&nbsp;{foot}</TD>'
            row = f"{_td(_title(box))}<TD>&nbsp;</TD>{formula}{rest}"
            return table(f"<TR>{row}</TR>", CELLSPACING=0, CELLPADDING=1)
        lines = self._formula(box, look, LEFT)
        rows = [_td(_title(box), LEFT), *lines, _td(foot, LEFT)]
        return table("".join(f"<TR>{row}</TR>" for row in rows if row), CELLSPACING=0, CELLPADDING=1)

    def _formula(self, box: Box, look: Colours, align: str) -> Iterator[str]:
        """The cells of a formula, one a line."""
        if box.key in self.settings:
            lines = self.settings[box.key]
            yield from (self._mark(line, look.ink, align, airy=len(lines) > 1) for line in lines)
        else:
            yield from (_td(font(line, 12, look.ink), align) for line in lines_of_text(box))

    def _mark(self, setting: Setting, ink: str, align: str, beside: bool = False, airy: bool = False) -> str:
        """A cell of the size of a formula; ``beside`` text its axis is in the middle; ``airy`` lines keep apart."""
        colour = f"#01{len(self.marks):04x}"
        base = AXIS if beside else (setting.ascent - setting.descent) / 2
        self.marks.append(Mark(colour, setting, ink, base, align == LEFT))
        width = ceil(setting.width) + 2
        tall = 2 * max(setting.ascent - base, setting.descent + base)
        height = ceil(max(tall + (AIR if tall > 1.5 * SIZE or airy else 0), SIZE + 2))
        size = f'FIXEDSIZE="TRUE" WIDTH="{width}" HEIGHT="{height}" CELLPADDING="0"'
        return f'<TD {size} BGCOLOR="{colour}"{align}></TD>'


LEFT = ' ALIGN="LEFT"'
MANY, AIR = 12, 3

AXIS = 0.25 * SIZE
"""The height of a minus sign: where the middle of the text beside a formula is."""


def colours_of(box: Box) -> Colours:
    """The colours of a box of its kind; grey where something else is to be looked at."""
    if box.faint:
        return Colours(style.PAPER, style.FAINT, style.PALE, style.PALE)
    return Colours(style.KINDS[box.kind].fill, style.KINDS[box.kind].line)


def lines_of_text(box: Box) -> Sequence[str]:
    """The formula as text, or what a box without one is."""
    return box.lines or (
        (style.KINDS[box.kind].legend,) if box.kind not in ("forward", "backward", "factor") else ()
    )


def legend_row(figure: Figure) -> str:
    """A row that explains the colours."""
    cells = [
        f'<TD BORDER="1" STYLE="ROUNDED" COLOR="{look.line}" BGCOLOR="{look.fill}" CELLPADDING="3">'
        f"{font(look.legend, 9.5, style.INK)}</TD>"
        for look in (style.KINDS[kind] for kind in figure.kinds)
    ]
    if any(edge.kind == "saved" for edge in figure.edges):
        cells.append(f"<TD>{font('– – → saved for the backward pass', 9.5, style.GREY)}</TD>")
    if any(edge.kind == "carry" for edge in figure.edges):
        line = style.EDGES["carry"].colour
        cells.append(
            f"<TD>{font('– – →', 9.5, line)}{font(' from one step to the next', 9.5, style.GREY)}</TD>"
        )
    inner = table(f"<TR>{''.join(cells)}</TR>", CELLSPACING=6)
    return f"<TR><TD>{inner}</TD></TR>"


def apart(row: str) -> str:
    """A row of one cell that stays as wide as it is where the table is wider."""
    room = f'<TD COLSPAN="{MANY}"></TD>'
    inner = table(row.replace("<TR>", f"<TR>{room}", 1).removesuffix("</TR>") + f"{room}</TR>", CELLSPACING=0)
    return f"<TR><TD>{inner}</TD></TR>"


# -- cells and text -------------------------------------------------------------------------------------------------

EMPTY = "<TR><TD>&nbsp;</TD></TR>"


def _title(box: Box) -> str:
    look = colours_of(box)
    label = f" {font(f'#{box.label}', 9, look.grey)}" if box.label else ""
    return f"<B>{font(box.title, 13, look.ink)}</B>{label}" if box.title.strip() else label


def _text_cell(box: Box, look: Colours) -> str:
    first, *more = box.lines or ("",)
    foot = font(box.foot, 9.5, look.grey)
    head = (_title(box), font(first, 12, look.ink), "" if more else foot)
    rows = ["&nbsp;&nbsp;".join(part for part in head if part), *(font(line, 12, look.ink) for line in more)]
    rows = [row for row in (*rows, foot if more else "") if row] or ["&nbsp;"]
    inner = "".join(f'<TR><TD ALIGN="LEFT">{row}</TD></TR>' for row in rows)
    return table(inner, CELLSPACING=0, CELLPADDING=1)


def _td(inner: str, attributes: str = "") -> str:
    return f"<TD{attributes}>{inner}</TD>" if inner else ""


def table(rows: str, **attributes: int) -> str:
    """A table without lines."""
    text = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f'<TABLE BORDER="0" CELLBORDER="0"{text}>{rows}</TABLE>'


def font(text: str, size: float, colour: str) -> str:
    """Coloured text; nothing for nothing, since an empty FONT is an error that loses the whole label."""
    if not text.strip():
        return ""
    return f'<FONT POINT-SIZE="{size:g}" COLOR="{colour}">{safe(text)}</FONT>'


def safe(text: str) -> str:
    """Text inside a label: markup and entities are shown, not read."""
    return escape(text.replace("\\", BACKSLASH), quote=True)


def quoted(*lines: str) -> str:
    """A DOT string of these lines; quotes and backslashes are shown, not read."""
    return '"' + "\\n".join(line.replace("\\", BACKSLASH).replace('"', '\\"') for line in lines) + '"'
