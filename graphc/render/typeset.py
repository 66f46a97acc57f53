"""Formulas as outlines: set by ziamath in STIX Two, so that a picture needs no font and no network.

A formula becomes glyphs and rules at places; the outline of a glyph is kept once, whatever uses it. Without ziamath,
or where a character has no glyph, the answer is None and the figure shows the formula as Unicode text.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree as ET

from graphc.render.figure import Figure
from graphc.render.mathml import mathml
from graphc.render.maths import Math

SIZE = 13.0
"""Points: beside Helvetica of 12 points, letters of STIX Two are as high."""

UNIT = 12.0
"""Points for which ziamath writes outlines."""

MISSING = "_0"
"""The end of the name of the glyph that a font shows for what it does not have."""

_SUM = re.compile(r'<munder><mo movablelimits="false">∑</mo>(<.*?>)</munder>')
SMALL_SUM = '<mo largeop="false" movablelimits="false" lspace="0" rspace="0">∑</mo>'
GAP = '<mspace width="0.2em"/>'
_WORD = re.compile(r'<mi mathvariant="normal">([^<]{2,})</mi>')
_SPACED = re.compile(r"<mo>([⊙⊗·←×])</mo>")
_NUMBER = re.compile(r"-?\d+\.\d+")
_GAP = re.compile(r"\s*([A-Za-z])\s*|\s+(?=-)")


@dataclass(frozen=True)
class Glyph:
    """An outline at a place; ``scale`` is that to the size of the outline."""

    outline: str
    x: float
    y: float
    scale: float


@dataclass(frozen=True)
class Setting:
    """One line of a formula, from its baseline at 0, downwards.

    Attributes:
        width: in points, as everything here.
        ascent: above the baseline.
        descent: below it.
        glyphs: outlines and their places.
        rules: fraction bars and the like: left, top, width, height.
        text: the same as plain text, for those who listen.
    """

    width: float
    ascent: float
    descent: float
    glyphs: tuple[Glyph, ...]
    rules: tuple[tuple[float, float, float, float], ...]
    text: str = ""


@lru_cache(maxsize=1)
def _setter() -> Any:
    """What sets a formula; None where it is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of how it finds its own font
        try:
            from ziamath.zmath import Math as Setter
        except ImportError:
            return None
    return Setter


def available() -> bool:
    """Whether formulas can be set here."""
    return _setter() is not None


@lru_cache(maxsize=4096)
def typeset(formula: Math, size: float = SIZE) -> Setting | None:
    """A formula on one line; None where it cannot be set.

    Example:
        >>> from graphc.render.maths import named
        >>> found = typeset(named("W₁"))
        >>> found is None or len(found.glyphs)
        2
    """
    setter = _setter()
    if setter is None:
        return None
    from graphc.render.plain import plain_text

    try:
        # an element, not text: ziamath would read entities in text a second time
        node = setter(ET.fromstring(_inline(mathml(formula))), size=size).node
        drawn = ET.Element("g")
        node.draw(0.0, 0.0, drawn)
    except (ET.ParseError, KeyError, ValueError, IndexError, AttributeError, TypeError):
        return None
    box = node.bbox
    glyphs = tuple(_glyphs(drawn))
    if any(glyph is None for glyph in glyphs):
        return None
    found = tuple(g for g in glyphs if g is not None and g.outline)
    rules = tuple(_rules(drawn))
    return Setting(max(box.xmax, node.xadvance()), box.ymax, -box.ymin, found, rules, plain_text(formula))


def _inline(text: str) -> str:
    """Set as within a line: a sum with its axis beside it; and the gaps that browsers put around signs."""
    text = _SUM.sub(rf"<msub>{SMALL_SUM}\1</msub>{GAP}", text).replace("<mo>∑</mo>", SMALL_SUM + GAP)
    text = text.replace("<mi>∂</mi>", '<mo lspace="0" rspace="0">∂</mo>')
    text = _WORD.sub(r"<mtext>\1</mtext>", text)  # an identifier of several letters gets a gap at each side
    return _SPACED.sub(r'<mo lspace="0.22em" rspace="0.22em">\1</mo>', text)


def width_of(parts: Iterable[Math]) -> float:
    """About how wide these stand beside each other: each is measured once."""
    return sum(_width(part) for part in parts)


@lru_cache(maxsize=4096)
def _width(part: Math) -> float:
    alone = typeset(part)
    gap = 7.0 if part.kind == "op" and part.text not in "∂′″…" else 0.0
    return gap + (SIZE * len(part.text) / 2 if alone is None else alone.width)


def _glyphs(drawn: ET.Element) -> Iterator[Glyph | None]:
    """What is drawn, each outline at its place; None for a character that the font does not have."""
    symbols = {str(s.get("id")): s for s in drawn.iter("symbol")}
    for use in drawn.iter("use"):
        name = str(use.get("href")).removeprefix("#")
        yield None if name.endswith(MISSING) else _placed(use, symbols[name])


def _placed(use: Any, symbol: Any) -> Glyph:
    left, top, _, tall = (float(v) for v in symbol.get("viewBox").split())
    scale = float(use.get("height")) / tall
    x, y = float(use.get("x")) - left * scale, float(use.get("y")) - top * scale
    path = symbol.find("path")
    return Glyph("" if path is None else _short(path.get("d")), round(x, 2), round(y, 2), round(scale, 4))


@lru_cache(maxsize=1024)
def _short(outline: str) -> str:
    """An outline to a hundredth of a point, without blanks that nothing needs."""
    rounded = _NUMBER.sub(lambda n: f"{float(n[0]):.2f}".rstrip("0").rstrip("."), outline)
    return _GAP.sub(lambda gap: gap[1] or "", rounded).strip()


def _rules(drawn: Any) -> Iterator[tuple[float, float, float, float]]:
    for rect in drawn.iter("rect"):
        x, y, wide, tall = (round(float(rect.get(key)), 2) for key in ("x", "y", "width", "height"))
        yield x, y, wide, tall


# -- lines ----------------------------------------------------------------------------------------------------------

MAX_WIDTH = 235.0
"""Points after which a formula goes on on the next line."""

MAX_LINES = 6
WIDER = 1.4
"""A line without a sign at which it could end may be wider by this."""

INDENT = Math("quad")

_LEVEL = {"+": 0, "−": 0, "=": 0, "←": 0, "⊙": 1, "⊗": 1, "·": 1, "/": 1, "×": 1}


def lines_of(formula: Math, width: float = MAX_WIDTH) -> tuple[Setting, ...]:
    """A formula on as many lines as it needs, broken before signs; nothing where it cannot be set so.

    Example:
        >>> from graphc.render.maths import named, operator, row
        >>> long = row([x for i in range(40) for x in (operator("+"), named("W₁"))][1:], 10)
        >>> len(lines_of(long)) in (0, 5, 6)
        True
    """
    whole = typeset(formula)
    if whole is None:
        return ()
    if whole.width <= width:
        return (whole,)
    if not _can_break(formula):  # to look for the place would measure every bracket in every other
        return (whole,) if whole.width <= WIDER * width else ()
    found = [typeset(line) for line in broken(formula, width)]
    settings = tuple(line for line in found if line is not None)
    fits = len(settings) == len(found) <= MAX_LINES and all(s.width <= WIDER * width for s in settings)
    return settings if fits else ()


def _can_break(formula: Math) -> bool:
    """Whether there is a sign before which a line may end (iterative)."""
    stack = [formula]
    while stack:
        part = stack.pop()
        if part.kind == "fraction" or (part.kind == "op" and part.text in _LEVEL):
            return True
        stack.extend(_inside(part))
    return False


def broken(formula: Math, width: float = MAX_WIDTH) -> list[Math]:
    """The lines of a formula that is too wide: brackets that need not grow are opened, and quotients lie down."""
    rest = list(_opened(formula))
    lines: list[Math] = []
    while rest:
        at = _break(rest, width - (20.0 if lines else 0.0))
        line = [part for _, part in rest[:at]]
        lines.append(Math("row", "", ((INDENT, *line) if lines else tuple(line))))
        rest = rest[at:]
    return lines


def _opened(formula: Math) -> Iterator[tuple[int, Math]]:
    """The pieces of a formula from left to right, with how deep in brackets they stand (iterative)."""
    stack = [(0, formula)]
    while stack:
        depth, part = stack.pop()
        inside = _inside(part)
        if not inside or width_of([part]) <= MAX_WIDTH / 4:
            yield depth, part
        else:
            deeper = depth + (part.kind != "row")
            stack.extend((deeper, p) for p in reversed(inside))


def _inside(part: Math) -> Sequence[Math]:
    if part.kind == "row":
        return part.parts
    if part.kind == "fence":
        return Math("bracket", part.text[0]), part.parts[0], Math("bracket", part.text[1])
    if part.kind == "fraction":
        above, below = (p.at_least(20) for p in part.parts)
        return above, Math("op", "/"), below
    return ()


def _break(pieces: Sequence[tuple[int, Math]], room: float) -> int:
    """How many pieces stand on this line: up to the least nested sign that lets the line be more than half full."""
    used, best, rank = 0.0, 0, (99, 99)
    for i, (depth, part) in enumerate(pieces):
        if i and part.kind == "op" and part.text in _LEVEL and used > room / 3:
            here = (depth, _LEVEL[part.text])
            if here <= rank:
                best, rank = i, here
        used += _width(part)
        if used > room:
            return best or _next_sign(pieces, i)
    return len(pieces)


def _next_sign(pieces: Sequence[tuple[int, Math]], at: int) -> int:
    later = (
        i for i in range(at + 1, len(pieces)) if pieces[i][1].kind == "op" and pieces[i][1].text in _LEVEL
    )
    return next(later, len(pieces))


MAX_SET = 400
"""Formulas of a figure of more boxes stay text: to set them would take longer than to lay the figure out."""


def settings_of(figure: Figure) -> dict[int, tuple[Setting, ...]]:
    """For each box whose formulas can be set, their lines; one box is set whole or not at all."""
    found: dict[int, tuple[Setting, ...]] = {}
    if not available() or len(figure.boxes) > MAX_SET:
        return found
    for box in figure.boxes:
        lines = [lines_of(formula) for formula in box.formulas]
        if lines and all(lines):
            found[box.key] = tuple(line for group in lines for line in group)
    return found
