"""Formulas as MathML, which browsers set by themselves: no script, no request, and every text escaped."""

from __future__ import annotations

from html import escape

from graphc.render.maths import Math


def mathml(formula: Math, display: bool = False) -> str:
    """The MathML of a formula.

    Example:
        >>> from graphc.render.maths import named
        >>> mathml(named("W₁"))
        '<math><msub><mi>W</mi><mn>1</mn></msub></math>'
    """
    style = ' display="block"' if display else ""
    return f"<math{style}>{_written(formula)}</math>"


def _written(formula: Math) -> str:
    return _WRITERS[formula.kind](formula)


def _row(formula: Math) -> str:
    """A row; brackets that do not grow stand in it as they are, not in a row of their own."""
    return f"<mrow>{_line(formula)}</mrow>"


def _line(formula: Math) -> str:
    return "".join(_brackets(part) if part.kind == "fence" else _written(part) for part in formula.parts)


def _upright(formula: Math) -> str:
    """A word; what a loop adds up for x, δx, is a sign and a letter."""
    if len(formula.text) == 2 and formula.text[0] == "δ" and formula.text[1].isalpha():
        return f"<mrow><mi>δ</mi><mi>{escape(formula.text[1])}</mi></mrow>"
    return f'<mi mathvariant="normal">{escape(formula.text)}</mi>'


def _letter(formula: Math) -> str:
    from graphc.render.notation import greek

    text = formula.text if len(formula.text) == 1 else greek(formula.text) or formula.text
    return f"<mi>{escape(text)}</mi>"


def _big(formula: Math) -> str:
    sign = '<mo movablelimits="false">∑</mo>'
    return f"<munder>{sign}{_written(formula.parts[0])}</munder>" if formula.parts else "<mo>∑</mo>"


_TALL = ("fraction", "cases", "big", "root")


def _fence(formula: Math) -> str:
    """Brackets, which grow where what they hold is tall."""
    return f"<mrow>{_brackets(formula)}</mrow>"


def _brackets(formula: Math) -> str:
    inside = formula.parts[0]
    tall = any(p.kind in _TALL for p in (inside, *inside.parts))
    look = 'lspace="0" rspace="0"' + ("" if tall else ' stretchy="false"')
    left, right = (f"<mo {look}>{escape(c)}</mo>" for c in formula.text)
    within = _written(inside) if tall or inside.kind != "row" else _line(inside)
    return f"<mrow>{left}{within}{right}</mrow>" if tall else f"{left}{within}{right}"


def _cases(formula: Math) -> str:
    cells = [f"<mtd>{_written(p)}</mtd>" for p in formula.parts]
    rows = "".join(f"<mtr>{a}{b}</mtr>" for a, b in zip(cells[::2], cells[1::2], strict=True))
    return f'<mrow><mo>{{</mo><mtable columnalign="left">{rows}</mtable></mrow>'


def _two(tag: str, formula: Math) -> str:
    first, second = map(_written, formula.parts)
    return f"<{tag}>{first}{second}</{tag}>"


def _index(formula: Math) -> str:
    """An index; a part of an array, in brackets, stands on the line."""
    base, below = formula.parts
    if below.kind != "fence" or below.text != "[]":
        return _two("msub", formula)
    bare = base.parts[0] if base.kind == "fence" and base.parts[0].kind == "index" else base
    return f"<mrow>{_written(bare)}{_brackets(below)}</mrow>"


def _power(formula: Math) -> str:
    """An index and a power stand above each other."""
    base, exponent = formula.parts
    if base.kind != "index":
        return _two("msup", formula)
    parts = (*base.parts, exponent)
    return f"<msubsup>{''.join(map(_written, parts))}</msubsup>"


def _accent(formula: Math) -> str:
    """The mark stands alone in MathML: a combining one has nothing to combine with."""
    mark = {"\u0302": "^", "\u0304": "¯", "\u0303": "~"}[formula.text]
    return f'<mover accent="true">{_written(formula.parts[0])}<mo stretchy="false">{mark}</mo></mover>'


def _operator(formula: Math) -> str:
    if formula.text == "∂":
        return "<mi>∂</mi>"
    form = ' form="prefix"' if formula.kind == "prefix" else ""
    return f"<mo{form}>{escape(formula.text)}</mo>"


_WRITERS = {
    "row": _row,
    "name": _letter,
    "upright": _upright,
    "word": lambda m: f'<mi mathvariant="normal">{escape(m.text)}</mi>',
    "number": lambda m: f"<mn>{escape(m.text)}</mn>",
    "op": _operator,
    "prefix": _operator,
    "comma": lambda m: '<mo separator="true">,</mo>',
    "space": lambda m: '<mspace width="0.17em"></mspace>',
    "quad": lambda m: '<mspace width="1em"></mspace>',
    "big": _big,
    "fence": _fence,
    "power": _power,
    "index": _index,
    "fraction": lambda m: _two("mfrac", m),
    "bracket": lambda m: f'<mo lspace="0" rspace="0" stretchy="false">{escape(m.text)}</mo>',
    "text": lambda m: f"<mtext>{escape(m.text)}</mtext>",
    "accent": _accent,
    "root": lambda m: f"<msqrt>{_written(m.parts[0])}</msqrt>",
    "cases": _cases,
}
