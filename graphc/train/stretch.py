"""Many steps in one call of ``train_epoch``, where nobody looks between them."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np

from graphc.train.data import Arrays, rows_of
from graphc.train.kept import Kept, all_finite
from graphc.train.run import Before, Run
from graphc.train.sources import ArraySource, Source

SHORT, LONG = 0.025, 0.1
"""Seconds: a stretch that lasts less becomes longer, one that lasts more shorter, so that Ctrl-C waits for little."""


MOST = 1 << 30
"""Bytes of data that are prepared, which may copy them; of more, each batch is made when its step is due."""


class Stretches:
    """Takes the steps of a run in stretches.

    What goes wrong within a stretch is undone as a whole: it is then for single steps to find where it began.

    Args:
        run: the run.
        source: where its batches come from.
    """

    def __init__(self, run: Run, source: ArraySource) -> None:
        self.run, self.source = run, source
        self.prepared = run.module.prepare(source.arrays, check=False)  # checked at the door
        self.kept, self.steps = Kept(), 1

    def take(self, order: Any) -> tuple[list[float], list[int]]:
        """The next steps of the epoch that is under way: their losses, and the rows of each batch.

        Args:
            order: the rows of the whole epoch, in their order.

        Returns:
            Nothing at all where a loss or a parameter is not finite, or a batch is refused; then nothing has changed.
        """
        size, at = self.source.batch_size, self.run.position
        count = min(self.steps, self.source.steps - at.batch)
        rows = order[at.batch * size : (at.batch + count) * size]
        start = perf_counter()
        losses = self._taken(rows)
        if len(losses) == count == self.steps:
            self._adapt(perf_counter() - start)
        self.run.model.values.step += len(losses)
        return losses, [min(size, len(rows) - k * size) for k in range(len(losses))]

    def _taken(self, rows: Any) -> list[float]:
        """Train on these rows, or undo it."""
        run, values = self.run, self.run.model.values
        states = {name: rng.bit_generator.state for name, rng in values.rng.items()}
        self.kept.keep(values)
        try:
            losses = self._run(rows)
        except BaseException as error:
            self._undo(states)
            if isinstance(error, ValueError):
                return []
            raise
        if not (np.isfinite(losses).all() and all_finite(values.params)):
            self._undo(states)
            return []
        run.before = Before(self._last(rows), self.kept, len(losses), values.params)
        return losses

    def _run(self, rows: Any) -> list[float]:
        run, values = self.run, self.run.model.values
        given = slice(int(rows[0]), int(rows[-1]) + 1) if self.source.seed is None else rows
        with np.errstate(all="ignore"):
            values.params, values.state, values.slots, losses = run.module.train_epoch(
                values.params,
                values.state,
                values.slots,
                self.prepared,
                given,
                batch_size=self.source.batch_size,
                rng=values.rng,
                **run.hypers,
            )
        return [float(loss) for loss in losses]

    def _undo(self, states: dict[str, Any]) -> None:
        values = self.run.model.values
        self.kept.restore(values)
        for name, state in states.items():
            values.rng[name].bit_generator.state = state

    def _last(self, rows: Any) -> Arrays:
        """The last batch."""
        size = self.source.batch_size
        return rows_of(self.source.arrays, rows[(len(rows) - 1) // size * size :], self.source.batched)

    def _adapt(self, seconds: float) -> None:
        if seconds < SHORT:
            self.steps *= 2
        elif seconds > LONG:
            self.steps = max(1, self.steps // 2)


def stretches(run: Run, source: Source) -> Stretches | None:
    """How a run can be taken in stretches; None where something looks after each step, or there is no train_epoch."""
    if not isinstance(source, ArraySource) or run.callbacks.batch_end:
        return None
    if sum(array.nbytes for array in source.arrays.values()) > MOST:
        return None
    return Stretches(run, source) if "train_epoch" in run.module.functions else None
