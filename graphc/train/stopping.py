"""Callbacks that end training: when nothing gets better, and at the first value that is not finite."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.train.callbacks import Callback, Row
from graphc.train.monitor import Monitor
from graphc.train.run import check_count

if TYPE_CHECKING:
    from graphc.train.run import Run


class EarlyStopping(Callback):
    """Stop when a value has not become better for ``patience`` epochs, and go back to the best weights.

    Args:
        monitor: a column of the history.
        patience: how many epochs in a row may bring nothing better.
        min_delta: an improvement is more than this.
        mode: ``min``, ``max`` or ``auto``; see ``Monitor``.
        restore_best: whether the model ends with the parameters and states of its best epoch. After Ctrl-C it keeps
            those of the last step, so that training can go on.
        start: the first epoch that counts.

    Attributes:
        best: the best value.
        best_epoch: the epoch that had it.

    Example:
        >>> from graphc import train
        >>> train.EarlyStopping("val_accuracy", patience=5).monitor.mode
        'max'
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 10,
        min_delta: float = 0.0,
        mode: str = "auto",
        restore_best: bool = True,
        start: int = 1,
    ) -> None:
        check_count("patience", patience, 1)
        check_count("start", start, 1)
        self.monitor = Monitor(monitor, mode, min_delta)
        self.patience, self.restore_best, self.start = patience, restore_best, start
        self._forget()

    def _forget(self) -> None:
        self.best, self.best_epoch, self.waited = self.monitor.worst, 0, 0
        self._values: dict[str, dict[str, Any]] = {}

    def on_train_begin(self, run: Run) -> None:
        """Nothing is best yet."""
        self._forget()

    def on_epoch_end(self, run: Run, row: Row) -> None:
        """Compare with the best so far."""
        value = self.monitor.value(row)
        if run.epoch < self.start:
            return
        if self.monitor.improves(value, self.best):
            self.best, self.best_epoch, self.waited = value, run.epoch, 0
            self._values = _copies(run.model.values) if self.restore_best else {}
            return
        self.waited += 1
        if self.waited >= self.patience:
            run.stop(f"{self.monitor.name} has not become better since epoch {self.best_epoch}")

    def on_train_end(self, run: Run) -> None:
        """Go back to the best values, unless the run may go on from where it is."""
        if self._values and not run.interrupted:
            values = _copies_of(self._values)
            run.model.values.params, run.model.values.state = values["params"], values["state"]
            run.model.training = None  # the values are no longer those that the run stopped at

    def state(self) -> dict[str, Any]:
        """The best so far, its values among it."""
        return {"best": self.best, "best_epoch": self.best_epoch, "waited": self.waited, **self._values}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on with the best of the run before."""
        self.best, self.best_epoch = float(state["best"]), int(state["best_epoch"])
        self.waited = int(state["waited"])
        self._values = {k: dict(state[k]) for k in ("params", "state") if k in state}


def _copies(values: Any) -> dict[str, dict[str, Any]]:
    return _copies_of({"params": values.params, "state": values.state})


def _copies_of(values: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {kind: {k: np.array(v)[()] for k, v in group.items()} for kind, group in values.items()}


class StopAtNaN(Callback):
    """End training without an error where the loss, a metric or a validation score is no longer finite.

    Without it a loss that is not finite is a ``NonFiniteError``, and other scores may be anything. Either way the model
    keeps its last finite values, and ``history.stopped`` says what happened.

    Example:
        >>> import graphc as gx
        >>> x, t = gx.input("x", ("n", 1)), gx.input("t", ("n", 1))
        >>> y = gx.nn.dense(x, 1, name="line")
        >>> model = gx.Model(y, gx.nn.mse(y, t))
        >>> options = {"optimizer": gx.optim.sgd(1e30), "epochs": 9, "verbose": False}
        >>> history = model.fit([[1.0]], [[1.0]], callbacks=[gx.train.StopAtNaN()], **options)
        >>> len(history) < 9
        True
    """

    def on_non_finite(self, run: Run, error: Exception) -> bool:
        """The loss of a batch: the reason is in the history already."""
        return True

    def on_epoch_end(self, run: Run, row: Row) -> None:
        """The scores of an epoch."""
        for name, value in row.items():
            if not math.isfinite(value):
                run.stop(f"{name} became {value} in epoch {run.epoch}")
