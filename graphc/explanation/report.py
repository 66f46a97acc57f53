"""What a program is and costs: passes with their times, rules that fired, operations and bytes, memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from graphc.codegen.numpy import Source
from graphc.codegen.strips import Run
from graphc.errors import ArgumentError
from graphc.explanation.fused import RegionNote, regions_in
from graphc.explanation.slots import Slot, pieces_of, sized, slots_of
from graphc.ir.size import Dim, evaluate, names_of
from graphc.planning import work
from graphc.planning.alive import alive_peak
from graphc.planning.early import with_early_factors
from graphc.planning.order import Plan
from graphc.rewrite.driver import PassRun, Trace
from graphc.runtime.memory import measured_peak, predicted_peak, sample_arrays
from graphc.runtime.program import Program
from graphc.runtime.tables import columns


@dataclass(frozen=True)
class Cost:
    """A computation of a program.

    Attributes:
        name: of its value in the graph, or the empty text.
        operation: the card.
        layer: the layer, or the empty text.
        phase: forward, backward or update.
        type: of its value.
        flops: arithmetic operations; see ``planning.work``.
        bytes: read and written.
    """

    name: str
    operation: str
    layer: str
    phase: str
    type: str
    flops: Dim
    bytes: Dim

    def at(self, sizes: Mapping[str, int]) -> Cost:
        """With ints for sizes that have names."""
        return replace(self, flops=evaluate(self.flops, sizes), bytes=evaluate(self.bytes, sizes))


@dataclass(frozen=True, repr=False)
class Report:
    """What was done to make a program, and what a call of it costs; ``print`` shows it.

    Attributes:
        title: the name of the program.
        layout: fresh or planned.
        passes: each pass that ran, in order, with its time; of a model, over all of its functions together.
        rules: how often each rule fired.
        costs: each computation, in the order in which it runs.
        lines: statements of the listing.
        slots: in the planned layout, the buffers and the values that share each.
        pieces: lengths of the pieces that vectors are cut into, where what an update works in leaves the cache.
        runs: in the planned layout, calls over the same rows, and why they stand in a loop over strips or do not.
        regions: pointwise regions, and why each has the form that it has.
        sizes: the values of sizes, once ``at`` has set them.
        predicted: bytes of the values that must be alive at the worst moment of a call; None without sizes.
        workspace: in the planned layout, bytes of the one array that all buffers lie in; None without sizes.
        measured: bytes that a first call of these sizes allocated at its worst moment; None without sizes.
    """

    title: str
    layout: str
    passes: tuple[PassRun, ...]
    rules: Mapping[str, int]
    costs: tuple[Cost, ...]
    lines: int
    slots: tuple[Slot, ...] = ()
    pieces: tuple[int, ...] = ()
    runs: tuple[Run, ...] = ()
    regions: tuple[RegionNote, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    predicted: int | None = None
    workspace: int | None = None
    measured: int | None = None
    _text: str = ""
    _peaks: Callable[[Mapping[str, int]], tuple[int, int]] | None = None

    @property
    def flops(self) -> Dim:
        """All operations."""
        return work.total(cost.flops for cost in self.costs)

    @property
    def bytes(self) -> Dim:
        """All bytes that are read and written."""
        return work.total(cost.bytes for cost in self.costs)

    @property
    def size_names(self) -> list[str]:
        """The sizes that have names still."""
        dims = [d for cost in self.costs for d in (cost.flops, cost.bytes)]
        return list(dict.fromkeys(n for d in dims for n in names_of(d)))

    def at(self, **sizes: int) -> Report:
        """The same with numbers: operations, bytes, and the memory of a call, which is run twice for that.

        Raises:
            ArgumentError: a size that has no value, or a value of no size.
        """
        wanted = set(self.size_names)
        if wanted != set(sizes):
            raise ArgumentError(
                "a report is of all sizes that have names",
                given=", ".join(sizes) or "no sizes",
                expected=", ".join(sorted(wanted)) or "none: every size is an int",
            )
        predicted, measured = self._peaks(sizes) if self._peaks else (None, None)
        costs = tuple(cost.at(sizes) for cost in self.costs)
        slots, space = sized(self.slots, self._text, sizes) if self.slots else ((), None)
        found = replace(self, costs=costs, slots=slots, sizes=sizes)
        return replace(found, predicted=predicted, workspace=space, measured=measured)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as JSON has it; a size that has a name is a text."""
        return {
            "title": self.title,
            "layout": self.layout,
            "lines": self.lines,
            "passes": [vars(p) for p in self.passes],
            "rules": dict(self.rules),
            "costs": [{**vars(c), "flops": _plain(c.flops), "bytes": _plain(c.bytes)} for c in self.costs],
            "flops": _plain(self.flops),
            "bytes": _plain(self.bytes),
            "slots": [vars(slot) for slot in self.slots],
            "pieces": list(self.pieces),
            "runs": [vars(run) for run in self.runs],
            "regions": [vars(region) for region in self.regions],
            "sizes": dict(self.sizes),
            "memory": {
                "predicted": self.predicted,
                "workspace": self.workspace,
                "measured": self.measured,
            },
        }

    def __str__(self) -> str:
        known = ", ".join(f"{k} = {v}" for k, v in self.sizes.items())
        head = f"{self.title}: {len(self.costs)} computations, {self.lines} lines, layout {self.layout}"
        parts = [f"{head}{f', {known}' if known else ''}", self._pass_table(), self._rule_line()]
        parts += [self._cost_table(), self._fused_lines(), self._slot_lines(), self._memory_line()]
        return "\n\n".join(part for part in parts if part)

    __repr__ = __str__

    def _pass_table(self) -> str:
        rows = [
            (p.name, str(p.graphs), f"{p.seconds * 1e3:.2f}", str(p.before), str(p.after), str(p.events))
            for p in self.passes
        ]
        spent = sum(p.seconds for p in self.passes)
        rows.append(("all", "", f"{spent * 1e3:.2f}", "", "", ""))
        return "\n".join(columns(("pass", "graphs", "ms", "nodes", "after", "events"), rows, range(1, 6)))

    def _rule_line(self) -> str:
        fired = sorted(self.rules.items(), key=lambda item: (-item[1], item[0]))
        return f"rules: {', '.join(f'{name} {count}' for name, count in fired) or 'none fired'}"

    def _cost_table(self) -> str:
        rows = [(c.layer, c.name, c.operation, c.type, _text(c.flops), _text(c.bytes)) for c in self.costs]
        rows += [("all", "", "", "", _text(self.flops), _text(self.bytes))]
        return "\n".join(
            columns(("layer", "value", "operation", "type", "flops", "bytes"), rows, range(4, 6))
        )

    def _slot_lines(self) -> str:
        cut = [f"vectors in pieces of {', '.join(map(str, self.pieces))} elements"] if self.pieces else []
        if not self.slots:
            return "\n".join(cut)
        head = f"{len(self.slots)} slots in one workspace, for {sum(1 + len(s.shared) for s in self.slots)} values"
        return "\n".join([head, *(f"  {slot}" for slot in self.slots), *cut])

    def _fused_lines(self) -> str:
        runs = ["calls over the same rows", *(f"  {run}" for run in self.runs)] if self.runs else []
        regions = ["pointwise regions", *(f"  {region}" for region in self.regions)] if self.regions else []
        return "\n".join([*runs, *regions])

    def _memory_line(self) -> str:
        if self.predicted is None or self.measured is None:
            names = ", ".join(f"{n}=..." for n in self.size_names)
            return f"memory: report.at({names}) runs it and measures"
        space = "" if self.workspace is None else f" {self.workspace:,} in the workspace,"
        return (
            f"memory at its worst: {self.predicted:,} bytes must be alive,{space} {self.measured:,} measured"
        )


def _plain(dim: Dim) -> int | str:
    return dim if isinstance(dim, int) else str(dim)


def _text(dim: Dim) -> str:
    return f"{dim:,}" if isinstance(dim, int) else str(dim)


def report(program: Any) -> Report:
    """What was done to make a program, and what it costs.

    Args:
        program: a program; for a model there is ``model.report()``.

    Raises:
        ArgumentError: not a program.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n", 64))
        >>> found = gx.compile(gx.tanh(x @ gx.param("W", (64, 10)))).report
        >>> str(found.flops), found.at(n=2).flops
        ('1290*n', 2580)
        >>> found.at(n=1000).predicted
        80000
    """
    if not isinstance(program, Program):
        raise ArgumentError(
            "report takes a program", given=type(program).__name__, fix="or use model.report()"
        )

    def peaks(sizes: Mapping[str, int]) -> tuple[int, int]:
        return _alive(program, sizes), _measured(program, sizes)

    return make_report(program.name, program.plan, program.trace, program.emitted, peaks)


def _alive(program: Program, sizes: Mapping[str, int]) -> int:
    """What must be alive at the worst moment: the fresh layout keeps what has a name until it returns."""
    if program.plan.layout == "fresh":
        return predicted_peak(program.emitted.statements, program.graph, sizes)
    plan = with_early_factors(program.plan)
    return alive_peak(plan.order, plan.graph.roots, sizes, counted=True)


def _measured(program: Program, sizes: Mapping[str, int]) -> int:
    """The peak of a first call of these sizes, which makes its buffers."""
    arguments = sample_arrays(program.graph.arguments, sizes)
    rng = [program.make_rng(0)] if program.graph.sites else []
    with np.errstate(all="ignore"):
        program.function(*arguments, *rng)
        program.function.__globals__.get("FREE", {}).clear()  # the next call makes them anew
        return measured_peak(lambda: program.function(*arguments, *rng), warm=False)


def make_report(
    title: str,
    plan: Plan,
    trace: Trace,
    source: Source,
    peaks: Callable[[Mapping[str, int]], tuple[int, int]] | None = None,
) -> Report:
    """A report of a plan and of what was done to make it."""
    return Report(
        title,
        plan.layout,
        tuple(trace.passes),
        trace.fired(),
        costs(plan),
        len(source.statements),
        slots_of(source.text),
        pieces_of(source.text),
        source.runs,
        regions_in(trace),
        _text=source.text,
        _peaks=peaks,
    )


def costs(plan: Plan) -> tuple[Cost, ...]:
    """Every computation of a plan."""
    graph = plan.graph
    return tuple(
        Cost(
            graph.name_of(n) or "",
            n.op.name,
            graph.layer_of(n) or "",
            plan.phase[n],
            str(n.type),
            work.flops(n),
            work.traffic(n),
        )
        for n in work.computed(plan.order)
    )
