"""What a live view costs: the same training alone, with the view, and with the view while a reader asks twice a second.

    OMP_NUM_THREADS=1 python -m benchmarks.live              # about three minutes

The network of ``benchmarks.fit``, and a wider one (512, 512), on the digits with Adam. Each run goes over the same
epochs from the same values, in turn. What is timed begins with the first step and ends with the last one: laying out
the figure and compiling what is looked at, once per run, are left out. The reader is a process of its own. The table
has the median time a step, of the clock on the wall and of the processor (all threads of the training process), and the
median over the rounds of the ratio of the latter to that of the run alone beside it.
"""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import time
from statistics import median
from typing import Any

import graphc as gx
from benchmarks.fit import BATCH, OPTIMIZER
from benchmarks.timing import table
from graphc import datasets, nn, train

READER = """
import sys, time, urllib.request
while True:
    urllib.request.urlopen(sys.argv[1] + "data.json", timeout=5).read()
    time.sleep(0.5)
"""
CASES = ("alone", "view", "view, read")


class Clock(train.Callback):
    """Seconds from the first step to the last, on the wall and of the processor."""

    after_others = True

    def on_train_begin(self, run: Any) -> None:
        self.started = time.perf_counter(), time.process_time()

    def on_epoch_end(self, run: Any, row: Any) -> None:
        now = time.perf_counter(), time.process_time()
        self.seconds = tuple(b - a for a, b in zip(self.started, now, strict=True))


class Reader(train.Callback):
    """Another process that asks for all there is, twice a second, from the first step on."""

    def __init__(self, view: train.LiveView) -> None:
        self.view = view

    def on_train_begin(self, run: Any) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", READER, self.view.url], stderr=subprocess.DEVNULL
        )

    def on_train_end(self, run: Any) -> None:
        self.process.kill()
        self.process.wait()


def network(widths: tuple[int, int]) -> gx.Model:
    """Two hidden layers, compiled."""
    x, t = gx.input("x", ("batch", 64)), gx.input("t", ("batch",), dtype="int64")
    h = nn.dense(x, widths[0], activation="relu", name="hidden1")
    h = nn.dense(h, widths[1], activation="tanh", name="hidden2")
    z = nn.dense(h, 10, name="output")
    model = gx.Model(z, nn.cross_entropy(z, t), optimizer=OPTIMIZER)
    model.compiled(OPTIMIZER)
    return model


def run(model: gx.Model, data: Any, epochs: int, case: str) -> tuple[float, ...]:
    """The seconds of one run."""
    view, clock = train.LiveView(), Clock()
    watching = {"alone": [], "view": [view], "view, read": [view, Reader(view)]}[case]
    with contextlib.redirect_stderr(io.StringIO()):
        model.reset(0).fit(data, epochs=epochs, batch_size=BATCH, callbacks=[*watching, clock], verbose=False)
    return clock.seconds


def measured(epochs: int, rounds: int, widths: tuple[int, int] = (64, 32)) -> list[tuple[str, ...]]:
    """A row for each case."""
    data, _ = datasets.digits().split(test=0.25, seed=0)
    model = network(widths)
    steps = epochs * -(-len(data.x) // BATCH)
    found = [{case: run(model, data, epochs, case) for case in CASES} for _ in range(rounds)]
    rows = []
    for case in CASES:
        wall, cpu = (1e6 * median(times[case][i] for times in found) / steps for i in (0, 1))
        more = 100 * (median(times[case][1] / times["alone"][1] for times in found) - 1)
        rows.append((f"{case} {widths}", f"{wall:.1f}", f"{cpu:.1f}", f"{more:+.2f} %"))
    return rows


if __name__ == "__main__":
    rows = [*measured(300, 9), *measured(60, 5, (512, 512))]
    sys.stdout.write(table(("training", "µs a step, wall", "processor", "more"), rows) + "\n")
