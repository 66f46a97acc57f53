"""What a model says about data: the classes of a plane, and a table of right and wrong."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, DataError, ShapeError
from graphc.nn.scores import confusion_matrix as count_matrix
from graphc.nn.scores import labels_of
from graphc.runtime.figures import COLOURS, INK, MARKERS, axes_for, expect, ink_of, legend, literal, tidy
from graphc.train.data import named_arrays
from graphc.train.model import Model

MARGIN = 0.08
"""Around the data, as a share of their range."""

MOST = 20
"""A larger table has no numbers in its cells."""


def decision_boundary(
    model: Any, x: Any, y: Any = None, *, threshold: float = 0.0, points: int = 200, ax: Any = None
) -> Any:
    """Draw which class a model gives each point of the plane, under the examples with their true classes.

    Args:
        model: with one input of shape (batch, 2), and one output: a number per class, or one number.
        x: the examples, float[n, 2]; or a data set with both.
        y: their classes, int[n] (or 0 and 1 as floats, for one number).
        threshold: above it lies class 1, where the output is one number: 0 for logits, 0.5 for probabilities.
        points: the resolution, along each axis.
        ax: axes of matplotlib to draw on; a new figure by default.

    Returns:
        The axes.

    Raises:
        ShapeError: examples that are no points of a plane, or an output that is no class.
        ArgumentError: something that is no model, or fewer than two points.
        DataError: no examples.
        MissingDependency: matplotlib is not installed.
    """
    expect(model, Model, "what a model says")
    at, classes = _points(model, x, y)
    if isinstance(points, bool) or not isinstance(points, int) or points < 2:
        raise ArgumentError("points is an int of at least 2", given=repr(points))
    across, up = (_range(at[:, i], points) for i in (0, 1))
    plane = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2).astype(at.dtype)
    margins = _margins(model.predict(plane), threshold).reshape(-1, points, points)
    ax = axes_for(ax, 4.6, 4.2)
    count = max(len(margins), int(classes.max()) + 1)
    colours = [COLOURS[i % len(COLOURS)] for i in range(count)]
    for colour, margin in zip(colours, margins, strict=False):
        if margin.max() > 0:
            ax.contourf(across, up, margin, levels=[0, np.inf], colors=[colour], alpha=0.25)
        if margin.min() < 0 < margin.max():
            ax.contour(across, up, margin, levels=[0], colors=ink_of(ax), linewidths=0.7)
    for i in np.unique(classes):
        here = at[classes == i]
        look = {
            "c": colours[i],
            "marker": MARKERS[i % len(MARKERS)],
            "edgecolors": "white",
            "linewidths": 0.4,
        }
        ax.scatter(here[:, 0], here[:, 1], s=22, label=f"class {i}", **look)
    tidy(ax, x="x₁", y="x₂", grid=False)
    legend(ax)
    return ax


def _points(model: Any, x: Any, y: Any) -> tuple[Any, Any]:
    if len(model.x_names) != 1:
        raise ShapeError("a decision boundary is one of a single input", given=", ".join(model.x_names))
    named = named_arrays(x, y, model.x_names, model.y_names[:1] or ["classes"])
    at, target = (np.asarray(a) for a in (*named.values(), ())[:2])
    if at.ndim != 2 or at.shape[1] != 2 or len(at) != len(target):
        raise ShapeError(
            "a decision boundary needs points of a plane and their classes",
            given=f"x {list(at.shape)}, y {list(target.shape)}",
            expected="x [n, 2], y [n]",
        )
    if len(at) == 0:
        raise DataError("there are no examples", given="x [0, 2]")
    return at, labels_of(target.reshape(-1).astype(np.int64), target.reshape(-1), 0.5)[0]


def _range(values: Any, points: int) -> Any:
    low, high = float(values.min()), float(values.max())
    margin = MARGIN * (high - low or 1.0)
    return np.linspace(low - margin, high + margin, points)


def _margins(output: Any, threshold: float) -> Any:
    """By class, by how much it is ahead of the best other one at each point: above 0 where it is chosen."""
    values = np.asarray(output, dtype=np.float64)
    if values.ndim == 1 or (values.ndim == 2 and values.shape[1] == 1):
        ahead = values.reshape(-1) - threshold
        return np.stack([-ahead, ahead])
    if values.ndim != 2:
        raise ShapeError(
            "the output is no class", given=str(list(values.shape)), expected="[n, classes] or [n]"
        )
    others = [np.delete(values, i, axis=1).max(axis=1) for i in range(values.shape[1])]
    return values.T - np.stack(others)


def confusion_matrix(
    prediction: Any,
    target: Any,
    *,
    names: Any = None,
    share: bool = False,
    threshold: float = 0.0,
    ax: Any = None,
) -> Any:
    """Draw how often each class (row) was taken for each class (column): ``nn.confusion_matrix`` as a picture.

    Args:
        prediction: what ``model.predict`` returned, or classes.
        target: the true classes.
        names: of the classes, in order; by default their numbers.
        share: shares of each row instead of counts.
        threshold: as for ``nn.confusion_matrix``.
        ax: axes of matplotlib to draw on; a new figure by default.

    Returns:
        The axes.

    Raises:
        ArgumentError: names that are not one per class.
        ShapeError, DataError: see ``nn.confusion_matrix``.
        MissingDependency: matplotlib is not installed.
    """
    table = count_matrix(prediction, target, threshold)
    count = len(table)
    words = [literal(name) for name in (range(count) if names is None else _names(names))]
    if len(words) != count:
        raise ArgumentError("a name for each class", given=f"{len(words)} names", expected=f"{count}")
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    longest = 0.07 * max(map(len, words))
    ax = axes_for(ax, 1.6 + 0.38 * count + longest, 1.4 + 0.36 * count + longest)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)  # by row: how common a class is does not matter
    if count <= MOST:
        for i, j in np.ndindex(count, count):
            text = (f"{shares[i, j]:.0%}" if share else f"{table[i, j]}") if table[i, j] else "·"
            colour = "white" if shares[i, j] > 0.55 else INK
            ax.text(j, i, text, ha="center", va="center", color=colour, fontsize=8)
    tidy(ax, x="predicted", y="true", grid=False)
    ax.set_xticks(range(count), words, rotation=90 if max(map(len, words)) > 3 else 0)
    ax.set_yticks(range(count), words)
    return ax


def _names(names: Any) -> list[Any]:
    if not isinstance(names, Iterable):
        raise ArgumentError("names are a list", given=repr(names)[:80])
    return list(names)
