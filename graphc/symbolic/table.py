"""The partial derivatives of cards as formulas: shipped for built-in cards, derived on first use for others.

``partials_table.py`` is written by ``python -m graphc.symbolic.table`` and checked in, so that ordinary use need not
import SymPy (half a second). A test derives every entry anew.
"""

from __future__ import annotations

from graphc.ir.op import Op
from graphc.ops import CARDS
from graphc.symbolic.partials_table import PARTIALS


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
        "PARTIALS: dict[str, tuple[str, ...]] = {",
    ]
    for name, op in CARDS.items():
        if op.kind == "pointwise":
            parts = ", ".join(f'"{text}"' for text in partials(op))
            lines.append(f'    "{name}": ({parts}{"," if len(op.operands) == 1 else ""}),')
    return "\n".join([*lines, "}", ""])


if __name__ == "__main__":
    from pathlib import Path

    Path(__file__).with_name("partials_table.py").write_text(table_text(), encoding="utf-8")
