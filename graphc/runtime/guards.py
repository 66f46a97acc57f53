"""Finding the first non-finite value: the one whose operands are all finite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.ir.graph import Graph
from graphc.ir.node import Node
from graphc.runtime.interpret import interpret_nodes


@dataclass(frozen=True)
class Place:
    """Where a value first stopped being finite."""

    node: Node
    text: str
    where: str | None


def first_non_finite(
    graph: Graph, arguments: Mapping[str, Any], rng: Mapping[str, Any] | None = None
) -> Place | None:
    """The first node, operands before users, whose value is not finite; None where all are finite.

    Args:
        graph: the graph to run node by node.
        arguments: arrays by name.
        rng: generators of random sites.
    """
    with np.errstate(all="ignore"):
        values = interpret_nodes(graph, arguments, rng)
    for node, value in values.items():
        if node.type.is_float and node.op.role != "const" and not np.isfinite(value).all():
            return Place(node, _sentence(graph, node, value, values), _where(node))
    return None


def _sentence(graph: Graph, node: Node, value: Any, values: Mapping[Node, Any]) -> str:
    name = graph.name_of(node)
    layer = graph.layer_of(node)
    bad = int(np.size(value) - np.isfinite(value).sum())
    operands = ", ".join(_range(graph, x, values) for x in node.inputs)
    what = f"{name} = " if name else ""
    place = f" in layer {layer}" if layer else ""
    over = f" over {operands}" if operands else ""
    return f"{what}{node.op.name}{place}: {bad} of {np.size(value)} values are not finite{over}"


def _range(graph: Graph, node: Node, values: Mapping[Node, Any]) -> str:
    value = values[node]
    name = graph.name_of(node) or node.op.name
    if not np.size(value):
        return f"{name} (empty)"
    return f"{name} from {np.min(value):.4g} to {np.max(value):.4g}"


def _where(node: Node) -> str | None:
    return str(node.about.origin) if node.about.origin else None
