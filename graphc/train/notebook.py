"""What a notebook shows of a model and of a history; bound by the table in the package's ``__init__``."""

from __future__ import annotations

import io
from html import escape
from typing import Any

from graphc.errors import MissingDependency
from graphc.render.highlight import html_listing
from graphc.render.latex import escaped
from graphc.render.notebook import MAX_PICTURE, folded, framed, quietly

MAX_ROWS = 10
"""Of a longer history the first and the last rows are shown."""


@quietly
def model_html(model: Any) -> str:
    """The table of its layers, their picture with gradients, and the program where one was compiled already."""
    picture = model_svg(model)
    shown = str(model.summary()._repr_html_())
    shown += folded("forward and backward", framed(picture)) if picture else ""
    return shown + (folded("the program", html_listing(model.source())) if model._modules else "")


@quietly
def model_svg(model: Any) -> str | None:
    """Its layers, forward and backward."""
    drawing = model.draw(level="model", legend=False)
    return drawing.svg if len(drawing.figure.boxes) <= MAX_PICTURE else None


@quietly
def history_html(history: Any) -> str:
    """Its curves where matplotlib is installed, and its rows."""
    picture = framed(history_svg(history))
    stopped = f"<p>{escape(history.stopped)}</p>" if history.stopped else ""
    return f"{picture}{stopped}{_table(history)}"


@quietly
def history_svg(history: Any) -> str | None:
    """Its curves; None where there are none yet, or no matplotlib."""
    if not history.rows:
        return None
    try:
        figure = history.figure()
    except MissingDependency:
        return None
    from matplotlib import rc_context

    text = io.StringIO()
    with rc_context({"svg.hashsalt": "graphc", "svg.fonttype": "none"}):  # the same bytes each time
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


@quietly
def history_latex(history: Any) -> str | None:
    """Its rows as a table of LaTeX, for a notebook that becomes a PDF; None where there are none."""
    if not history.rows:
        return None
    columns, rows = _cells(history)
    lines = [" & ".join(map(escaped, row)) + r" \\" for row in (columns, *rows)]
    head, *body = lines
    return "\n".join(
        [rf"\begin{{tabular}}{{{'r' * len(columns)}}}", head, r"\hline", *body, r"\end{tabular}"]
    )


def _cells(history: Any) -> tuple[list[str], list[list[str]]]:
    """The names of the columns, and the first and the last rows."""
    columns = ["epoch", *history.columns]
    rows = [[_number(row.get(c)) for c in columns] for row in history.rows]
    if len(rows) > MAX_ROWS:
        rows = [*rows[: MAX_ROWS // 2], ["…"] * len(columns), *rows[-MAX_ROWS // 2 :]]
    return columns, rows


def _table(history: Any) -> str:
    columns, rows = _cells(history)
    return f"<table>{_row('th', columns)}{''.join(_row('td', row) for row in rows)}</table>"


def _row(tag: str, cells: list[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.5g}"
