"""Formulas of the site as MathML, which browsers set by themselves: no script, no font, no request."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert

INDENT = re.compile(r"\n[ \t]*")


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(translator: Any, node: nodes.Element) -> None:
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.Element) -> None:
    formula = convert(INDENT.sub(" ", node.astext()), display="block")
    translator.body.append(
        translator.starttag(node, "div", CLASS="math", TABINDEX="0") + formula + "</div>\n"
    )
    raise nodes.SkipNode
