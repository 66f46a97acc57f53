"""The training loop: epochs, batches, a progress bar, validation, and the first non-finite value by name."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DataError, NonFiniteError
from graphc.ops.init import name_seed
from graphc.optim.optimizer import Optimizer
from graphc.train.data import Arrays, batches, example_count, is_stream
from graphc.train.history import History


@dataclass(frozen=True)
class Before:
    """A step that went well: its batch, and the values before it."""

    batch: Arrays
    params: dict[str, Any]
    state: dict[str, Any]
    slots: dict[str, Any]


@dataclass
class Run:
    """What one call of ``fit`` needs and changes."""

    model: Any
    module: Any
    optimizer: Optimizer
    epochs: int
    batch_size: int
    shuffle: bool
    seed: int
    progress: bool
    callbacks: tuple[Callable[[Any, dict[str, float]], Any], ...] = ()
    before: Before | None = None


def train(run: Run, x: Any, y: Any, validation: Any) -> History:
    """Run the epochs; the model's values are updated after each step, so Ctrl-C leaves a usable model."""
    stream = x if is_stream(x, y) else None
    if run.epochs > 1 and isinstance(stream, Iterator):
        raise _used_up(run.epochs)
    data = None if stream is not None else run.model.checked_data(x, y)
    held_out = None if validation is None else run.model.checked_data(*_pair(validation))
    run.model.begin(run.optimizer, run.seed)
    history: History = run.model.history
    history.stopped = ""
    bar = _Bar(run, data)
    first = len(history)
    try:
        for epoch in range(first, first + run.epochs):
            row = _epoch(run, epoch, _epoch_batches(run, data, stream, epoch), bar)
            row.update(_scores(run, data, held_out))
            history.rows.append(row)
            bar.end_epoch(row)
            if any(callback(run.model, row) is False for callback in run.callbacks):
                history.stopped = f"a callback stopped it after epoch {epoch + 1}"
                break
    except KeyboardInterrupt:
        history.stopped = "interrupted"
    finally:
        bar.close()
    history.stopped = history.stopped or (
        "1 epoch done" if run.epochs == 1 else f"all {run.epochs} epochs done"
    )
    return history


def _used_up(epochs: int) -> DataError:
    return DataError(
        f"an iterator serves one epoch alone, and {epochs} are asked for",
        fix="pass a function that returns a new iterator for each epoch",
    )


def _pair(validation: Any) -> tuple[Any, Any]:
    return validation if isinstance(validation, tuple) and len(validation) == 2 else (validation, None)


def _epoch_batches(run: Run, data: Arrays | None, stream: Any, epoch: int) -> Iterator[Arrays]:
    if data is None:
        return _stream_batches(run, stream)
    count = example_count(data, run.model.batched)
    order = np.arange(count)
    if run.shuffle:
        order = np.random.Generator(np.random.PCG64([run.seed, name_seed("shuffle"), epoch])).permutation(
            count
        )
    return batches(data, order, run.batch_size, run.model.batched)


def _stream_batches(run: Run, stream: Any) -> Iterator[Arrays]:
    for batch in stream() if callable(stream) else stream:
        x, y = batch if isinstance(batch, tuple) and len(batch) == 2 else (batch, None)
        yield run.model.checked_data(x, y)


def _epoch(run: Run, epoch: int, stream: Iterator[Arrays], bar: _Bar) -> dict[str, float]:
    total, count = 0.0, 0
    for batch in stream:
        rows = example_count(batch, run.model.batched) if run.model.batched else 1
        loss = step(run, batch)
        total, count = total + loss * rows, count + rows
        bar.step(epoch, total / count)
    if not count:
        raise DataError(
            f"there was no batch to train on in epoch {epoch + 1}",
            expected="at least one batch per epoch; an iterator serves one epoch alone",
            fix="pass a function that returns a new iterator for each epoch",
        )
    return {"epoch": epoch + 1, "loss": total / count}


def step(run: Run, batch: Arrays) -> float:
    """One step of training on the model's values.

    Raises:
        NonFiniteError: the loss is nan or infinite; the message names where that began, and the model keeps the last
            values that were finite.
    """
    model, values = run.model, run.model.values
    inputs = [batch[name] for name in model.train_inputs]
    extra: dict[str, Any] = {"check": False} if run.module.model.labels else {}
    with np.errstate(all="ignore"):
        params, state, slots, loss = run.module.train_step(
            values.params, values.state, values.slots, *inputs, lr=run.optimizer.rate, rng=values.rng, **extra
        )
    if not np.isfinite(loss):
        raise blamed(run, batch, float(loss))
    run.before = Before(batch, values.params, values.state, values.slots)
    vars(values).update(
        params=params, state=state, slots=slots
    )  # at once: Ctrl-C falls before it or after it
    return float(loss)


def blamed(run: Run, batch: Arrays, loss: float) -> NonFiniteError:
    """Where the first non-finite value began: node, formula, layer, user line.

    Where it began in the gradient of the step before, whose loss was finite still, that step is undone.
    """
    from graphc.runtime.guards import first_non_finite

    model, before = run.model, run.before
    if before is not None and not all(np.isfinite(v).all() for v in model.values.params.values()):
        vars(model.values).update(params=before.params, state=before.state, slots=before.slots)
        batch = before.batch
    arrays = {**batch, **model.values.params, **model.values.state}
    place = first_non_finite(model.training_graph(), arrays, model.make_rng(0))
    return NonFiniteError(
        f"the loss became {loss} in epoch {len(model.history) + 1}",
        given=f"it began at {place.text}"
        if place
        else "finite values: it comes from rounding or from random draws",
        where=place.where if place else None,
        fix="lower the learning rate, scale the inputs, or check the data; the model keeps its last finite values",
    )


def _scores(run: Run, data: Arrays | None, held_out: Arrays | None) -> dict[str, float]:
    """Metrics on the training data, and loss and metrics on the validation data, as in use."""
    scores: dict[str, float] = {}
    if data is not None and run.model.metrics:
        found = run.model.evaluate_arrays(data, run.module)
        scores.update({k: v for k, v in found.items() if k != "loss"})
    if held_out is not None:
        scores.update({f"val_{k}": v for k, v in run.model.evaluate_arrays(held_out, run.module).items()})
    return scores


class _Bar:
    """The progress bar: one line that follows the loss, kept out of the way where nobody looks."""

    def __init__(self, run: Run, data: Arrays | None) -> None:
        self.tqdm: Any = None
        self.row: dict[str, float] = {}
        self.last = len(run.model.history) + run.epochs
        if run.progress:
            self.tqdm = _made_bar(_steps(run, data))

    def step(self, epoch: int, loss: float) -> None:
        self.row = {**self.row, "epoch": epoch + 1, "loss": loss}
        if self.tqdm is not None:
            self.tqdm.set_description_str(self.text(), refresh=False)
            self.tqdm.update(1)

    def end_epoch(self, row: dict[str, float]) -> None:
        self.row = row
        if self.tqdm is not None:
            self.tqdm.set_description_str(self.text(), refresh=row["epoch"] == self.last)

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
        if self.tqdm is not None:
            self.tqdm.close()


def _steps(run: Run, data: Arrays | None) -> int | None:
    """How many there will be; nobody knows for a stream."""
    return None if data is None else -(-example_count(data, run.model.batched) // run.batch_size) * run.epochs


def _made_bar(steps: int | None) -> Any:
    from tqdm import tqdm

    look = "{n_fmt} steps {desc}" if steps is None else "{bar:6} {remaining} {desc}"
    return tqdm(total=steps, bar_format=look, file=sys.stderr, mininterval=0.1, **_width())


def _width() -> dict[str, Any]:
    """The bar follows the terminal's width; a pseudo-terminal may claim none at all."""
    try:
        known = os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except (OSError, ValueError):
        known = False
    return {"dynamic_ncols": True} if known else {"ncols": 80, "nrows": 20}


def check_settings(epochs: Any, batch_size: Any, seed: Any) -> None:
    """Raises ArgumentError for counts that are not counts."""
    for name, value, least in (("epochs", epochs, 0), ("batch_size", batch_size, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise ArgumentError(f"{name} is an int of at least {least}", given=repr(value))
