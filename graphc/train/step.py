"""One step of training, and the first value that stopped being finite."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from graphc.derivatives import grad
from graphc.errors import NonFiniteError
from graphc.ir.graph import Graph, graph_of
from graphc.runtime.load import refusals
from graphc.train.data import Arrays
from graphc.train.kept import all_finite
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
    kept = run.kept[0].keep(values)
    with np.errstate(all="ignore"), refusals():
        params, state, slots, found = run.module.train_step(
            values.params, values.state, values.slots, *inputs, rng=values.rng, **hypers, **run.unchecked
        )
    loss = float(found)
    if not -np.inf < loss < np.inf:
        raise blamed(run, batch, f"the loss became {loss} in epoch {run.epoch}")
    run.before, run.kept = Before(batch, kept, made=params), run.kept[::-1]
    values.params, values.state, values.slots = params, state, slots
    values.step += 1
    return loss


def check_last(run: Run, unit: str = "epoch") -> None:
    """Look at what the last step made, where no further loss will.

    Raises:
        NonFiniteError: a parameter is nan or infinite; that step is undone.
    """
    if run.before is not None and not all_finite(run.model.values.params):
        raise blamed(run, run.before.batch, f"a parameter became nan or infinite in {unit} {run.epoch}")


def blamed(run: Run, batch: Arrays, what: str) -> NonFiniteError:
    """Where the first non-finite value began: node, formula, layer, user line.

    Where it began in the step before, whose loss was finite still (in its gradient, or in the optimizer), that step is
    undone.
    """
    from graphc.runtime.guards import first_non_finite
    from graphc.runtime.program import make_rng

    model, before = run.model, run.before
    params = model.values.params
    if before is not None and before.made_these(params) and not all_finite(params):
        before.kept.restore(model.values)
        model.values.step -= before.steps
        batch = before.batch
    graph = _step_graph(run)
    place = first_non_finite(graph, _arguments(run, graph, batch), make_rng(graph, 0))
    return NonFiniteError(
        what,
        given=f"it began at {place.text}"
        if place
        else "finite values: it comes from rounding or from random draws",
        where=place.where if place else None,
        fix="lower the learning rate, scale the inputs, or check the data; the model keeps its last finite values",
    )


def _step_graph(run: Run) -> Graph:
    """A whole step as one graph: loss, gradients, and the next values of parameters and slots."""
    from graphc.stages import resolve

    model = run.model
    trained = {str(model.graph.name_of(p)): p for p in model._trained(run.optimizer)}
    gradients = dict(zip(trained, grad(model.loss, list(trained.values()), model.level), strict=True))
    updates = run.optimizer.updates(trained, gradients)
    graph = graph_of([model.loss, *gradients.values()], updates)
    return resolve(replace(graph, scope_names=model.graph.scope_names), "train")


def _arguments(run: Run, graph: Graph, batch: Arrays) -> dict[str, Any]:
    values = run.model.values
    defaults = {str(graph.name_of(leaf)): leaf.attrs["default"] for leaf in graph.leaves("hyper")}
    rates = run.optimizer.hypers(run.factor)
    return {**defaults, **rates, **batch, **values.params, **values.state, **values.slots}
