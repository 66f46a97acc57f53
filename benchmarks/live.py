"""What a live view costs: the same training alone, with the view, and with the view while a reader asks once a second.

    OMP_NUM_THREADS=1 python -m benchmarks.live              # about three minutes

The network of ``benchmarks.fit``, and a wider one (512, 512), on the digits with Adam. Each run goes over the same
epochs from the same values, in turn. What is timed begins with the first step and ends with the last one: laying out
the figure and compiling what is looked at, once per run, are left out. The reader is a process of its own. The table
has, as medians over the rounds: the time a step of the clock on the wall and of the processor (all threads of the
training process); the ratio of the latter to that of the run alone beside it; and, which a busy machine hardly
disturbs, the share of the processor's time that the view itself took: points and looks in the thread that trains, its
part in each step, and the threads that answer the reader.
"""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import time
from statistics import median
from timeit import timeit
from typing import Any

import graphc as gx
from benchmarks.fit import BATCH, OPTIMIZER
from benchmarks.timing import table
from graphc import datasets, nn, train

READER = """
import sys, time, urllib.request
while True:
    urllib.request.urlopen(sys.argv[1] + "data.json", timeout=5).read()
    time.sleep(1.0)
"""
CASES = ("alone", "view", "view, read")


class Clock(train.Callback):
    """Seconds from the first step to the last: on the wall, of the processor, and of the thread that trains alone."""

    after_others = True

    def on_train_begin(self, run: Any) -> None:
        self.started = self._now()

    def on_epoch_end(self, run: Any, row: Any) -> None:
        self.seconds = tuple(b - a for a, b in zip(self.started, self._now(), strict=True))

    def _now(self) -> tuple[float, ...]:
        return time.perf_counter(), time.process_time(), time.thread_time()


class Timed(train.LiveView):
    """A view that counts its own seconds in the thread that trains; those of a single step are too few to be read."""

    own = 0.0

    def _point(self, run: Any) -> None:
        start = time.thread_time()
        super()._point(run)
        self.own += time.thread_time() - start

    def _look_at_layers(self, run: Any) -> None:
        start = time.thread_time()
        super()._look_at_layers(run)
        self.own += time.thread_time() - start


def seconds_a_step(calls: int = 100_000) -> float:
    """What a view takes in a step that makes no point."""
    view = train.LiveView()
    vars(view).update(_losses=[], _next=float("inf"))
    return timeit(lambda: view.on_batch_end(None, 1.0), number=calls) / calls


class Reader(train.Callback):
    """Another process that asks for all there is, once a second, from the first step on."""

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
    """The seconds of one run, and the share of the view."""
    view, clock = Timed(), Clock()
    watching = {"alone": [], "view": [view], "view, read": [view, Reader(view)]}[case]
    with contextlib.redirect_stderr(io.StringIO()):
        model.reset(0).fit(data, epochs=epochs, batch_size=BATCH, callbacks=[*watching, clock], verbose=False)
    wall, cpu, trained = clock.seconds
    own = view.own + (seconds_a_step() * model.values.step if watching else 0.0)
    return wall, cpu, (own + cpu - trained) / (trained - own)


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
        share = 100 * median(times[case][2] for times in found)
        rows.append((f"{case} {widths}", f"{wall:.1f}", f"{cpu:.1f}", f"{more:+.2f} %", f"{share:.2f} %"))
    return rows


if __name__ == "__main__":
    rows = [*measured(600, 5), *measured(60, 5, (512, 512))]
    sys.stdout.write(table(("training", "µs a step, wall", "processor", "more", "of the view"), rows) + "\n")
