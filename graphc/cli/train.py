"""``graphc train``."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from graphc.cli.console import progress, table
from graphc.cli.data import read_data
from graphc.cli.files import need_matplotlib, writable
from graphc.cli.models import optimizer_of, read_model
from graphc.train.model import Model

_INTERRUPTED = 130


def run(options: Namespace) -> int:
    """Train, report, keep what was asked for; after Ctrl-C too, with what was learnt so far."""
    save, plot = _outputs(options)
    model = read_model(options.model)
    data = read_data(options.data, options.target, model)
    train, test = data.split(options.test, options.seed) if options.test else (data, None)
    history = model.fit(
        train,
        optimizer=optimizer_of(model, options.optimizer, options.lr),
        epochs=options.epochs,
        batch_size=options.batch_size,
        validation_data=test,
        seed=options.seed,
        **progress(options.epochs),
    )
    print(table(_results(model, train, test)))
    print(table([("ended", history.stopped), *_kept(model, save, plot)]))
    return _INTERRUPTED if history.stopped == "interrupted" else 0


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


def _kept(model: Model, save: Path | None, plot: Path | None) -> list[tuple[str, str]]:
    rows = []
    if save:
        rows.append(("model", str(model.save(save))))
    if plot:
        rows.append(("curves", str(model.history.save_plot(plot))))
    return rows
