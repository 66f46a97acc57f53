"""From a line of the listing back to the maths: the formula, the user's line, and what made it so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from graphc.codegen.numpy import Source
from graphc.errors import ArgumentError
from graphc.explanation.lines import Place, places
from graphc.explanation.steps import inside, sentences
from graphc.explanation.words import declared_at, title
from graphc.ir.graph import Graph
from graphc.ir.node import Node, toposort
from graphc.ir.types import shape_text
from graphc.runtime.program import Program

SHOWN = 8
"""Lines that are listed where a text stands in several."""


@dataclass(frozen=True)
class Blame:
    """Where a line comes from; ``print`` shows it.

    Attributes:
        line: its number in the listing, counted from 1.
        text: the line.
        node: what it computes.
        formula: the maths: name, expression and type.
        declared: the user's line, or that of the forward value whose gradient it is.
        reasons: the chain rule, accumulations and rewrites that made it.
        block: the loop or choice that the line stands in, or the empty text.
    """

    line: int
    text: str
    node: Node
    formula: str
    declared: str
    reasons: tuple[str, ...]
    block: str

    def __str__(self) -> str:
        lines = [f"line {self.line}: {self.text}", f"  {self.formula}"]
        lines += [f"  {reason}" for reason in self.reasons]
        lines += [f"  inside {self.block}"] if self.block else []
        lines += [f"  {self.declared}"] if self.declared else []
        return "\n".join(lines)

    __repr__ = __str__


def blame(program: Any, line: int | str) -> Blame:
    """The maths behind a line of a listing.

    Args:
        program: a program; for a model there is ``model.blame(line)``.
        line: its number, counted from 1, or a text that stands in no other line that computes something.

    Raises:
        ArgumentError: no such line, several with this text, or one that computes nothing.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", (3,))
        >>> program = gx.compile(gx.grad(gx.sum(gx.tanh(x)), x))
        >>> program.blame("d_x =").formula
        'd_x = 1.0 - square(tanh(x)): float32[3]'
    """
    if not isinstance(program, Program):
        raise ArgumentError(
            "blame takes a program", given=type(program).__name__, fix="or use model.blame(line)"
        )
    return blame_in(program.emitted, program.graph, line)


def blame_in(source: Source, graph: Graph, line: int | str) -> Blame:
    """The same for any listing; the graph gives names."""
    known = places(source)
    lines = source.text.split("\n")
    number = _number(line, lines, known)
    place = known[number]
    others = {n for p in known.values() for n in p.statement.nodes} - set(place.statement.nodes)
    parts = [n for node in place.statement.nodes for n in inside(node, others)]
    return Blame(
        number,
        lines[number - 1].strip(),
        place.statement.node,
        _formula(graph, place),
        next(filter(None, map(declared_at, parts)), ""),
        tuple(dict.fromkeys(text for n in parts for text in sentences(graph, n))),
        title(place.block.node, graph) if place.block else "",
    )


def _formula(graph: Graph, place: Place) -> str:
    operands = place.block.node.attrs["names"] if place.block else ()
    nodes = place.statement.nodes
    texts = [f"{title(n, graph, operands)}: {n.dtype}{shape_text(n.shape)}" for n in nodes]
    return "\n  ".join(texts)


def _number(line: int | str, lines: list[str], known: dict[int, Place]) -> int:
    if isinstance(line, str):
        return _found(line, lines, known)
    if isinstance(line, bool) or not isinstance(line, int) or not 1 <= line <= len(lines):
        raise ArgumentError(
            "blame takes the number of a line, or a text in it",
            given=repr(line)[:80],
            expected=f"1 to {len(lines)}",
        )
    if line not in known:
        raise ArgumentError(
            f"line {line} computes nothing",
            given=repr(lines[line - 1].strip()),
            fix=f"the next line that does is {next((n for n in sorted(known) if n > line), max(known, default=1))}",
        )
    return line


def _found(text: str, lines: list[str], known: dict[int, Place]) -> int:
    here = [n for n in sorted(known) if text in lines[n - 1]]
    if len(here) == 1:
        return here[0]
    if not here:
        raise ArgumentError("no line that computes something has this text", given=repr(text)[:80])
    shown = "; ".join(f"{n}: {lines[n - 1].strip()}" for n in here[:SHOWN])
    raise ArgumentError(
        f"{len(here)} lines have this text",
        given=repr(text)[:80],
        expected=f"one of {shown}",
        fix="give its number",
    )


# -- every line has an origin ------------------------------------------------------------------------------------------


def without_line(source: Source, nodes: Iterable[Node]) -> list[Node]:
    """Those of some nodes that stand in no line of a listing: neither computed by one nor inside one."""
    known = places(source)
    roots = [n for p in known.values() for n in p.statement.nodes]
    shown = set(toposort(roots))
    return [n for n in nodes if n not in shown and n.op.kind != "leaf"]
