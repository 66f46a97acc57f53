"""The progress bar: one line that follows the loss, kept out of the way where nobody looks."""

from __future__ import annotations

import os
import sys
from time import perf_counter
from typing import Any

INTERVAL = 0.1
"""Seconds between two looks of the line."""


class Bar:
    """A line on standard error; of a bar that is not shown, nothing is made.

    Args:
        shown: whether there is one.
        steps: how many there will be; None where nobody knows.
        last: the last epoch.
    """

    def __init__(self, shown: bool, steps: int | None, last: int) -> None:
        self.row: dict[str, float] = {}
        self.last = last
        self.tqdm: Any = _made_bar(steps) if shown else None
        self.waiting, self.shown_at = 0, 0.0

    def step(self, epoch: int, loss: float, count: int = 1) -> None:
        """So many steps more, with the mean loss of the epoch so far."""
        if self.tqdm is None:
            return
        self.waiting += count
        now = perf_counter()
        if now - self.shown_at >= INTERVAL:  # a line that nobody could read so fast is not written
            self.shown_at = now
            self._show({**self.row, "epoch": epoch, "loss": loss}, False)

    def end_epoch(self, row: dict[str, float]) -> None:
        """The scores of an epoch."""
        if self.tqdm is not None:
            self._show(row, row["epoch"] == self.last)

    def _show(self, row: dict[str, float], refresh: bool) -> None:
        self.row = row
        self.tqdm.set_description_str(self.text(), refresh=False)
        self.tqdm.update(self.waiting)
        self.waiting = 0
        if refresh:
            self.tqdm.refresh()

    def text(self) -> str:
        """``epoch 40/40 loss 0.0758 (val 0.0820), accuracy 0.9904 (val 0.9844)``; two metrics fit 80 columns."""
        held_out = {name: value for name, value in self.row.items() if name.startswith("val_")}
        parts = []
        for name, value in self.row.items():
            if name != "epoch" and name not in held_out:
                aside = f" (val {held_out['val_' + name]:.4f})" if f"val_{name}" in held_out else ""
                parts.append(f"{name} {value:.4f}{aside}")
        return f"epoch {self.row['epoch']}/{self.last} {', '.join(parts)}"

    def close(self) -> None:
        """The line stays as it is."""
        if self.tqdm is not None:
            self.tqdm.close()


def _made_bar(steps: int | None) -> Any:
    from tqdm import tqdm

    look = "{n_fmt} steps {desc}" if steps is None else "{bar:6} {remaining} {desc}"
    return tqdm(total=steps, bar_format=look, file=sys.stderr, mininterval=INTERVAL, **_width())


def _width() -> dict[str, Any]:
    """The bar follows the terminal's width; a pseudo-terminal may claim none at all."""
    try:
        known = os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except (OSError, ValueError):
        known = False
    return {"dynamic_ncols": True} if known else {"ncols": 80, "nrows": 20}
