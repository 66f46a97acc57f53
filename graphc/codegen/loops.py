"""Loops of the planned layout: bodies that write into buffers, and what is stacked straight into rows of its stack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from graphc.codegen.blocks import Block, assignments
from graphc.codegen.calls import has_form
from graphc.codegen.lifetimes import END
from graphc.codegen.statements import MAX_WIDTH, Statement
from graphc.codegen.strips import wrapped
from graphc.ir.node import Node, toposort
from graphc.ir.types import Shape
from graphc.ops.bodies import arg, called
from graphc.ops.shape import dims_text

if TYPE_CHECKING:
    from graphc.codegen.planned import PlannedWriter


def is_loop(node: Node) -> bool:
    """Whether a value is a result of a loop."""
    return "loop" in node.op.properties


def is_stack(node: Node) -> bool:
    """Whether a result of a loop is what its steps stack."""
    return bool(node.attrs["result"] >= len(node.attrs["next"]))


def is_planned_loop(node: Node) -> bool:
    """Whether a value is a result of a loop that is an array."""
    return is_loop(node) and node.shape != ()


class _Row(NamedTuple):
    """What a step takes: a variable, what the loop goes through, and whether that is the same array at every call."""

    variable: str
    whole: str
    fixed: bool


class Loop:
    """One loop, being written.

    A carry that is stacked besides has an array of one row more than there are steps: a step reads a row and writes
    the next one. Another array that is carried is written in place, or copied there at the end of a step.

    Args:
        writer: of what is around the loop.
        group: the results that somebody reads.
        operands: their texts.
        place: of the loop among the lines around it.
    """

    def __init__(
        self, writer: PlannedWriter, group: Sequence[Node], operands: Sequence[str], place: int
    ) -> None:
        self.writer, self.group, self.operands, self.place = writer, group, operands, place
        self.node, attrs = group[0], group[0].attrs
        self.next, self.ys, self.over = attrs["next"], attrs["ys"], attrs["over"]
        self.names, self.length, self.reverse = attrs["names"], attrs["length"], attrs["reverse"]
        self.count = len(self.next)
        self.results = {node.attrs["result"]: node for node in group}
        self.carries = [arg(i, root.type) for i, root in enumerate(self.next)]
        self.body = [n for n in toposort([*self.next, *self.ys]) if n.op.kind != "leaf"]
        self.before: list[str] = []
        self.taken: list[_Row] = []
        self.known: dict[Node, str] = {}
        self.fixed: set[Node] = set()
        self.rows: set[Node] = set()
        self.targets: dict[Node, str] = {}
        self.stores: list[tuple[str, Node]] = []
        self.places: dict[int, str] = {}  # the array of each carry that is written in place
        self.counter = ""

    def statement(self) -> Statement:
        """The loop as one statement of many lines."""
        in_rows = dict(self._carried_in_rows())
        for i, carry in enumerate(self.carries):
            self._carry(i, carry, in_rows.get(i))
        done = {j for stacks in in_rows.values() for j in stacks}
        for j, y in enumerate(self.ys):
            if j not in done:
                self._stack(j, y)
        self._operands()
        inner, statements = self._inside()
        lines = [line for s in statements for line in s.lines("")] + self._ending(inner)
        block = (*self.before, *self._head(), *(f"    {line}" for line in lines or ["pass"]))
        name, layer = self.writer.names(self.node), self.writer.layer(self.node)
        parts = (self.node, name, "\n".join(block), "", layer, block, tuple(self.group), tuple(statements))
        return Statement(*parts)

    # -- arrays --------------------------------------------------------------------------------------------------

    def _carried_in_rows(self) -> Iterator[tuple[int, list[int]]]:
        """The carries that are stacked, as a step finds or as it leaves them, and their stacks."""
        for i, carry in enumerate(self.carries):
            stacks = [j for j, y in enumerate(self.ys) if y is carry or y is self.next[i]]
            nodes = [self.results.get(i), *(self.results.get(self.count + j) for j in stacks)]
            taken = any(n in self.writer.targets for n in nodes) or any(
                n in self.writer.fresh for n in nodes[1:]
            )
            if stacks and carry.shape != () and not taken and self._first(i):
                yield i, stacks

    def _first(self, i: int) -> bool:
        """Whether no carry before becomes the same."""
        return self.next[i] not in self.next[:i]

    def _carry(self, i: int, carry: Node, stacks: Sequence[int] | None) -> None:
        start = self.operands[i]
        if carry.shape == ():
            self.known[carry] = name = self._result(i, self.names[i])
            self.before.append(f"{name} = {start}")
        elif stacks is not None:
            self._carry_in_rows(i, carry, stacks)
        else:
            self.known[carry] = self.places[i] = name = self._result(i, self.names[i])
            self._array(i, name, carry.shape)
            self.fixed.add(carry)
            self.rows.add(carry)
            self._copied(name, start)

    def _carry_in_rows(self, i: int, carry: Node, stacks: Sequence[int]) -> None:
        """An array of a row for the start, and a row that each step leaves."""
        every = self.writer.names.reserve(f"every_{self.names[i]}")
        found, left, first, last = ("[:-1]", "[1:]", "[0]", "[-1]")
        if self.reverse:
            found, left, first, last = left, found, last, first
        results = [i, *(self.count + j for j in stacks)]
        self._buffer(every, (self.length + 1, *carry.shape), carry.dtype, results)
        self._copied(f"{every}{first}", self.operands[i])
        if i in self.results:
            self._view(self._result(i, self.names[i]), f"{every}{last}")
        for j in stacks:
            text = f"{every}{found if self.ys[j] is carry else left}"
            if self.count + j in self.results:
                self._view(self._result(self.count + j, f"{called(self.ys[j])}s"), text)
        self.known[carry] = self._row(self.names[i], f"{every}{found}", True)
        self._written_to(self.next[i], self._row(f"{self.names[i]}_next", f"{every}{left}", True))

    def _stack(self, j: int, y: Node) -> None:
        name = self._result(self.count + j, f"{called(y)}s")
        node = self.results.get(self.count + j)
        fixed = node not in self.writer.fresh
        if fixed:
            self._array(self.count + j, name, (self.length, *y.shape), y.dtype)
        else:
            shape = dims_text((self.length, *y.shape))
            self.before.append(f"{name} = np.empty({shape}, np.{_dtype(y.dtype)})")
        if y.shape == ():
            self.counter = self.counter or self.writer.names.reserve("t")
            self.stores.append((f"{name}[{self.counter}]", y))
        else:
            self._written_to(y, self._row(y.about.name or self.writer.names.word(y), name, fixed))

    def _written_to(self, node: Node, row: str) -> None:
        """A value of the body belongs into a row: it is written there, or copied."""
        if has_form(node) and node not in self.targets:
            self.targets[node] = row
        else:
            self.stores.append((row, node))

    def _result(self, index: int, wish: str) -> str:
        """The variable of a result; one of its own where nobody reads that result."""
        node = self.results.get(index)
        return self.writer.names.reserve(wish) if node is None else self.writer.names(node)

    def _array(self, index: int, name: str, shape: Shape, dtype: str = "") -> None:
        """A buffer for a result, unless it has an array already."""
        node = self.results.get(index)
        if node is None or node not in self.writer.targets:
            self._buffer(name, shape, dtype or self.next[index].dtype, [index])

    def _buffer(self, name: str, shape: Shape, dtype: str, results: Sequence[int]) -> None:
        spans = self.writer.memory.span
        ends = [spans[self.results[r]][1] for r in results if r in self.results and self.results[r] in spans]
        last = min(max([self.place, *ends]), END)
        self.writer.closure.buffers.append((name, dims_text(shape), _dtype(dtype), self.place, last))

    def _view(self, name: str, text: str) -> None:
        self.writer.closure.setup.append(f"{name} = {text}")

    def _copied(self, name: str, text: str) -> None:
        """A line before the loop."""
        self.before.append(self.writer.closure.bound(f"np.copyto({name}, {text})"))

    def _row(self, wish: str, whole: str, fixed: bool) -> str:
        name = self.writer.names.reserve(wish)
        self.taken.append(_Row(name, whole, fixed))
        return name

    # -- the body ------------------------------------------------------------------------------------------------

    def _operands(self) -> None:
        """What a step reads: elements of sequences, and what is the same at every step."""
        used = {n.attrs["index"]: n for n in toposort([*self.next, *self.ys]) if n.op.role == "arg"}
        closure = self.writer.closure
        for i in sorted(i for i in used if i >= self.count):
            leaf, outer, text = used[i], self.node.inputs[i], self.operands[i]
            fixed = outer in closure.fixed
            if i < self.count + self.over:
                self.known[leaf] = self._row(self.names[i], text, fixed and leaf.shape != ())
                continue
            self.known[leaf] = text
            self.fixed |= {leaf} if fixed else set()
            self.rows |= {leaf} if outer in closure.rows else set()
            self._turned(leaf, text)

    def _turned(self, leaf: Node, text: str) -> None:
        """A matrix that every step multiplies by is transposed once: few rows times a transposed one are slow."""
        users = users_of(self.body)
        for node in users.get(leaf, ()):
            products = all("contracts" in user.op.properties for user in users.get(node, ()))
            flat = "view" in node.op.properties and node.shape == leaf.shape[::-1] and leaf.ndim == 2
            if not (self.writer.products and flat and products and node not in (*self.next, *self.ys)):
                continue
            name = self.writer.names.reserve(f"{text}_T")
            self._buffer(name, node.shape, node.dtype, ())
            self._copied(name, self.writer.rendered(node, [text]))
            self.known[node] = name
            self.fixed.add(node)
            self.rows.add(node)

    def _inside(self) -> tuple[PlannedWriter, list[Statement]]:
        """The writer of the body, and its statements; all of its arrays are needed as long as the loop runs."""
        buffers = self.writer.closure.buffers
        start = len(buffers)
        inner = self.writer.within(
            self.known,
            (*self.next, *self.ys),
            self.targets,
            self._given(),
            (self.fixed, self.rows),
            {row.variable for row in self.taken},
        )
        statements = inner.write_body(self.body)
        buffers[start:] = [
            (name, shape, dtype, self.place, self.place) for name, shape, dtype, *_ in buffers[start:]
        ]
        return inner, statements

    def _given(self) -> dict[Node, Node | None]:
        """The arrays of carries, which may be written over, and what each becomes."""
        given: dict[Node, Node | None] = {}
        for i in self.places:
            own = self.next[i] not in self.targets and self.next[i] not in given.values()
            given[self.carries[i]] = self.next[i] if own else None
        return given

    def _ending(self, inner: PlannedWriter) -> list[str]:
        """What a step stacks by a copy, and what it hands on."""
        stores = [f"{place} = {_text(inner, y)}" for place, y in self.stores if y.shape == ()]
        stores += [f"np.copyto({place}, {_text(inner, y)})" for place, y in self.stores if y.shape != ()]
        numbers = [
            (self.known[carry], _text(inner, root))
            for carry, root in zip(self.carries, self.next, strict=True)
            if carry.shape == () and carry is not root
        ]
        lines = [*stores, *self._copies(inner), *assignments(numbers)]
        return [self.writer.closure.bound(line) for line in lines]

    def _copies(self, inner: PlannedWriter) -> list[str]:
        """What has not been written in place; what lies in the array of another carry is brought away first."""
        away, copies = [], []
        for i, name in self.places.items():
            carry, root = self.carries[i], self.next[i]
            if root is carry or inner.memory.home.get(root) is carry:
                continue
            text = _text(inner, root)
            if self._lies_elsewhere(inner, root, carry):
                away.append(f"{(moved := self.writer.names.reserve(f'{name}_next'))} = np.array({text})")
                text = moved
            copies.append(f"np.copyto({name}, {text})")
        return [*away, *copies]

    def _lies_elsewhere(self, inner: PlannedWriter, root: Node, carry: Node) -> bool:
        """Whether a value may be the memory of another carry."""
        while "view" in root.op.properties:
            root = root.inputs[0]
        home = inner.memory.home.get(root, root)
        return home is not carry and (home in self.carries or (root.op.block is not None and home is root))

    # -- the head ------------------------------------------------------------------------------------------------

    def _head(self) -> list[str]:
        """``for x, (h, c) in zip(xs, steps):``; views of rows that are the same at every call are made once."""
        backwards = "[::-1]" if self.reverse else ""
        taken = [(row.variable, f"{row.whole}{backwards}") for row in self.taken if not row.fixed]
        fixed = [(row.variable, f"{row.whole}{backwards}") for row in self.taken if row.fixed]
        if self.counter or not self.taken:
            steps = f"range({Block.size(self.length)})"
            counter = self.counter or self.writer.names.reserve("t")
            taken.insert(0, (counter, f"reversed({steps})" if self.reverse else steps))
        variables = [v for v, _ in taken]
        sources = [text for _, text in taken]
        if fixed:
            sources.append(self._steps([text for _, text in fixed]))
            names = [v for v, _ in fixed]
            if not taken:
                variables = names
            else:
                variables.append(f"({', '.join(names)})" if len(names) > 1 else names[0])
        source = sources[0] if len(sources) == 1 else f"zip({', '.join(sources)})"
        return _heading(variables, source)

    def _steps(self, arrays: Sequence[str]) -> str:
        """The views of each step, made once."""
        name = self.writer.names.reserve("steps")
        if len(arrays) == 1:
            self.writer.closure.setup.append(f"{name} = [*{arrays[0]}]")
        else:
            self.writer.closure.setup += wrapped(f"{name} = [*zip(", arrays, ")]")
        return name


def _heading(variables: Sequence[str], source: str) -> list[str]:
    line = f"for {', '.join(variables)} in {source}:"
    if len(line) <= MAX_WIDTH - 16:
        return [line]
    if not variables[-1].startswith("("):
        return wrapped("for ", variables, f" in {source}:")
    parts = [f"    {part}," for part in variables[-1][1:-1].split(", ")]
    return [f"for {''.join(f'{v}, ' for v in variables[:-1])}(", *parts, f") in {source}:"]


def users_of(nodes: Iterable[Node]) -> dict[Node, list[Node]]:
    """Who reads each node."""
    users: dict[Node, list[Node]] = {}
    for node in nodes:
        for operand in node.inputs:
            users.setdefault(operand, []).append(node)
    return users


def _dtype(dtype: str) -> str:
    return f"{dtype}_" if dtype == "bool" else dtype


def _text(inner: PlannedWriter, root: Node) -> str:
    return Block.text_of(inner, root)
