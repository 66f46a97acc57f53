"""A program: a compiled graph that can be called, read, exported and pickled. It holds no values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from graphc.codegen.labels import label_inputs
from graphc.codegen.numpy import Source
from graphc.ir.graph import Graph
from graphc.ops.init import name_seed
from graphc.planning.order import Plan
from graphc.rewrite.driver import Trace
from graphc.runtime.arguments import bind_arguments, check_derived, derived_sizes
from graphc.runtime.guards import check_facts
from graphc.runtime.labels import check_labels
from graphc.runtime.load import load_source, refusals


def make_rng(graph: Graph, seed: int) -> dict[str, Any]:
    """A generator for each random site of a graph, from one seed and the sites' names."""
    import numpy as np

    names = [str(graph.name_of(site)) for site in graph.sites]
    return {n: np.random.Generator(np.random.SFC64([seed, name_seed(n)])) for n in names}


class Program:
    """A compiled function.

    Attributes:
        graph: the graph as it runs (simplified and lowered).
        declared: the graph as it was declared; it fixes the arguments.
        plan: the order of its nodes.
        trace: what the passes did.
        checked: in a debug run, the graph whose values are checked at every call.
        resolved: the graph that was simplified: choices by mode made, transitions collected.
        level: which rewrites were allowed.

    Calling it takes arrays by position (inputs, states, params, hypers, each in order of declaration) or by name,
    and returns arrays in the structure of the outputs; with updates, ``(outputs, {leaf name: array})``. Where
    something is random, ``rng`` is a seed or what ``make_rng`` returned.
    """

    def __init__(
        self,
        declared: Graph,
        plan: Plan,
        emitted: Source,
        trace: Trace,
        checked: Graph | None = None,
        resolved: Graph | None = None,
        level: str = "default",
    ) -> None:
        self.checked, self.resolved, self.level = checked, resolved or declared, level
        self.declared, self.graph, self.plan, self.trace = declared, plan.graph, plan, trace
        self.emitted = emitted
        self.derived = derived_sizes(plan.graph)
        self.labels = label_inputs(plan.graph)
        self.function = load_source(emitted.text, emitted.name, emitted.kernels)[emitted.name]

    @property
    def source(self) -> str:
        """The listing that runs."""
        return self.emitted.text

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.emitted.name

    def make_rng(self, seed: int) -> dict[str, Any]:
        """A generator for each random site."""
        return make_rng(self.graph, seed)

    def __call__(self, /, *args: Any, rng: Any = None, **kwargs: Any) -> Any:
        """Run on arrays, by position or by name; see the class."""
        arrays = bind_arguments(self.graph, args, kwargs, self.name)
        if self.derived:
            check_derived(self.graph, self.derived, arrays)
        if self.labels:
            check_labels(self.graph, self.labels, dict(zip(self.graph.arguments, arrays, strict=True)))
        generators = self._generators(rng) if self.graph.sites else None
        if self.checked is not None:
            check_facts(self.checked, arrays, generators)
        if generators is not None:
            arrays.append(generators)
        with refusals():
            values = self.function(*arrays)
        count = len(self.graph.outputs)
        outputs = self.graph.unflatten(values[:count])
        if not self.graph.updates:
            return outputs
        names = [str(self.graph.name_of(leaf)) for leaf, _ in self.graph.updates]
        return outputs, dict(zip(names, values[count:], strict=True))

    def _generators(self, rng: Any) -> Any:
        from graphc.errors import ArgumentError

        if isinstance(rng, Mapping):
            return rng
        if isinstance(rng, int) and not isinstance(rng, bool):
            return self.make_rng(rng)
        names = ", ".join(str(self.graph.name_of(s)) for s in self.graph.sites)
        raise ArgumentError(
            f"{self.name} draws random numbers ({names}) and needs rng",
            given=type(rng).__name__,
            fix="pass rng=0, or keep rng = program.make_rng(0) and pass that",
        )

    def export(self, path: Any) -> Any:
        """Write the listing to a file that needs NumPy alone; returns its path."""
        from graphc.runtime.files import write_text

        return write_text(path, self.source)

    @property
    def report(self) -> Any:
        """Passes, rules, operations, bytes and memory; see ``gx.report``."""
        import graphc

        return graphc.report(self)

    def profile(self, /, *args: Any, rng: Any = None, seconds: float = 0.3, **kwargs: Any) -> Any:
        """Where the time of a call goes, by line, layer and node; see ``gx.profile``."""
        import graphc

        return graphc.profile(self, *args, rng=rng, seconds=seconds, **kwargs)

    def why_not(self, rule: str) -> Any:
        """Why a rewrite rule did not fire here; see ``gx.why_not``."""
        import graphc

        return graphc.why_not(self, rule)

    def blame(self, line: int | str) -> Any:
        """The maths behind a line of the listing; see ``gx.blame``."""
        import graphc

        return graphc.blame(self, line)

    def __repr__(self) -> str:
        names = ", ".join(str(self.graph.name_of(n)) for n in self.graph.arguments)
        return f"<program {self.name}({names}): {len(self.emitted.statements)} statements>"

    def __reduce__(self) -> tuple[Any, ...]:
        from graphc.ir.text import graph_text

        settings = self.plan.layout, self.plan.products, self.plan.reuse_outputs, self.emitted.target
        return _from_text, (graph_text(self.declared), graph_text(self.graph), *settings)


def _from_text(
    declared: str, lowered: str, layout: str, products: bool, reuse_outputs: bool, target: str = "numpy"
) -> Program:
    """A pickled program comes back from the texts of its graphs; nothing else of the pickle is trusted."""
    from graphc.codegen.targets import TARGETS
    from graphc.planning.order import make_plan
    from graphc.symbolic.text import parse

    plan = replace(make_plan(parse(lowered)), layout=layout, products=products, reuse_outputs=reuse_outputs)
    return Program(parse(declared), plan, TARGETS[target][layout](plan), Trace())
