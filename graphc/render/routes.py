"""Where edges run that pass more than one row: down a lane at the left or the right, never through the boxes between.

A lane belongs to its upper box: what is used many times below fans out of one lane, and a gradient that is added up
over many uses gathers from one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphc.render.figure import BACKWARD, COLUMNS, FORWARD, GRADIENTS, SOURCES, Edge, Figure

LEFT, RIGHT = "left", "right"

SIDES: Mapping[tuple[str, str], str] = {
    (FORWARD, FORWARD): LEFT,
    (SOURCES, FORWARD): LEFT,
    (BACKWARD, BACKWARD): RIGHT,
    (GRADIENTS, BACKWARD): RIGHT,
}
"""The side of a lane, by the columns of its upper and its lower end."""

MAX_POINTS = 400
"""With more points than this an edge is drawn as the layout likes."""

Lane = tuple[int, str]


@dataclass(frozen=True)
class Routes:
    """The lanes of a figure.

    Attributes:
        points: for each row, the lanes that pass it at the left (outermost first), and at the right (innermost first).
        lanes: for each edge that takes one, its lane.
    """

    points: Mapping[int, tuple[tuple[Lane, ...], tuple[Lane, ...]]]
    lanes: Mapping[Edge, Lane]


def routes_of(figure: Figure) -> Routes:
    """Lanes for every edge that passes a row."""
    reach: dict[Lane, tuple[int, int]] = {}
    lanes: dict[Edge, Lane] = {}
    for edge in figure.edges:
        found = _lane(figure, edge)
        if found is not None:
            lane, top, bottom = found
            lanes[edge] = lane
            reach[lane] = top, max(bottom, reach.get(lane, (top, bottom))[1])
    if sum(bottom - top - 1 for top, bottom in reach.values()) > MAX_POINTS:
        return Routes({}, {})
    return Routes(_points(figure, reach), lanes)


def _lane(figure: Figure, edge: Edge) -> tuple[Lane, int, int] | None:
    """The lane of an edge, and the rows at which it begins and ends."""
    if edge.kind in ("saved", "tie", "update", "carry"):
        return None
    (r1, c1, _), (r2, c2, _) = figure.place[edge.tail], figure.place[edge.head]
    upper, top, bottom, columns = edge.tail, r1, r2, (c1, c2)
    if r1 > r2:
        upper, top, bottom, columns = edge.head, r2, r1, (c2, c1)
    side = SIDES.get(columns)
    return None if side is None or bottom - top < 2 else ((upper, side), top, bottom)


def _points(
    figure: Figure, reach: Mapping[Lane, tuple[int, int]]
) -> dict[int, tuple[tuple[Lane, ...], tuple[Lane, ...]]]:
    """Row by row the lanes that pass: the longer a lane, the further out; of two as long that of the outer box."""

    def place(lane: Lane) -> tuple[int, int, Lane]:
        column = COLUMNS.index(figure.place[lane[0]][1])
        top, bottom = reach[lane]
        return top - bottom, column if lane[1] == LEFT else -column, lane

    passing: dict[int, dict[str, list[Lane]]] = {}
    for lane in sorted(reach, key=place):
        top, bottom = reach[lane]
        for row in range(top + 1, bottom):
            passing.setdefault(row, {LEFT: [], RIGHT: []})[lane[1]].append(lane)
    return {row: (tuple(sides[LEFT]), tuple(reversed(sides[RIGHT]))) for row, sides in passing.items()}
