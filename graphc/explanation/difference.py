"""What lies between two stages: nodes that came, went, or were replaced, and by which rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graphc.ir.events import Event, Lowered, Rewrite
from graphc.ir.graph import Graph, graph_of
from graphc.ir.node import Node, freeze
from graphc.ir.text import node_ids, node_lines
from graphc.ir.walk import deep_toposort
from graphc.planning.order import Plan
from graphc.runtime.program import Program


@dataclass(frozen=True)
class Change:
    """A node that another stands for.

    Attributes:
        before: its line in the text of the first graph.
        after: the line of what stands for it.
        reasons: the rules that did it, in order; empty where only operands changed.
    """

    before: str
    after: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """What lies between two graphs; ``print`` shows it.

    Attributes:
        names: what the graphs are called.
        counts: how many nodes each has.
        same: how many nodes both have.
        replaced: nodes that a rule replaced.
        changed: nodes of one name that are computed otherwise, and no rule is known to have done it.
        rebuilt: nodes whose operation is the same over operands that changed.
        removed: lines of nodes that only the first graph has.
        added: lines of nodes that only the second graph has.
        outputs: whether the outputs are the same nodes.
    """

    names: tuple[str, str]
    counts: tuple[int, int]
    same: int
    replaced: tuple[Change, ...]
    changed: tuple[Change, ...]
    rebuilt: tuple[Change, ...]
    removed: tuple[str, ...]
    added: tuple[str, ...]
    outputs: bool

    @property
    def empty(self) -> bool:
        """Whether both are the same program."""
        lists = (self.replaced, self.changed, self.rebuilt, self.removed, self.added)
        return self.outputs and not any(lists)

    def __str__(self) -> str:
        a, b = self.counts
        if self.empty:
            return f"no difference: {self.same} nodes are the same"
        lines = [f"{a} nodes before, {b} after; {self.same} are the same"]
        lines += _section("replaced by a rule", [_pair(c) for c in self.replaced])
        lines += _section("changed", [_pair(c) for c in self.changed])
        lines += self._rebuilt()
        lines += _section("removed", [f"  - {line}" for line in self.removed])
        lines += _section("added", [f"  + {line}" for line in self.added])
        if not any((self.replaced, self.changed, self.rebuilt, self.removed, self.added)):
            lines.append("the nodes are the same, but not what is returned")
        return "\n".join(lines)

    __repr__ = __str__

    def _rebuilt(self) -> list[str]:
        """Lines that changed are shown; those that read as before are counted."""
        shown = [_pair(c) for c in self.rebuilt if c.before != c.after]
        alike = len(self.rebuilt) - len(shown)
        shown += [f"    {alike} more, whose lines read as before"] if alike else []
        return ["", f"the same over changed operands ({len(self.rebuilt)}):", *shown] if self.rebuilt else []


def _section(heading: str, entries: list[str]) -> list[str]:
    return ["", f"{heading} ({len(entries)}):", *entries] if entries else []


def _pair(change: Change) -> str:
    reason = f"\n      by {', then '.join(change.reasons)}" if change.reasons else ""
    return f"  - {change.before}\n  + {change.after}{reason}"


def changes(before: Any, after: Any) -> Difference:
    """What lies between two stages or graphs: nodes removed, added, and replaced, and by which rule.

    (``gx.diff`` is the difference of neighbouring elements, as in NumPy.)


    Nodes are the same where the same operation stands over the same operands, leaves where they have the same role,
    name and type; so graphs that were read from text can be compared as well.

    Args:
        before: a graph, outputs, a plan, or a program (then its graph as it runs).
        after: likewise.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> program = gx.compile(gx.log(1 + x))
        >>> print(gx.changes(program.declared, program))
        4 nodes before, 2 after; 1 are the same
        <BLANKLINE>
        replaced by a rule (1):
          - %_log = log(%_add) : float32[n]
          + %_log1p = log1p(%x) : float32[n]
              by log1p (stable)
        <BLANKLINE>
        removed (2):
          - %_1.0 = const(1.0) : float32[]
          - %_add = add(%_1.0, %x) : float32[n]
    """
    first, second = _graph(before), _graph(after)
    return _Comparison(first, second, _successors(second, before, after)).result()


def _graph(what: Any) -> Graph:
    if isinstance(what, (Program, Plan)):
        return what.graph
    return what if isinstance(what, Graph) else graph_of(what)


Successors = Mapping[Node, list[tuple[Node, Event]]]


def _successors(graph: Graph, *sides: Any) -> Successors:
    """What took the place of a node: from the trace of a program, and from the events on the nodes themselves."""
    pairs = [pair for side in sides if isinstance(side, Program) for pair in side.trace.events]
    queue = list(_nodes(graph))
    seen = set(queue)
    for node in queue:
        for event in node.about.events:
            before = getattr(event, "before", None)
            if before is not None:
                pairs.append((node, event))
                if before not in seen:
                    seen.add(before)
                    queue.append(before)
    found: dict[Node, list[tuple[Node, Event]]] = {}
    for node, event in pairs:
        before = getattr(event, "before", None)
        if before is not None and before is not node:
            found.setdefault(before, []).append((node, event))
    return found


class _Comparison:
    """Two graphs, node by node."""

    def __init__(self, before: Graph, after: Graph, successors: Successors) -> None:
        self.before, self.after, self.successors = before, after, successors
        numbers: dict[Any, int] = {}
        self.classes = [_classes(graph, numbers) for graph in (before, after)]
        self.lines = [node_lines(before), node_lines(after)]
        self.mine = {number: node for node, number in self.classes[1].items()}
        known = set(self.classes[0].values())
        self.gone = [n for n, k in self.classes[0].items() if k not in self.mine]
        self.new = {n: None for n, k in self.classes[1].items() if k not in known}

    def result(self) -> Difference:
        replaced, rebuilt, removed = self._traced()
        named, removed = self._by_name(removed)
        changed = [change for change, same in named if not same]
        rebuilt += [change for change, same in named if same]
        outputs = [
            [classes[x] for x in graph.roots]
            for graph, classes in zip((self.before, self.after), self.classes, strict=True)
        ]
        return Difference(
            (self.before.name, self.after.name),
            (len(self.classes[0]), len(self.classes[1])),
            len(self.classes[0]) - len(self.gone),
            tuple(replaced),
            tuple(changed),
            tuple(rebuilt),
            tuple(self.lines[0][n] for n in removed),
            tuple(self.lines[1][n] for n in self.new),
            outputs[0] == outputs[1] and self.before.form == self.after.form,
        )

    def _traced(self) -> tuple[list[Change], list[Change], list[Node]]:
        """What events say: nodes that rules replaced, nodes that were rebuilt, and those of which nothing is known."""
        replaced: list[Change] = []
        rebuilt: list[Change] = []
        left: list[Node] = []
        for node in self.gone:
            found = self._successor(node)
            if found is None:
                left.append(node)
                continue
            target, reasons = found
            self.new.pop(target, None)
            change = Change(self.lines[0][node], self.lines[1][target], reasons)
            (replaced if reasons else rebuilt).append(change)
        return replaced, rebuilt, left

    def _successor(self, node: Node) -> tuple[Node, tuple[str, ...]] | None:
        """The nearest node of the second graph that events lead to, and the rules on the way."""
        queue: list[tuple[Node, tuple[str, ...]]] = [(node, ())]
        seen = {node}
        for current, reasons in queue:
            if current is not node and current in self.classes[1]:
                return current, reasons
            for follower, event in self.successors.get(current, ()):
                if follower not in seen:
                    seen.add(follower)
                    queue.append((follower, (*reasons, *_reason(event))))
        return None

    def _by_name(self, gone: Iterable[Node]) -> tuple[list[tuple[Change, bool]], list[Node]]:
        """Where nothing is known, what goes by the same name in both, and whether the operation is the same."""
        ids = [node_ids(self.before), node_ids(self.after)]
        named = {ids[1][n]: n for n in self.new}
        pairs, left = [], []
        for node in gone:
            other = named.get(ids[0][node])
            if other is None:
                left.append(node)
            else:
                del self.new[other]
                change = Change(self.lines[0][node], self.lines[1][other])
                pairs.append((change, _operation(node) == _operation(other)))
        return pairs, left


def _operation(node: Node) -> tuple[str, str]:
    return node.op.name, str({k: v for k, v in node.attrs.items() if not isinstance(v, Node)})


def _reason(event: Event) -> tuple[str, ...]:
    if isinstance(event, Rewrite):
        facts = f": {'; '.join(event.facts)}" if event.facts else ""
        return (f"{event.rule} ({event.kind}{facts})",)
    return ("its body",) if isinstance(event, Lowered) else ()


def _nodes(graph: Graph) -> list[Node]:
    leaves = [leaf for leaf, _ in graph.updates]
    return deep_toposort([*graph.arguments, *graph.sites, *leaves, *graph.roots])


def _classes(graph: Graph, numbers: dict[Any, int]) -> dict[Node, int]:
    """A number for each node, the same for the same computation over leaves of the same names."""
    found: dict[Node, int] = {}
    for node in _nodes(graph):
        name = graph.name_of(node) if node.op.kind == "leaf" and node.op.role != "const" else None
        attrs = tuple((k, _frozen(v, found)) for k, v in node.attrs.items() if k != "init" and k != "name")
        key = (node.op.name, name, str(node.type), tuple(found[x] for x in node.inputs), attrs)
        found[node] = numbers.setdefault(key, len(numbers))
    return found


def _frozen(value: Any, classes: Mapping[Node, int]) -> Any:
    if isinstance(value, Node):
        return "node", classes[value]
    if isinstance(value, tuple):
        return tuple(_frozen(part, classes) for part in value)
    return freeze(value)
