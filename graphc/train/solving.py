"""Gradient descent over all of the data at once, until it has converged."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import ArgumentError
from graphc.optim.descent import sgd
from graphc.runtime.load import refusals
from graphc.train.data import Arrays
from graphc.train.fitting import checked_optimizer
from graphc.train.history import History
from graphc.train.interrupt import Interrupt
from graphc.train.kept import Kept
from graphc.train.run import INTERRUPTED, Before, Run, check_count, seeds_of
from graphc.train.step import blamed, check_last

CRITERIA = {
    "loss": "the loss changed by",
    "gradient": "the norm of the gradient is",
    "parameters": "the parameters moved by",
}


@dataclass(frozen=True)
class Goal:
    """When to stop.

    Attributes:
        until: what is compared: ``loss`` |L_t - L_{t-1}|, ``gradient`` ‖∇L‖, or ``parameters`` ‖θ_t - θ_{t-1}‖
            (Euclidean norms over all trained parameters together).
        tolerance: at most this, and it has converged; None for a fixed number of steps.
        max_steps: never more steps than this.
    """

    until: str
    tolerance: float | None
    max_steps: int

    def __post_init__(self) -> None:
        if self.until not in CRITERIA:
            raise ArgumentError("unknown criterion", given=repr(self.until), expected=", ".join(CRITERIA))
        check_count("max_steps", self.max_steps, 1)
        t = self.tolerance
        if t is not None and (
            isinstance(t, bool) or not isinstance(t, (int, float)) or not 0 <= t < math.inf
        ):
            raise ArgumentError("tolerance is a finite number of at least 0, or None", given=repr(t))

    def reached(self, row: dict[str, float], before: dict[str, float] | None, step: int) -> str:
        """Why it has converged with the step of this row; empty where it has not."""
        if self.tolerance is None:
            return ""
        if self.until == "loss":
            found = abs(row["loss"] - before["loss"]) if before else math.inf
        else:
            found = row["gradient_norm" if self.until == "gradient" else "change"]
        if not found <= self.tolerance:
            return ""
        return f"{CRITERIA[self.until]} {found:.3g}, at most the tolerance {self.tolerance:g}, in step {step}"


def solve(model: Any, x: Any, y: Any, optimizer: Any, goal: Goal, seed: Any, record_every: int) -> History:
    """Descend; see ``Model.solve``."""
    model._need_loss()
    check_count("record_every", record_every, 1)
    seeds = seeds_of(seed)
    chosen = checked_optimizer(optimizer or model.optimizer or sgd())
    data = model.checked_data(x, y)
    module = model.compiled(chosen)
    model.begin(chosen, seeds)
    run = Run(model, module, chosen, 1, seeds)
    run.history.stopped, model.training = "", None
    first = len(run.history)
    try:
        with Interrupt() as interrupt:
            run.reason = _descend(run, data, goal, first, record_every, interrupt)
            check_last(run, "step")
    except KeyboardInterrupt:
        run.reason = INTERRUPTED
    except BaseException as error:
        run.reason = f"{type(error).__name__}: {' '.join(str(getattr(error, 'what', error)).split())}"
        raise
    finally:
        run.history.stopped = run.reason
    return run.history


def _descend(run: Run, data: Arrays, goal: Goal, first: int, record_every: int, interrupt: Interrupt) -> str:
    row: dict[str, float] | None = None
    for step in range(1, goal.max_steps + 1):
        run.epoch = first + step
        before = row
        interrupt.held = True
        row = {"epoch": run.epoch, **_step(run, data)}
        reason = goal.reached(row, before, step)
        if step % record_every == 0 or reason or step == goal.max_steps:
            run.history.rows.append(row)
        interrupt.release()
        if reason:
            return reason
    done = f"{goal.max_steps} step{'s' if goal.max_steps > 1 else ''} done"
    return done if goal.tolerance is None else f"{done}, and it had not converged"


def _step(run: Run, data: Arrays) -> dict[str, float]:
    """A step: the loss and the gradient before it, and how far the parameters moved."""
    module, values = run.module, run.model.values
    inputs = [data[name] for name in run.inputs]
    unchecked = {"check": False} if module.model.labels else {}  # labels are checked at the door
    with np.errstate(all="ignore"), refusals():
        loss, state, saved = module.forward(values.params, values.state, *inputs, **_draws(run), **unchecked)
        if not math.isfinite(loss):
            raise blamed(run, data, f"the loss became {float(loss)} in step {run.epoch}")
        grads = module.backward(values.params, saved)
        params, slots = module.update(values.params, values.slots, grads, **run.hypers)
    moved = _norm([params[name] - values.params[name] for name in grads])
    run.before = Before(data, Kept().keep(values))
    values.params, values.state, values.slots = params, state, slots
    values.step += 1
    return {"loss": float(loss), "gradient_norm": _norm(list(grads.values())), "change": moved}


def _draws(run: Run) -> dict[str, Any]:
    return {"rng": run.model.values.rng} if run.model.values.rng else {}


def _norm(arrays: list[Any]) -> float:
    """√ Σ x² over all of them, in float64."""
    return math.sqrt(sum(float(np.sum(np.square(a, dtype=np.float64))) for a in arrays))
