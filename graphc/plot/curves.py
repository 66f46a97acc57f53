"""Curves: of training, of activations and their derivatives, of schedules, of the search of a rate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from graphc.derivatives import grad
from graphc.errors import ArgumentError, UnknownNameError
from graphc.ir.node import Node
from graphc.nn.activations import ACTIVATIONS
from graphc.nn.plots import OF_ROWS, curve
from graphc.ops.leaves import input as make_input
from graphc.ops.reduce import sum as total
from graphc.optim.schedule import Schedule
from graphc.runtime.figures import COLOURS, DASHES, GREY, WIDTH, axes_for, expect, legend, literal, tidy
from graphc.stages import compile
from graphc.train.finder import RateSearch
from graphc.train.history import History

POINTS = 401


def history(
    history: History, columns: Sequence[str] | None = None, *, log: bool = False, ax: Any = None
) -> Any:
    """Draw what was recorded over the epochs; of validation data dashed, in the colour of its training column.

    Args:
        history: what ``fit`` returned.
        columns: which; by default every loss.
        log: a logarithmic axis of values.
        ax: axes of matplotlib to draw on; a new figure by default.

    Returns:
        The axes.

    Raises:
        UnknownNameError: the history has no such column.
        ArgumentError: something that is no history, or a logarithmic axis where no value is above 0.
        MissingDependency: matplotlib is not installed.
    """
    expect(history, History, "what fit returned")
    chosen = _chosen(history, columns)
    values = [v for name in chosen for v in history[name] if np.isfinite(v)]
    if log and values and max(values) <= 0:
        raise ArgumentError("a logarithmic axis needs values above 0", fix="log=False")
    ax = axes_for(ax)
    history.curves(ax, chosen, ", ".join(dict.fromkeys(name.removeprefix("val_") for name in chosen)))
    if log:
        ax.set_yscale("log")
    return ax


def _chosen(history: History, columns: Any) -> list[str]:
    if columns is None:
        return [c for c in history.columns if c.endswith("loss")]
    if not isinstance(columns, Iterable):
        raise ArgumentError(
            "columns are names", given=repr(columns)[:80], expected=", ".join(history.columns)
        )
    return [columns] if isinstance(columns, str) else list(columns)


def activation(function: str | Callable[[Node], Node], reach: float = 5.0, *, ax: Any = None) -> Any:
    """Draw an activation and its derivative, which is derived, not drawn by hand.

    Args:
        function: its name in ``nn.ACTIVATIONS``, or any function of one node to a node of the same shape, such as
            what ``gx.scalar_function`` returns.
        reach: from -reach to reach.
        ax: axes of matplotlib to draw on; a new figure by default.

    Returns:
        The axes.

    Raises:
        UnknownNameError: no activation of this name.
        ArgumentError: one of a whole row, such as softmax, which has no curve; no function; or no reach.
        MissingDependency: matplotlib is not installed.
    """
    if not isinstance(reach, (int, float)) or not 0 < reach < np.inf:
        raise ArgumentError("reach is a number above 0", given=repr(reach))
    at = np.linspace(-reach, reach, POINTS)
    name, value, slope = _curves(function, at)
    ax = axes_for(ax)
    for line in (ax.axhline, ax.axvline):
        line(0, color=GREY, linewidth=0.6)
    ax.plot(at, value, color=COLOURS[0], linewidth=WIDTH, label=literal(name))
    ax.plot(at, slope, color=COLOURS[1], linewidth=WIDTH, linestyle=DASHES[1], label="derivative")
    tidy(ax, x="x")
    ax.set_xlim(-reach, reach)
    legend(ax)
    return ax


def _curves(function: Any, at: Any) -> tuple[str, Any, Any]:
    if isinstance(function, str):
        if function not in ACTIVATIONS:
            raise UnknownNameError(f"no activation named {function!r}", expected=", ".join(ACTIVATIONS))
        if function in OF_ROWS:
            raise ArgumentError(f"{function} is a function of a whole row, which has no curve")
        return (function, *curve(function, ACTIVATIONS[function], at))
    if not callable(function):
        given = f"{type(function).__name__}: {function!r:.60}"
        raise ArgumentError("an activation is a name or a function of one node", given=given)
    x = make_input("x", ("n",), "float64")
    y = function(x)
    if not isinstance(y, Node) or y.shape != x.shape:
        given = f"{type(y).__name__} {getattr(y, 'shape', '')}".strip()
        raise ArgumentError("an activation takes a node to a node of its shape", given=given)
    name = getattr(function, "name", None) or getattr(function, "__name__", "function")
    with np.errstate(all="ignore"):  # where it is not defined there is no curve
        value, slope = compile([y, grad(total(y), x)])(at)
    return ("function" if name == "<lambda>" else str(name), value, slope)


def schedule(schedule: Schedule, steps: int = 200, *, ax: Any = None) -> Any:
    """Draw the value of a schedule over its first steps; each value holds until the next update.

    Args:
        schedule: one of ``optim.schedules``.
        steps: how many.
        ax: axes of matplotlib to draw on; a new figure by default.

    Returns:
        The axes.

    Raises:
        ArgumentError: something that is no schedule, or a number of steps that is none.
        MissingDependency: matplotlib is not installed.
    """
    expect(schedule, Schedule, "one of optim.schedules")
    return schedule.plot(steps, axes_for(ax))


def rate_search(search: RateSearch, *, ax: Any = None) -> Any:
    """Draw what ``train.find_rate`` saw: the loss over the rate, and the rate that it suggests.

    Args:
        search: what it returned.
        ax: axes of matplotlib to draw on; a new figure by default.

    Returns:
        The axes.

    Raises:
        ArgumentError: something that is no search.
        MissingDependency: matplotlib is not installed.
    """
    expect(search, RateSearch, "what train.find_rate returned")
    return search.plot(axes_for(ax))
