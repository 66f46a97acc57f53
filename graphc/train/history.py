"""What happened while a model trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphc.errors import MissingDependency, UnknownNameError


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
        return f"<history of {len(self)} epochs: {numbers}; {self.stopped}>"

    def plot(self, ax: Any = None) -> Any:
        """Draw the curves with matplotlib: losses, and the other metrics on an axis of their own at the right.

        Args:
            ax: matplotlib axes to draw on; a new figure by default.

        Returns:
            The axes of the losses.

        Raises:
            MissingDependency: matplotlib is not installed.
        """
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise MissingDependency(
                "plots need matplotlib", fix='python -m pip install "graphc[plot]"'
            ) from error
        axes = Figure(figsize=(7, 4), layout="constrained").subplots() if ax is None else ax
        self._curves(axes, [c for c in self.columns if c.endswith("loss")], ("-", "--"), "loss")
        others = [c for c in self.columns if not c.endswith("loss")]
        if others:
            right = axes.twinx()
            self._curves(right, others, (":", "-."), "metrics")
            handles = [*axes.get_lines(), *right.get_lines()]
            right.legend(handles, [str(h.get_label()) for h in handles], loc="center right")
        else:
            axes.legend()
        axes.set_xlabel("epoch")
        return axes

    def _curves(self, axes: Any, columns: list[str], styles: tuple[str, str], label: str) -> None:
        # blue and orange of the Okabe-Ito palette, told apart by dash as well
        for name in columns:
            validation = name.startswith("val_")
            epochs = [row["epoch"] for row in self.rows if name in row]
            color = "#D55E00" if validation else "#0072B2"
            axes.plot(epochs, self[name], styles[validation], color=color, label=name)
        axes.set_ylabel(label)

    def save_plot(self, path: Any) -> Any:
        """Draw the curves into a file (.png, .svg, .pdf); returns its path."""
        axes = self.plot()
        axes.get_figure().savefig(path, dpi=150)
        return path
