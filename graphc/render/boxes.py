"""What gets a box of its own, and what stands inside the formula of the box that uses it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from graphc.ir.graph import Graph
from graphc.ir.node import Node
from graphc.ops.template import Text
from graphc.planning.order import ordered
from graphc.render.formula import formula, is_arrangement, leaf_text
from graphc.render.notation import ADD, SUBSCRIPTS
from graphc.render.parts import BACKWARD, FORWARD, UPDATE, Parts
from graphc.render.titles import automatic_letter, path_of, pretty, titles_of

MAX_INSIDE = 40
"""The longest formula that may stand inside another."""

MAX_EQUATION = 120
"""The same in an equation of an optimizer, which stands on lines of its own."""

MAX_SHARED = 20
"""The longest formula that may be written out at each of its uses."""

MAX_TERMS = 4
"""A sum over more uses is shown as its first and last term."""

Refs = tuple[Node, ...]


@dataclass(frozen=True)
class Written:
    """What a node looks like from outside: a text, and the boxes that the text names."""

    text: Text
    refs: Refs


@dataclass
class Boxes:
    """The boxes of a figure, by node.

    Attributes:
        titles: what each box is called, in order of appearance (forward boxes first).
        formulas: what stands in each box.
        inside: for each box, the nodes that stand inside it, itself last.
        automatic: boxes that the user gave no name.
        sums: for gradients that were added up over uses, their terms.
        silent: what is written as its operand is: it only puts elements on other axes.
    """

    titles: dict[Node, str] = field(default_factory=dict)
    formulas: dict[Node, Written] = field(default_factory=dict)
    inside: dict[Node, tuple[Node, ...]] = field(default_factory=dict)
    automatic: set[Node] = field(default_factory=set)
    sums: Mapping[Node, tuple[Node, ...]] = field(default_factory=dict)
    silent: set[Node] = field(default_factory=set)


def boxes_of(graph: Graph, parts: Parts, share: bool = True, brief: bool = False) -> Boxes:
    """Decide the boxes.

    ``share`` writes a short value out at each of its uses instead of boxing it; ``brief`` does not write what only puts
    elements on other axes.

    A forward node has a box wherever its gradient has one, and the other way round, so a few rounds may be needed.
    """
    wanted: set[Node] = set()
    while True:
        writer = _Writer(graph, parts, share, brief, wanted)
        boxes = writer.run()
        more = set(_unpaired(parts, boxes)) - wanted
        if not more:
            return boxes
        wanted |= more


def _unpaired(parts: Parts, boxes: Boxes) -> Iterator[Node]:
    for gradient, node in parts.partner.items():
        if gradient in boxes.formulas and node not in boxes.titles:
            yield node
        if node in boxes.formulas and gradient not in boxes.formulas and node.op.kind != "leaf":
            yield gradient


class _Writer:
    """One walk over the graph, forward part first, that writes every formula."""

    def __init__(self, graph: Graph, parts: Parts, share: bool, brief: bool, wanted: set[Node]) -> None:
        self.graph, self.parts, self.share, self.brief, self.wanted = graph, parts, share, brief, wanted
        self.boxes = Boxes()
        self.written: dict[Node, Written] = {}
        self.contents: dict[Node, tuple[Node, ...]] = {}
        self.uses = graph.uses()
        self.led = set(parts.partner.values())
        self.users = _forward_users(graph, parts)
        self.roots = set(graph.outputs) | {value for _, value in graph.updates}
        self.next_of = {value: leaf for leaf, value in graph.updates}
        self.names = self._names()
        leaves = [n for n in graph.nodes if n.op.kind == "leaf" and n.about.name is not None]
        slots = [self._leaf_title(n) for n in leaves if parts.phase[n] == UPDATE]
        self.letter = automatic_letter([*self.names.values(), *slots])
        self.sums, self.partial = _sums(graph, parts, self.uses)
        self.boxes.sums = self.sums

    def _names(self) -> dict[Node, str]:
        named = [n for n in ordered(self.graph.roots) if n.about.name is not None and n not in self.next_of]
        forward = [n for n in named if self.parts.phase[n] == FORWARD]
        return titles_of(self.graph, forward)

    def run(self) -> Boxes:
        nodes = ordered(self.graph.roots)
        for phase in (FORWARD, BACKWARD, UPDATE):
            for node in nodes:
                if self.parts.phase[node] == phase and node not in self.partial:
                    self._visit(node)
        return self.boxes

    def _visit(self, node: Node) -> None:
        if node.op.kind == "leaf" and node.op.role != "random":
            self.written[node] = self._leaf(node)
            return
        here = self._write(node)
        self.contents[node] = tuple(dict.fromkeys([*self._carried(node), node]))
        if self._stands_inside(node, here):
            self.written[node] = here
            return
        self._box(node, here)

    def _box(self, node: Node, here: Written) -> None:
        title = self.boxes.titles[node] = self._title(node)
        self.boxes.formulas[node] = here
        self.boxes.inside[node] = self.contents[node]
        self.written[node] = Written(Text(title), (node,))

    def _carried(self, node: Node) -> Iterator[Node]:
        for operand in self.sums.get(node, node.inputs):
            if operand in self.contents and operand not in self.boxes.formulas:
                yield from self.contents[operand]

    def _leaf(self, node: Node) -> Written:
        text = leaf_text(node)
        if text is not None:
            return Written(text, ())
        title = self.boxes.titles[node] = self._leaf_title(node)
        return Written(Text(title), (node,))

    def _leaf_title(self, node: Node) -> str:
        """A slot of an optimizer, ``adam.m/hidden1.W``, stands beside its parameter and goes by ``m``."""
        if self.parts.phase[node] == UPDATE and node.about.name is not None:
            if sum(x.about.name == node.about.name for x in self.graph.arguments) > 1:
                return str(self.graph.name_of(node))  # a statistic that several layers keep
            return pretty(node.about.name.partition("/")[0].rpartition(".")[2])
        return self.names.get(node) or self._automatic(node)

    def _write(self, node: Node) -> Written:
        operands = self.sums.get(node, node.inputs)
        parts = [self.written[x] for x in operands]
        sizes = "sizes" in node.op.properties  # it reads no value, so no arrow leads to it
        refs = () if sizes else tuple(dict.fromkeys(r for part in parts for r in part.refs))
        if node in self.sums:
            return Written(_sum_text([part.text for part in parts]), refs)
        if (self.brief and is_arrangement(node)) or self._is_again(node):
            self.boxes.silent.add(node)
            return parts[0]
        return Written(formula(node, [part.text for part in parts]), refs)

    def _is_again(self, node: Node) -> bool:
        """Whether what stands inside was put in the same order on other axes before: the last shape says it."""
        inner = node.inputs[0] if node.inputs else node
        same = inner is not node and inner.op is node.op and "rearranges" in node.op.properties
        return same and "axes" not in node.attrs and inner not in self.boxes.titles

    def _stands_inside(self, node: Node, here: Written) -> bool:
        phase = self.parts.phase[node]
        limit = MAX_EQUATION if phase == UPDATE else MAX_INSIDE
        if node in self.roots or node in self.wanted or node.op.role == "random" or len(here.text) > limit:
            return False
        if node.op.joint is not None:  # of several results of one computation each has a name
            return False
        if self._ends_layer(node, here):
            return False
        if self._is_view(node) or self._is_silent(node):
            return True
        if node in self.names if phase == FORWARD else (phase == UPDATE and node.about.name is not None):
            return False
        if self._is_gradient_box(node):
            return False
        short = self.share and len(here.text) <= MAX_SHARED and node not in self.parts.partner
        return self.uses[node] == 1 or short

    def _is_view(self, node: Node) -> bool:
        """A transposed box, or one with other axes of size one, needs no box of its own."""
        view = "view" in node.op.properties and node.about.name is None and node not in self.parts.partner
        return view and (node.inputs[0] in self.boxes.titles or node.inputs[0].op.kind == "leaf")

    def _ends_layer(self, node: Node, here: Written) -> bool:
        """Whether a value with a gradient leaves its layer: that has a box, also where it has no name."""
        path = path_of(self.graph, node)
        boxed = len(here.refs) == 1 and here.text == self.written[here.refs[0]].text
        if not path or self.parts.phase[node] != FORWARD or not self.brief or boxed:
            return False
        paths = [path_of(self.graph, user) for user in self.users.get(node, ())]
        return bool(paths) and node in self.led and not any(p[: len(path)] == path for p in paths)

    def _is_silent(self, node: Node) -> bool:
        """What is written as its operand needs no box beside it, unless it is the gradient of what has a box."""
        partner = self.parts.partner.get(node)
        owned = partner is not None and (partner in self.boxes.formulas or partner.op.kind == "leaf")
        return node in self.boxes.silent and node not in self.names and not owned

    def _is_gradient_box(self, node: Node) -> bool:
        """The gradient of something that has a box, or one that is used more than once."""
        partner = self.parts.partner.get(node)
        if partner is None:
            return False
        return partner in self.boxes.formulas or partner.op.kind == "leaf" or self.uses[node] > 1

    def _title(self, node: Node) -> str:
        partner = self.parts.partner.get(node)
        if partner is not None and partner in self.boxes.titles:
            return self._unused(f"∂{self.boxes.titles[partner]}")
        if node in self.next_of:
            return self.boxes.titles.get(self.next_of[node]) or self._leaf_title(self.next_of[node])
        if self.parts.phase[node] == FORWARD and node in self.names:
            return self.names[node]
        if self.parts.phase[node] == UPDATE and node.about.name is not None:
            return pretty(node.about.name.rpartition(".")[2])
        if "loop" in node.op.properties and (stacked := self._stacked(node)):
            return stacked
        if partner is None and (node.about.name or "").startswith("d_"):
            return self._unused(f"∂{pretty(str(node.about.name)[2:])}")
        return self._automatic(node)

    def _stacked(self, node: Node) -> str:
        """What a loop keeps of each step goes by the name that it has in the loop, if nothing else does."""
        at = node.attrs["result"] - len(node.attrs["next"])
        if at < 0:
            return ""
        value = node.attrs["ys"][at]
        name = value.about.name
        if value.op.role == "arg" and value.attrs["index"] < len(node.attrs["next"]):
            name = f"{node.attrs['names'][value.attrs['index']]}_prev"
        title = pretty(name) if name else ""
        return "" if title in self.boxes.titles.values() or title in self.names.values() else title

    def _unused(self, title: str) -> str:
        """A title that no box has: a gradient of a gradient is primed."""
        while title in self.boxes.titles.values():
            title += "′"
        return title

    def _automatic(self, node: Node) -> str:
        self.boxes.automatic.add(node)
        return self.letter + str(len(self.boxes.automatic)).translate(SUBSCRIPTS)


def _forward_users(graph: Graph, parts: Parts) -> dict[Node, list[Node]]:
    users: dict[Node, list[Node]] = {}
    for node in graph.nodes:
        if parts.phase[node] == FORWARD:
            for x in node.inputs:
                users.setdefault(x, []).append(node)
    return users


def _sums(graph: Graph, parts: Parts, uses: Mapping[Node, int]) -> tuple[dict[Node, Refs], set[Node]]:
    """For each gradient that was added up over uses, its terms; and the partial sums between, which are not shown."""
    sums: dict[Node, Refs] = {}
    partial: set[Node] = set()
    for node in graph.nodes:
        if node in parts.accumulated and node.op.infix == "+":
            sums[node], between = _terms(node, uses, parts)
            partial.update(between)
    return sums, partial


def _terms(node: Node, uses: Mapping[Node, int], parts: Parts) -> tuple[Refs, list[Node]]:
    """The terms of a sum, left to right, through partial sums that nothing else uses (iterative)."""
    terms: list[Node] = []
    between: list[Node] = []
    stack = list(reversed(node.inputs))
    while stack:
        term = stack.pop()
        if term.op is node.op and uses[term] == 1 and term not in parts.partner:
            between.append(term)
            stack.extend(reversed(term.inputs))
        else:
            terms.append(term)
    return tuple(terms), between


def _sum_text(terms: Sequence[Text]) -> Text:
    if len(terms) > MAX_TERMS:
        terms = [terms[0], Text("…"), terms[-1]]
    return Text(" + ".join(t.at_least(ADD) for t in terms), ADD)
