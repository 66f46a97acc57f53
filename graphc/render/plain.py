"""Formulas as one line of Unicode, for what is no page: a box of a figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from graphc.render.maths import Math
from graphc.render.notation import SUBSCRIPTS, SUPERSCRIPTS

_BELOW: dict[int, str | int] = {
    **SUBSCRIPTS,
    ord("+"): "₊",
    ord("−"): "₋",
    ord("-"): "₋",
    ord("t"): "ₜ",
    ord("n"): "ₙ",
    ord(" "): "",
    ord(","): ",",
}
_TIGHT = frozenset("([{⌊⌈|‖")


def plain_text(formula: Math) -> str:
    """The formula on one line.

    Example:
        >>> from graphc.render.maths import equals, named, partial
        >>> plain_text(equals(partial(named("L"), named("W₁")), named("x")))
        '∂W₁ = x'
    """
    return _WRITERS[formula.kind](formula)


def _row(formula: Math) -> str:
    text, previous = "", ""
    for part in formula.parts:
        new = plain_text(part)
        tight = not text or text[-1:] in _TIGHT or part.kind == "comma" or text.endswith(" ")
        sign = (part.kind == "op" and part.text in "′″") or (
            part.kind == "fence" and previous in ("word", "σ")
        )
        after = text.endswith("∂") or text == "−"
        text += new if tight or sign or after else f" {new}"
        previous = part.text if part.text == "σ" else part.kind
    return text


def _index(formula: Math) -> str:
    base, below = (plain_text(part) for part in formula.parts)
    if below.startswith("["):
        inner = formula.parts[0]
        return (
            plain_text(inner.parts[0]) if inner.kind == "fence" and len(inner.parts[0].parts) < 3 else base
        ) + below
    if all(c.isdigit() or ord(c) in _BELOW for c in below):
        return base + below.translate(_BELOW)
    return f"{base}[{below}]"


def _power(formula: Math) -> str:
    base, exponent = formula.parts
    raised = plain_text(exponent)
    if base.text == "e":
        return f"exp({raised})"
    text = plain_text(base)
    held = text if base.kind not in ("row", "fraction") else f"({text})"
    if raised in "′″" or all(ord(c) in SUPERSCRIPTS or ord(c) in SUPERSCRIPTS.values() for c in raised):
        return held + raised.translate(SUPERSCRIPTS)
    return f"{held}^({raised})" if exponent.kind == "row" else f"{held}^{raised}"


def _fraction(formula: Math) -> str:
    """A quotient; the derivative of the loss by x is ∂x, as everywhere in a figure."""
    above, below = formula.parts
    top, bottom = plain_text(above), plain_text(below)
    if top.startswith("∂") and bottom.startswith("∂"):
        return bottom
    return " / ".join(f"({t})" if p.kind == "row" else t for t, p in ((top, above), (bottom, below)))


def _cases(formula: Math) -> str:
    cells = [plain_text(part) for part in formula.parts]
    return "; ".join(f"{a} {b}" for a, b in zip(cells[::2], cells[1::2], strict=True))


def _text(formula: Math) -> str:
    return formula.text


_WRITERS: Mapping[str, Callable[[Math], str]] = {
    "row": _row,
    "name": _text,
    "upright": _text,
    "word": _text,
    "number": _text,
    "op": _text,
    "prefix": _text,
    "bracket": _text,
    "text": _text,
    "comma": lambda m: ",",
    "space": lambda m: "",
    "quad": lambda m: "  ",
    "big": lambda m: "Σ",
    "fence": lambda m: m.text[0] + plain_text(m.parts[0]) + m.text[1],
    "power": _power,
    "accent": lambda m: plain_text(m.parts[0]) + m.text,
    "index": _index,
    "fraction": _fraction,
    "root": lambda m: f"√({plain_text(m.parts[0])})",
    "cases": _cases,
}
