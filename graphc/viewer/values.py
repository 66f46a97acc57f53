"""What the values of one batch are: statistics and a histogram for each box."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from graphc.codegen.labels import label_inputs
from graphc.errors import ArgumentError
from graphc.runtime.arguments import check_arrays
from graphc.runtime.interpret import interpret_nodes
from graphc.runtime.labels import refuse_labels
from graphc.runtime.program import make_rng
from graphc.viewer.content import Content

BINS = 24
DIGITS = 5


def statistics(content: Content, what: Any, values: Any) -> dict[int, dict[str, Any]]:
    """By box, what its array holds.

    Args:
        content: what is shown.
        what: the model, whose parameters are taken, or anything else.
        values: a batch.

    Raises:
        ArgumentError, ShapeError, DTypeError, DataError: an argument has no value, or one that does not fit.
    """
    graph = content.graph
    arrays = _arguments(content, what, values)
    boxes = {key: nodes[-1] for key, nodes in content.figure.nodes.items()}
    shown = replace(graph, outputs=tuple(dict.fromkeys(boxes.values())), form="*", updates=())
    rng = make_rng(graph, 0) if graph.sites else None
    with np.errstate(all="ignore"):
        found = interpret_nodes(shown, arrays, rng)
    return {key: summary(found[node]) for key, node in boxes.items() if node in found}


def _arguments(content: Content, what: Any, values: Any) -> dict[str, Any]:
    known: dict[str, Any] = {}
    if hasattr(what, "x_names"):
        optimizer = {} if what.optimizer is None else {**what.values.slots, **what.optimizer.hypers()}
        known = {**what.params, **what.state, **optimizer, **_inputs(what, values)}
    elif isinstance(values, Mapping):
        known = dict(values)
    for leaf in content.graph.arguments:
        name = str(content.graph.name_of(leaf))
        if name not in known and leaf.op.role == "hyper":
            known[name] = leaf.attrs["default"]
        if name not in known:
            raise ArgumentError(f"{name} has no value", given=", ".join(known) or type(values).__name__)
    return _checked(content, known)


def _checked(content: Content, known: Mapping[str, Any]) -> dict[str, Any]:
    """In the declared dtypes, shapes and ranges of labels; what is not finite is let through, to be looked at."""
    leaves = content.graph.arguments
    names = [str(content.graph.name_of(leaf)) for leaf in leaves]
    arrays = check_arrays([(known[name], leaf, name) for leaf, name in zip(leaves, names, strict=True)])
    labels = label_inputs(content.graph)
    for array, leaf, name in zip(arrays, leaves, names, strict=True):
        if leaf in labels:
            refuse_labels(array, leaf, name, labels[leaf])
    return dict(zip(names, arrays, strict=True))


def _inputs(model: Any, values: Any) -> dict[str, Any]:
    """A batch by the names of inputs; whatever it holds, so that what is not finite can be looked at."""
    if isinstance(values, Mapping):
        return dict(values)
    x, y = (*values, None)[:2] if isinstance(values, tuple) and len(values) in (1, 2) else (values, None)
    named: dict[str, Any] = {}
    for names, given in ((model.x_names, x), (model.y_names, y)):
        if isinstance(given, Mapping):
            named |= given
        elif given is not None:
            named |= dict(zip(names, [given] if len(names) == 1 else given, strict=False))
    return named


def summary(array: Any) -> dict[str, Any]:
    """Range, mean and spread of what is finite, how much is not, how much is zero, and a histogram."""
    flat = np.asarray(array).reshape(-1).astype(np.float64)
    finite = flat[np.isfinite(flat)]
    found: dict[str, Any] = {
        "shape": list(np.shape(array)),
        "bad": int(flat.size - finite.size),
        "nan": int(np.isnan(flat).sum()),
    }
    if finite.size:
        low, high = float(finite.min()), float(finite.max())
        counts = np.histogram(finite, BINS, (low, high) if low < high else None)[0]
        found |= {"min": _digits(low), "max": _digits(high), "mean": _digits(finite.mean())}
        found |= {"std": _digits(finite.std()), "zero": _digits(float(np.mean(finite == 0)))}
        found["bins"] = [int(c) for c in counts] if low < high else [int(finite.size)]
    return found


def _digits(number: Any) -> float:
    return float(f"{float(number):.{DIGITS}g}")
