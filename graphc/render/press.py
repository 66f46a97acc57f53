"""PNG and PDF of a figure from its SVG, by Typst: formulas stay outlines, words are text that a search finds.

Typst is a typesetter in one wheel; it reads the SVG as a picture and nothing else. Its page is written here, in full:
what a user named comes in as a value, never as markup.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Literal

from graphc.render import style
from graphc.render.engines import Unavailable, no_room

DPI, LONGEST = 144, 5760
"""A PNG is sharp on a slide, and never wider or higher than 5,760 pixels."""

LEGIBLE = 48
"""Pixels an inch below which nobody reads a formula."""

LONGEST_PAGE = 14_400
"""Points, which are 5 m: Acrobat shows no longer page (ISO 32000-1, annex C)."""

FONTS = "Helvetica, Arial, Liberation Sans, Nimbus Sans, TeX Gyre Heros, DejaVu Sans, Libertinus Serif"
"""Where Graphviz measured what stands for Helvetica on this machine; the last one Typst brings along."""

PAGE = """\
#set document(title: sys.inputs.title, date: none)
#set page(width: auto, height: auto, margin: 0pt, fill: white)
#image("figure.svg", width: float(sys.inputs.width) * 1pt, alt: sys.inputs.description)
"""

Printed = Literal["png", "pdf"]

_SIZE = re.compile(r'<svg[^>]*? width="([\d.]+)pt" height="([\d.]+)pt"')


def printed(svg: str, format: Printed, title: str = "", description: str = "") -> bytes:
    """A figure as png or pdf: the same bytes for the same figure, as far as the fonts of the machine are the same.

    Args:
        svg: the figure, with a size in points.
        format: ``png`` or ``pdf``.
        title: what a reader of a PDF shows in its title bar.
        description: what is read aloud to those who cannot see it.

    Raises:
        Unavailable: Typst is not installed, or cannot read this figure.
        LayoutError: no temporary file can be written.
    """
    try:
        import typst
    except ImportError as error:
        raise Unavailable(str(error)) from None
    inputs = {"title": title, "description": description, "width": f"{_width(svg)}"}
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "figure.svg").write_text(svg.replace(style.FONT, FONTS), "utf-8")
            (folder / "page.typ").write_text(PAGE, "utf-8")
            return typst.compile(
                folder / "page.typ", root=folder, format=format, ppi=density(svg), sys_inputs=inputs
            )
    except typst.TypstError as error:
        raise Unavailable(str(error)) from None
    except OSError as error:
        raise no_room(error) from None


def density(svg: str) -> float:
    """Pixels an inch at which the longer side of a figure stays within ``LONGEST``.

    Example:
        >>> density('<svg role="img" width="720pt" height="72pt">'), density('<svg width="7200pt" height="72pt">')
        (144, 57.6)
    """
    longer = min(max(_size(svg)), LONGEST_PAGE)
    return min(DPI, LONGEST * 72 / longer) if longer else DPI


def _size(svg: str) -> tuple[float, float]:
    size = _SIZE.search(svg)
    return (float(size[1]), float(size[2])) if size else (0.0, 0.0)


def _width(svg: str) -> float:
    """Points: that of the figure, or less where its page would be longer than readers of PDF show."""
    width, height = _size(svg)
    return width * min(1.0, LONGEST_PAGE / max(width, height, 1.0))
