"""A model on data, in chunks: what it predicts, its loss, its metrics and the scores of whole predictions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from graphc.codegen.labels import label_inputs
from graphc.errors import DataError, ShapeError
from graphc.ir.node import Node
from graphc.ir.structure import flatten, unflatten
from graphc.stages import compile
from graphc.train.data import Arrays, batches, checked, example_count, is_stream, named_arrays
from graphc.train.programs import Module, within
from graphc.train.sources import StreamSource

EVALUATION_BATCH = 1024
"""How many examples predict and evaluate take at once."""


def predict(model: Any, x: Any, averaged: bool = False) -> Any:
    """The outputs for data; see ``Model.predict``."""
    arrays = named_arrays(getattr(x, "x", x), None, model.x_names, [])
    leaves = [model.graph.leaf(n) for n in model.x_names]
    data = checked(arrays, model.graph, leaves, label_inputs(model.graph))
    model._ensure_values()
    module = model.module(None)
    nodes, form = flatten(model.outputs, lambda n: isinstance(n, Node))
    values = model.in_use(averaged), model.values.state
    with np.errstate(all="ignore"):
        parts = [module.predict(*values, *batch.values()) for batch in _chunks(model, data)]
    flat = [flatten(part, lambda a: not isinstance(a, (list, tuple, dict)))[0] for part in parts]
    return unflatten(form, [_joined(node, [f[i] for f in flat]) for i, node in enumerate(nodes)])


def evaluate(
    model: Any, data: Arrays | StreamSource, module: Module, averaged: bool = False
) -> dict[str, float]:
    """The loss and the metrics on checked data, weighted by the size of each chunk; scores over all of it.

    Raises:
        DataError: a stream without a batch.
    """
    values = model.in_use(averaged), model.values.state
    found, rows = [], []
    scored: list[Any] = []
    run = _scoring(model, values, scored) if model.scores else _measuring(model, values, module)
    with np.errstate(all="ignore"):  # what is not finite is shown as such
        for batch in _chunks(model, data):
            found.append(run(batch))
            rows.append(len(batch[model.batched[0]]) if model.batched else 1)
        if not found:
            raise DataError(
                "there was no batch to evaluate on", fix="pass a function that returns a new iterator"
            )
        means = found[0] if len(found) == 1 else _means(found, rows)  # one chunk: as it is, to the last bit
        return {k: float(v) for k, v in means.items()} | _scores(model, scored)


def _means(found: list[dict[str, Any]], rows: list[int]) -> dict[str, Any]:
    return {k: np.average([f[k] for f in found], weights=rows) for k in found[0]}


def _measuring(model: Any, values: Any, module: Module) -> Any:
    names, extra = model.evaluated_inputs, {"check": False} if module.model.labels else {}
    return lambda batch: module.evaluate(*values, *[batch[n] for n in names], **extra)


def _scoring(model: Any, values: Any, scored: list[Any]) -> Any:
    """Loss, metrics and what scores read, from one program; the last are collected."""
    program = model.scoring
    known = {str(program.graph.name_of(n)) for n in program.graph.arguments}

    def run(batch: Arrays) -> Any:
        given = {**batch, **values[0], **values[1]}
        found = program(**{k: v for k, v in given.items() if k in known})
        found = found[0] if program.graph.updates else found
        scored.append(found["scores"])
        return found["means"]

    return run


def scoring_program(model: Any) -> Any:
    """What ``evaluate`` runs for a model with scores."""
    outputs = {"means": {"loss": model.loss, **model.metrics}, "scores": score_nodes(model.scores)}
    graph = within(model.graph, outputs, "scores")
    return compile(graph, level=model.level, name="scores")


def score_nodes(scores: Any) -> dict[str, list[Node]]:
    """What each score reads."""
    return {name: list(score.nodes) for name, score in scores.items()}


def _scores(model: Any, scored: list[Any]) -> dict[str, float]:
    result = {}
    for name, score in model.scores.items():
        parts = zip(*(found[name] for found in scored), strict=True)
        arrays = [_joined(node, list(part)) for node, part in zip(score.nodes, parts, strict=True)]
        result[name] = score(*arrays)
    return result


def readable(model: Any, x: Any, y: Any) -> Arrays | StreamSource:
    """Data to evaluate on: checked arrays, or a stream whose batches are checked as they come."""
    if is_stream(x, y):
        return StreamSource(model, x)
    arrays: Arrays = model.checked_data(x, y)
    return arrays


def _chunks(model: Any, data: Arrays | StreamSource) -> Iterable[Arrays]:
    if isinstance(data, StreamSource):
        return data.batches(0, 0)
    if not any(name in data for name in model.batched):
        return [data]
    cut = [n for n in model.batched if n in data]
    order = np.arange(example_count(data, cut))
    return batches(data, order, EVALUATION_BATCH, cut)


def _joined(node: Node, parts: list[Any]) -> Any:
    if len(parts) == 1:
        return parts[0]
    if not node.shape or isinstance(node.shape[0], int):
        raise ShapeError(
            "this output has no axis of examples, so it cannot be put together from batches",
            given=str(node.type),
            fix=f"predict at most {EVALUATION_BATCH} examples at a time",
        )
    return np.concatenate(parts)
