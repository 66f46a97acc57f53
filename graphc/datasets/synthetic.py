"""Data made from a seed, with NumPy alone: the same call gives the same values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphc.datasets.dataset import Array, Dataset
from graphc.errors import ArgumentError

_PLANE = ("x1", "x2")


def spirals(rows: int = 300, classes: int = 3, noise: float = 0.2, seed: int = 0) -> Dataset:
    """Arms of a spiral around the origin, one for each class: no straight line tells them apart.

    Args:
        rows: how many points in all, shared out evenly, in order of class.
        classes: how many arms.
        noise: the standard deviation of the angle, in radians.
        seed: makes the same points each time.

    Returns:
        x float32[rows, 2], within the unit circle; y int64[rows], the arm, 0 to ``classes - 1``.

    Raises:
        ArgumentError: fewer rows than classes, no class, or negative noise.

    Example:
        >>> from graphc import datasets
        >>> datasets.spirals(rows=300)
        Dataset spirals: 300 rows, x float32[300, 2], y int64[300], 3 classes

    Source: made by this function; after the spirals of Stanford's CS231n notes.
    """
    if classes < 1:
        raise ArgumentError("too few classes", given=f"classes={classes}", expected="at least 1")
    _check(rows, at_least=classes, noise=noise)
    rng = np.random.default_rng(seed)
    sizes = _shares(rows, classes)
    radius = np.concatenate([np.linspace(0.0, 1.0, size) for size in sizes])
    label = np.repeat(np.arange(classes), sizes)
    angle = 2 * np.pi * label / classes + 4.0 * radius + noise * rng.standard_normal(rows)
    return _classified("spirals", radius[:, None] * _on_circle(angle), label)


def moons(rows: int = 200, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Two half circles that reach into each other.

    Args:
        rows: how many points in all, shared out evenly, in order of class.
        noise: the standard deviation of each coordinate; the half circles have radius 1.
        seed: makes the same points each time.

    Returns:
        x float32[rows, 2]; y int64[rows], 0 for the upper and 1 for the lower moon.

    Raises:
        ArgumentError: fewer than two rows, or negative noise.

    Example:
        >>> from graphc import datasets
        >>> datasets.moons(rows=100).y.sum()
        np.int64(50)

    Source: made by this function.
    """
    _check(rows, at_least=2, noise=noise)
    rng = np.random.default_rng(seed)
    upper, lower = (np.linspace(0.0, np.pi, size) for size in _shares(rows, 2))
    points = np.concatenate([_on_circle(upper), np.array([1.0, 0.5]) - _on_circle(lower)])
    label = np.repeat(np.arange(2), _shares(rows, 2))
    return _classified("moons", points + noise * rng.standard_normal(points.shape), label)


def lines(
    rows: int = 100,
    slopes: Sequence[float] = (2.0,),
    intercept: float = 1.0,
    noise: float = 0.1,
    seed: int = 0,
) -> Dataset:
    """A straight line (or plane) with noise, for regression: ``y = x @ slopes + intercept + noise``.

    Args:
        rows: how many points.
        slopes: one for each feature.
        intercept: the value at the origin.
        noise: the standard deviation of ``y`` about the line.
        seed: makes the same points each time.

    Returns:
        x float32[rows, len(slopes)], uniform in -1 to 1; y float32[rows].

    Raises:
        ArgumentError: no rows, no slope, or negative noise.

    Example:
        >>> from graphc import datasets
        >>> data = datasets.lines(rows=3, slopes=(2.0, -1.0), noise=0.0)
        >>> bool(abs(data.x @ [2.0, -1.0] + 1.0 - data.y).max() < 1e-6)
        True

    Source: made by this function.
    """
    _check(rows, at_least=1, noise=noise)
    slope = np.array(slopes, np.float64)
    if slope.ndim != 1 or not slope.size:
        raise ArgumentError(
            "slopes are numbers, one for each feature", given=repr(slopes), fix="for example (2.0,)"
        )
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.0, 1.0, (rows, slope.size))
    y = x @ slope + intercept + noise * rng.standard_normal(rows)
    names = tuple(f"x{column + 1}" for column in range(slope.size))
    return Dataset(x.astype(np.float32), y.astype(np.float32), "lines", names, source=_made("lines"))


def _classified(name: str, points: Array, label: Array) -> Dataset:
    classes = tuple(map(str, range(int(label[-1]) + 1)))
    return Dataset(points.astype(np.float32), label.astype(np.int64), name, _PLANE, classes, _made(name))


def _on_circle(angle: Array) -> Array:
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _shares(rows: int, parts: int) -> list[int]:
    """As even as can be, the larger ones first."""
    return [(rows - part + parts - 1) // parts for part in range(parts)]


def _made(name: str) -> str:
    return f"synthetic, made by graphc.datasets.{name}"


def _check(rows: int, *, at_least: int, noise: float) -> None:
    if rows < at_least:
        raise ArgumentError("too few rows", given=f"rows={rows}", expected=f"at least {at_least}")
    if not 0 <= noise < float("inf"):
        raise ArgumentError(
            "noise is a standard deviation", given=f"noise={noise}", expected="0 or more, finite"
        )
