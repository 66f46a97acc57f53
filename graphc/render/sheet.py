"""Equations below each other as one picture: what a slide or a page without MathML takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from graphc.errors import MissingDependency
from graphc.render import style
from graphc.render.engines import INSTALL
from graphc.render.equations import Equation
from graphc.render.maths import Math, equals, row
from graphc.render.place import defined, drawn
from graphc.render.plain import plain_text
from graphc.render.svg import with_dark
from graphc.render.typeset import Setting, available, lines_of

WIDTH, MARGIN, LEADING, NUMBER = 480.0, 12.0, 8.0, 40.0
"""Points: of a line, around the sheet, between equations, and for their numbers."""


@dataclass(frozen=True)
class _Line:
    base: float
    setting: Setting
    number: str


def sheet_of(title: str, equations: Iterable[Equation]) -> str:
    """The SVG of numbered equations.

    Raises:
        MissingDependency: ziamath is not installed.
    """
    if not available():
        raise MissingDependency(
            "nothing here can set a formula", given="ziamath is not installed", fix=INSTALL
        )
    lines = list(_placed(equations))
    wide = max((line.setting.width for line in lines), default=0.0) + NUMBER + 2 * MARGIN
    tall = max((line.base + line.setting.descent for line in lines), default=0.0) + MARGIN
    body = "\n".join(_shown(line, wide) for line in lines)
    size = f'width="{wide:.0f}pt" height="{tall:.0f}pt" viewBox="0 0 {wide:.0f} {tall:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(title)}" {size}>\n'
    paper = f'<rect width="100%" height="100%" fill="{style.PAPER}"/>'
    inside = f'{defined(line.setting for line in lines)}<g class="graph">{paper}\n{body}\n</g>'
    return with_dark(f"{head}{inside}\n</svg>\n")


def _placed(equations: Iterable[Equation]) -> Iterator[_Line]:
    """Each line with its baseline; the number stands beside the last of an equation."""
    below = MARGIN
    for equation in equations:
        whole = _whole(equation)
        lines = lines_of(whole, WIDTH) or (_as_text(plain_text(whole)),)
        for i, setting in enumerate(lines):
            below += setting.ascent
            yield _Line(below, setting, f"({equation.number})" if i == len(lines) - 1 else "")
            below += setting.descent + (2 if i < len(lines) - 1 else LEADING)


def _as_text(text: str) -> Setting:
    """What cannot be set, in the letters of the page."""
    return Setting(7.0 * len(text), 11.0, 3.0, (), (), text)


def _whole(equation: Equation) -> Math:
    formula = equals(equation.left, equation.right)
    return formula if equation.lead is None else row([equation.lead, Math("quad"), formula], 0)


def _shown(line: _Line, wide: float) -> str:
    setting, base = line.setting, line.base
    if setting.glyphs:
        formula = drawn(setting, MARGIN, base, style.INK)
    else:
        formula = _text(setting.text, MARGIN, base, f'font-size="12" fill="{style.INK.lower()}"')
    look = f'font-size="10" text-anchor="end" fill="{style.GREY.lower()}"'
    return formula + (_text(line.number, wide - MARGIN, base, look) if line.number else "")


def _text(text: str, x: float, y: float, look: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-family="{style.FONT}" {look}>{escape(text)}</text>'
