"""What the terminal gets: results on standard output, progress on standard error, colour only where it is wanted."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TextIO

_CODES = {"bold": "1", "red": "31", "green": "32"}


def paint(text: str, style: str, stream: TextIO | None = None) -> str:
    """Text in a style, where a terminal reads it and NO_COLOR (no-color.org) is not set."""
    target = sys.stdout if stream is None else stream
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not target.isatty():
        return text
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m"


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
    """Two columns, the first as wide as its longest word."""
    width = max((len(left) for left, _ in rows), default=0)
    return "\n".join(f"  {left.ljust(width)}  {right}" for left, right in rows)
