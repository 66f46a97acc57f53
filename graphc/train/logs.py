"""Callbacks that write the history to a file while it grows: CSV and JSON lines."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphc.runtime.files import write_text
from graphc.train.callbacks import Callback, Row

if TYPE_CHECKING:
    from graphc.train.run import Run


class Log(Callback):
    """A file that holds the history of the model, a line per epoch, at every moment of training.

    When training begins, it is written anew from what the history holds by then, so that a run that goes on from a
    checkpoint leaves no line twice. After that each epoch is added and flushed.

    Args:
        path: the file to write.

    Raises:
        OSError: when training begins, a folder that is not there or cannot be written.
    """

    after_others = True

    def __init__(self, path: Any) -> None:
        self.path = Path(path)
        self.columns: list[str] = []

    def on_train_begin(self, run: Run) -> None:
        """What is there already, whole or not at all."""
        self._whole(run.history.rows)

    def on_epoch_end(self, run: Run, row: Row) -> None:
        """One line more; all of them anew where a column is new."""
        if not set(row) <= set(self.columns):
            self._whole(run.history.rows)
            return
        with self.path.open("a", encoding="utf-8", newline="") as stream:
            stream.write(self.text([row]))

    def _whole(self, rows: list[Row]) -> None:
        self.columns = list(dict.fromkeys(name for row in rows for name in row))
        write_text(self.path, self.head() + self.text(rows))

    def head(self) -> str:
        """What stands above the lines."""
        return ""

    def text(self, rows: Iterable[Row]) -> str:
        """Lines for rows."""
        raise NotImplementedError


class CSVLog(Log):
    """The history as CSV: a line of column names, then a line per epoch; numbers to the last bit, as Python shows them.

    Args:
        path: the file to write; see ``Log``.
    """

    def head(self) -> str:
        """The names of the columns."""
        return self._lines([self.columns]) if self.columns else ""

    def text(self, rows: Iterable[Row]) -> str:
        """Empty where an epoch has no value for a column."""
        return self._lines([[row.get(name, "") for name in self.columns] for row in rows])

    def _lines(self, table: list[list[Any]]) -> str:
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows(table)
        return stream.getvalue()


class JSONLog(Log):
    """The history as JSON lines: an object per epoch; what is not finite is null.

    Args:
        path: the file to write; see ``Log``.
    """

    def text(self, rows: Iterable[Row]) -> str:
        """An object per row."""
        return "".join(f"{json.dumps({k: _finite(v) for k, v in row.items()})}\n" for row in rows)


def _finite(value: Any) -> Any:
    return value if math.isfinite(value) else None
