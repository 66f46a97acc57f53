"""The partial derivatives of cards as formulas: shipped for built-in cards, derived on first use for others.

``partials_table.py`` is written by ``python -m graphc.symbolic.table`` and checked in, so that ordinary use need not
import SymPy (half a second). A test derives every entry anew.
"""

from __future__ import annotations

from graphc.ir.op import Op
from graphc.ops import CARDS
from graphc.symbolic.partials_table import PARTIALS

WIDTH = 110
"""Where the formatter breaks a line."""


def partial_formula(op: Op, operand: int) -> str:
    """The partial derivative of a pointwise card in one operand."""
    if CARDS.get(op.name) is op and op.name in PARTIALS:
        return PARTIALS[op.name][operand]
    from graphc.symbolic.derive import partials

    return partials(op)[operand]


def table_text() -> str:
    """The text of ``partials_table.py``."""
    from graphc.symbolic.derive import partials

    lines = [
        '"""Partial derivatives of the built-in pointwise cards, as SymPy derived them. Generated; do not edit."""',
        "",
        "# python -m graphc.symbolic.table writes this file",
        "# ruff: noqa: E501",
        "PARTIALS: dict[str, tuple[str, ...]] = {",
    ]
    for name, op in CARDS.items():
        if op.kind == "pointwise":
            lines += _entry(name, [f'"{text}"' for text in partials(op)])
    return "\n".join([*lines, "}", ""])


def _entry(name: str, parts: list[str]) -> list[str]:
    """One card's line; a formula to a line where they are long, as the formatter has it."""
    line = f'    "{name}": ({", ".join(parts)}{"," if len(parts) == 1 else ""}),'
    if len(line) <= WIDTH:
        return [line]
    return [f'    "{name}": (', *(f"        {part}," for part in parts), "    ),"]


if __name__ == "__main__":
    from pathlib import Path

    Path(__file__).with_name("partials_table.py").write_text(table_text(), encoding="utf-8")
