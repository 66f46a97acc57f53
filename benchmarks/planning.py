"""What a plan costs: the first step of a new size of batch, which makes its buffers, against a step.

    python -m benchmarks.planning                # all nine, on one core; half a minute
    python -m benchmarks.planning W1 W2

A plan is made when a step first meets a size, and kept. Each round takes a step of a size that was not met yet, one row
fewer than the last time, and steps of that size after it. The table has medians over the rounds: the first step less a
later one, a later one, and their ratio, which is meant to stay below ten. The first step also touches the memory of its
buffers for the first time, which for large ones is most of it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

import graphc as gx
from benchmarks.nine import NAMES, duration, on_one_core
from benchmarks.timing import table
from benchmarks.workloads.models import expression, model_of, optimizer_of
from benchmarks.workloads.problems import PROBLEMS, Problem
from graphc.train.run import Seeds

ROUNDS, LATER = 9, 5
Step = Callable[[int], Any]


def step_of(problem: Problem) -> Step:
    """A planned step with the first rows of the first batch."""
    return _trained(problem) if problem.optimizer else _differentiated(problem)


def _differentiated(problem: Problem) -> Step:
    y, x = expression(problem)
    program = gx.compile([y, gx.grad(y, x)], layout="planned", reuse_outputs=True)
    given = [problem.x[0]] if problem.t is None else [problem.x[0], problem.t[0]]
    return lambda rows: program(*(a[:rows] for a in given))


def _trained(problem: Problem) -> Step:
    model, optimizer = model_of(problem, layout="planned"), optimizer_of(problem)
    model.begin(optimizer, Seeds())
    train_step, values = model.module(optimizer).train_step, model.values
    params, state, slots, rng = values.params, values.state, values.slots, values.rng
    x, t = problem.x[0], problem.t[0]
    axis = 1 if problem.name == "W8" else 0  # time comes first there
    fixed = {} if t.dtype.kind == "f" else {"check": False}

    def step(rows: int) -> Any:
        nonlocal params, state, slots
        batch = np.ascontiguousarray(x[:, :rows] if axis else x[:rows])
        made = train_step(params, state, slots, batch, t[:rows], lr=problem.lr, rng=rng, **fixed)
        params, state, slots, _ = made

    return step


def seconds(step: Step, rows: int) -> float:
    """The time of one step."""
    start = perf_counter()
    step(rows)
    return perf_counter() - start


def measured(problem: Problem, rounds: int = ROUNDS) -> tuple[float, float]:
    """The seconds that a plan takes and those of a step."""
    step = step_of(problem)
    whole = problem.x.shape[2] if problem.name == "W8" else problem.x.shape[1]
    plans, steps = [], []
    with np.errstate(all="ignore"):
        step(whole)
        for rows in range(whole - 1, whole - 1 - rounds, -1):
            first = seconds(step, rows)
            later = [seconds(step, rows) for _ in range(LATER)]
            plans.append(first - median(later))
            steps.append(median(later))
    return median(plans), median(steps)


def main(arguments: Sequence[str]) -> None:
    """Measure and print the table."""
    on_one_core(arguments, "benchmarks.planning")
    rows = []
    for name in arguments or NAMES:
        plan, step = measured(PROBLEMS[name]())
        rows.append((name, duration(plan), duration(step), f"{plan / step:.1f}"))
    print(table(("", "plan", "step", "plan / step"), rows))


if __name__ == "__main__":
    main(sys.argv[1:])
