"""Python as coloured HTML: keywords, numbers, text and comments, each in a span of its class."""

from __future__ import annotations

import io
import keyword
import tokenize
from collections.abc import Iterator
from html import escape

CLASSES = {tokenize.NUMBER: "number", tokenize.STRING: "string", tokenize.COMMENT: "comment"}


def highlighted(text: str) -> list[str]:
    """The lines of a program as HTML; what is not Python is shown as it is.

    Example:
        >>> highlighted("return x  # done")
        ['<span class="keyword">return</span> x  <span class="comment"># done</span>']
    """
    lines = text.split("\n")
    marks: dict[int, list[tuple[int, int, str]]] = {}
    try:
        for row, begin, end, kind in _spans(text, lines):
            marks.setdefault(row, []).append((begin, end, kind))
    except (tokenize.TokenError, SyntaxError):
        return [escape(line) for line in lines]
    return [_line(line, marks.get(row, [])) for row, line in enumerate(lines)]


def _spans(text: str, lines: list[str]) -> Iterator[tuple[int, int, int, str]]:
    """What has a class: the line it stands in (counted from 0), where it begins and ends, and the class."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = "keyword" if keyword.iskeyword(token.string) else CLASSES.get(token.type)
        if kind is None:
            continue
        (first, begin), (last, end) = token.start, token.end
        for row in range(first - 1, last):
            yield row, begin if row == first - 1 else 0, end if row == last - 1 else len(lines[row]), kind


def _line(line: str, marks: list[tuple[int, int, str]]) -> str:
    parts, at = [], 0
    for begin, end, kind in marks:
        parts.append(escape(line[at:begin]))
        parts.append(f'<span class="{kind}">{escape(line[begin:end])}</span>')
        at = end
    return "".join([*parts, escape(line[at:])])
