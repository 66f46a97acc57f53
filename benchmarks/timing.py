"""Times of functions that are compared: called in turn, so that what else the machine does falls on all alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from statistics import median


def interleaved(
    functions: Sequence[Callable[[], object]],
    seconds: float = 2.0,
    least: int = 3,
    most: int = 200,
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """The median time of each function in seconds, over rounds that call each of them once.

    Args:
        functions: what is timed; each is called once beforehand, untimed.
        seconds: about how long all rounds take together.
        least: rounds at least, however long they take.
        most: rounds at most.
        clock: what is read before and after; ``time.process_time`` leaves out what else the machine does.
    """
    return [median(each) for each in rounds(functions, seconds, least, most, clock)]


def rounds(
    functions: Sequence[Callable[[], object]],
    seconds: float = 2.0,
    least: int = 3,
    most: int = 200,
    clock: Callable[[], float] = time.perf_counter,
) -> list[list[float]]:
    """The times of each function, round by round; see ``interleaved``.

    Every second round calls them the other way round, and all begin without garbage, so that none pays for another.
    """
    for function in functions:
        function()
    times: list[list[float]] = [[] for _ in functions]
    pairs = list(zip(times, functions, strict=True))
    end = time.perf_counter() + seconds
    for done in range(most):
        if done >= least and time.perf_counter() > end:
            break
        for each, function in pairs if done % 2 == 0 else pairs[::-1]:
            gc.collect()
            start = clock()
            function()
            each.append(clock() - start)
    return times


def more(first: Sequence[float], second: Sequence[float]) -> float:
    """How much longer the first takes, in percent: the median over rounds, each held against its own neighbour."""
    return 100 * (median(a / b for a, b in zip(first, second, strict=True)) - 1)


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as their widest entry, the first to the left, the others to the right."""
    texts = [list(map(str, header)), *(list(map(str, row)) for row in rows)]
    widths = [max(len(row[i]) for row in texts) for i in range(len(header))]
    lines = [
        "  ".join(
            cell.rjust(w) if i else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in texts
    ]
    return "\n".join(line.rstrip() for line in lines)
