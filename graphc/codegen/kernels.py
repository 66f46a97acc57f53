"""Kernels: one compiled loop for a cluster of planned calls, in scalar code that a person can read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graphc.codegen.clusters import (
    COLUMN_SUM,
    ELEMENT,
    FULL_SUM,
    ONE_HOT,
    REDUCTIONS,
    ROW_MAX,
    Cluster,
    Clusters,
    Member,
    needed,
    row_of,
)
from graphc.codegen.names import identifier
from graphc.codegen.scalar import AXES, CONTRACT, element_of, number, own_names, scalar_sources
from graphc.codegen.statements import MAX_WIDTH, Statement
from graphc.ir.node import Node
from graphc.ir.size import Dim, names_of, product
from graphc.ops.shape import dims_text
from graphc.ops.template import literal

if TYPE_CHECKING:
    from graphc.codegen.planned import PlannedWriter

BLOCK = 4096
"""So many elements are added up in their own dtype; the sum of these sums is a float64."""

WIDE = 32
"""From so many elements on, the largest of a row is worth a search without branches."""


@dataclass
class Kernels:
    """The kernels of a program, and how a writer puts its statements into them (see ``PlannedWriter``).

    Attributes:
        exact: whether every value must be NumPy's to the last bit: then nothing is added up in another order, and no
            exponential is a polynomial.
        alone: whether a call that has no other beside it becomes a kernel too.
        sources: the lines of each kernel.
    """

    exact: bool
    alone: bool = False
    sources: list[list[str]] = field(default_factory=list)

    def __call__(self, writer: PlannedWriter, statements: Sequence[Statement]) -> list[Statement]:
        """The same statements, with calls of kernels in the place of those that can stand in one loop."""
        clusters = Clusters(writer, self.exact)
        for statement in statements:
            clusters.add(statement)
        result: list[Statement] = []
        for item in clusters.items:
            if isinstance(item, Statement):
                result.append(item)
            elif len(item.members) == 1 and not self.alone:
                result.append(item.members[0].statement)
            else:
                result.append(self._called(item, writer))
        return result

    def section(self) -> list[list[str]]:
        """What stands above the functions that call kernels: the functions of one number, and the kernels."""
        if not self.sources:
            return []
        text = "\n".join(line for source in self.sources for line in source)
        flags = 'error_model="numpy"' if self.exact else f'error_model="numpy", fastmath={CONTRACT}'
        heads = ["f4 = np.float32", f"kernel = njit({flags}, cache=True)"]
        return [heads, *scalar_sources(text), *self.sources]

    def _called(self, cluster: Cluster, writer: PlannedWriter) -> Statement:
        """The call of a new kernel."""
        name = writer.closure.names.reserve(f"{_subject(cluster, writer)}_kernel")
        draft = _Kernel(cluster, writer, self.exact)
        draft.lines(name)
        kernel = _Kernel(cluster, writer, self.exact, draft.parameters)
        lines = kernel.lines(name)
        self.sources.append(lines)
        places = [writer.place[m.node] for m in cluster.members]
        homes = cluster.reads | cluster.writes
        used = [writer.called[h] for h in homes if h in writer.called]
        writer.closure.loop(used, (), "", min(places), max(places))
        first = cluster.members[0].statement
        nodes = tuple(m.node for m in cluster.members)
        block = tuple(kernel.call(name))
        return Statement(first.node, name, "\n".join(block), "", first.layer, block, nodes)


def _subject(cluster: Cluster, writer: PlannedWriter) -> str:
    """What a kernel is called after: the last value that has a name."""
    named = [m.node for m in cluster.members if writer.graph.name_of(m.node)]
    return writer.names(named[-1] if named else cluster.members[-1].node)


class _Kernel:
    """One kernel, being written."""

    def __init__(
        self, cluster: Cluster, writer: PlannedWriter, exact: bool, parameters: Sequence[str] = ()
    ) -> None:
        self.cluster, self.writer, self.exact = cluster, writer, exact
        self.known = parameters
        self.needed = needed(cluster, writer)
        self.arrays: dict[Node, str] = {}
        self.outside: dict[str, str] = {}  # what the caller calls a parameter that has another name here
        self.numbers: dict[str, tuple[str, str]] = {}
        self.taken = self._taken()
        self.before_row: list[str] = []
        self.values: dict[Node, str] = {}
        self.fresh: list[Node] = []
        self.phase = self._phases()
        self.flat = self._is_flat()
        self.sizes: dict[str, None] = {}

    def _taken(self) -> set[str]:
        """What no variable may be called."""
        sizes = {name for dim in self.cluster.space for name in names_of(dim)}
        return {*self.known, *sizes, *own_names()}

    def _parameter(self, text: str) -> str:
        """What a parameter is called: as the caller calls it, where the kernel means nothing else by that."""
        name = text
        while name in own_names() or (name != text and name in self.writer.names.taken):
            name += "_"
        if name != text:
            self.outside[name] = text
        return name

    # -- which part of the loop does what ------------------------------------------------------------------------

    def _is_row(self, member: Member) -> bool:
        return member.kind == ELEMENT and member.space != self.cluster.space

    def _phases(self) -> dict[Node, int]:
        """How many reductions along the rows each value waits for."""
        available: dict[Node, int] = {}
        phase: dict[Node, int] = {}
        last: dict[Node, int] = {}
        for m in self.cluster.members:
            homes = {self.writer.memory.home.get(x, x) for x in (m.node, *m.node.inputs)}
            waits = [available.get(x, 0) for x in m.node.inputs] + [last.get(h, 0) for h in homes]
            at = phase[m.node] = max(waits, default=0)
            available[m.node] = at + (m.kind in REDUCTIONS)
            last.update(dict.fromkeys(homes, at))
        return phase

    def _is_flat(self) -> bool:
        """Whether one loop over all elements will do: every array has them all, in the same order."""
        if any(m.kind not in (ELEMENT, FULL_SUM) or self._is_row(m) for m in self.cluster.members):
            return False
        inside = self.cluster.nodes
        if any(self.writer.memory.home.get(n) in self.writer.pieces for n in inside):
            return False
        operands = {
            x for m in self.cluster.members for x in m.node.inputs if x.shape != () and x not in inside
        }
        return all(x.shape == self.cluster.space and self._in_order(x) for x in operands)

    def _in_order(self, node: Node) -> bool:
        """Whether the elements of an array lie one after the other."""
        leaf = node.op.kind == "leaf" and (node.op.role != "state" or node.ndim == 1)
        home = self.writer.memory.home.get(node)
        own = home is not None and home not in self.writer.pieces
        return leaf or own or node in self.writer.closure.rows

    # -- arrays and numbers --------------------------------------------------------------------------------------

    def _array(self, node: Node) -> str:
        """The parameter for an array: one for all values that share it."""
        home = self.writer.memory.home.get(node, node)
        if home not in self.arrays:
            if home is node and home not in self.writer.texts:
                raise KeyError(node)
            self.arrays[home] = self._parameter(self.writer.closure.alias(str(self.writer.texts[node])))
        return self.arrays[home]

    def _at(self, node: Node) -> str:
        """An element of an array."""
        name = self._array(node)
        if self.flat:
            return f"{name}[i]"
        axes = AXES[: len(self.cluster.space)]
        skipped = (
            0 if node.shape == self.cluster.space[:-1] and self._reduced(node) else len(axes) - node.ndim
        )
        places = ["0" if d == 1 and s != 1 else a for a, d, s in self._aligned(axes, node, skipped)]
        return f"{name}[{', '.join(places)}]"

    def _aligned(self, axes: str, node: Node, skipped: int) -> list[tuple[str, Dim, Dim]]:
        space = self.cluster.space[skipped:]
        return list(zip(axes[skipped:], node.shape, space, strict=False))

    def _reduced(self, node: Node) -> bool:
        """Whether a value is one for each row, without an axis for the elements; or a label of each row."""
        return any(m.node is node and m.kind in REDUCTIONS for m in self.cluster.members)

    def _number(self, node: Node) -> str:
        """A number of the program: written down, or handed to the kernel."""
        if node.op.role == "const":
            text = str(literal(node.attrs["value"].value[()], node.dtype))
            return text if node.dtype in ("bool", "int64") else number(text, node.dtype)
        text = str(self.writer.text(node))
        if text not in self.numbers:
            wish = f"c_{text}" if text.isidentifier() else "number"
            own = text.isidentifier() and node.op.role != "size"
            name = self._parameter(text) if own else self._new(wish)
            self.numbers[text] = name, node.dtype
        return self.numbers[text][0]

    def _new(self, wish: str) -> str:
        name = wish = identifier(wish)
        if name in self.known:  # an element of what is called so
            name = wish = f"{name}_{AXES[: 1 if self.flat else len(self.cluster.space)]}"
        count = 1
        while name in self.taken or name in self.arrays.values():
            count += 1
            name = f"{wish}_{count}"
        self.taken.add(name)
        return name

    def _variable(self, node: Node) -> str:
        """The variable of a value: its name without that of its layer."""
        wish = self.writer.names.wish(node)
        start = "d_" if wish.startswith("d_") else ""
        return self._new(start + wish.removeprefix(start).rpartition(".")[2])

    # -- lines ---------------------------------------------------------------------------------------------------

    def lines(self, name: str) -> list[str]:
        """The whole function."""
        loops = self._flat_loop() if self.flat else self._row_loops()
        heads = self._heads()
        totals = [m for m in self.cluster.members if m.kind == FULL_SUM]
        starts = [f"{self.values[m.node]} = 0.0" for m in totals]
        results = [self.values[m.node] for m in totals]
        returned = [f"return {', '.join(results)}"] if results else []
        body = [*heads, *starts, *loops, *returned]
        head = f"def {name}({', '.join(self.parameters)}):"
        if len(head) > MAX_WIDTH:
            wrapped = [f"def {name}(", *(f"    {p}," for p in self.parameters), "):"]
        else:
            wrapped = [head]
        return ["@kernel", *wrapped, *(f"    {line}" for line in body)]

    def call(self, name: str) -> list[str]:
        """The lines that call it."""
        totals = [m.node for m in self.cluster.members if m.kind == FULL_SUM]
        texts = [str(self.writer.texts[n]) for n in totals]
        target = f"{', '.join(texts)} = " if totals else ""
        inside = [*dict.fromkeys(self.arrays.values()), *self.numbers, *self.sizes]
        arguments = [self.outside.get(name, name) for name in inside]
        lines = [f"{target}{name}({', '.join(arguments)})"]
        if len(lines[0]) > MAX_WIDTH - 8:
            lines = [f"{target}{name}(", *(f"    {a}," for a in arguments), ")"]
        # what comes out of a kernel is a Python float
        typed = [f"{t} = np.{n.dtype}({t})" for t, n in zip(texts, totals, strict=True)]
        bound = self.writer.closure.bound
        return [*map(bound, self._made()), *lines, *map(bound, typed)]

    def _made(self) -> list[str]:
        """New arrays for what the caller keeps."""
        dtypes = {n: f"np.{n.dtype}{'_' * (n.dtype == 'bool')}" for n in self.fresh}
        return [f"{self.writer.texts[n]} = np.empty({dims_text(n.shape)}, {dtypes[n]})" for n in self.fresh]

    @property
    def parameters(self) -> list[str]:
        """The names that the kernel takes."""
        return [
            *dict.fromkeys(self.arrays.values()),
            *(name for name, _ in self.numbers.values()),
            *self.sizes,
        ]

    def _heads(self) -> list[str]:
        """Numbers in the dtype of the loop, and flat views."""
        lines = (
            [f"{n} = {n}.reshape(-1)" for n in dict.fromkeys(self.arrays.values())] if self._reshaped else []
        )
        floats = [(n, d) for n, d in self.numbers.values() if d.startswith("float")]
        return lines + [f"{n} = {number(n, d)}" for n, d in floats]

    @property
    def _reshaped(self) -> bool:
        return self.flat and len(self.cluster.space) > 1

    def _flat_loop(self) -> list[str]:
        count = product(self.cluster.space)
        bound = self._bound(count)
        inner, sums = self._elements(self.cluster.members)
        if not sums:
            return [f"for i in range({bound}):", *(f"    {line}" for line in inner)]
        return [
            f"for start in range(0, {bound}, {BLOCK}):",
            *(f"    {part} = {number('0.0', m.node.dtype)}" for m, part in sums),
            f"    for offset in range(min({BLOCK}, {bound} - start)):",
            "        i = np.uint64(start + offset)  # which is never negative: the loop can be vectorised",
            *(f"        {line}" for line in inner),
            *(f"    {self.values[m.node]} += {part}" for m, part in sums),
        ]

    def _bound(self, dim: Dim) -> str:
        """A size, as what a loop runs to."""
        if isinstance(dim, int):
            return str(dim)
        called = {name: self._parameter(name) for name in names_of(dim)}
        self.sizes |= dict.fromkeys(called.values())
        return re.sub(r"[A-Za-z_]\w*", lambda word: called.get(word[0], word[0]), str(dim))

    def _row_loops(self) -> list[str]:
        space = self.cluster.space
        self.columns: list[Member] = []
        lines: list[str] = []
        indent = ""
        for axis, dim in zip(AXES, space[:-1], strict=False):
            lines.append(f"{indent}for {axis} in range({self._bound(dim)}):")
            indent += "    "
        body: list[str] = []
        for phase in range(max(self.phase.values()) + 1):
            body += self._phase_lines([m for m in self.cluster.members if self.phase[m.node] == phase])
        return [*self._empty_columns(), *lines, *(f"{indent}{line}" for line in body)]

    def _empty_columns(self) -> list[str]:
        """Sums along the columns start from 0."""
        if not self.columns:
            return []
        zeros = [f"    {self._store(m.node)} = {number('0.0', m.node.dtype)}" for m in self.columns]
        return [f"for j in range({self._bound(self.cluster.space[-1])}):", *zeros]

    def _phase_lines(self, members: Sequence[Member]) -> list[str]:
        """What is done once for a row, and then a loop over its elements."""
        rows = [m for m in members if self._is_row(m)]
        sums_of_rows = [m for m in members if m.kind == FULL_SUM and m.space != self.cluster.space]
        rest = [m for m in members if m not in rows and m not in sums_of_rows]
        lines: list[str] = []
        self.before_row, self.row_values = lines, self.values
        for m in rows:
            lines += self._value(m, lines)
        for m in sums_of_rows:
            value = self._operand(m.node.inputs[0], lines)
            self.values[m.node] = self._variable(m.node)
            lines.append(f"{self.values[m.node]} += {value}")
        return [*lines, *self._element_loop(rest)] if rest else lines

    def _element_loop(self, members: Sequence[Member]) -> list[str]:
        reductions = [m for m in members if m.kind in REDUCTIONS]
        for m in reductions:
            self.values[m.node] = self._variable(m.node)
        self.before_row = []
        self.row_values = dict(self.values)
        inner, sums = self._elements(members)
        axis = AXES[len(self.cluster.space) - 1]
        starts = [line for m in reductions for line in self._start(m)]
        starts += [f"{part} = {number('0.0', m.node.dtype)}" for m, part in sums]
        ends = [line for m in reductions for line in self._after(m)]
        ends += [f"{self.values[m.node]} += {part}" for m, part in sums]
        totals = {m.node: self.values[m.node] for m, _ in sums}
        # what this loop made is an element of the last one from here on
        self.values = {**self.row_values, **totals}
        bound = self._bound(self.cluster.space[-1])
        loop = [f"for {axis} in range({bound}):", *(f"    {line}" for line in inner)]
        return [*self.before_row, *starts, *loop, *ends]

    def _after(self, member: Member) -> list[str]:
        """What ends a reduction: it is stored where somebody outside reads it."""
        value = self.values[member.node]
        found = [f"{value} = _of_ranks(highest_{value}, lowest_{value})"] if self._by_rank(member) else []
        return found + ([f"{self._store(member.node)} = {value}"] if member.node in self.needed else [])

    def _start(self, member: Member) -> list[str]:
        """What a reduction starts from."""
        value = self.values[member.node]
        if self._by_rank(member):
            ends = f"highest_{value}, lowest_{value}"
            return [f"{ends} = np.int32(-2147483648), np.int32(2147483647)"]
        return [f"{value} = {number('-np.inf' if member.kind == ROW_MAX else '0.0', member.node.dtype)}"]

    def _by_rank(self, member: Member) -> bool:
        """Whether the largest of a row is found by whole numbers, which one instruction compares by the dozen."""
        width = self.cluster.space[-1]
        return member.kind == ROW_MAX and member.node.dtype == "float32" and int(str(width)) >= WIDE

    def _elements(self, members: Sequence[Member]) -> tuple[list[str], list[tuple[Member, str]]]:
        """The lines for one element, and the sums that they add to."""
        lines: list[str] = []
        sums: list[tuple[Member, str]] = []
        for m in members:
            if m.kind == FULL_SUM:
                value = self._operand(m.node.inputs[0], lines)
                part = self._new("part")
                self.values[m.node] = self._variable(m.node)
                sums.append((m, part))
                lines.append(f"{part} = _plus({part}, {value})")
            elif m.kind == COLUMN_SUM:
                value = self._operand(m.node.inputs[0], lines)
                at = self._store(m.node)
                lines.append(f"{at} = {at} + {value}")
                self.columns.append(m)
            elif m.kind in REDUCTIONS:
                lines += self._reduce(m, lines)
            else:
                lines += self._value(m, lines)
        return lines, sums

    def _reduce(self, member: Member, lines: list[str]) -> list[str]:
        value = self._operand(member.node.inputs[0], lines)
        name = self.values[member.node]
        if self._by_rank(member):
            return [
                f"rank = _rank({value})",
                f"highest_{name} = np.int32(max(highest_{name}, rank))",
                f"lowest_{name} = np.int32(min(lowest_{name}, rank))",
            ]
        function = "_maximum" if member.kind == ROW_MAX else "_plus"
        return [f"{name} = {function}({name}, {value})"]

    def _value(self, member: Member, lines: list[str]) -> list[str]:
        """The line that makes a value, and the one that stores it."""
        node = member.node
        if member.kind == ONE_HOT:
            text = self._one_hot(node)
        else:
            operands = [self._operand(x, lines) for x in node.inputs]
            text = str(element_of(node, operands, self.exact))
        name = self._variable(node)
        stored = [f"{self._store(node)} = {name}"] if self._is_stored(node) else []
        self.values[node] = name
        return [f"{name} = {text}", *stored]

    def _one_hot(self, node: Node) -> str:
        """1 at the place of the label of a row."""
        labels = node.inputs[0]
        axes = AXES[: len(self.cluster.space)]
        label = f"{self._array(labels)}[{', '.join(axes[:-1])}]"
        one, zero = (str(number(str(literal(value, node.dtype)), node.dtype)) for value in (1, 0))
        return f"{one} if {label} == {axes[-1]} else {zero}"

    def _is_stored(self, node: Node) -> bool:
        """Whether a value is needed outside, or by a later loop over the elements of the row."""
        if node in self.needed:
            return True
        users = [m for m in self.cluster.members if node in m.node.inputs]
        row = node.shape == row_of(self.cluster.space) and node.shape != self.cluster.space
        return not row and any(self.phase[m.node] > self.phase[node] for m in users)

    def _store(self, node: Node) -> str:
        if node not in self.writer.memory.home and node not in self.fresh:
            self.fresh.append(node)
        return self._at(node)

    def _operand(self, node: Node, lines: list[str]) -> str:
        """A variable, an element of an array, or a number."""
        if node in self.values:
            return self.values[node]
        if node in self.writer.left_out:
            name = self._variable(node)
            lines.append(f"{name} = {self._one_hot(node)}")
            self.values[node] = name
            return name
        if node.shape == ():
            return self._number(node)
        return self._loaded(node, lines)

    def _loaded(self, node: Node, lines: list[str]) -> str:
        """An element of an array in a variable: of a row, before the loop over its elements."""
        name, text = self._variable(node), self._at(node)
        axis = AXES[len(self.cluster.space) - 1]
        if self.flat or re.search(rf"[\[ ]{axis}\b", text):
            lines.append(f"{name} = {text}")
        else:
            self.before_row.append(f"{name} = {text}")
            self.row_values[node] = name
        self.values[node] = name
        return name


def with_numba(imports: Sequence[str], compiled: Sequence[Sequence[str]]) -> list[str]:
    """The imports of a program, with that of what compiles its kernels."""
    return [*imports, *(["from numba import njit"] if compiled else [])]
