"""From a cold process to the end of the first training step of the digits network, 64-64-32-10 with Adam.

    python -m benchmarks.cold_start                            # graphc, PyTorch, JAX, and the import of NumPy alone
    python -m benchmarks.cold_start --write docs/performance.md

Each takes one step on a batch of 64 rows in a process of its own: start of Python, imports, declaration, compilation,
the step. The processes run in turn, on one thread and one core; the table has the medians of wall time. What is not
installed is left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import nine
from benchmarks.timing import interleaved, table

PROGRAMS = {
    "import numpy": "numpy_import",
    "graphc": "graphc_step",
    "PyTorch eager": "torch_step",
    "JAX jit": "jax_step",
}


def installed(program: str) -> bool:
    """Whether what a program imports is there."""
    return importlib.util.find_spec(program.partition("_")[0]) is not None


def run(program: str) -> float:
    """Run a program in a process of its own; returns the loss that it printed.

    Raises:
        subprocess.CalledProcessError: it failed.
        ValueError: what it printed is no finite number.
    """
    env = {**os.environ, **dict.fromkeys(nine.THREADS, "1"), "JAX_PLATFORMS": "cpu", "PYTHONPATH": _root()}
    command = [sys.executable, "-W", "ignore", "-m", f"benchmarks.cold.{program}"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    value = float(done.stdout)
    if not math.isfinite(value):
        raise ValueError(f"{program} printed {done.stdout!r}")
    return value


def _root() -> str:
    return os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])


def measured(rounds: int = 7, names: Sequence[str] = tuple(PROGRAMS)) -> list[tuple[str, str, str]]:
    """A row for each program that can run: seconds, and how many times graphc's."""
    there = {name: PROGRAMS[name] for name in names if installed(PROGRAMS[name])}
    functions = [lambda program=program: run(program) for program in there.values()]  # type: ignore[misc]
    times = dict(zip(there, interleaved(functions, seconds=0, least=rounds), strict=True))
    ours = times.get("graphc", math.nan)
    return [(name, f"{t:.2f}", f"{t / ours:.2f}") for name, t in times.items()]


def main(arguments: Sequence[str]) -> None:
    """Measure and print the table, and write it where asked to."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cold_start", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--rounds", type=int, default=7, metavar="N")
    parser.add_argument("--write", type=Path, metavar="FILE.md", help="put the table into this page")
    options = parser.parse_args(arguments)
    nine.on_one_core(arguments, "benchmarks.cold_start")
    header, rows = ("", "s", "times graphc"), measured(options.rounds)
    print(table(header, rows))
    if options.write:
        block = nine.dated(f"python -m benchmarks.cold_start {' '.join(arguments)}", "Wall time.")
        block += "\n\n" + nine.markdown_table([header, *rows])
        text = options.write.read_text("utf-8")
        options.write.write_text(nine.replaced(text, block, "cold start"), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
