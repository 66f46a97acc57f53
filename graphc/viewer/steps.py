"""What the slider goes through: what was declared, each use of the chain rule, each rewrite, each line that runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphc.explanation.fused import region_said
from graphc.explanation.lines import Place, places
from graphc.explanation.slots import slots_of
from graphc.explanation.words import expression
from graphc.ir.events import Event, Folded, Lowered, Rewrite
from graphc.ir.node import Node, op_title
from graphc.ir.provenance import replaced_by
from graphc.render.figure import BACKWARD, BETWEEN, EXTRA, FACTORS, FORWARD, GRADIENTS, SOURCES, UPDATES, Box
from graphc.viewer.content import Content

DECLARED, CHAIN, REWRITES, FUSED, RUNS, SLOTS = (
    "declared",
    "chain rule",
    "rewrites",
    "fusion",
    "runs",
    "slots",
)
PHASES = (DECLARED, CHAIN, REWRITES, FUSED, RUNS, SLOTS)

MAX_TEXT = 400


@dataclass(frozen=True)
class Step:
    """One position of the slider.

    Attributes:
        phase: one of ``PHASES``.
        text: what happened, in a line.
        boxes: where.
        born: the boxes that are there from now on.
        equation: the number of the equation that says it, or 0.
        line: the line of the listing, or 0.
        before: an expression that was replaced.
        after: what took its place.
    """

    phase: str
    text: str
    boxes: tuple[int, ...] = ()
    born: tuple[int, ...] = ()
    equation: int = 0
    line: int = 0
    before: str = ""
    after: str = ""


def steps_of(content: Content) -> list[Step]:
    """All steps, in order."""
    parts = (_declared, _chain, _rewrites, _regions, _strips, _runs, _slots)
    return [step for part in parts for step in part(content)]


# -- forward and back ---------------------------------------------------------------------------------------------


def _declared(content: Content) -> Iterator[Step]:
    """A step for each row: the forward value, and what it reads for the first time."""
    for row in content.figure.rows:
        sources = (*row.columns.get(SOURCES, ()), *row.columns.get(BETWEEN, ()))
        forward = row.columns.get(FORWARD, ())
        boxes = [*sources, *forward]
        for box in forward or sources[:1]:
            yield Step(
                DECLARED, _written(box), (box.key,), tuple(b.key for b in boxes), _equation(content, box)
            )


def _chain(content: Content) -> Iterator[Step]:
    """A step for each gradient, from the loss back; the equations of an optimizer at the end."""
    order: list[tuple[int, Box]] = []
    for r, row in enumerate(content.figure.rows):
        for column in (FACTORS, BACKWARD, EXTRA, GRADIENTS):
            order.extend((r, box) for box in row.columns.get(column, ()))
    for _, box in sorted(order, key=lambda item: (_number(content, item[1]), -item[0])):
        yield Step(CHAIN, _written(box), (box.key,), (box.key,), _equation(content, box))
    for row in content.figure.rows:
        for box in row.columns.get(UPDATES, ()):
            yield Step(CHAIN, "; ".join(box.lines), (box.key,), (box.key,))


def _number(content: Content, box: Box) -> int:
    """Where a gradient stands in the backward pass; the seed comes first."""
    return _equation(content, box)


def _equation(content: Content, box: Box) -> int:
    return next(iter(content.equations.get(box.key, ())), 0)


def _written(box: Box) -> str:
    return f"{box.title} = {' '.join(box.lines)}" if box.lines else box.title


# -- rewrites -----------------------------------------------------------------------------------------------------


def _rewrites(content: Content) -> Iterator[Step]:
    """What the rules did to make what is drawn, oldest first, then what was lowered to code."""
    for after, event, key in _replacements(content):
        before = replaced_by(event)
        assert before is not None
        yield Step(
            REWRITES,
            _said(event),
            (key,),
            before=_short(expression(before, content.graph)),
            after=_short(expression(after, content.graph)),
        )


def _replacements(content: Content) -> list[tuple[Node, Event, int]]:
    """Replacements behind the boxes: what a rule, folding or lowering put in place, and the box it is in."""
    made = {id(event): (after, i) for i, (after, event) in enumerate(content.trace.events)}
    found: dict[int, tuple[tuple[int, int], Node, Event, int]] = {}
    roots = [*_drawn(content), *((n, content.box_of(n)) for n in content.plan.graph.nodes)]
    for root, key in roots:
        if key is None:
            continue
        for current, event in _behind(root):
            if id(event) in found:
                continue
            after, place = made.get(id(event), (current, -1))
            found[id(event)] = ((place, after.serial), after, event, key)
    ordered = sorted(found.values(), key=lambda item: item[0])
    return [(after, event, key) for _, after, event, key in ordered]


def _drawn(content: Content) -> Iterator[tuple[Node, int | None]]:
    for key, nodes in content.figure.nodes.items():
        yield from ((node, key) for node in nodes)


def _behind(root: Node) -> Iterator[tuple[Node, Event]]:
    """The replacements that led to a node."""
    seen = {root}
    queue = [root]
    for current in queue:
        for event in current.about.events:
            before = replaced_by(event)
            if before is None:
                continue
            if isinstance(event, (Rewrite, Folded, Lowered)):
                yield current, event
            if before not in seen:
                seen.add(before)
                queue.append(before)


def _said(event: Event) -> str:
    match event:
        case Rewrite(rule=rule, kind=kind, facts=facts):
            return f"{rule} ({kind})" + (f": {'; '.join(facts)}" if facts else "")
        case Lowered(before=before):
            return f"{op_title(before)} is written out for the program"
    return "computed once, when compiled"


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


# -- what stands together -------------------------------------------------------------------------------------------


def _regions(content: Content) -> Iterator[Step]:
    """The pointwise regions that were looked at as one system, and which form of them was taken."""
    boxes: dict[str, dict[int, None]] = {}
    for node, event in content.trace.events:
        text = region_said(event)
        key = content.box_of(node)
        if text is not None and key is not None:
            boxes.setdefault(text, {})[key] = None
    for text, keys in boxes.items():
        yield Step(FUSED, _short(f"a pointwise region: {text}"), tuple(keys))


def _strips(content: Content) -> Iterator[Step]:
    """In a planned program, calls over the same rows: which run in a loop over strips of them, and why."""
    boxes = _boxes_of_lines(content)
    known = sorted(places(content.source).items())
    said: dict[str, list[str]] = {}
    for run in content.source.runs:  # those that are no loop for the same reason are one step
        text = str(run) if run.looped else f"one call after the other: {run.reason}"
        said.setdefault(text, []).extend(run.names)
    for text, names in said.items():
        lines = [line for line, place in known if not set(names).isdisjoint(_names(place))]
        found = dict.fromkeys(key for line in lines for key in boxes.get(line, ()))
        yield Step(FUSED, _short(text), tuple(found), line=lines[0] if lines else 0)


def _names(place: Place) -> Iterator[str]:
    """What a line computes; in a loop over strips, rows of it."""
    for statement in (place.statement, *place.statement.inner):
        yield statement.name.removesuffix("_rows")


# -- the listing --------------------------------------------------------------------------------------------------


def _runs(content: Content) -> Iterator[Step]:
    """The statements in the order in which they run."""
    boxes = _boxes_of_lines(content)
    text = content.source.text.split("\n")
    phases: Mapping[Node, str] = content.plan.phase
    for count, (line, place) in enumerate(sorted(places(content.source).items()), 1):
        phase = phases.get(place.statement.node, "forward")
        said = f"{count}. in the {phase} pass: {text[line - 1].strip()}"
        yield Step(RUNS, _short(said), tuple(boxes.get(line, ())), line=line)


def _slots(content: Content) -> Iterator[Step]:
    """The buffers of a planned program, each with the values that lie in it one after the other."""
    boxes = _boxes_of_lines(content)
    known = places(content.source)
    for number, slot in enumerate(slots_of(content.source.text), 1):
        names = (slot.name, *slot.shared)
        lines = [line for line, place in sorted(known.items()) if place.statement.name in names]
        found = dict.fromkeys(key for line in lines for key in boxes.get(line, ()))
        yield Step(SLOTS, f"slot {number}: {slot}", tuple(found), line=lines[0] if lines else 0)


def _boxes_of_lines(content: Content) -> Mapping[int, list[int]]:
    boxes: dict[int, list[int]] = {}
    for key, lines in content.lines.items():
        for line in lines:
            boxes.setdefault(line, []).append(key)
    return boxes
