"""The oracle: a graph run node by node, each card by its own template. Slow, simple, and what programs are held to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError
from graphc.ir.graph import Graph
from graphc.ir.node import Node, engine
from graphc.ops.evaluate import evaluate, size_values
from graphc.rewrite.lower import choose_mode, collect_updates, lower


def interpret(
    graph: Graph, arguments: Mapping[str, Any] | Sequence[Any], rng: Mapping[str, Any] | None = None
) -> Any:
    """The outputs of a graph, in their structure; with state transitions, ``(outputs, {leaf name: array})``.

    Args:
        graph: any graph; composites are lowered to their bodies, nothing else is changed.
        arguments: arrays by name, or in order.
        rng: generators by the names of random sites.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> gx.interpret(gx.graph_of(2 * x), [[1.0, 2.0]])
        array([2., 4.], dtype=float32)
    """
    values = interpret_nodes(graph, arguments, rng)
    outputs = graph.unflatten([values[x] for x in graph.outputs])
    prepared = prepared_graph(graph)
    if not prepared.updates:
        return outputs
    return outputs, {str(graph.name_of(leaf)): values[x] for leaf, x in prepared.updates}


def prepared_graph(graph: Graph, mode: str = "eval") -> Graph:
    """The graph that the oracle runs: modes chosen, transitions collected, composites lowered."""
    with engine():  # what is lowered keeps the line that declared it, not the one that runs it
        return lower(collect_updates(choose_mode(graph, mode)))


def interpret_nodes(
    graph: Graph, arguments: Mapping[str, Any] | Sequence[Any], rng: Mapping[str, Any] | None = None
) -> dict[Node, Any]:
    """The value of every node, the graph's own outputs and what they are lowered to included."""
    if not isinstance(graph, Graph):
        raise ArgumentError("a graph is interpreted", given=f"{graph!r:.80}", fix="pass gx.graph_of(...)")
    prepared = prepared_graph(graph)
    arrays = bind(graph, arguments)
    sizes = size_values([n.type for n in graph.arguments], [arrays[n] for n in graph.arguments])
    values: dict[Node, Any] = dict(arrays)
    for node in prepared.nodes:
        if node not in values:
            generator = (rng or {}).get(str(graph.name_of(node))) if node.op.role == "random" else None
            values[node] = evaluate(node, [values[x] for x in node.inputs], sizes, generator)
    for declared, lowered in zip(graph.outputs, prepared.outputs, strict=True):
        values[declared] = values[lowered]
    return values


def bind(graph: Graph, arguments: Mapping[str, Any] | Sequence[Any]) -> dict[Node, Any]:
    """Each argument leaf with its array, in the leaf's dtype."""
    if not isinstance(arguments, Mapping):
        pairs = zip(graph.arguments, arguments, strict=True)
        return {leaf: np.asarray(array, dtype=leaf.dtype)[()] for leaf, array in pairs}
    return {
        leaf: np.asarray(arguments[str(graph.name_of(leaf))], dtype=leaf.dtype)[()]
        for leaf in graph.arguments
    }
