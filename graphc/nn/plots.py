"""The page of activations: each with its equation, its derivative and their plot, written from the cards.

``python -m graphc.nn.plots docs`` writes ``activations.md`` and ``activations.svg``; a test holds the page to the table
``nn.ACTIVATIONS`` as it is.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from graphc.derivatives import grad
from graphc.ir.node import Node
from graphc.ir.op import Op
from graphc.nn.activations import ACTIVATIONS, initialiser_for
from graphc.ops import CARDS
from graphc.ops.leaves import input as make_input
from graphc.ops.reduce import sum as total
from graphc.runtime.figures import COLOURS, GREY, new_figure
from graphc.stages import compile
from graphc.symbolic.table import partial_formula

Arrays = tuple[Any, Any]

OF_ROWS = {
    "softmax": "g ↦ p (g - Σ g p)",
    "log_softmax": "g ↦ g - p Σ g",
    "softmin": "g ↦ -p (g - Σ g p)",
    "glu": "g ↦ (g σ(b), g a σ(b) (1 - σ(b)))",
}
"""Activations of a whole row, which have no curve: to what a gradient g of the output is taken, p being the softmax."""

_PRELU_SLOPE = 0.25
_REACH, _TOP = 5.0, 3.0
_FARTHER = {"relu6": (8.0, 6.5)}
_JUMP = 0.12  # between neighbouring points: more than a curve moves there, so the line breaks
_COLUMNS = 4

_HEAD = """\
# Activations

Written from the cards by `python -m graphc.nn.plots docs`. `activation="..."` finds each by its name; the weights
before it start by the initialiser that suits it, unless `init=` says otherwise. In a derivative, `out` is the output,
which the forward pass has already. A number in an equation is an argument of the function, with this default. The last
four are functions of a row; their derivative is what they take a gradient g of the output to, with p the softmax.

![Activations (blue) and their derivatives (orange)](activations.svg)
"""


def names_of_functions() -> list[tuple[str, Callable[..., Node]]]:
    """The names of each activation, those of one function together: ``silu, swish``."""
    groups: dict[Any, list[str]] = {}
    for name, function in ACTIVATIONS.items():
        groups.setdefault(function, []).append(name)
    return [(", ".join(names), function) for function, names in groups.items()]


def card_of(name: str) -> Op | None:
    """The pointwise card that an activation is, or that it is built on."""
    card = CARDS.get(name.split(",")[0])
    return card if card is not None and card.kind == "pointwise" else None


def page() -> str:
    """The page as Markdown.

    Example:
        >>> "| `relu` | `where(x > 0, x, 0)` | `where(out > 0, 1, 0)` |" in page()
        True
    """
    rows = ["| name | equation | derivative | weights start by |", "|---|---|---|---|"]
    rows += [_row(name, function) for name, function in names_of_functions()]
    return "\n".join([_HEAD, *rows]) + "\n"


def _row(name: str, function: Any) -> str:
    names = ", ".join(f"`{n}`" for n in name.split(", "))
    card = card_of(name)
    start = f"`{initialiser_for(name.split(',')[0])}`"
    if card is None:
        text = (inspect.getdoc(function) or "").split("\n")[0].replace("|", "\\|")
        return f"| {names} | {text} | {OF_ROWS[name]} | {start} |"
    slope = partial_formula(card, 0)
    numbers = ", ".join(f"{key} = {value:.6g}" for key, value in card.attrs.items())
    equation = f"`{card.formula}`" + (f", {numbers}" if numbers else "")
    return f"| {names} | {equation} | `{slope}` | {start} |"


def curve(name: str, function: Any, at: Any) -> Arrays:
    """An activation and its derivative at points; what jumps is broken off by a nan."""
    x = make_input("x", ("n",), "float64")
    card = CARDS["prelu"] if name == "prelu" else None
    y = card(x, _PRELU_SLOPE) if card is not None else function(x)
    value, slope = compile([y, grad(total(y), x)])(at)
    return _broken(value), _broken(slope)


def _broken(values: Any) -> Any:
    broken = np.array(values)
    broken[1:][np.abs(np.diff(values)) > _JUMP] = np.nan
    return broken


def draw(path: Path) -> None:
    """The curves as one picture; an SVG has no date, and the same names each time.

    Raises:
        MissingDependency: matplotlib is not installed.
    """
    shown = [(n, f) for n, f in names_of_functions() if n not in OF_ROWS]
    rows = -(-len(shown) // _COLUMNS)
    figure = new_figure(10, 2.1 * rows + 0.4)
    from matplotlib import rc_context

    with rc_context({"svg.hashsalt": "graphc", "svg.fonttype": "none", "font.size": 8}):
        axes = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
        for ax, (name, function) in zip(axes, shown, strict=False):
            _panel(ax, name, function)
        for ax in axes[len(shown) :]:
            ax.axis("off")
        figure.legend(
            *axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False
        )
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _panel(ax: Any, name: str, function: Any) -> None:
    reach, top = _FARTHER.get(name, (_REACH, _TOP))
    at = np.linspace(-reach, reach, 401)
    value, slope = curve(name, function, at)
    for line in (ax.axhline, ax.axvline):
        line(0, color=GREY, linewidth=0.6)
    ax.plot(at, value, color=COLOURS[0], linewidth=1.6, label="function")
    ax.plot(at, slope, color=COLOURS[1], linewidth=1.2, linestyle=(0, (5, 1.5)), label="derivative")
    ax.set_title(name, fontsize=9, fontweight="bold")
    ax.set_xlim(-reach, reach)
    ax.set_ylim(*_limits(value, slope, top))
    ax.tick_params(length=2, color=GREY)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def _limits(value: Any, slope: Any, top: float) -> tuple[float, float]:
    """Near 0 all curves are told apart; what grows beyond is cut off."""
    both = np.concatenate([value, slope])
    low, high = np.nanmin(both), np.nanmax(both)
    return max(low, -2.5) - 0.25, min(high, top) + 0.25


def write(folder: Path) -> None:
    """Write the page and its picture."""
    (folder / "activations.md").write_text(page(), encoding="utf-8")
    draw(folder / "activations.svg")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
