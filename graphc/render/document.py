"""A document of formulas: blocks, written as Markdown, as LaTeX, and as one HTML page that fetches nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from graphc.render.latex import escaped, latex
from graphc.render.mathml import mathml
from graphc.render.maths import Math, row


@dataclass(frozen=True)
class Ref:
    """A reference to an equation."""

    number: int


@dataclass(frozen=True)
class Code:
    """A word of the program's own: a parameter, a rule."""

    text: str


Piece = str | Math | Ref | Code
Pieces = tuple[Piece, ...]


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the title."""

    level: int
    text: Pieces


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: Pieces


@dataclass(frozen=True)
class Display:
    """A numbered equation on a line of its own, with notes below it."""

    number: int
    formula: Math
    shape: str
    notes: tuple[Pieces, ...]


@dataclass(frozen=True)
class Table:
    """A table; each cell is running text."""

    header: tuple[str, ...]
    rows: tuple[tuple[Pieces, ...], ...]


Block = Heading | Paragraph | Display | Table

MAX_WIDTH = 45
"""After about so many characters a sum goes on on the next line."""

# -- Markdown -----------------------------------------------------------------------------------------------------


def markdown_of(blocks: Sequence[Block]) -> str:
    """The document as Markdown, with formulas between dollar signs."""
    return "\n\n".join(_markdown(block) for block in blocks) + "\n"


def _markdown(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {_md(text)}"
        case Paragraph(text):
            return _md(text)
        case Table(header, rows):
            lines = [
                header,
                ("---",) * len(header),
                *([re.sub(r"(?<!\\)\|", r"\|", _md(c)) for c in r] for r in rows),
            ]
            return "\n".join(f"| {' | '.join(line)} |" for line in lines)
    formula = f"$$\n{broken(block.formula)} \\tag{{{block.number}}}\n$$"
    shape = [f"- shape {_plain_md(block.shape)}"] if block.shape else []
    return "\n".join([formula, "", *shape, *(f"- {_md(n)}" for n in block.notes)]).rstrip()


def _md(text: Pieces) -> str:
    return "".join(map(_md_piece, text))


def _md_piece(piece: Piece) -> str:
    match piece:
        case Math():
            return f"${latex(piece)}$"
        case Ref(number):
            return f"({number})"
        case Code(text):
            ticks = "`" * (1 + max((len(m) for m in re.findall("`+", text)), default=0))
            pad = " " if "`" in text else ""
            return f"{ticks}{pad}{text}{pad}{ticks}"
    return _plain_md(piece)


def _plain_md(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]#$~|])", r"\\\1", escape(text, quote=False))


# -- LaTeX --------------------------------------------------------------------------------------------------------

_PREAMBLE = r"""\documentclass[11pt]{article}
\usepackage{iftex}
\ifPDFTeX\usepackage[utf8]{inputenc}\usepackage[T1]{fontenc}\fi % other scripts: xelatex or lualatex
\usepackage{amsmath,amssymb,textcomp,longtable}
\usepackage[margin=2.4cm]{geometry}
\setlength{\parindent}{0pt}\setlength{\parskip}{4pt}
\begin{document}
"""


def latex_of(blocks: Sequence[Block]) -> str:
    """The document as a LaTeX file."""
    return _PREAMBLE + "\n".join(_latex(block) for block in blocks) + "\n\\end{document}\n"


def _latex(block: Block) -> str:
    match block:
        case Heading(level, text):
            command = ("section", "subsection", "paragraph")[min(level, 3) - 1]
            return f"\\{command}*{{{_tex(text)}}}"
        case Paragraph(text):
            return f"{_tex(text)}\n"
        case Table(header, rows):
            return _latex_table(header, rows)
    shape = [escaped(f"shape {block.shape}")] if block.shape else []
    notes = "; ".join([*shape, *map(_tex, block.notes)])
    return f"\\begin{{equation}}\\label{{eq:{block.number}}}\n{broken(block.formula)}\n\\end{{equation}}" + (
        f"\n{{\\footnotesize {notes}.\\par}}" if notes else ""
    )


def _latex_table(header: Sequence[str], rows: Sequence[Sequence[Pieces]]) -> str:
    """Columns of equal width, so that long cells are broken."""
    width = rf"p{{{0.86 / len(header):.3f}\textwidth}}"
    lines = [" & ".join(map(escaped, header)) + r" \\ \hline"]
    lines += [" & ".join(map(_tex, cells)) + r" \\" for cells in rows]
    body = "\n".join(lines)
    return (
        "{\\small\\renewcommand{\\arraystretch}{1.25}\\raggedright\n"
        f"\\begin{{longtable}}{{@{{}}*{{{len(header)}}}{{{width}}}@{{}}}}\n{body}\n\\end{{longtable}}}}\n"
    )


def _tex(text: Pieces) -> str:
    return "".join(map(_tex_piece, text))


def _tex_piece(piece: Piece) -> str:
    match piece:
        case Math():
            return f"${latex(piece)}$"
        case Ref(number):
            return f"\\eqref{{eq:{number}}}"
        case Code(text):
            return rf"\texttt{{{escaped(text).replace('-', '-' + chr(92) + 'allowbreak{}')}}}"
    return escaped(piece)


def broken(formula: Math) -> str:
    """The LaTeX of an equation; a long sum is broken before its signs."""
    lines = _lines(formula)
    if len(lines) == 1:
        return latex(formula)
    written = [latex(line) for line in lines]
    rest = [rf"&\quad {line}" for line in written[1:]]
    return "\\begin{split}\n" + " \\\\\n".join([f"&{written[0]}", *rest]) + "\n\\end{split}"


def _lines(formula: Math) -> list[Math]:
    """The parts of a row, on as many lines as it takes."""
    lines: list[list[Math]] = [[]]
    for part in formula.parts if formula.kind == "row" else (formula,):
        if part.kind == "op" and part.text in "+−" and sum(map(width, lines[-1])) > MAX_WIDTH:
            lines.append([])
        lines[-1].append(part)
    return [row(line) for line in lines]


def width(formula: Math) -> int:
    """About how many characters wide a formula is set."""
    widths = [width(p) for p in formula.parts]
    if formula.kind == "fraction":
        return max(widths)
    return sum(widths) + len(formula.text)


# -- HTML ---------------------------------------------------------------------------------------------------------

STYLE = """
.derivation { font: 16px/1.5 "STIX Two Text", Georgia, serif; color: #1D2939; background: white; max-width: 52rem;
  margin: 2rem auto; padding: 0 1rem; }
.derivation math { font-size: 1.08em; }
.derivation h1 { font-size: 1.6rem; } .derivation h2 { font-size: 1.2rem; margin-top: 2rem; }
.derivation h3 { font-size: .9rem; color: #5B6472; font-weight: normal; margin: 1.2rem 0 0; }
.derivation .eq { display: grid; grid-template-columns: 1fr auto 3rem; align-items: center; gap: .2rem .8rem;
  margin: .7rem 0; padding: .15rem .5rem; border-radius: 8px; scroll-margin-top: 1rem; }
.derivation .eq:target { background: #FFF5CC; }
.derivation .eq .formula { overflow-x: auto; overflow-y: hidden; padding: .2rem 0; }
.derivation .eq math { text-align: left; display: inline math; math-style: normal; }
.derivation .shape, .derivation .notes { color: #5B6472; font: 12.5px/1.45 Helvetica, Arial, sans-serif; }
.derivation .number { text-align: right; }
.derivation .notes { grid-column: 1 / 4; margin: 0; padding-left: 1.4rem; }
.derivation .notes li { overflow-x: auto; overflow-y: hidden; list-style-position: inside; }
.derivation a { color: #0064A4; text-decoration: none; }
.derivation table { border-collapse: collapse; margin: .6rem 0; }
.derivation th, .derivation td { text-align: left; padding: .2rem .9rem .2rem 0; border-bottom: 1px solid #E4E7EC;
  vertical-align: baseline; }
.derivation th { color: #5B6472; font: 12.5px Helvetica, Arial, sans-serif; }
.derivation td math { math-style: normal; }
.derivation code { font: 13px ui-monospace, Menlo, monospace; }
"""


def html_of(blocks: Sequence[Block]) -> str:
    """The document as a part of a page, with its style."""
    return f"<style>{STYLE}</style>\n{body_of(blocks)}"


def body_of(blocks: Sequence[Block]) -> str:
    """The document without its style."""
    body = "\n".join(map(_html, blocks))
    return f'<div class="derivation">\n{body}\n</div>\n'


def page_of(blocks: Sequence[Block], title: str) -> str:
    """The document as a page of its own."""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f"</head>\n<body>\n{html_of(blocks)}</body>\n</html>\n"
    )


def _html(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"<h{level}>{_ht(text)}</h{level}>"
        case Paragraph(text):
            return f"<p>{_ht(text)}</p>"
        case Table(header, rows):
            return f"<table>{''.join(_table_rows(header, rows))}</table>"
    items = "".join(f"<li>{_ht(n)}</li>" for n in block.notes)
    notes = f'<ul class="notes">{items}</ul>' if items else ""
    return (
        f'<div class="eq" id="eq{block.number}"><div class="formula">{mathml(block.formula, display=True)}</div>'
        f'<div class="shape">{escape(block.shape)}</div><div class="number">({block.number})</div>'
        f"{notes}</div>"
    )


def _table_rows(header: Sequence[str], rows: Sequence[Sequence[Pieces]]) -> Iterator[str]:
    for tag, cells in (("th", list(map(escape, header))), *(("td", list(map(_ht, r))) for r in rows)):
        yield f"<tr>{''.join(f'<{tag}>{cell}</{tag}>' for cell in cells)}</tr>"


def _ht(text: Pieces) -> str:
    return "".join(map(_ht_piece, text))


def _ht_piece(piece: Piece) -> str:
    match piece:
        case Math():
            return mathml(piece)
        case Ref(number):
            return f'<a href="#eq{number}">({number})</a>'
        case Code(text):
            return f"<code>{escape(text)}</code>"
    return escape(piece)
