"""Schedules that are one formula of the step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphc.errors import ArgumentError
from graphc.optim.bounds import flag, length, listed, one_of, positive, rate, rising
from graphc.optim.schedule import Schedule, formula_rule

_STAIRS = {False: "t / steps", True: "floor(t / steps)"}


def constant(value: float) -> Schedule:
    """Always the same: λ(t) = value.

    Args:
        value: the rate.

    Raises:
        ArgumentError: a rate that is not a finite number of at least 0.

    Example:
        >>> constant(0.1)(7)
        0.1
    """
    return made("constant", "value + 0*t", {"value": value}, value=rate("value", value))


def step(start: float, every: float, factor: float = 0.1) -> Schedule:
    """A factor every so many steps: λ(t) = start · factor^⌊t / every⌋.

    Args:
        start: the value at step 0.
        every: how many steps a value holds.
        factor: what it is multiplied with then.

    Raises:
        ArgumentError: a negative rate, a length or factor that is not above 0.

    Example:
        >>> [step(0.8, every=2, factor=0.5)(t) for t in range(5)]
        [0.8, 0.8, 0.4, 0.4, 0.2]
    """
    numbers = {
        "start": rate("start", start),
        "every": length("every", every),
        "factor": positive("factor", factor),
    }
    return made("step", "start * factor**floor(t / every)", numbers, **numbers)


def multi_step(start: float, at: Sequence[float], factor: float = 0.1) -> Schedule:
    """A factor at each of some steps: λ(t) = start · factor^k, where k of them are at most t.

    Args:
        start: the value at step 0.
        at: the steps, rising.
        factor: what it is multiplied with then.

    Raises:
        ArgumentError: steps that do not rise, a negative rate, a factor that is not above 0.

    Example:
        >>> [multi_step(0.8, at=[1, 3], factor=0.5)(t) for t in range(5)]
        [0.8, 0.4, 0.4, 0.2, 0.2]
    """
    places = numbered("at", rising("at", at))
    count = " + ".join(f"where(t >= {name}, 1, 0)" for name in places)
    numbers = {"start": rate("start", start), **places, "factor": positive("factor", factor)}
    return made(
        "multi_step",
        f"start * factor**({count})",
        {"start": start, "at": tuple(at), "factor": factor},
        **numbers,
    )


def exponential(start: float, factor: float, steps: float = 1, staircase: bool = False) -> Schedule:
    """A factor in so many steps: λ(t) = start · factor^(t / steps).

    Args:
        start: the value at step 0.
        factor: what it is multiplied with in ``steps`` steps.
        steps: how many.
        staircase: only after whole numbers of them: factor^⌊t / steps⌋.

    Raises:
        ArgumentError: a negative rate, a length or factor that is not above 0.

    Example:
        >>> exponential(0.8, 0.5)(3), exponential(0.8, 0.25, steps=2)(1)
        (0.1, 0.4)
    """
    numbers = {
        "start": rate("start", start),
        "factor": positive("factor", factor),
        "steps": length("steps", steps),
    }
    text = f"start * factor**({_STAIRS[flag('staircase', staircase)]})"
    return made("exponential", text, {**numbers, "staircase": staircase}, **numbers)


def polynomial(start: float, end: float, steps: float, power: float = 1.0) -> Schedule:
    """Down (or up) along a power: λ(t) = end + (start - end) · (1 - min(t, steps) / steps)^power; then it stays.

    Args:
        start: the value at step 0.
        end: the value from step ``steps`` on.
        steps: how long it takes.
        power: 1 is a straight line.

    Raises:
        ArgumentError: a negative rate, a length or power that is not above 0.

    Example:
        >>> [polynomial(0.4, 0.0, steps=2, power=2)(t) for t in range(4)]
        [0.4, 0.1, 0.0, 0.0]
    """
    numbers = {**ends(start, end, steps), "power": length("power", power)}
    text = "end + (start - end) * (1 - minimum(t, steps) / steps)**power"
    return made("polynomial", text, numbers, **numbers)


def linear(start: float, end: float, steps: float) -> Schedule:
    """A straight line: λ(t) = start + (end - start) · min(t, steps) / steps; then it stays.

    Args:
        start: the value at step 0.
        end: the value from step ``steps`` on.
        steps: how long it takes.

    Raises:
        ArgumentError: a negative rate, a length that is not above 0.

    Example:
        >>> [linear(0.0, 0.5, steps=2)(t) for t in range(4)]
        [0.0, 0.25, 0.5, 0.5]
    """
    numbers = ends(start, end, steps)
    return made("linear", "start + (end - start) * (minimum(t, steps) / steps)", numbers, **numbers)


def inverse_time(start: float, decay: float, steps: float = 1, staircase: bool = False) -> Schedule:
    """λ(t) = start / (1 + decay · t / steps).

    Args:
        start: the value at step 0.
        decay: how fast it falls.
        steps: the unit of time.
        staircase: only after whole numbers of them: ⌊t / steps⌋.

    Raises:
        ArgumentError: a negative rate or decay, a length that is not above 0.

    Example:
        >>> inverse_time(0.4, decay=0.5)(2)
        0.2

    Source: Robbins and Monro 1951, whose conditions it meets.
    """
    numbers = {
        "start": rate("start", start),
        "decay": rate("decay", decay),
        "steps": length("steps", steps),
    }
    text = f"start / (1 + decay * {_STAIRS[flag('staircase', staircase)]})"
    return made("inverse_time", text, {**numbers, "staircase": staircase}, **numbers)


def inverse_scaling(start: float, power: float = 0.5, scale: float = 1.0) -> Schedule:
    """λ(t) = start / (1 + scale · t)^power.

    Args:
        start: the value at step 0.
        power: how fast it falls.
        scale: what a step counts. scikit-learn's MLP counts examples and changes the rate between epochs:
            ``inverse_scaling(start, power, scale=examples).in_epochs(steps_per_epoch)``.

    Raises:
        ArgumentError: a negative number.

    Example:
        >>> inverse_scaling(0.4)(3)
        0.2

    Source: scikit-learn, ``learning_rate="invscaling"``.
    """
    numbers = {
        "start": rate("start", start),
        "power": rate("power", power),
        "scale": rate("scale", scale),
    }
    return made("inverse_scaling", "start / (1 + scale * t)**power", numbers, **numbers)


def cosine(start: float, steps: float, end: float = 0.0, after: str = "hold") -> Schedule:
    """Half a wave down: λ(t) = end + (start - end) · (1 + cos(π min(t, steps) / steps)) / 2.

    Args:
        start: the value at step 0.
        steps: how long it takes.
        end: the value at step ``steps``.
        after: ``hold``: it stays there, as in Keras and optax; ``climb``: the wave goes on, back up to ``start``, as in
            PyTorch.

    Raises:
        ArgumentError: a negative rate, a length that is not above 0, an unknown ``after``.

    Example:
        >>> round(cosine(0.2, steps=10)(5), 12), cosine(0.2, steps=10)(12), cosine(0.2, 10, after="climb")(20)
        (0.1, 0.0, 0.2)

    Source: Loshchilov and Hutter 2017, eq. 5.
    """
    numbers = ends(start, end, steps)
    t = {"hold": "minimum(t, steps)", "climb": "t"}[one_of("after", after, ("hold", "climb"))]
    text = f"end + (start - end) * (1 + cos(pi * {t} / steps)) / 2"
    settings = {"start": start, "steps": steps, "end": end, "after": after}
    return made("cosine", text, settings, **numbers)


def piecewise(at: Sequence[float], values: Sequence[float]) -> Schedule:
    """A value between each two of some steps: values[i], where i of them are at most t.

    Args:
        at: the steps at which the value changes, rising; a value holds from its step on.
        values: one more than steps.

    Raises:
        ArgumentError: steps that do not rise, a negative rate, a number of values that does not fit.

    Example:
        >>> [piecewise([1, 3], [0.3, 0.2, 0.1])(t) for t in range(5)]
        [0.3, 0.2, 0.2, 0.1, 0.1]
    """
    places = numbered("at", rising("at", at))
    numbers = numbered("value", [rate("values", v) for v in listed("values", values)])
    if len(numbers) != len(places) + 1:
        raise ArgumentError(
            "there is one value more than there are steps",
            given=f"{len(numbers)} values for {len(places)} steps",
        )
    first, *rest = numbers
    text = first
    for place, value in zip(places, rest, strict=True):
        text = f"where(t >= {place}, {value}, {text})"
    return made("piecewise", text, {"at": tuple(at), "values": tuple(values)}, **places, **numbers)


def interpolated(at: Sequence[float], values: Sequence[float]) -> Schedule:
    """Straight lines from point to point, held before the first and after the last.

    Args:
        at: the steps of the points, rising.
        values: the value at each.

    Raises:
        ArgumentError: steps that do not rise, a negative rate, a number of values that does not fit.

    Example:
        >>> [interpolated([0, 2, 4], [0.0, 0.5, 0.25])(t) for t in (0, 1, 2, 3, 9)]
        [0.0, 0.25, 0.5, 0.375, 0.25]
    """
    places = numbered("at", rising("at", at))
    numbers = numbered("value", [rate("values", v) for v in listed("values", values)])
    if len(numbers) != len(places):
        raise ArgumentError(
            "there is one value for each step", given=f"{len(numbers)} values for {len(places)} steps"
        )
    names, levels = list(places), list(numbers)
    text = levels[0]
    for i in range(1, len(names)):
        text += (
            f" + ({levels[i]} - {levels[i - 1]}) * minimum(maximum(t - {names[i - 1]}, 0)"
            f" / ({names[i]} - {names[i - 1]}), 1)"
        )
    settings = {"at": tuple(at), "values": tuple(values)}
    return made("interpolated", text if len(names) > 1 else f"{text} + 0*t", settings, **places, **numbers)


# -- inner workings -----------------------------------------------------------------------------------------------


def made(name: str, text: str, settings: Mapping[str, Any], **coefficients: float) -> Schedule:
    """A schedule of a formula over ``t`` and its coefficients."""
    return Schedule(name, tuple(settings.items()), coefficients, formula_rule(text), text)


def ends(start: float, end: float, steps: float) -> dict[str, float]:
    """Where it starts, where it ends, and how long it takes, checked."""
    return {"start": rate("start", start), "end": rate("end", end), "steps": length("steps", steps)}


def numbered(name: str, values: Sequence[float]) -> dict[str, float]:
    """A coefficient for each of several values: ``at1``, ``at2``."""
    return {f"{name}{i}": float(v) for i, v in enumerate(values, 1)}
