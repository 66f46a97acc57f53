"""Which inputs are class labels, and what they may hold: checked once, where data enters."""

from __future__ import annotations

from dataclasses import dataclass

from graphc.ir.graph import Graph
from graphc.ir.node import Node
from graphc.ir.pattern import Var
from graphc.ir.size import product
from graphc.ops.compare import equal, where
from graphc.rewrite.rule import matched
from graphc.rewrite.rules.holes import c, d

_labels = Var("labels")
_IGNORED = where(equal(_labels, c), d, _labels)
"""How ``nn.cross_entropy(..., ignore=c)`` replaces the labels that do not count."""


@dataclass(frozen=True)
class LabelRange:
    """What the labels of an input may be: 0 up to, not including, ``classes``, and those that do not count."""

    classes: int
    ignored: frozenset[int] = frozenset()

    def __and__(self, other: LabelRange) -> LabelRange:
        """What both allow."""
        return LabelRange(min(self.classes, other.classes), self.ignored & other.ignored)

    def __str__(self) -> str:
        return " or ".join([f"0 to {self.classes - 1}", *map(str, sorted(self.ignored))])

    def counted(self, labels: str) -> str:
        """Code for those of an array that must be in the range."""
        kept = " & ".join(f"({labels} != {label})" for label in sorted(self.ignored))
        return f"{labels}[{kept}]" if kept else labels


def label_inputs(graph: Graph) -> dict[Node, LabelRange]:
    """The inputs that one-hot cards read: as they are, in another shape, or with a label that is ignored."""
    found: dict[Node, LabelRange] = {}
    for node in graph.nodes:
        if "one_hot" not in node.op.properties:
            continue
        leaf, ignored = _source(node.inputs[0])
        if leaf.op.role == "input":
            allowed = LabelRange(node.attrs["classes"], ignored)
            found[leaf] = found[leaf] & allowed if leaf in found else allowed
    return found


def _source(node: Node) -> tuple[Node, frozenset[int]]:
    """What labels are before they were moved, and which of them were replaced on the way."""
    ignored: set[int] = set()
    while True:
        found = matched(_IGNORED, node)
        if found is not None:
            ignored.add(int(found.nodes["c"].attrs["value"].value))
            node = found.nodes["labels"]
        elif "view" in node.op.properties and product(node.shape) == product(node.inputs[0].shape):
            node = node.inputs[0]  # the same values in another shape
        else:
            return node, frozenset(ignored)
