"""What a model shows: the graph that is drawn, and the explanation of a parameter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from graphc.derivatives import grad
from graphc.errors import ArgumentError
from graphc.ir.graph import Graph, graph_of, unknown_name
from graphc.optim.optimizer import Optimizer


def drawing_graph(model: Any, optimizer: Optimizer | None = None) -> Graph:
    """Outputs, loss and the gradients of all trained parameters; with an optimizer, the updates too."""
    if model.loss is None:
        return graph_of({"outputs": model.outputs}, name=model.graph.name)
    trained = {str(model.graph.name_of(p)): p for p in model._trained(optimizer)}
    gradients = dict(zip(trained, grad(model.loss, list(trained.values()), model.level), strict=True))
    updates = optimizer.updates(trained, gradients) if optimizer else None
    graph = graph_of(
        {"loss": model.loss, "outputs": model.outputs, "gradients": gradients}, updates, model.graph.name
    )
    return replace(graph, scope_names=model.graph.scope_names)


def explain_param(model: Any, name: str | None) -> Any:
    """The chain rule, step by step, from the loss to a parameter (all of them by default)."""
    from graphc.explanation.steps import explain_gradients

    if model.loss is None:
        raise ArgumentError("this model has no loss to explain", fix="gx.Model(outputs, loss)")
    graph = drawing_graph(model)
    known = [str(model.graph.name_of(p)) for p in model._trained()]
    if name is not None and name not in known:
        raise unknown_name(name, known, "trained parameter")
    return explain_gradients(graph, [name] if name else known)
