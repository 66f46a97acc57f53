"""``view``: one HTML file with the figure, the derivation and the listing, linked in all directions."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import webbrowser
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from graphc.errors import ArgumentError, MissingDependency
from graphc.render.derive import Derivation
from graphc.render.document import STYLE, body_of
from graphc.render.engines import LayoutError
from graphc.render.figure import COLUMNS, Box, Figure
from graphc.render.svg import dark_rules
from graphc.runtime.files import as_path, write_text
from graphc.viewer.content import Content, content_of
from graphc.viewer.listing import highlighted
from graphc.viewer.steps import RUNS, steps_of
from graphc.viewer.values import statistics

SCRIPTS = ("links.js", "figure.js", "steps.js")
"""In this order: each uses what stands in those before it."""

DARK = ':root[data-theme="dark"] #figure'


@dataclass(frozen=True)
class View:
    """A page that needs nothing else.

    Attributes:
        name: of what is shown.
        html: the whole file.
        path: where ``view`` wrote it, or None.
    """

    name: str
    html: str
    path: Path | None = None

    def save(self, path: Any) -> Path:
        """Write it to an .html file, whole or not at all.

        Raises:
            ArgumentError: another extension, or a path that cannot be written.
        """
        return write_text(_target(path), self.html)

    def open(self) -> None:
        """Show the file in a browser."""
        if self.path is None:
            raise ArgumentError("this page was not written to a file", fix="view(path) writes one")
        webbrowser.open(self.path.resolve().as_uri())

    def _repr_html_(self) -> str:
        """For notebooks: the page in a frame of its own, which reaches nothing around it."""
        look = "width:100%;height:42em;border:1px solid #d0d5dd;border-radius:6px"
        name, page = escape(self.name), escape(self.html)
        return f'<iframe title="{name}" style="{look}" sandbox="allow-scripts" srcdoc="{page}"></iframe>'

    def __repr__(self) -> str:
        where = f", {self.path}" if self.path else ""
        return f"<view of {self.name}: {len(self.html) / 1000:,.0f} kB{where}>"


def view(
    what: Any,
    path: Any = None,
    *,
    values: Any = None,
    updates: bool = False,
    level: str | None = None,
    mode: str | None = None,
    layout: str | None = None,
) -> View:
    """Figure, derivation and listing in one HTML file that needs no network.

    Pointing at a box, an equation or a line lights up the other two. A slider goes through what was declared, each use
    of the chain rule, each rewrite with what stood there before, and the lines in the order in which they run.

    Args:
        what: a Model, a Program, a Graph, or nodes; a scalar node is shown with its gradients by all parameters.
        path: an .html file to write; None writes nothing.
        values: one batch, for statistics and a histogram of every value and gradient: for a model ``(x, y)`` or a dict
            of its inputs; for anything else a dict of all arguments by name.
        updates: whether to show the equations of the optimizer (of a model that has one).
        level: ``exact``, ``default`` or ``fast``: which rewrites may happen; by default the model's.
        mode: ``train`` or ``eval`` where the graph has a choice; by default ``train`` if there are gradients.
        layout: ``fresh`` lists a program that makes new arrays, ``planned`` one that works in buffers, as training
            does; the slider then goes through the buffers and the strips as well. By default that of the model (which
            is ``planned``) or of the program; ``fresh`` for anything else.

    Returns:
        A View: ``.html``, ``.save(path)``, ``.open()``.

    Raises:
        ArgumentError: something that is not a graph, another extension, or a path that cannot be written.

    Example:
        >>> import graphc as gx
        >>> x, w = gx.input("x", ("n", 3)), gx.param("w", (3,))
        >>> page = gx.view(gx.mean(gx.square(x @ w)))
        >>> "<script" in page.html
        True
    """
    target = None if path is None else _target(path)
    content = content_of(what, level=level, mode=mode, updates=updates, layout=layout)
    measured = {} if values is None else statistics(content, what, values)
    found = View(content.graph.name, _page(content, measured))
    return found if target is None else replace(found, path=found.save(target))


def _target(path: Any) -> Path:
    target = as_path(path)
    if target.suffix.lower() != ".html":
        raise ArgumentError("a view is written to an .html file", given=str(target))
    if not target.parent.is_dir():
        raise ArgumentError("the folder is not there", given=str(target.parent), fix="make it first")
    return target


# -- the page -----------------------------------------------------------------------------------------------------


def _page(content: Content, measured: Mapping[int, Any]) -> str:
    style = "\n".join([_asset("page.css"), STYLE, *dark_rules(DARK)])
    scripts = [_asset(name) for name in SCRIPTS]
    parts = {
        "policy": f"default-src 'none'; style-src {_hash(style)}; script-src {' '.join(map(_hash, scripts))}; "
        "base-uri 'none'; form-action 'none'",
        "title": escape(content.graph.name),
        "style": style,
        "scripts": "\n".join(f"<script>{script}</script>" for script in scripts),
        "figure": _figure(content),
        "note": escape(content.figure.note),
        "derivation": _derivation(content),
        "listing": _listing(content),
        "data": _json(_data(content, measured)),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _asset("page.html"))


def _asset(name: str) -> str:
    return files("graphc.viewer").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """What a page says it may run: this very text, and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(value: Any) -> str:
    """Data that cannot end the element it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _figure(content: Content) -> str:
    """The SVG as a part of a page; without an engine, a table of the same boxes."""
    try:
        svg = content.drawing.plain_svg
    except (MissingDependency, LayoutError) as error:
        return (
            f'<p class="empty">{escape(error.what)}; {escape(str(error.fix))}</p>\n{_table(content.figure)}'
        )
    svg = re.sub(
        r'(<g id="a_box\d+"><a) xlink:title="[^"]*"', r"\1", svg
    )  # what the page shows beside the pointer
    svg = re.sub(r' font-family="[^"]*"| xml:space="preserve"| text-anchor="start"', "", svg)
    svg = re.sub(r'( font-size="[\d.]+?)\.?0*"', r'\1"', svg)
    svg = re.sub(r'(<g class="formula") role="img" aria-label="[^"]*"', r"\1", svg)  # its box says it
    before, end, after = svg.rpartition("</defs>")
    return (
        before[before.find("<svg") :] + end + _PLACES.sub(_coarse, after) if end else svg[svg.index("<svg") :]
    )


_PLACES = re.compile(r' (?:d|points)="[^"]*"')


def _coarse(places: re.Match[str]) -> str:
    """Where lines run, to a tenth of a point."""
    return re.sub(r"(\.\d)\d+", r"\1", places[0])


def _table(figure: Figure) -> str:
    """Rows of boxes, without edges."""
    rows = []
    for row in figure.rows:
        columns = [row.columns.get(column, ()) for column in COLUMNS]
        cells = "".join(f"<td>{''.join(map(_cell, boxes))}</td>" for boxes in columns)
        rows.append(f"<tr>{cells}</tr>")
    return f'<table class="boxes">{"".join(rows)}</table>'


def _cell(box: Box) -> str:
    lines = "".join(f"<div>{escape(line)}</div>" for line in box.lines)
    text = f"<b>{escape(box.title)}</b>{lines}<small>{escape(box.foot)}</small>"
    return f'<div id="box{box.key}" class="{box.kind}">{text}</div>'


def _derivation(content: Content) -> str:
    if content.system is None:
        return '<p class="empty">There is no loss here, so there is nothing to derive.</p>'
    return body_of(Derivation(f"the gradients of {content.graph.name}", content.system).blocks)


def _listing(content: Content) -> str:
    lines = highlighted(content.source.text.rstrip("\n"))
    return "".join(
        f'<div class="line" id="line{i}"><code>{line or " "}</code></div>' for i, line in enumerate(lines, 1)
    )


def _data(content: Content, measured: Mapping[int, Any]) -> dict[str, Any]:
    figure = content.figure
    boxes = {}
    for box in figure.boxes:
        r, column, i = figure.place[box.key]
        boxes[box.key] = {
            "title": box.title,
            "formula": " ".join(box.lines),
            "foot": box.foot,
            "tip": [line for line in box.tooltip if not line.startswith(f"{box.title} = ")],
            "at": [r, column, i],
            "equations": content.equations.get(box.key, ()),
            "lines": content.lines.get(box.key, ()),
            **({"values": measured[box.key]} if box.key in measured else {}),
        }
    steps = [_step(s) for s in steps_of(content)]
    return {"boxes": boxes, "layers": _layers(content), "steps": steps, "begin": _begin(content)}


def _begin(content: Content) -> int:
    """The line with which the listing is shown first: helpers and buffers stand above it."""
    lines = content.source.text.split("\n")
    planned = (i for i, line in enumerate(lines, 1) if line.startswith("    def run("))
    whole = (i for i, line in enumerate(lines, 1) if line.startswith(f"def {content.source.name}("))
    return next(planned, 0) or next(whole, 1)


def _layers(content: Content) -> list[dict[str, Any]]:
    """The frames of the figure, each with the boxes that stand in it."""
    figure = content.figure
    return [
        {
            "id": f"layer{number}",
            "name": figure.layers.get(layer, layer[-1]),
            "boxes": [b.key for row in figure.rows if row.layer[: len(layer)] == layer for b in row.boxes],
        }
        for number, layer in enumerate(figure.clusters)
        if layer
    ]


def _step(step: Any) -> dict[str, Any]:
    """What there is of a step; the text of a line that runs stands in the listing already."""
    found = {key: value for key, value in asdict(step).items() if value}
    return found | {"text": step.text.partition(": ")[0]} if step.phase == RUNS else found
