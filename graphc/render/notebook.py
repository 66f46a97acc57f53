"""What a notebook shows of a node, a graph and a program: equations, the picture, the listing.

Nothing here raises, and nothing takes long: a graph that is too large for a picture is shown as text. The methods
that call these functions are bound by the table in the package's ``__init__``; the classes know nothing of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from html import escape
from typing import Any, TypeVar

from graphc.ir.graph import Graph, graph_of
from graphc.ir.node import Node, engine
from graphc.ir.text import graph_text
from graphc.ops.leaves import input as make_input
from graphc.planning.order import is_gradient
from graphc.render.drawing import draw
from graphc.render.equations import Equation, system_of
from graphc.render.highlight import html_listing
from graphc.render.latex import latex
from graphc.render.mathml import mathml
from graphc.render.maths import Math
from graphc.render.parts import parts_of

MAX_NODES, MAX_PICTURE, MAX_EQUATIONS = 400, 60, 24
"""Graphs of more nodes have no equations here, figures of more boxes no picture; the last equations are shown."""

T = TypeVar("T")


def quietly(show: Callable[[Any], T]) -> Callable[[Any], T | None]:
    """A notebook falls back on plain text where there is nothing to show; an error would hide even that."""

    @wraps(show)
    def shown(what: Any) -> T | None:
        try:
            return show(what)
        except Exception:  # noqa: BLE001
            return None

    return shown


@dataclass(frozen=True)
class Line:
    """An equation as it is shown: a left side (None where the value has no name), and what it is."""

    left: Math | None
    right: Math


# -- nodes --------------------------------------------------------------------------------------------------------


@quietly
def node_html(node: Node) -> str:
    """Name, type, the line that declared it, and the equations that lead to it."""
    name = f"<b>{escape(node.about.name)}</b> " if node.about.name else ""
    origin = f" · {escape(str(node.about.origin))}" if node.about.origin else ""
    head = f"{name}<code>{escape(str(node.type))}</code> <small>{escape(node.op.name)}{origin}</small>"
    return f'<div style="text-align:left">{head}{_mathml(_lines(graph_of(node), node))}</div>'


@quietly
def node_latex(node: Node) -> str | None:
    """The equations that lead to it."""
    return _latex(_lines(graph_of(node), node))


@quietly
def node_svg(node: Node) -> str | None:
    """The picture of what leads to it, where that is small."""
    return _picture(graph_of(node))


# -- graphs and programs ------------------------------------------------------------------------------------------


@quietly
def graph_html(graph: Graph) -> str:
    """The picture, and the text under it."""
    text = html_listing(graph_text(graph), "text")
    return f"{framed(_picture(graph))}{folded(f'{graph.name}: {len(graph.nodes)} nodes, as text', text)}"


@quietly
def graph_latex(graph: Graph) -> str | None:
    """Its equations."""
    return _latex(_lines(graph, graph.outputs[0]))


@quietly
def graph_svg(graph: Graph) -> str | None:
    """Its picture, where that is small."""
    return _picture(graph)


@quietly
def program_html(program: Any) -> str:
    """The listing that runs, and the picture under it."""
    head = f'<div style="text-align:left"><code>{escape(repr(program))}</code></div>'
    picture = _picture(program)
    below = folded("what it computes", framed(picture)) if picture else ""
    return head + html_listing(program.source) + below


@quietly
def program_latex(program: Any) -> str | None:
    """The equations that it computes."""
    return graph_latex(program.graph)


@quietly
def program_svg(program: Any) -> str | None:
    """The picture of what it computes, where that is small."""
    return _picture(program)


# -- how ----------------------------------------------------------------------------------------------------------


def _picture(what: Any) -> str | None:
    graph = what if isinstance(what, Graph) else what.graph
    if len(graph.nodes) > MAX_NODES:
        return None
    drawing = draw(what, legend=False)
    return drawing.svg if len(drawing.figure.boxes) <= MAX_PICTURE else None


def _lines(graph: Graph, target: Node) -> list[Line]:
    """The equations up to the outputs; the value of ``target`` has its own name or none."""
    if len(graph.nodes) > MAX_NODES:
        return []
    loss = parts_of(graph).loss
    if loss is None:  # of a gradient alone, the loss is no part of the graph; it is called L then
        loss = make_input("L", ()) if is_gradient(target) else target
    with engine():
        found = system_of(graph, loss, ()).equations
    return [Line(_left(e, target), e.right) for e in found[-MAX_EQUATIONS:]]


def _left(equation: Equation, target: Node) -> Math | None:
    unnamed = equation.node is target and target.about.name is None
    return None if unnamed else equation.left


def _latex(lines: list[Line]) -> str | None:
    if not lines:
        return None
    rows = [f"{latex(x.left)} &= {latex(x.right)}" if x.left else f"& {latex(x.right)}" for x in lines]
    return "$$\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}$$"


def _mathml(lines: list[Line]) -> str:
    cell = '<td style="text-align:{};padding:.15em .3em;border:none;background:none">{}</td>'
    rows = "".join(
        f"<tr>{cell.format('right', mathml(x.left) if x.left else '')}"
        f"{cell.format('center', '=' if x.left else '')}{cell.format('left', mathml(x.right))}</tr>"
        for x in lines
    )
    return f'<table style="border:none;margin:.3em 0">{rows}</table>' if rows else ""


def framed(svg: str | None) -> str:
    """A picture on white that never is wider than the page."""
    if svg is None:
        return ""
    start = svg.index("<svg")  # the declaration of XML before it has no place within a page
    return f'<div style="background:white;overflow-x:auto;max-width:100%">{svg[start:]}</div>'


def folded(title: str, inside: str) -> str:
    """What is shown when its title is clicked."""
    return f"<details><summary>{escape(title)}</summary>{inside}</details>"
