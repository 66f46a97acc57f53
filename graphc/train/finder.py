"""Looking for a learning rate: short training at rates that rise, on values that are put back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from graphc.errors import ArgumentError, NonFiniteError
from graphc.optim.descent import sgd
from graphc.optim.optimizer import Optimizer
from graphc.runtime.figures import COLOURS, DASHES, GREY, WIDTH, axes_for, legend, tidy
from graphc.train.data import Arrays, example_count
from graphc.train.fitting import batch_size_for, checked_optimizer
from graphc.train.run import Run, check_count, seeds_of
from graphc.train.sources import ArraySource
from graphc.train.step import step


@dataclass(frozen=True, repr=False)
class RateSearch:
    """The loss at rates that rise.

    Attributes:
        rates: the rate of each step.
        losses: the loss of the batch before that step.
        smooth: the losses, averaged over steps.
        suggestion: where the smooth loss falls fastest over the logarithm of the rate.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smooth: tuple[float, ...]
    suggestion: float

    def __repr__(self) -> str:
        return (
            f"<search of {len(self.rates)} rates up to {self.rates[-1]:.3g}: suggests {self.suggestion:.3g}>"
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw the losses over the rates with matplotlib; returns the axes.

        Raises:
            MissingDependency: matplotlib is not installed.
        """
        axes = axes_for(ax)
        axes.plot(self.rates, self.losses, color=GREY, linewidth=0.8, label="loss of the batch")
        axes.plot(self.rates, self.smooth, color=COLOURS[0], linewidth=WIDTH, label="smooth")
        line = {"color": COLOURS[1], "linestyle": DASHES[1], "label": f"suggests {self.suggestion:.2g}"}
        axes.axvline(self.suggestion, **line)
        axes.set_xscale("log")
        tidy(axes, x="learning rate", y="loss")
        legend(axes)
        return axes


def find_rate(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    optimizer: Optimizer | str | None = None,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 100,
    batch_size: int | None = None,
    seed: int = 0,
    smoothing: float = 0.9,
) -> RateSearch:
    """Train for a few steps at rates that rise from ``low`` to ``high``, then put everything back.

    It ends early where the loss is no longer finite or has grown to four times its least smooth value. The smooth loss
    is an exponential average, corrected for its start: s ← a s + (1-a) L; s / (1 - aᵗ).

    Args:
        model: what to train; it is left as it was.
        x: arrays for its inputs, or a data set.
        y: arrays for its targets.
        optimizer: whose rate is looked for; by default the model's own, or ``sgd()``.
        low: the first rate.
        high: the last rate.
        steps: how many rates.
        batch_size: examples per step; by default 32, or all where there are fewer.
        seed: of starting values (where the model has none), order and masks.
        smoothing: the share a of the average that is kept.

    Raises:
        ArgumentError: rates that do not rise, or too few steps.
        DataError: data that does not fit, or a loss that is not finite from the start.

    Source: Smith 2017, Cyclical learning rates for training neural networks, section 3.3.
    """
    _check(low, high, steps, smoothing)
    chosen = replace(
        checked_optimizer(optimizer or model.optimizer or sgd()), rate=low
    )  # in place of a schedule
    arrays = model.checked_data(x, y)
    size = batch_size_for(example_count(arrays, model.batched), batch_size)
    seeds = seeds_of(seed)
    kept = model.values, model.optimizer, model.training
    model.values = deepcopy(model.values)
    try:
        model.begin(chosen, seeds)
        run = Run(model, model.compiled(chosen), chosen, 1, seeds)
        batches = _endless(ArraySource(arrays, model.batched, size, seeds.shuffle))
        rates = [low * (high / low) ** (i / (steps - 1)) for i in range(steps)]
        return _searched(run, batches, rates, smoothing)
    finally:
        model.values, model.optimizer, model.training = kept


def _check(low: Any, high: Any, steps: Any, smoothing: Any) -> None:
    check_count("steps", steps, 3)
    if not all(isinstance(r, (int, float)) for r in (low, high)) or not 0 < low < high < math.inf:
        raise ArgumentError(
            "rates rise from low to high", given=f"low={low!r}, high={high!r}", expected="0 < low < high"
        )
    if not isinstance(smoothing, (int, float)) or not 0 <= smoothing < 1:
        raise ArgumentError("smoothing is at least 0 and less than 1", given=repr(smoothing))


def _endless(source: ArraySource) -> Iterator[Arrays]:
    epoch = 0
    while True:
        yield from source.batches(epoch, 0)
        epoch += 1


def _searched(run: Run, batches: Iterator[Arrays], rates: list[float], a: float) -> RateSearch:
    losses: list[float] = []
    smooth: list[float] = []
    average = 0.0
    for t, (rate, batch) in enumerate(zip(rates, batches, strict=False), start=1):
        try:
            loss = step(run, batch, rate)
        except NonFiniteError:
            if not losses:
                raise
            break
        average = a * average + (1 - a) * loss
        losses.append(loss)
        smooth.append(average / (1 - a**t))
        if smooth[-1] > 4 * min(smooth):
            break
    return RateSearch(tuple(rates[: len(losses)]), tuple(losses), tuple(smooth), _steepest(rates, smooth))


def _steepest(rates: list[float], smooth: list[float]) -> float:
    """Where the smooth loss falls fastest, before its least value."""
    end = int(np.argmin(smooth)) + 1
    if end < 3:
        return rates[0]
    slopes = np.gradient(smooth[:end], np.log(rates[:end]))
    return rates[int(np.argmin(slopes))]
