"""The driver: the one place where nodes are replaced, and where every replacement is recorded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, fields
from dataclasses import replace as replace_fields
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from graphc.errors import ShapeError
from graphc.ir.events import Event, Folded, Rebuilt, Rewrite
from graphc.ir.graph import Graph
from graphc.ir.node import Node, rebuild, rebuilt
from graphc.ir.op import Op
from graphc.ir.provenance import record_parts
from graphc.ir.size import product
from graphc.ops import CARDS
from graphc.ops.card import constant
from graphc.ops.evaluate import evaluate
from graphc.ops.shape import broadcast_to
from graphc.rewrite.rule import EXACT, Match, Rule

MAX_ROUNDS = 60
MAX_STEPS_AT_A_NODE = 40
FOLD_LIMIT = 4096


@dataclass(frozen=True)
class PassRun:
    """One pass: its name, its seconds, nodes before and after, how many events it left, and over how many graphs."""

    name: str
    seconds: float
    before: int
    after: int
    events: int = 0
    graphs: int = 1


@dataclass
class Trace:
    """What a run of passes did, in order: pairs of a replaced node and its event; and the passes themselves."""

    events: list[tuple[Node, Event]] = field(default_factory=list)
    passes: list[PassRun] = field(default_factory=list)

    def fired(self) -> dict[str, int]:
        """How often each rule fired."""
        counts: dict[str, int] = {}
        for _, event in self.events:
            if isinstance(event, Rewrite):
                counts[event.rule] = counts.get(event.rule, 0) + 1
        return counts


def summed(passes: Sequence[PassRun]) -> tuple[PassRun, ...]:
    """The passes of several graphs, each name once.

    Example:
        >>> summed([PassRun("clean", 1.0, 9, 8), PassRun("share", 1.0, 8, 8), PassRun("clean", 2.0, 5, 5, 3)])[0]
        PassRun(name='clean', seconds=3.0, before=14, after=13, events=3, graphs=2)
    """
    found: dict[str, PassRun] = {}
    for one in passes:
        old = found.get(one.name, PassRun(one.name, 0.0, 0, 0, 0, 0))
        added = {f.name: getattr(old, f.name) + getattr(one, f.name) for f in fields(PassRun)[1:]}
        found[one.name] = replace_fields(old, **added)
    return tuple(found.values())


def rewrite(graph: Graph, rules: Sequence[Rule], level: str = "default", trace: Trace | None = None) -> Graph:
    """Apply rules until none fires.

    Args:
        graph: any valid graph.
        rules: tried in order at each node, operands first.
        level: which kinds of rules may fire.
        trace: receives every replacement.
    """
    trace = Trace() if trace is None else trace
    candidates = _index(tuple(rules), level)
    for _ in range(MAX_ROUNDS):
        changed = _Round(graph, candidates, trace).run()
        if not changed:
            return graph
        graph = graph.over(changed)
    return graph


Candidates = Callable[[Op, tuple[Op, ...]], tuple[Rule, ...]]
"""The rules that can fire at a node of a card, given the cards of its operands."""


@lru_cache(maxsize=64)
def _index(rules: tuple[Rule, ...], level: str) -> Candidates:
    """The rules that a level allows, found by cards: most nodes have none that could fire."""
    by_card: dict[Op, list[Rule]] = {}
    for rule in rules:
        if not rule.allowed(level):
            continue
        for op in rule.roots(CARDS):
            by_card.setdefault(op, []).append(rule)

    @lru_cache(maxsize=4096)
    def candidates(op: Op, operands: tuple[Op, ...]) -> tuple[Rule, ...]:
        return tuple(rule for rule in by_card.get(op, ()) if rule.may_match(operands))

    return candidates


_nothing: WeakKeyDictionary[Node, set[Rule]] = WeakKeyDictionary()
"""The rules that have nothing for a node whoever uses it: its structure says so, in this pass and in the next."""


def _attempt(rule: Rule, node: Node) -> tuple[Match, Node] | None:
    """What a rule makes of a node, and of which match."""
    match = rule.match(node)
    if match is None or (rule.when is not None and rule.when(match) is not None):
        return None
    result = _typed(rule.instantiate(match), node)
    return None if result is None or result is node else (match, result)


class _Round:
    """One bottom-up walk: rebuild each node over its new operands, then let rules fire at it."""

    def __init__(self, graph: Graph, candidates: Candidates, trace: Trace) -> None:
        self.graph, self.candidates, self.trace = graph, candidates, trace
        self.uses = graph.uses()
        self.changed: dict[Node, Node] = {}

    def run(self) -> dict[Node, Node]:
        """The nodes that became others; most often there is none."""
        for node in self.graph.nodes:
            new = self._rebuilt(node) if self.changed else node
            final = self._settle(new)
            if final is not node:
                self.changed[node] = final
                self.uses[final] = self.uses.get(final, 0) + self.uses[node]
        return self.changed

    def _rebuilt(self, node: Node) -> Node:
        new = rebuild(node, [self.changed.get(x, x) for x in node.inputs])
        if new is not node:
            replace(node, new, Rebuilt(node), self.trace)
        return new

    def _settle(self, node: Node) -> Node:
        for _ in range(MAX_STEPS_AT_A_NODE):
            constant_node = folded(node)
            if constant_node is not None:
                replace(node, constant_node, Folded(node), self.trace)
                return constant_node
            replaced = self._fire(node)
            if replaced is None or replaced is node:
                return node
            node = replaced
        return node

    def _fire(self, node: Node) -> Node | None:
        rules = self.candidates(node.op, tuple([x.op for x in node.inputs]))
        nothing = _nothing.setdefault(node, set()) if rules else ()
        for rule in rules:
            if rule in nothing:
                continue
            found = _attempt(rule, node)
            if found is None:
                if rule.structural:
                    nothing.add(rule)  # type: ignore[union-attr]
                continue
            match, result = found
            if not (rule.grows or self._stays_small(match, result)):
                continue
            facts = (rule.fact,) if rule.fact else ()
            replace(node, result, Rewrite(rule.name, rule.kind, node, facts, rule.ulp), self.trace, self.uses)
            return result
        return None

    def _stays_small(self, match: Match, result: Node) -> bool:
        """A value with several users is not computed twice: no more nodes are added than die."""
        dying = 1 + sum(self.uses.get(x, 1) <= 1 for x in match.inner)
        if dying == 1 + len(match.inner):
            return True
        known = set(match.nodes.values()) | set(match.inner) | {match.root}
        return self._added(result, known) <= dying

    def _added(self, result: Node, known: set[Node]) -> int:
        """How many nodes a replacement brings: the walk ends where the graph is known, so that it stays short."""
        found: set[Node] = set()
        stack = [result]
        while stack:
            node = stack.pop()
            if node not in found and node not in self.uses and node not in known and node.op.kind != "leaf":
                found.add(node)
                stack.extend(node.inputs)
        return len(found)


def share_commuted(graph: Graph, trace: Trace) -> Graph:
    """One node for ``x + y`` and ``y + x``: the one that comes first in the graph."""
    first: dict[Any, Node] = {}
    mapping: dict[Node, Node] = {}
    for node in graph.nodes:
        new = rebuilt(node, [mapping[x] for x in node.inputs])
        if "commutative" in new.op.properties:
            known = first.setdefault((new.op, frozenset(new.inputs)), new)
            if known is not new:
                replace(new, known, Rewrite("commuted", EXACT, new), trace)
                new = known
        mapping[node] = new
    return graph.over(mapping) if any(a is not b for a, b in mapping.items()) else graph


def replace(
    before: Node, after: Node, event: Event, trace: Trace, known: Collection[Node] | None = None
) -> None:
    """Record that one node took the place of another; a leaf carries no events, since it is shared.

    Where the new one brought others with it, these are the ones that are not ``known``.
    """
    trace.events.append((after, event))
    if after.op.kind != "leaf":
        after.about.adopt(before.about)
        after.about.record(event)
        if known is not None:
            record_parts(after, event, known)


def refusal(rule: Rule, node: Node) -> str | None:
    """Why a rule has nothing for a node, or None where it has a replacement; for ``why_not``."""
    match = rule.match(node)
    if match is None:
        return "the pattern is not there"
    reason = rule.when(match) if rule.when is not None else None
    if reason is not None:
        return reason
    result = rule.instantiate(match)
    if result is None or result is node:
        return "what it would compute from here is not there, or is what stands here already"
    return None if _typed(result, node) is not None else "the replacement would have another type"


def _typed(result: Node | None, node: Node) -> Node | None:
    """A replacement of exactly the replaced node's type, or None."""
    if not isinstance(result, Node):
        result = None if result is None else constant(result, node.dtype)
    if result is None or result.type == node.type:
        return result
    if result.dtype != node.dtype:
        return None
    try:
        return broadcast_to(result, node.shape)
    except ShapeError:
        return None


def folded(node: Node) -> Node | None:
    """The constant that an operation on constants is, unless it would be larger than what it is made of."""
    if not node.inputs or not node.op.emitted:
        return None
    for operand in node.inputs:
        if operand.op.role != "const":
            return None
    if node.op.block is not None:
        return None  # a loop may be long, and its length a size that only a call knows
    count: Any = product(node.shape)
    room = max(16, sum(x.attrs["value"].value.size for x in node.inputs))
    if not all(isinstance(d, int) for d in node.shape) or count > min(room, FOLD_LIMIT):
        return None  # a size that is known at run time (times 0, a count is known all the same)
    with np.errstate(all="ignore"):
        return constant(evaluate(node, [x.attrs["value"].value[()] for x in node.inputs]), node.dtype)
