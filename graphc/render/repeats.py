"""Layers that repeat: the same computation over other parameters, again and again."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from graphc.render.figure import FORWARD, SOURCES, Box, Row

MAX_PERIOD = 6
"""A pattern of more layers than this is not looked for."""

MIN_TIMES = 3

_WORD = re.compile(r"[^\W\d_][\w₀-₉,′]*")


@dataclass(frozen=True)
class Run:
    """Layers ``start`` to ``start + period * times`` are ``times`` times the same ``period`` layers."""

    start: int
    period: int
    times: int


def signature(rows: Iterable[Row], titles: frozenset[str]) -> Hashable:
    """What a layer computes, but for the names of values: kinds, formulas and shapes, forward and sources."""
    return tuple(
        (column, box.kind, _nameless(box, titles), box.foot)
        for row in rows
        for column in (SOURCES, FORWARD)
        for box in row.columns.get(column, ())
    )


def _nameless(box: Box, titles: frozenset[str]) -> str:
    return _WORD.sub(lambda word: "·" if word[0] in titles else word[0], " ".join(box.lines))


def runs_of(signatures: Sequence[Hashable | None]) -> list[Run]:
    """Where a pattern repeats, each layer in one run at most; None repeats nothing."""
    found: list[Run] = []
    at = 0
    while at < len(signatures):
        best = max(
            (Run(at, p, _times(signatures, at, p)) for p in range(1, MAX_PERIOD + 1)),
            key=lambda run: (
                run.times >= MIN_TIMES,
                run.period * run.times if run.times >= MIN_TIMES else 0,
                -run.period,
            ),
        )
        if best.times >= MIN_TIMES:
            found.append(best)
            at += best.period * best.times
        else:
            at += 1
    return found


def _times(signatures: Sequence[Hashable | None], at: int, period: int) -> int:
    """How often the pattern that begins here stands one after the other."""
    first = signatures[at : at + period]
    if len(first) < period or None in first:
        return 0
    times = 1
    while list(signatures[at + times * period : at + (times + 1) * period]) == list(first):
        times += 1
    return times
