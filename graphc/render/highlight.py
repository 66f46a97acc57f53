"""Listings with colours, by Pygments where it is installed; without it the plain text."""

from __future__ import annotations

from html import escape
from typing import Any

STYLE = "friendly"
"""A style of Pygments that is read on white; the page of a listing is white in dark mode as well."""

_FRAME = (
    "margin:0;padding:.6em .8em;border:1px solid #D0D5DD;border-radius:6px;background:white;color:#1D2939;"
    "line-height:1.35;overflow-x:auto;max-height:32em;text-align:left"
)


def html_listing(text: str, language: str = "python") -> str:
    """A listing for a page: colours are written beside the words, so that it needs no style sheet.

    Example:
        >>> html_listing("a < b", "text").endswith("a &lt; b</pre>")
        True
    """
    return f'<pre style="{_FRAME}">{_coloured(text, language)}</pre>'


def _coloured(text: str, language: str) -> str:
    pygments = _pygments() if language == "python" else None
    if pygments is None:
        return escape(text)
    formatter = pygments.formatters.HtmlFormatter(style=STYLE, noclasses=True, nowrap=True)
    return str(pygments.highlight(text, pygments.lexers.PythonLexer(stripnl=False), formatter))


def terminal_listing(text: str) -> str:
    """A Python listing with the sixteen colours of a terminal, which its owner chose; plain without Pygments."""
    pygments = _pygments()
    if pygments is None:
        return text
    formatter = pygments.formatters.TerminalFormatter(bg="dark")
    return str(
        pygments.highlight(text, pygments.lexers.PythonLexer(stripnl=False, ensurenl=False), formatter)
    )


def _pygments() -> Any:
    try:
        import pygments
        import pygments.formatters
        import pygments.lexers
    except ImportError:
        return None
    return pygments
