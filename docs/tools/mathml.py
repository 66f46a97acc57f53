"""Formulas of the site as MathML, which browsers set by themselves: no script, no font, no request."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.errors import ExtensionError

INDENT = re.compile(r"\n[ \t]*")
UNKNOWN = re.compile(r"<m[ion]>(?:&|\\[A-Za-z]+)</m[ion]>")
"""What latex2mathml leaves of a command that it does not know."""


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def mathml(latex: str, display: str = "inline") -> str:
    r"""The MathML of a formula.

    Raises:
        ExtensionError: it uses a command that is not known, or ``&`` outside of an environment with columns.

    Example:
        >>> "<msup><mi>x</mi><mn>2</mn></msup>" in mathml("x^2")
        True
    """
    text = INDENT.sub(" ", latex).replace("{aligned}", "{split}")  # the same, under the name that is known
    formula = str(convert(text, display=display))
    if UNKNOWN.search(formula):
        raise ExtensionError(f"not set as mathematics: {latex}")
    return formula


def _inline(translator: Any, node: nodes.Element) -> None:
    translator.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.Element) -> None:
    formula = mathml(node.astext(), display="block")
    translator.body.append(
        translator.starttag(node, "div", CLASS="math", TABINDEX="0") + formula + "</div>\n"
    )
    raise nodes.SkipNode
