"""A lower rate where a score no longer gets better: no equation of the step, so a callback."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graphc.errors import ArgumentError
from graphc.train.callbacks import Callback, Row
from graphc.train.monitor import Monitor
from graphc.train.run import check_count

if TYPE_CHECKING:
    from graphc.train.run import Run

THRESHOLDS = ("rel", "abs")


class ReduceOnPlateau(Callback):
    """Multiply the rate by a factor when a value has not become better for more than ``patience`` epochs.

    Better is below best · (1 - threshold), or above best · (1 + threshold) where higher is better; with
    ``threshold_mode="abs"``, below best - threshold or above best + threshold. The rate that is multiplied is what the
    optimizer says, a number or a schedule: λ ← max(factor · λ, min_rate). Nothing is compiled anew.

    Args:
        monitor: a column of the history.
        factor: what the rate is multiplied by, above 0 and below 1.
        patience: how many epochs in a row may bring nothing better; after one more the rate falls.
        threshold: an improvement is more than this.
        threshold_mode: ``rel``: a share of the best value; ``abs``: a difference to it.
        cooldown: for so many epochs after a fall nothing is counted.
        min_rate: the rate does not fall below this.
        smallest: a fall by less than this is left out.
        mode: ``min``, ``max`` or ``auto``; see ``Monitor``.

    Attributes:
        best: the best value.
        falls: the epochs after which the rate fell.

    Raises:
        ArgumentError: a factor that does not reduce, a negative count or number, an unknown word.

    Example:
        >>> from graphc import train
        >>> train.ReduceOnPlateau("val_accuracy", factor=0.5, patience=3).monitor.mode
        'max'

    Source: PyTorch's ReduceLROnPlateau. Keras counts one epoch less: ``patience=n`` there is ``patience=n - 1`` here.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_rate: float = 0.0,
        smallest: float = 1e-8,
        mode: str = "auto",
    ) -> None:
        if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not 0 < factor < 1:
            raise ArgumentError("factor is above 0 and below 1", given=repr(factor))
        if threshold_mode not in THRESHOLDS:
            raise ArgumentError(
                "unknown threshold_mode", given=repr(threshold_mode), expected=", ".join(THRESHOLDS)
            )
        for name, value in (("threshold", threshold), ("min_rate", min_rate), ("smallest", smallest)):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
                raise ArgumentError(f"{name} is a finite number of at least 0", given=repr(value))
        check_count("patience", patience, 0)
        check_count("cooldown", cooldown, 0)
        self.monitor = Monitor(monitor, mode)
        self.factor, self.patience, self.cooldown = float(factor), patience, cooldown
        self.threshold, self.relative = float(threshold), threshold_mode == "rel"
        self.min_rate, self.smallest = float(min_rate), float(smallest)
        self._forget()

    def _forget(self) -> None:
        self.best, self.waited, self.resting = self.monitor.worst, 0, 0
        self.falls: list[int] = []

    def on_train_begin(self, run: Run) -> None:
        """Nothing is best yet."""
        self._forget()

    def on_epoch_end(self, run: Run, row: Row) -> None:
        """Compare with the best so far, and lower the rate where it is time."""
        value = self.monitor.value(row)
        better = self._improves(value)
        self.best = value if better else self.best
        self.waited = 0 if better else self.waited + 1
        if self.resting:
            self.resting, self.waited = self.resting - 1, 0
        if self.waited > self.patience:
            self.waited, self.resting = 0, self.cooldown
            self._reduce(run)

    def _improves(self, value: float) -> bool:
        """Whether a value is better than the best by more than the threshold; nan never is."""
        if math.isinf(self.best):  # there is none yet
            return self.monitor.improves(value, self.best)
        sign = -1.0 if self.monitor.mode == "min" else 1.0
        margin = self.best * self.threshold if self.relative else self.threshold
        return sign * value > sign * (self.best + sign * margin)

    def _reduce(self, run: Run) -> None:
        now = run.rate
        after = max(now * self.factor, self.min_rate)
        if now - after > self.smallest:
            run.factor *= after / now
            self.falls.append(run.epoch)

    def state(self) -> dict[str, Any]:
        """The best so far, and how long it has been waited for."""
        return {"best": self.best, "waited": self.waited, "resting": self.resting, "falls": list(self.falls)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on with the best of the run before."""
        self.best, self.waited = float(state["best"]), int(state["waited"])
        self.resting, self.falls = int(state["resting"]), [int(n) for n in state["falls"]]
