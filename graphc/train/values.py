"""The values of a model: what training changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from graphc.ir.graph import Graph
from graphc.ops.init import initial_value
from graphc.runtime.program import make_rng
from graphc.train.run import Seeds


@dataclass
class Values:
    """What training changes: arrays by name, and the generators of random sites.

    They are ``untouched`` where they were drawn to be looked at, and nothing has trained or set them. ``step`` counts
    the steps of the optimizer, and ``factor`` multiplies the rate that it says.
    """

    params: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    slots: dict[str, Any] = field(default_factory=dict)
    rng: dict[str, Any] | None = None
    untouched: bool = False
    step: int = 0
    factor: float = 1.0

    def draw(self, graph: Graph, seeds: Seeds) -> None:
        """Starting values for what has none yet, to be looked at."""
        self.untouched = True
        for role, target in (("param", self.params), ("state", self.state)):
            for leaf in graph.leaves(role):
                name = str(graph.name_of(leaf))
                shape = tuple(int(str(d)) for d in leaf.shape)
                value = initial_value(leaf.attrs["init"], shape, leaf.dtype, name, seeds.init)
                target.setdefault(name, value[()])
        self.rng = make_rng(graph, seeds.random)
