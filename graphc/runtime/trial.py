"""A trial run: values for the arguments of a graph, and of every node over them, each computed once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from graphc.codegen.labels import LabelRange, label_inputs
from graphc.errors import GraphcError
from graphc.ir.graph import Graph
from graphc.ir.node import Node, size_names
from graphc.ir.size import evaluate as evaluate_size
from graphc.ir.size import size
from graphc.ir.walk import deep_toposort
from graphc.ops.assume import broken_fact
from graphc.ops.evaluate import evaluate, size_values
from graphc.rewrite.facts import facts_of
from graphc.rewrite.lower import body_of, lower
from graphc.runtime.arguments import derived_sizes

SMALLEST_SIZES = (3, 5, 9, 17, 33)
"""What named sizes begin at: the first that leaves no computed size negative."""

SPREAD = 2.0


class Trial:
    """Values for a graph.

    Args:
        graph: its arguments get values.
        given: arrays by name; arguments that are not among them are drawn from a seed: floats near 0 and within the
            range that is assumed of them, labels within theirs, other integers 0 or 1.

    Attributes:
        broken: whether a value lacks a fact that ``gx.assume`` claims.
    """

    def __init__(self, graph: Graph, given: Mapping[str, Any], seed: int = 0) -> None:
        self.graph = graph
        self.random = np.random.default_rng(seed)
        self.values: dict[Node, Any] = {}
        self.sizes: dict[str, int] = {}
        self._draw(given)
        self.broken = self._is_broken()

    # -- leaves ---------------------------------------------------------------------------------------------------

    def _draw(self, given: Mapping[str, Any]) -> None:
        leaves = {str(self.graph.name_of(leaf)): leaf for leaf in self.graph.arguments}
        for name in given:
            self.graph.leaf(name)  # refuses a name that is not there
        known = {leaves[n]: np.asarray(a, dtype=leaves[n].dtype) for n, a in given.items()}
        self.sizes = size_values([n.type for n in known], list(known.values())) if known else {}
        self._choose_sizes()
        labels, assumed = label_inputs(self.graph), self._assumed()
        for leaf in self.graph.arguments:
            array = known[leaf] if leaf in known else self._drawn(assumed.get(leaf, leaf), labels.get(leaf))
            self.values[leaf] = array[()]

    def _choose_sizes(self) -> None:
        """Sizes that are not given: different ones, as small as the graph allows."""
        names = [n for n in size_names([*self.graph.arguments, *self.graph.nodes]) if n not in self.sizes]
        derived = derived_sizes(self.graph)
        for least in SMALLEST_SIZES:
            sizes = {**self.sizes, **{name: least + i for i, name in enumerate(names)}}
            if all(evaluate_size(dim, sizes) >= 0 for dim in derived):
                break
        self.sizes = sizes

    def _assumed(self) -> dict[Node, Node]:
        """For a leaf, what is assumed of it."""
        return {n.inputs[0]: n for n in deep_toposort(self.graph.roots) if n.op.role == "assume"}

    def _drawn(self, leaf: Node, labels: LabelRange | None) -> Any:
        shape = tuple(evaluate_size(size(d), self.sizes) for d in leaf.shape)
        if leaf.dtype == "bool":
            return self.random.random(shape) < 0.5
        known = facts_of(leaf)
        low, high = max(known.range.low, -SPREAD), min(known.range.high, SPREAD)
        if low > high:  # a range that is far from 0
            low, high = max(known.range.low, high), min(known.range.high, low + 2 * SPREAD)
        if not leaf.type.is_float:
            first, last = max(0, int(low)), 2 if labels is None else labels.classes
            return self.random.integers(first, max(first + 1, last), shape).astype(leaf.dtype)
        array = self.random.uniform(low, high, shape)
        return np.asarray(np.round(array) if "integer" in known.labels else array).astype(leaf.dtype)

    def _is_broken(self) -> bool:
        claims = [n for n in self.graph.nodes if n.op.role == "assume"]
        try:
            with np.errstate(all="ignore"):
                return any(broken_fact(n, self.value(n)) is not None for n in claims)
        except (GraphcError, ValueError, ArithmeticError, LookupError, TypeError):
            return True

    # -- nodes ----------------------------------------------------------------------------------------------------

    def value(self, node: Node) -> Any:
        """The value of a node; nodes are computed once (iterative).

        Raises:
            ValueError, ArithmeticError, LookupError, TypeError: an operation refuses its values.
        """
        stack = [node]
        while stack:
            current = stack[-1]
            needs = [x for x in self._needs(current) if x not in self.values]
            if needs and current not in self.values:
                stack.extend(needs)
                continue
            if current not in self.values:
                self.values[current] = _in_rows(self._computed(current))
            stack.pop()
        return self.values[node]

    def _needs(self, node: Node) -> tuple[Node, ...]:
        """What must be computed before a node: its operands, or the body that stands for it."""
        return node.inputs if _has_code(node) else (*node.inputs, self._body(node))

    def _body(self, node: Node) -> Node:
        if node.op.role in ("by_mode", "update"):
            return node.inputs[1 if node.op.role == "by_mode" else 0]
        return body_of(node)

    def _computed(self, node: Node) -> Any:
        if not _has_code(node):
            return self.values[self._body(node)]
        if node.op.role in ("arg", "input", "param", "state", "hyper"):
            return self._drawn(node, None)[()]  # an operand of a body, or a leaf that stands for a value
        run = lower(Graph((node,))).outputs[0] if node.op.bodies else node
        return evaluate(run, [self.values[x] for x in node.inputs], self.sizes, self.random)


def _has_code(node: Node) -> bool:
    return node.op.kind == "leaf" or bool(node.op.emitted)


def _in_rows(value: Any) -> Any:
    """An array laid out in rows: in another order, sums would round otherwise."""
    return np.ascontiguousarray(value) if isinstance(value, np.ndarray) and value.ndim else value
