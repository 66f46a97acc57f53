"""Formulas into the picture: Graphviz laid out a coloured cell for each, and here the outlines take its place."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from html import escape

from graphc.render.labels import Mark
from graphc.render.typeset import SIZE, UNIT, Glyph, Setting

_CELL = re.compile(r'<polygon fill="(#01[0-9a-f]{4})"[^>]*? points="([^"]*)"/>')
_USUAL = round(SIZE / UNIT, 4)


def placed(svg: str, marks: Sequence[Mark]) -> str:
    """The SVG with formulas for marks; each outline is in it once.

    The outlines are named by what they are, so that several pictures on one page do not disturb each other.
    """
    if not marks:
        return svg
    known = {mark.colour: mark for mark in marks}
    svg = _CELL.sub(lambda found: _formula(known[found[1]], found[2]), svg)
    definitions = defined(mark.setting for mark in marks)
    return re.sub(r"(<svg[^>]*>\n?)", lambda found: found[1] + definitions, svg, count=1)


def defined(settings: Iterable[Setting]) -> str:
    """The outlines that formulas use, each once."""
    outlines = dict.fromkeys(glyph.outline for setting in settings for glyph in setting.glyphs)
    paths = "".join(f'<path id="{name_of(outline)}" d="{outline}"/>' for outline in outlines)
    return f"<defs>{paths}</defs>\n"


@lru_cache(maxsize=2048)
def name_of(outline: str) -> str:
    """The id of an outline."""
    return "g" + hashlib.sha256(outline.encode()).hexdigest()[:7]


def _formula(mark: Mark, points: str) -> str:
    """A formula in its cell."""
    xs, ys = zip(*(map(float, point.split(",")) for point in points.split()), strict=True)
    setting = mark.setting
    left = min(xs) + (1 if mark.left else (max(xs) - min(xs) - setting.width) / 2)
    base = (min(ys) + max(ys)) / 2 + mark.base
    return drawn(setting, left, base, mark.ink)


def drawn(setting: Setting, left: float, base: float, ink: str) -> str:
    """A formula that begins at ``left`` on the baseline ``base``."""
    inner = "".join(map(_use, setting.glyphs)) + "".join(map(_rule, setting.rules))
    return (
        f'<g class="formula" role="img" aria-label="{escape(setting.text)}" fill="{ink.lower()}" '
        f'transform="translate({_brief(left)} {_brief(base)})scale({_USUAL:g})">{inner}</g>'
    )


def _use(glyph: Glyph) -> str:
    """Most glyphs are of the size of the whole formula, which its group is scaled to."""
    name, scale = name_of(glyph.outline), glyph.scale / _USUAL
    x, y = glyph.x / _USUAL, glyph.y / _USUAL
    if abs(scale - 1) < 1e-3:
        return f'<use href="#{name}" x="{_brief(x)}" y="{_brief(y)}"/>'
    return f'<use href="#{name}" transform="translate({_brief(x)} {_brief(y)})scale({scale:.4g})"/>'


def _brief(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _rule(rule: tuple[float, float, float, float]) -> str:
    x, y, wide, tall = (_brief(value / _USUAL) for value in rule)
    return f'<rect x="{x}" y="{y}" width="{wide}" height="{tall}"/>'
