"""How a terminal shows what commands print: programs in colours, tables that fit; elsewhere plain."""

from __future__ import annotations

import re
from typing import Any

from graphc.check.report import CELLS
from graphc.cli.console import coloured, folded, grid, paint
from graphc.render.highlight import terminal_listing
from graphc.runtime.tables import terminal
from graphc.train.summary import HEADER

_STEP = re.compile(r" *\d+\. ")


def listing(text: str) -> str:
    """A Python program, in colours where they are wanted (and Pygments is installed)."""
    return terminal_listing(text) if coloured() else text


def explained(found: Any) -> str:
    """An explanation: its title and the formulas of its steps stand out."""
    first, *rest = folded(str(found)).split("\n")
    return "\n".join(
        [paint(first, "bold"), *(paint(line, "bold") if _STEP.match(line) else line for line in rest)]
    )


def layers(summary: Any) -> str:
    """The summary of a model as a table that fits."""
    rows = [layer.cells for layer in summary.layers]
    return f"{summary.title}\n\n{grid(HEADER, rows, right=(3, 4))}\n\n{folded(summary.foot)}"


def checked(report: Any) -> str:
    """What a check of gradients found: a table where it fits a terminal; elsewhere as it is."""
    if not terminal():
        return str(report)
    head, *lines = str(report).split("\n")
    rows = [(_verdict(v, report.tolerance), *v.cells) for v in report.variables]
    table = grid(("", *CELLS), rows, right=range(2, 2 + len(CELLS) - 1))
    for word, style in (("ok", "green"), ("BAD", "red")):
        table = re.sub(rf"(?m)^{word}\b", paint(word, style), table)
    rest = lines[len(report.variables) :]
    return "\n".join([paint(folded(head), "green" if report.ok else "red"), table, *map(folded, rest)])


def difference(found: Any) -> str:
    """What lies between two graphs: what goes is red, what comes is green."""
    styles = {"  - ": "red", "  + ": "green"}
    lines = str(found).split("\n")
    return "\n".join(paint(line, styles[line[:4]]) if line[:4] in styles else line for line in lines)


def _verdict(variable: Any, tolerance: float) -> str:
    return "ok" if variable.largest <= tolerance else "BAD"
