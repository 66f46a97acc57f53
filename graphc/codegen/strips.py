"""Runs of calls over the same rows, in strips that stay in the second-level cache."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from graphc.codegen.statements import MAX_WIDTH, Statement
from graphc.ir.node import Node
from graphc.ir.size import product
from graphc.planning.choices import HIDDEN, LEAST, LONG, LONGER, WIDE, strip_elements

if TYPE_CHECKING:
    from graphc.codegen.planned import PlannedWriter


@dataclass(frozen=True)
class Run:
    """Calls over the same rows, one after the other.

    Attributes:
        names: what they compute, in order.
        looped: whether they stand in a loop over strips of rows.
        reason: what decided that.
    """

    names: tuple[str, ...]
    looped: bool
    reason: str

    def __str__(self) -> str:
        last = f" to {self.names[-1]}" if len(self.names) > 1 else ""
        return f"{self.names[0]}{last}: {'in strips' if self.looped else 'one call after the other'}, {self.reason}"


_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?![\w(=])")


def in_strips(writer: PlannedWriter, statements: Sequence[Statement]) -> list[Statement]:
    """The same statements; those that go over the same rows one after the other stand in a loop over strips."""
    arrays = {
        str(text): node for node, text in writer.texts.items() if node.shape != () and text.isidentifier()
    }
    _note_unknown(writer, statements)
    result: list[Statement] = []
    run, apart, totals = _nothing()
    for statement in statements:
        local = _local(writer, statement, arrays)
        if run and not local and _stands_apart(writer, statement, run):
            apart.append(statement)
            continue
        if run and _is_total(writer, statement, run):
            totals.append(statement)
            continue
        if run and not (local and _goes_on(writer, run, statement)):
            result += _looped(writer, run, apart, totals, arrays)
            run, apart, totals = _nothing()
        (run if local else result).append(statement)
    return [*result, *_looped(writer, run, apart, totals, arrays)]


def _note_unknown(writer: PlannedWriter, statements: Sequence[Statement]) -> None:
    """Calls over rows of a length that has a name stay as they are: one note for all of them."""
    shaped = [s for s in statements if s.node.op.kind == "pointwise" and s.node.shape]
    unknown = [s for s in shaped if not _rows_of(s.node)]
    if len(unknown) >= LEAST:
        length = unknown[0].node.shape[-1]
        why = f"{len(unknown)} calls over rows of {length} elements: how many fit the cache is not known beforehand"
        writer.closure.runs.append(Run(_called(unknown), False, why))


def _nothing() -> tuple[list[Statement], list[Statement], list[Statement]]:
    return [], [], []


def _looped(
    writer: PlannedWriter,
    run: list[Statement],
    apart: Sequence[Statement],
    totals: Sequence[Statement],
    arrays: Mapping[str, Node],
) -> list[Statement]:
    """A run as a loop, behind what stood between its calls; all as it was where a loop is not worth it."""
    loop = _loop(writer, run, totals, arrays)
    if loop is run:
        return sorted([*run, *apart, *totals], key=lambda s: writer.place[s.node])
    return [*apart, *loop]


def _is_total(writer: PlannedWriter, statement: Statement, run: Sequence[Statement]) -> bool:
    """Whether a line is the sum of all that a run computes in one of its arrays, which may be added up by strips."""
    node = statement.node
    if not writer.products or statement.block or "sums" not in node.op.properties or node.shape != ():
        return False
    (value,) = node.inputs
    made = any(s.node is value for s in run) and writer.phase.get(value) == writer.phase.get(node)
    return made and value.type.is_float and statement.expression == f"{writer.text(value)}.sum()"


def _added(writer: PlannedWriter, total: Statement, rows: Mapping[str, str], ones: str) -> Statement:
    """What a strip adds to a sum; of a vector as a product with ones."""
    (value,) = total.node.inputs
    text = rows[str(writer.text(value))]
    amount = writer.closure.bound(f"np.dot({text}, {ones})") if value.ndim == 1 else f"{text}.sum()"
    return replace(total, block=(f"    {total.name} += {amount}",))


def _goes_on(writer: PlannedWriter, run: Sequence[Statement], statement: Statement) -> bool:
    """Whether a call goes over the rows of a run, in the same phase of a step."""
    same = statement.node.shape[0] == run[0].node.shape[0]
    return same and writer.phase.get(statement.node) == writer.phase.get(run[0].node)


def _stands_apart(writer: PlannedWriter, statement: Statement, run: Sequence[Statement]) -> bool:
    """Whether a line that makes a new value may as well come before a run: nothing that it needs is computed there."""
    if statement.block or statement.node in writer.memory.home:
        return False
    made = {node for s in run for node in _computed(writer, s)}
    first = min(writer.place[node] for node in made)
    stack, seen = [*statement.node.inputs], set[Node]()
    while stack:
        node = stack.pop()
        if node in made:
            return False
        if node not in seen and writer.place.get(node, -1) > first:
            seen.add(node)
            stack.extend(node.inputs)
    return not {*_NAME.findall(statement.expression)} & {s.name for s in run}


def _computed(writer: PlannedWriter, statement: Statement) -> tuple[Node, ...]:
    each = writer.exponentials.get(statement.node)
    return statement.nodes if each is None else (each.shift, each.e, each.total)


def _local(writer: PlannedWriter, statement: Statement, arrays: Mapping[str, Node]) -> bool:
    """Whether each row of what a call writes depends on that row of its operands alone."""
    node = statement.node
    written = any("out=" in line or "copyto(" in line for line in statement.block[-1:])
    written = written or node in writer.exponentials
    written = written or (node in writer.indexed and node in writer.memory.home)
    if not written or statement.results or node.shape == () or not _rows_of(node) or node in writer.pieces:
        return False
    if node in writer.exponentials:
        axes: Sequence[int] = (writer.exponentials[node].shift.attrs["axis"],)
    elif node.op.kind == "pointwise" or "picks" in node.op.properties:
        axes = (node.attrs["axis"],) if "picks" in node.op.properties else ()
    elif "axis" in node.attrs and "reduce(" in statement.block[0]:
        axis = node.attrs["axis"]
        axes = axis if isinstance(axis, tuple) else (axis,)
    else:
        return False
    operands = node.inputs[:1] if node in writer.indexed else node.inputs  # labels go with the rows
    named = all(name in arrays for name in _names(writer, statement)) and all(
        _plain(writer, x) for x in operands
    )
    return named and 0 not in axes and all(_fits(writer, x, node) for x in operands)


def _plain(writer: PlannedWriter, operand: Node) -> bool:
    """Whether an operand stands there by its name, and is no view of a buffer, which would have to live as long."""
    if operand.shape == ():
        return True
    if operand in writer.pieces or any(piece.whole is operand for piece in writer.pieces.values()):
        return False
    own = operand in writer.memory.home or operand.op.kind == "leaf" or operand not in writer.closure.fixed
    return own and str(writer.text(operand)).isidentifier()


def _names(writer: PlannedWriter, statement: Statement) -> list[str]:
    """The arrays in the text of a call, without what is computed once."""
    text = " ".join(line.partition("  # ")[0] for line in statement.block)
    settled = {*writer.closure.hoisted.values(), "True", "False", "None"}
    return [word for word in _NAME.findall(text) if word not in settled]


def _rows_of(node: Node) -> bool:
    return bool(node.shape) and all(isinstance(d, int) for d in node.shape[1:])


def _fits(writer: PlannedWriter, operand: Node, node: Node) -> bool:
    """Whether an operand has the same rows, or is the same for all of them.

    One of fewer axes is never cut, so it may not be as long as there are rows: another call might cut it.
    """
    if operand.shape == ():
        return operand.op.role in ("const", "size") or operand in writer.closure.settled
    if not _rows_of(operand):
        return False
    axes = max(x.ndim for x in (node, *node.inputs))
    if operand.shape[0] == node.shape[0]:
        return operand.ndim == axes
    return operand.ndim < axes or operand.shape[0] == 1


def _loop(
    writer: PlannedWriter, run: list[Statement], totals: Sequence[Statement], arrays: Mapping[str, Node]
) -> list[Statement]:
    if sum(len(_computed(writer, s)) for s in run) < LEAST:
        return _left(writer, run, f"a loop pays from {LEAST} calls")
    length = run[0].node.shape[0]
    names = dict.fromkeys(n for s in run for n in _cut_names(writer, s, arrays, length))
    widths = [int(str(product(arrays[n].shape[1:]))) for n in names]
    if max(widths) < WIDE and len(run) < LONG:
        why = f"a loop pays from rows of {WIDE} elements, which have {max(widths)} here, or from {LONG} calls"
        return _left(writer, run, why)
    closure = writer.closure
    closure.runs.append(Run(_called(run), True, f"{len(run)} calls over rows of {max(widths)} elements"))
    inside = {n for s in run for n in _computed(writer, s)} | {s.node for s in totals}
    moving = [n for n in names if arrays[n] not in closure.fixed]
    first = _first_names(writer, [n for n in names if n not in moving], arrays)
    short = [n for n in dict.fromkeys(first.values()) if _temporary(writer, arrays[n], inside)]
    whole = [n for n in dict.fromkeys(first.values()) if n not in short]
    counting = _counting(writer, run, length)
    short += counting
    first |= {n: n for n in counting}
    start, stop = closure.names.reserve("i"), closure.names.reserve("j")
    cut = {n: closure.names.reserve(f"{n}_rows") for n in (*whole, *short)}
    new = {n: f"{n}[{start}:{stop}]" for n in moving} | {n: cut[f] for n, f in first.items()}
    strips, rows = closure.names.reserve("strips"), closure.names.reserve("strip")
    ones = {d: closure.hoist(f"np.ones({rows}, np.{d})", "ones") for d in _vector_sums(totals)}
    short += ones.values()
    cut |= {n: closure.names.reserve(f"{n}_rows") for n in ones.values()}
    closure.before.append(f"{rows} = min({length}, {_rows_of_strip(writer, run, widths)})")
    places = [writer.place[n] for n in inside]
    closure.loop([*whole, *short], short, rows, min(places), max(places))
    made = [length, rows, f"[{', '.join(whole)}]", f"[{', '.join(short)}]"]
    closure.setup += wrapped(f"{strips} = _strips(", [str(x) for x in made], ")")
    writer.helpers.append("_strips")
    heading = wrapped("for ", [start, stop, *cut.values()], f" in {strips}:")
    starts = [closure.bound(f"{s.name} = np.{s.node.dtype}(0.0)") for s in totals]
    renamed = [_renamed(s, new) for s in run]
    first_of_all = replace(renamed[0], block=(*starts, *heading, *renamed[0].block))
    return [
        first_of_all,
        *renamed[1:],
        *(_added(writer, s, new, cut.get(ones.get(s.node.dtype, ""), "")) for s in totals),
    ]


def _vector_sums(totals: Sequence[Statement]) -> list[str]:
    """The dtypes of sums of vectors."""
    return list(dict.fromkeys(s.node.dtype for s in totals if s.node.inputs[0].ndim == 1))


def _rows_of_strip(writer: PlannedWriter, run: Sequence[Statement], widths: Sequence[int]) -> int:
    """So many rows that all arrays of a run lie in the cache together."""
    dear = max(widths) == 1 or any(s.node in writer.exponentials for s in run)
    elements = strip_elements() * (LONGER if dear else 1)
    hidden = HIDDEN * max(widths) if any(s.node.op.helpers for s in run) else 0
    return max(elements // max(sum(widths) + hidden, 1), 1)


def _counting(writer: PlannedWriter, run: Sequence[Statement], length: object) -> list[str]:
    """The names of 0, 1, 2, ... along the rows that a run reads: of each strip these are the first ones."""
    text = " ".join(line for s in run for line in s.block)
    hoisted = writer.closure.hoisted.items()
    found = [name for expression, name in hoisted if expression.startswith(f"np.arange(0, {length})")]
    return [name for name in found if name in _NAME.findall(text)]


def _left(writer: PlannedWriter, run: list[Statement], why: str) -> list[Statement]:
    """A run that stays as it is, and says why."""
    if len(run) > 1:
        calls = f"{len(run)} calls over the same rows: {why}"
        writer.closure.runs.append(Run(_called(run), False, calls))
    return run


def _called(run: Sequence[Statement]) -> tuple[str, ...]:
    return tuple(s.name for s in run)


def _first_names(writer: PlannedWriter, names: Sequence[str], arrays: Mapping[str, Node]) -> dict[str, str]:
    """For each name the first one of the same array."""
    homes: dict[Node, str] = {}
    return {n: homes.setdefault(writer.memory.home.get(arrays[n], arrays[n]), n) for n in names}


def wrapped(start: str, parts: Sequence[str], end: str) -> list[str]:
    """A line, or one for each part where it is long; a target of ``for`` is then in parentheses."""
    line = f"{start}{', '.join(parts)}{end}"
    if len(line) <= MAX_WIDTH - 16:
        return [line]
    opening = start if start.endswith("(") else f"{start}("
    closing = end if end.startswith(")") else f"){end}"
    return [opening, *(f"    {part}," for part in parts), closing]


def _cut_names(
    writer: PlannedWriter, statement: Statement, arrays: Mapping[str, Node], length: object
) -> list[str]:
    return [n for n in _names(writer, statement) if arrays[n].shape[0] == length]


def _temporary(writer: PlannedWriter, node: Node, inside: set[Node]) -> bool:
    """Whether an array is of no use outside the loop."""
    home = writer.memory.home.get(node)
    if home is None or home in writer.given or home in writer.targets:
        return False
    tenants = [n for n, h in writer.memory.home.items() if h is home]
    users = [u for n in tenants for u in writer.users.get(n, ())]
    return not any(n in writer.kept for n in tenants) and all(n in inside for n in (*tenants, *users))


def _renamed(statement: Statement, new: Mapping[str, str]) -> Statement:
    lines = []
    for line in statement.block:
        code, mark, comment = line.partition("  # ")
        code = re.sub(r"(?<![\w.])[A-Za-z_]\w*(?![\w(])(?!=)", lambda m: new.get(m[0], m[0]), code)
        lines.append(f"    {code}{mark}{comment}")
    return replace(statement, block=tuple(lines), name=new.get(statement.name, statement.name))
