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
from graphc.render.engines import Unavailable

DPI, LONGEST = 144, 5760
"""A PNG is sharp on a slide, and never wider or higher than 5,760 pixels."""

FONTS = "Helvetica, Arial, Liberation Sans, Nimbus Sans, TeX Gyre Heros, DejaVu Sans, Libertinus Serif"
"""Where Graphviz measured what stands for Helvetica on this machine; the last one Typst brings along."""

PAGE = """\
#set document(title: sys.inputs.title, date: none)
#set page(width: auto, height: auto, margin: 0pt, fill: white)
#image("figure.svg", alt: sys.inputs.description)
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
    """
    try:
        import typst
    except ImportError as error:
        raise Unavailable(str(error)) from None
    words = {"title": title, "description": description}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "figure.svg").write_text(svg.replace(style.FONT, FONTS), "utf-8")
        (folder / "page.typ").write_text(PAGE, "utf-8")
        try:
            return typst.compile(
                folder / "page.typ", root=folder, format=format, ppi=density(svg), sys_inputs=words
            )
        except typst.TypstError as error:
            raise Unavailable(str(error)) from None


def density(svg: str) -> float:
    """Pixels an inch at which the longer side of a figure stays within ``LONGEST``.

    Example:
        >>> density('<svg role="img" width="720pt" height="72pt">'), density('<svg width="7200pt" height="72pt">')
        (144, 57.6)
    """
    size = _SIZE.search(svg)
    longer = max(map(float, size.groups())) if size else 0.0
    return min(DPI, LONGEST * 72 / longer) if longer else DPI
