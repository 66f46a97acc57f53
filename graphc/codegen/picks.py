"""Sums of what labels pick, as one product with the one-hot rows, and a second look where that is nan."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from graphc.ir.node import Node
from graphc.rewrite.rule import is_constant


@dataclass(frozen=True)
class Pick:
    """The sum of ``where(marks > 0, value, 0)``.

    Attributes:
        marks: rows of 0 with a 1 at the place of each label.
        value: what is picked of.
        chosen: the choice.
        inner: what no line computes: the condition, where nothing else reads it, and the choice, unless its array holds
            a copy of the marks because they lie the other way round in memory.
    """

    marks: Node
    value: Node
    chosen: Node
    inner: tuple[Node, ...]

    @property
    def copied(self) -> bool:
        """Whether the array of the choice holds a copy of the marks."""
        return self.chosen not in self.inner

    def lines(self, name: str, marks: str, value: str) -> list[str]:
        """The sum: where a class is ruled out by -inf, which 0 times makes nan, only what is picked is added."""
        return [
            f"{name} = np.vdot({marks}, {value})",
            f"if {name} != {name}:",
            f"    {name} = {value}[{marks} > 0].sum()",
        ]


def picks(
    nodes: Sequence[Node], users: Mapping[Node, Sequence[Node]], roots: Collection[Node]
) -> dict[Node, Pick]:
    """The sums of what labels pick, whose choice nobody else reads."""
    found: dict[Node, Pick] = {}
    for node in nodes:
        pick = _pick(node, users) if node.shape == () and "sums" in node.op.properties else None
        if pick is not None and not any(n in roots for n in pick.inner):
            found[node] = pick
    return found


def _pick(total: Node, users: Mapping[Node, Sequence[Node]]) -> Pick | None:
    chosen = total.inputs[0]
    if chosen.op.formula != "where(condition, x, y)" or len(users[chosen]) > 1:
        return None
    mask, value, other = chosen.inputs
    if mask.op.infix != ">" or not is_constant(other, 0.0) or not is_constant(mask.inputs[1], 0.0):
        return None
    marks = mask.inputs[0]
    if "one_hot" not in _whole(marks).op.properties or not value.type == marks.type == chosen.type:
        return None
    inner = (mask,) if len(users[mask]) == 1 else ()
    return Pick(marks, value, chosen, inner if "view" in marks.op.properties else (*inner, chosen))


def _whole(node: Node) -> Node:
    """What a node is a view of."""
    while "view" in node.op.properties:
        node = node.inputs[0]
    return node
