"""The gradient of each parameter by depth: where it vanishes, and where it explodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from graphc.errors import ArgumentError
from graphc.runtime.figures import COLOURS, GREY, MARKERS, axes_for, expect, legend, literal, tidy
from graphc.train.layers import gradients_of
from graphc.train.model import Model

LOW, HIGH = 10, 90
"""The percentiles that the bar of a parameter reaches from and to."""


def gradient_flow(model: Any, x: Any, y: Any = None, *, seed: int = 0, ax: Any = None) -> Any:
    """Draw the size of the gradient of each parameter, in order of use: the mean of |∂L/∂θ|, and a bar for its spread.

    A bar reaches from the 10th to the 90th percentile of the elements; elements that are 0 count. Parameters of one
    axis or none (biases, scales) have a mark of their own.

    Args:
        model: at the values that it has now.
        x: arrays for the inputs that the outputs read, or a data set.
        y: arrays for the other inputs.
        seed: of random sites, such as dropout's masks.
        ax: axes of matplotlib to draw on; a new figure by default.

    Returns:
        The axes.

    Raises:
        ArgumentError: no model, one without a loss, or without trained parameters.
        DataError, ShapeError: data that do not fit.
        MissingDependency: matplotlib is not installed.
    """
    expect(model, Model, "the gradients of a model")
    found = gradients_of(model, x, y, seed)
    if not found:
        raise ArgumentError("no parameter of this model is trained", fix="model.freeze() thaws all")
    sizes = {name: np.abs(np.asarray(g, dtype=np.float64)) for name, g in found.items()}
    ax = axes_for(ax, max(4.8, 1.6 + 0.28 * len(sizes)), 3.8)
    names = list(sizes)
    weights = weights_among(sizes)
    for mark, label in ((0, "weights"), (1, "biases, scales")):
        chosen = [i for i, name in enumerate(names) if (name in weights) == (mark == 0)]
        if chosen:
            _bars(ax, chosen, [sizes[names[i]] for i in chosen], mark, label)
    tidy(ax, x="parameter, from input to output", y="|gradient|: mean, 10 % to 90 %")
    ax.set_yscale("log", nonpositive="clip")
    ax.set_xticks(
        range(len(names)), [literal(name) for name in names], rotation=90 if len(names) > 4 else 0, fontsize=8
    )
    ax.grid(axis="x", visible=False)
    legend(ax)
    return ax


def weights_among(params: Mapping[str, Any]) -> set[str]:
    """The names of those that are no biases and scales: matrices, or where there are none vectors, or numbers."""
    least = min(2, max(map(np.ndim, params.values()), default=0))
    return {name for name, value in params.items() if np.ndim(value) >= least}


def _bars(ax: Any, places: list[int], sizes: list[Any], mark: int, label: str) -> None:
    means = np.array([a.mean() for a in sizes])
    low, high = (np.array([np.percentile(a, q) for a in sizes]) for q in (LOW, HIGH))
    shown = np.where(
        high > 0, np.maximum(low, high * 1e-4), np.nan
    )  # a bar down to 0 has no end on this axis
    ax.vlines(places, shown, high, color=COLOURS[mark], linewidth=5, alpha=0.3)
    ax.plot(
        places,
        np.where(means > 0, means, np.nan),
        MARKERS[mark],
        color=COLOURS[mark],
        markersize=5,
        label=label,
    )
    for place, mean in zip(places, means, strict=True):
        if mean == 0:
            ax.annotate("0", (place, 0), xycoords=("data", "axes fraction"), ha="center", color=GREY)
