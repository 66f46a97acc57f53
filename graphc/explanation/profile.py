"""Where the time of a program goes: by line, by layer, by node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.codegen.numpy import Source
from graphc.codegen.statements import Statement
from graphc.errors import ArgumentError
from graphc.explanation.lines import places
from graphc.explanation.steps import inside
from graphc.ir.graph import Graph
from graphc.ir.node import Node
from graphc.ops.evaluate import size_values
from graphc.planning import work
from graphc.runtime.arguments import bind_arguments
from graphc.runtime.program import Program
from graphc.runtime.stamps import LineTimes, functions_of, line_times, watched
from graphc.runtime.tables import columns

CALL_NS = 500.0
"""What a call of NumPy costs before its first element, where a line is shared out among its nodes."""

Groups = dict[str, float]


@dataclass(frozen=True)
class Row:
    """A line of the listing.

    Attributes:
        line: its number, from 1.
        text: the line.
        layer: whose layer it is, or the function that it stands in, in brackets.
        seconds: a call spends in it.
        nodes: what it computes, each with its share of the time.
    """

    line: int
    text: str
    layer: str
    seconds: float
    nodes: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, repr=False)
class Profile:
    """Where the time of a call goes; ``print`` shows it.

    Attributes:
        title: the name of the program.
        seconds: a call, unwatched.
        rows: the lines in their order.
        calls: how many calls the times are means over.
    """

    title: str
    seconds: float
    rows: tuple[Row, ...]
    calls: int

    @property
    def total(self) -> float:
        """The seconds of all lines together."""
        return sum(row.seconds for row in self.rows)

    @property
    def covered(self) -> float:
        """What the lines sum to, as a share of an unwatched call: how far the watching can be trusted."""
        return self.total / self.seconds

    def by_layer(self) -> Groups:
        """Seconds by layer, most first; lines of no layer are under their function, in brackets."""
        return _grouped((row.layer, row.seconds) for row in self.rows)

    def by_node(self) -> Groups:
        """Seconds by node, most first; what computes none is under its line."""
        pairs = [pair for row in self.rows for pair in row.nodes or ((row.text, row.seconds),)]
        return _grouped(pairs)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as JSON has it; times are seconds."""
        return {
            "title": self.title,
            "seconds": self.seconds,
            "calls": self.calls,
            "lines": [{**vars(row), "nodes": dict(row.nodes)} for row in self.rows],
            "layers": self.by_layer(),
            "nodes": self.by_node(),
        }

    def __str__(self) -> str:
        share = f"the lines sum to {100 * self.covered:.1f} % of that"
        return (
            f"{self.title}: {_micro(self.seconds)} µs a call; {share}\n\n{self._lines()}\n\n{self._layers()}"
        )

    __repr__ = __str__

    def _lines(self) -> str:
        shown = sorted(self.rows, key=lambda row: -row.seconds)
        rows = [(str(r.line), r.layer, r.text, _micro(r.seconds), self._share(r.seconds)) for r in shown]
        return "\n".join(columns(("line", "layer", "code", "µs", "%"), rows, range(3, 5)))

    def _layers(self) -> str:
        rows = [(name, _micro(s), self._share(s)) for name, s in self.by_layer().items()]
        return "\n".join(columns(("layer", "µs", "%"), rows, range(1, 3)))

    def _share(self, seconds: float) -> str:
        return f"{100 * seconds / self.total:.1f}"


def _micro(seconds: float) -> str:
    return f"{seconds * 1e6:,.1f}"


def _grouped(pairs: Any) -> Groups:
    found: Groups = {}
    for name, seconds in pairs:
        found[name] = found.get(name, 0.0) + seconds
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def profile(program: Any, /, *args: Any, rng: Any = None, seconds: float = 0.3, **kwargs: Any) -> Profile:
    """Where the time of a call goes, by line, layer and node.

    The listing is run again with a clock between its statements; what the clock takes is measured and left out. A line
    that computes several nodes is shared out among them by what their cards say they cost.

    Args:
        program: a program; for a step of training there is ``model.profile``.
        args: as for the program; or a single dict by name.
        rng: as for the program.
        seconds: about how long to measure.
        kwargs: as for the program.

    Raises:
        ArgumentError: not a program, or what the program itself refuses.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n", 64))
        >>> program = gx.compile(gx.tanh(x @ gx.param("W", (64, 10))))
        >>> import numpy as np
        >>> found = program.profile(np.ones((100, 64)), np.ones((64, 10)), seconds=0.0)
        >>> [row.text for row in found.rows]
        ['def f(x, W):', 'tanh = np.tanh(x @ W)  # [n, 10]', 'return (tanh,)']
    """
    if not isinstance(program, Program):
        raise ArgumentError(
            "profile takes a program", given=type(program).__name__, fix="or use model.profile(x, y)"
        )
    if len(args) == 1 and isinstance(args[0], Mapping):
        kwargs, args = {**args[0], **kwargs}, ()
    arrays = bind_arguments(program.graph, args, kwargs, program.name)
    sizes = size_values([leaf.type for leaf in program.graph.arguments], arrays)
    program(*arrays, rng=rng)  # refuses what it refuses
    rngs = [program.make_rng(rng) if isinstance(rng, int) else rng] if program.graph.sites else []
    space, watch = watched(program.source, program.name)
    function = space[program.name]
    with np.errstate(all="ignore"):
        times = line_times(
            lambda: program.function(*arrays, *rngs), lambda: function(*arrays, *rngs), watch, seconds
        )
    return make_profile(program.name, program.emitted, program.graph, sizes, times)


def make_profile(
    title: str, source: Source, graph: Graph, sizes: Mapping[str, int], times: LineTimes
) -> Profile:
    """A profile from the times of lines."""
    known = places(source)
    named = {n for s in source.statements for n in s.nodes}
    text = source.text.split("\n")
    functions = functions_of(source.text)
    rows = []
    for line, seconds in times.lines.items():
        place = known.get(line)
        layer = (place.statement.layer if place else "") or f"({functions[line]})"
        nodes = _shared(place.statement, graph, named, sizes, seconds) if place else ()
        rows.append(Row(line, text[line - 1].strip(), layer, seconds, nodes))
    return Profile(title, times.seconds, tuple(rows), times.calls)


def _shared(
    statement: Statement, graph: Graph, named: set[Node], sizes: Mapping[str, int], seconds: float
) -> tuple[tuple[str, float], ...]:
    """The time of a line, shared out among its nodes by what they are expected to cost."""
    others = named - set(statement.nodes)
    nodes: list[Node] = [n for node in statement.nodes for n in inside(node, others)]
    expected = [expected_ns(n, sizes) for n in nodes]
    names = [_called(n, graph) for n in nodes]
    return tuple((name, seconds * e / sum(expected)) for name, e in zip(names, expected, strict=True))


def _called(node: Node, graph: Graph) -> str:
    name = graph.name_of(node)
    return f"{name}: {node.op.name}" if name else node.op.name


def expected_ns(node: Node, sizes: Mapping[str, int]) -> float:
    """Nanoseconds that a node is expected to take: a call, and its card's cost for each operation.

    Example:
        >>> import graphc as gx
        >>> expected_ns(gx.tanh(gx.input("x", (1000,))), {})
        900.0
    """
    if node.op.kind == "leaf":
        return CALL_NS
    elements = work.value_at(work.flops(node), sizes) or work.value_at(work.traffic(node), sizes) / 8
    return CALL_NS + node.op.cost * elements
