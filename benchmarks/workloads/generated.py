"""The steps that graphc writes from the declared models."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import signature
from typing import Any

import graphc as gx
from benchmarks.workloads.models import expression, model_of, optimizer_of
from benchmarks.workloads.problems import Problem
from graphc.train.run import Seeds

Step = Callable[[], Any]


def layouts(problem: Problem | None = None) -> tuple[str, ...]:
    """The layouts that there are for a step of training, or for a program; ``epoch`` where batches are cut in it."""
    if problem is not None and not problem.optimizer:
        return ("fresh", "planned")
    known = ("fresh", "planned") if "layout" in signature(gx.Model).parameters else ("fresh",)
    cut = problem is not None and problem.x.shape[:2] == problem.t.shape[:2]
    return (*known, "epoch") if cut and "planned" in known else known


def build(problem: Problem, layout: str = "fresh", target: str = "numpy") -> Step:
    """A function that takes one step with the next batch and returns the loss (W5, W7: with the gradient)."""
    if layout == "epoch":
        return Epoch(problem, target)
    if problem.optimizer:
        return _trained(problem, layout, target)
    return _differentiated(problem, layout, target)


def build_numba(problem: Problem) -> Step:
    """The same with kernels that Numba compiles, in the last layout that there is."""
    return build(problem, layouts(problem)[-1], "numba")


def _differentiated(problem: Problem, layout: str, target: str) -> Step:
    y, x = expression(problem)
    reuse = layout != "fresh"  # the peers by hand return their buffers, too
    program = gx.compile([y, gx.grad(y, x)], layout=layout, target=target, reuse_outputs=reuse)
    arguments = [problem.x[0]] if problem.t is None else [problem.x[0], problem.t[0]]
    return lambda: tuple(program(*arguments))


def _trained(problem: Problem, layout: str, target: str) -> Step:
    """``train_step`` of the module that ``fit`` runs, called as ``fit`` calls it for one step."""
    options = {"layout": layout, "target": target} if "planned" in layouts() else {}
    model, optimizer = model_of(problem, **options), optimizer_of(problem)
    model.begin(optimizer, Seeds())
    train_step = model.module(optimizer).train_step
    x, t, count = problem.x, problem.t, problem.batches
    values = model.values
    params, state, slots, rng = values.params, values.state, values.slots, values.rng
    k = 0

    def step() -> Any:
        nonlocal params, state, slots, k
        j = k % count
        k += 1
        params, state, slots, loss = train_step(
            params, state, slots, x[j], t[j], lr=problem.lr, rng=rng, check=False
        )
        return loss

    return step


class Epoch:
    """``train_epoch`` on data that ``prepare`` made beforehand, in the order of the batches, as ``fit`` calls it.

    Called, it takes one step; ``many`` takes so many with no look between them.
    """

    def __init__(self, problem: Problem, target: str = "numpy") -> None:
        self.model = model_of(problem, layout="planned", target=target)
        optimizer = optimizer_of(problem)
        self.model.begin(optimizer, Seeds())
        module, values = self.model.module(optimizer), self.model.values
        self.size, self.batches, self.at = problem.x.shape[1], problem.batches, 0
        rows = {"x": problem.x, "t": problem.t}
        self.data = module.prepare({k: a.reshape(-1, *a.shape[2:]) for k, a in rows.items()})
        self.values = values.params, values.state, values.slots
        self.train = partial(module.train_epoch, batch_size=self.size, lr=problem.lr, rng=values.rng)

    def __call__(self) -> Any:
        """The loss of the next step."""
        return self.many(1)

    def many(self, count: int) -> Any:
        """The loss of the last of so many steps."""
        losses: list[Any] = []
        while count:
            steps = min(count, self.batches - self.at)
            rows = slice(self.at * self.size, (self.at + steps) * self.size)
            *values, losses = self.train(*self.values, self.data, rows)
            self.values = tuple(values)
            self.at, count = (self.at + steps) % self.batches, count - steps
        return losses[-1]
