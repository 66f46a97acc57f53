"""Pointwise regions: what lies between products and sums, forward and backward together, in the best form there is.

A region is made of pointwise operations of one shape and dtype. Its forward values keep the form that they have, so
that a model predicts with the bits it was trained with; what only gradients need is computed in whichever form is
cheapest and no less accurate (``symbolic.regions``). Regions without a dear operation in their gradient, and with
nothing else dear to share it with, are left to the rules: there is nothing to gain.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphc.ir.events import Equation, Rebuilt, Region, Rewrite
from graphc.ir.graph import Graph
from graphc.ir.node import Node, rebuild, toposort
from graphc.ir.op import Op
from graphc.ir.provenance import chain_rule_of, gradient_of, history, is_declared
from graphc.ops import CARDS
from graphc.rewrite.driver import Trace, replace
from graphc.rewrite.rule import MEASURED
from graphc.symbolic.regions.choice import Choice, choose
from graphc.symbolic.regions.form import Form, Ref, Step
from graphc.symbolic.regions.prices import DEAR, price

MAX_NODES = 40
MAX_INPUTS = 6

LONG = 12
"""So many operations that only a gradient needs are worth a look although none of them is dear."""

NAME = "pointwise-region"
"""How the trace calls it."""


@dataclass(frozen=True)
class Found:
    """A region of a graph.

    Attributes:
        form: how it is computed.
        inputs: the nodes that it reads.
        kept: the nodes of its first steps.
        outputs: the nodes that may take another form.
        dtype: that of its floats.
    """

    form: Form
    inputs: tuple[Node, ...]
    kept: tuple[Node, ...]
    outputs: tuple[Node, ...]
    dtype: str


def choose_forms(graph: Graph, level: str, trace: Trace) -> Graph:
    """Every region in the form that is cheapest and no less accurate."""
    if level == "exact":
        return graph
    wanted: dict[Node, Node] = {}
    choices: dict[Node, Choice] = {}
    for region in regions_of(graph):
        choice = choose(region.form, region.dtype)
        if choice.form == region.form:
            _note(region, choice, trace)
            continue
        results = choice.form.results(region.inputs, region.dtype, region.kept)
        for old, new in zip(region.outputs, results, strict=True):
            if new is not old and new.type == old.type:
                wanted[old], choices[old] = new, choice
    return _replaced(graph, wanted, choices, trace) if wanted else graph


def _note(region: Found, choice: Choice, trace: Trace) -> None:
    """A region that was looked at and stays as it is says so."""
    if choice.found:
        for node in region.outputs:
            event = Region(str(choice))
            trace.events.append((node, event))
            node.about.record(event)


def _replaced(
    graph: Graph, wanted: Mapping[Node, Node], choices: Mapping[Node, Choice], trace: Trace
) -> Graph:
    """The graph with other nodes in places, each recorded; what a new node needs may itself be replaced."""
    final: dict[Node, Node] = {}
    known = set(graph.nodes)
    stack = list(reversed(graph.nodes))
    while stack:
        node = stack[-1]
        needed = [x for x in (*node.inputs, *_inputs(wanted.get(node))) if x not in final]
        if needed and node not in final:
            stack.extend(needed)
            continue
        stack.pop()
        if node in final:
            continue
        new = rebuild(node, [final[x] for x in node.inputs])
        if new is not node:
            replace(node, new, Rebuilt(node), trace)
        if node in wanted:
            target = wanted[node]
            other = rebuild(target, [final[x] for x in target.inputs])
            if other is not new:
                event = Rewrite(NAME, MEASURED, new, (str(choices[node]),))
                replace(new, other, event, trace, known)
                new = other
        final[node] = new
    return graph.over(final)


def _inputs(node: Node | None) -> tuple[Node, ...]:
    return () if node is None else node.inputs


# -- finding -------------------------------------------------------------------------------------------------------


def regions_of(graph: Graph) -> Iterator[Found]:
    """The regions that are worth a look, in the order of the graph."""
    if sum(_is_dear(node) for node in graph.nodes) < 2:
        return
    forward = _forward(graph)
    read = _read(graph)
    for group in _cores(graph):
        if not _declined(group, forward):
            free = [n for n in group if n not in forward and (n.about.name or read(n, group))]
            yield _found(group, [n for n in group if n in forward], free)


def _declined(group: Collection[Node], forward: Collection[Node]) -> str:
    """Why a region is not worth a look, or the empty text."""
    dear = [node for node in group if _is_dear(node)]
    if len(dear) < 2:
        return "it has no two dear operations that could share anything"
    if all(node in forward for node in dear) and sum(n not in forward for n in group) < LONG:
        return "all of its dear operations belong to the value itself, which keeps the form that it has"
    if any(_is_given(n) for n in group):
        return "it belongs to equations that stand as text, and keep the form in which they were written"
    return ""


def left_alone(graph: Graph) -> list[tuple[tuple[Node, ...], str]]:
    """The pointwise regions with a dear operation that no other forms were looked for, and why."""
    forward = _forward(graph)
    groups = [group for group in _cores(graph) if any(map(_is_dear, group))]
    return [(tuple(group), why) for group in groups if (why := _declined(group, forward))]


def kernels_of(graph: Graph) -> Iterator[Found]:
    """Everything pointwise of a lowered graph in which errors can add up, as it is computed; for measuring."""
    read = _read(graph)
    for group in _cores(graph):
        if len(group) > 1 or any(map(_is_dear, group)):
            yield _found(group, [], [n for n in group if read(n, group)])


def _cores(graph: Graph) -> Iterator[dict[Node, None]]:
    members = {node: None for node in graph.nodes if _is_member(node)}
    return _connected({node: None for group in _connected(members) for node in _core(group)})


def _forward(graph: Graph) -> set[Node]:
    """What is computed whether or not there is a gradient, and what was declared before there was one."""
    tainted: set[Node] = set()
    for node in graph.nodes:
        if any(x in tainted for x in node.inputs) or _is_gradient(node):
            tainted.add(node)
    roots = [*graph.roots, *(node for node in graph.nodes if is_declared(node))]
    return set(toposort([root for root in roots if root not in tainted]))


def _is_gradient(node: Node) -> bool:
    return gradient_of(node) is not None or chain_rule_of(node) is not None


def _is_given(node: Node) -> bool:
    """Whether a node belongs to an equation that graphc holds as text, whose form is the author's."""
    return any(isinstance(event, Equation) for event in history(node, parts=True))


def _is_member(node: Node) -> bool:
    """Whether a node can be part of a region: pointwise, with code, of floats."""
    op = node.op
    if not _has_form(op) or not node.shape or not node.type.is_float:
        return False
    return all(x.dtype in (node.dtype, "bool") for x in node.inputs)


def _is_dear(node: Node) -> bool:
    """Whether a node is a function of floats that costs several sums."""
    floats = _has_form(node.op) and all(x.type.is_float for x in (node, *node.inputs))
    return floats and price(node.op.name, "float32") >= DEAR


def _has_form(op: Op) -> bool:
    """Whether a form can name a card: one of graphc's own, pointwise, with code and without attributes."""
    return op.kind == "pointwise" and CARDS.get(op.name) is op and op.emitted and not op.attrs


def _read(graph: Graph) -> Callable[[Node, Collection[Node]], bool]:
    """Whether something outside of a group reads a node."""
    users: dict[Node, list[Node]] = {node: [] for node in graph.nodes}
    for node in graph.nodes:
        for operand in node.inputs:
            users[operand].append(node)
    roots = set(graph.roots)
    return lambda node, group: node in roots or any(user not in group for user in users[node])


def _connected(members: Collection[Node]) -> Iterator[dict[Node, None]]:
    """Members that belong together, operands first; where they are many, dear operations gather first."""
    group: dict[Node, set[Node]] = {node: {node} for node in members}
    for a, b in sorted(_edges(group), key=lambda edge: not (_is_dear(edge[0]) or _is_dear(edge[1]))):
        if group[a] is not group[b]:
            _unite(group, group[a], group[b])
    ordered: dict[int, dict[Node, None]] = {}
    for node, members in group.items():
        ordered.setdefault(id(members), {})[node] = None
    yield from ordered.values()


def _edges(members: Collection[Node]) -> Iterator[tuple[Node, Node]]:
    """Pairs that belong together: one reads the other, or both read the same."""
    reader: dict[Node, Node] = {}
    for node in members:
        for operand in node.inputs:
            if operand.type == node.type:
                yield operand if operand in members else reader.setdefault(operand, node), node


def _unite(group: dict[Node, set[Node]], first: set[Node], second: set[Node]) -> None:
    if len(first) + len(second) > MAX_NODES:
        return
    large, small = (first, second) if len(first) >= len(second) else (second, first)
    outside = {x for n in (*large, *small) for x in n.inputs if not _is_number(x)} - large - small
    if len(outside) > MAX_INPUTS:
        return
    large |= small
    for node in small:
        group[node] = large


def _is_number(node: Node) -> bool:
    return node.op.role == "const" and node.shape == () and node.type.is_float


def _core(group: Mapping[Node, None]) -> dict[Node, None]:
    """A region without the arithmetic that nothing in it can be combined with.

    A value that one operation alone reads makes its result any number, so that may as well be an input: ``x @ A + b``
    is one. The cotangent that a derivative is multiplied by is no part of the region either. What is left is the same
    for one activation wherever it stands.
    """
    core = dict(group)
    while True:
        readers: dict[Node, set[Node]] = {}
        for node in core:
            for operand in node.inputs:
                readers.setdefault(operand, set()).add(node)
        apart = [n for n in core if not _is_dear(n) and any(_is_alone(x, core, readers) for x in n.inputs)]
        if not apart:
            return core
        for node in apart:
            del core[node]


def _is_alone(operand: Node, core: Mapping[Node, None], readers: Mapping[Node, set[Node]]) -> bool:
    return operand not in core and not _is_number(operand) and len(readers[operand]) == 1


# -- as data -------------------------------------------------------------------------------------------------------


def _found(group: Mapping[Node, None], forward: Sequence[Node], free: Sequence[Node]) -> Found:
    """A region as data, numbered by its structure: names and the order of what commutes have no part in it."""
    order = _Numbering(group)
    forward = sorted(forward, key=lambda n: order.digest[n])
    free = sorted(free, key=lambda n: order.digest[n])
    kept = order.visit(forward)
    steps = (*kept, *order.visit(free))
    place = {node: i for i, node in enumerate((*order.inputs, *steps))}
    kinds = "".join("b" if x.dtype == "bool" else "f" for x in order.inputs)
    made = tuple(_step(node, order, place) for node in steps)
    form = Form(kinds, made, len(kept), tuple(place[n] for n in free))
    return Found(form, tuple(order.inputs), tuple(kept), tuple(free), free[0].dtype)


def _step(node: Node, order: _Numbering, place: Mapping[Node, int]) -> Step:
    refs: list[Ref] = [_constant(x) if _is_number(x) else place[x] for x in order.operands(node)]
    return node.op.name, tuple(refs)


def _constant(node: Node) -> float:
    return float(node.attrs["value"].value[()])


class _Numbering:
    """Members of a region in an order that their structure alone fixes."""

    def __init__(self, group: Mapping[Node, None]) -> None:
        self.group = group
        self.inputs: list[Node] = []
        self.seen: set[Node] = set()
        self.digest: dict[Node, str] = {}
        stack = [*group]
        while stack:  # operands first, whatever the order of the group
            waiting = [x for x in stack[-1].inputs if x in group and x not in self.digest]
            if waiting:
                stack += waiting
                continue
            node = stack.pop()
            for part in (*node.inputs, node):
                self.digest.setdefault(part, self._digest(part))

    def _digest(self, node: Node) -> str:
        if node in self.digest:
            return self.digest[node]
        if node not in self.group:
            return f"const {_constant(node)!r}" if _is_number(node) else node.dtype
        parts = [self.digest[x] for x in node.inputs]
        if "commutative" in node.op.properties:
            parts.sort()
        return hashlib.blake2b(" ".join([node.op.name, *parts]).encode(), digest_size=12).hexdigest()

    def operands(self, node: Node) -> list[Node]:
        """The operands, in an order of their own where it does not matter."""
        if "commutative" in node.op.properties:
            return sorted(node.inputs, key=lambda x: self.digest[x])
        return list(node.inputs)

    def visit(self, roots: Sequence[Node]) -> list[Node]:
        """The members that these need and that were not visited yet, operands first; inputs are numbered on the way."""
        steps: list[Node] = []
        stack = list(reversed(roots))
        while stack:
            node = stack[-1]
            waiting = [x for x in self.operands(node) if x not in self.seen] if node in self.group else []
            if node in self.seen or _is_number(node) or not waiting:
                stack.pop()
                self._take(node, steps)
            else:
                for x in waiting:
                    if _is_number(x):
                        self.seen.add(x)
                stack.extend(x for x in reversed(waiting) if not _is_number(x))
        return steps

    def _take(self, node: Node, steps: list[Node]) -> None:
        if node in self.seen:
            return
        self.seen.add(node)
        if node in self.group:
            steps.append(node)
        elif not _is_number(node):
            self.inputs.append(node)
