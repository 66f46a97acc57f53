"""Many random programs by Hypothesis, in as many processes as there are processors."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

import hypothesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from tests.programs.compare import Comparison, Tally, hash_of
from tests.programs.generator import MOST, programs
from tests.programs.maker import Program
from tests.programs.table import ROWS, Row

CHUNK = 250
SETTINGS = settings(
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


def sweep(
    seed: int, count: int, most: int = MOST, rows: Mapping[str, Row] = ROWS, shrink: bool = True
) -> Tally:
    """So many different programs, each compared in every way; raises with the smallest program that fails."""
    tally = Tally()

    @hypothesis.seed(seed)
    @settings(SETTINGS, max_examples=count, phases=(Phase.generate, *[Phase.shrink] * shrink))
    @given(programs(most=most, rows=rows), st.integers(0, 2**16))
    def holds(program: Program, seed: int) -> None:
        text = hash_of(repr(program))
        assume(text not in tally.texts)
        Comparison(program, seed, tally).run()
        tally.texts.add(text)

    holds()
    return tally


@dataclass
class Outcome:
    """What came of a sweep: the tally, the programs that failed, and the seconds it took."""

    tally: Tally = field(default_factory=Tally)
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        counts = self.tally.counts
        made = f"{counts['programs']} programs ({len(self.tally.texts)} different)"
        nodes = f"{counts['nodes']} nodes with their derivatives, {len(self.tally.cards)} cards"
        lines = [f"{made}, {nodes}, {self.seconds:.0f} s"]
        lines += [f"  {name}: {n}" for name, n in sorted(counts.items()) if name not in ("programs", "nodes")]
        return "\n".join([*lines, f"  failed: {len(self.failures)}", *self.failures])


def sweep_all(seed: int, count: int, workers: int | None = None) -> Outcome:
    """So many different programs, in chunks with seeds of their own over several processes.

    A chunk draws different programs; two chunks may draw the same short ones, so chunks follow until there are enough.
    """
    start, result, drawn = time.perf_counter(), Outcome(), 0
    with ProcessPoolExecutor(workers or os.cpu_count(), get_context("spawn")) as pool:
        while (missing := count - len(result.tally.texts)) > 0 and not result.failures and drawn < 2 * count:
            size = min(CHUNK, count)  # never a few: the first that a chunk draws are the shortest
            chunks = -(-missing // size)
            seeds, counts = [1000 * seed + drawn // size + k for k in range(chunks)], [size] * chunks
            drawn += size * chunks
            for tally, failure in pool.map(chunk, seeds, counts):
                result.tally.add(tally)
                result.failures += [failure] if failure else []
    result.seconds = time.perf_counter() - start
    return result


def chunk(seed: int, count: int) -> tuple[Tally, str]:
    """One chunk; what fails comes back as text, with its seed and the smallest program."""
    import tests.conftest  # noqa: F401  BLAS on one thread

    try:
        return sweep(seed, count), ""
    except Exception as error:  # noqa: BLE001  whatever a program raises is a failure to report
        notes = "\n".join(getattr(error, "__notes__", []))
        return Tally(), f"seed {seed}: {''.join(traceback.format_exception(error, limit=-6))}\n{notes}"
