"""What is compared for one program, and how close is close enough.

``exact``: the oracle's bits. Elsewhere rounding differs, and how much that matters depends on the program: so the
oracle is run again with every result that rounds disturbed by a few units of rounding (stochastic arithmetic,
Vignes 1978), and what a program may differ by is a multiple of how far that moves it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch

import numpy as np

import graphc as gx
from graphc.errors import DataError
from graphc.ir.graph import Graph
from graphc.ir.node import Node, engine, substitute
from graphc.ops.evaluate import evaluate, size_values
from graphc.rewrite import regions
from graphc.rewrite.lower import lower
from graphc.runtime.interpret import bind
from graphc.runtime.program import Program as Compiled
from graphc.runtime.program import make_rng
from graphc.stages import emit, resolve
from tests.programs.maker import Program

FEW_ROUNDINGS = 64
"""Units of rounding of a result that are never looked into."""

DISTURBED = 4
"""Units of rounding that a result is disturbed by: what the sweep of the cards allows each of them."""

RUNS = 8
BEYOND = 8.0
"""A program may be this many times as far away as the furthest of the disturbed runs."""

PICKING = frozenset(["maximum", "minimum", "where", "negative", "abs", "sign", "relu", "copysign"])
"""Pointwise cards that round nothing."""

ADDING = frozenset(
    [
        *(
            "sum",
            "sum_to",
            "cumsum",
            "mean",
            "var",
            "std",
            "norm",
            "quantile",
            "prod",
            "cumprod",
            "recurrence",
        ),
        *("matmul", "matvec", "vdot", "scatter_add", "add_at", "add_along_axis", "fold"),
        *("softmax", "log_softmax", "logsumexp", "inv", "solve", "cofactor", "det", "logabsdet", "cholesky"),
        *("eigh", "svd", "svdvals", "qr", "pinv", "scan", "cond", "multiply_at"),
    ]
)
"""Cards that combine many values: stable backwards, so that it is their operands that are disturbed as well."""

SLOPE = 1e-6
"""Of the size of the terms: five points at 1e-3 are right to 1e-12 of the fifth derivative, at 1e-5 to rounding."""

LONG, SHORT = 1e-3, 1e-5


@dataclass
class Tally:
    """What was compared, and what could not be."""

    counts: Counter[str] = field(default_factory=Counter)
    cards: Counter[str] = field(default_factory=Counter)
    texts: set[int] = field(default_factory=set)

    def add(self, other: Tally) -> None:
        self.counts += other.counts
        self.cards += other.cards
        self.texts |= other.texts


class Mismatch(AssertionError):
    """Two of the ways to run a program disagree."""


@dataclass
class Comparison:
    """One program at one point.

    Attributes:
        program: what is compared.
        seed: of the values.
        tally: where what was done is counted.
    """

    program: Program
    seed: int
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        p = self.program
        self.directions = [gx.input(f"u{i}", x.shape, dtype=x.dtype) for i, x in enumerate(p.wrt)]
        self.values = p.values(self.seed)
        random = np.random.default_rng(self.seed + 1)
        for u, x in zip(self.directions, p.wrt, strict=True):
            array = random.normal(size=np.shape(self.values[str(x.name)]))
            self.values[str(u.name)] = array.astype(x.dtype)[()]

    def graph(self, level: str) -> Graph:
        """Outputs, loss, and where there is something to differentiate by, gradient and slope along a direction."""
        p = self.program
        outputs = [*p.outputs, p.loss]
        if p.wrt:
            outputs += gx.grad(p.loss, list(p.wrt), level)
            outputs.append(gx.jvp(p.loss, list(p.wrt), self.directions, level))
        # whatever is differentiated away, every leaf is an argument, so that every size is known
        return gx.graph_of([*outputs, *p.leaves, *self.directions])

    # -- everything ----------------------------------------------------------------------------------------------

    def run(self) -> Tally:
        """All comparisons; raises ``Mismatch`` at the first that fails."""
        exact = self.graph("exact")
        self.count(exact)
        found = outcome(lambda: oracle(exact, self.program.mode, self.values, self.seed))
        if isinstance(found, str):  # linear algebra that has no answer has none in the program either
            program = gx.compile(exact, mode=self.program.mode, level="exact")
            check(
                outcome(lambda: called(program, self.values, self.seed)) == found, f"the oracle says {found}"
            )
            self.tally.counts["no answer"] += 1
            return self.tally
        self.oracle = found
        self.exactly(exact)
        default = self.graph("default")
        with forms_as_written() if self.seed % 10 else nullcontext():
            program = self.closely(default, "default")
            if self.seed % 3 == 0:  # each level is a compilation, and those are what takes the time
                self.near(
                    self.oracle, called(in_buffers(program), self.values, self.seed), "planned at default"
                )
                self.closely(default, "fast")
        self.as_text(exact)
        if self.program.wrt and all(np.isfinite(v).all() for v in self.slopes()):
            self.both_ways(exact)
            self.differences(program)
        return self.tally

    def count(self, graph: Graph) -> None:
        nodes = graph.nodes
        self.tally.counts["programs"] += 1
        self.tally.counts["nodes"] += len(nodes)
        self.tally.cards.update({n.op.name for n in nodes})

    def exactly(self, graph: Graph) -> None:
        """The bits of the oracle, as a program and as the text of it; also where values are special."""
        program = gx.compile(graph, mode=self.program.mode, level="exact")
        got = called(program, self.values, self.seed)
        self.tally.cards.update({n.op.name for n in program.graph.nodes})
        self.same_but_for_order(graph, program, self.values, self.oracle, got)
        self.exported(program, got)
        self.planned(program, got)
        special = self.program.values(self.seed, special=True)
        special |= {str(u.name): self.values[str(u.name)] for u in self.directions}
        want = outcome(lambda: oracle(graph, self.program.mode, special, self.seed))
        found = outcome(lambda: called(program, special, self.seed))
        if isinstance(want, str) or isinstance(found, str):
            check(isinstance(want, str) and want == found, f"special: {want!r:.60} became {found!r:.60}")
        else:
            self.same_but_for_order(graph, program, special, want, found)
            self.tally.counts["special values"] += 1
            self.tally.counts["nan and inf among the inputs"] += nan_and_inf(special)

    def same_but_for_order(
        self, graph: Graph, program: Any, values: Mapping[str, Any], wanted: list[Any], got: list[Any]
    ) -> None:
        """The oracle's bits, unless NumPy summed in another order because an array lies otherwise in memory.

        A rule that is right to the bit may put a view in the place of a new array (``1 * x``, stretched, is a
        stretched ``x``), and sums and products follow the memory. Then the program has the bits of its own graph run
        node by node, and both graphs have equal bits where every value is laid out in rows.
        """
        try:
            same_bits(wanted, got, "exact")
        except Mismatch:
            mode, simplified = self.program.mode, program.graph
            in_rows = [oracle(g, mode, values, self.seed, place=in_order) for g in (graph, simplified)]
            same_bits(*in_rows, "exact")
            same_bits(oracle(simplified, mode, values, self.seed), got, "the code of exact")
            self.tally.counts["exact but for the order of sums"] += 1

    def planned(self, program: Any, got: Sequence[Any]) -> None:
        """In buffers the same bits, and what was returned stays as it was when the program is called again."""
        planned = in_buffers(program, products=False)
        first = called(planned, self.values, self.seed)
        kept = [np.array(x) for x in first]
        again = called(planned, self.values, self.seed)
        same_bits(kept, first, "planned, after another call")
        same_bits(kept, again, "planned, called again")
        try:
            same_bits(got, first, "planned")
        except Mismatch:  # NumPy sums in the order of the memory, and buffers lie in rows
            self.near(got, first, "planned")
            self.tally.counts["planned but for the order of sums"] += 1

    def exported(self, program: Any, got: Sequence[Any]) -> None:
        """The text alone, with nothing but NumPy, gives what the program gave."""
        lines = [
            line.split()[1] for line in program.source.splitlines() if line.startswith(("import ", "from "))
        ]
        check({*lines} - {"numpy"} <= sys.stdlib_module_names, f"the text imports {lines}")
        function = gx.load_source(program.source)[program.name]
        arrays = list(bind(program.graph, self.values).values())
        rng = [make_rng(program.graph, self.seed)] if program.graph.sites else []
        with np.errstate(all="ignore"):
            same_bits(got, flat_arrays(function(*arrays, *rng)), "exported")

    def closely(self, graph: Graph, level: str) -> Any:
        """As near to the oracle as rounding allows."""
        program = gx.compile(graph, mode=self.program.mode, level=level)
        got = called(program, self.values, self.seed)
        self.tally.cards.update({n.op.name for n in program.graph.nodes})
        self.near(self.oracle, got, level)
        return program

    def as_text(self, graph: Graph) -> None:
        """The printed graph is read back as the same graph."""
        text = str(graph)
        back = gx.parse(text)
        check(str(back) == text, "parse(str(graph)) prints otherwise")
        same_bits(self.oracle, oracle(back, self.program.mode, self.values, self.seed), "parsed")

    # -- closeness -----------------------------------------------------------------------------------------------

    def near(self, wanted: Sequence[Any], got: Sequence[Any], what: str) -> None:
        spreads: list[Any] | None = None
        for i, (left, right) in enumerate(zip(wanted, got, strict=True)):
            check(
                (np.shape(left), np.asarray(left).dtype) == (np.shape(right), np.asarray(right).dtype),
                f"{what}: output {i} has another type",
            )
            far = too_far(left, right)
            if not far.any():
                continue
            spreads = self.spreads() if spreads is None else spreads
            allowed = BEYOND * spreads[i]
            scale = np.maximum(1.0, np.abs(left))
            undecided = ~(
                allowed < 1e-2 * scale
            )  # a choice that hangs on rounding, or values that cancel out
            self.tally.counts["elements undecided"] += int((far & undecided).sum())
            wrong = far & ~undecided & ~(distance(left, right) <= allowed)
            if wrong.any():
                raise Mismatch(report(what, i, wrong, left, right, allowed))
        self.tally.counts[f"looked into at {what}"] += spreads is not None

    def spreads(self) -> list[Any]:
        """For each output, how far disturbances of a few units of rounding move it."""
        graph = self.graph("exact")
        random = np.random.default_rng(self.seed + 2)
        worst = [np.zeros(np.shape(v)) for v in self.oracle]
        for _ in range(RUNS):
            run = self.disturbed_run(graph, random)
            moved = [distance(a, b) for a, b in zip(self.oracle, run, strict=True)]
            worst = [np.maximum(a, np.nan_to_num(b, nan=np.inf)) for a, b in zip(worst, moved, strict=True)]
        return worst

    def disturbed_run(self, graph: Graph, random: np.random.Generator) -> list[Any]:
        """The oracle, disturbed; all nan where linear algebra finds no answer a few roundings away from one."""
        try:
            return oracle(graph, self.program.mode, self.values, self.seed, random)
        except np.linalg.LinAlgError:
            return [np.full_like(x, np.nan, dtype=float) for x in self.oracle]

    # -- derivatives ---------------------------------------------------------------------------------------------

    def slopes(self) -> tuple[Any, Any]:
        """The gradient's terms along the direction, and forward mode's slope."""
        first = len(self.program.outputs) + 1
        gradient = self.oracle[first : first + len(self.program.wrt)]
        along = [self.values[str(u.name)] for u in self.directions]
        terms = [np.ravel(np.float64(g) * u) for g, u in zip(gradient, along, strict=True)]
        return np.concatenate(terms), np.float64(self.oracle[first + len(self.program.wrt)])

    def both_ways(self, graph: Graph) -> None:
        """Forward and reverse mode agree: the dot product of a direction with the gradient is the slope along it."""
        terms, slope = self.slopes()
        eps = max(np.finfo(x.dtype).eps for x in [*self.program.wrt, self.program.loss])
        if abs(terms.sum() - slope) <= FEW_ROUNDINGS * eps * max(1e-3, np.abs(terms).sum()):
            return
        random, gaps, kept = np.random.default_rng(self.seed + 2), [], self.oracle
        for _ in range(RUNS):
            self.oracle = self.disturbed_run(graph, random)
            disturbed, other = self.slopes()
            gaps.append(abs(disturbed.sum() - other))
        self.oracle = kept
        allowed = BEYOND * float(np.max(np.nan_to_num(gaps, nan=np.inf)))
        check(
            abs(terms.sum() - slope) <= allowed,
            f"gradient · u = {terms.sum()!r}, but the slope along u is {slope!r} (allowed {allowed:.1e})",
        )

    def differences(self, program: Any) -> None:
        """The slope along the direction is that of central differences, unless the point is on a kink."""
        p = self.program
        if any(n.type.is_float and n.dtype != "float64" for n in gx.graph_of(p.loss).nodes):
            self.tally.counts["not differenced: not all in float64"] += 1
            return
        terms, _ = self.slopes()
        slope, scale = (
            terms.sum(),
            max(1.0, np.abs(terms).sum(), abs(float(self.oracle[len(p.outputs)])) * 1e-3),
        )
        loss = self.loss_along(program)
        self.tally.counts[self.judged(loss, slope, SLOPE * scale)] += 1

    def judged(self, loss: Callable[[float], float], slope: float, allowed: float) -> str:
        long, short = central(loss, LONG), central(loss, SHORT)
        if min(abs(long - slope), abs(short - slope)) <= allowed:
            return "differenced"
        if not abs(long - short) <= allowed:
            return "not differenced: rough, or a kink nearby"
        here, step = loss(0.0), SHORT
        left, right = (here - loss(-step)) / step, (loss(step) - here) / step
        if abs(left - right) > 1e-3 * max(1.0, abs(left), abs(right)):
            return "not differenced: on a kink"
        raise Mismatch(f"the gradient's slope is {slope!r}, central differences say {long!r} and {short!r}")

    def loss_along(self, program: Any) -> Callable[[float], float]:
        """The loss as a function of the step along the direction; what stands behind ``stop_gradient`` stays."""
        at, held = len(self.program.outputs), {}
        stopped = [n for n in gx.graph_of(self.program.loss).nodes if n.op.name == "stop_gradient"]
        if stopped:
            program, held = self.frozen(stopped)
            at = 0

        def loss(step: float) -> float:
            moved = {
                str(x.name): self.values[str(x.name)] + step * self.values[str(u.name)]
                for x, u in zip(self.program.wrt, self.directions, strict=True)
            }
            return float(called(program, self.values | held | moved, self.seed)[at])

        return loss

    def frozen(self, stopped: Sequence[Node]) -> tuple[Any, dict[str, Any]]:
        """The loss with what is stopped as an argument, and its value."""
        mode, leaves = self.program.mode, [*self.program.leaves]
        graph = gx.graph_of([*stopped, *leaves])
        values = oracle(graph, mode, self.values, self.seed)
        made = {n: gx.input(f"held{i}", n.shape, dtype=n.dtype) for i, n in enumerate(stopped)}
        with engine():
            loss = substitute([self.program.loss], made)[self.program.loss]
        held = {f"held{i}": values[i] for i in range(len(stopped))}
        return gx.compile([loss, *leaves], mode=mode), held


# -- running -----------------------------------------------------------------------------------------------------


def oracle(
    graph: Graph,
    mode: str,
    values: Mapping[str, Any],
    seed: int,
    disturb: np.random.Generator | None = None,
    place: Callable[[Any], Any] = lambda array: array,
) -> list[Any]:
    """Every output and next state of a graph, node by node.

    Args:
        graph: any graph.
        mode: train or eval.
        values: of the arguments, by name.
        seed: of what is random in the graph.
        disturb: moves each result that rounds.
        place: what lays a value out in memory.
    """
    prepared = lower(resolve(graph, mode))
    arrays: dict[Node, Any] = dict(bind(graph, values))
    sizes = size_values([n.type for n in graph.arguments], [arrays[n] for n in graph.arguments])
    rng = make_rng(prepared, seed) if prepared.sites else {}
    with np.errstate(all="ignore"):
        for node in prepared.nodes:
            if node not in arrays:
                operands = [arrays[x] for x in node.inputs]
                generator = rng.get(str(prepared.name_of(node))) if node.op.role == "random" else None
                arrays[node] = place(disturbed(node, operands, sizes, generator, disturb))
    return [arrays[x] for x in prepared.outputs] + [arrays[x] for _, x in prepared.updates]


def disturbed(
    node: Node,
    operands: list[Any],
    sizes: Mapping[str, int],
    generator: Any,
    random: np.random.Generator | None,
) -> Any:
    """The value of a node, moved by a few units of rounding where it rounds."""
    if random is None or not node.type.is_float:
        return evaluate(node, operands, sizes, generator)
    if node.op.name in ADDING:
        operands = [moved(x, random) for x in operands]
    value = evaluate(node, operands, sizes, generator)
    rounds = node.op.name in ADDING or (node.op.kind == "pointwise" and node.op.name not in PICKING)
    return moved(value, random) if rounds else value


def forms_as_written() -> Any:
    """No search for the forms of pointwise regions: each takes SymPy a second, and tests of their own hold them."""
    return patch.object(regions, "regions_of", lambda graph: iter(()))


def in_buffers(program: Any, products: bool = True) -> Any:
    """The same program in the planned layout."""
    plan = replace(program.plan, layout="planned", products=products)
    return Compiled(program.declared, plan, emit(plan), program.trace)


def in_order(value: Any) -> Any:
    """In rows, as a new array is."""
    return np.array(value, order="C")[()]


def moved(value: Any, random: np.random.Generator) -> Any:
    array = np.asarray(value)
    if array.dtype.kind != "f":
        return value
    shift = 1 + DISTURBED * np.finfo(array.dtype).eps * random.uniform(-1, 1, array.shape)
    return (array * shift).astype(array.dtype)[()]


def called(program: Any, values: Mapping[str, Any], seed: int) -> list[Any]:
    """What a program returns, as a flat list of arrays."""
    names = {str(program.graph.name_of(n)) for n in program.graph.arguments}
    rng = {"rng": seed} if program.graph.sites else {}
    with np.errstate(all="ignore"):
        return flat_arrays(program(**{k: v for k, v in values.items() if k in names}, **rng))


def flat_arrays(value: Any) -> list[Any]:
    """The arrays in lists, tuples and dicts, in order."""
    if isinstance(value, dict):
        value = list(value.values())
    return [a for v in value for a in flat_arrays(v)] if isinstance(value, (list, tuple)) else [value]


def nan_and_inf(values: Mapping[str, Any]) -> bool:
    """Whether there is at least one of either among the floats."""
    floats = [np.ravel(v) for v in values.values() if np.asarray(v).dtype.kind == "f"]
    return all(any(test(v).any() for v in floats) for test in (np.isnan, np.isinf))


def outcome(run: Callable[[], Any]) -> Any:
    """What a call returns, or that linear algebra found no answer (NumPy's error there, graphc's own at the call)."""
    try:
        return run()
    except (np.linalg.LinAlgError, DataError) as error:
        return str(error).split("\n")[0]


def central(f: Callable[[float], float], h: float) -> float:
    """The slope at 0 from five points."""
    with np.errstate(all="ignore"):
        return (f(-2 * h) - 8 * f(-h) + 8 * f(h) - f(2 * h)) / (12 * h)


# -- comparing ---------------------------------------------------------------------------------------------------


def check(holds: bool | np.bool_, message: str) -> None:
    if not holds:
        raise Mismatch(message)


def same_bits(wanted: Sequence[Any], got: Sequence[Any], what: str) -> None:
    """Equal in number, dtype, shape and bits; any nan equals any nan."""
    check(len(wanted) == len(got), f"{what}: {len(got)} values, not {len(wanted)}")
    for i, (left, right) in enumerate(zip(wanted, got, strict=True)):
        a, b = np.asarray(left), np.asarray(right)
        check(
            (a.dtype, a.shape) == (b.dtype, b.shape),
            f"{what}: output {i} is {b.dtype}{b.shape}, not {a.dtype}{a.shape}",
        )
        nan = np.isnan(a) & np.isnan(b)
        same = nan | ((a == b) & (np.signbit(a) == np.signbit(b) if a.dtype.kind == "f" else True))
        if not same.all():
            raise Mismatch(report(what, i, ~same, a, b, 0.0))


def distance(left: Any, right: Any) -> Any:
    a, b = (np.asarray(v, dtype="float64") for v in (left, right))
    with np.errstate(all="ignore"):
        return np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))


def too_far(left: Any, right: Any) -> Any:
    """Elements further away than a few units of rounding; where the oracle overflows, anything may stand."""
    a = np.asarray(left)
    if a.dtype.kind != "f":
        return np.asarray(a != right)
    allowed = FEW_ROUNDINGS * np.finfo(a.dtype).eps * np.abs(a)
    return np.isfinite(a) & ~(distance(a, right) <= allowed)


def report(what: str, i: int, wrong: Any, left: Any, right: Any, allowed: Any) -> str:
    at = tuple(int(k[0]) for k in np.nonzero(np.atleast_1d(wrong)))
    a, b, c = (np.atleast_1d(np.broadcast_to(v, np.shape(wrong)))[at] for v in (left, right, allowed))
    return f"{what}: output {i} at {at} is {b!r}, the oracle has {a!r} (allowed {c:.1e})"


def hash_of(text: str) -> int:
    """The same in every process."""
    import zlib

    return zlib.crc32(text.encode())
