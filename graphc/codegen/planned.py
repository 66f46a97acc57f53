"""The planned layout: the same statements, written into buffers that are there before the step begins."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from graphc.codegen import exponentials as rows
from graphc.codegen.calls import has_form, marks_of, over_operand, takes_off_one_hot, ufunc_of, written
from graphc.codegen.closure import Closure
from graphc.codegen.lifetimes import END
from graphc.codegen.loops import Loop, is_loop, is_planned_loop, is_stack, users_of
from graphc.codegen.names import Names
from graphc.codegen.parts import of_one_array, part_lines
from graphc.codegen.picks import Pick, picks
from graphc.codegen.pieces import pieces, with_room
from graphc.codegen.statements import MAX_WIDTH, Statement, Writer, is_weak
from graphc.codegen.strips import in_strips
from graphc.ir.graph import Graph
from graphc.ir.node import Node, result_groups, toposort
from graphc.ir.provenance import gradient_of
from graphc.ir.types import shape_text
from graphc.ops.shape import dims_text
from graphc.ops.template import Text, render
from graphc.planning.buffers import Memory, make_memory
from graphc.planning.choices import SHORT_ROW
from graphc.planning.order import is_gradient
from graphc.rewrite.rule import is_constant

_WORD = re.compile(r"[A-Za-z_]\w*")


Loops = Callable[["PlannedWriter", Sequence[Statement]], list[Statement]]


class PlannedWriter(Writer):
    """Writes the body of a step: one call a line, into buffers.

    Args:
        closure: receives what stands above the step.
        graph, names, known, constants: as for ``Writer``.
        roots: what is read at the end of these nodes.
        targets: for some nodes, the array that they are written into.
        given: leaves that may be written over, each with the node that it becomes.
        fresh: nodes that get a new array at every step, because the caller keeps them.
        products: whether sums along an axis, and choices between a cotangent and 0, may be products.
        names: of this section, where its nodes are of another graph than the closure's.
        aliases: whether values in one array may have names of their own.
        loops: puts statements that go over the same elements into loops; None leaves them as they are.
        phase: of nodes, where a loop may not go on from one to the next.
        rows: values that are an array with a value of ``targets`` in its first rows, and the name of that array.
        turned: values that are stored transposed.
    """

    def __init__(
        self,
        closure: Closure,
        graph: Graph,
        known: Mapping[Node, str],
        constants: dict[Node, str],
        roots: Iterable[Node],
        targets: Mapping[Node, str] | None = None,
        given: Mapping[Node, Node | None] | None = None,
        fresh: Collection[Node] = (),
        products: bool = True,
        names: Names | None = None,
        aliases: bool = True,
        loops: Loops | None = in_strips,
        phase: Mapping[Node, str] | None = None,
        rows: Mapping[Node, str] | None = None,
        turned: Collection[Node] = (),
    ) -> None:
        roots = tuple(roots)
        super().__init__(graph, names or closure.names, known, roots, constants, roots=roots)
        self.names.aside = True
        self.closure, self.targets, self.given = closure, dict(targets or {}), dict(given or {})
        self.fresh, self.products, self.aliases = set(fresh), products, aliases
        self.loops, self.phase = loops, phase or {}
        self.rows, self.turned = dict(rows or {}), turned
        self.arguments = {*known}
        self.place: dict[Node, int] = {}
        self.moving: set[str] = set()
        self.called: dict[Node, str] = {}
        self.kept = {*roots}

    def write(self, nodes: Sequence[Node]) -> list[Statement]:
        """The statements that compute these nodes, operands first, in arrays that their lives allow."""
        statements = self.write_body(nodes)
        return [*(self.loops(self, statements) if self.loops else statements), *self._copies()]

    def write_body(self, nodes: Sequence[Node]) -> list[Statement]:
        """The statements alone, without what brings values into the arrays that they have to end in."""
        nodes = [n for n in nodes if n not in self.texts]
        into = self._written(nodes)
        apart = self.products and self.loops in (
            None,
            in_strips,
        )  # a kernel takes the largest of a row on its way
        self.exponentials = rows.exponentials(nodes, self.users, into) if apart else {}
        nodes = list(rows.together(nodes, self.exponentials, self.users))
        self.memory = self._memory(nodes, into)
        inside = self.products and self.moving  # a loop: short arrays, again and again
        self.parts = of_one_array(nodes, self.memory.home) if inside else {}
        self.wholes: dict[tuple[Node, ...], str] = {}
        groups = result_groups(nodes)
        statements: list[Statement] = []
        self._name_buffers(nodes)
        self.place = {node: at for at, node in enumerate(nodes)}
        for node in nodes:
            if node not in self.left_out and (node not in self.texts or node in self.memory.home):
                statements += self._statements(node, groups)
        self.closure.called |= {at: str(self.texts.get(node, "")) for node, at in self.place.items()}
        return statements

    def within(
        self,
        known: Mapping[Node, str],
        roots: Sequence[Node],
        targets: Mapping[Node, str],
        given: Mapping[Node, Node | None],
        fixed: tuple[set[Node], set[Node]],
        moving: set[str],
    ) -> PlannedWriter:
        """A writer for the body of a loop.

        Args:
            known: its leaves.
            roots: what the loop reads of it.
            targets: as for the writer itself.
            given: as for the writer itself.
            fixed: nodes that are the same arrays at every step, and those of them that lie in rows.
            moving: the variables that are another array at each step of the loop.
        """
        names, closure = self.names.inner(), self.closure.within(*fixed)
        parts = (closure, self.graph, known, self.constants, roots, targets, given)
        writer = PlannedWriter(*parts, products=self.products, names=names, loops=None)
        writer.helpers, writer.moving = self.helpers, {*self.moving, *moving}
        writer.users = users_of(toposort(roots))
        return writer

    # -- memory --------------------------------------------------------------------------------------------------

    def _written(self, nodes: Sequence[Node]) -> set[Node]:
        """The nodes that a call writes into an array."""
        formed = {n for n in nodes if n.shape != () and n not in self.rows and has_form(n)}
        into = formed - self.fresh
        self.indexed = {n for n in formed if takes_off_one_hot(n)}
        values = {n.inputs[0] for n in self.indexed & self.fresh if len(self.users[n.inputs[0]]) == 1}
        self.opened = {x for x in values & into if ufunc_of(x) is not None} - {*self.roots}
        into -= self.opened
        marks = {n.inputs[1] for n in self.indexed} - {*self.roots}
        self.left_out = {n for n in marks if all(user in self.indexed for user in self.users[n])}
        hot = {n.inputs[0] for n in self.left_out if marks_of(n)[1] is not None}
        self.left_out |= {n for n in hot - {*self.roots} if self.left_out.issuperset(self.users[n])}
        self.picks = picks(nodes, self.users, self.kept) if self.products else {}
        self.copied = {pick.chosen: pick.marks for pick in self.picks.values() if pick.copied}
        self.left_out |= {n for pick in self.picks.values() for n in pick.inner}
        return into - self.left_out

    def _memory(self, nodes: Sequence[Node], into: set[Node]) -> Memory:
        reads = {total: (each.x, each.shift) for total, each in self.exponentials.items()}
        reads |= {total: (each.marks, each.value) for total, each in self.picks.items()}
        reads |= {chosen: (marks, marks) for chosen, marks in self.copied.items()}

        def in_place(node: Node) -> bool:
            return over_operand(node) or self._is_masked(node)

        stacked = {n for n in nodes if is_planned_loop(n) and not (n in self.fresh and is_stack(n))}
        wanted = [value for value in self.given.values() if value is not None]
        apart = {*self.targets, *self.given, *wanted, *self.roots, *self.exponentials, *stacked}
        self.pieces = pieces(nodes, into, apart, in_place, self.users)
        placed = {*self.targets, *self.pieces}
        parts = (in_place, self.shares, self.roots, self.given, placed, reads, stacked)
        return with_room(make_memory(nodes, into | stacked, *parts), self.pieces)

    def shares(self, node: Node) -> bool:
        """Whether a value may be the memory of its operands."""
        from graphc.codegen.numpy import is_shared

        return node in self.rows or is_shared(node) or node.op.numpy == "{x}" or node.op.block is not None

    def _name_buffers(self, nodes: Sequence[Node]) -> None:
        """What each value that has an array is called; values that share one may have names of their own for it."""
        tenants: dict[Node, list[Node]] = {}
        for node in nodes:
            if node in self.memory.home and not is_planned_loop(node):
                tenants.setdefault(self.memory.home[node], []).append(node)
        for home, shared in sorted(tenants.items(), key=lambda item: item[0] in self.pieces):
            if home in self.pieces:  # the arrays that hold them have names by then
                piece, whole = self.pieces[home], self.called[self.pieces[home].whole]
                view = piece.text(whole)
                if not (self.graph.name_of(home) or home.about.hint):
                    self.names.of.setdefault(home, self.names.reserve(f"{whole}_{piece.word}"))
                self.targets[home] = self.names(home)
                self.closure.notes[self.targets[home]] = f"{shape_text(home.shape)}  written in place"
                self.closure.setup.append(f"{self.targets[home]} = {view}")
            self._name_shared(home, shared)

    def _name_shared(self, home: Node, nodes: Sequence[Node]) -> None:
        """A value that nobody named goes by the name of what comes of it in the same array."""
        first = str(self.texts[home]) if home in self.given else self.targets.get(home, "")
        name, later = first, None
        for node in reversed(nodes):
            if not name or (not first and self.aliases and self._renames(node, later)):
                name = self.names(node)
            self.called[node], later = name, node
        if first:
            return
        self._buffer(home)
        own = self.called[nodes[0]]
        self.closure.setup += [
            f"{n} = {own}" for n in dict.fromkeys(self.called[x] for x in nodes) if n != own
        ]

    def _renames(self, node: Node, later: Node | None) -> bool:
        """Whether a name ends here: somebody named the value, or what comes of it is a gradient and it is none."""
        return self._has_name(node) or (later is not None and is_gradient(later) and not is_gradient(node))

    def _has_name(self, node: Node) -> bool:
        return bool(self.graph.name_of(node) or node.about.hint) or gradient_of(node) is not None

    def _buffer(self, home: Node) -> None:
        first, last = self.memory.span[home]
        dtype = f"{home.dtype}{'_' if home.dtype == 'bool' else ''}"
        last = min(last, END)
        self.closure.buffers.append((self.called[home], dims_text(home.shape), dtype, first, last))

    # -- statements ----------------------------------------------------------------------------------------------

    def _statements(self, node: Node, groups: Mapping[Node, Sequence[Node]]) -> Iterator[Statement]:
        if node in groups:
            if not any(n in self.texts for n in groups[node]):
                yield self._loop(groups[node]) if is_loop(node) else self._block(groups[node])
        elif node in self.exponentials:
            yield self._exponentials(node)
        elif node in self.rows:
            self._set(node, Text(self.rows[node]), fixed=True)
            self.closure.rows.add(node)
        elif node in self.memory.home:
            if not any(node in (each.shift, each.e) for each in self.exponentials.values()):
                yield from self._whole(node) if self._is_whole(node) else (self._into(node),)
        elif node in self.indexed:
            yield self._new_indexed(node)
        elif node.shape == () and self._never_changes(node):
            self._set(node, Text(self.closure.hoist(str(self._render(node)), self.wish(node))), fixed=True)
            self.closure.settled.add(node)
        elif self._is_fixed_view(node):
            self._view(node)
        else:
            yield from self._plain(node)

    def _pick(self, node: Node, pick: Pick, name: str) -> Statement:
        """The sum of what labels pick."""
        marks = pick.chosen if pick.copied else pick.marks
        lines = pick.lines(name, str(self.text(marks)), str(self.text(pick.value)))
        self._set(node, Text(name))
        return self._statement(node, name, [self.closure.bound(line) for line in lines])

    def _loop(self, group: Sequence[Node]) -> Statement:
        """A loop whose arrays are there before."""
        place = min(self.place[node] for node in group)
        statement = Loop(self, group, self.block_operands(group[0]), place).statement()
        for node in group:
            own = node in self.memory.home
            self._set(node, Text(self.names(node)), fixed=own)
            self.closure.rows |= {node} if own else set()
        return statement

    def hoist(self, expression: str, wish: str) -> str:
        """What is computed once; or at its place, where it reads what each step of a loop around has another of."""
        if self.moving.intersection(_WORD.findall(expression)):
            return expression
        return self.closure.hoist(expression, wish)

    def rendered(self, node: Node, operands: Sequence[str]) -> str:
        """The expression of a node over these texts."""
        return str(render(node, [Text(x) for x in operands]))

    def _lies_in(self, node: Node, name: str) -> None:
        """A value lies in an array: the same at every call, unless each step of a loop has another."""
        fixed = name not in self.moving
        self._set(node, Text(name), fixed)
        self.closure.rows |= {node} if fixed else set()

    def _set(self, node: Node, text: Text, fixed: bool = False) -> None:
        self.texts[node] = text
        if fixed:
            self.closure.fixed.add(node)

    def wish(self, node: Node) -> str:
        """What a value is called, if it may be."""
        return self.graph.name_of(node) or self.names.word(node)

    def _into(self, node: Node) -> Statement:
        """A call that writes into a buffer."""
        self.helpers.extend(node.op.helpers)
        name = self.called[node]
        lines = self._lines_into(node, name)
        lines = [self._with_site(node, line) for line in lines] if node.op.role == "random" else lines
        if node in self.pieces:
            self._set(node, Text(name), fixed=True)
        else:
            self._lies_in(node, name)
        return self._statement(node, name, [self.closure.bound(line) for line in lines])

    def _lines_into(self, node: Node, name: str) -> list[str]:
        if node in self.copied:
            return [f"np.copyto({name}, {self.text(self.copied[node])})"]
        operands = [self._operand(node, x) for x in node.inputs if x not in self.left_out]
        lines = (
            self._masked(node, operands, name)
            or self._summed(node, operands, name)
            or self._indexed(node, operands, name)
            or part_lines(self, node, name)
            or written(node, operands, name, self.hoist)
        )
        assert lines is not None
        return lines

    def _is_whole(self, node: Node) -> bool:
        return node.op.piece is not None and all(
            x in self.pieces and self.pieces[x].whole is node for x in node.inputs
        )

    def _whole(self, node: Node) -> Iterator[Statement]:
        """What is there once its pieces are; a card may have to fill gaps between them."""
        name = self.called[node]
        lines = node.op.gaps(name, node) if node.op.gaps is not None else []
        self._lies_in(node, name)
        if lines:
            self.helpers.extend(node.op.helpers)
            yield self._statement(node, name, lines)

    def _exponentials(self, node: Node) -> Statement:
        """The exponentials of rows with their sums, in one call."""
        each = self.exponentials[node]
        self.helpers.append(rows.HELPER)
        for n in (each.shift, each.e, each.total):
            self._lies_in(n, self.called[n])
        texts = {n: str(self.text(n)) for n in (each.x, each.shift, each.e, each.total)}
        ones = rows.ones_of(each)
        line = rows.call(each, texts, self.closure.hoist(ones, "ones") if ones else None)
        return self._statement(node, self.called[node], [line])

    def _is_masked(self, node: Node) -> bool:
        """Whether a value is a choice between a cotangent and 0: where that is finite, a product with the mask."""
        if not self.products or node.op.formula != "where(condition, x, y)" or not is_gradient(node):
            return False
        mask, value, other = node.inputs
        return is_constant(other, 0.0) and mask.shape == value.shape == node.shape

    def _masked(self, node: Node, operands: Sequence[str], out: str) -> list[str] | None:
        return [f"np.multiply({operands[1]}, {operands[0]}, out={out})"] if self._is_masked(node) else None

    def _summed(self, node: Node, operands: Sequence[str], out: str) -> list[str] | None:
        """A sum along an axis of a matrix as a product with ones: BLAS adds in another order, and in half the time.

        Along the second axis NumPy adds in pairs, which is more accurate for long rows: these stay as they are.
        """
        if not self.products or "sums" not in node.op.properties or node.inputs[0].ndim != 2:
            return None
        if not node.type.is_float or len(node.attrs["axis"]) != 1:
            return None
        matrix, axis = node.inputs[0], node.attrs["axis"][0]
        length = matrix.shape[axis]
        if axis == 1 and not (isinstance(length, int) and length <= SHORT_ROW):
            return None
        ones = self.closure.hoist(f"np.ones({length}, np.{node.dtype})", "ones")
        flat = self.hoist(f"{out}.reshape(-1)", f"{out}_flat") if node.attrs["keepdims"] else out
        pair = f"{ones}, {operands[0]}" if axis == 0 else f"{operands[0]}, {ones}"
        return [f"np.dot({pair}, out={flat})"]

    def _indexed(self, node: Node, operands: Sequence[str], out: str) -> list[str] | None:
        """1 taken off at the place of each label, in place of a row of comparisons."""
        if node not in self.indexed:
            return None
        value = node.inputs[0]
        line = self._taken_off(node, out)
        same = self.memory.home[node] is self.memory.home.get(value)
        return [line] if same else [f"np.copyto({out}, {operands[0]})", line]

    def _taken_off(self, node: Node, out: str) -> str:
        places = self.closure.hoist(f"np.arange(0, {node.shape[0]})", "places")
        labels, share = marks_of(node.inputs[1])
        amount = "1.0" if share is None else self._operand(node, share)
        return f"{out}[{places}, {self.text(labels.inputs[0])}] -= {amount}"

    def _new_indexed(self, node: Node) -> Statement:
        """The same in a new array, which the caller keeps."""
        name, value = self.names(node), node.inputs[0]
        text = self.text(value)
        first = f"{name} = {text}" if value in self.opened else f"{name} = np.array({text})"
        self.texts[node] = Text(name)
        return self._statement(node, name, [first, self._taken_off(node, name)])

    def _operand(self, node: Node, operand: Node) -> str:
        """An operand of a call: a number that never changes is an array of rank 0, which costs least."""
        if is_weak(operand) or operand in self.closure.settled:
            dtype = f"{operand.dtype}{'_' if operand.dtype == 'bool' else ''}"
            text = str(self.text(operand))
            return self.closure.hoist(f"np.array({text}, np.{dtype})", f"c_{text}")
        return str(self.text(operand))

    def _comment(self, node: Node) -> str:
        """As of all statements; the shape is that which was declared."""
        comment = super()._comment(node)
        if node not in self.turned:
            return comment
        stored, declared = (shape_text(shape) for shape in (node.shape, node.shape[::-1]))
        return f"{declared}ᵀ{comment.removeprefix(stored)}"

    def _statement(self, node: Node, name: str, lines: Sequence[str]) -> Statement:
        """Lines with the comment of the node behind the last."""
        comment = self._comment(node)
        shape, _, step = comment.partition("  ")
        for text in (comment, f"{shape}  {step.rpartition(': ')[2]}" if step else shape, shape):
            if len(lines[-1]) + len(text) + 12 <= MAX_WIDTH:
                lines = [*lines[:-1], f"{lines[-1]}  # {text}"]
                break
        return Statement(node, name, "\n".join(lines), "", self.layer(node), tuple(lines))

    def _never_changes(self, node: Node) -> bool:
        return bool(node.inputs) and all(is_weak(x) or x in self.closure.settled for x in node.inputs)

    def _is_fixed_view(self, node: Node) -> bool:
        if "view" not in node.op.properties or node in self.fresh or node.shape == ():
            return False
        whole = node.inputs[0]
        fixed = whole in self.closure.fixed or whole.op.role == "const"
        return fixed and ("rows" not in node.op.properties or whole in self.closure.rows)

    def _view(self, node: Node) -> None:
        self.helpers.extend(node.op.helpers)
        text = str(self._render(node))
        flipped = text.endswith(".T") and not self._has_name(node)
        if flipped and text[:-2] in self.closure.turned:  # turned back
            self._turn_back(node, text[:-2])
            return
        name = self.names.reserve(f"{text[:-2]}_T") if flipped else self._view_name(node)
        if flipped:
            self.closure.turned[name] = text[:-2]
        self.closure.setup.append(f"{name} = {text}")
        if node.inputs[0].op.role != "const":
            self.closure.notes[name] = f"{self._comment(node)}  view"
        self.closure.made.append(Statement(node, name, text, "", self.layer(node)))
        self._set_view(node, name)

    def _turn_back(self, node: Node, turned: str) -> None:
        """What is transposed twice is the array itself; nothing is left of what nobody else reads."""
        base = self.closure.turned[turned]
        whole = node.inputs[0]
        if self.users[whole] == [node] and whole not in self.kept:
            self.closure.setup.remove(f"{turned} = {base}.T")
            self.closure.made[:] = [s for s in self.closure.made if s.node is not whole]
        self._set_view(node, base)

    def _set_view(self, node: Node, name: str) -> None:
        self._set(node, Text(name), fixed=True)
        if "rows" in node.op.properties:
            self.closure.rows.add(node)

    def _view_name(self, node: Node) -> str:
        """A view goes by the name that its operand has here."""
        whole = node.inputs[0]
        text = self.texts.get(whole, "")
        if whole.op.suffix is None and text.isidentifier():
            self.names.stems.setdefault(whole, str(text))
        return self.names(node)

    def _plain(self, node: Node) -> Iterator[Statement]:
        """A value that is made anew at every step."""
        if node in self.picks:
            yield self._pick(node, self.picks[node], self.names(node))
            return
        text = self._render(node)
        if self._stands_inside(node, text, {node: 2}) or self._is_flipped(node, text):  # x.T of an argument
            self.texts[node] = text
            return
        target = self.targets.get(node)
        if self._stands_in_number(node, text):
            self.texts[node] = text
            return
        if target is not None:
            yield self._statement(node, target, [self.closure.bound(f"np.copyto({target}, {text})")])
            self._set(node, Text(target), fixed=True)
            return
        name = self.names(node)
        code = self.closure.bound(str(text))
        yield Statement(node, name, code, self._comment(node), self.layer(node))
        self.texts[node] = Text(name)

    def _is_flipped(self, node: Node, text: Text) -> bool:
        return text.endswith(".T") and node.inputs[0] in self.arguments and node not in self.kept

    def _stands_in_number(self, node: Node, text: Text) -> bool:
        """Whether a number stands inside the one that needs it: it reads no array, which may have changed by then."""
        users = self.users.get(node, [])
        if any(user.op.block is not None for user in users):
            return False  # a block reads its operands again and again
        numbers = all(x.shape == () for x in (node, *node.inputs, *users))
        return numbers and self._stands_inside(node, text, {node: len(users)})

    @cached_property
    def users(self) -> dict[Node, list[Node]]:
        """Who reads each node of the graph."""
        return users_of(self.graph.nodes)

    def _copies(self) -> Iterator[Statement]:
        """What has to end in an array that was still read when it was made."""
        for leaf, value in self.given.items():
            if value is not None and value is not leaf and self.memory.home.get(value) is not leaf:
                line = f"np.copyto({self.texts[leaf]}, {self.text(value)})"
                yield self._statement(value, str(self.texts[leaf]), [self.closure.bound(line)])
