"""``graphc bench``: what a step of training takes, and how far that is from what the machine could do."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.cli.console import table
from graphc.cli.inspect import random_values
from graphc.cli.models import optimizer_of, read_model
from graphc.errors import UsageError
from graphc.ir.node import size_names
from graphc.ir.size import evaluate
from graphc.ops.machine import Machine
from graphc.planning.work import size_in_bytes
from graphc.runtime.calibrate import best, call_ns, copy_rate, gemm_rate, keep, measure_machine, processor
from graphc.train.measured import step_profile, step_report, stepper
from graphc.train.model import Model


@dataclass(frozen=True)
class Limits:
    """The least time of a step on a machine, by what might bound it.

    Attributes:
        operations: seconds of its floating-point operations, at the rate of a large product of matrices.
        memory: seconds to read each argument once and write each result once.
    """

    operations: float
    memory: float

    @property
    def seconds(self) -> float:
        """The larger of the two: no program that does this work is faster."""
        return max(self.operations, self.memory)

    @property
    def bound(self) -> str:
        """Which it is."""
        return "operations" if self.operations >= self.memory else "memory"


def bench(options: Namespace) -> int:
    """Print a step's time and its distance to the limit; or measure the machine."""
    if options.calibrate:
        return _calibrate()
    if options.model is None:
        raise UsageError("bench: name a model, or pass --calibrate", fix="see graphc bench --help")
    model = read_model(options.model)
    if model.loss is None:
        raise UsageError(f"{options.model} has no loss to train by", fix="gx.Model(outputs, loss)")
    optimizer = optimizer_of(model, options.optimizer)
    batch = {k: v for k, v in random_values(model, options.rows, 0).items() if k in model.train_inputs}
    arrays = model.checked_data(batch, None)
    step = stepper(model, optimizer, model.module(optimizer).functions)
    with np.errstate(all="ignore"):
        seconds = best(lambda: step(arrays), options.seconds)
    print(f"{options.model}: a step of {model.name} on {options.rows} rows with {optimizer.name}\n")
    print(table(_rows(model, optimizer, arrays, seconds)))
    if options.lines:
        print(f"\n{step_profile(model, batch, None, optimizer, options.seconds)}")
    return 0


def _calibrate() -> int:
    print(f"measuring {processor()} ...", flush=True)
    machine = measure_machine()
    path = keep(machine)
    print(table(_rates(machine)))
    print(f"{len(machine.prices)} functions of NumPy, {path or 'kept nowhere: GRAPHC_CACHE is empty'}")
    return 0


def _rates(machine: Machine) -> list[tuple[str, str]]:
    dear = sorted(machine.prices.items(), key=lambda item: -item[1][0])
    shown = [(f"{name}, float32", f"{ns:.2f} ns an element") for name, (ns, _) in (*dear[:3], *dear[-3:])]
    return [
        *(
            (f"product of matrices, {dtype}", f"{rate / 1e9:.1f} GFLOP/s")
            for dtype, rate in machine.gemm.items()
        ),
        ("copy", f"{machine.bandwidth / 1e9:.1f} GB/s"),
        ("a call", f"{machine.call_ns:.0f} ns"),
        *shown,
    ]


def _rows(model: Model, optimizer: Any, arrays: Any, seconds: float) -> list[tuple[str, str]]:
    sizes = sizes_of(model, arrays)
    report = step_report(model, optimizer).at(**sizes)
    dtype = "float64" if any(p.dtype == "float64" for p in model.graph.leaves("param")) else "float32"
    gemm, copy, call = gemm_rate(dtype), copy_rate(), call_ns()
    needed = needed_bytes(model, optimizer, sizes)
    flops = int(str(report.flops))
    limits = Limits(flops / gemm, needed / copy)
    rate = f"{flops / seconds / 1e9:.1f} GFLOP/s, a product of matrices {gemm / 1e9:.1f}"
    return [
        ("time", f"{_duration(seconds)}"),
        ("operations", f"{flops:,}: {_duration(limits.operations)} at least; {rate}"),
        ("arguments and results", f"{needed:,} bytes: {_duration(limits.memory)} at {copy / 1e9:.1f} GB/s"),
        ("read and written in all", f"{report.bytes:,} bytes"),
        ("calls", f"{report.lines} statements; a call of NumPy is {call:.0f} ns"),
        ("memory", f"{report.predicted:,} bytes must be alive, {report.measured:,} are allocated"),
        ("distance to the limit", _distance(seconds, limits)),
    ]


def _distance(seconds: float, limits: Limits) -> str:
    """How many times the limit a step takes; less than once means that the limit was measured too high."""
    text = f"{seconds / limits.seconds:.2f} times {_duration(limits.seconds)} ({limits.bound})"
    if seconds < limits.seconds:
        text += "; the machine was busy while its rates were measured: run it again"
    return text


def sizes_of(model: Model, arrays: Any) -> dict[str, int]:
    """The sizes of a batch, by name."""
    leaves = [leaf for leaf in model.graph.leaves("input") if str(model.graph.name_of(leaf)) in arrays]
    found: dict[str, int] = {}
    for leaf in leaves:
        shape = np.shape(arrays[str(model.graph.name_of(leaf))])
        found |= {str(d): n for d, n in zip(leaf.shape, shape, strict=True) if str(d) in size_names(leaves)}
    return found


def needed_bytes(model: Model, optimizer: Any, sizes: dict[str, int]) -> int:
    """What any program of this step reads and writes: data, and each parameter, state and slot twice."""
    data = [n for n in model.graph.leaves("input") if str(model.graph.name_of(n)) in model.train_inputs]
    kept = [*model.params.values(), *model.state.values(), *model.starting_slots(optimizer).values()]
    once = sum(evaluate(size_in_bytes(n), sizes) for n in data)
    return once + 2 * sum(int(np.asarray(v).nbytes) for v in kept)


def _duration(seconds: float) -> str:
    for unit, factor in (("µs", 1e6), ("ms", 1e3)):
        if seconds * factor < 1000:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"
