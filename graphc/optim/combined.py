"""Schedules made of schedules."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from graphc.errors import ArgumentError
from graphc.ir.node import Node
from graphc.ops.arith import clip
from graphc.ops.compare import greater_equal, where
from graphc.ops.leaves import const
from graphc.optim.bounds import flag, length, listed, rate, rising
from graphc.optim.formulas import exponential, linear, numbered  # noqa: F401  the examples read two of them
from graphc.optim.schedule import Coefficients, Schedule, epoch_of, part, prefixed, schedule, since


def warmup(to: Any, steps: float, start: float = 0.0) -> Schedule:
    """A straight line up, then what follows: λ(t) = start + (λ₂(0) - start) · t / steps, then λ₂(t - steps).

    Args:
        to: the schedule λ₂ that follows, from its own step 0; or a rate that stays.
        steps: how long it takes.
        start: the value at step 0.

    Raises:
        ArgumentError: a negative rate, a length that is not above 0.

    Example:
        >>> warm = warmup(exponential(0.4, 0.5), steps=4)
        >>> [round(warm(t), 12) for t in range(6)]
        [0.0, 0.1, 0.2, 0.3, 0.4, 0.2]

    Source: Goyal et al. 2017, section 2.2.
    """
    after = schedule(to)

    def rule(t: Node, c: Coefficients) -> Any:
        inner = part(c, "then.")
        first = after.rule(const(0.0, "float64"), inner)
        line = c["start"] + (first - c["start"]) * (t / c["steps"])
        return where(greater_equal(t, c["steps"]), after.rule(since(t, c["steps"]), inner), line)

    own = {"start": rate("start", start), "steps": length("steps", steps)}
    settings = {"to": to, "steps": steps, "start": start}
    return Schedule("warmup", tuple(settings.items()), {**own, **prefixed(after, "then.")}, rule)


def sequential(parts: Sequence[Any], at: Sequence[float]) -> Schedule:
    """One schedule after the other, each from its own step 0: λᵢ(t - atᵢ) from step atᵢ on.

    Args:
        parts: schedules or rates.
        at: the steps at which the second and all later ones begin, rising; one less than parts.

    Raises:
        ArgumentError: no part, steps that do not rise, or not one less.

    Example:
        >>> both = sequential([linear(0.0, 0.4, steps=2), exponential(0.4, 0.5)], at=[2])
        >>> [both(t) for t in range(5)]
        [0.0, 0.2, 0.4, 0.2, 0.1]
    """
    inner = _parts(parts)
    places = numbered("at", rising("at", at)) if len(inner) > 1 or listed("at", at) else {}
    if len(places) != len(inner) - 1:
        raise ArgumentError(
            "there is one step less than there are parts", given=f"{len(places)} steps, {len(inner)} parts"
        )

    def rule(t: Node, c: Coefficients) -> Any:
        starts = [0.0, *(c[name] for name in places)]
        # a part that is not chosen is computed all the same: it stands still at its ends, so that nothing overflows
        times = [
            clip(t, a, b) - a if b is not None else since(t, a)
            for a, b in zip(starts, [*starts[1:], None], strict=True)
        ]
        values = [
            s.rule(time, part(c, f"{i}.")) for i, (s, time) in enumerate(zip(inner, times, strict=True), 1)
        ]
        chosen = values[0]
        for begin, value in zip(starts[1:], values[1:], strict=True):
            chosen = where(greater_equal(t, begin), value, chosen)
        return chosen

    numbers = {**places, **_inner_numbers(inner)}
    settings = {"parts": tuple(parts), "at": tuple(at)}
    return Schedule("sequential", tuple(settings.items()), numbers, rule)


def product(parts: Sequence[Any]) -> Schedule:
    """Several at once, multiplied: λ(t) = λ₁(t) · λ₂(t) · ... ; also ``a * b``. PyTorch calls it chained.

    Args:
        parts: schedules or numbers.

    Raises:
        ArgumentError: no part.

    Example:
        >>> (0.5 * exponential(0.8, 0.5))(1)
        0.2
    """
    inner = _parts(parts)

    def rule(t: Node, c: Coefficients) -> Any:
        return reduce(lambda a, b: a * b, (s.rule(t, part(c, f"{i}.")) for i, s in enumerate(inner, 1)))

    return Schedule("product", (("parts", tuple(parts)),), _inner_numbers(inner), rule)


def in_epochs(inner: Any, steps_per_epoch: float, smooth: bool = False) -> Schedule:
    """A schedule with epochs for its unit, λ(⌊t / n⌋), or λ(t / n) where it is smooth; also ``schedule.in_epochs(n)``.

    Args:
        inner: the schedule, or a rate.
        steps_per_epoch: n, how many updates an epoch has.
        smooth: change within the epochs as well.

    Raises:
        ArgumentError: n that is not a number above 0.

    Example:
        >>> in_epochs(exponential(0.4, 0.5), 10)(25)
        0.1
    """
    of_epoch = schedule(inner)
    count = length("steps_per_epoch", steps_per_epoch)
    flag("smooth", smooth)

    def rule(t: Node, c: Coefficients) -> Any:
        return of_epoch.rule(epoch_of(t, c["steps_per_epoch"], smooth), part(c, "epochs."))

    numbers = {"steps_per_epoch": count, **prefixed(of_epoch, "epochs.")}
    settings = {"inner": inner, "steps_per_epoch": steps_per_epoch, "smooth": smooth}
    return Schedule("in_epochs", tuple(settings.items()), numbers, rule)


# -- inner workings -----------------------------------------------------------------------------------------------


def _parts(parts: Sequence[Any]) -> tuple[Schedule, ...]:
    given = listed("parts", parts)
    if not given:
        raise ArgumentError("a combination needs at least one schedule")
    return tuple(schedule(p) for p in given)


def _inner_numbers(inner: Sequence[Schedule]) -> dict[str, float]:
    return {key: value for i, s in enumerate(inner, 1) for key, value in prefixed(s, f"{i}.").items()}
