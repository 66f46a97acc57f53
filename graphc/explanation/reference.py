"""The reference pages that are written from the tables: every card, every rule.

``python -m graphc.explanation.reference DIR`` writes ``ops.md`` and ``rules.md``; a test holds the checked-in pages to
the cards and rules as they are, and a card that says nothing about itself fails it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from graphc.errors import VerifyError
from graphc.ir.op import ZERO, Op
from graphc.ops import CARDS
from graphc.rewrite.rules import RULES
from graphc.symbolic.table import partial_formula

TITLES = {
    "leaf": "Leaves",
    "pointwise": "Pointwise: a scalar formula; SymPy derives the derivative",
    "linear": "Linear: the transpose is again a linear operation",
    "select": "Selections: linear once the choice is fixed",
    "composite": "Composites: a body made of other operations",
    "effect": "Effects: a value with something attached",
}


def op_reference(cards: Iterable[Op] = tuple(CARDS.values())) -> str:
    """The page of all operations, as Markdown.

    Raises:
        VerifyError: a card without a formula and without a word about what it computes.
    """
    table = list(cards)
    lines = [
        "# Operations",
        "",
        "Written from the cards by `python -m graphc.explanation.reference docs`. `out` is the output, which the",
        "forward pass has already; the cost is nanoseconds per element in float32, for choosing between forms.",
    ]
    for kind, title in TITLES.items():
        members = sorted((op for op in table if op.kind == kind), key=lambda op: op.name)
        if members:
            header = ("operation", "computes", "derivative", "NumPy", "ns")
            lines += ["", f"## {title}", "", *_table(header, [_op_row(op) for op in members])]
    return "\n".join(lines) + "\n"


def rule_reference() -> str:
    """The page of all rewrite rules, as Markdown."""
    lines = [
        "# Rewrite rules",
        "",
        "Written from the rules by `python -m graphc.explanation.reference docs`. Kinds: `exact` keeps every bit;",
        "`rounding` is within the given ulp; `stable` is more accurate; `structure` may reassociate sums; `harmless`",
        "and `fact` need what the last column says. Level `exact` uses the first kind alone, `default` all with at",
        "most 4 ulp, `fast` all.",
    ]
    for phase in dict.fromkeys(rule.phase for rule in RULES):
        rows = [
            (f"`{r.name}`", _code(r.left or "any card"), _code(_right(r)), _kind(r), r.fact or r.note)
            for r in RULES
            if r.phase == phase
        ]
        lines += [
            "",
            f"## {phase}",
            "",
            *_table(("rule", "from", "to", "kind", "why, or what must be known"), rows),
        ]
    return "\n".join(lines) + "\n"


def _op_row(op: Op) -> tuple[str, ...]:
    operands = ", ".join((*op.operands, *(f"{k}=" for k in op.attrs)))
    return f"`{op.name}({operands})`", _computes(op), derivative_text(op), numpy_text(op), f"{op.cost:g}"


def _computes(op: Op) -> str:
    if op.formula:
        return _code(op.formula)
    text = op.doc or _first_line(op.name)
    if not text:
        raise VerifyError(
            f"the card {op.name} does not say what it computes", fix="give it a doc= of one line"
        )
    return text


def _first_line(name: str) -> str:
    """The first line of the docstring of the public function of this name."""
    import graphc

    function = getattr(graphc, name, None) if name in graphc.__all__ else None
    return (
        ((getattr(function, "__doc__", None) or "").strip().split("\n")[0])
        if not isinstance(function, Op)
        else ""
    )


def derivative_text(op: Op) -> str:
    """How the derivative of a card comes about, in Markdown."""
    if op.kind == "pointwise":
        parts = [partial_formula(op, i) for i in range(len(op.operands))]
        if len(parts) == 1:
            return _code(parts[0])
        return ", ".join(f"∂{n}: {_code(p)}" for n, p in zip(op.operands, parts, strict=True))
    if op.transpose is not None:
        return "zero by declaration" if all(t is ZERO for t in op.transpose) else "by its transpose"
    if op.gradient is not None:
        return "declared"
    if op.joint is not None:
        return "the same card over the gradients of its bodies"
    return "of its body" if op.body is not None else ""


def numpy_text(op: Op) -> str:
    """What stands in a listing for a card, in Markdown."""
    if op.infix:
        return _code(f"{op.operands[0]} {op.infix} {op.operands[1]}")
    if op.prefix:
        return _code(f"{op.prefix}{op.operands[0]}")
    if isinstance(op.numpy, str):
        return _code(op.numpy.replace("{", "").replace("}", ""))
    if op.numpy is not None:
        return ", ".join(_code(h) for h in op.helpers) or "by its attributes"
    if op.block is not None:
        return "a block of lines"
    return "its formula" if op.formula else "its body" if op.body is not None else ""


def _right(rule: Any) -> str:
    return (
        "computed from the match"
        if callable(rule.right) and not hasattr(rule.right, "op")
        else str(rule.right)
    )


def _kind(rule: Any) -> str:
    return f"{rule.kind} ({rule.ulp:g} ulp)" if rule.ulp else str(rule.kind)


def _code(text: object) -> str:
    return f"`{text}`".replace("|", "\\|")


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(header)} |",
        f"|{'---|' * len(header)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "ops.md").write_text(op_reference(), encoding="utf-8")
    (folder / "rules.md").write_text(rule_reference(), encoding="utf-8")
