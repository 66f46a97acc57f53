"""The NumPy target: one function per program, one statement a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graphc.codegen.names import Names
from graphc.codegen.statements import MAX_WIDTH, Statement, Writer
from graphc.codegen.strips import Run
from graphc.errors import ShapeError
from graphc.ir.graph import Graph
from graphc.ir.node import Node, size_names
from graphc.ir.structure import form_to_text
from graphc.ir.types import shape_text
from graphc.ops.template import helper_source
from graphc.planning.order import Plan

INLINE_ARRAY = 64
"""An array of more elements is written as base64 instead of digits."""


@dataclass(frozen=True)
class Source:
    """Generated source and what it is called.

    Attributes:
        text: the whole file.
        name: the function in it.
        statements: the statements, for linking lines to nodes.
        runs: in the planned layout, calls over the same rows, each with why it is a loop over strips or is none.
        kernels: the part of the text that Numba compiles, which stands above the rest.
        target: what it is written for.
    """

    text: str
    name: str
    statements: tuple[Statement, ...] = ()
    runs: tuple[Run, ...] = ()
    kernels: str = ""
    target: str = "numpy"


@dataclass(frozen=True)
class Function:
    """The lines of one function, and what they need above them."""

    lines: tuple[str, ...]
    statements: tuple[Statement, ...]
    helpers: tuple[str, ...]
    constants: Mapping[Node, str]


def emit_function(plan: Plan) -> Source:
    """A program as one pure function: arguments in the graph's order, outputs as a tuple, then the next values."""
    graph = plan.graph
    function = function_of(plan, describe(graph))
    seeding = ["_name_seed"] if graph.sites else []
    imports, above = file_head([*function.helpers, *seeding], function.constants)
    blocks = [imports, *above, *([site_names(graph), MAKE_RNG] if graph.sites else []), function.lines]
    return Source(joined(blocks), graph.name, function.statements)


def function_of(plan: Plan, docstring: str, comments: bool = True, bare: bool = False) -> Function:
    """One pure function over the arguments of a planned graph, by position; ``bare`` returns one output as it is."""
    graph = plan.graph
    names = names_for(graph)
    arguments = {leaf: names(leaf) for leaf in graph.arguments}
    constants: dict[Node, str] = {}
    writer = Writer(graph, names, arguments, graph.roots, constants)
    statements = writer.write(plan.order)
    if not comments:
        statements = [replace(s, comment="") for s in statements]
    returned = [returned_text(writer, x, x in graph.roots[:i]) for i, x in enumerate(graph.roots)]
    sizes = prelude(graph, [s.expression for s in statements] + returned, arguments)
    signature = ", ".join([*arguments.values(), *(["rng"] if graph.sites else [])])
    result = returned[0] if bare and len(returned) == 1 else tuple_text(returned)
    body = [*sizes, *sectioned(statements, plan.phase), f"    return {result}"]
    lines = [*wrapped_signature(graph.name, signature), f'    """{_inert(docstring)}"""', *body]
    return Function(tuple(lines), tuple(statements), tuple(writer.helpers), constants)


def names_for(graph: Graph, reserved: Iterable[str] = ()) -> Names:
    """Names that avoid the function's own and those of sizes."""
    return Names(graph, [graph.name, *size_names([*graph.nodes, *graph.arguments]), *reserved])


def _inert(text: str) -> str:
    """Text that can neither end a docstring nor be an escape in it: it may hold names of the user's."""
    return text.replace("\\", "\\\\").replace('"', "'")


MAKE_RNG = (
    "def make_rng(seed):",
    '    """A generator for each random site."""',
    "    return {name: np.random.Generator(np.random.SFC64([seed, _name_seed(name)])) for name in SITES}",
)


def file_head(
    helpers: Sequence[str], constants: Mapping[Node, str], functions: Iterable[Sequence[str]] = ()
) -> tuple[list[str], list[Sequence[str]]]:
    """The imports, and the blocks above the functions: helper functions, constant arrays."""
    sources = helper_source(helpers)
    arrays = [f"{name} = {array_text(node.attrs['value'].value)}" for node, name in constants.items()]
    text = "\n".join([*sources, *arrays, *(line for function in functions for line in function)])
    standard = [f"import {name}" for name in ("base64", "hashlib", "math") if f"{name}." in text]
    imports = [*standard, *([""] if standard else []), "import numpy as np"]
    return imports, [*(source.split("\n") for source in sources), *([arrays] if arrays else [])]


_FUNCTION = ("def ", "@")


def joined(blocks: Iterable[Sequence[str]]) -> str:
    """Blocks of lines, two blank lines around functions and one between the rest."""
    lines: list[str] = []
    previous = ""
    for block in blocks:
        function = block[0].startswith(_FUNCTION) or previous.startswith(_FUNCTION)
        lines.extend([""] * ((2 if function else 1) if lines else 0))
        lines.extend(block)
        previous = block[0]
    return "\n".join(lines) + "\n"


def site_names(graph: Graph) -> list[str]:
    """The random sites; each has a generator of its own, so order cannot change a mask."""
    return [f"SITES = ({', '.join(quoted(graph.name_of(s)) for s in graph.sites)},)"]


def quoted(text: str | None) -> str:
    """A string literal in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def array_text(array: Any) -> str:
    """A constant array as code."""
    dtype = f"np.{array.dtype.name}{'_' if array.dtype == bool else ''}"
    if not array.size:  # a list of nothing would lose the shape
        return f"np.zeros({array.shape!r}, dtype={dtype})"
    first = array.reshape(-1)[0]
    if array.size > 1 and np.isfinite(first) and array.tobytes() == first.tobytes() * array.size:
        filled = f"np.full({array.shape!r}, {first.item()!r}, dtype={dtype})"
        return (
            f"np.zeros({array.shape!r}, dtype={dtype})"
            if first.tobytes().count(0) == first.nbytes
            else filled
        )
    if array.size <= INLINE_ARRAY and np.all(np.isfinite(array)):
        return f"np.array({array.tolist()!r}, dtype={dtype})"
    import base64

    data = base64.b64encode(array.tobytes()).decode()
    return f'np.frombuffer(base64.b64decode("{data}"), dtype={dtype}).reshape({array.shape!r})'


def tokens(texts: Iterable[str]) -> set[str]:
    """Every name in some code."""
    return {token for text in texts for token in re.findall(r"[A-Za-z_]\w*", text)}


def prelude(graph: Graph, texts: Iterable[str], arguments: Mapping[Node, str]) -> list[str]:
    """``batch = x.shape[0]`` for each size that the code mentions.

    Raises:
        ShapeError: a size that no argument shows by itself.
    """
    used = tokens(texts)
    names = [n for n in size_names([*graph.arguments, *graph.nodes]) if n in used]
    return [f"    {name} = {size_source(name, arguments)}" for name in names]


def size_source(name: str, arguments: Mapping[Node, str]) -> str:
    """Where a size is seen: ``x.shape[0]``."""
    for leaf, text in arguments.items():
        for axis, dim in enumerate(leaf.shape):
            if str(dim) == name:
                return f"{text}.shape[{axis}]"
    raise ShapeError(
        f"the size {name} cannot be read off any argument",
        expected=f"an input with an axis of size {name}",
        fix=f"the same program must read an input with {name!r} alone as one of its sizes",
    )


def sectioned(statements: Sequence[Statement], phase: Mapping[Node, str]) -> list[str]:
    """Lines with a heading wherever the phase or the layer changes for more than a line or two.

    Where a layer comes between two runs of another one for a shorter while, each of its lines says so at its end.
    """
    lines: list[str] = []
    here: Section = ("forward", "")
    own = [(phase.get(s.node, "forward"), s.layer) for s in statements]
    for statement, now, under in zip(statements, own, _merged(own), strict=True):
        if under != here and (under[1] or under[0] != "forward" or here[0] != "forward"):
            heading = ", ".join(
                part for part in (under[0] if under[0] != "forward" else "", under[1]) if part
            )
            inside = "    " if statement.block and statement.block[0].startswith("    ") else ""
            lines.append(f"    {inside}# {heading or under[0]}")
            here = under
        written = statement.lines()
        lines.extend([*written[:-1], _ended(written[-1], now[1])] if now != under and now[1] else written)
    return lines


Section = tuple[str, str]
"""A phase and a layer."""


def _merged(own: Sequence[Section]) -> list[Section]:
    """The section that each line stands in: one or two lines between two parts of a section are of that section."""
    merged = list(own)
    for i in range(1, len(own)):
        before, now = merged[i - 1], merged[i]
        if now == before or now[0] != before[0]:
            continue
        after = next((k for k in range(i + 1, min(i + SHORT_RUN + 1, len(own))) if own[k] == before), None)
        if after is not None and {p for p, _ in own[i:after]} == {before[0]} and before[1]:
            merged[i:after] = [before] * (after - i)
    return merged


SHORT_RUN = 2
"""So many lines of a layer between two runs of another one have no heading of their own."""


def _ended(line: str, layer: str) -> str:
    """A line that says at its end which layer it is of, where that fits."""
    text = f"{line}{', of' if '  # ' in line else '  # of'} {layer}"
    return text if len(text) <= MAX_WIDTH - 4 else line


def returned_text(writer: Writer, node: Node, again: bool = False) -> str:
    """What a program hands out is the caller's to keep: an argument, a constant, a view or a repetition is copied."""
    text = writer.text(node)
    if node.op.role in ("const", "size"):
        dtype = f"np.{node.dtype}{'_' if node.dtype == 'bool' else ''}"
        return f"{dtype}({text})" if node.shape == () else f"{text}.copy()"
    if (node.op.kind == "leaf" and node.op.role != "random") or is_shared(node):
        return f"{text.atom}.copy()" if node.shape else str(text)
    return f"{text.atom}.copy()" if again and node.shape else str(text)


def is_shared(node: Node) -> bool:
    """Whether a value may be the memory of another: a view, or what a block hands through (a stack is its own)."""
    stack = "loop" in node.op.properties and node.attrs["result"] >= len(node.attrs["next"])
    return "view" in node.op.properties or (node.op.block is not None and not stack)


def tuple_text(parts: Sequence[str]) -> str:
    """A tuple, broken over lines where it is long."""
    text = f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
    if len(text) <= MAX_WIDTH - 11:
        return text
    return "(\n" + "".join(f"        {p},\n" for p in parts) + "    )"


def wrapped_signature(name: str, signature: str) -> list[str]:
    """``def name(...)``, broken over lines where it is long."""
    line = f"def {name}({signature}):"
    if len(line) <= MAX_WIDTH:
        return [line]
    return [f"def {name}(", *(f"    {part}," for part in signature.split(", ")), "):"]


def describe(graph: Graph) -> str:
    """What a program computes, for its docstring."""
    outputs = form_to_text(graph.form, [shape_text(x.shape) if x.shape else "scalar" for x in graph.outputs])
    updates = (
        f", next values of {', '.join(str(graph.name_of(leaf)) for leaf, _ in graph.updates)}"
        if graph.updates
        else ""
    )
    text = f"Compute {outputs}{updates}."
    return (
        text
        if len(text) < MAX_WIDTH - 10
        else "Compute the outputs, flattened, in the order in which they were given."
    )


def array_cast(leaf: Node, text: str, in_rows: bool = False) -> str:
    """A line that makes an argument an array of the declared dtype, since what writes into buffers converts nothing.

    With ``in_rows`` its elements lie one row after the other, as kernels take them.
    """
    in_rows = in_rows and bool(leaf.shape)
    if leaf.type.is_float:
        return f"    {text} = np.as{'contiguous' * in_rows}array({text}, dtype=np.{leaf.dtype})"
    dtype = f"np.{leaf.dtype}{'_' if leaf.dtype == 'bool' else ''}"
    order = ', order="C"' * in_rows
    return f'    {text} = np.asarray({text}).astype({dtype}{order}, casting="same_kind", copy=False)'
