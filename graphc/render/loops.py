"""A loop in a figure: its results are one box, in which each step is written out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from textwrap import wrap

from graphc.ir.node import Node, result_groups, toposort
from graphc.render.boxes import Boxes
from graphc.render.describe import MAX_LINE, wrapped
from graphc.render.document import Code, Pieces, Ref
from graphc.render.maths import Math, named
from graphc.render.parts import FORWARD, Parts
from graphc.render.plain import plain_text
from graphc.render.recurrence import recurrence, written_out
from graphc.render.terms import expanded

MAX_LINES = 16
"""A longer body is cut in the middle."""

MAX_BRANCH = 24
"""A branch of more operations is not written out."""

NO_BREAK = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Loop:
    """The results of one loop.

    Attributes:
        members: those that have boxes, in their order.
        shown: the forward result in whose box the steps stand, or None for the loop of a gradient.
        hidden: what the steps save for gradients: it needs no box beside the loop that saves it.
    """

    members: tuple[Node, ...]
    shown: Node | None
    hidden: tuple[Node, ...] = ()


def loops_of(boxes: Boxes, parts: Parts, outputs: Iterable[Node]) -> list[Loop]:
    """The loops among the boxes of a figure, in order."""
    nodes = [n for n in boxes.formulas if "loop" in n.op.properties]
    kept = set(outputs)
    found: list[Loop] = []
    for group in dict.fromkeys(result_groups(nodes).values()):
        shown = next((n for n in group if parts.phase[n] == FORWARD), None)
        saved = [n for n in group if parts.phase[n] != FORWARD and n not in kept and shown is not None]
        found.append(Loop(tuple(group), shown, tuple(saved)))
    return found


def kept_lines(loop: Loop, boxes: Boxes) -> list[str]:
    """What the steps save for the gradients, and what that is where its name does not say so."""
    kept = []
    for node in loop.hidden:
        title, text = boxes.titles[node], result_text(node, boxes)
        kept.append(title if text == f"{title}ₜ" else f"{title} = {text}")
    spaced = ", ".join(item.replace(" ", NO_BREAK) for item in kept)
    lines = wrap(f"keeps {spaced}", MAX_LINE, subsequent_indent="    ") if kept else []
    return [line.replace(NO_BREAK, " ") for line in lines]


def loop_lines(node: Node, boxes: Boxes) -> tuple[str, ...]:
    """``for t = 1, …, time``, what it begins with, and the equations of a step."""
    head, *steps, _ = _sentences(node, boxes)
    over, *starts = [piece for piece in head if isinstance(piece, Math)]
    begin = [f"from {_starts(starts)}"] if starts else []
    lines = [f"for {plain_text(over)}", *begin, *(_text(step) for step in steps)]
    if len(lines) > MAX_LINES:
        left_out = len(lines) - MAX_LINES + 1
        lines = [*lines[: MAX_LINES // 2], f"… {left_out} more", *lines[MAX_LINES // 2 + left_out :]]
    return tuple(part for line in lines for part in _broken(line))


def choice_lines(node: Node, boxes: Boxes) -> tuple[str, ...]:
    """``tanh(w)  if c > 0`` and ``w²  otherwise``: what each branch of a choice computes."""
    names: Mapping[Node, Math] = {x: named(boxes.titles[x]) for x in boxes.formulas[node].refs}
    condition, *operands = [names.get(x) or expanded(x, names)[0] for x in node.inputs]
    asked = plain_text(condition.parts[0] if condition.kind == "fence" else condition)
    lines = []
    for key, when in (("then", f"if {asked}"), ("otherwise", "otherwise")):
        root = node.attrs[key][node.attrs["result"]]
        short = len(toposort([root])) <= MAX_BRANCH
        lines.append(f"{plain_text(written_out(root, operands)) if short else '…'}   {when}")
    return tuple(part for line in lines for part in wrapped(line))


def _starts(equations: Iterable[Math]) -> str:
    """``h = h₀, c = d = 0``: what is carried, by what it begins with."""
    begins: dict[str, list[str]] = {}
    for equation in equations:
        left, _, *right = equation.parts
        value = plain_text(replace(equation, parts=tuple(right)))
        begins.setdefault(value, []).append(plain_text(left.parts[0] if left.kind == "index" else left))
    return ", ".join(" = ".join([*names, value]) for value, names in begins.items())


def result_text(node: Node, boxes: Boxes) -> str:
    """What one result is, of the values that the steps compute: ``h[time]``."""
    *_, last = _sentences(node, boxes)
    return plain_text(next(piece for piece in last if isinstance(piece, Math)))


def _sentences(node: Node, boxes: Boxes) -> list[Pieces]:
    names: Mapping[Node, Math] = {x: named(boxes.titles[x]) for x in boxes.formulas[node].refs}
    return list(recurrence(node, [names.get(x) or expanded(x, names)[0] for x in node.inputs]))


def _text(pieces: Pieces) -> str:
    return "".join(map(_piece, pieces))


def _piece(piece: str | Math | Ref | Code) -> str:
    match piece:
        case Math():
            return plain_text(piece)
        case Ref(number):
            return f"({number})"
        case Code(text):
            return text
    return piece


def _broken(line: str) -> Iterator[str]:
    first, *rest = wrapped(line)
    yield first
    yield from (f"    {part}" for part in rest)
