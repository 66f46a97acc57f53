"""From an optimizer to the functions of a model's update: one for each link, however many parameters it serves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from graphc.codegen.names import MODULE_RESERVED, RESERVED, identifier
from graphc.codegen.numpy import function_of
from graphc.codegen.update import DrivenPlan, LinkPlan, Served, TotalPlan, UpdatePlan
from graphc.ir.events import Equation
from graphc.ir.graph import Graph
from graphc.ir.node import Node
from graphc.ir.provenance import unexplained
from graphc.ir.size import product
from graphc.ir.types import Type
from graphc.optim.graphs import (
    COUNTER,
    link_arguments,
    link_graph,
    shared_arguments,
    shared_graph,
    total_graph,
)
from graphc.optim.link import Link, Total
from graphc.optim.optimizer import Optimizer
from graphc.optim.rule import OWN
from graphc.optim.schedule import Schedule
from graphc.planning.order import Plan
from graphc.rewrite.driver import Trace
from graphc.stages import plan, simplify


def update_plan(
    declared: Graph, trained: Sequence[Node], optimizer: Optimizer, level: str, trace: Trace
) -> UpdatePlan:
    """The functions of an update, and what its slots start from."""
    types = {str(declared.name_of(p)): p.type for p in trained}
    planner = _Planner(optimizer, types, level, trace)
    driven = planner.driven()
    return UpdatePlan(
        tuple(planner.link(link) for link in optimizer.links),
        tuple(types),
        {name: f"np.{start.dtype}({start.item()!r})" for name, start in optimizer.shared_start().items()},
        {slot: (p, start) for p in types for slot, start in optimizer.slot_start(p).items()},
        {name: (planner.variables[name], value) for name, value in optimizer.hypers().items()},
        driven,
        COUNTER,
    )


def _by_element(node: Node) -> bool:
    """Whether each element of a value comes from that element of its operands, or from numbers, alone."""
    return node.op.kind in ("leaf", "pointwise") or all(x.shape == () for x in (node, *node.inputs))


def _code(plan: Plan) -> tuple[str, ...]:
    """What a function computes, as text: that of a vector and that of a matrix may differ."""
    return tuple(s.expression for s in function_of(plan, "", comments=False).statements)


class _Planner:
    """Plans graphs; functions get names of their own."""

    def __init__(self, optimizer: Optimizer, types: dict[str, Type], level: str, trace: Trace) -> None:
        self.optimizer, self.types, self.level, self.trace = optimizer, types, level, trace
        self.taken = {*MODULE_RESERVED, *RESERVED, *OWN}
        self.variables = {
            name: name if name == "lr" else self._name(identifier(name)) for name in optimizer.hypers()
        }
        self.values = {
            name: name if name == "lr" else self._name(identifier(name)) for name in optimizer.schedules
        }

    def driven(self) -> tuple[DrivenPlan, ...]:
        """A function for each schedule."""
        return tuple(self._driven(name, made) for name, made in self.optimizer.schedules.items())

    def _driven(self, name: str, made: Schedule) -> DrivenPlan:
        function = self._name(f"{self.values[name]}_schedule")
        return DrivenPlan(
            self.values[name],
            made.text,
            self._planned(made.graph(name=function)),
            tuple(self.variables[f"{name}.{key}"] for key in made.coefficients),
            self.variables["rate_factor"] if name == "lr" else "",
        )

    def link(self, link: Link) -> LinkPlan:
        """One link for the parameters that it is for."""
        rate = self.optimizer.rate
        totals = tuple(self._total(link, total) for total in link.totals)
        served = self._served(
            link, link.name, lambda kind, name: link_graph(link, kind.shape, kind.dtype, rate, name)
        )
        return LinkPlan(
            link.name,
            link.equation,
            served,
            link_arguments(link),
            link.changed,
            self._shared(link) if link.shared else None,
            totals,
            link.counts,
            link.every,
            {name: self.values[f"{link.name}.{name}"] for name in link.driven},
            link.seed,
            self._vector(link, served),
        )

    def _vector(self, link: Link, served: Sequence[Served]) -> Plan | None:
        """The link for all parameters in one vector; None where it is not for all of them alike, element by element."""
        dtypes = {kind.dtype for kind in self.types.values()}
        if len(dtypes) != 1 or len(served) != 1 or served[0].params != tuple(self.types):
            return None
        if link.totals or link.every > 1 or link.seed is not None:
            return None
        count = sum(int(str(product(kind.shape))) for kind in self.types.values())
        found = self._planned(link_graph(link, (count,), dtypes.pop(), self.optimizer.rate, link.name))
        read = {str(found.graph.name_of(leaf)) for leaf in found.graph.arguments}
        if not read.issuperset(link.changed) or any(x.op.kind == "leaf" for x in found.graph.outputs):
            return None  # a slot that is only written, or that takes what another held
        plans = (found, served[0].plan)
        alike = _code(found) == _code(served[0].plan)
        return found if alike and all(_by_element(n) for p in plans for n in p.graph.nodes) else None

    def _total(self, link: Link, total: Total) -> TotalPlan:
        def graph(kind: Type, name: str) -> Graph:
            return total_graph(link, total, kind.shape, kind.dtype, name)

        functions = self._served(link, f"{link.name}_{total.name}_of", graph)
        return TotalPlan(total.name, total.equation, functions, total.combine)

    def _shared(self, link: Link) -> tuple[Plan, tuple[str, ...], tuple[str, ...]]:
        planned = self._planned(shared_graph(link, self.optimizer.rate, self._name(f"{link.name}_shared")))
        return planned, shared_arguments(link), link.shared_names

    def _served(self, link: Link, name: str, graph: Callable[[Type, str], Graph]) -> tuple[Served, ...]:
        """The graph once for all parameters whose code comes out the same."""
        by_type: dict[Type, list[str]] = {}
        for param, kind in self.types.items():
            if link.matches(param):
                by_type.setdefault(kind, []).append(param)
        by_text: dict[tuple[str, ...], list[str]] = {}
        graphs: dict[tuple[str, ...], Type] = {}
        for kind, members in by_type.items():
            key = function_of(self._planned(graph(kind, name)), "", comments=False).lines
            graphs.setdefault(key, kind)
            by_text.setdefault(key, []).extend(members)
        order = list(self.types)
        return tuple(
            Served(
                self._planned(graph(graphs[key], self._name(name))), tuple(sorted(members, key=order.index))
            )
            for key, members in by_text.items()
        )

    def _planned(self, graph: Graph) -> Plan:
        """The plan of a graph that an equation of the optimizer gave."""
        for node in unexplained(graph.nodes):
            node.about.record(Equation(graph.name))
        return plan(simplify(graph, self.level, self.trace), self.level, self.trace)

    def _name(self, wish: str) -> str:
        name, number = wish, 1
        while name in self.taken:
            number += 1
            name = f"{wish}_{number}"
        self.taken.add(name)
        return name
