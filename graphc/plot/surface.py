"""The loss around a point: along two directions, each as long as the weights that it moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import ArgumentError
from graphc.plot.flow import weights_among
from graphc.runtime.figures import INK, MAP, axes_for, expect, ink_of, remark, tidy
from graphc.stages import compile
from graphc.train.model import Model
from graphc.train.programs import within
from graphc.train.run import check_count

LINES = 18


@dataclass(frozen=True, repr=False)
class Surface:
    """The loss on a grid.

    Attributes:
        at: the places along each direction, float64[points]; 0 is the model as it is.
        loss: float64[points, points]; the second direction first, as a picture has it.
    """

    at: Any
    loss: Any

    def __repr__(self) -> str:
        low, high = np.nanmin(self.loss), np.nanmax(self.loss)
        return f"<surface of {len(self.at)} x {len(self.at)} losses from {low:.4g} to {high:.4g}>"


def directions_for(params: dict[str, Any], seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two random directions, normalised by filter: d_f ← d_f ‖θ_f‖ / ‖d_f‖; 0 for biases and scales.

    A filter f is what makes one feature: all axes but the last, which counts the features of a layer (of ``dense``
    (in, out) and of ``conv`` (height, width, in, out) alike). d is drawn from a normal distribution. In a model without
    matrices the vectors are its weights.

    Example:
        >>> import numpy as np
        >>> first, second = directions_for({"W": np.array([[3.0, 0.0], [4.0, 1.0]]), "b": np.ones(2)}, seed=0)
        >>> np.linalg.norm(first["W"], axis=0).round(6), second["b"]
        (array([5., 1.]), array([0., 0.]))

    Source: Li, Xu, Taylor, Studer, Goldstein 2018, Visualizing the loss landscape of neural nets, section 4.
    """
    random = np.random.default_rng(seed)
    moved = weights_among(params)
    first, second = (
        {name: _direction(random, value, name in moved) for name, value in params.items()} for _ in range(2)
    )
    return first, second


def _direction(random: np.random.Generator, value: Any, moved: bool) -> Any:
    theta = np.asarray(value, dtype=np.float64)
    if not moved:
        return np.zeros_like(theta)
    axes = tuple(range(max(theta.ndim - 1, 1))) if theta.ndim else ()
    drawn = random.standard_normal(theta.shape)
    return drawn * (_norm(theta, axes) / _norm(drawn, axes))


def _norm(array: Any, axes: tuple[int, ...]) -> Any:
    return np.sqrt(np.square(array).sum(axis=axes, keepdims=True))


def measured_surface(
    model: Any, x: Any, y: Any = None, *, reach: float = 1.0, points: int = 25, seed: int = 0
) -> Surface:
    """The loss L(θ + a d₁ + b d₂) on a grid of a and b; see ``directions_for``. The model is left as it is.

    Args:
        model: at the values that it has now; its loss in the form in use (no dropout, running statistics).
        x: arrays for the inputs that the outputs read, or a data set: all of it is one batch.
        y: arrays for the other inputs.
        reach: a and b go from -reach to reach; at 1, a step is as long as the weights.
        points: how many along each direction; an odd number has the model itself among them.
        seed: of the directions.

    Raises:
        ArgumentError: no model, one without a loss, or a grid that is none.
        DataError, ShapeError: data that do not fit.
    """
    expect(model, Model, "the loss of a model")
    if model.loss is None:
        raise ArgumentError("this model has no loss", fix="gx.Model(outputs, loss)")
    if isinstance(points, bool) or not isinstance(points, int) or points < 2 or not 0 < reach < np.inf:
        raise ArgumentError(
            "a grid of at least 2 points, and a reach above 0", given=f"{points!r}, {reach!r}"
        )
    check_count("seed", seed, 0)
    data, params = model.checked_data(x, y), model.params
    trained = {str(model.graph.name_of(p)): params[str(model.graph.name_of(p))] for p in model._trained()}
    first, second = directions_for(trained, seed)
    program = compile(within(model.graph, model.loss, "surface"), mode="eval", level=model.level)
    names = {str(program.graph.name_of(n)) for n in program.graph.arguments}
    still = {k: v for k, v in {**data, **params, **model.state, **_hypers(model)}.items() if k in names}

    def loss(a: float, b: float) -> float:
        moved = {
            k: (v + a * first[k] + b * second[k]).astype(v.dtype) for k, v in trained.items() if k in names
        }
        found = program(**{**still, **moved})
        return float(found[0] if program.graph.updates else found)

    at = np.linspace(-reach, reach, points)
    with np.errstate(all="ignore"):
        return Surface(at, np.array([[loss(a, b) for a in at] for b in at]))


def _hypers(model: Any) -> dict[str, Any]:
    return {str(model.graph.name_of(h)): h.attrs["default"] for h in model.graph.leaves("hyper")}


def loss_surface(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    reach: float = 1.0,
    points: int = 25,
    seed: int = 0,
    log: bool = True,
    ax: Any = None,
) -> Any:
    """Draw the loss around the model as it is, along two random directions; the cross is the model.

    Args:
        model: at the values that it has now.
        x: arrays for the inputs that the outputs read, or a data set.
        y: arrays for the other inputs.
        reach: how far; at 1, a step along a direction is as long as the weights.
        points: the resolution, along each direction.
        seed: of the directions.
        log: contours at equal ratios of the loss rather than at equal differences, where it is above 0.
        ax: axes of matplotlib to draw on (3-D ones get a surface); a new figure by default.

    Returns:
        The axes.

    Raises:
        ArgumentError, DataError, ShapeError: see ``measured_surface``.
        MissingDependency: matplotlib is not installed.

    Source: Li et al. 2018, section 4.
    """
    found = measured_surface(model, x, y, reach=reach, points=points, seed=seed)
    ax = axes_for(ax, 4.8, 4.0)
    loss = np.ma.masked_invalid(found.loss)
    if hasattr(ax, "plot_surface"):
        across, up = np.meshgrid(found.at, found.at)
        ax.plot_surface(across, up, loss, cmap=MAP, linewidth=0, antialiased=True)
        ax.set_zlabel("loss")
        ax.set(xlabel="direction 1", ylabel="direction 2")
        return ax
    if loss.count() == 0:
        remark(ax, "no finite loss here")
        return tidy(ax, x="direction 1", y="direction 2", grid=False)
    low, high = float(loss.min()), float(loss.max())
    log = log and 0 < low < high
    look: dict[str, Any] = {"levels": _levels(low, high, log)}
    if log:
        look["norm"] = "log"
    filled = ax.contourf(found.at, found.at, loss, cmap=MAP, **look)
    ax.contour(found.at, found.at, loss, colors="white", linewidths=0.3, alpha=0.7, **look)
    ax.plot(0, 0, "+", color="white", markersize=13, markeredgewidth=3.5)
    ax.plot(0, 0, "+", color=INK, markersize=12, markeredgewidth=1.6)
    bar = ax.figure.colorbar(filled, ax=ax, format="%.3g")
    bar.set_label("loss", color=ink_of(ax))
    bar.outline.set_visible(False)
    tidy(ax, x="direction 1", y="direction 2", grid=False)
    return ax


def _levels(low: float, high: float, log: bool) -> Any:
    """From the least to the largest loss; a little beyond, lest rounding leave a hole at either."""
    if not high > low:
        return np.array([low - 1, low + 1])
    margin = 1e-6 * (high - low)
    if log:
        return np.geomspace(low * (1 - 1e-6), high + margin, LINES)
    return np.linspace(low - margin, high + margin, LINES)
