"""What happened while a model trained."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, UnknownNameError
from graphc.runtime.figures import (
    COLOURS,
    DASHES,
    WIDTH,
    legend,
    literal,
    new_figure,
    remark,
    shown_figure,
    tidy,
    whole_ticks,
)
from graphc.runtime.files import as_path, write_bytes

PLOT_KINDS = ("png", "svg", "pdf")

DRAWN = 1e300
"""A larger number is drawn as an infinite one, not at all: axes that reach further overflow."""


@dataclass
class History:
    """One row per epoch: the mean training loss, metrics, and the same on validation data.

    Attributes:
        rows: a dict per epoch, such as ``{"epoch": 1, "loss": 2.1, "val_loss": 2.0, "val_accuracy": 0.4}``.
        stopped: why training ended.

    ``history["loss"]`` is a column; ``history.plot()`` draws the curves.
    """

    rows: list[dict[str, float]] = field(default_factory=list)
    stopped: str = ""

    @property
    def columns(self) -> list[str]:
        """The names of what was recorded, apart from the epoch."""
        return list(dict.fromkeys(k for row in self.rows for k in row if k != "epoch"))

    def __getitem__(self, name: str) -> list[float]:
        if name not in self.columns and name != "epoch":
            raise UnknownNameError(
                f"the history has no column {name!r}", expected=", ".join(self.columns) or "none yet"
            )
        return [row[name] for row in self.rows if name in row]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Mapping[str, float]]:
        return iter(self.rows)

    @property
    def last(self) -> Mapping[str, float]:
        """The last row, or an empty one."""
        return self.rows[-1] if self.rows else {}

    def __repr__(self) -> str:
        numbers = ", ".join(f"{k} {v:.4g}" for k, v in self.last.items() if k != "epoch")
        plural = "" if len(self) == 1 else "s"
        said = "; ".join(part for part in (numbers, self.stopped) if part)
        return f"<history of {len(self)} epoch{plural}{': ' if said else ''}{said}>"

    def plot(self, ax: Any = None) -> Any:
        """Draw the curves with matplotlib: losses, and the other metrics in a panel of their own.

        Args:
            ax: matplotlib axes to draw the losses on (then metrics are left out); a new figure by default.

        Returns:
            The axes of the losses.

        Raises:
            ArgumentError: a path; ``save_plot`` takes one.
            MissingDependency: matplotlib is not installed.
        """
        if isinstance(ax, str | Path):
            raise ArgumentError(
                "history.plot draws into axes of matplotlib",
                given=f"{str(ax)!r:.60}",
                fix="history.save_plot(path)",
            )
        return self._draw(shown_figure(4.5 * self._panels, 3.5)) if ax is None else self._losses(ax)

    @property
    def _panels(self) -> int:
        return 1 if all(c.endswith("loss") for c in self.columns) else 2

    def _losses(self, axes: Any) -> Any:
        return self.curves(axes, [c for c in self.columns if c.endswith("loss")], "loss")

    def _draw(self, figure: Any) -> Any:
        """Draw both panels into a figure; returns the axes of the losses."""
        axes = figure.subplots(1, self._panels, squeeze=False)[0]
        if self._panels == 2:
            metrics = [c for c in self.columns if not c.endswith("loss")]
            plain = [c for c in metrics if not c.startswith("val_")]
            self.curves(axes[1], metrics, ", ".join(plain) if 0 < len(plain) < 4 else "metrics")
        return self._losses(axes[0])

    def figure(self) -> Any:
        """The same as a figure of matplotlib that belongs to nobody: no notebook shows it by itself.

        Raises:
            MissingDependency: matplotlib is not installed.
        """
        figure = new_figure(4.5 * self._panels, 3.5)
        self._draw(figure)
        return figure

    def curves(self, axes: Any, columns: list[str], label: str) -> Any:
        """Draw columns into axes: of validation data dashed, in the colour of its training column; returns the axes."""
        plain = list(dict.fromkeys(name.removeprefix("val_") for name in columns))
        for name in columns:
            epochs = [row["epoch"] for row in self.rows if name in row]
            held_out = name.startswith("val_")
            look = {
                "color": COLOURS[plain.index(name.removeprefix("val_")) % len(COLOURS)],
                "linestyle": DASHES[held_out],
                "marker": "o" if len(epochs) == 1 else "",  # one point makes no line
                "fillstyle": "none" if held_out else "full",
            }
            axes.plot(epochs, _drawn(self[name]), linewidth=WIDTH, label=literal(name), **look)
        tidy(axes, x="epoch", y=literal(label))
        if len(self) == 1:
            axes.set_xlim(self.rows[0]["epoch"] - 1, self.rows[0]["epoch"] + 1)
        whole_ticks(axes)
        legend(axes)
        if not any(np.isfinite(_drawn(self[name])).any() for name in columns):
            remark(axes, "nothing finite to draw" if self.rows else "no epoch yet")
        return axes

    def save_plot(self, path: Any) -> Any:
        """Draw the curves into a file (.png, .svg, .pdf), whole or not at all; returns its path.

        Raises:
            ArgumentError: another kind of file.
            MissingDependency: matplotlib is not installed.
        """
        kind = as_path(path).suffix.lower().lstrip(".")
        if kind not in PLOT_KINDS:
            raise ArgumentError(
                "a plot is a .png, .svg or .pdf file",
                given=str(path),
                fix=f"name it {_renamed(path, 'loss.png')}",
            )
        buffer = io.BytesIO()
        self.figure().savefig(buffer, format=kind, dpi=150)
        return write_bytes(path, buffer.getvalue())


def _renamed(path: Any, plain: str) -> Path:
    """The same name with another ending, or a plain one where there is none."""
    return Path(path).with_suffix(Path(plain).suffix) if Path(path).name else Path(plain)


def _drawn(values: list[float]) -> Any:
    found = np.asarray(values, dtype=np.float64)
    return np.where(np.abs(found) <= DRAWN, found, np.nan)
