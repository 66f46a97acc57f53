"""The nine workloads: what graphc generates against PyTorch eager, JAX jit, and NumPy written by hand.

    python -m benchmarks.nine                          # all nine, on one core; some minutes
    python -m benchmarks.nine W1 W3 --only fresh,hand  # these two, without the peers
    python -m benchmarks.nine --write docs/performance.md

All implementations of a workload run in one process in turn: each round calls each of them for a while, and the table
has the medians over the rounds. One thread, on one core where the system can bind a process to one. A batch is taken
from the whole data inside the step, in all of them; one-hot rows and rows of ones are made beforehand. ``fresh`` and
``planned`` are calls of ``train_step``; ``epoch`` is ``train_epoch``, which ``fit`` uses, over prepared data: its time
is that of many steps in few calls over their number, while all others are called once a step. Without the extra
``graphc[bench]`` (PyTorch, JAX) the peers are left out, in one line.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import importlib.util
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

Step = Callable[[], Any]

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
NAMES = tuple(f"W{i}" for i in range(1, 10))

TARGETS: dict[str, dict[str, float]] = {
    "W1": {"torch": 25, "jax": 3, "hand": 1 / 1.15},
    "W2": {"torch": 8, "jax": 1.4, "hand": 1 / 1.15},
    "W3": {"torch": 1.6, "jax": 0.87, "hand": 1 / 1.1},
    "W4": {"torch": 1.05, "jax": 0.95, "hand": 1 / 1.1},
    "W5": {"torch": 4, "jax": 1.2, "hand": 1 / 1.1},
    "W6": {"torch": 1.5, "jax": 0.95, "hand": 1 / 1.1},
    "W7": {"torch": 2.5, "jax": 2.2, "hand": 1 / 1.1},
    "W8": {"torch": 2.3, "jax": 1.7, "jax loop": 1, "hand": 1 / 1.1},
    "W9": {"torch": 1.4, "jax": 2.7, "hand": 1 / 1.1},
}
"""How many times faster than each the generated step is meant to be."""

WITH_NUMBA = {"W3": 1.0, "W5": 2.0, "W6": 1.1}
"""How many times faster than JAX it is meant to be with ``target="numba"``."""


@dataclass(frozen=True)
class Result:
    """The seconds per step of each implementation of a workload, and why others are missing."""

    name: str
    title: str
    seconds: dict[str, float]
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def best(self) -> str:
        """What ``fit`` uses: whole epochs where a step can be taken in them, else planned steps."""
        return next((n for n in ("epoch", "planned", "fresh") if n in self.seconds), "")

    def times(self, other: str) -> float | None:
        """How many times faster than ``other`` the generated step is."""
        if not self.best or other not in self.seconds:
            return None
        return self.seconds[other] / self.seconds[self.best]


def builders(problem: Any) -> dict[str, Callable[[Any], Step]]:
    """Every implementation of a workload by its name; the modules of the peers are imported when they are built."""
    from benchmarks.workloads import generated

    found: dict[str, Callable[[Any], Step]] = {
        layout: partial(generated.build, layout=layout) for layout in generated.layouts(problem)
    }
    found["numba"] = generated.build_numba
    found["hand"] = _later("by_hand")
    found["torch"] = _later("torch_steps")
    found["jax"] = _later("jax_steps")
    if problem.name == "W8":
        found["jax loop"] = _later("jax_steps", loop=True)
    return found


def _later(module: str, **options: Any) -> Callable[[Any], Step]:
    def build(problem: Any) -> Step:
        found = importlib.import_module(f"benchmarks.workloads.{module}")
        step: Step = found.build(problem, **options)
        return step

    return build


def missing_package(name: str) -> str:
    """The package that an implementation needs and that is not installed, or nothing."""
    package = name.split()[0]
    needed = package in ("torch", "jax", "numba")
    return package if needed and importlib.util.find_spec(package) is None else ""


def value_of(result: Any) -> float:
    """The number that a step returned; where computation runs ahead, this waits for it."""
    value = result[0] if isinstance(result, tuple) else result
    return float(value.item() if hasattr(value, "item") else value)


def repeated(step: Step, chunk: float, clock: Callable[[], float]) -> tuple[Callable[[], float], int]:
    """A function that takes a number of steps which last about ``chunk`` seconds, and that number."""
    value_of(step())
    count, spent = 1, 0.0
    while spent < chunk / 4 and count < 1 << 16:
        count *= 2
        start = clock()
        _run(step, count)
        spent = clock() - start
    count = max(1, round(count * chunk / max(spent, 1e-9)))
    return partial(_run, step, count), count


def _run(step: Step, count: int) -> float:
    if hasattr(step, "many"):
        return value_of(step.many(count))
    result = None
    for _ in range(count):
        result = step()
    return value_of(result)


def measured(
    name: str,
    only: Sequence[str] = (),
    rounds: int = 9,
    chunk: float = 0.1,
    clock: Callable[[], float] | None = None,
) -> Result:
    """The median time of a step of each implementation, over rounds that run each of them for about ``chunk`` s."""
    import time

    import numpy as np

    from benchmarks.timing import interleaved
    from benchmarks.workloads.problems import PROBLEMS

    clock = clock or time.perf_counter
    problem = PROBLEMS[name]()
    missing: dict[str, str] = {}
    steps: dict[str, tuple[Callable[[], float], int]] = {}
    with np.errstate(all="ignore"):  # as fit has it
        for key, build in builders(problem).items():
            if only and key not in only:
                continue
            package = missing_package(key)
            if package:
                extra = "numba" if package == "numba" else "bench"
                missing[key] = f"{package} is not installed: pip install 'graphc[{extra}]'"
                continue
            steps[key] = repeated(build(problem), chunk, clock)
        times = interleaved([s for s, _ in steps.values()], seconds=0, least=rounds, clock=clock)
    seconds = {k: t / n for (k, (_, n)), t in zip(steps.items(), times, strict=True)}
    return Result(name, problem.title, seconds, missing)


# -- the table ----------------------------------------------------------------------------------------------------

COLUMNS = ("fresh", "planned", "epoch", "numba", "hand", "jax", "jax loop", "torch")
PEERS = ("torch", "jax", "jax loop", "hand")


def duration(seconds: float) -> str:
    """Three digits with their unit."""
    for unit, factor in (("µs", 1e6), ("ms", 1e3), ("s", 1.0)):
        if seconds * factor < 1000:
            return f"{seconds * factor:#.3g}".rstrip(".") + f" {unit}"
    return f"{seconds:.0f} s"


def cells(result: Result) -> list[str]:
    """A row: the times, then how many times faster than each peer, with a mark where a target is missed."""
    times = [duration(result.seconds[c]) if c in result.seconds else "" for c in COLUMNS]
    return [result.name, *times, *(_ratio(result, peer) for peer in PEERS), _with_numba(result)]


def _ratio(result: Result, peer: str) -> str:
    times = result.times(peer)
    if times is None:
        return ""
    target = TARGETS[result.name].get(peer)
    text = f"{1 / times:.2f}" if peer == "hand" else f"{times:.2f}"
    if target is None:
        return text
    wanted = f"≤ {1 / target:.2f}" if peer == "hand" else f"≥ {target:g}"
    return f"{text} ({wanted}{'' if times >= target else ', missed'})"


def _with_numba(result: Result) -> str:
    if not {"numba", "jax"} <= result.seconds.keys():
        return ""
    times, target = result.seconds["jax"] / result.seconds["numba"], WITH_NUMBA.get(result.name)
    if target is None:
        return f"{times:.2f}"
    return f"{times:.2f} (≥ {target:g}{'' if times >= target else ', missed'})"


def header() -> list[str]:
    """The names of the columns."""
    ratios = ["torch / graphc", "jax / graphc", "jax loop / graphc", "graphc / hand", "jax / numba"]
    return ["", *COLUMNS, *ratios]


def markdown(results: Sequence[Result], command: str, clock: str) -> str:
    """The table with what is needed to read it."""
    lines = [dated(command, clock), "", markdown_table([header(), *(cells(r) for r in results)])]
    lines += ["", *(f"- **{r.name}**: {r.title}" for r in results)]
    lines += sorted({f"- {name}: {why}" for r in results for name, why in r.missing.items()})
    return "\n".join(lines)


def dated(command: str, clock: str) -> str:
    """When, where and how a table was measured."""
    day = dt.date.today().isoformat()  # noqa: DTZ011
    return f"Measured {day} on {machine()}. Versions: {versions()}. Command: `{command.strip()}`. {clock}"


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as Markdown, the first as the header; numbers at the right."""
    head, *rest = rows
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rest]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines)


def machine() -> str:
    """The processor and the system."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        found = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = found[0].partition(":")[2].strip() if found else model
    return f"{model} ({platform.machine()}, {os.cpu_count()} cores, {cores()} used), {platform.system()}"


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def versions() -> str:
    """Python and the packages that take part."""
    parts = [f"Python {platform.python_version()}"]
    for package in ("numpy", "numba", "torch", "jax"):
        try:
            parts.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            parts.append(f"{package} not installed")
    return ", ".join(parts)


def replaced(text: str, block: str, mark: str = "nine") -> str:
    """The text with a block between ``<!-- mark -->`` and ``<!-- /mark -->``."""
    start, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    head, found, rest = text.partition(start)
    _, closed, tail = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"there is no {start} ... {end} in the file")
    return f"{head}{start}\n{block}\n{end}{tail}"


# -- the command --------------------------------------------------------------------------------------------------


def on_one_core(arguments: Sequence[str], module: str = "benchmarks.nine") -> None:
    """Start this command anew with one thread and, where there is such a thing, bound to one core."""
    if os.environ.get("GRAPHC_ONE_CORE"):
        return
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    new = {**os.environ, **dict.fromkeys(THREADS, "1"), "JAX_PLATFORMS": "cpu", "GRAPHC_ONE_CORE": "1"}
    command = [sys.executable, "-m", module, *arguments]
    sys.stdout.flush()
    os.execve(sys.executable, command, new)


def main(arguments: Sequence[str]) -> None:
    """Measure, print the table, and write it where asked to."""
    import time

    parser = argparse.ArgumentParser(prog="python -m benchmarks.nine", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="W", default=[], help="W1 to W9 (default: all)")
    parser.add_argument("--only", default="", metavar="A,B", help=f"of {', '.join(COLUMNS)}")
    parser.add_argument("--rounds", type=int, default=9, metavar="N")
    parser.add_argument("--chunk", type=float, default=0.1, metavar="S", help="seconds of each in a round")
    parser.add_argument(
        "--cpu", action="store_true", help="processor time, on a machine that does other things"
    )
    parser.add_argument("--write", type=Path, metavar="FILE.md", help="put the table into this page")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"no such workload: {', '.join(sorted(unknown))}")
    on_one_core(arguments)
    clock = time.process_time if options.cpu else time.perf_counter
    results = []
    for name in options.names or NAMES:
        only = options.only.split(",") if options.only else ()
        found = measured(name, only, options.rounds, options.chunk, clock)
        results.append(found)
        print(summary(found), flush=True)
    if options.write:
        load = "Processor time." if options.cpu else "Wall time."
        block = markdown(results, "python -m benchmarks.nine " + " ".join(arguments), load)
        options.write.write_text(replaced(options.write.read_text("utf-8"), block), "utf-8")


def summary(result: Result) -> str:
    """One line a workload."""
    times = "  ".join(f"{k} {duration(v)}" for k, v in result.seconds.items())
    ratios = "  ".join(f"{p} {text}" for p in PEERS if (text := _ratio(result, p)))
    missing = "".join(f"\n    {name}: {why}" for name, why in result.missing.items())
    return f"{result.name}  {times}\n    {ratios}{missing}"


if __name__ == "__main__":
    main(sys.argv[1:])
