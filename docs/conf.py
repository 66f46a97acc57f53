"""How the site is built: ``python -m sphinx -W --keep-going docs site``, strict and without a network."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from graphc import __version__

HERE = Path(__file__).resolve().parent

project = "graphc"
author = "graphc maintainers"
version = release = __version__

extensions = ["myst_parser", "docs.tools.mathml", "docs.tools.names"]
exclude_patterns = ["_build"]
nitpicky = True

myst_enable_extensions = ["dollarmath", "fieldlist"]
myst_fence_as_directive = ["math"]  # as GitHub writes it
myst_heading_anchors = 3

html_theme = "furo"
html_title = "graphc"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b5d8f", "color-brand-content": "#0b5d8f"},
    "dark_css_variables": {"color-brand-primary": "#7cc4f0", "color-brand-content": "#7cc4f0"},
}
pygments_style = "friendly"
pygments_dark_style = "github-dark"


def _list_the_rest(app: Any, docname: str, source: list[str]) -> None:
    """Pages that the start page does not name stand at the end of its last list."""
    if docname == "index":
        named = set(re.findall(r"^[\w/-]+$", source[0], re.MULTILINE))
        rest = sorted({page.stem for page in HERE.glob("*.md")} - named - {"index"})
        source[0] = source[0].rstrip().removesuffix("```") + "\n".join([*rest, "```", ""])


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _list_the_rest)
