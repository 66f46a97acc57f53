"""What nodes are called in a message: the user's names, and operations over them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from graphc.ir.events import ChainRule, Lowered
from graphc.ir.graph import Graph
from graphc.ir.node import Node
from graphc.ir.provenance import find


@dataclass(frozen=True)
class Words:
    """Names in one graph, or in the body of a loop in it.

    Attributes:
        graph: whose names they are.
        loop: where they are of its body, which has names for what it is handed.
    """

    graph: Graph
    loop: Node | None = None

    def name(self, node: Node) -> str | None:
        """The user's name, or None."""
        if node.op.role == "arg" and self.loop is not None and "loop" in self.loop.op.properties:
            return str(self.loop.attrs["names"][node.attrs["index"]])
        return self.graph.name_of(node)

    def word(self, node: Node) -> str:
        """A name, a number, or the operation; what a composite was lowered to goes by the composite."""
        if node.op.role == "const" and node.attrs["value"].value.ndim == 0:
            return f"{node.attrs['value'].value:g}"
        lowered = find(node, Lowered)
        return self.name(node) or (lowered.before if lowered else node).op.name

    def label(self, node: Node) -> str:
        """A name, or one operation over names."""
        if self.name(node) or not node.inputs or find(node, Lowered):
            return self.word(node)
        return f"{node.op.name}({', '.join(map(self.word, node.inputs))})"

    def call(self, node: Node) -> str:
        """An operation over labels."""
        return f"{node.op.name}({', '.join(map(self.label, node.inputs))})"

    def formula(self, node: Node) -> str:
        """``h = tanh(z)``; a leaf is its name."""
        name = self.name(node)
        if node.op.kind == "leaf":
            return str(name)
        return f"{name} = {self.call(node)}" if name else self.call(node)

    def layer(self, node: Node) -> str:
        """`` in layer hidden1``, or nothing."""
        layer = self.graph.layer_of(node)
        return f" in layer {layer}" if layer else ""

    def derivative(self, rule: ChainRule) -> str:
        """The formula of a partial derivative over these names: ``1/(2*sqrt(h))``."""
        forward = rule.forward
        words = {n: self.label(x) for n, x in zip(forward.op.operands, forward.inputs, strict=True)}
        words["out"] = self.call(forward)
        return re.sub(r"[A-Za-z_]\w*(?!\w*\s*\()", lambda m: words.get(m[0], m[0]), rule.formula)
