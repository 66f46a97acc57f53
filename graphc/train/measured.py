"""What a model says of its own step of training: operations, bytes, memory, and where the time goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from graphc.derivatives import grad
from graphc.explanation.profile import Profile, make_profile
from graphc.explanation.report import Report, make_report
from graphc.ir.graph import Graph, graph_of
from graphc.ops.evaluate import size_values
from graphc.optim import sgd
from graphc.optim.optimizer import Optimizer
from graphc.planning.alive import alive_peak
from graphc.planning.batch_last import batch_last
from graphc.planning.early import with_early_factors
from graphc.planning.order import Plan, make_plan
from graphc.rewrite.driver import summed
from graphc.runtime.load import refusals
from graphc.runtime.memory import measured_peak, sample_arrays
from graphc.runtime.stamps import line_times, watched
from graphc.stages import plan, resolve, simplify
from graphc.train.fitting import checked_optimizer


class Measured:
    """The part of a model that measures it."""

    def report(self, optimizer: Any = None) -> Report:
        """What a step of training takes: passes, rules, operations and bytes of loss, gradients and update, memory.

        ``report.at(batch=...)`` has numbers. Its memory is what must be alive at the worst moment, and what a step
        allocated; parameters and slots themselves count in the fresh layout alone, which makes new ones.

        Args:
            optimizer: by default the last one used, the model's own, or ``sgd()``.

        Example:
            >>> import graphc as gx
            >>> x, t = gx.input("x", ("batch", 4)), gx.input("t", ("batch",), dtype="int64")
            >>> z = gx.nn.dense(x, 3, name="output")
            >>> model = gx.Model(z, gx.nn.cross_entropy(z, t))
            >>> model.report().at(batch=10).layout in ("fresh", "planned")
            True
        """
        return step_report(self, optimizer)

    def profile(self, x: Any, y: Any = None, *, optimizer: Any = None, seconds: float = 0.3) -> Profile:
        """Where the time of a step of training goes, by line, layer and node; the model itself is left as it is.

        Args:
            x: one batch, as for ``fit``.
            y: as for ``fit``.
            optimizer: by default the last one used, the model's own, or ``sgd()``.
            seconds: about how long to measure.
        """
        return step_profile(self, x, y, optimizer, seconds)


def step_report(model: Any, optimizer: Any = None) -> Report:
    """See ``Measured.report``."""
    optimizer = chosen(model, optimizer)
    module = model.module(optimizer)
    planned = step_plan(model, optimizer)
    layout = getattr(model, "layout", "fresh")

    free = layout == "planned" and model.level != "exact"
    stored = make_plan(batch_last(planned.graph)) if free else planned

    def peaks(sizes: Mapping[str, int]) -> tuple[int, int]:
        return alive_in_step(stored, sizes, layout), _measured(model, optimizer, sizes)

    found = make_report(model.name, planned, module.trace, module.source, peaks)
    return replace(found, layout=layout, passes=summed(found.passes))


def alive_in_step(planned: Plan, sizes: Mapping[str, int], layout: str) -> int:
    """The bytes that must be alive at the worst moment of a step.

    In the planned layout gradients, parameters and slots have places of their own, and the update takes them a piece at
    a time: then what counts is the forward and the backward pass.
    """
    if layout == "fresh":
        return alive_peak(planned.order, planned.graph.roots, sizes, counted=True)
    planned = with_early_factors(planned)
    later = set(planned.of_phase("update"))
    order = [n for n in planned.order if n not in later]
    handed_on = [x for node in later for x in node.inputs if x not in later]
    return alive_peak(order, [*planned.graph.roots, *handed_on], sizes)


def chosen(model: Any, optimizer: Any) -> Optimizer:
    """The optimizer that is meant where none is named."""
    return checked_optimizer(optimizer or model.optimizer or sgd())


def step_plan(model: Any, optimizer: Any) -> Plan:
    """Loss, gradients and update as one plan."""
    graph = resolve(step_graph(model, optimizer), "train")
    return plan(simplify(graph, model.level), model.level)


def step_graph(model: Any, optimizer: Any) -> Graph:
    """A whole step as one graph: loss, gradients, and the next values of parameters and slots."""
    trained = {str(model.graph.name_of(p)): p for p in model._trained(optimizer)}
    gradients = dict(zip(trained, grad(model.loss, list(trained.values()), model.level), strict=True))
    updates = optimizer.updates(trained, gradients)
    graph = graph_of([model.loss, *gradients.values()], updates, "step")
    return replace(graph, scope_names=model.graph.scope_names)


def stepper(model: Any, optimizer: Any, space: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Any]:
    """A function that takes a step on copies of the model's values, with a batch, and returns the loss."""
    params, state = dict(model.params), dict(model.state)
    slots = model.starting_slots(optimizer)
    module = model.module(optimizer)
    names = module.model.update.hypers
    hypers = {names[key][0]: value for key, value in optimizer.hypers(1.0).items()}
    options: dict[str, Any] = {"check": False} if module.model.checks else {}
    inputs, rng, train_step = model.train_inputs, model.make_rng(0), space["train_step"]

    def step(batch: Mapping[str, Any]) -> Any:
        nonlocal params, state, slots
        arrays = [batch[name] for name in inputs]
        params, state, slots, loss = train_step(params, state, slots, *arrays, rng=rng, **hypers, **options)
        return loss

    return step


def step_profile(model: Any, x: Any, y: Any, optimizer: Any, seconds: float) -> Profile:
    """See ``Measured.profile``."""
    optimizer = chosen(model, optimizer)
    batch = model.checked_data(x, y)
    module = model.module(optimizer)
    space, watch = watched(module.source.text, module.model.name)
    with np.errstate(all="ignore"), refusals():
        plain, stamped = stepper(model, optimizer, module.functions), stepper(model, optimizer, space)
        times = line_times(lambda: plain(batch), lambda: stamped(batch), watch, seconds)
    inputs = [leaf for leaf in model.graph.leaves("input") if model.graph.name_of(leaf) in batch]
    sizes = size_values([n.type for n in inputs], [batch[str(model.graph.name_of(n))] for n in inputs])
    return make_profile(model.name, module.source, model.graph, sizes, times)


def _measured(model: Any, optimizer: Any, sizes: Mapping[str, int]) -> int:
    """The peak of the first step of these sizes, after one of other sizes has made what all sizes share."""
    other, batch = _batch(model, {name: n + 1 for name, n in sizes.items()}), _batch(model, sizes)
    step = stepper(model, optimizer, model.module(optimizer).functions)
    with np.errstate(all="ignore"):
        step(other)
        return measured_peak(lambda: step(batch), warm=False)


def _batch(model: Any, sizes: Mapping[str, int]) -> dict[str, Any]:
    inputs = model.graph.leaves("input")
    return {str(model.graph.name_of(n)): a for n, a in zip(inputs, sample_arrays(inputs, sizes), strict=True)}
