"""Checkpoints: what a run needs to go on to the last bit, written while it trains, and taken up again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphc.errors import ArgumentError, DataError
from graphc.ir.graph import Graph
from graphc.ir.node import Node
from graphc.train.callbacks import Callback, Row
from graphc.train.monitor import Monitor
from graphc.train.run import Training, check_count
from graphc.train.step import check_last
from graphc.train.store import load, save

if TYPE_CHECKING:
    from graphc.train.run import Run


class Checkpoint(Callback):
    """Write the whole state of training to a file, from which ``fit(..., resume=path)`` goes on to the last bit.

    The file is a saved model (``gx.load`` reads it) that also holds the position in the epoch, the step, the generators
    and the state of the callbacks. It is replaced at once or not at all: whenever the process is killed, the file is a
    whole, earlier state. After Ctrl-C the state at that moment is written.

    Args:
        path: a ``.gx`` file; ``{epoch}`` in its name becomes the number of the epoch, so that all are kept.
        every: write after this many epochs.
        every_steps: write after this many steps as well, within an epoch.
        best: a column of the history; then only an epoch in which it became better is written, and ``every`` and
            Ctrl-C are not asked.
        mode: ``min``, ``max`` or ``auto``; see ``Monitor``.

    Raises:
        ArgumentError: counts that are none.
        DataError: when training begins, a folder that is not there or cannot be written.
    """

    after_others = True

    def __init__(
        self,
        path: Any,
        every: int = 1,
        every_steps: int | None = None,
        best: str | None = None,
        mode: str = "auto",
    ) -> None:
        check_count("every", every, 1)
        if every_steps is not None:
            check_count("every_steps", every_steps, 1)
        self.path, self.every, self.every_steps = Path(path), every, every_steps
        self.monitor = Monitor(best, mode) if best is not None else None
        self.each_step = every_steps is not None and best is None
        self.best = self.monitor.worst if self.monitor else 0.0

    def on_train_begin(self, run: Run) -> None:
        """A misspelt folder is found now, not after an hour."""
        self.best = self.monitor.worst if self.monitor else 0.0
        folder = self.path.parent
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            raise DataError(
                f"checkpoints cannot be written to {folder}",
                given=str(self.path),
                fix=f"mkdir -p {folder}" if not folder.exists() else "name another folder",
            )

    def on_batch_end(self, run: Run, loss: float) -> None:
        """Write within an epoch, where that was asked for."""
        if self.every_steps and self.monitor is None and run.position.batch % self.every_steps == 0:
            self._write(run)

    def on_epoch_end(self, run: Run, row: Row) -> None:
        """Write after an epoch."""
        if self.monitor is None:
            if run.epoch % self.every == 0 or run.reason:
                self._write(run)
        elif self.monitor.improves(self.monitor.value(row), self.best):
            self.best = self.monitor.value(row)
            self._write(run)

    def on_train_end(self, run: Run) -> None:
        """After Ctrl-C, write where it stopped."""
        if run.interrupted and self.monitor is None:
            self._write(run)

    def _write(self, run: Run) -> None:
        check_last(run)  # a file that is whole is not replaced by one of nan
        target = self.path.with_name(self.path.name.replace("{epoch}", str(run.epoch)))
        save(run.model, target, run.training())

    def state(self) -> dict[str, Any]:
        """The best value that was written."""
        return {"best": self.best} if self.monitor else {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Do not write what is worse than the file of the run before."""
        self.best = float(state["best"])


def read_checkpoint(model: Any, path: Any) -> Any:
    """The model that a checkpoint holds, which fits this one.

    Raises:
        FileFormatError: a damaged file.
        DataError: no file, no run in it, or the checkpoint of another model; the model is as it was.
    """
    found = load(path)
    if not same_graph(found.graph, model.graph) or found.level != model.level:
        raise DataError(
            f"{path} is the checkpoint of another model",
            **_difference(found, model),
            fix="declare the model as it was when the checkpoint was written",
        )
    if found.frozen != model.frozen:
        raise DataError(
            f"{path} was trained with other parameters frozen",
            given=", ".join(sorted(found.frozen)) or "none",
            expected=", ".join(sorted(model.frozen)) or "none",
            fix="call model.freeze as for the run that wrote it",
        )
    if found.training is None:
        raise DataError(
            f"{path} holds a model, but no training to go on with",
            expected="a file written by train.Checkpoint, or by model.save after a run that was interrupted",
            fix="read it with gx.load and call fit",
        )
    return found


def check_settings_of(training: Training, settings: Mapping[str, Any], path: Any) -> None:
    """Raises DataError where batches would be others than in the run that wrote the checkpoint."""
    before = dict(training.position.settings)
    changed = [k for k in {**before, **settings} if before.get(k) != settings.get(k)]
    if changed:
        raise DataError(
            f"{path} was written by a run with other settings",
            given=", ".join(f"{k}={settings.get(k)}" for k in changed),
            expected=", ".join(f"{k}={before.get(k)}" for k in changed),
            fix="go on with the same data and arguments, or load the model and start a new run",
        )


def check_optimizer(found: Any, optimizer: Any, path: Any) -> None:
    """Raises ArgumentError where a checkpoint is of another optimizer."""
    if (found.name, found.settings) != (optimizer.name, optimizer.settings):
        raise ArgumentError(
            f"{path} was trained with another optimizer",
            given=repr(optimizer),
            expected=repr(found),
            fix="leave optimizer out, or pass the one of the checkpoint",
        )


def adopt(model: Any, found: Any) -> None:
    """Take over everything that training changes."""
    model.values, model.optimizer = found.values, found.optimizer
    model.history.rows, model.history.stopped = found.history.rows, found.history.stopped


_PLAIN = (int, float, str, tuple, Graph)


def same_graph(a: Graph, b: Graph) -> bool:
    """Whether two graphs compute the same from leaves of the same names; names of inner values do not count."""
    return _rows(a) == _rows(b)


def _rows(graph: Graph) -> list[Any]:
    at = {node: i for i, node in enumerate(graph.nodes)}
    rows: list[Any] = [
        (
            node.op.name,
            str(node.type),
            tuple(at[x] for x in node.inputs),
            str(graph.name_of(node)) if node.op.kind == "leaf" and node.op.role != "const" else "",
            tuple(
                (k, _said(v, at))
                for k, v in sorted(node.attrs.items())
                if k != "name" and isinstance(v, _PLAIN)
            ),
        )
        for node in graph.nodes
    ]
    return [*rows, [at[node] for node in graph.outputs]]


def _said(value: Any, at: Mapping[Node, int]) -> Any:
    """A setting in terms that two graphs share: a node (the states of an update) by its place, a body by its rows."""
    if isinstance(value, tuple):
        return tuple(_said(v, at) for v in value)
    if isinstance(value, Graph):
        return _rows(value)
    return at.get(value, value) if isinstance(value, Node) else value


def _difference(found: Any, model: Any) -> dict[str, str]:
    """Both models in a line each; where these are the same, the first node in which they differ."""
    lines = {"given": _summary(found), "expected": _summary(model)}
    if lines["given"] != lines["expected"]:
        return lines
    pairs = zip(found.graph.nodes, model.graph.nodes, _rows(found.graph), _rows(model.graph), strict=False)
    for a, b, row, other in pairs:
        if row != other:
            return {"given": _line(found.graph, a), "expected": _line(model.graph, b)}
    return lines


def _line(graph: Graph, node: Node) -> str:
    settings = ", ".join(
        f"{k}={v}" for k, v in sorted(node.attrs.items()) if isinstance(v, (int, float, str))
    )
    return f"{graph.name_of(node)} = {node.op.name}({', '.join(str(graph.name_of(x)) for x in node.inputs)}) {settings}"


def _summary(model: Any) -> str:
    params = ", ".join(f"{model.graph.name_of(p)} {p.type}" for p in model.graph.leaves("param"))
    return f"{model.name} (level {model.level}, {len(model.graph.nodes)} nodes) with {params}"[:300]
