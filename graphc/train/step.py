"""One step of training, and the first value that stopped being finite."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphc.errors import NonFiniteError
from graphc.runtime.load import refusals
from graphc.train.data import Arrays
from graphc.train.run import Before, Run


def step(run: Run, batch: Arrays, rate: float | None = None) -> float:
    """One step of training on the model's values; at the rate of the run, or at another.

    Raises:
        NonFiniteError: the loss is nan or infinite; the message names where that began, and the model keeps the last
            values that were finite.
        DataError: a batch that the program refuses, such as one that is too small to be normalised.
    """
    values = run.model.values
    inputs = [batch[name] for name in run.inputs]
    hypers = run.hypers if rate is None else {**run.hypers, "lr": rate}
    with np.errstate(all="ignore"), refusals():
        params, state, slots, found = run.module.train_step(
            values.params, values.state, values.slots, *inputs, rng=values.rng, **hypers, **run.unchecked
        )
    loss = float(found)
    if not -np.inf < loss < np.inf:
        raise blamed(run, batch, loss)
    run.before = Before(batch, values.params, values.state, values.slots)
    values.params, values.state, values.slots = params, state, slots
    values.step += 1
    return loss


def blamed(run: Run, batch: Arrays, loss: float) -> NonFiniteError:
    """Where the first non-finite value began: node, formula, layer, user line.

    Where it began in the gradient of the step before, whose loss was finite still, that step is undone.
    """
    from graphc.runtime.guards import first_non_finite

    model, before = run.model, run.before
    if before is not None and not all(np.isfinite(v).all() for v in model.values.params.values()):
        vars(model.values).update(params=before.params, state=before.state, slots=before.slots)
        model.values.step -= 1
        batch = before.batch
    arrays: dict[str, Any] = {**batch, **model.values.params, **model.values.state}
    place = first_non_finite(model.training_graph(), arrays, model.make_rng(0))
    return NonFiniteError(
        f"the loss became {loss} in epoch {run.epoch}",
        given=f"it began at {place.text}"
        if place
        else "finite values: it comes from rounding or from random draws",
        where=place.where if place else None,
        fix="lower the learning rate, scale the inputs, or check the data; the model keeps its last finite values",
    )
