"""The same graph in another float dtype, for checks in float64."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from graphc.ir.events import Rebuilt
from graphc.ir.graph import ARGUMENT_ROLES, Graph
from graphc.ir.node import Array, Node, build, fresh_leaf
from graphc.ir.walk import deep_toposort, mapped_attr

_FLOATS = ("float32", "float64")


def retyped(graph: Graph, dtype: str) -> Graph:
    """A graph in which every float is of this dtype; ints and bools stay as they are.

    Arguments and random sites are made anew, in their order, with their names, layers and starting values.

    Args:
        graph: any graph; what stands behind composites is retyped too.
        dtype: ``float32`` or ``float64``.

    Example:
        >>> import graphc as gx
        >>> retyped(gx.graph_of(gx.input("x", ()) * 0.5), "float64").outputs[0].type
        Type(dtype='float64', shape=())
    """
    made: dict[Node, Node] = {}
    for leaf in (*graph.arguments, *graph.sites):
        made[leaf] = _leaf(leaf, dtype)
    for node in deep_toposort([*graph.roots, *(leaf for leaf, _ in graph.updates)]):
        if node not in made:
            made[node] = _retyped_node(node, dtype, made)
    return replace(
        graph,
        outputs=tuple(made[x] for x in graph.outputs),
        updates=tuple((made[leaf], made[value]) for leaf, value in graph.updates),
        arguments=tuple(made[leaf] for leaf in graph.arguments),
        sites=tuple(made[site] for site in graph.sites),
    )


def _retyped_node(node: Node, dtype: str, made: Mapping[Node, Node]) -> Node:
    if node.op.role in (*ARGUMENT_ROLES, "random"):
        return _leaf(node, dtype)
    new = build(node.op, [made[x] for x in node.inputs], _attrs(node, dtype, made))
    if new is not node and (new.op.kind != "leaf" or new.shape):  # a number is one node in all graphs
        new.about.adopt(node.about)
    if new is not node and new.op.kind != "leaf":
        new.about.record(Rebuilt(node))
    return new


def _leaf(node: Node, dtype: str) -> Node:
    attrs = _attrs(node, dtype, {})
    leaf = fresh_leaf(node.op, attrs, node.op.infer(**attrs))
    leaf.about.adopt(node.about)
    return leaf


def _attrs(node: Node, dtype: str, made: Mapping[Node, Node]) -> dict[str, Any]:
    return {key: _attr(key, mapped_attr(value, made), dtype) for key, value in node.attrs.items()}


def _attr(key: str, value: Any, dtype: str) -> Any:
    if key == "dtype" and value in _FLOATS:
        return dtype
    if isinstance(value, Array) and value.value.dtype.name in _FLOATS:
        with np.errstate(over="ignore", invalid="ignore"):  # what does not fit float32 is infinite
            return Array(value.value.astype(dtype))
    return value
