"""Schedules of PyTorch's and optax's, step by step; the numbers of optax's are those that its curves show."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from graphc.optim import Schedule, schedule
from graphc.optim import schedules as s
from graphc.train import ReduceOnPlateau
from tests.external.harness import NOT_COVERED, RIGHT, WRONG, Case, Outcome, Suite, unrun
from tests.support import find_case

FILE = "optim/schedules.npz"
TOLERANCE = 1e-10
"""Relative, with the same beside it in absolute terms for rates of about 0."""

SCHEDULES: dict[str, Schedule] = {
    "StepLR": s.step(0.1, every=30),
    "MultiStepLR": s.multi_step(0.1, at=[30, 80, 150], factor=0.5),
    "ExponentialLR": s.exponential(0.1, 0.95),
    "CosineAnnealingLR": s.cosine(0.1, steps=50, end=1e-3, after="climb"),
    "CosineAnnealingLR_full": s.cosine(0.1, steps=200),
    "CosineAnnealingWarmRestarts": s.cosine_restarts(0.1, steps=10, end=1e-4, growth=2),
    "CosineAnnealingWarmRestarts_T1": s.cosine_restarts(0.1, steps=25),
    "OneCycleLR_cos": s.one_cycle(0.5, steps=201),
    "OneCycleLR_cos/momentum": s.one_cycle_momentum(steps=201),
    "OneCycleLR_linear3": s.one_cycle(0.5, steps=201, shape="linear", three_phase=True),
    "OneCycleLR_linear3/momentum": s.one_cycle_momentum(steps=201, shape="linear", three_phase=True),
    "LinearLR": s.linear(0.025, 0.1, steps=20),
    "ConstantLR": s.piecewise([15], [0.03, 0.1]),
    "PolynomialLR": s.polynomial(0.1, 0.0, steps=100, power=2),
    "CyclicLR_triangular": s.cyclic(0.01, 0.1, up=20),
    "CyclicLR_triangular2": s.cyclic(0.01, 0.1, up=15, down=25, shape="triangular2"),
    "CyclicLR_exp_range": s.cyclic(0.01, 0.1, up=20, shape="exp_range", factor=0.99),
    "LambdaLR_invsqrt": schedule("start / sqrt(1 + t)", start=0.1),
    "MultiplicativeLR": s.exponential(0.1, 0.97),
    "Sequential_warmup_cosine": s.sequential(
        [s.linear(0.01, 0.1, steps=10), s.cosine(0.1, steps=190)], at=[10]
    ),
    "optax_warmup_cosine": s.warmup(s.cosine(0.1, steps=180, end=1e-3), steps=20),
    "optax_exponential_staircase": s.sequential(
        [0.1, s.exponential(0.1, 0.8, steps=25, staircase=True)], at=[10]
    ),
    "optax_cosine_decay": s.cosine(0.1, steps=150, end=0.005),
    "optax_polynomial": s.sequential([0.1, s.polynomial(0.1, 1e-3, steps=150, power=3)], at=[20]),
}
"""Each stored curve as a schedule of graphc's."""

PLATEAUS: dict[str, ReduceOnPlateau] = {
    "ReduceLROnPlateau": ReduceOnPlateau("loss", factor=0.5, patience=5),
    "ReduceLROnPlateau_abs": ReduceOnPlateau(
        "loss", factor=0.2, patience=3, threshold=0.02, threshold_mode="abs", cooldown=4, min_rate=1e-3
    ),
    "ReduceLROnPlateau_max": ReduceOnPlateau("loss", mode="max", factor=0.5, patience=10),
}
"""What follows a score, not the step."""


class Run:
    """What the callback sees of a run: a rate that a factor multiplies."""

    def __init__(self) -> None:
        self.factor, self.epoch = 1.0, 0

    @property
    def rate(self) -> float:
        """The rate of the next step."""
        return 0.1 * self.factor


def check(made: Schedule, name: str, path: Path) -> Outcome:
    """The whole curve."""
    with np.load(path) as archive:
        want = archive[name]
    error = np.abs(made(np.arange(len(want))) - want) / (np.abs(want) + TOLERANCE)
    worst = float(error.max())
    verdict = RIGHT if worst <= TOLERANCE else WRONG
    return Outcome(verdict, f"worst relative error {worst:.1e} over {len(want)} steps")


def check_plateau(callback: ReduceOnPlateau, name: str, path: Path) -> Outcome:
    """The rate in each epoch, over a stored stream of scores."""
    with np.load(path) as archive:
        want, scores = archive[name], archive["plateau_metric"]
    run: Any = Run()
    callback.on_train_begin(run)
    got = []
    for run.epoch, score in enumerate(scores, 1):
        got.append(run.rate)
        callback.on_epoch_end(run, {"loss": float(score)})
    worst = float((np.abs(np.array(got) - want) / want).max())
    note = f"worst relative error {worst:.1e}, {len(callback.falls)} falls"
    return Outcome(RIGHT if worst <= TOLERANCE and len(set(want)) > 1 else WRONG, note)


def case(name: str) -> Case:
    """The case of one curve."""
    if name in SCHEDULES:
        return Case(name, FILE, partial(check, SCHEDULES[name], name))
    if name in PLATEAUS:
        return Case(name, FILE, partial(check_plateau, PLATEAUS[name], name))
    return unrun(name, FILE, NOT_COVERED, name)


def stored() -> list[str]:
    """The curves in the file; the stream of a metric is no curve."""
    path, _ = find_case(FILE)
    if path is None:
        return []
    with np.load(path) as archive:
        return [name for name in archive.files if name != "plateau_metric"]


SUITE = Suite("schedules", tuple(case(name) for name in stored() or SCHEDULES), stored)
