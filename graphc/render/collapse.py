"""The figure of a large model: one box for the forward part of each layer, and one for its backward part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import ceil

from graphc.ir.node import Node
from graphc.render import maths
from graphc.render.figure import (
    BACKWARD,
    BETWEEN,
    EXTRA,
    FACTORS,
    FORWARD,
    GRADIENTS,
    SOURCES,
    Box,
    Edge,
    Figure,
    Row,
)
from graphc.render.maths import Math, operator, titled
from graphc.render.repeats import runs_of, signature
from graphc.render.titles import MAX_PATH, printable

MAX_LAYERS = 60
"""More layers than this are drawn by their outer scope."""

MAX_LINES = 4

Path = tuple[str, ...]
Group = list[Row]

_KINDS = {
    "gradient": "backward",
    "data": "data",
    "forward": "forward",
    "backward": "backward",
    "param": "param",
}


def collapsed(figure: Figure, note: str = "") -> Figure:
    """The same figure by layers; edges between layers stay."""
    titles = frozenset(box.title for box in figure.boxes)
    rows: list[Row] = []
    owner: dict[int, int] = {}
    first = 1 + max((box.key for box in figure.boxes), default=0)
    for number, groups in enumerate(_repeated(_groups(figure.rows, titles), titles)):
        row = _row(groups[0], first + 2 * number)
        rows.append(row if len(groups) == 1 else _times(row, groups, first + 2 * number))
        for box in (box for group in groups for member in group for box in member.boxes):
            owner[box.key] = _owner(rows[-1], box)
    nodes: dict[int, tuple[Node, ...]] = {}
    for key, inside in figure.nodes.items():
        if key in owner:
            nodes[owner[key]] = (*nodes.get(owner[key], ()), *inside)
    edges = tuple(_edges(figure, rows, owner))
    return Figure(tuple(rows), edges, figure.name, note, figure.layers, nodes)


def _groups(rows: Sequence[Row], titles: frozenset[str]) -> list[Group]:
    """Rows of one layer together; rows outside any layer in runs, inputs alone."""
    depth = max((len(row.layer) for row in rows), default=0)
    while True:
        groups = _grouped(rows, depth, 1)
        few = len(_repeated(groups, titles)) <= MAX_LAYERS
        if few or depth <= 1:
            break
        depth -= 1
    loose = sum(not row.layer for row in rows)
    return groups if few else _grouped(rows, depth, ceil(loose / MAX_LAYERS * 2))


def _repeated(groups: Sequence[Group], titles: frozenset[str]) -> list[list[Group]]:
    """What becomes one row: a layer, or a layer and all that repeat it."""
    signatures = [None if _is_input(group[0]) else signature(group, titles) for group in groups]
    members: dict[int, list[Group]] = {i: [group] for i, group in enumerate(groups)}
    for run in runs_of(signatures):
        for i in range(run.start + run.period, run.start + run.period * run.times):
            members[run.start + (i - run.start) % run.period].extend(members.pop(i))
    return list(members.values())


def _times(row: Row, groups: Sequence[Group], key: int) -> Row:
    """The row of layers that repeat: named after the first and the last, with the gradients of one in the middle."""
    names = [_name(group, list(_of(group, FORWARD)) or group[0].boxes) for group in (groups[0], groups[-1])]
    name = f"{' … '.join(names)} ×{len(groups)}"
    middle = _row(groups[len(groups) // 2], key).columns.get(BACKWARD, ())
    columns = {FORWARD: tuple(replace(box, title=name, heavy=True) for box in row.columns[FORWARD])}
    if middle:
        columns[BACKWARD] = tuple(replace(box, title=f"∂ {name}", heavy=True) for box in middle)
    return Row((), columns)


def _grouped(rows: Sequence[Row], depth: int, run: int) -> list[Group]:
    groups: list[Group] = []
    by_layer: dict[Path, Group] = {}
    loose: Group | None = None
    for row in rows:
        layer = row.layer[:depth]
        if layer:
            loose = None
            if layer not in by_layer:
                by_layer[layer] = []
                groups.append(by_layer[layer])
            by_layer[layer].append(row)
        elif loose is not None and len(loose) < run and not _is_input(row):
            loose.append(row)
        else:
            groups.append([row])
            loose = None if _is_input(row) else groups[-1]
    return groups


def _is_input(row: Row) -> bool:
    return all(box.kind == "input" for box in row.columns.get(FORWARD, ())) and FORWARD in row.columns


def _row(group: Group, key: int) -> Row:
    """A layer as two boxes."""
    if len(group) == 1 and _is_input(group[0]):
        return Row((), group[0].columns)
    columns = {FORWARD: (_forward(group, key),)}
    gradients = tuple(
        _of(group[::-1], FACTORS, BACKWARD, EXTRA, GRADIENTS)
    )  # upwards: each reads what stands before it
    if gradients:
        columns[BACKWARD] = (_backward(group, gradients, key + 1),)
    return Row((), columns)


def _forward(group: Group, key: int) -> Box:
    boxes = list(_of(group, FORWARD)) or [box for row in group for box in row.boxes]
    sources = [f"{box.title} {box.foot}" for box in _of(group, SOURCES, BETWEEN)]
    foot = " · ".join([*sources[:MAX_LINES], *(["…"] if len(sources) > MAX_LINES else [])])
    return Box(
        key,
        _name(group, boxes),
        boxes[-1].kind,
        _summary(boxes),
        foot or boxes[-1].foot,
        _tips(boxes),
        formulas=_formulas(boxes),
    )


def _backward(group: Group, boxes: Sequence[Box], key: int) -> Box:
    name = _name(group, list(_of(group, FORWARD)) or boxes)
    heavy = any(b.heavy for b in boxes)
    formulas = _formulas(boxes)
    return Box(key, f"∂ {name}", "backward", _summary(boxes), "", _tips(boxes), heavy, formulas=formulas)


def _of(group: Iterable[Row], *columns: str) -> Iterator[Box]:
    for row in group:
        for column in columns:
            yield from row.columns.get(column, ())


def _name(group: Group, boxes: Sequence[Box]) -> str:
    layer = group[0].layer
    while layer and any(row.layer[: len(layer)] != layer for row in group):
        layer = layer[:-1]
    if layer:
        return printable(".".join(layer), MAX_PATH)
    return boxes[0].title if len(boxes) == 1 else f"{boxes[0].title} … {boxes[-1].title}"


def _summary(boxes: Sequence[Box]) -> tuple[str, ...]:
    """The equations of a layer, as many as are readable."""
    lines = [line for box in boxes if box.lines for line in _equations(box)]
    if len(lines) <= MAX_LINES:
        return tuple(lines)
    return (*lines[: MAX_LINES - 2], f"… {len(lines) - MAX_LINES + 1} more", lines[-1])


def _formulas(boxes: Sequence[Box]) -> tuple[Math, ...]:
    """The same to be set as formulas; nothing where there is one that only has text."""
    shown = [box for box in boxes if box.lines]
    if any(len(box.formulas) != 1 and not box.listed for box in shown):
        return ()
    found = [formula for box in shown for formula in _set(box)]
    if len(found) <= MAX_LINES:
        return tuple(found)
    left_out = Math("text", f"… {len(found) - MAX_LINES + 1} more")
    return (*found[: MAX_LINES - 2], left_out, found[-1])


def _set(box: Box) -> tuple[Math, ...]:
    """The equation of a box as a formula; of what becomes of states, each; of a loop, a line of text."""
    if not box.listed:
        return (maths.row([titled(box.title), operator("="), *box.formulas], 0),)
    if not box.title and box.formulas:
        return box.formulas
    return tuple(Math("text", line) for line in _equations(box))


def _equations(box: Box) -> tuple[str, ...]:
    """The equation of a box; of a loop, over what it runs."""
    if box.listed:
        return (
            (f"{box.title} {box.lines[0]}, a step of {len(box.lines) - 1} lines",) if box.title else box.lines
        )
    return (f"{box.title} = {' '.join(box.lines)}",)


def _tips(boxes: Sequence[Box]) -> tuple[str, ...]:
    tips = [f"{box.title} = {' '.join(box.lines)}   {box.foot}" for box in boxes[:12]]
    return (*tips, *(["…"] if len(boxes) > len(tips) else []))


def _owner(row: Row, box: Box) -> int:
    """Which box of a collapsed row stands for a box."""
    back = box.kind in ("factor", "backward", "gradient") and BACKWARD in row.columns
    return row.columns[BACKWARD if back else FORWARD][0].key


def _is_of_a_parameter(edge: Edge) -> bool:
    return edge.kind == "param"


def _edges(figure: Figure, rows: Sequence[Row], owner: dict[int, int]) -> Iterator[Edge]:
    seen: set[tuple[int, int]] = set()
    for row in rows:
        if FORWARD in row.columns and BACKWARD in row.columns:
            pair = row.columns[FORWARD][0].key, row.columns[BACKWARD][0].key
            seen.add(pair)
            yield Edge(*pair, "tie")
    place = {box.key: r for r, row in enumerate(rows) for box in row.boxes}
    for edge in sorted(figure.edges, key=_is_of_a_parameter):  # where a value flows as well, that is shown
        if edge.kind not in _KINDS or edge.tail not in owner or edge.head not in owner:
            continue
        kind, tail, head = _KINDS[edge.kind], owner[edge.tail], owner[edge.head]
        if tail == head or (tail, head) in seen or _again(kind, place[tail], place[head], edge, figure):
            continue
        seen.add((tail, head))
        yield Edge(tail, head, kind, edge.tooltip)


def _again(kind: str, tail: int, head: int, edge: Edge, figure: Figure) -> bool:
    """An edge from the end of one repetition to the beginning of the next, which stands above it by now."""
    (first, *_), (last, *_) = figure.place[edge.tail], figure.place[edge.head]
    if kind == "backward":
        return first >= last and tail < head
    return first <= last and tail > head
