"""The links of an optimizer as graphs: one function for each, and all of them over actual gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graphc.ir.graph import Graph, graph_of
from graphc.ir.node import Node, engine
from graphc.ops.arith import maximum
from graphc.ops.compare import equal, where
from graphc.ops.leaves import hyper, input, state
from graphc.ops.random import normal
from graphc.ops.rounding import remainder
from graphc.ops.shape import astype
from graphc.optim.link import Link, Total
from graphc.optim.schedule import Schedule
from graphc.symbolic.formulas import formula_names

DEFAULT_RATE = 0.01

COUNTER = "schedule.step"
"""The slot that counts the steps of schedules, from 0."""


def rate_node(rate: float | Schedule | None, dtype: str) -> Node:
    """The rate as an argument, in the dtype of what it scales."""
    return hyper("lr", rate if isinstance(rate, float) else DEFAULT_RATE, dtype)


def link_arguments(link: Link) -> tuple[str, ...]:
    """What the function of a link takes: of what its lines read, the parameter first and the rate last."""
    noise = () if link.seed is None else ("z",)
    carried = ("theta", "g", *link.slot_names, *noise, "t", *link.shared_names)
    names = (*carried, *(total.name for total in link.totals), *link.driven, "lr")
    return tuple(name for name in names if name in link.reads)


def link_graph(
    link: Link, shape: tuple[Any, ...], dtype: str, rate: float | Schedule | None, name: str
) -> Graph:
    """The lines of a link for a parameter of one shape: from ``link_arguments`` to what the link changes."""
    with engine():
        leaves = {n: _argument(link, n, shape, dtype, rate) for n in link_arguments(link)}
        after = link.step(leaves, dtype)
        if "t" in leaves:
            astype(leaves["t"], "float64").named("steps")
        outputs = [_result(after[n], f"{n}_next") for n in link.changed]
        for target in dict.fromkeys(target for target, _ in link.lines):
            if target not in link.carried and isinstance(after[target], Node):
                _result(after[target], target)
        return _function(outputs, leaves, name)


def total_graph(link: Link, total: Total, shape: tuple[Any, ...], dtype: str, name: str) -> Graph:
    """What one parameter brings to a total, from those of theta and g that it reads."""
    with engine():
        leaves = {n: _argument(link, n, shape, dtype, None) for n in total_arguments(total)}
        return _function([_result(link.total(total, leaves, dtype), total.name)], leaves, name)


def total_arguments(total: Total) -> tuple[str, ...]:
    """What the function of a total takes."""
    return tuple(n for n in ("theta", "g") if n in formula_names(total.formula))


def shared_graph(link: Link, rate: float | Schedule | None, name: str) -> Graph:
    """The next values of what all parameters share, from their values, the step and the rate."""
    with engine():
        leaves = {n: _argument(link, n, (), "float64", rate) for n in shared_arguments(link)}
        nexts = link.share(leaves)
        return _function([_result(nexts[n], f"{n}_next") for n in link.shared_names], leaves, name)


def shared_arguments(link: Link) -> tuple[str, ...]:
    """What the function of the shared numbers takes."""
    read = {name for _, formula in link.shared_lines for name in formula_names(formula)}
    return tuple(n for n in (*link.shared_names, "t", *link.driven, "lr") if n in read)


def _argument(
    link: Link, name: str, shape: tuple[Any, ...], dtype: str, rate: float | Schedule | None
) -> Node:
    if name == "lr":
        return rate_node(rate, dtype)
    if name in link.driven:
        return hyper(name, None, dtype)
    if name == "t":
        return input("t", (), "int64")
    if name in link.shared_names or name in {total.name for total in link.totals}:
        return input(name, (), "float64")
    return input(name, shape, dtype)


def _result(node: Node, name: str) -> Node:
    """A computed value by its name; what is a leaf keeps its own."""
    return node if node.op.kind == "leaf" else node.named(name)


def _function(outputs: Sequence[Node], leaves: Mapping[str, Node], name: str) -> Graph:
    return replace(graph_of(list(outputs), name=name), arguments=tuple(leaves.values()))


class Sweep:
    """The links over all parameters at once: what follows a link that acts every k steps is kept until then."""

    def __init__(
        self,
        params: Mapping[str, Node],
        gradients: Mapping[str, Node],
        rate: float | Schedule | None,
    ) -> None:
        self.params, self.theta, self.g = dict(params), dict(params), dict(gradients)
        self.open: Node | None = None
        self.result: dict[Node, Node] = {}
        # what is shared is as exact as the most exact parameter; lines round it where it meets another
        self.dtype = "float64" if any(p.dtype == "float64" for p in params.values()) else "float32"
        self.counter: Node | None = None
        self.rate = rate

    def updates(self, links: Sequence[Link]) -> dict[Node, Node]:
        """The next values of the parameters, the slots and what is shared."""
        rate = self.rate
        self.lr = self._driven("lr", rate) if isinstance(rate, Schedule) else rate_node(rate, self.dtype)
        for link in links:
            self._link(link)
        after = {
            p: _result(self.theta[n], f"{n}_next") for n, p in self.params.items() if self.theta[n] is not p
        }
        return {**self.result, **after}

    def _link(self, link: Link) -> None:
        driven = {n: self._driven(f"{link.name}.{n}", s) for n, s in link.driven.items()}
        known = {"lr": self.lr, **driven, **self._shared(link, driven)}
        if self.counter is not None and ("lr" in link.reads or driven):
            # the rate goes on with the steps at which the links that read it act
            self.result[self.counter] = self._kept(self.counter, self.counter + 1)
        members = [n for n in self.params if link.matches(n)]
        for total in link.totals if members else ():
            known[total.name] = self._total(link, total, members)
        for name in members:
            self._one(link, name, known)
        if link.every > 1:
            ready = equal(remainder(known["t"], link.every), 0)
            self.open = ready if self.open is None else self.open & ready

    def _driven(self, name: str, schedule: Schedule) -> Node:
        """The value of a schedule at the step that its counter shows."""
        if self.counter is None:
            self.counter = state(COUNTER, (), "zeros", "int64")
        numbers = {k: hyper(f"{name}.{k}", v, "float64") for k, v in schedule.coefficients.items()}
        return astype(schedule.equation(self.counter, numbers), self.dtype).named(name)

    def _shared(self, link: Link, driven: Mapping[str, Node]) -> dict[str, Node]:
        known: dict[str, Node] = {}
        if link.counts:
            counter = state(f"{link.name}.step", (), "zeros", "int64")
            known["t"] = counter + 1
            self.result[counter] = self._kept(counter, known["t"])
        if link.shared:
            olds = {n: state(f"{link.name}.{n}", (), np.float64(s), "float64") for n, s in link.shared}
            nexts = link.share({**known, **olds, **driven, "lr": self.lr})
            self.result.update({olds[n]: self._kept(olds[n], nexts[n]) for n in olds})
            known.update(nexts)
        return known

    def _total(self, link: Link, total: Total, members: Sequence[str]) -> Node:
        parts = [
            link.total(total, {"theta": self.theta[n], "g": self.g[n]}, self.params[n].dtype) for n in members
        ]
        whole = parts[0]
        for part in parts[1:]:
            whole = whole + part if total.combine == "sum" else maximum(whole, part)
        return whole

    def _one(self, link: Link, name: str, known: Mapping[str, Node]) -> None:
        param = self.params[name]
        slots = {slot: _slot_state(link, slot, start, name, param) for slot, start in link.slots}
        noise = normal(param.shape, param.dtype, f"{link.name}.z/{name}") if link.seed is not None else None
        known = known if noise is None else {**known, "z": noise}
        after = link.step({**known, **slots, "theta": self.theta[name], "g": self.g[name]}, param.dtype)
        for slot, leaf in slots.items():
            self.result[leaf] = _result(self._kept(leaf, after[slot]), f"{link.name}.{slot}_next/{name}")
        self.theta[name], self.g[name] = self._kept(self.theta[name], after["theta"]), after["g"]

    def _kept(self, old: Node, new: Node) -> Node:
        """The new value at a step at which the links act, else the old one."""
        return new if self.open is None else where(self.open, new, old)


def _slot_state(link: Link, slot: str, start: float | str, name: str, param: Node) -> Node:
    init = param.attrs["init"] if start == "theta" else np.full(tuple(map(int, map(str, param.shape))), start)
    return state(f"{link.name}.{slot}/{name}", param.shape, init, param.dtype)
