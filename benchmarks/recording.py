"""What it costs to record why: the time to compile a model with its gradients, with events and without.

    OMP_NUM_THREADS=1 python -m benchmarks.recording            # two layers, ten, thirty, a loop

Both compile the same network, declared anew each time, one after the other in turn, every second time the other way
round. Shown are medians of processor time, and the median of what recording takes more than its neighbour
without. Without recording, events are made but nothing is kept of them: neither on nodes nor in the trace.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any
from unittest.mock import patch

import graphc as gx
from benchmarks.timing import more, rounds, table
from graphc import nn
from graphc.ir.node import About
from graphc.rewrite import driver


def layers(count: int) -> Callable[[], object]:
    """Compiles a network of this many layers with its gradients."""

    def compiled() -> object:
        x, t = gx.input("x", ("batch", 32)), gx.input("t", ("batch",), dtype="int64")
        h = x
        for i in range(count - 1):
            h = nn.dense(h, 32, activation="tanh", name=f"hidden{i}")
        logits = nn.dense(h, 10, name="output")
        return whole(nn.cross_entropy(logits, t))

    return compiled


def loop() -> object:
    """Compiles a recurrent network with its gradients."""
    x = gx.input("x", ("time", 16))
    W, U = gx.param("W", (16, 16)), gx.param("U", (16, 16))
    h, _ = gx.scan(lambda h, x: (gx.tanh(x @ W + h @ U), None), gx.zeros((16,)), x)
    return whole(gx.mean(gx.square(h)))


def whole(loss: Any) -> object:
    """The loss and the gradients of all parameters, compiled."""
    graph = gx.graph_of(loss)
    return gx.compile([loss, *gx.grad(loss, list(graph.leaves("param")))])


@contextmanager
def silence() -> Iterator[None]:
    """Inside, nothing is recorded; replacements still hand on names and lines, which the listing needs."""

    def replace(before, after, event, trace, known=None):  # type: ignore[no-untyped-def]
        if after.op.kind != "leaf":
            after.about.adopt(before.about)

    nothing = lambda *arguments: None  # noqa: E731
    with (
        patch.object(About, "record", nothing),
        patch.object(driver, "replace", replace),
        patch("graphc.rewrite.lower.replace", replace),
        patch("graphc.rewrite.driver.record_parts", nothing),
        patch("graphc.autodiff.local.record_parts", nothing),
        patch("graphc.autodiff.reverse.record_parts", nothing),
    ):
        yield


def measured(name: str, compiled: Callable[[], object], seconds: float) -> list[str]:
    """A line of the table."""

    def silent() -> object:
        with silence():
            return compiled()

    recording, bare = rounds([compiled, silent], seconds, least=5, clock=time.process_time)
    times = [f"{median(each) * 1e3:.1f}" for each in (recording, bare)]
    return [name, *times, f"{more(recording, bare):.1f}"]


MODELS = {"2 layers": layers(2), "10 layers": layers(10), "30 layers": layers(30), "a loop": loop}


def main(seconds: Sequence[str]) -> None:
    """Measure and print the table."""
    each = float(seconds[0]) if seconds else 4.0
    rows = [measured(name, compiled, each) for name, compiled in MODELS.items()]
    print(table(("network", "with events ms", "without ms", "more %"), rows))


if __name__ == "__main__":
    main(sys.argv[1:])
