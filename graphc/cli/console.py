"""What the terminal gets: results on standard output, progress on standard error, colour only where it is wanted."""

from __future__ import annotations

import os
import re
import sys
import textwrap
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, TextIO

from graphc.runtime.tables import LEAST, columns, terminal, width

_CODES = {"bold": "1", "red": "31", "green": "32"}

_ROW = re.compile(r"( +\S.*?)( {2,})(\S.*)")


def coloured(stream: TextIO | None = None) -> bool:
    """Whether colours are wanted: a terminal, and NO_COLOR (no-color.org) is not set."""
    return terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, style: str, stream: TextIO | None = None) -> str:
    """Text in a style, where colours are wanted."""
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if coloured(stream) else text


def folded(text: str) -> str:
    """Text whose lines fit the terminal; what goes on is indented further. Elsewhere as it is."""
    room = width()
    if room is None:
        return text
    return "\n".join(_fold(line, room) for line in text.split("\n"))


def _fold(line: str, room: int) -> str:
    if len(line) <= room:
        return line
    own = len(line) - len(line.lstrip())
    indent = min(own + 4, room // 2) if own else 0  # a paragraph has no steps
    options = {"break_long_words": False, "break_on_hyphens": False, "drop_whitespace": True}
    return "\n".join(textwrap.wrap(line, room, subsequent_indent=" " * indent, **options))  # type: ignore[arg-type]


def told(text: str, room: int) -> str:
    r"""Paragraphs, and indented rows of two columns, as wide as ``room``.

    Example:
        >>> print(told("Some words\nthat go on.\n\n  name    what it is", 20))
        Some words that go
        on.
        <BLANKLINE>
          name    what it is
    """
    lines: list[str] = []
    paragraph: list[str] = []
    for line in text.split("\n"):
        if line[:1].strip():
            paragraph.append(line)
            continue
        lines.extend([*_wrapped(" ".join(paragraph), room), *_row_of(line, room)])
        paragraph = []
    return "\n".join([*lines, *_wrapped(" ".join(paragraph), room)])


def _row_of(line: str, room: int) -> list[str]:
    """A row of which the second column goes on below where it began, or below the first where there is no room."""
    row = _ROW.fullmatch(line)
    left, gap, right = row.groups() if row else (line, "", "")
    at = len(left) + len(gap)
    if len(line) <= room or not right:
        own = " " * (len(line) - len(line.lstrip()))
        return _wrapped(line.strip(), room, own, own + "    ") or [""]
    if room - at >= LEAST * 3:
        first, *rest = _wrapped(right, room - at)
        return [f"{left}{gap}{first}", *(" " * at + part for part in rest)]
    return [*_wrapped(left.strip(), room, "  "), *_wrapped(right, room, " " * 6)]


def _wrapped(text: str, room: int, indent: str = "", later: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        room,
        initial_indent=indent,
        subsequent_indent=indent if later is None else later,
        break_long_words=False,
        break_on_hyphens=False,
    )


def grid(header: Sequence[str], rows: Sequence[Sequence[str]], right: Container[int] = ()) -> str:
    """A table under a header that fits the terminal: texts are cut, with … at the end; then last columns are left out.

    Args:
        header: a word for each column, the most important first.
        rows: a text for each cell.
        right: the columns that stand at the right: numbers, which are never cut.

    Example:
        >>> print(grid(("layer", "numbers"), [("hidden", "12"), ("output", "1,280")], right=(1,)))
        layer   numbers
        hidden       12
        output    1,280
    """
    first, *rest = columns(header, rows, right)
    return "\n".join([paint(first, "bold"), *rest])


def heading(title: str) -> None:
    """A title above a part of the results."""
    print(f"\n{paint(title, 'bold')}\n{paint('-' * len(title), 'bold')}")


def progress(epochs: int) -> dict[str, Any]:
    """Arguments for ``fit``: a bar where a terminal shows it, else ten plain lines on standard error."""
    if sys.stderr.isatty():
        return {"verbose": True}
    return {"verbose": False, "callbacks": [_plain_lines(epochs)]}


def _plain_lines(epochs: int) -> Callable[[Any, Mapping[str, float]], None]:
    every = max(1, epochs // 10)

    def report(model: Any, row: Mapping[str, float]) -> None:
        epoch = int(row["epoch"])
        if epoch % every == 0 or epoch == epochs:
            print(f"epoch {epoch}/{epochs}: {scores(row)}", file=sys.stderr, flush=True)

    return report


def scores(row: Mapping[str, float]) -> str:
    """``loss 0.0824, accuracy 0.9844``."""
    return ", ".join(f"{name} {value:.4g}" for name, value in row.items() if name != "epoch")


def table(rows: Sequence[tuple[str, str]]) -> str:
    """Two columns, the first as wide as its longest word; a long text goes on below where it began."""
    first = max((len(left) for left, _ in rows), default=0)
    room = width()
    lines = []
    for left, right in rows:
        parts = (
            [right]
            if room is None
            else textwrap.wrap(right, max(room - first - 4, LEAST), break_on_hyphens=False)
        )
        for i, part in enumerate(parts or [""]):
            lines.append(f"  {('' if i else left).ljust(first)}  {part}")
    return "\n".join(lines)
