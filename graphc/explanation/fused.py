"""What stands together because that is faster: pointwise regions in other forms, and calls in loops over strips."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from graphc.codegen.strips import Run
from graphc.explanation.words import called, expression
from graphc.ir.events import Event, Region, Rewrite
from graphc.ir.graph import Graph
from graphc.ir.node import Node, engine
from graphc.rewrite.driver import Trace
from graphc.rewrite.regions import NAME, left_alone

STRIPS = "strips"
FUSIONS = {
    NAME: "pointwise operations between products and sums take the cheapest form that is no less accurate",
    STRIPS: "calls over the same rows run in a loop over strips of rows that stay in the second-level cache",
}
"""What ``why_not`` knows beside the rules."""


@dataclass(frozen=True)
class RegionNote:
    """A value of a pointwise region, and what came of looking for other forms of it."""

    value: str
    found: str

    def __str__(self) -> str:
        return f"{self.value}: {self.found}"


@dataclass(frozen=True)
class Fused:
    """What became of a way to put operations together; ``print`` shows it.

    Attributes:
        name: ``pointwise-region`` or ``strips``.
        done: what stands together, and why.
        left: what does not, and why.
    """

    name: str
    done: tuple[str, ...]
    left: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{self.name}: {FUSIONS[self.name]}"]
        lines += ["done:", *(f"  {text}" for text in self.done)] if self.done else []
        lines += ["not done:", *(f"  {text}" for text in self.left)] if self.left else []
        return "\n".join(lines if self.done or self.left else [*lines, "there is no place for it here"])

    __repr__ = __str__


def regions_in(trace: Trace) -> tuple[RegionNote, ...]:
    """What was found of each region that was looked at, one note for values that came out alike."""
    found: dict[str, Node] = {}
    for node, event in trace.events:
        text = region_said(event)
        if text is not None:
            found.setdefault(text, node)
    return tuple(RegionNote(_name(node), text) for text, node in found.items())


def region_said(event: Event) -> str | None:
    """What an event says was found of a pointwise region; None for one of another kind."""
    if isinstance(event, Region):
        return event.found
    return event.facts[0] if isinstance(event, Rewrite) and event.rule == NAME else None


def fused_regions(graph: Graph, trace: Trace, level: str) -> Fused:
    """The pointwise regions of a graph: which took part in the search, and why the others did not."""
    if level == "exact":
        return Fused(NAME, (), ("level exact computes every value in the form in which it was declared",))
    with engine():
        left = [f"{_named(group)}: {why}" for group, why in left_alone(graph)]
    return Fused(NAME, tuple(map(str, regions_in(trace))), tuple(dict.fromkeys(left)))


def fused_runs(runs: Iterable[Run], layout: str) -> Fused:
    """The calls over the same rows of a listing: which stand in a loop, and why the others do not."""
    if layout == "fresh":
        return Fused(STRIPS, (), (f"layout {layout} makes a new array for each value; strips need buffers",))
    runs = list(runs)
    return Fused(STRIPS, tuple(str(r) for r in runs if r.looped), tuple(str(r) for r in runs if not r.looped))


def _named(group: Iterable[Node]) -> str:
    names = [_name(node) for node in group]
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"


def _name(node: Node) -> str:
    return called(node) or expression(node, depth=2)
