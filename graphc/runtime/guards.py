"""Finding the first non-finite value: the one whose operands are all finite."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import FactError
from graphc.ir.graph import Graph
from graphc.ir.node import Node
from graphc.ir.provenance import chain_rule_of
from graphc.ops.assume import broken_fact
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
            return Place(node, _sentence(graph, node, value, values), _where(node, list(values)))
    return None


def check_facts(graph: Graph, arguments: Sequence[Any], rng: Mapping[str, Any] | None = None) -> None:
    """Check what ``gx.assume`` claims, node by node, operands first.

    Args:
        graph: the graph before it was simplified.
        arguments: arrays, in the order of its arguments.
        rng: generators of random sites; they are copied, so that the run itself draws the same.

    Raises:
        FactError: a value without a fact that ``gx.assume`` claims.
    """
    by_name = {str(graph.name_of(leaf)): a for leaf, a in zip(graph.arguments, arguments, strict=True)}
    with np.errstate(all="ignore"):
        values = interpret_nodes(graph, by_name, copy.deepcopy(rng))
    for node, value in values.items():
        if node.op.role == "assume" and (broken := broken_fact(node, value)):
            raise _fact_error(graph, node, value, broken)


def _fact_error(graph: Graph, node: Node, value: Any, broken: str) -> FactError:
    array = np.asarray(value)
    return FactError(
        f"{_word(graph, node.inputs[0])} does not have the fact {broken}",
        given=f"{array.dtype.name} from {array.min():g} to {array.max():g}" if array.size else "no values",
        where=_where(node, list(graph.nodes)),
        fix="correct the data, or the gx.assume",
    )


def _sentence(graph: Graph, node: Node, value: Any, values: Mapping[Node, Any]) -> str:
    layer = graph.layer_of(node)
    bad = int(np.size(value) - np.isfinite(value).sum())
    place = f" in layer {layer}" if layer else ""
    ranges = " and ".join(
        _range(graph, x, values) for x in dict.fromkeys(node.inputs) if x.op.role != "const"
    )
    text = f"{_formula(graph, node)}{place}, where {bad} of {np.size(value)} values are not finite"
    return f"{text}, with {ranges}" if ranges else text


def _formula(graph: Graph, node: Node) -> str:
    """``h = tanh(z)``; operands without a name go by their operation."""
    name = graph.name_of(node)
    if node.op.kind == "leaf":
        return str(name)
    call = f"{node.op.name}({', '.join(_label(graph, x) for x in node.inputs)})"
    return f"{name} = {call}" if name else call


def _label(graph: Graph, node: Node) -> str:
    """A name, or one operation over names."""
    if graph.name_of(node) or not node.inputs:
        return _word(graph, node)
    return f"{node.op.name}({', '.join(_word(graph, x) for x in node.inputs)})"


def _word(graph: Graph, node: Node) -> str:
    if node.op.role == "const" and node.attrs["value"].value.ndim == 0:
        return f"{node.attrs['value'].value:g}"
    return graph.name_of(node) or node.op.name


def _range(graph: Graph, node: Node, values: Mapping[Node, Any]) -> str:
    value = values[node]
    name = _label(graph, node)
    if not np.size(value):
        return f"{name} empty"
    return f"{name} from {np.min(value):.4g} to {np.max(value):.4g}"


def _where(node: Node, order: Sequence[Node]) -> str | None:
    """The user's line; for a part of the backward pass, that of the forward value whose chain rule needs it."""
    needing = {node}
    for current in order:
        if current is node or not needing.isdisjoint(current.inputs):
            needing.add(current)
            rule = chain_rule_of(current)
            origin = current.about.origin or (rule.forward.about.origin if rule else None)
            if origin:
                return str(origin)
    return None
