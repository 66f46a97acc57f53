"""Figures of matplotlib, which graphc needs for curves alone, and the one table of how they look."""

from __future__ import annotations

import sys
from typing import Any

from graphc.errors import MissingDependency

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195", "#5B6472")
"""Of curves and classes, in this order. The palette is Okabe and Ito's, for people with colour vision deficiencies."""

DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)))
"""Of curves whose colours a print in grey does not tell apart."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
"""Of classes, likewise."""

INK, GREY, FAINT = "#1D2939", "#9AA3AE", "#D0D5DD"

MAP = "cividis"
"""Of values on a plane: as read in grey, and by people with colour vision deficiencies."""

WIDTH = 1.6
"""Of a curve, in points."""


def new_figure(width: float, height: float) -> Any:
    """An empty figure of matplotlib, of no window and no state that is shared; sizes in inches.

    Raises:
        MissingDependency: matplotlib is not installed.

    Example:
        >>> new_figure(4.0, 3.0).get_size_inches().tolist()
        [4.0, 3.0]
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependency(
            "plots need matplotlib", fix='python -m pip install "graphc[plot]"'
        ) from error
    return Figure(figsize=(width, height), layout="constrained")


def axes_for(ax: Any = None, width: float = 4.8, height: float = 3.4) -> Any:
    """The given axes, or those of a new figure.

    The figure is one of pyplot where that is in use and interactive, as in a notebook after ``%matplotlib inline``:
    then it shows itself. Elsewhere it belongs to nobody: ``ax.figure.savefig(path)`` keeps it.

    Raises:
        MissingDependency: matplotlib is not installed.
    """
    return shown_figure(width, height).subplots() if ax is None else ax


def shown_figure(width: float, height: float) -> Any:
    """A figure that shows itself where that is usual; see ``axes_for``."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and pyplot.isinteractive():
        return pyplot.figure(figsize=(width, height), layout="constrained")
    return new_figure(width, height)


def tidy(ax: Any, title: str = "", x: str = "", y: str = "", grid: bool = True) -> Any:
    """Give axes the common look: no frame above and at the right, a faint grid, short grey ticks; returns them."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(GREY)
    ax.tick_params(length=3, color=GREY, labelcolor=INK, labelsize=9)
    if grid:
        ax.grid(color=FAINT, linewidth=0.6)
        ax.set_axisbelow(True)
    if title:
        ax.set_title(title, fontsize=10, fontweight="bold", color=INK)
    ax.set_xlabel(x, color=INK)
    ax.set_ylabel(y, color=INK)
    return ax


def whole_ticks(ax: Any) -> None:
    """No tick between two epochs, where matplotlib chooses the ticks."""
    from matplotlib.ticker import MaxNLocator

    locator = ax.xaxis.get_major_locator()
    if isinstance(locator, MaxNLocator):
        locator.set_params(integer=True)


def legend(ax: Any, **options: Any) -> None:
    """A legend in the common look, where curves have names."""
    if ax.get_legend_handles_labels()[1]:
        ax.legend(**{"fontsize": 8, "framealpha": 0.9, "edgecolor": FAINT, "handlelength": 2.4, **options})
