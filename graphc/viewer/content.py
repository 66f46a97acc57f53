"""What a viewer shows: one graph, as a figure, as equations and as a listing, and what belongs to what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from graphc.codegen.numpy import Source, names_for
from graphc.derivatives import grad
from graphc.explanation.lines import places
from graphc.explanation.steps import inside
from graphc.ir.graph import Graph, graph_of
from graphc.ir.node import Node
from graphc.ir.provenance import descendants_of, replaced_by
from graphc.planning.order import Plan
from graphc.render.document import Ref
from graphc.render.drawing import Drawing, drawing_of, graph_to_draw, resolved, simplified
from graphc.render.equations import Equation, System, system_of
from graphc.render.figure import Figure
from graphc.render.parts import Parts, parts_of
from graphc.rewrite.driver import Trace
from graphc.stages import emit, plan


@dataclass(frozen=True, eq=False)
class Content:
    """One graph in its three forms.

    Attributes:
        graph: as it is drawn: modes chosen, simplified.
        drawing: the figure of it.
        system: its equations, or None where there is no loss.
        plan: as it is computed.
        source: the listing.
        trace: what the passes did.
    """

    graph: Graph
    drawing: Drawing
    system: System | None
    plan: Plan
    source: Source
    trace: Trace

    @property
    def figure(self) -> Figure:
        """Boxes and edges."""
        return self.drawing.figure

    # -- what belongs to what -----------------------------------------------------------------------------------

    @cached_property
    def owner(self) -> Mapping[Node, int]:
        """For each node that is drawn, its box: that whose value it is, or else one in which it stands."""
        owner: dict[Node, int] = {}
        copies = self.figure.copies
        boxes = {key: nodes for key, nodes in self.figure.nodes.items() if key not in copies}
        for key, nodes in boxes.items():
            owner.setdefault(nodes[-1], key)
        for key, nodes in boxes.items():
            for node in nodes:
                owner.setdefault(node, key)
        return owner

    def box_of(self, node: Node) -> int | None:
        """The box of a node, or of the nearest of what it replaced."""
        seen = {node}
        queue = [node]
        for current in queue:
            if current in self.owner:
                return self.owner[current]
            for event in current.about.events:
                before = replaced_by(event)
                if before is not None and before not in seen:
                    seen.add(before)
                    queue.append(before)
        return None

    def boxes_of(self, node: Node) -> set[int]:
        """The box of a node; and of one of several results, every box in which it stands."""
        key = self.box_of(node)
        found = set() if key is None else {key}
        if node.op.joint is not None:
            drawn = {n for n in descendants_of(node, parts=True) if n in self.owner}
            found |= {k for k, nodes in self.figure.nodes.items() if drawn.intersection(nodes)}
        return found

    @cached_property
    def lines(self) -> Mapping[int, tuple[int, ...]]:
        """For each box, the lines of the listing that compute it, counted from 1."""
        found: dict[int, dict[int, None]] = {}
        known = places(self.source)
        computed = {n for place in known.values() for n in place.statement.nodes}
        for number, place in known.items():
            own = (place.block or place.statement).nodes  # a line of a loop belongs to the loop
            parts = [part for node in own for part in inside(node, computed - set(own))]
            for key in sorted({key for part in parts for key in self.boxes_of(part)}):
                found.setdefault(key, {})[number] = None
        for key, number in self._arguments():
            found.setdefault(key, {}).setdefault(number)
        for key, number in self._returned():
            if key not in found:
                found[key] = {number: None}
        for key in self.figure.copies:
            found[key] = found.get(self.owner[self.figure.nodes[key][-1]], {})
        for key, readers in self._readers().items():
            if key not in found and self.figure.nodes.get(key):
                found[key] = dict.fromkeys(n for reader in readers for n in found.get(reader, ()))
        return {key: tuple(numbers) for key, numbers in found.items()}

    def _readers(self) -> Mapping[int, list[int]]:
        """The boxes that read a box: what a pass took into them stands in their lines."""
        readers: dict[int, list[int]] = {}
        for edge in reversed(self.figure.edges):
            if edge.kind not in ("tie", "saved"):
                readers.setdefault(edge.tail, []).append(edge.head)
        return readers

    def _arguments(self) -> Iterator[tuple[int, int]]:
        """Boxes of arguments, with the line of the signature in which they stand."""
        import re

        names = names_for(self.plan.graph)
        lines = self.source.text.split("\n")
        begin = next(i for i, line in enumerate(lines) if line.startswith(f"def {self.source.name}("))
        for leaf in self.plan.graph.arguments:
            key = self.owner.get(leaf)
            word = re.compile(rf"\b{re.escape(names(leaf))}\b")
            at = next((i for i in range(begin, len(lines)) if word.search(lines[i])), None)
            if key is not None and at is not None:
                yield key, at + 1

    def _returned(self) -> Iterator[tuple[int, int]]:
        """Boxes of outputs, with the line that returns them: a short formula may stand in it."""
        lines = self.source.text.split("\n")
        ends = [i for i, line in enumerate(lines, 1) if line.lstrip().startswith("return (")]
        for output in self.graph.roots:
            if ends and output in self.owner:
                yield self.owner[output], ends[-1]

    @cached_property
    def equations(self) -> Mapping[int, tuple[int, ...]]:
        """For each box, the numbers of its equations: its own first, then those that these refer to as derivatives."""
        if self.system is None:
            return {}
        copies = {node: key for key, node in self.figure.copies.items()}
        found: dict[int, list[int]] = {}
        derivatives = {e.number for e in self.system.equations if e.phase == "derivative"}
        for equation in self.system.equations:
            if equation.number in derivatives:
                continue
            used = [equation.number, *(n for n in _references(equation) if n in derivatives)]
            for key in self._boxes_of_equation(equation, copies):
                known = found.setdefault(key, [])
                known.extend(n for n in dict.fromkeys(used) if n not in known)
        return {key: tuple(numbers) for key, numbers in found.items()}

    def _boxes_of_equation(self, equation: Equation, copies: Mapping[Node, int]) -> set[int]:
        key = None if equation.of is None else copies.get(equation.of)
        return self.boxes_of(equation.node) if key is None else {key}


def _references(equation: Equation) -> Iterator[int]:
    for note in equation.notes:
        yield from (piece.number for piece in note if isinstance(piece, Ref))


# -- from what the user has -------------------------------------------------------------------------------------


def content_of(
    what: Any, *, level: str | None, mode: str | None, updates: bool, layout: str | None = None
) -> Content:
    """Everything that a viewer shows of a model, a program, a graph or nodes; by default in their own layout."""
    own = getattr(what, "layout", None) or getattr(getattr(what, "plan", None), "layout", "fresh")
    declared = _differentiated(graph_to_draw(what, updates or None))
    whole = resolved(declared, mode)
    rules = str(level or getattr(what, "level", "default"))
    trace = Trace()
    simple = simplified(whole, rules, trace)
    planned = plan(simple, rules, trace, layout or str(own))
    parts = parts_of(simple)
    return Content(
        simple,
        drawing_of(simple, None, updates, legend=False),
        _system(simple, parts),
        planned,
        emit(planned),
        trace,
    )


def _differentiated(graph: Graph) -> Graph:
    """A scalar that was given alone is a loss: its gradients by all parameters are shown too."""
    if len(graph.outputs) != 1 or graph.updates:
        return graph
    (loss,) = graph.outputs
    trained = {str(graph.name_of(p)): p for p in graph.leaves("param") if p.attrs["trainable"]}
    if loss.shape != () or not loss.type.is_float or not trained:
        return graph
    gradients = dict(zip(trained, grad(loss, list(trained.values())), strict=True))
    return graph_of({"loss": loss, "gradients": gradients}, name=graph.name)


def _system(graph: Graph, parts: Parts) -> System | None:
    """The equations, where a loss was differentiated: its gradients are the last outputs."""
    targets = _targets(graph, parts)
    if parts.loss is None or not targets:
        return None
    return system_of(graph, parts.loss, targets)


def _targets(graph: Graph, parts: Parts) -> Sequence[Node]:
    """What the last outputs are the gradients of: by their names, or else by the events on them."""
    named = graph.unflatten(graph.outputs)
    gradients = named.get("gradients") if isinstance(named, dict) else None
    if isinstance(gradients, dict) and list(named)[-1] == "gradients":
        return [graph.leaf(name) for name in gradients]
    found: list[Node] = []
    for output in reversed(graph.outputs):
        target = parts.partner.get(output)
        if target is None:
            break
        found.append(target)
    return found[::-1]
