"""Which operation is wrong, where a gradient is: each node's own derivative held to differences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from graphc.autodiff.reverse import vjp_nodes
from graphc.ir.graph import Graph, graph_of
from graphc.ir.node import Node, build, engine, fresh_leaf, op_title
from graphc.ops.evaluate import evaluate
from graphc.ops.leaves import input_op
from graphc.ops.shape import stop_gradient
from graphc.rewrite.lower import lower
from graphc.rewrite.pipeline import BEFORE_GRADIENT, run
from graphc.runtime.interpret import interpret_nodes

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
    name = graph.name_of(node)
    layer = graph.layer_of(node)
    parts = [op_title(node), f"({name})" if name else "", f"in layer {layer}" if layer else ""]
    place = node.about.origin
    return " ".join(p for p in parts if p) + (f", declared at {place}" if place else "")
