"""Tables of text that fit the terminal, where there is one."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Container, Sequence
from typing import TextIO

LEAST = 8
"""A column that is too wide is not made narrower than this."""

NARROWEST = 30
"""A terminal that says that it is narrower is not believed."""


def terminal(stream: TextIO | None = None) -> bool:
    """Whether somebody looks at a stream, by default standard output, in a terminal."""
    shown = sys.stdout if stream is None else stream
    return shown is not None and shown.isatty()


def width(stream: TextIO | None = None) -> int | None:
    """How many columns there are; None where it is no terminal, and nothing has to fit."""
    if not terminal(stream):
        return None
    return max(NARROWEST, shutil.get_terminal_size().columns)


def columns(
    header: Sequence[str], rows: Sequence[Sequence[str]], right: Container[int] = (), rule: bool = False
) -> list[str]:
    """Lines of a table under its header; in a terminal texts are cut, with … at the end, then last columns left out.

    Args:
        header: a word for each column, the most important first.
        rows: a text for each cell.
        right: the columns that stand at the right: numbers, which are never cut.
        rule: whether a line of dashes stands under the header.

    Example:
        >>> for line in columns(("name", "ms"), [("a", "1.5"), ("longer", "20")], right=(1,)):
        ...     print(line)
        name     ms
        a       1.5
        longer   20
    """
    cells = [tuple(header), *map(tuple, rows)]
    widths = _fitted([max(len(row[i]) for row in cells) for i in range(len(header))], width(), right)
    dashes = [tuple("-" * w for w in widths)] if rule else []
    return [_line(row, widths, right) for row in (cells[0], *dashes, *cells[1:])]


def _line(row: Sequence[str], widths: Sequence[int], right: Container[int]) -> str:
    shown = [_cut(cell, room) for cell, room in zip(row, widths, strict=False)]
    placed = [
        c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(shown, widths, strict=True))
    ]
    return "  ".join(placed).rstrip()


def _fitted(widths: Sequence[int], room: int | None, right: Container[int]) -> list[int]:
    """The widths of the columns that are shown."""
    found = list(widths)
    while room is not None and sum(found) + 2 * (len(found) - 1) > room:
        widest = max(((w, i) for i, w in enumerate(found) if i not in right), default=(0, 0))
        if widest[0] > LEAST:
            found[widest[1]] -= 1
        elif len(found) > 1:
            found.pop()
        else:
            break
    return found


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"
