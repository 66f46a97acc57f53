"""A line search for the strong Wolfe conditions.

Along a direction of descent, with φ(α) the loss after a step of size α, a step is taken that is low enough and flat
enough:  φ(α) ≤ φ(0) + c₁ α φ'(0)  and  |φ'(α)| ≤ c₂ |φ'(0)|.

Source: Nocedal and Wright, Numerical Optimization, 2nd edition, algorithms 3.5 and 3.6.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

EXPAND = 2.0
INSIDE = 0.1
"""A step between two others keeps this share of their distance from both."""


@dataclass(frozen=True)
class Point:
    """A place on the line.

    Attributes:
        step: α.
        loss: φ(α); infinite where it is not finite.
        slope: φ'(α).
        gradient: the whole gradient there.
        state: what the model carries from there.
    """

    step: float
    loss: float
    slope: float
    gradient: Any
    state: Any


Line = Callable[[float], Point]


def strong_wolfe(
    line: Line, start: Point, first: float, c1: float = 1e-4, c2: float = 0.9, limit: int = 25
) -> Point:
    """A point that fulfils both conditions, or the lowest one found within ``limit`` evaluations.

    Args:
        line: the loss along the direction.
        start: the point at α = 0; its slope is negative.
        first: the step to try first.
        c1: how much of the promised decrease is asked for.
        c2: how much of the slope may be left.
        limit: evaluations, at most.

    Returns:
        The point; ``start`` itself where nothing lower was found.
    """
    low, step = start, first
    for count in range(1, limit + 1):
        point = line(step)
        if _too_high(point, start, c1) or (count > 1 and point.loss >= low.loss):
            return _between(line, start, low, point, c1, c2, limit - count)
        if abs(point.slope) <= -c2 * start.slope:
            return point
        if point.slope >= 0:
            return _between(line, start, point, low, c1, c2, limit - count)
        low, step = point, EXPAND * step
    return low


def _between(line: Line, start: Point, low: Point, high: Point, c1: float, c2: float, limit: int) -> Point:
    """A point between the lower end, which is low enough, and the other."""
    for _ in range(limit):
        point = line(_interpolated(low, high))
        if _too_high(point, start, c1) or point.loss >= low.loss:
            high = point
            continue
        if abs(point.slope) <= -c2 * start.slope:
            return point
        if point.slope * (high.step - low.step) >= 0:
            high = low
        low = point
    return low


def _too_high(point: Point, start: Point, c1: float) -> bool:
    return not point.loss <= start.loss + c1 * point.step * start.slope


def _interpolated(a: Point, b: Point) -> float:
    """Where the cubic through both losses and slopes is least, kept away from the ends; else the middle."""
    width = b.step - a.step
    if math.isfinite(b.loss) and math.isfinite(b.slope):
        d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.step - b.step)
        square = d1 * d1 - a.slope * b.slope
        if square >= 0:
            d2 = math.copysign(math.sqrt(square), width)
            bottom = b.slope - a.slope + 2 * d2
            share = 1 - (b.slope + d2 - d1) / bottom if bottom else 0.5
            return a.step + width * min(max(share, INSIDE), 1 - INSIDE)
    return a.step + 0.5 * width
