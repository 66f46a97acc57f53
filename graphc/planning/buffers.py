"""Where values live: which share an array because one dies as the other is made, and how long each array is needed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from graphc.ir.node import Node

FOREVER = 1 << 40


@dataclass(frozen=True)
class Memory:
    """The arrays of a sequence of nodes.

    Attributes:
        home: for each node that has an array, the node whose array it is (itself, or what died as it was made).
        span: for each home, the first and the last place in the sequence that needs its array.
    """

    home: Mapping[Node, Node]
    span: Mapping[Node, tuple[int, int]]


@dataclass
class _Allocation:
    """Homes and last uses, while the sequence is walked."""

    owners: Mapping[Node, frozenset[Node]]
    last: dict[Node, int]
    home: dict[Node, Node] = field(default_factory=dict)
    span: dict[Node, tuple[int, int]] = field(default_factory=dict)

    def take(self, node: Node, home: Node, at: int) -> None:
        self.home[node] = home
        first = self.span[home][0] if home in self.span else at
        self.span[home] = (first, max(at, self.last.get(node, at)))

    def free(self, home: Node, at: int) -> bool:
        """Whether what lies there is not read after this place."""
        return self.span[home][1] <= at


def make_memory(
    nodes: Sequence[Node],
    written: Collection[Node],
    in_place: Callable[[Node], bool],
    shares: Callable[[Node], bool],
    roots: Iterable[Node],
    given: Mapping[Node, Node | None],
    placed: Collection[Node] = (),
    reads: Mapping[Node, Sequence[Node]] | None = None,
    lasting: Collection[Node] = (),
) -> Memory:
    """Give each node that is written into an array one, or that of an operand which dies there.

    Args:
        nodes: in the order in which they are computed.
        written: those that are written into an array.
        in_place: whether a node may be written over one of its operands.
        shares: whether a value may be the memory of its operands (a view).
        roots: what is read at the end.
        given: arrays that are there and may be written over, and what must be in each at the end (None: anything).
        placed: those that have an array of their own already.
        reads: what some nodes read besides their operands.
        lasting: those whose arrays no other value is written over.
    """
    owners = _owners(nodes, written, shares, given)
    state = _Allocation(owners, _last_reads(nodes, owners, roots, reads or {}))
    wanted = {value: leaf for leaf, value in given.items() if value is not None}
    for leaf in given:
        state.take(leaf, leaf, -1)
    for at, node in enumerate(nodes):
        if node in written:
            own = node in placed or node in lasting
            home = node if own else _home(node, at, state, in_place, wanted, lasting)
            state.take(node, home, at)
    return Memory(state.home, state.span)


def _home(
    node: Node,
    at: int,
    state: _Allocation,
    in_place: Callable[[Node], bool],
    wanted: Mapping[Node, Node],
    lasting: Collection[Node],
) -> Node:
    """The array that a value is written into: the one that it has to end in, one of an operand, or its own."""
    over = in_place(node)
    homes = [
        state.home[x]
        for x in node.inputs
        if over
        and x in state.home
        and x.type == node.type
        and state.free(state.home[x], at)
        and state.home[x] not in lasting
    ]
    if node in wanted:
        target = wanted[node]
        before = at if over and target.type == node.type else at - 1
        return target if state.free(target, before) else node
    return homes[0] if homes else node


def _owners(
    nodes: Sequence[Node],
    written: Collection[Node],
    shares: Callable[[Node], bool],
    given: Mapping[Node, Node | None],
) -> dict[Node, frozenset[Node]]:
    """For each node, the nodes whose arrays it may be a part of."""
    owners: dict[Node, frozenset[Node]] = {leaf: frozenset((leaf,)) for leaf in given}
    for node in nodes:
        if node in written:
            owners[node] = frozenset((node,))
        elif shares(node):
            owners[node] = frozenset().union(*(owners.get(x, frozenset()) for x in node.inputs))
    return owners


def _last_reads(
    nodes: Sequence[Node],
    owners: Mapping[Node, frozenset[Node]],
    roots: Iterable[Node],
    reads: Mapping[Node, Sequence[Node]],
) -> dict[Node, int]:
    """For each owner, the last place that reads it or a part of it."""
    last: dict[Node, int] = {}
    for at, node in enumerate(nodes):
        for operand in (*node.inputs, *reads.get(node, ())):
            for owner in owners.get(operand, ()):
                last[owner] = at
    for root in roots:
        for owner in owners.get(root, ()):
            last[owner] = FOREVER
    return last
