"""Schedules that go up and down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphc.errors import ArgumentError
from graphc.optim.bounds import finite, flag, length, one_of, positive, rate
from graphc.optim.formulas import ends, made
from graphc.optim.schedule import Schedule


def cosine_restarts(start: float, steps: float, end: float = 0.0, growth: float = 1.0) -> Schedule:
    """Half waves down, each from the start again: λ(t) = end + (start - end) · (1 + cos(π s / n)) / 2.

    s counts from the last restart, n = steps · growthⁱ is the length of the i-th wave.

    Args:
        start: the value at each restart.
        steps: the length of the first wave.
        end: what each wave goes down to.
        growth: how much longer each wave is than the one before.

    Raises:
        ArgumentError: a negative rate, a length that is not above 0, a growth below 1.

    Example:
        >>> warm = cosine_restarts(0.2, steps=10, growth=2)
        >>> warm(0), warm(10), warm(30)
        (0.2, 0.2, 0.2)

    Source: Loshchilov and Hutter 2017, eq. 5: SGDR.
    """
    numbers = ends(start, end, steps)
    settings = {"start": start, "steps": steps, "end": end, "growth": growth}
    if finite("growth", growth) < 1:
        raise ArgumentError("growth is at least 1", given=repr(growth))
    if growth == 1:
        text = "end + (start - end) * (1 + cos(pi * (t / steps - floor(t / steps)))) / 2"
        return made("cosine_restarts", text, settings, **numbers)
    # the logarithm of a whole power may come out a bit below a whole number, so floor gets a little more: waves
    # shorter than 1e9 steps end more than that apart
    waves = "floor(log(1 + t * (growth - 1) / steps) / log(growth) + 1e-10)"
    first, n = f"steps * (growth**{waves} - 1) / (growth - 1)", f"(steps * growth**{waves})"
    text = f"end + (start - end) * (1 + cos(pi * (t - {first}) / {n})) / 2"
    return made("cosine_restarts", text, settings, **numbers, growth=float(growth))


def one_cycle(
    peak: float,
    steps: float,
    warmup: float = 0.3,
    div: float = 25.0,
    final_div: float = 1e4,
    shape: str = "cosine",
    three_phase: bool = False,
) -> Schedule:
    """Up from peak / div to the peak, then down to peak / (div · final_div).

    The peak is at step warmup · steps - 1 and the end at step steps - 1, as in PyTorch; then it stays. With three
    phases it goes back to peak / div by step 2 · warmup · steps - 2 first.

    Args:
        peak: the largest value.
        steps: how many in all.
        warmup: the share of them that goes up.
        div: how much smaller the first value is.
        final_div: how much smaller than the first the last one is.
        shape: ``cosine``: half a wave from point to point; ``linear``: straight lines.
        three_phase: whether the way down has two parts.

    Raises:
        ArgumentError: a negative rate, factors that are not above 0, or phases that have no step.

    Example:
        >>> cycle = one_cycle(0.5, steps=101, warmup=0.11, div=10)
        >>> round(cycle(0), 12), round(cycle(10.11), 12)
        (0.05, 0.5)

    Source: Smith and Topin 2018; the form is that of PyTorch's OneCycleLR.
    """
    rate("peak", peak)
    first, last = "peak / div", "peak / (div * final_div)"
    values = ("peak", first, last) if three_phase else ("peak", last)
    return _cycle(
        "one_cycle",
        first,
        values,
        {"peak": peak, "steps": steps, "warmup": warmup, "div": div, "final_div": final_div},
        {"shape": shape, "three_phase": flag("three_phase", three_phase)},
    )


def one_cycle_momentum(
    steps: float,
    high: float = 0.95,
    low: float = 0.85,
    warmup: float = 0.3,
    shape: str = "cosine",
    three_phase: bool = False,
) -> Schedule:
    """The momentum beside ``one_cycle``: down from ``high`` to ``low`` while the rate goes up, then back.

    Args:
        steps: how many in all.
        high: the first and the last value.
        low: the value where the rate is at its peak.
        warmup: the share of steps that goes down.
        shape: ``cosine`` or ``linear``.
        three_phase: whether the rate beside it has three phases.

    Raises:
        ArgumentError: a value that is not at least 0 and less than 1, or phases that have no step.

    Example:
        >>> round(one_cycle_momentum(steps=100)(29), 12)
        0.85

    Source: Smith and Topin 2018; the form is that of PyTorch's OneCycleLR.
    """
    for name, value in (("high", high), ("low", low)):
        if rate(name, value) >= 1:
            raise ArgumentError(f"{name} is at least 0 and less than 1", given=repr(value))
    return _cycle(
        "one_cycle_momentum",
        "high",
        ("low", "high", "high") if three_phase else ("low", "high"),
        {"steps": steps, "high": high, "low": low, "warmup": warmup},
        {"shape": shape, "three_phase": flag("three_phase", three_phase)},
    )


def cyclic(
    low: float,
    high: float,
    up: float,
    down: float | None = None,
    shape: str = "triangular",
    factor: float = 1.0,
) -> Schedule:
    """Up and down along straight lines, again and again: λ(t) = low + (high - low) · p · s.

    p goes from 0 up to 1 in ``up`` steps and back in ``down`` steps.

    Args:
        low: the smallest value.
        high: the largest value of the first cycle.
        up: how many steps it rises.
        down: how many it falls; by default as many.
        shape: ``triangular``: s = 1; ``triangular2``: s = 2⁻ⁱ in cycle i = 0, 1, ...; ``exp_range``: s = factorᵗ.
        factor: of ``exp_range``.

    Raises:
        ArgumentError: a negative rate, a length or factor that is not above 0, an unknown shape.

    Example:
        >>> [cyclic(0.0, 0.4, up=2)(t) for t in range(5)]
        [0.0, 0.2, 0.4, 0.2, 0.0]

    Source: Smith 2017.
    """
    numbers = {
        "low": rate("low", low),
        "high": rate("high", high),
        "up": length("up", up),
        "down": length("down", up if down is None else down),
    }
    cycle = "floor(t / (up + down))"
    inside = f"(t - (up + down) * {cycle})"
    scale = {"triangular": "", "triangular2": f" / 2**{cycle}", "exp_range": " * factor**t"}
    text = f"low + (high - low) * minimum({inside} / up, (up + down - {inside}) / down)"
    text += scale[one_of("shape", shape, tuple(scale))]
    settings = {**numbers, "shape": shape, "factor": positive("factor", factor)}
    return made(
        "cyclic", text, settings, **numbers, **({"factor": float(factor)} if shape == "exp_range" else {})
    )


# -- inner workings -----------------------------------------------------------------------------------------------


def _cycle(
    name: str, first: str, values: Sequence[str], numbers: Mapping[str, Any], shapes: Mapping[str, Any]
) -> Schedule:
    """From value to value between the ends of the phases of one cycle."""
    coefficients = {
        key: positive(key, value) if key != "low" else float(value) for key, value in numbers.items()
    }
    one_of("shape", shapes["shape"], ("cosine", "linear"))
    ends = ["warmup * steps - 1", "2 * warmup * steps - 2", "steps - 1"][:: 1 if len(values) == 3 else 2]
    share = (2 if len(values) == 3 else 1) * coefficients["warmup"] * coefficients["steps"]
    if coefficients["warmup"] * coefficients["steps"] <= 1 or share >= coefficients["steps"]:
        raise ArgumentError(
            "each phase of the cycle needs a step",
            given=f"steps={numbers['steps']}, warmup={numbers['warmup']}",
        )
    begins, levels = ["0", *ends[:-1]], [first, *values]
    moves = [
        _move(shapes["shape"], f"minimum(maximum((t - ({b})) / (({e}) - ({b})), 0), 1)", low, high)
        for b, e, low, high in zip(begins, ends, levels[:-1], levels[1:], strict=True)
    ]
    text = moves[0]
    for begin, move in zip(begins[1:], moves[1:], strict=True):
        text = f"where(t > {begin}, {move}, {text})"
    return made(name, text, {**numbers, **shapes}, **coefficients)


def _move(shape: str, done: str, low: str, high: str) -> str:
    """From one value to another, by the share ``done`` of the way."""
    if shape == "linear":
        return f"({low} + ({high} - {low}) * {done})"
    return f"({high} + ({low} - {high}) * (1 + cos(pi * {done})) / 2)"
