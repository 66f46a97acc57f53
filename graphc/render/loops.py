"""A loop in a figure: its results are one box, in which each step is written out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

from graphc.ir.node import Node, result_groups, toposort
from graphc.render.boxes import Boxes
from graphc.render.describe import MAX_LINE, wrapped
from graphc.render.document import Code, Pieces, Ref
from graphc.render.maths import Math, equals, operator, row, titled
from graphc.render.parts import FORWARD, Parts
from graphc.render.plain import plain_text
from graphc.render.recurrence import kept_name, recurrence, unindexed, written_out
from graphc.render.terms import expanded

MAX_LINES = 24
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
    """What the steps save for the gradients."""
    kept = map(plain_text, _kept(loop, boxes))
    spaced = ", ".join(item.replace(" ", NO_BREAK) for item in kept)
    lines = wrap(f"keeps {spaced}", MAX_LINE, subsequent_indent="    ") if spaced else []
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


def loop_formulas(node: Node, boxes: Boxes) -> tuple[Math, ...]:
    """The lines of ``loop_lines`` as formulas."""
    head, *steps, _ = _sentences(node, boxes)
    over, *starts = [piece for piece in head if isinstance(piece, Math)]
    begin = [row([said("from "), *_between_commas(begins_of(starts))])] if starts else []
    found = [row([said("for "), over]), *begin, *(_formula(step) for step in steps)]
    if len(found) > MAX_LINES:
        left_out = len(found) - MAX_LINES + 1
        found = [*found[: MAX_LINES // 2], said(f"… {left_out} more"), *found[MAX_LINES // 2 + left_out :]]
    return tuple(found)


def shown_formulas(loop: Loop, node: Node, boxes: Boxes) -> tuple[Math, ...]:
    """A box of a loop: of the one that is shown the steps, what they save, and what the value is."""
    result = result_formula(node, boxes)
    if node is not loop.shown:
        return (result,)
    kept = kept_formulas(loop, boxes)
    return (*loop_formulas(node, boxes), *kept, equals(titled(boxes.titles[node]), result))


def kept_formulas(loop: Loop, boxes: Boxes) -> tuple[Math, ...]:
    """The lines of ``kept_lines`` as one formula, or none."""
    kept = _between_commas(_kept(loop, boxes))
    return (row([said("keeps "), *kept]),) if kept else ()


def _kept(loop: Loop, boxes: Boxes) -> list[Math]:
    """What the steps keep, by their names in the loop; with a name for all steps where a formula reads it by that."""
    kept = []
    for node in loop.hidden:
        value, title = result_formula(node, boxes), boxes.titles[node]
        plainly = kept_name(node) is not None and not _read_outside(node, boxes)
        kept.append(value if plainly or plain_text(value) == f"{title}ₜ" else equals(titled(title), value))
    return kept


def _read_outside(kept: Node, boxes: Boxes) -> bool:
    """Whether what a loop keeps is read by anything but another loop."""
    readers = (node for node, written in boxes.formulas.items() if kept in written.refs)
    return any("loop" not in node.op.properties for node in readers)


def _between_commas(formulas: Sequence[Math]) -> list[Math]:
    return [x for formula in formulas for x in (Math("comma"), formula)][1:]


def said(text: str) -> Math:
    """Words beside a formula."""
    return Math("text", text)


def choice_formulas(node: Node, boxes: Boxes) -> tuple[Math, ...]:
    """The lines of ``choice_lines`` as formulas."""
    condition, branches = _branches(node, boxes)
    asked = condition.parts[0] if condition.kind == "fence" else condition
    first, second = (said("…") if branch is None else branch for branch in branches)
    otherwise = row([second, Math("quad"), said("otherwise")])
    return row([first, Math("quad"), said("if "), asked]), otherwise


def choice_lines(node: Node, boxes: Boxes) -> tuple[str, ...]:
    """``tanh(w)  if c > 0`` and ``w²  otherwise``: what each branch of a choice computes."""
    condition, branches = _branches(node, boxes)
    asked = plain_text(condition.parts[0] if condition.kind == "fence" else condition)
    lines = [
        f"{'…' if branch is None else plain_text(branch)}   {when}"
        for branch, when in zip(branches, (f"if {asked}", "otherwise"), strict=True)
    ]
    return tuple(part for line in lines for part in wrapped(line))


def _branches(node: Node, boxes: Boxes) -> tuple[Math, list[Math | None]]:
    """The condition of a choice and what its branches compute; None for one that is too long to be read."""
    condition, *operands = operands_of(node, boxes)
    found: list[Math | None] = []
    for key in ("then", "otherwise"):
        root = node.attrs[key][node.attrs["result"]]
        short = len(toposort([root])) <= MAX_BRANCH
        found.append(written_out(root, operands) if short else None)
    return condition, found


def _starts(equations: Iterable[Math]) -> str:
    """``h = h₀, c = d = 0``: what is carried, by what it begins with."""
    return ", ".join(map(plain_text, begins_of(equations)))


def begins_of(equations: Iterable[Math]) -> list[Math]:
    """``h = h₀``, ``c = d = 0``: what is carried, by what it begins with."""
    begins: dict[Math, list[Math]] = {}
    for equation in equations:
        left, _, *right = equation.parts
        begins.setdefault(row(right), []).append(unindexed(left))
    chains = [[*names, value] for value, names in begins.items()]
    return [row([x for part in chain for x in (operator("="), part)][1:], 0) for chain in chains]


def result_formula(node: Node, boxes: Boxes) -> Math:
    """What one result is, of the values that the steps compute: ``h`` at the last of them."""
    *_, last = _sentences(node, boxes)
    return next(piece for piece in last if isinstance(piece, Math))


def result_text(node: Node, boxes: Boxes) -> str:
    """The same on one line: ``h[time]``."""
    return plain_text(result_formula(node, boxes))


def _sentences(node: Node, boxes: Boxes) -> list[Pieces]:
    return list(recurrence(node, operands_of(node, boxes)))


def operands_of(node: Node, boxes: Boxes) -> list[Math]:
    """What a loop or a choice reads, as formulas."""
    kept = {x: kept_name(x) for x in node.inputs if "loop" in node.op.properties & x.op.properties}
    names: Mapping[Node, Math] = {x: titled(boxes.titles[x]) for x in boxes.formulas[node].refs}
    return [kept.get(x) or names.get(x) or expanded(x, names)[0] for x in node.inputs]


def _formula(pieces: Pieces) -> Math:
    return row([piece if isinstance(piece, Math) else said(_piece(piece)) for piece in pieces])


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
