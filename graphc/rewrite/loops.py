"""What rules see of a loop: which values of its body depend on what, and what they are outside of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from graphc.ir.node import Node, build, hinted, substitute, toposort
from graphc.ir.size import Dim, at_least_zero, product
from graphc.ops.bodies import arg, called
from graphc.ops.shape import reshape_op


@dataclass
class Loop:
    """One result of a loop, and what else the loop would have to stack.

    Attributes:
        node: the result.
        stacked: values of the body that are stacked besides.
    """

    node: Node
    stacked: list[Node] = field(default_factory=list)

    def __post_init__(self) -> None:
        attrs = self.node.attrs
        self.next, self.ys, self.over, self.length = (attrs[k] for k in ("next", "ys", "over", "length"))
        self.count, self.result = len(self.next), attrs["result"]
        self.moving = self.depending(range(self.count + self.over))
        self.late = self.depending(range(self.count))

    def depending(self, places: Sequence[int], roots: Sequence[Node] = ()) -> set[Node]:
        """The nodes of the body, or of what a rule made of it, that depend on these of its operands."""
        found: set[Node] = set()
        for node in toposort(roots or [*self.next, *self.ys]):
            if (node.op.role == "arg" and node.attrs["index"] in places) or any(
                x in found for x in node.inputs
            ):
                found.add(node)
        return found

    def is_sequence(self, node: Node) -> bool:
        """Whether a node of the body is an element of a sequence."""
        return node.op.role == "arg" and 0 <= node.attrs["index"] - self.count < self.over

    def is_stacked(self, node: Node) -> bool:
        """Whether all values of a node of the body are there after the loop."""
        return self.is_sequence(node) or node in self.ys

    def over_steps(self, node: Node) -> Node:
        """The values of a node of the body at all steps."""
        if self.is_sequence(node):
            place: int = node.attrs["index"]
            return self.node.inputs[place]
        ys = (*self.ys, *(x for x in self.stacked if x not in self.ys))
        attrs = {**self.node.attrs, "ys": ys, "result": self.count + ys.index(node)}
        return hinted(build(self.node.op, self.node.inputs, attrs), f"{called(node)}s")

    def pays(self, new: Sequence[Node]) -> bool:
        """Whether the arrays of all steps stay below twice what they are already."""
        had = [x.shape[1:] for x in self.node.inputs[self.count : self.count + self.over]]
        had += [y.shape for y in self.ys]
        more = [x.shape for x in new if not self.is_stacked(x)]
        return at_least_zero(_elements(had) - _elements(more))

    def outside(self, node: Node) -> Node:
        """A value of the body that is the same at every step."""
        places = {arg(i, x.type): x for i, x in enumerate(self.node.inputs) if i >= self.count + self.over}
        return substitute([node], places)[node]


def _elements(shapes: Sequence[tuple[Dim, ...]]) -> Dim:
    total: Dim = 0
    for shape in shapes:
        total = total + product(shape)
    return total


def shaped(node: Node, shape: tuple[Dim, ...]) -> Node:
    """A value in another shape."""
    result: Node = reshape_op(node, shape=shape) if node.shape != shape else node
    return result
