"""Tables of text."""

from __future__ import annotations

from collections.abc import Sequence


def columns(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: int) -> str:
    """Columns as wide as their widest cell; from ``numbers`` on they stand at the right.

    Example:
        >>> print(columns(("name", "ms"), [("a", "1.5"), ("longer", "20")], 1))
        name     ms
        a       1.5
        longer   20
    """
    cells = [tuple(header), *map(tuple, rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    return "\n".join(_line(row, widths, numbers) for row in cells)


def _line(row: Sequence[str], widths: Sequence[int], numbers: int) -> str:
    pairs = enumerate(zip(row, widths, strict=True))
    return "  ".join(c.rjust(w) if i >= numbers else c.ljust(w) for i, (c, w) in pairs).rstrip()
