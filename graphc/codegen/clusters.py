"""Runs of planned calls that one kernel can do: which stand together, and which of their values are needed outside."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from graphc.codegen.scalar import element_of
from graphc.codegen.statements import Statement, is_weak
from graphc.ir.node import Node
from graphc.ir.size import Dim

if TYPE_CHECKING:
    from graphc.codegen.planned import PlannedWriter

LONGEST_ROW = 8192
"""Elements of a row that may be added up in float32."""

ROW_SUM, ROW_MAX, FULL_SUM, ELEMENT, ONE_HOT = "row sum", "row max", "sum", "element", "one-hot"
COLUMN_SUM = "column sum"
REDUCTIONS = (ROW_SUM, ROW_MAX)

Shape = tuple[Dim, ...]


@dataclass(frozen=True)
class Member:
    """A statement that a kernel can do.

    Attributes:
        statement: as it was planned.
        kind: how its value comes about.
        space: the shape of what a loop over it goes over.
    """

    statement: Statement
    kind: str
    space: Shape

    @property
    def node(self) -> Node:
        """What the statement computes."""
        return self.statement.node


@dataclass
class Cluster:
    """Members over one space.

    Attributes:
        space: the shape of the loop.
        members: in order.
        reads, writes: the arrays (by the node whose array each is).
        views: arrays of which a view is read.
    """

    space: Shape
    members: list[Member] = field(default_factory=list)
    reads: set[Node] = field(default_factory=set)
    writes: set[Node] = field(default_factory=set)
    views: set[Node] = field(default_factory=set)

    @property
    def nodes(self) -> set[Node]:
        """What the kernel computes."""
        return {m.node for m in self.members}


@dataclass(frozen=True)
class Access:
    """The arrays that a statement reads and writes."""

    reads: frozenset[Node]
    writes: frozenset[Node]

    def parts(self, reads: Iterable[Node], writes: Iterable[Node]) -> bool:
        """Whether the order against another statement matters."""
        writes = set(writes)
        return bool(self.writes & {*reads, *writes} or self.reads & writes)


@dataclass
class Clusters:
    """Puts statements of one writer together."""

    writer: PlannedWriter
    exact: bool
    items: list[Cluster | Statement] = field(default_factory=list)
    _owners: dict[Node, frozenset[Node]] = field(default_factory=dict)

    def add(self, statement: Statement) -> None:
        """Put a statement into a cluster where that changes nothing, or at the end."""
        member = self.member(statement)
        if member is None or self._views(member) & self.access(statement).writes:
            self.items.insert(self._place(statement), statement)
            return
        access = self.access(statement)
        phase, passed = self.writer.phase.get(member.node), False
        for item in reversed(self.items):
            if isinstance(item, Cluster) and self._fits(member, access, item):
                if passed and phase != self.writer.phase.get(item.members[0].node):
                    break  # what the backward phase computes of a value is not kept from the forward phase on
                self._join(item, member, access)
                return
            if access.parts(*self._touched(item)):
                break
            passed = passed or (isinstance(item, Statement) and item.node.shape != ())
        cluster = Cluster(member.space)
        self._join(cluster, member, access)
        self.items.append(cluster)

    def _place(self, statement: Statement) -> int:
        """Where a statement goes: a number as far up as it may, so that what needs it can stay together."""
        at = len(self.items)
        node = statement.node
        if any(x.shape != () for x in (node, *node.inputs)) or statement.results or node.op.role == "random":
            return at
        access = self.access(statement)
        while at and not access.parts(*self._touched(self.items[at - 1])):
            at -= 1
        return at

    def _join(self, cluster: Cluster, member: Member, access: Access) -> None:
        cluster.members.append(member)
        cluster.reads |= access.reads
        cluster.writes |= access.writes
        cluster.views |= self._views(member, cluster.nodes)

    def _touched(self, item: Cluster | Statement) -> tuple[Iterable[Node], Iterable[Node]]:
        if isinstance(item, Cluster):
            return item.reads, item.writes
        access = self.access(item)
        return access.reads, access.writes

    def _fits(self, member: Member, access: Access, cluster: Cluster) -> bool:
        alike = member.space == cluster.space
        if not alike and (member.kind in (*REDUCTIONS, COLUMN_SUM) or member.space != row_of(cluster.space)):
            return False
        if access.reads & {self.array(m.node) for m in cluster.members if m.kind in (FULL_SUM, COLUMN_SUM)}:
            return False
        if self._views(member, cluster.nodes) & (cluster.writes | access.writes):
            return False
        return not access.writes & cluster.views

    def _views(self, member: Member, inside: Collection[Node] = ()) -> set[Node]:
        """The arrays that a member reads in another way than element by element."""
        found: set[Node] = set()
        for x in member.node.inputs:
            if x not in self.writer.memory.home and x not in inside and x.shape != ():
                found |= self.owners(x)
        return found

    # -- what a statement touches --------------------------------------------------------------------------------

    def access(self, statement: Statement) -> Access:
        """The arrays that a statement reads and writes."""
        reads: set[Node] = set()
        writes: set[Node] = set()
        for node in statement.nodes:
            writes.add(self.array(node))
            for x in node.inputs:
                reads |= self.owners(x)
        named = self._named_in(statement)
        helped = any(re.search(r"(?<![\w.])_\w+\(", line) for line in statement.block)
        return Access(frozenset(reads | named), frozenset(writes | named if helped else writes))

    def array(self, node: Node) -> Node:
        """The value whose array a value lies in, or in a part of."""
        home = self.writer.memory.home.get(node, node)
        while home in self.writer.pieces:
            whole = self.writer.pieces[home].whole
            home = self.writer.memory.home.get(whole, whole)
        return home

    def _named_in(self, statement: Statement) -> set[Node]:
        """The arrays that a call names; a helper may write into several of them."""
        text = " ".join(line.partition("  # ")[0] for line in statement.block)
        return {self.arrays[word] for word in re.findall(r"[A-Za-z_]\w*", text) if word in self.arrays}

    @cached_property
    def arrays(self) -> dict[str, Node]:
        """The array that each name is of."""
        homes = self.writer.memory.home
        return {self.writer.called[n]: self.array(n) for n in homes if n in self.writer.called}

    def owners(self, node: Node) -> frozenset[Node]:
        """The arrays whose memory a value may be a part of, or that are read where it is written down."""
        stack = [node]
        while stack:
            top = stack[-1]
            if top in self._owners:
                stack.pop()
            elif top in self.writer.memory.home:
                self._owners[top] = frozenset((self.array(top),))
            elif waiting := [x for x in self._passes(top) if x not in self._owners]:
                stack += waiting
            else:
                parts = (self._owners[x] for x in self._passes(top))
                self._owners[top] = frozenset((top,)).union(*parts)
        return self._owners[node]

    def _passes(self, node: Node) -> tuple[Node, ...]:
        """The operands that stand inside the text of a value, or whose memory it shares."""
        inside = self.writer.shares(node) or node.shape == () or node in self.writer.left_out
        named = "view" in node.op.properties
        return node.inputs if inside or named else ()

    # -- what a kernel can do ------------------------------------------------------------------------------------

    def member(self, statement: Statement) -> Member | None:
        """A statement as a kernel would do it; None where it cannot."""
        node = statement.node
        if statement.results or node.op.block is not None or not self._named(statement):
            return None
        kind = self._kind(node)
        if kind is None or not all(self.known(x) for x in node.inputs):
            return None
        space = node.inputs[0].shape if kind in (*REDUCTIONS, COLUMN_SUM, FULL_SUM) else node.shape
        return Member(statement, kind, space) if space and 0 not in space else None

    def _named(self, statement: Statement) -> bool:
        """Whether the value is the buffer, or the variable, that the statement says."""
        return statement.name.isidentifier() and (statement.node.shape != () or not statement.block)

    def _kind(self, node: Node) -> str | None:
        if node.op.kind == "pointwise":
            names = [f"x{i}" for i in range(len(node.inputs))]
            return ELEMENT if node.shape != () and element_of(node, names, self.exact) else None
        if "one_hot" in node.op.properties and node.inputs[0].ndim:
            return ONE_HOT
        return self._reduction(node)

    def _reduction(self, node: Node) -> str | None:
        """A sum of all elements, or a sum or maximum along each row."""
        ufunc = reduced_by(node)
        if not node.inputs or not node.inputs[0].type.is_float or node.type.dtype != node.inputs[0].dtype:
            return None
        if ufunc is None or not node.inputs[0].ndim or (ufunc == "add" and self.exact):
            return None
        operand = node.inputs[0]
        axes = node.attrs["axis"] if isinstance(node.attrs["axis"], tuple) else (node.attrs["axis"],)
        if len(axes) == operand.ndim and node.shape == () and operand.ndim:
            return FULL_SUM if ufunc == "add" else None
        width = operand.shape[-1]
        long = operand.ndim == 2 and operand.shape[0] != 1 and isinstance(width, int)
        if axes == (0,) and ufunc == "add" and long:
            return COLUMN_SUM
        if axes != (operand.ndim - 1,) or not isinstance(width, int) or width > LONGEST_ROW:
            return None
        return ROW_SUM if ufunc == "add" else ROW_MAX

    def known(self, operand: Node) -> bool:
        """Whether an operand is a number, an array under a name, or rows that nobody wrote down."""
        if operand in self.writer.left_out:
            return self._kind(operand) == ONE_HOT and self.known(operand.inputs[0])
        if is_weak(operand):
            return True
        text = str(self.writer.texts.get(operand, ""))
        return text.isidentifier() or (operand.shape == () and bool(text))


def row_of(shape: Shape) -> Shape:
    """The shape of one number for each row."""
    return (*shape[:-1], 1)


def reduced_by(node: Node) -> str | None:
    """The ufunc that a card reduces with."""
    if not callable(node.op.into) or "axis" not in node.attrs or len(node.inputs) != 1:
        return None
    lines = node.op.into(["x"], "out", node, lambda expression, wish: wish)
    found = re.search(r"np\.(add|maximum)\.reduce\(", lines[-1])
    return found[1] if found else None


def needed(cluster: Cluster, writer: PlannedWriter) -> set[Node]:
    """The values of a cluster that somebody reads outside of it."""
    inside = cluster.nodes
    return {n for n in inside if n in writer.kept or _read_outside(n, inside, writer)}


def _read_outside(node: Node, inside: set[Node], writer: PlannedWriter) -> bool:
    users: Sequence[Node] = writer.users.get(node, ())
    return any(user not in inside for user in users)
