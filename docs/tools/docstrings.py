"""Docstrings and cards as Markdown, for the reference of the site."""

from __future__ import annotations

import inspect
import re
from typing import Any

import graphc as gx
from graphc.explanation.reference import derivative_text, numpy_text
from graphc.ir.op import Op

HEADING = re.compile(r"^(Args|Returns|Raises|Example|Attributes):$")
ITEM = re.compile(r"^(\*{0,2}[\w., *]+):\s+(.*)$")
CODE = re.compile(r"(``.+?``|`[^`\n]+`)", re.DOTALL)
SPECIAL = re.compile(r"([\\*_\[\]<>$|#{}~])")


def docstring_lines(thing: Any) -> list[str]:
    """The docstring of a function, class or property as lines of Markdown."""
    blocks = sections(inspect.getdoc(thing) or "")
    lines: list[str] = []
    for title, body in blocks:
        if title == "Example":
            lines += ["```pycon", *body, "```", ""]
        elif title:
            lines += [f"**{title}**", "", *items(body), ""]
        else:
            lines += [*paragraphs(body), ""]
    return lines


def sections(text: str) -> list[tuple[str, list[str]]]:
    """The parts of a docstring: the prose in front has no title; what a heading indents stands under it."""
    parts: list[tuple[str, list[str]]] = [("", [])]
    for line in text.splitlines():
        heading = HEADING.match(line)
        if heading:
            parts.append((heading[1], []))
        elif line and not line.startswith(" ") and parts[-1][0]:
            parts.append(("", [line]))
        else:
            parts[-1][1].append(line)
    return [(title, inspect.cleandoc("\n".join(body)).splitlines()) for title, body in parts]


def paragraphs(lines: list[str]) -> list[str]:
    """Prose as Markdown; an indented block stays code."""
    blocks = "\n".join(lines).split("\n\n")
    return [line for block in blocks for line in (*paragraph(block), "")]


def paragraph(block: str) -> list[str]:
    """One paragraph, one list, or one block of code."""
    if block.startswith("    ") or ">>>" in block:
        return ["```pycon" if ">>>" in block else "```text", *inspect.cleandoc(block).splitlines(), "```"]
    return plain(block).splitlines()


def items(lines: list[str]) -> list[str]:
    """``name: what it is`` as a list, each with its further lines."""
    joined: list[str] = []
    for line in lines:
        if line.startswith(" ") and joined:
            joined[-1] += " " + line.strip()
        elif line:
            joined.append(line)
    return [f"- {item(line)}" for line in joined]


def item(line: str) -> str:
    """One argument or error."""
    found = ITEM.match(line)
    return f"`{found[1]}`: {plain(found[2])}" if found else plain(line)


def plain(text: str) -> str:
    """Words of a docstring as Markdown: code stays code, and no other character has a meaning."""
    parts = CODE.split(text)
    return "".join(
        "`" + part.strip("`").replace("\n", " ") + "`" if i % 2 else SPECIAL.sub(r"\\\1", part)
        for i, part in enumerate(parts)
    )


# -- cards ----------------------------------------------------------------------------------------------------------


def listed_parameters(op: Op) -> str:
    """The operands and attributes of a card as a signature."""
    required = [k for k, v in op.attrs.items() if v is ...]
    optional = [
        f"{k}={v:.6g}" if isinstance(v, float) else f"{k}={v!r}" for k, v in op.attrs.items() if v is not ...
    ]
    keywords = required + optional
    return ", ".join([*op.operands, *(["*", *keywords] if keywords else [])])


def card_lines(name: str, op: Op) -> list[str]:
    """A card: what it computes, its derivative, its NumPy and an example that is run here."""
    lines = [plain(op.doc), ""] if op.doc else []
    if op.formula:
        lines += [f"- Formula: `{op.formula}`"]
    lines += [
        f"- Derivative: {derivative_text(op)}",
        f"- NumPy: {numpy_text(op)}; {op.cost:g} ns per element",
        "",
    ]
    return [*lines, *example(name, op)]


def example(name: str, op: Op) -> list[str]:
    """A call of a card, with what it returns now; for the first dtypes that it takes."""
    last = name.rpartition(".")[2]
    for first, others in (
        ("float32", "float32"),
        ("bool", "bool"),
        ("int64", "int64"),
        ("bool", "float32"),
        ("int64", "float32"),
    ):
        dtypes = [first, *[others] * (len(op.operands) - 1)]
        operands = [gx.input(n, ("n",), dtype) for n, dtype in zip(op.operands, dtypes, strict=True)]
        values = [_values(op, i, dtype) for i, dtype in enumerate(dtypes)]
        try:
            result = gx.compile(op(*operands))(*values)
        except gx.GraphcError:
            continue
        return ["```pycon", *_written(last, operands, values), *repr(result).splitlines(), "```", ""]
    return []


def _values(op: Op, operand: int, dtype: str) -> list[Any]:
    """Three values from the domain of a card."""
    if dtype != "float32":
        return (
            [[True, False, True], [True, True, False], [False, True, True]][operand]
            if dtype == "bool"
            else [3, 1, 2]
        )
    low, high = op.domain[operand] if op.domain else (-1.0, 1.0)
    shares = ((0.0, 0.5, 1.0), (0.75, 0.25, 0.5), (0.5, 1.0, 0.25))[operand]
    return [round(low + share * (high - low), 2) for share in shares]


def _written(name: str, operands: list[Any], values: list[list[Any]]) -> list[str]:
    made = []
    for node in operands:
        dtype = "" if node.dtype == "float32" else f', dtype="{node.dtype}"'
        made.append(f'>>> {node.name} = gx.input("{node.name}", ("n",){dtype})')
    call = f">>> gx.compile(gx.{name}({', '.join(n.name for n in operands)}))({', '.join(map(str, values))})"
    return [*made, call]
