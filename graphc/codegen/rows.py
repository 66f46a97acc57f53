"""What a step stored features × batch has besides: arrays with a last row of ones, and parameters that lie together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graphc.codegen.calls import over_operand
from graphc.codegen.lifetimes import END, Buffer
from graphc.codegen.names import Names
from graphc.codegen.numpy import quoted, tuple_text
from graphc.ir.graph import Graph
from graphc.ir.node import Node
from graphc.ops.shape import dims_text
from graphc.planning.buffers import Memory
from graphc.planning.layout import Layout
from graphc.planning.order import Plan


@dataclass
class Rows:
    """Arrays with a row of ones below a value.

    Attributes:
        plan: of the step.
        names: of its function.
        wholes: the values with their row of ones, and what their arrays are called.
        placed: the values in these arrays, and what they are called there.
        setup: the lines that make views of the arrays.
        fills: the lines that write the ones, at the start of a step.
    """

    plan: Plan
    names: Names
    wholes: dict[Node, str] = field(default_factory=dict)
    placed: dict[Node, str] = field(default_factory=dict)
    setup: list[str] = field(default_factory=list)
    fills: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, layout: Layout | None, plan: Plan, names: Names) -> Rows:
        """Those of a layout; none without one."""
        rows = cls(plan, names)
        for whole in layout.rows if layout else ():
            rows.add(whole)
        return rows

    def add(self, whole: Node) -> None:
        """The array of a value with a row of ones: the value is its first rows."""
        value = whole.inputs[0]
        name = self.placed[value] = self.names(value)
        array = self.wholes[whole] = self.names.reserve(f"{name}_1")
        ones = self.names.reserve(f"{name}_ones")
        self.setup += [f"{name} = {array}[:-1]", f"{ones} = {array}[-1]"]
        self.fills.append(f"    {ones}.fill(1)")
        self._place_before(value, name)

    def _place_before(self, value: Node, name: str) -> None:
        """What a value is computed from, one call after the other and each in place, lies where the value will."""
        uses = self.plan.graph.uses()
        while over_operand(value):
            before = [x for x in value.inputs if x.type == value.type and self._dies(x, uses)]
            if not before:
                return
            value = before[0]
            self.placed[value] = self.names(value)
            self.setup.append(f"{self.placed[value]} = {name}")

    def _dies(self, node: Node, uses: Mapping[Node, int]) -> bool:
        """Whether a value is computed in an array of its own, and read by one node alone."""
        own = node in self.plan.phase and "view" not in node.op.properties and node not in self.placed
        return own and uses[node] == 1

    def buffers(self, memory: Memory, compiled: bool) -> list[Buffer]:
        """The arrays, each needed from the start of a step; compiled loops may need them at any time."""
        found = []
        for whole, array in self.wholes.items():
            last = max(memory.span[n][1] for n in self._chain(whole.inputs[0]))
            last = END if compiled else min(last, END)
            found.append((array, dims_text(whole.shape), whole.dtype, 0, last))
        return found

    def _chain(self, value: Node) -> list[Node]:
        """A value, and those before it in its array."""
        values, chain = {whole.inputs[0] for whole in self.wholes}, [value]
        while before := [x for x in chain[-1].inputs if x in self.placed and x not in values]:
            chain.append(before[0])
        return chain


def pieces_lines(graph: Graph, trained: Sequence[Node], laid: Layout | None) -> list[str]:
    """The names of what is trained, in its order in the vectors."""
    pairs = {j.whole: (j.weight, j.bias) for j in (laid.joined if laid else ())}
    names = [[quoted(graph.name_of(n)) for n in pairs.get(leaf, (leaf,))] for leaf in trained]
    if not pairs:
        return [f"PIECES = {tuple_text([name for (name,) in names])}"]
    entries = [f"    {tuple_text(pair) if len(pair) == 2 else pair[0]}," for pair in names]
    return ["PIECES = (  # a weight and a bias in brackets are one matrix in memory, [Wᵀ|b]", *entries, ")"]
