"""Figures of matplotlib, which graphc needs for curves alone, and the one table of how they look."""

from __future__ import annotations

import sys
from typing import Any

from graphc.errors import ArgumentError, MissingDependency

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195", "#5B6472")
"""Of curves and classes, in this order. The palette is Okabe and Ito's, for people with colour vision deficiencies."""

DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)))
"""Of curves whose colours a print in grey does not tell apart."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
"""Of classes, likewise."""

INK, GREY, FAINT = "#1D2939", "#9AA3AE", "#D0D5DD"
LIGHT_INK, DARK_FAINT = "#E8EBF0", "#3B4350"
"""Of texts and of the grid on a dark page, as in matplotlib's ``dark_background``."""

MAX_NAME = 28
"""A longer name is shortened in the middle."""

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
        ArgumentError: something that is no axes.
        MissingDependency: matplotlib is not installed.
    """
    if ax is None:
        return shown_figure(width, height).subplots()
    if not (hasattr(ax, "plot") and hasattr(ax, "set_xlabel")):
        fixes = {"ndarray": "one of them, such as axes[0]", "Figure": "figure.subplots()"}
        raise ArgumentError(
            "ax is axes of matplotlib", given=type(ax).__name__, fix=fixes.get(type(ax).__name__)
        )
    return ax


def expect(given: Any, kind: type, what: str) -> None:
    """Refuse what is not of a kind.

    Raises:
        ArgumentError: so.
    """
    if not isinstance(given, kind):
        raise ArgumentError(
            f"this draws {what}", given=f"{type(given).__name__}: {given!r:.60}", expected=kind.__name__
        )


def literal(name: Any) -> str:
    r"""A name as matplotlib shows it letter by letter: never a formula, not too long, on one line.

    Example:
        >>> literal("cost in $"), literal("n" * 40)
        ('cost in \\$', 'nnnnnnnnnnnnnnnnnn…nnnnnnnnn')
    """
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(name))
    short = text if len(text) <= MAX_NAME else f"{text[: MAX_NAME - 10]}…{text[-9:]}"
    return short.replace("$", r"\$")


def ink_of(ax: Any) -> str:
    """The colour of texts: dark, or light on a dark page."""
    return LIGHT_INK if _is_dark(ax) else INK


def _is_dark(ax: Any) -> bool:
    from matplotlib.colors import to_rgba

    ground = to_rgba(ax.get_facecolor())
    if ground[3] < 0.5:
        ground = to_rgba(ax.get_figure().get_facecolor())
    return bool(ground[3] > 0.5 and sum(ground[:3]) < 1.2)


def remark(ax: Any, text: str) -> None:
    """What stands in axes in which there is nothing."""
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes, color=GREY, fontsize=9)


def shown_figure(width: float, height: float) -> Any:
    """A figure that shows itself where that is usual; see ``axes_for``."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and pyplot.isinteractive():
        return pyplot.figure(figsize=(width, height), layout="constrained")
    return new_figure(width, height)


def tidy(ax: Any, title: str = "", x: str = "", y: str = "", grid: bool = True) -> Any:
    """Give axes the common look: no frame above and at the right, a faint grid, short grey ticks; returns them."""
    ink = ink_of(ax)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(GREY)
    ax.tick_params(length=3, color=GREY, labelcolor=ink, labelsize=9)
    if grid:
        ax.grid(color=DARK_FAINT if ink == LIGHT_INK else FAINT, linewidth=0.6)
        ax.set_axisbelow(True)
    if title:
        ax.set_title(title, fontsize=10, fontweight="bold", color=ink)
    ax.set_xlabel(x, color=ink)
    ax.set_ylabel(y, color=ink)
    return ax


def whole_ticks(ax: Any) -> None:
    """No tick between two epochs, where matplotlib chooses the ticks."""
    from matplotlib.ticker import MaxNLocator

    locator = ax.xaxis.get_major_locator()
    if isinstance(locator, MaxNLocator):
        locator.set_params(integer=True)


def legend(ax: Any, **options: Any) -> None:
    """A legend in the common look, where curves have names; of many, in several columns."""
    count = len(ax.get_legend_handles_labels()[1])
    if count:
        look = {
            "fontsize": 8 if count <= 12 else 6,
            "framealpha": 0.9,
            "edgecolor": FAINT,
            "handlelength": 2.4,
        }
        ax.legend(**{**look, "ncols": 1 + (count - 1) // 12, **options})
