"""The passes, as one literal tuple. Each takes a valid graph to a valid graph with the same outputs."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from graphc.ir.graph import Graph
from graphc.rewrite.bodies import everywhere, tidy
from graphc.rewrite.driver import PassRun, Trace, rewrite, share_commuted
from graphc.rewrite.lower import lower, lower_for_gradient
from graphc.rewrite.regions import choose_forms
from graphc.rewrite.rules import rules_of

Pass = Callable[[Graph, str, Trace], Graph]


def clean(graph: Graph, level: str, trace: Trace) -> Graph:
    """Constants, signs, units and shapes."""
    return rewrite(graph, rules_of("clean"), level, trace)


def stabilise(graph: Graph, level: str, trace: Trace) -> Graph:
    """Stable forms, each of which may uncover another once the graph is clean again."""
    return rewrite(graph, (*rules_of("clean"), *rules_of("stabilise")), level, trace)


def save_cost(graph: Graph, level: str, trace: Trace) -> Graph:
    """What only saves time."""
    return rewrite(graph, (*rules_of("clean"), *rules_of("stabilise"), *rules_of("cost")), level, trace)


def factor(graph: Graph, level: str, trace: Trace) -> Graph:
    """Common factors, once every sum has the terms that it will have; then what they make possible."""
    found = rewrite(graph, rules_of("factor"), level, trace)
    phases = ("clean", "stabilise", "cost", "factor") if found is not graph else ()
    return rewrite(found, tuple(rule for phase in phases for rule in rules_of(phase)), level, trace)


def share(graph: Graph, level: str, trace: Trace) -> Graph:
    """``x y`` and ``y x`` are computed once; operands that are one by now may save more."""
    shared = share_commuted(graph, trace)
    while shared is not graph:
        graph = save_cost(shared, level, trace)
        shared = share_commuted(graph, trace)
    return graph


def write_plainly(graph: Graph, level: str, trace: Trace) -> Graph:
    """Stable forms that a known range makes needless, now that nothing will be differentiated any more."""
    return rewrite(graph, rules_of("plain"), level, trace)


def leave_loops(graph: Graph, level: str, trace: Trace) -> Graph:
    """What need not be done at every step of a loop is done once, over all steps; it pays like ``leave_early``."""
    return rewrite(graph, rules_of("loops"), level, trace)


def leave_early(graph: Graph, level: str, trace: Trace) -> Graph:
    """What a loop need not wait for is computed before it; it pays where large arrays are there before."""
    return rewrite(graph, rules_of("early"), level, trace)


def to_code(graph: Graph, level: str, trace: Trace) -> Graph:
    """Cards without code become their bodies."""
    return lower(graph, trace)


def guard(graph: Graph, level: str, trace: Trace) -> Graph:
    """Forms that only the code needs, where values may be infinite."""
    return rewrite(graph, rules_of("code"), level, trace)


def use_buffers(graph: Graph, level: str, trace: Trace) -> Graph:
    """Fewer passes over arrays, where code writes into buffers."""
    return rewrite(graph, rules_of("buffers"), level, trace)


def shorten(graph: Graph, level: str, trace: Trace) -> Graph:
    """Fewer calls, in a small step where sums may be reassociated."""
    return rewrite(graph, rules_of("laid"), level, trace)


def to_derivable(graph: Graph, level: str, trace: Trace) -> Graph:
    """Cards without a derivative become their bodies."""
    return lower_for_gradient(graph, trace)


BEFORE_GRADIENT: tuple[Pass, ...] = (clean, stabilise, to_derivable, stabilise)
"""What happens between an output and what it is differentiated by, before the sweep."""

SIMPLIFY: tuple[Pass, ...] = (clean, stabilise, save_cost, factor, share)
"""What ``gx.simplify`` does, and ``compile`` on all outputs together."""

TO_CODE: tuple[Pass, ...] = (write_plainly, to_code, guard, clean, choose_forms, clean)
"""What follows once nothing will be differentiated any more."""

BEFORE_BUFFERS: tuple[Pass, ...] = (write_plainly, to_code, leave_loops, leave_early)
"""What comes before ``TO_CODE`` where code writes into buffers."""

FOR_BUFFERS: tuple[Pass, ...] = (use_buffers,)
"""What the planned layout does besides."""

FOR_LAYOUT: tuple[Pass, ...] = (shorten,)
"""What a step does besides that is stored features × batch."""

PASSES: dict[str, Pass] = {
    step.__name__: step
    for step in (
        clean,
        stabilise,
        save_cost,
        factor,
        share,
        write_plainly,
        to_code,
        leave_loops,
        leave_early,
        guard,
        choose_forms,
        use_buffers,
        shorten,
        to_derivable,
    )
}
"""Every pass by its name."""

GROUPS: dict[str, tuple[Pass, ...]] = {
    "simplify": SIMPLIFY,
    "code": TO_CODE,
    "buffers": FOR_BUFFERS,
    "layout": FOR_LAYOUT,
    "gradient": BEFORE_GRADIENT,
}
"""The passes that go together, by name."""


def run(graph: Graph, passes: tuple[Pass, ...], level: str, trace: Trace | None = None) -> Graph:
    """The passes, one after the other, each over the graph and the bodies in it."""
    trace = Trace() if trace is None else trace
    for step in passes:
        start, before, events = perf_counter(), len(graph.nodes), len(trace.events)
        graph = everywhere(graph, lambda body, step=step: step(body, level, trace))  # type: ignore[misc]
        graph = tidy(graph, trace.events)
        seconds, made = perf_counter() - start, len(trace.events) - events
        trace.passes.append(PassRun(step.__name__, seconds, before, len(graph.nodes), made))
    return graph
