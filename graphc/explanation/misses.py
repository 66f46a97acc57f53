"""Why a rule did not fire: the places where it came nearest, and what was missing there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphc.errors import ArgumentError
from graphc.explanation.fused import FUSIONS, STRIPS, Fused, fused_regions, fused_runs
from graphc.explanation.near import Near, compared
from graphc.explanation.words import called, declared_at, expression, title
from graphc.ir.events import Event, Lowered, Rewrite
from graphc.ir.graph import Graph, graph_of, unknown_name
from graphc.ir.node import Node, engine
from graphc.ops import CARDS
from graphc.planning.order import Plan
from graphc.rewrite.driver import Trace
from graphc.rewrite.driver import refusal as driver_refusal
from graphc.rewrite.rule import LEVELS, MAX_ULP, Rule, check_level
from graphc.rewrite.rules import RULES
from graphc.runtime.program import Program
from graphc.stages import emit, plan, resolve, simplify

SHOWN = 5
"""Misses that are told; the rest are counted."""


@dataclass(frozen=True)
class Miss:
    """One place where a rule nearly fired.

    Attributes:
        node: where.
        text: the expression there.
        reason: what was missing.
        declared: the user's line, or the empty text.
        matched: how many parts of the pattern were there.
        parts: how many the pattern has.
    """

    node: Node
    text: str
    reason: str
    declared: str
    matched: float
    parts: int


@dataclass(frozen=True)
class WhyNot:
    """What became of a rule in a graph; ``print`` shows it.

    Attributes:
        rule: the rule.
        level: the level at which the graph was compiled.
        forbidden: why the level does not allow the rule, or the empty text.
        fired: what it replaced, and by what.
        misses: where it nearly fired, the nearest first.
        found: how many such places there are.
    """

    rule: Rule
    level: str
    forbidden: str
    fired: tuple[tuple[Node, Node], ...]
    misses: tuple[Miss, ...]
    found: int

    def __str__(self) -> str:
        lines = [str(self.rule)]
        lines += [f"needs: {self.rule.fact}"] if self.rule.fact else []
        lines += [self.forbidden] if self.forbidden else []
        if self.fired:
            lines.append(f"fired {_times(len(self.fired))}:")
            lines += [f"  {title(before)}  →  {expression(after)}" for before, after in self.fired[:SHOWN]]
        lines += self._missed()
        return "\n".join(lines)

    __repr__ = __str__

    def _missed(self) -> list[str]:
        if not self.misses:
            start = self.rule.left.op.name if self.rule.left is not None else ""
            nothing = f"no {start} in this graph, where the rule begins" if start else "no place for it here"
            return [] if self.fired else [nothing]
        lines = ["did not fire at:" if self.fired else "did not fire; nearest:"]
        for miss in self.misses:
            lines.append(f"  {miss.text}")
            lines.append(f"      {miss.reason}")
            lines += [f"      {miss.declared}"] if miss.declared else []
        more = self.found - len(self.misses)
        return [*lines, f"  and {more} more, further off"] if more else lines


def why_not(what: Any, rule: Any, level: str | None = None, mode: str = "train") -> WhyNot | Fused:
    """Why a rewrite rule did not fire: the nearest misses, each with the condition that failed.

    ``pointwise-region`` and ``strips`` are no rules but known here as well: what was put together, and what was not.

    Args:
        what: a program, a model (its loss with all gradients), a graph, or the outputs of one.
        rule: the name of a rule (docs/rules.md has them all). The two may be exchanged: ``why_not("cancel", y)``.
        level: ``exact``, ``default`` or ``fast``; a program was compiled at one already.
        mode: ``train`` or ``eval``, for a graph with a choice by mode.

    Raises:
        UnknownNameError: no rule of this name; the message has the nearest.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> gx.why_not(gx.exp(gx.log(x)), "exp-log").misses[0].reason
        'x is not known to be at least 0: it is in [-inf, inf]'
    """
    if isinstance(what, str):
        what, rule = rule, what
    if isinstance(rule, str) and rule in FUSIONS:
        return _fused(what, rule, level, mode)
    wanted = rule_named(rule)
    seen, trace, used = _everything(what, level, mode)
    fired = [(e.before, n) for n, e in trace.events if isinstance(e, Rewrite) and e.rule == wanted.name]
    with engine():
        misses = _misses(wanted, seen, trace, {before for before, _ in fired})
    return WhyNot(wanted, used, _forbidden(wanted, used), tuple(fired), tuple(misses[:SHOWN]), len(misses))


def _fused(what: Any, name: str, level: str | None, mode: str) -> Fused:
    """What became of regions or strips in a program, a model or a graph."""
    if name == STRIPS and not isinstance(what, Program) and hasattr(what, "report"):
        found = what.report()
        return fused_runs(found.runs, found.layout)
    if isinstance(what, Program):
        made, trace, used = what.plan, what.trace, what.level
        runs = what.emitted.runs
    else:
        _, trace, used, made = _compiled(what, level, mode)
        runs = emit(made).runs if name == STRIPS else ()
    return fused_runs(runs, made.layout) if name == STRIPS else fused_regions(made.graph, trace, used)


def rule_named(name: Any) -> Rule:
    """The rule of this name.

    Raises:
        UnknownNameError: there is none; the message has the nearest.
        ArgumentError: the name is no text.
    """
    if not isinstance(name, str):
        raise ArgumentError("a rule goes by its name", given=type(name).__name__, fix='such as "cancel"')
    table = {rule.name: rule for rule in RULES}
    if name not in table:
        raise unknown_name(name, list(table), "rule")
    return table[name]


def _everything(what: Any, level: str | None, mode: str) -> tuple[list[Node], Trace, str]:
    """Every node that the passes saw, what they did, and the level."""
    if isinstance(what, Program):
        if level not in (None, what.level):
            raise ArgumentError("this program was compiled already", given=level, expected=what.level)
        return _seen([what.resolved, what.graph], what.trace), what.trace, what.level
    graph, trace, used, made = _compiled(what, level, mode)
    return _seen([graph, made.graph], trace), trace, used


def _compiled(what: Any, level: str | None, mode: str) -> tuple[Graph, Trace, str, Plan]:
    """A model, a graph or outputs: before and after the passes, what they did, and the level."""
    model = hasattr(what, "training_graph")
    used = level or (what.level if model else "default")
    check_level(used)
    trace = Trace()
    declared = what.training_graph() if model else what
    graph = resolve(declared if isinstance(declared, Graph) else graph_of(declared), mode)
    return graph, trace, used, plan(simplify(graph, used, trace), used, trace, layout="planned")


def _seen(graphs: Sequence[Graph], trace: Trace) -> list[Node]:
    found = dict.fromkeys(node for graph in graphs for node in graph.nodes)
    for after, event in trace.events:
        found[getattr(event, "before", after)] = None
        found[after] = None
    return list(found)


def _forbidden(rule: Rule, level: str) -> str:
    if rule.allowed(level):
        return ""
    if rule.kind not in LEVELS[level]:
        return f"level {level} allows no rule of kind {rule.kind}"
    return f"level {level} allows at most {MAX_ULP[level]:g} ulp, and this rule may be {rule.ulp:g} off"


def _misses(rule: Rule, nodes: Iterable[Node], trace: Trace, fired: set[Node]) -> list[Miss]:
    """The places, nearest first; of several that read alike, one."""
    roots = set(rule.roots(CARDS))
    gone = _replaced(trace)
    found: dict[tuple[str, str], Miss] = {}
    for node in nodes:
        if node.op in roots and node not in fired:
            near = compared(rule, node)
            reason = near.problem or _refused(rule, near, node, gone)
            if reason:
                miss = Miss(node, title(node), reason, declared_at(node), near.matched, near.parts)
                found.setdefault((miss.text, miss.reason), miss)
    return sorted(found.values(), key=lambda m: (m.parts - m.matched, -m.matched))


def _refused(rule: Rule, near: Near, node: Node, gone: Mapping[Node, Event]) -> str:
    """Why a rule whose pattern is there did not fire."""
    refused = driver_refusal(rule, node)
    if refused:
        return refused + _standing(near)
    event = gone.get(node)
    if isinstance(event, Rewrite):
        return f"{event.rule} came first, and made it something else"
    if isinstance(event, Lowered):
        return "it became its body before the rule was tried"
    if not rule.grows:
        return "a part of it is used elsewhere too, and would be computed twice"
    return ""


def _standing(near: Near) -> str:
    """What the holes stand for, where that is not plain."""
    pairs = [f"{hole} is {expression(node)}" for hole, node in near.nodes.items() if called(node) != hole]
    return f" ({', '.join(pairs)})" if pairs else ""


def _replaced(trace: Trace) -> dict[Node, Event]:
    found: dict[Node, Event] = {}
    for _, event in trace.events:
        if isinstance(event, (Rewrite, Lowered)):
            found.setdefault(event.before, event)
    return found


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
