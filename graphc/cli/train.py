"""``graphc train``."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from graphc.cli.console import progress, table
from graphc.cli.data import read_data
from graphc.cli.files import need_matplotlib, writable
from graphc.cli.models import optimizer_of, read_model
from graphc.errors import UsageError
from graphc.runtime.compiled import need_numba
from graphc.train.checkpoint import Checkpoint
from graphc.train.live import LiveView
from graphc.train.logs import CSVLog, JSONLog, Log
from graphc.train.model import Model
from graphc.train.stopping import EarlyStopping

_INTERRUPTED = 130


def run(options: Namespace) -> int:
    """Train, report, keep what was asked for; after Ctrl-C too, with what was learnt so far."""
    _check(options)
    save, plot = _outputs(options)
    watched = _watched(options)
    if options.numba:
        need_numba()
    model = read_model(options.model)
    model.target = "numba" if options.numba else model.target
    data = read_data(options.data, options.target, model)
    train, test = data.split(options.test, options.seed) if options.test else (data, None)
    history = model.fit(
        train,
        optimizer=optimizer_of(model, options.optimizer, options.lr),
        epochs=options.epochs,
        batch_size=options.batch_size,
        validation_data=None if options.validation else test,
        validation_split=options.validation,
        stratify=options.stratify,
        seed=options.seed,
        **watched,
    )
    print(table(_results(model, train, test)))
    print(table([("ended", history.stopped), *_kept(model, save, plot, options)]))
    return _INTERRUPTED if history.stopped == "interrupted" else 0


def _check(options: Namespace) -> None:
    """Options that need another one."""
    if options.patience and not options.validation:
        raise UsageError(
            "--patience watches rows that are held out of training",
            fix="add --validation 0.1 or another share",
        )
    if options.stratify and not options.validation:
        raise UsageError("--stratify is for --validation", fix="add --validation 0.1 or another share")
    if options.open and options.view is None:
        raise UsageError("--open shows the page of --view", fix="add --view")
    if options.resume and not options.checkpoint:
        raise UsageError("--resume goes on from the file of --checkpoint", fix="add --checkpoint FILE.gx")


def _watched(options: Namespace) -> dict[str, Any]:
    """Progress and callbacks, and where to go on from."""
    shown = progress(options.epochs)
    callbacks = list(shown.pop("callbacks", ()))
    callbacks += [EarlyStopping("val_loss", options.patience)] if options.patience else []
    callbacks += [_log(options.log)] if options.log else []
    callbacks += [LiveView(options.view, open_browser=options.open)] if options.view is not None else []
    resume = None
    if options.checkpoint:
        path = writable(options.checkpoint, "--checkpoint", (".gx",))
        callbacks.append(Checkpoint(path))
        resume = path if options.resume and path.exists() else None
    return {**shown, "callbacks": callbacks, "resume": resume}


def _log(path: str) -> Log:
    target = writable(path, "--log", (".csv", ".jsonl"))
    return CSVLog(target) if target.suffix.lower() == ".csv" else JSONLog(target)


def _outputs(options: Namespace) -> tuple[Path | None, Path | None]:
    """Where results go, checked before anything runs."""
    save = writable(options.save, "--save", (".gx",)) if options.save else None
    plot = writable(options.plot, "--plot", (".png", ".svg", ".pdf")) if options.plot else None
    if plot:
        need_matplotlib()
    return save, plot


def _results(model: Model, train: Any, test: Any) -> list[tuple[str, str]]:
    parts = [("train", train)] + ([("test", test)] if test is not None else [])
    return [
        (f"{part} {name}", f"{value:.6g}")
        for part, data in parts
        for name, value in model.evaluate(data).items()
    ]


def _kept(model: Model, save: Path | None, plot: Path | None, options: Namespace) -> list[tuple[str, str]]:
    rows = [(word, path) for word in ("checkpoint", "log") if (path := getattr(options, word))]
    if save:
        rows.append(("model", str(model.save(save))))
    if plot:
        rows.append(("curves", str(model.history.save_plot(plot))))
    return rows
