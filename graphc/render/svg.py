"""What becomes of the SVG that an engine writes: nothing points out of it, and every part says what it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape
from itertools import count

from graphc.render import style
from graphc.render.figure import Figure
from graphc.render.titles import MAX_PATH, printable

MAX_DESCRIBED = 300
"""A description of more boxes than this is read to its end by nobody."""


def cleaned(svg: str, figure: Figure) -> str:
    """The SVG with titles that people read, the same each time it is drawn, and without links out of the file."""
    svg = re.sub(r"<!DOCTYPE[^>]*>\s*", "", svg)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xlink:href="(?:#|%23)"', "", svg)
    numbers = count(1)  # Graphviz counts through the life of the process
    svg = re.sub(r'(<g id="a_[\w-]+?)_\d+(?=")', lambda found: f"{found[1]}_{next(numbers)}", svg)
    svg = _LANE.sub(_as_line, svg)
    titles = _titles(figure)
    svg = re.sub(r"<title>([^<]*)</title>\n?", lambda found: titles.get(found[1], ""), svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(summary(figure))}" ', 1)


_LANE = re.compile(r'(class="node lane">.*?)<polygon ([^>]*?)points="([^"]*)"/>', re.DOTALL)
OVERLAP = 1.0
"""Points by which a piece of a lane reaches into the edges above and below it."""


def _as_line(found: re.Match[str]) -> str:
    """A piece of a lane as a line of the width of its edges, without a gap to them."""
    xs, ys = zip(*(map(float, point.split(",")) for point in found[3].split()), strict=True)
    x, top, bottom = (min(xs) + max(xs)) / 2, min(ys) - OVERLAP, max(ys) + OVERLAP
    return f'{found[1]}<path {found[2]}d="M{x:.2f},{top:.2f}L{x:.2f},{bottom:.2f}"/>'


def _titles(figure: Figure) -> Mapping[str, str]:
    """By the name that Graphviz knows a part by, its title."""
    titles = {
        figure.key: f"<title>{escape(summary(figure))}</title>\n<desc>{escape(described(figure))}</desc>\n"
    }
    for box in figure.boxes:
        titles[f"n{box.key}"] = f"<title>{escape(printable(box.title))}</title>\n"
    for number, layer in enumerate(figure.clusters):
        if layer:
            titles[f"cluster_{number}"] = (
                f"<title>{escape(printable(figure.layers.get(layer, layer[-1]), MAX_PATH))}</title>\n"
            )
    return titles


def summary(figure: Figure) -> str:
    """``digits_mlp: 7 forward values, 6 gradients``."""
    counted = [
        f"{found} {words if found > 1 else word}"
        for kinds, word, words in _COUNTED
        if (found := sum(box.kind in kinds for box in figure.boxes))
    ]
    return f"{figure.name}: {', '.join(counted)}" if counted else figure.name


_COUNTED = (
    (("forward",), "forward value", "forward values"),
    (("param",), "parameter", "parameters"),
    (("backward", "gradient"), "gradient", "gradients"),
)


def described(figure: Figure) -> str:
    """Every equation, for those who listen to a picture."""
    boxes = figure.boxes
    lines = [f"{box.title} = {' '.join(box.lines)}" for box in boxes[:MAX_DESCRIBED] if box.lines]
    return "; ".join([*lines, *(["…"] if len(boxes) > MAX_DESCRIBED else [])])


# -- dark -----------------------------------------------------------------------------------------------------------


def with_dark(svg: str) -> str:
    """The SVG with colours of its own for readers who prefer a dark page."""
    rules = "\n".join(dark_rules("g.graph"))
    sheet = f"<style>\n@media screen and (prefers-color-scheme: dark) {{\n{rules}\n}}\n</style>\n"
    return re.sub(r"(<svg[^>]*>\n?)", lambda found: found[1] + sheet, svg, count=1)


def dark_rules(scope: str) -> Iterator[str]:
    """A CSS rule for each colour of a figure; ``scope`` is a selector that stands before each, or nothing."""
    before = f"{scope} " if scope else ""
    for light, dark in style.DARK.items():
        for name in ("fill", "stroke"):
            yield f'{before}[{name}="{light.lower()}"] {{ {name}: {dark} }}'
