"""What a live view costs: within one run, blocks of steps with the view and without it, one after the other.

    OMP_NUM_THREADS=1 python -m benchmarks.live              # about a minute

The network of ``benchmarks.fit``, and a wider one (512, 512), on the digits with Adam; once with nobody who reads, and
once with a process that asks for everything once a second. A block lasts 0.3 seconds of the processor. What is compared
is the processor's time a step (of all threads of the training process, so that the threads which answer the reader
count) in a block with the view and in the two without it around it: what else the machine does changes more slowly than
that, and meets both. The table has the median over the pairs and the middle half of them; beside it, what hardly
varies, the share of the time that the view itself took in the thread that trains. Laying out the figure and compiling
what is looked at, once per run, are left out.
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
import sys, time, urllib.request
while True:
    urllib.request.urlopen(sys.argv[1] + "data.json", timeout=5).read()
    time.sleep(1.0)
"""
CASES = ("nobody reads", "read once a second")
FOREVER = 1_000_000


class Alternating(train.Callback):
    """Calls a view in every other block of steps, and keeps the time of each block.

    Args:
        blocks: how many; then training ends.
        seconds: of the processor, that a block lasts.
        read: whether another process asks for all there is.
    """

    def __init__(self, blocks: int, seconds: float, read: bool) -> None:
        self.view, self.read = train.LiveView(), read
        self.wanted, self.seconds = blocks + 1, seconds
        self.blocks: list[tuple[bool, float]] = []
        self.own, self.on = 0.0, False

    def on_train_begin(self, run: Any) -> None:
        with contextlib.redirect_stderr(io.StringIO()):
            self.view.on_train_begin(run)
        command = [sys.executable, "-c", READER, self.view.url]
        self.reader = subprocess.Popen(command, stderr=subprocess.DEVNULL) if self.read else None
        self._begin()

    def on_steps_end(self, run: Any, losses: Any) -> None:
        if self.on:
            start = time.thread_time()
            self.view.on_steps_end(run, losses)
            self.own += time.thread_time() - start
        self.steps += len(losses)
        if time.process_time() - self.began >= self.seconds:
            self._end(run)

    def on_train_end(self, run: Any) -> None:
        if self.reader is not None:
            self.reader.kill()
            self.reader.wait()
        self.view._close()

    def _begin(self) -> None:
        self.steps, self.began, self.at = 0, time.process_time(), time.perf_counter()

    def _end(self, run: Any) -> None:
        self.blocks.append((self.on, (time.process_time() - self.began) / self.steps))
        if not self.on:  # what the view may take does not grow while it is not called
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

    def share(self) -> float:
        """Of the time of the blocks with the view, what it took itself in the thread that trains."""
        return self.own / (self.seconds * sum(on for on, _ in self.blocks))


def network(widths: tuple[int, int]) -> gx.Model:
    """Two hidden layers, compiled."""
    x, t = gx.input("x", ("batch", 64)), gx.input("t", ("batch",), dtype="int64")
    h = nn.dense(x, widths[0], activation="relu", name="hidden1")
    h = nn.dense(h, widths[1], activation="tanh", name="hidden2")
    z = nn.dense(h, 10, name="output")
    model = gx.Model(z, nn.cross_entropy(z, t), optimizer=OPTIMIZER)
    model.compiled(OPTIMIZER)
    return model


def measured(blocks: int, seconds: float = 0.3, widths: tuple[int, int] = (64, 32)) -> list[tuple[str, ...]]:
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
        share = f"{100 * watch.share():.2f} %"
        rows.append((f"{widths}, {case}", f"{step:.1f}", f"{median(found):+.2f} %", spread, share))
    return rows


if __name__ == "__main__":
    rows = [*measured(40), *measured(40, widths=(512, 512))]
    head = ("training", "µs a step", "more with the view", "middle half", "of the view itself")
    sys.stdout.write(table(head, rows) + "\n")
