"""From the arguments of ``fit`` to a run: everything is checked before anything changes."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from graphc.codegen.epoch import across
from graphc.codegen.labels import label_inputs
from graphc.errors import ArgumentError, DataError, GraphcError, ShapeError
from graphc.ir.types import shape_text
from graphc.optim.descent import sgd
from graphc.optim.optimizer import Optimizer
from graphc.optim.registry import optimizer_of
from graphc.train.callbacks import Callbacks
from graphc.train.checkpoint import adopt, check_optimizer, check_settings_of, read_checkpoint
from graphc.train.data import Arrays, example_count, is_stream, place_of
from graphc.train.evaluation import readable
from graphc.train.heldout import split
from graphc.train.history import History
from graphc.train.loop import pair, starting_position, train
from graphc.train.monitor import check_watched
from graphc.train.run import Run, Seeds, Training, check_count, seeds_of
from graphc.train.sources import DEFAULT_BATCH, ArraySource, Source, StreamSource, one_epoch_alone


@dataclass(frozen=True)
class Request:
    """The arguments of ``fit``, as given."""

    optimizer: Optimizer | str | None
    epochs: int
    batch_size: int | None
    validation_data: Any
    validation_split: float
    stratify: bool
    shuffle: bool
    seed: Any
    verbose: bool | None
    callbacks: Iterable[Any]
    steps_per_epoch: int | None
    resume: Any


def fit(model: Any, x: Any, y: Any, request: Request) -> History:
    """Train a model; see ``Model.fit``."""
    model._need_loss()
    seeds = _checked_counts(request)
    callbacks = Callbacks(request.callbacks)
    source, held_out = _parts(model, x, y, request, seeds)
    settings = {**source.settings, "random_seed": seeds.random}
    settings |= {"split_seed": seeds.split} if request.validation_split else {}
    found = None if request.resume is None else read_checkpoint(model, request.resume)
    optimizer = _optimizer(model, found, request)
    module = model.compiled(optimizer)
    if found is not None:
        check_settings_of(found.training, settings, request.resume)
        callbacks.takers(found.training.callbacks)
    with as_it_was(model):
        if found is not None:
            adopt(model, found)
        model.begin(optimizer, seeds)
        progress = sys.stderr.isatty() if request.verbose is None else request.verbose
        run = Run(model, module, optimizer, request.epochs, seeds, progress, callbacks)
        check_watched(callbacks.members, _columns(model, held_out))
        _start(run, settings, found.training if found is not None else None)
    train(run, source, held_out)
    return run.history


@contextmanager
def as_it_was(model: Any) -> Iterator[None]:
    """Inside, an error leaves the model as it was: a callback may refuse a run before its first step."""
    values, optimizer = replace(model.values), model.optimizer
    rows, stopped = list(model.history.rows), model.history.stopped
    try:
        yield
    except BaseException:
        model.values, model.optimizer = values, optimizer
        model.history.rows, model.history.stopped = rows, stopped
        raise


def _start(run: Run, settings: Mapping[str, Any], training: Training | None) -> None:
    run.position = replace(training.position) if training else starting_position(run, settings)
    run.epoch = run.position.epoch + 1
    run.callbacks.call("on_train_begin", run)
    if training:
        run.callbacks.restore(training.callbacks)
        run.reason = training.position.finished


def _columns(model: Any, held_out: Any) -> list[str]:
    """What a row of the history will have."""
    names = ["loss", *model.metrics, *model.scores]
    return names if held_out is None else [*names, *(f"val_{name}" for name in names)]


def _optimizer(model: Any, found: Any, request: Request) -> Optimizer:
    own = found.optimizer if found is not None else model.optimizer
    optimizer = checked_optimizer(request.optimizer or own or sgd())
    if found is not None:
        check_optimizer(found.optimizer, optimizer, request.resume)
    return optimizer


def _checked_counts(request: Request) -> Seeds:
    check_count("epochs", request.epochs, 0)
    for name in ("batch_size", "steps_per_epoch"):
        if getattr(request, name) is not None:
            check_count(name, getattr(request, name), 1)
    return seeds_of(request.seed)


def checked_optimizer(given: Any) -> Optimizer:
    """Raises ArgumentError for what is no optimizer, or trains nothing."""
    found = optimizer_of(given)
    if not found.trains:
        raise ArgumentError(
            f"{found.name} changes no parameter",
            expected="an optimizer",
            fix=f"gx.optim.chain(gx.optim.{found.name}(...), gx.optim.sgd())",
        )
    return found


def _parts(
    model: Any, x: Any, y: Any, request: Request, seeds: Seeds
) -> tuple[Source, Arrays | StreamSource | None]:
    """What is trained on, and what is validated on."""
    given, share = request.validation_data, request.validation_split
    if given is not None and share:
        raise ArgumentError("validation_data and validation_split", fix="pass one of them")
    if request.stratify and not share:
        raise ArgumentError("stratify is for validation_split", fix="validation_split=0.2")
    held_out = None if given is None else _validation(model, given, request.epochs)
    if is_stream(x, y):
        if share:
            raise ArgumentError("a stream cannot be split", fix="pass validation_data")
        return _stream(model, x, request), held_out
    arrays = model.checked_data(x, y)
    if share:
        labels = _labels(model) if request.stratify else None
        arrays, held_out = split(arrays, model.batched, share, seeds.split, labels)
    return _array_source(model, arrays, request, seeds), held_out


def _validation(model: Any, given: Any, epochs: int) -> Arrays | StreamSource:
    """Validation data by input name, or a stream.

    Raises:
        DataError: empty or otherwise unfit data; the message says that it is the validation data.
    """
    try:
        if epochs > 1 and isinstance(given, Iterator):
            raise one_epoch_alone(epochs)
        return readable(model, *pair(given))
    except GraphcError as error:
        what = f"in the validation data, {error.what}"
        raise type(error)(
            what, given=error.given, expected=error.expected, where=error.where, fix=error.fix
        ) from error


def _labels(model: Any) -> str:
    """The one input of labels.

    Raises:
        ArgumentError: none, or several.
    """
    names = [str(model.graph.name_of(n)) for n in label_inputs(model.graph) if n.ndim == 1]
    if len(names) != 1:
        raise ArgumentError(
            "stratify needs one input of labels, one per example",
            given=", ".join(names) or "none",
            fix="split the data yourself and pass validation_data",
        )
    return names[0]


def _stream(model: Any, stream: Any, request: Request) -> Source:
    if request.epochs > 1 and request.steps_per_epoch is None and isinstance(stream, Iterator):
        raise one_epoch_alone(request.epochs)
    return StreamSource(model, stream, _limit(request))


def _limit(request: Request) -> int | None:
    return None if request.steps_per_epoch is None else int(request.steps_per_epoch)


def _array_source(model: Any, arrays: Arrays, request: Request, seeds: Seeds) -> Source:
    count = example_count(arrays, model.batched)
    size = batch_size_for(count, request.batch_size)
    if size < count or request.shuffle:
        check_rows(model)
    limit = _limit(request)
    source = ArraySource(arrays, model.batched, size, seeds.shuffle if request.shuffle else None, limit)
    most = -(-source.count // size)
    if limit and limit > most:
        raise DataError(
            f"there are {most} batches in the data, and steps_per_epoch is {limit}",
            fix="leave steps_per_epoch out for whole epochs",
        )
    return source


def check_rows(model: Any) -> None:
    """Raises ShapeError where examples lie along another axis than the first."""
    for leaf, dim in across(model.graph):
        name = str(model.graph.name_of(leaf))
        raise ShapeError(
            f"examples are taken along first axes, and input {name} has {dim} behind its first",
            given=f"{name}: {shape_text(leaf.shape)}",
            expected="the size of the batch first",
            where=place_of(leaf),
            fix=f'declare it as ("{dim}", ...) and use gx.swapaxes({name}, 0, 1); or give batches from a generator; '
            "or all data as one batch, with shuffle=False",
        )


def batch_size_for(count: int, given: int | None) -> int:
    """As given; by default 32, or all examples where there are fewer.

    Raises:
        DataError: a batch larger than the data.
    """
    if given is None:
        return min(DEFAULT_BATCH, count)
    if given > count:
        raise DataError(
            f"a batch of {given} is larger than the data",
            given=f"{count} examples",
            fix=f"batch_size={count} takes all of them in each step",
        )
    return int(given)
