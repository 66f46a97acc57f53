"""The steps that graphc writes from the declared models."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import graphc as gx
from benchmarks.workloads.models import expression, model_of, optimizer_of
from benchmarks.workloads.problems import Problem
from graphc import stages
from graphc.train.run import Seeds

Step = Callable[[], Any]


def layouts(problem: Problem | None = None) -> tuple[str, ...]:
    """The layouts that there are for a step of training, or for a program."""
    if problem is not None and not problem.optimizer:
        return tuple(stages.LAYOUTS)
    return ("fresh", "planned") if "layout" in signature(gx.Model).parameters else ("fresh",)


def build(problem: Problem, layout: str = "fresh") -> Step:
    """A function that takes one step with the next batch and returns the loss (W5, W7: with the gradient)."""
    return _trained(problem, layout) if problem.optimizer else _differentiated(problem, layout)


def _differentiated(problem: Problem, layout: str) -> Step:
    y, x = expression(problem)
    reuse = layout != "fresh"  # the peers by hand return their buffers, too
    program = gx.compile([y, gx.grad(y, x)], layout=layout, reuse_outputs=reuse)
    arguments = [problem.x[0]] if problem.t is None else [problem.x[0], problem.t[0]]
    return lambda: tuple(program(*arguments))


def _trained(problem: Problem, layout: str) -> Step:
    """``train_step`` of the module that ``fit`` runs, called as ``fit`` calls it."""
    options = {"layout": layout} if "planned" in layouts() else {}
    model, optimizer = model_of(problem, **options), optimizer_of(problem)
    model.begin(optimizer, Seeds())
    train_step = model.module(optimizer).train_step
    x, t, count = problem.x, problem.t, problem.batches
    values = model.values
    params, state, slots, rng = values.params, values.state, values.slots, values.rng
    fixed = {} if t.dtype.kind == "f" else {"check": False}  # fit checks labels once, at the door
    k = 0

    def step() -> Any:
        nonlocal params, state, slots, k
        j = k % count
        k += 1
        params, state, slots, loss = train_step(
            params, state, slots, x[j], t[j], lr=problem.lr, rng=rng, **fixed
        )
        return loss

    return step
