"""What the backward pass needs of the forward pass alone, computed there where that keeps less memory alive."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from graphc.ir.node import Node
from graphc.planning.alive import owners
from graphc.planning.order import Plan, is_gradient
from graphc.planning.work import size_in_bytes, value_at


def with_early_factors(plan: Plan, parts: Mapping[Node, Node] | None = None) -> Plan:
    """The same nodes, some of the backward pass at the end of what they read in the forward pass.

    A factor is a value of the backward pass that no cotangent reaches: the derivative of a gelu at z, a mask. Computed
    in the backward pass, it keeps alive what it reads until then; computed at once, only itself. Factors that depend on
    each other move together, and only where what dies is more than what is kept. A size that has a name counts 1,000.

    Args:
        plan: any plan.
        parts: values that lie in the array of another value, with that value.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", (9,))
        >>> y = gx.sum(gx.gelu_tanh(gx.sin(x)))
        >>> plan = gx.plan(gx.simplify(gx.graph_of([y, gx.grad(y, x)])))
        >>> len(plan.of_phase("forward")) < len(with_early_factors(plan).of_phase("forward"))
        True
    """
    walk = _Walk.of(plan, parts or {})
    after: dict[int, list[Node]] = {}
    moved: set[Node] = set()
    for group in sorted((walk.closed(c) for c in walk.components()), key=walk.ready):
        if walk.freed(group) > walk.kept(group):
            after.setdefault(walk.ready(group), []).extend(n for n in group if n not in moved)
            moved |= group.keys()
    if not moved:
        return plan
    order = [m for at, n in enumerate(plan.order) if n not in moved for m in (n, *after.get(at, ()))]
    first = after.get(-1, [])
    return replace(plan, order=(*first, *order), phase={**plan.phase, **dict.fromkeys(moved, "forward")})


@dataclass(frozen=True)
class _Walk:
    """An order, and what reads what in it.

    Attributes:
        place: of each node in the order.
        phase: of each node.
        owner: for each node the one whose memory it lies in.
        readers: for each owner, who reads it or a view of it.
        roots: the owners that are read at the end.
        factors: values of the backward pass that no cotangent reaches, in order.
    """

    place: Mapping[Node, int]
    phase: Mapping[Node, str]
    owner: Mapping[Node, Node]
    readers: Mapping[Node, Sequence[Node]]
    roots: Collection[Node]
    factors: Mapping[Node, None]

    @classmethod
    def of(cls, plan: Plan, parts: Mapping[Node, Node]) -> _Walk:
        owner = {node: parts.get(own, own) for node, own in owners(plan.order).items()}
        readers: dict[Node, list[Node]] = {}
        for node in plan.order:
            for operand in node.inputs:
                readers.setdefault(owner.get(operand, operand), []).append(node)
        place = {node: at for at, node in enumerate(plan.order)}
        roots = {owner.get(r, r) for r in plan.graph.roots}
        return cls(place, plan.phase, owner, readers, roots, _factors(plan))

    def components(self) -> list[list[Node]]:
        """Factors that depend on each other through arrays; numbers go along with those that need them."""
        group: dict[Node, list[Node]] = {}
        for node in self.factors:
            if node.shape == ():
                continue
            mine = group.setdefault(node, [node])
            for operand in node.inputs:
                other = group.get(operand, mine)
                if other is not mine:
                    mine = _united(other, mine, group)
        return list({id(members): members for members in group.values()}.values())

    def closed(self, component: Iterable[Node]) -> dict[Node, None]:
        """With all factors that they depend on, in order."""
        found = dict.fromkeys(component)
        waiting = list(found)
        while waiting:
            for operand in waiting.pop().inputs:
                if operand in self.factors and operand not in found:
                    found[operand] = None
                    waiting.append(operand)
        return dict.fromkeys(sorted(found, key=self.place.__getitem__))

    def ready(self, group: Mapping[Node, None]) -> int:
        """The place behind which all that they read is there; -1 where that is arguments alone."""
        return max((self.place.get(x, -1) for n in group for x in n.inputs if x not in group), default=-1)

    def freed(self, group: Mapping[Node, None]) -> int:
        """The bytes of what they read and nothing else of the backward pass does."""
        read = {self.owner.get(x, x) for n in group for x in n.inputs if x not in group}
        return sum(_bytes(x) for x in read if x in self.place and self._only_for(x, group))

    def _only_for(self, node: Node, group: Mapping[Node, None]) -> bool:
        readers = self.readers[node]
        return node not in self.roots and all(n in group or self.phase[n] == "forward" for n in readers)

    def kept(self, group: Mapping[Node, None]) -> int:
        """The bytes of those of them that others read."""
        own = [n for n in group if self.owner[n] is n]
        return sum(_bytes(n) for n in own if n in self.roots or any(r not in group for r in self.readers[n]))


def _factors(plan: Plan) -> dict[Node, None]:
    found: dict[Node, None] = {}
    for node in plan.order:
        if plan.phase[node] != "backward" or is_gradient(node) or node.op.joint is not None:
            continue
        if node.op.kind != "leaf" and all(_is_there(x, plan, found) for x in node.inputs):
            found[node] = None
    return found


def _is_there(operand: Node, plan: Plan, factors: Mapping[Node, None]) -> bool:
    phase = plan.phase.get(operand)
    return operand in factors or phase in ("forward", None) or operand.op.kind == "leaf"


def _united(one: list[Node], other: list[Node], group: dict[Node, list[Node]]) -> list[Node]:
    """Two components as one; a random site that a factor reads has its place in the order and is none."""
    one.extend(other)
    for node in other:
        group[node] = one
    return one


def _bytes(node: Node) -> int:
    return value_at(size_in_bytes(node), {})
