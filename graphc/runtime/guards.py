"""Finding the first non-finite value: the one whose operands are all finite."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import FactError
from graphc.ir.events import ChainRule
from graphc.ir.graph import Graph
from graphc.ir.node import Node, op_title, toposort
from graphc.ir.provenance import chain_rule_of, find
from graphc.ops.assume import broken_fact
from graphc.ops.evaluate import size_values
from graphc.planning.order import make_plan
from graphc.runtime.culprit import Inside, Values, culprit, culprit_inside
from graphc.runtime.interpret import interpret_nodes, prepared_graph
from graphc.runtime.words import Words


@dataclass(frozen=True)
class Place:
    """Where a value first stopped being finite.

    Attributes:
        node: the value; within a loop, the loop.
        text: its formula, its layer, how many of its values are not finite, and what they were made of.
        where: the user's line.
    """

    node: Node
    text: str
    where: str | None


def first_non_finite(
    graph: Graph, arguments: Mapping[str, Any], rng: Mapping[str, Any] | None = None
) -> Place | None:
    """The node that is to blame for an output that is not finite; None where all outputs are finite.

    It is the first non-finite value on the way to such an output whose operands are all finite, in the forward pass if
    there is one. In the backward pass the derivative that was applied is named, with its formula.

    Args:
        graph: the graph to run node by node.
        arguments: arrays by name.
        rng: generators of random sites.
    """
    prepared = prepared_graph(graph)
    with np.errstate(all="ignore"):
        values = interpret_nodes(graph, arguments, rng)
    order = _forward_first(prepared)
    results = [*prepared.outputs, *(value for _, value in prepared.updates)]
    node = culprit(order, results, values)
    if node is None:
        return None
    sizes = size_values([n.type for n in graph.arguments], [values[n] for n in graph.arguments])
    inside = culprit_inside(node, values, sizes)
    if inside is None:
        text, where = _named(Words(graph), node, order, values, _update(graph, prepared, node))
        return Place(node, text, where)
    text, where = _named(
        Words(graph, node), inside.node, inside.order, inside.values, _step(graph, node, inside)
    )
    return Place(node, text, where or line_of(node, order))


def _forward_first(graph: Graph) -> list[Node]:
    """Every node, operands first, and what only gradients need after the rest."""
    phase = make_plan(graph).phase
    return sorted(graph.nodes, key=lambda n: phase.get(n, "forward") != "forward")


def _chain_rule(node: Node, order: Sequence[Node]) -> ChainRule | None:
    """The use of the chain rule that made a node of the backward pass, or that it is a part of."""
    if node.about.declared or node.op.kind == "leaf":
        return None
    needing = {node}
    for current in order:
        if current is node or not needing.isdisjoint(current.inputs):
            needing.add(current)
            if current.about.declared:
                return None
            if rule := find(current, ChainRule):
                return rule
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
        f"{Words(graph).word(node.inputs[0])} does not have the fact {broken}",
        given=f"{array.dtype.name} from {array.min():g} to {array.max():g}" if array.size else "no values",
        where=line_of(node, list(graph.nodes)),
        fix="correct the data, or the gx.assume",
    )


def _named(
    words: Words, node: Node, order: Sequence[Node], values: Values, step: str = ""
) -> tuple[str, str | None]:
    """The sentence about a culprit, and the user's line."""
    rule = _chain_rule(node, order)
    if rule is None or rule.forward.op.run is not None:
        text = f"{words.formula(node)}{words.layer(node)}{step}, {_count(values[node])}"
        return _with(text, _operands(words, node, node.inputs, values)), line_of(node, order)
    return _backward(words, node, rule, values, step), line_of(rule.forward, order) or line_of(node, order)


def _update(graph: Graph, prepared: Graph, node: Node) -> str:
    """`` in the update of W``, for what only the next value of a leaf needs."""
    if node.op.kind == "leaf" or make_plan(prepared).phase.get(node) != "update":
        return ""
    needing = [leaf for leaf, value in prepared.updates if node in toposort([value])]
    return f" in the update of {' and '.join(str(graph.name_of(leaf)) for leaf in needing)}"


def _step(graph: Graph, node: Node, inside: Inside) -> str:
    """`` in step 3 of the loop scan (ys)``."""
    place = f" in step {inside.step} of the loop" if "loop" in node.op.properties else " in"
    name = graph.name_of(node)
    return f"{place} {op_title(node)}{f' ({name})' if name else ''}"


def _backward(words: Words, node: Node, rule: ChainRule, values: Values, step: str) -> str:
    """``the derivative of root = sqrt(h), 1/(2*sqrt(h)), where 1 of 3 values are not finite, at [0] with h = 0``."""
    forward = rule.forward
    by = f" by {words.label(forward.inputs[rule.operand])}" if len(forward.inputs) > 1 else ""
    head = f"the derivative of {words.formula(forward)}{by}{words.layer(forward)}{step}"
    if forward.op.kind != "pointwise":
        text = f"{head}, at {words.formula(node)}, {_count(values[node])}"
        return _with(text, _operands(words, node, node.inputs, values))
    text = f"{head}, {words.derivative(rule)}, {_count(values[node])}"
    known = [x for x in forward.inputs if x in values] if node.shape == forward.shape else []
    times = [rule.cotangent] if rule in node.about.events and rule.cotangent in values else []
    return _with(text, _operands(words, node, [*known, *times] or node.inputs, values))


def _count(value: Any) -> str:
    bad = int(np.size(value) - np.isfinite(value).sum())
    return f"where {bad} of {np.size(value)} values are not finite"


def _with(text: str, operands: str) -> str:
    return f"{text}, {operands}" if operands else text


def _operands(words: Words, node: Node, operands: Sequence[Node], values: Values) -> str:
    """What the value was made of: the numbers at the first bad element, or ranges where each makes many."""
    shown = [x for x in dict.fromkeys(operands) if x.op.role != "const"]
    if node.op.kind != "pointwise" or not shown:
        return f"with {' and '.join(_range(words, x, values) for x in shown)}" if shown else ""
    bad = np.argwhere(~np.isfinite(values[node]))[0]
    place = f"at [{', '.join(map(str, bad))}] " if bad.size else ""
    return f"{place}with {' and '.join(_number(words, x, values, node, bad) for x in shown)}"


def _number(words: Words, node: Node, values: Values, at: Node, index: Any) -> str:
    value = np.broadcast_to(values[node], np.shape(values[at]))[tuple(index)]
    return f"{words.label(node)} = {value:.4g}"


def _range(words: Words, node: Node, values: Values) -> str:
    value = values[node]
    name = words.label(node)
    if not np.size(value):
        return f"{name} empty"
    if not np.ndim(value):
        return f"{name} = {value:.4g}"
    return f"{name} from {np.min(value):.4g} to {np.max(value):.4g}"


def line_of(node: Node, order: Sequence[Node]) -> str | None:
    """The user's line; for a part of the backward pass, that of the forward value whose chain rule needs it."""
    needing = {node}
    for current in order:
        if current is node or not needing.isdisjoint(current.inputs):
            needing.add(current)
            rule = chain_rule_of(current)
            origin = current.about.origin or (rule.forward.about.origin if rule else None)
            if origin:
                return str(origin)
    return None if node.about.origin is None else str(node.about.origin)
