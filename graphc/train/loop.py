"""The training loop: epochs and batches, what is called along the way, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphc.errors import ArgumentError, DataError, GraphcError, NonFiniteError
from graphc.train.bar import Bar
from graphc.train.data import example_count
from graphc.train.interrupt import Interrupt
from graphc.train.run import INTERRUPTED, Position, Run
from graphc.train.sources import ArraySource, Source
from graphc.train.step import check_last, step
from graphc.train.stretch import Stretches, stretches


def train(run: Run, source: Source, held_out: Any) -> None:
    """Run the epochs; the model's values change after each step, so that however it ends the model is usable."""
    run.history.stopped, run.model.training = "", None
    bar = Bar(run.progress, _all_steps(run, source), run.position.first + run.epochs)
    try:
        with Interrupt() as interrupt:
            _epochs(run, source, held_out, bar, interrupt)
            check_last(run)
    except KeyboardInterrupt:
        run.reason = INTERRUPTED
    except NonFiniteError as error:
        run.reason = " ".join(error.what.split())
        if not run.callbacks.accept(run, error):
            raise
    except BaseException as error:
        said = error.what if isinstance(error, GraphcError) else str(error)
        run.reason = f"{type(error).__name__}: {said}"
        raise
    finally:
        bar.close()
        run.history.stopped = run.reason or _all_done(run)
        run.model.training = run.training()
        run.callbacks.call("on_train_end", run)


def _all_steps(run: Run, source: Source) -> int | None:
    left = run.position.first + run.epochs - run.position.epoch
    return None if source.steps is None else source.steps * left - run.position.batch


def _all_done(run: Run) -> str:
    return "1 epoch done" if run.epochs == 1 else f"all {run.epochs} epochs done"


def _epochs(run: Run, source: Source, held_out: Any, bar: Bar, interrupt: Interrupt) -> None:
    last = run.position.first + run.epochs
    many = stretches(run, source)
    began = _carried(run)
    while run.position.epoch < last and not run.reason:
        if _carried(run) != began:
            raise _other_parameters(run)
        run.epoch = run.position.epoch + 1
        if not run.position.batch:
            run.callbacks.call("on_epoch_begin", run)
        many = many if many is not None and _many_steps(run, many, bar, interrupt) else None
        if many is None and not _steps(run, source, bar, interrupt):  # they find what is not as it should be
            return
        _end_epoch(run, source, held_out, bar, interrupt)


def _carried(run: Run) -> tuple[Any, Any]:
    """What is not trained, and the names of the slots."""
    return run.model.frozen, {*run.model.values.slots}


def _other_parameters(run: Run) -> ArgumentError:
    """The error for a callback that changed what the compiled step trains."""
    return ArgumentError(
        f"a callback froze parameters, thawed them or reset the model after epoch {run.position.epoch}",
        expected="the same parameters throughout a run",
        fix="end the run there, freeze, and call fit again for the epochs that are left",
    )


def _many_steps(run: Run, many: Stretches, bar: Bar, interrupt: Interrupt) -> bool:
    """What is left of an epoch, in stretches; whether it came to its end."""
    at = run.position
    order = many.source.order(at.epoch)
    while at.batch < many.source.steps:
        interrupt.held = True
        losses, rows = many.take(order)
        for loss, count in zip(losses, rows, strict=True):
            at.count_step(loss, count)
        for method in run.callbacks.steps_end if losses else ():
            method(run, losses)
        interrupt.release()
        if not losses:
            return False
        bar.step(run.epoch, at.total / at.rows, len(losses))
    return True


def _steps(run: Run, source: Source, bar: Bar, interrupt: Interrupt) -> bool:
    """The steps of an epoch, or what is left of them; whether it came to its end."""
    at = run.position
    batched = run.model.batched
    batch_end, steps_end = run.callbacks.batch_end, run.callbacks.steps_end
    for batch in source.batches(at.epoch, at.batch):
        rows = example_count(batch, batched) if batched else 1
        interrupt.held = True
        loss = step(run, batch)
        at.count_step(loss, rows)
        for method in batch_end:
            method(run, loss)
        for tell in steps_end:
            tell(run, [loss])
        interrupt.release()
        bar.step(run.epoch, at.total / at.rows)
        if run.reason:
            return at.batch == source.steps  # an epoch whose last step this was is a whole one
    if not at.rows:
        raise DataError(
            f"there was no batch to train on in epoch {run.epoch}",
            expected="at least one batch per epoch; an iterator serves one epoch alone",
            fix="pass a function that returns a new iterator for each epoch",
        )
    return True


def _end_epoch(run: Run, source: Source, held_out: Any, bar: Bar, interrupt: Interrupt) -> None:
    """The row of an epoch; it, the position and what callbacks count change together, or not at all."""
    at = run.position
    row = {"epoch": run.epoch, "loss": at.total / at.rows, **_scores(run, source, held_out)}
    interrupt.held = True
    run.history.rows.append(row)
    at.count_epoch()
    bar.end_epoch(row)
    run.callbacks.call("on_epoch_end", run, row)
    interrupt.release()


def _scores(run: Run, source: Source, held_out: Any) -> dict[str, float]:
    """Metrics on the training data, and loss and metrics on the validation data, as in use."""
    scores: dict[str, float] = {}
    if isinstance(source, ArraySource) and (run.model.metrics or run.model.scores):
        found = run.model.evaluate_arrays(source.arrays, run.module)
        scores.update({k: v for k, v in found.items() if k != "loss"})
    if held_out is not None:
        scores.update({f"val_{k}": v for k, v in run.model.evaluate_arrays(held_out, run.module).items()})
    return scores


def starting_position(run: Run, settings: Mapping[str, Any]) -> Position:
    """A run that begins with its first epoch."""
    count = len(run.history)
    return Position(first=count, epoch=count, settings=tuple(settings.items()))


def pair(validation: Any) -> tuple[Any, Any]:
    """``(x, y)`` of validation data in any form."""
    return validation if isinstance(validation, tuple) and len(validation) == 2 else (validation, None)
