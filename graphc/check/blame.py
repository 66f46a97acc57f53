"""Which operation is wrong, where a gradient is: each node's own derivative held to differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from graphc.autodiff.reverse import vjp_nodes
from graphc.ir.events import Rewrite
from graphc.ir.graph import Graph, graph_of
from graphc.ir.node import Node, build, engine, fresh_leaf, op_title, toposort
from graphc.ir.provenance import descendants_of
from graphc.ops.evaluate import evaluate
from graphc.ops.leaves import input_op
from graphc.ops.shape import stop_gradient
from graphc.rewrite.driver import Trace
from graphc.rewrite.lower import lower
from graphc.rewrite.pipeline import BEFORE_GRADIENT, run
from graphc.runtime.guards import line_of
from graphc.runtime.interpret import interpret_nodes
from graphc.runtime.program import Program

_STEP = 1e-6


def suspect(
    loss: Node, arrays: Mapping[Node, Any], graph: Graph, level: str, tolerance: float, rng: Mapping[str, Any]
) -> str | None:
    """The first operation, operands first, whose derivative is wrong at this point; None where none is.

    The graph is the one that is differentiated: cleaned, stabilised, composites without a gradient lowered.
    """
    with engine():
        prepared = run(graph_of(loss), BEFORE_GRADIENT, level)
        by_name = {str(prepared.name_of(leaf)): arrays[leaf] for leaf in prepared.arguments}
        with np.errstate(all="ignore"):
            values = _values(prepared, by_name, rng)
            for node in prepared.nodes:
                if _is_wrong(node, values, tolerance):
                    return _described(node, graph)
    return None


def suspect_rule(
    loss: Node,
    both: Program,
    arguments: Callable[[Graph], dict[str, Any]],
    level: str,
    tolerance: float,
    rng: Mapping[str, Any],
) -> str | None:
    """The first rewrite, in the order in which they happened, that changed a finite value; None where none did.

    Args:
        loss: what is differentiated.
        both: the program of loss and gradient.
        arguments: the arrays that a graph takes, by name.
        level: which rewrites may happen.
        tolerance: how far a value may move, over its size.
        rng: generators of random sites.
    """
    trace = Trace()
    with engine():
        run(graph_of(loss), BEFORE_GRADIENT, level, trace)
    events = [(new, e) for new, e in (*trace.events, *both.trace.events) if isinstance(e, Rewrite)]
    pairs = [(e, new) for new, e in events if new.type.is_float and not _in_a_body(e.before, new)]
    whole = graph_of([x for event, new in pairs for x in (event.before, new)] or loss)
    with engine(), np.errstate(all="ignore"):
        values = _values(whole, arguments(whole), rng)
    for event, new in pairs:
        if _moved(values[event.before], values[new]) > tolerance:
            order = [*both.declared.nodes, *whole.nodes]
            places = (line_of(x, order) for x in sorted(descendants_of(event.before), key=_serial))
            place = next(filter(None, places), None)
            text = f"the rule {event.rule}, at {_called(event.before, whole)}"
            return f"{text}, declared at {place}" if place else text
    return None


def _in_a_body(*nodes: Node) -> bool:
    return any(n.op.role == "arg" for n in toposort(nodes))


def _moved(before: Any, after: Any) -> float:
    """How far a value moved over its size, where it was finite."""
    a, b = np.asarray(before), np.asarray(after)
    finite = np.isfinite(a)
    moved = np.abs(a - b)[finite] / np.maximum(1.0, np.abs(a[finite]))
    return float(np.nan_to_num(np.max(moved, initial=0.0), nan=np.inf))


def _values(graph: Graph, arrays: Mapping[str, Any], rng: Mapping[str, Any]) -> dict[Node, Any]:
    everything = Graph(graph.nodes, ("tuple", ["*"] * len(graph.nodes)), (), graph.arguments, graph.sites)
    return interpret_nodes(everything, arrays, rng)


def _is_wrong(node: Node, values: Mapping[Node, Any], tolerance: float) -> bool:
    if node.op.kind == "leaf" or node.op is stop_gradient or not node.type.is_float:
        return False
    places = [i for i, x in enumerate(node.inputs) if x.type.is_float]
    return any(_error(node, i, values) > max(tolerance, 1e-6) for i in places)


def _error(node: Node, place: int, values: Mapping[Node, Any]) -> float:
    """How far one operand's vector-Jacobian product is from a difference, along one random direction."""
    random = np.random.default_rng(0)
    leaves = [stand_in(x, f"x{i}") for i, x in enumerate(node.inputs)]
    new = build(node.op, leaves, node.attrs)
    point = [values[x] for x in node.inputs]
    weight = random.uniform(0.5, 1.5, np.shape(values[node]))
    direction = random.choice([-1.0, 1.0], np.shape(point[place]))
    bound = dict(zip(leaves, point, strict=True))
    sizes = _sizes(node, values)
    slope = float(np.sum(_pulled(new, leaves[place], weight, bound, sizes) * direction))
    step = _STEP * max(1.0, float(np.max(np.abs(point[place]), initial=0.0)))
    sides = [_run(new, {**bound, leaves[place]: point[place] + k * step * direction}, sizes) for k in (-1, 1)]
    difference = float(np.sum(weight * (sides[1] - sides[0]))) / (2 * step)
    return abs(slope - difference) / max(1.0, abs(difference))


def _pulled(node: Node, leaf: Node, weight: Any, bound: Mapping[Node, Any], sizes: Mapping[str, int]) -> Any:
    seed = stand_in(node, "g")
    (pulled,) = vjp_nodes([node], [seed], [leaf])
    return _run(pulled, {**bound, seed: weight}, sizes)


def _run(node: Node, bound: Mapping[Node, Any], sizes: Mapping[str, int]) -> Any:
    graph = lower(Graph((node,)))
    values: dict[Node, Any] = dict(bound)
    for each in graph.nodes:
        if each not in values:
            values[each] = evaluate(each, [values[x] for x in each.inputs], sizes)
    return values[graph.outputs[0]]


def stand_in(node: Node, name: str) -> Node:
    """A leaf of the type of a node."""
    leaf = fresh_leaf(input_op, {"name": name, "shape": node.shape, "dtype": node.dtype}, node.type)
    leaf.about.rename(name, ())
    return leaf


def _sizes(node: Node, values: Mapping[Node, Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in (node, *values):
        for dim, n in zip(each.shape, np.shape(values[each]), strict=True):
            if str(dim).isidentifier():
                found.setdefault(str(dim), n)
    return found


def _described(node: Node, graph: Graph) -> str:
    place = node.about.origin
    return _called(node, graph) + (f", declared at {place}" if place else "")


def _called(node: Node, graph: Graph) -> str:
    name = graph.name_of(node)
    layer = graph.layer_of(node)
    parts = [op_title(node), f"({name})" if name else "", f"in layer {layer}" if layer else ""]
    return " ".join(p for p in parts if p)


def _serial(node: Node) -> int:
    return node.serial
