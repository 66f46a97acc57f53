"""What a live view costs: within one run, blocks of steps with the view and without it, one after the other.

    OMP_NUM_THREADS=1 python -m benchmarks.live              # about three minutes

The network of ``benchmarks.fit``, and a wider one (512, 512), on the digits with Adam; once with nobody who reads, and
once with a process that asks for the whole history in the middle of each block with the view, never in one without it.
A block lasts a second of the processor. What is compared is the processor's time a step in a block with the view and
in the two without it around it: what else the machine does meets both. It is that of all threads of the process, so
that those which answer the reader count (training waits for them at most as long as they work). The table has the
median over the pairs and the middle half of them; beside it, what hardly varies, the shares of the time of the blocks
with the view that the view itself took in the thread that trains, and that all other threads took. Laying out the
figure and compiling what is looked at, once per run, are left out.
"""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import time
from statistics import median, quantiles
from typing import Any

import graphc as gx
from benchmarks.fit import BATCH, OPTIMIZER
from benchmarks.timing import table
from graphc import datasets, nn, train

READER = """
import sys, urllib.request
for line in sys.stdin:
    urllib.request.urlopen(sys.argv[1] + "data.json", timeout=5).read()
"""
CASES = ("nobody reads", "read once a second")
FOREVER = 1_000_000


class Alternating(train.Callback):
    """Calls a view in every other block of steps, and keeps the time of each block.

    Args:
        blocks: how many; then training ends.
        seconds: of the processor, that a block lasts.
        read: whether another process asks for all there is, once in each block with the view.
    """

    def __init__(self, blocks: int, seconds: float, read: bool) -> None:
        self.view, self.read = train.LiveView(), read
        self.wanted, self.seconds = blocks + 1, seconds
        self.blocks: list[tuple[bool, float]] = []
        self.total, self.own, self.others, self.on = 0.0, 0.0, 0.0, False

    def on_train_begin(self, run: Any) -> None:
        with contextlib.redirect_stderr(io.StringIO()):
            self.view.on_train_begin(run)
        command = [sys.executable, "-c", READER, self.view.url]
        self.reader = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._begin()

    def on_steps_end(self, run: Any, losses: Any) -> None:
        if self.on:
            start = time.thread_time()
            self.view.on_steps_end(run, losses)
            self.view_took += time.thread_time() - start
        self.steps += len(losses)
        gone = time.process_time() - self.began
        if self.on and self.read and not self.asked and gone >= self.seconds / 2:
            self._ask()
        if gone >= self.seconds:
            self._end(run)

    def on_epoch_end(self, run: Any, row: Any) -> None:
        if self.on:
            start = time.thread_time()
            self.view.on_epoch_end(run, row)
            self.view_took += time.thread_time() - start

    def on_train_end(self, run: Any) -> None:
        self.reader.kill()
        self.reader.communicate()  # which closes the pipe as well
        self.view._close()

    def _ask(self) -> None:
        assert self.reader.stdin is not None
        self.reader.stdin.write(b"now\n")
        self.reader.stdin.flush()
        self.asked = True

    def _begin(self) -> None:
        self.steps, self.asked, self.view_took = 0, False, 0.0
        self.began, self.at, self.thread = time.process_time(), time.perf_counter(), time.thread_time()

    def _end(self, run: Any) -> None:
        took = time.process_time() - self.began
        self.blocks.append((self.on, took / self.steps))
        if self.on:
            self.total, self.own = self.total + took, self.own + self.view_took
            self.others += took - (time.thread_time() - self.thread)
        else:  # what the view may take does not grow while it is not called
            gone = time.perf_counter() - self.at
            self.view._next, self.view._look = self.view._next + gone, self.view._look + gone
        self.on = not self.on
        if len(self.blocks) > self.wanted:
            run.stop("measured")
        self._begin()

    def ratios(self) -> list[float]:
        """For each block with the view, its time by that of those around it; the first blocks are warm-up."""
        triples = zip(self.blocks[1:], self.blocks[2:], self.blocks[3:], strict=False)
        return [2 * b / (a + c) for (_, a), (on, b), (_, c) in triples if on]


def network(widths: tuple[int, int]) -> gx.Model:
    """Two hidden layers, compiled."""
    x, t = gx.input("x", ("batch", 64)), gx.input("t", ("batch",), dtype="int64")
    h = nn.dense(x, widths[0], activation="relu", name="hidden1")
    h = nn.dense(h, widths[1], activation="tanh", name="hidden2")
    z = nn.dense(h, 10, name="output")
    model = gx.Model(z, nn.cross_entropy(z, t), optimizer=OPTIMIZER)
    model.compiled(OPTIMIZER)
    return model


def measured(blocks: int, seconds: float = 1.0, widths: tuple[int, int] = (64, 32)) -> list[tuple[str, ...]]:
    """A row for each case."""
    data, _ = datasets.digits().split(test=0.25, seed=0)
    model = network(widths)
    rows = []
    for case in CASES:
        watch = Alternating(blocks, seconds, read=case == CASES[1])
        model.reset(0).fit(data, epochs=FOREVER, batch_size=BATCH, callbacks=[watch], verbose=False)
        found = [100 * (ratio - 1) for ratio in watch.ratios()]
        low, _, high = quantiles(found, n=4) if len(found) > 1 else (found[0], 0, found[0])
        step = 1e6 * median(cpu for on, cpu in watch.blocks if not on)
        spread = f"{low:+.2f} to {high:+.2f} %"
        shares = [f"{100 * took / watch.total:.2f} %" for took in (watch.own, watch.others)]
        rows.append((f"{widths}, {case}", f"{step:.1f}", f"{median(found):+.2f} %", spread, *shares))
    return rows


if __name__ == "__main__":
    rows = [*measured(40), *measured(40, widths=(512, 512))]
    head = (
        "training",
        "µs a step",
        "more with the view",
        "middle half",
        "of it in the thread that trains",
        "of other threads",
    )
    sys.stdout.write(table(head, rows) + "\n")
