"""Whole epochs in the planned layout: data prepared once, and steps over rows of them with no look between."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graphc.codegen.calls import written
from graphc.codegen.closure import Closure
from graphc.codegen.names import Names
from graphc.codegen.numpy import array_cast, quoted, size_source, tokens, wrapped_signature
from graphc.codegen.statements import MAX_WIDTH, Statement
from graphc.ir.graph import Graph
from graphc.ir.node import Node
from graphc.ir.walk import deep_toposort, operands_and_attrs
from graphc.ops.shape import dims_text
from graphc.ops.template import Text
from graphc.rewrite.rules.cost import MANY

OWN = frozenset({"data", "order", "batch_size", "given", "step"})
"""What these functions call what they take and what they make; no variable of a step has such a name."""

BATCH = 32
"""Rows of a batch, where nobody says."""

MOST_SIZES = 16
"""So many sizes of batch keep their buffers."""

INDENT = "    "


def batched_inputs(graph: Graph) -> list[Node]:
    """The inputs that are cut into batches: those whose first size is the first named one."""
    leaves = [n for n in graph.leaves("input") if n.shape and not isinstance(n.shape[0], int)]
    return [n for n in leaves if n.shape[0] == leaves[0].shape[0]]


def across(graph: Graph) -> list[tuple[Node, str]]:
    """The inputs that rows of others do not fit, each with the size behind its first axis that says so.

    Either it has the size that is cut behind its first axis, or a size that another input begins with.
    """
    leaves = [n for n in graph.leaves("input") if n.shape]
    first = {n.shape[0] for n in leaves if not isinstance(n.shape[0], int)}
    return [(n, str(dim)) for n in leaves for dim in n.shape[1:] if dim in first]


@dataclass(frozen=True)
class Reading:
    """How a step reads an input.

    Attributes:
        leaf: the input.
        text: what it is called where it is as it was given.
        node: what the step reads of it: the input itself, its one-hot rows, or its rows with a last 1.
        name: what a step calls that.
        cut: whether it is cut into batches.
    """

    leaf: Node
    text: str
    node: Node
    name: str
    cut: bool

    @property
    def made(self) -> bool:
        """Whether it is made of the input."""
        return self.node is not self.leaf

    @property
    def whole(self) -> str:
        """The expression for all of the data."""
        template = self.node.op.numpy
        return str(template(Text(self.text), self.node)) if self.made and callable(template) else self.text


def readings(graph: Graph, batched: Sequence[Node], names: Names) -> list[Reading]:
    """How the step of a graph reads its inputs, in their order."""
    marks = _made_rows(graph, batched)
    found = []
    for leaf in graph.leaves("input"):
        text, node = names(leaf), marks.get(leaf, leaf)
        found.append(Reading(leaf, text, node, text if node is leaf else names(node), leaf in batched))
    return found


def _made_rows(graph: Graph, batched: Sequence[Node]) -> dict[Node, Node]:
    """What is made of each row of an input, where nothing else reads it: one-hot rows, or a last 1.

    Of many classes a label stays an index.
    """
    users: dict[Node, list[Node]] = {}
    for node in deep_toposort(graph.roots):
        for operand in operands_and_attrs(node):
            users.setdefault(operand, []).append(node)
    found = {}
    for leaf in batched:
        rows = users.get(leaf, [])
        if len(rows) == 1 and leaf not in graph.roots and (_is_narrow(rows[0]) or _has_ones(rows[0])):
            found[leaf] = rows[0]
    return found


def _has_ones(node: Node) -> bool:
    return "with_ones" in node.op.properties and node.attrs["axis"] == 1


def _is_narrow(node: Node) -> bool:
    return node.ndim == 2 and "one_hot" in node.op.properties and node.attrs["classes"] <= MANY


# -- inside plan_step ---------------------------------------------------------------------------------------------


def given_buffers(read: Sequence[Reading]) -> list[str]:
    """The buffers for what is made of a batch; an epoch of prepared data needs none of them."""
    nodes = {r.name: r.node for r in read if r.made}
    dtypes = {name: f"np.{n.dtype}{'_' if n.dtype == 'bool' else ''}" for name, n in nodes.items()}
    return [f"{name} = np.empty({dims_text(n.shape)}, {dtypes[name]})" for name, n in nodes.items()]


def given_lines(read: Sequence[Reading], closure: Closure, statements: list[Statement]) -> list[str]:
    """The function inside ``plan_step`` from a batch as it was given to what the step reads; none where it is that."""
    if not any(r.made for r in read):
        return []
    made: list[Statement] = []
    for r in read:
        if r.made:
            lines = [closure.bound(line) for line in written(r.node, [r.text], r.name, closure.hoist) or ()]
            made.append(Statement(r.node, r.name, lines[-1], "", "", tuple(lines)))
    statements[:0] = made  # they stand above the step
    return [
        *wrapped_signature("given", ", ".join(r.text for r in read)),
        '    """A batch as the step reads it."""',
        *(line for statement in made for line in statement.lines()),
        f"    return {_listed([r.name for r in read])}",
        "",
    ]


def _listed(parts: Sequence[str]) -> str:
    return f"{parts[0]}," if len(parts) == 1 else ", ".join(parts)


# -- the functions of the module ----------------------------------------------------------------------------------

CHECK_SIZES = [
    "def check_sizes(arrays):",
    '    """Arrays have the sizes that were declared; those of one name are equal in all of them."""',
    "    known = {}",
    "    for name, (array, declared) in arrays.items():",
    "        shape = np.shape(array)",
    "        for size, n in zip(declared, shape):",
    "            known.setdefault(size, n if isinstance(size, str) else size)",
    # of a list: a tuple of a generator is made too long and shortened, and CPython keeps up to 2000 such
    "        expected = tuple([known.get(size, size) for size in declared])",
    "        if shape != expected:",
    '            raise ValueError(f"{name} has shape {shape}, expected {expected}")',
]


def size_checks(graph: Graph, texts: Mapping[Node, str]) -> list[str]:
    """The call that compares the shapes of the inputs with what was declared."""
    leaves = graph.leaves("input")
    entries = [f"{quoted(graph.name_of(n))}: ({texts[n]}, {_declared(n)})" for n in leaves]
    line = f"        check_sizes({{{', '.join(entries)}}})"
    if len(line) <= MAX_WIDTH:
        return [line]
    rows = [f"                {entry}," for entry in entries]
    return ["        check_sizes(", "            {", *rows, "            }", "        )"]


def _declared(leaf: Node) -> str:
    sizes = [str(d) if isinstance(d, int) else quoted(str(d)) for d in leaf.shape]
    return _tuple(sizes) if sizes else "()"


def _tuple(parts: Sequence[str]) -> str:
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def prepare_lines(
    graph: Graph, read: Sequence[Reading], checks: Sequence[str], in_rows: bool = False
) -> list[str]:
    """``prepare``: data as steps read them; with ``in_rows`` all of it lies one row after the other."""
    made = [r.node for r in read if r.made]
    rows = ", labels as one-hot rows" if any(_is_narrow(node) for node in made) else ""
    names = [quoted(graph.name_of(r.leaf)) for r in read]
    rows += ", rows with a 1" if any(_has_ones(node) for node in made) else ""
    return [
        "def prepare(data, *, check=True):",
        f'    """Data for train_epoch, made once: arrays by name{rows}."""',
        '    if hasattr(data, "maker"):  # its columns and labels are not those that were declared',
        '        raise ValueError("these data are prepared already; pass them as they were before")',
        f'    given, expected = {{*getattr(data, "keys", tuple)()}}, {_tuple(names)}',
        "    if not given.issuperset(expected):",
        '        found = ", ".join(sorted(map(str, given))) or type(data).__name__',
        "        raise ValueError(f\"data holds {found}, expected {', '.join(expected)}\")",
        *(_contiguous(r, quoted(graph.name_of(r.leaf)), in_rows) for r in read),
        *checks,
        "    made = _Prepared()",
        *(f"    made[{quoted(graph.name_of(r.leaf))}] = {r.whole}" for r in read),
        "    made.maker = prepare",
        "    return made",
    ]


def _contiguous(reading: Reading, key: str, in_rows: bool) -> str:
    """An array as it was declared; rows that are taken lie one after the other."""
    cast = array_cast(reading.leaf, reading.text).replace(
        f"asarray({reading.text}", f"asarray(data[{key}]", 1
    )
    if _is_narrow(reading.node) or not (reading.cut or (in_rows and reading.leaf.shape)):
        return cast
    target, _, value = cast.partition(" = ")
    return f"{target} = np.ascontiguousarray({value})"


STEP_FOR = [
    "def step_for(sizes, params, slots):",
    '    """What plan_step makes for these sizes, once."""',
    "    made = params.steps.get(sizes)",
    "    if made is None:",
    f"        if len(params.steps) == {MOST_SIZES}:  # sizes that come and go",
    "            params.steps.clear()",
    "        made = params.steps[sizes] = plan_step(*sizes, params, slots)",
    "    return made",
]

VECTORS = (
    '    if slots is not getattr(params, "slots", params) or params.owner is not plan_step:',
    "        params, slots = _in_vectors(params, slots, PIECES, plan_step)",
)

_EPOCH_DOC = (
    '    """A step of training for each batch of the data: (params, state, slots, losses).',
    "",
    "    data: what prepare returned, or arrays by name.",
    "    order: the rows to take, as integers or a slice; None for all. The last batch may be smaller.",
    "    Dicts that it returned before are changed in place, others are copied into vectors first.",
    "    A loss that is not finite is the last; its step changes nothing.",
    '    """',
)


@dataclass(frozen=True)
class Epoch:
    """What ``train_epoch`` is written from.

    Attributes:
        graph: of the step.
        read: how it reads its inputs.
        sizes: what ``plan_step`` takes.
        passed: what a step takes after its inputs.
        keywords: those of the function, with their defaults.
        numbers: those of ``passed`` that only calls over vectors read, with the dtype of these.
    """

    graph: Graph
    read: Sequence[Reading]
    sizes: Sequence[str]
    passed: Sequence[str]
    keywords: Sequence[str]
    numbers: Mapping[str, str] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """The function."""
        keywords = ["data", "order=None", "*", f"batch_size={BATCH}", *self.keywords]
        return [
            *wrapped_signature("train_epoch", ", ".join(["params", "state", "slots", *keywords])),
            *_EPOCH_DOC,
            "    if batch_size < 1:",
            '        raise ValueError(f"batch_size is {batch_size}, expected at least 1")',
            '    if getattr(data, "maker", None) is not prepare:',
            "        data = prepare(data)",
            *VECTORS,
            *(f"    {name} = _number({name}, np.{dtype})" for name, dtype in self.numbers.items()),
            *self._rows(),
            *self._loop(*map(self._free, ("start", "stop", "loss", "losses"))),
        ]

    def _rows(self) -> list[str]:
        """The arrays of all rows, and how many of them are taken."""
        texts = [r.text for r in self.read]
        arrays = [f"data[{quoted(self.graph.name_of(r.leaf))}]" for r in self.read]
        cut = [r.text for r in self.read if r.cut]
        shape = f"(min(batch_size, {self._free('count')}), *"
        return [
            *_assigned("    ", texts, arrays),
            "    if isinstance(order, slice) and order.step in (None, 1):",
            *_assigned("        ", [*cut, "order"], [*(f"{text}[order]" for text in cut), "None"]),
            f"    {self._free('count')} = len({cut[0]})",
            "    if order is not None:",
            f"        order = _rows(order, {self._free('count')})",
            f"        {self._free('count')} = len(order)",
            *(f"        {self._free(f'{t}_rows')} = np.empty({shape}{t}.shape[1:]), {t}.dtype)" for t in cut),
        ]

    def _loop(self, start: str, stop: str, loss: str, losses: str) -> list[str]:
        count, rows, size = map(self._free, ("count", "rows", "size"))
        cut = {r.text: self._free(f"{r.text}_now") for r in self.read if r.cut}
        batch = [cut.get(r.text, r.text) for r in self.read]
        return [
            f"    {losses}, {size} = [], 0",
            f"    for {start} in range(0, {count}, batch_size):",
            f"        {stop} = min({start} + batch_size, {count})",
            f"        if {stop} - {start} != {size}:  # the first batch, or a smaller one",
            f"            {size} = {stop} - {start}",
            f"            {plans(self.read)} = step_for({self._key(size)}, params, slots)",
            "        if order is None:",
            *_assigned("            ", [*cut.values()], [f"{text}[{start}:{stop}]" for text in cut]),
            "        else:  # which lies within the data: clip",
            f"            {rows} = order[{start}:{stop}]",
            *(self._taken(text, now, rows, size) for text, now in cut.items()),
            *_called(f"        {loss}, state = step", ["state", *batch, *self.passed]),
            f"        {losses}.append({loss})",
            f"        if not math.isfinite({loss}):",
            "            break",
            f"    return params, state, slots, {losses}",
        ]

    def _taken(self, text: str, now: str, rows: str, count: str) -> str:
        """Rows of an array, in a buffer."""
        return f'            {now} = {text}.take({rows}, 0, {self._free(f"{text}_rows")}[:{count}], "clip")'

    def _key(self, rows: str) -> str:
        """The sizes of a batch of so many rows."""
        first = next(str(r.leaf.shape[0]) for r in self.read if r.cut)
        texts = {r.leaf: r.text for r in self.read}
        return _tuple([rows if n == first else size_source(n, texts) for n in self.sizes])

    def _free(self, word: str) -> str:
        """A name that no input and no keyword has."""
        taken = {*(r.text for r in self.read), *self.passed}
        while word in taken:
            word += "_"
        return word


def _assigned(indent: str, targets: Sequence[str], values: Sequence[str]) -> list[str]:
    """One assignment, or one for each target where the line would be long."""
    line = f"{indent}{', '.join(targets)} = {', '.join(values)}"
    if len(line) <= MAX_WIDTH:
        return [line]
    return [f"{indent}{target} = {value}" for target, value in zip(targets, values, strict=True)]


def _called(start: str, arguments: Sequence[str]) -> list[str]:
    """A call, broken over lines where it is long."""
    line = f"{start}({', '.join(arguments)})"
    if len(line) <= MAX_WIDTH:
        return [line]
    indent = start[: len(start) - len(start.lstrip())]
    return [f"{start}(", *(f"{indent}    {a}," for a in arguments), f"{indent})"]


def only_in_calls(name: str, lines: Sequence[str]) -> bool:
    """Whether all that reads a number are calls that write into an array, to which it comes rounded in any case."""
    code = [line.partition("  # ")[0] for line in lines]
    readers = [line for line in code if name in tokens([line])]
    call = re.compile(rf"\s*\w+\(({name}, \w+|\w+, {name}), out=\w+\)")
    return bool(readers) and all(call.fullmatch(line) for line in readers)


def plans(read: Sequence[Reading], given: bool = False) -> str:
    """The names for what ``plan_step`` returns, a line for what is not needed."""
    return f"step, {'given' if given else '_'}" if any(r.made for r in read) else "step"
