"""A figure as one HTML file that asks nothing of the network: the picture, or without an engine a table of the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from graphc.render import style
from graphc.render.figure import BACKWARD, BETWEEN, COLUMNS, EXTRA, FACTORS, FORWARD, Box, Figure, Row

_STYLE = """
body { font: 14px/1.4 Helvetica, Arial, sans-serif; color: #1D2939; background: white; margin: 1.5rem; }
svg { max-width: 100%; height: auto; }
h1 { font-size: 1.1rem; } .note { color: #5B6472; }
section { border: 1px solid #D0D5DD; border-radius: 12px; padding: .4rem .8rem .8rem; margin: .6rem 0; }
section.loose { border-color: transparent; padding: 0 .8rem; margin: 0; }
h2 { font-size: .85rem; font-weight: normal; color: #5B6472; margin: .2rem 0; }
.row { display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; }
.row { gap: .5rem 1rem; align-items: center; margin: .4rem 0; }
.box { border: 1.4px solid; border-radius: 9px; padding: .2rem .6rem; margin: .2rem 0; text-align: center; }
.heavy { border-width: 3px; } .foot { color: #5B6472; font-size: .75rem; }
"""


def page_of(figure: Figure, picture: str | None, note: str = "") -> str:
    """The whole file.

    Args:
        figure: what is drawn.
        picture: its SVG, or None where no engine laid it out.
        note: one line above it.
    """
    body = picture if picture is not None else "\n".join(_sections(figure))
    notes = "".join(f'<p class="note">{escape(text)}</p>\n' for text in (note, figure.note) if text)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(figure.name)}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n{notes}{body}\n</body>\n</html>\n"
    )


BESIDE = {FACTORS: BACKWARD, EXTRA: BACKWARD, BETWEEN: FORWARD}
"""Columns that have no column of their own in a table."""


def _sections(figure: Figure) -> Iterator[str]:
    """A frame for each layer, with its rows."""
    layer: tuple[str, ...] | None = None
    columns = [c for c in COLUMNS if c not in BESIDE and any(row.columns.get(c) for row in figure.rows)]
    for row in figure.rows:
        if row.layer != layer:
            if layer is not None:
                yield "</section>"
            layer = row.layer
            yield f"<section{'' if layer else ' class=loose'}>"
            if layer:
                yield f"<h2>{escape('.'.join(layer))}</h2>"
        yield _row(row, columns)
    if layer is not None:
        yield "</section>"


def _row(row: Row, columns: Sequence[str]) -> str:
    cells = []
    for column in columns:
        beside = (
            box for extra, main in BESIDE.items() if main == column for box in row.columns.get(extra, ())
        )
        boxes = (*row.columns.get(column, ()), *beside)
        cells.append(f"<div>{''.join(map(_box, boxes))}</div>")
    return f'<div class="row">{"".join(cells)}</div>'


def _box(box: Box) -> str:
    look = style.KINDS[box.kind]
    lines = "".join(f"<div>{escape(line)}</div>" for line in box.lines)
    number = f' <span class="foot">#{box.label}</span>' if box.label else ""
    return (
        f'<div class="box{" heavy" if box.heavy else ""}" style="background:{look.fill};border-color:{look.line}" '
        f'title="{escape(chr(10).join(box.tooltip))}"><b>{escape(box.title)}</b>{number}{lines}'
        f'<div class="foot">{escape(box.foot)}</div></div>'
    )
