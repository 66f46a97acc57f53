"""Both sides of every equation of a derivation, evaluated apart from each other.

The left side comes from the graph as it was declared: a forward value from its own declaration, a gradient from a sweep
over that graph at level exact, both run node by node. The right side is computed from the left sides of the names
that it reads. A value that only the rewriting made has no declaration: it stands for itself, and is checked where it is
used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mpmath as mp
import numpy as np

from graphc.derivatives import grad
from graphc.ir.graph import Graph, graph_of
from graphc.ir.node import Node, engine, substitute, toposort
from graphc.ir.provenance import descendants_of
from graphc.ops.evaluate import evaluate, size_values
from graphc.render.derive import Derivation
from graphc.render.equations import DERIVATIVE, Equation
from graphc.rewrite.lower import lower
from graphc.runtime.interpret import interpret_nodes
from graphc.stages import resolve
from tests.ops.references import SCALAR

TOLERANCE = 1e-12


class Sides:
    """The values of all left sides for given arguments."""

    def __init__(
        self, page: Derivation, loss: Node, arguments: Mapping[str, Any], rng: Any = None, mode: str = "train"
    ) -> None:
        self.page = page
        self.base = resolve(graph_of(loss), mode)
        self.declared = set(self.base.nodes)
        self.leaves = page.system.graph.arguments
        arrays = {n: np.asarray(arguments[str(page.system.graph.name_of(n))]) for n in self.leaves}
        self.sizes = size_values([n.type for n in self.leaves], [arrays[n] for n in self.leaves])
        self.values: dict[Node, Any] = dict(arrays)
        self.apart: set[int] = set()
        self._declared_values(arguments, rng)

    def _declared_values(self, arguments: Mapping[str, Any], rng: Any) -> None:
        equations = [e for e in self.page.equations if e.phase != DERIVATIVE]
        wanted = {e.number: self._counterpart(e) for e in equations}
        nodes = {k: n for k, n in wanted.items() if n is not None}
        sites = [n for n in self.base.nodes if n.op.role == "random"]
        found = interpret_nodes(graph_of([*nodes.values(), *sites, self.base.outputs[0]]), arguments, rng)
        self.values.update({n: found[n] for n in sites})
        for equation in equations:
            if equation.number in nodes:
                self.values[equation.node] = found[nodes[equation.number]]
                self.apart.add(equation.number)
            else:
                self.values.setdefault(equation.node, self.right(equation))

    def _counterpart(self, equation: Equation) -> Node | None:
        """The left side in the declared graph."""
        node = equation.node if equation.of is None else equation.of
        found = next((n for n in (node, *descendants_of(node)) if n in self.declared), None)
        if equation.of is None or found is None:
            return found if equation.of is None else None
        return grad(self.base.outputs[0], found, level="exact")

    def right(self, equation: Equation) -> Any:
        """The right side, from the values of the names that it reads."""
        return self.of_term(equation.term, {n: n for n in equation.names})

    def of_term(self, term: Node, names: Mapping[Node, Node]) -> Any:
        """A term over names, each of which has the value of another node."""
        if term in names:
            return self.values[names[term]]
        values = {x: self.values[owner] for x, owner in names.items()}
        with engine():
            (lowered,) = lower(Graph((cut(term, values),))).outputs
        values = {_stand_in(x): v for x, v in values.items()}
        for node in toposort([lowered]):
            if node not in values:
                values[node] = (
                    self.values[node]
                    if node in self.values
                    else evaluate(node, [values[x] for x in node.inputs], self.sizes)
                )
        return values[lowered]

    def faults(self) -> list[str]:
        """Every equation whose sides differ."""
        return [text for e in self.page.equations if (text := self.fault(e))]

    def fault(self, equation: Equation) -> str:
        """How the sides of an equation differ, or nothing."""
        if equation.phase == DERIVATIVE:
            return derivative_fault(equation)
        left = self.values[equation.node]
        text = _compare(equation.number, left, self.right(equation))
        if not text and equation.before is not None:
            early = self.of_term(equation.before.term, equation.before.names)
            text = _compare(equation.number, left, early)
        return text


_leaves: dict[Node, Node] = {}


def _stand_in(node: Node) -> Node:
    from graphc.ops.leaves import input

    if node.op.kind == "leaf":
        return node
    if node not in _leaves:
        with engine():
            _leaves[node] = input(f"v{len(_leaves)}", node.shape, node.dtype)
    return _leaves[node]


def cut(term: Node, names: Any) -> Node:
    """The term over leaves in place of the names."""
    return substitute([term], {n: _stand_in(n) for n in names})[term]


def _compare(number: int, left: Any, right: Any) -> str:
    left, right = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    if left.shape != right.shape:
        return f"({number}): shapes {left.shape} and {right.shape}"
    error = float(np.max(np.abs(left - right) / np.maximum(1.0, np.abs(left)), initial=0.0))
    return "" if error <= TOLERANCE else f"({number}): the sides differ by {error:.1e}"


def derivative_fault(equation: Equation) -> str:
    """∂y/∂x against the derivative, in high precision, of an independent definition of the function."""
    op = equation.node.op
    place = equation.node.inputs.index(equation.of)
    function = SCALAR[op.name]
    domain = op.domain or ((-2.0, 2.0),) * len(op.operands)
    for share in (0.13, 0.37, 0.71, 0.94):
        at = [
            lo + share * (min(hi, lo + 9) - lo) for lo, hi in ((max(a, -3.0), min(b, 3.0)) for a, b in domain)
        ]
        with mp.workdps(40):
            left = mp.diff(function, tuple(map(mp.mpf, at)), tuple(int(i == place) for i in range(len(at))))
        values = dict(zip(equation.node.inputs, map(np.float64, at), strict=True))
        with engine():
            (term,) = lower(Graph((equation.term,))).outputs
        for node in toposort([term]):
            if node not in values:
                values[node] = evaluate(node, [values[x] for x in node.inputs])
        text = _compare(equation.number, float(left), values[term])
        if text:
            return text
    return ""
