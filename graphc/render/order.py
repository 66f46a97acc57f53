"""The order of the rows of a figure: one layer after the other, as far as what they read allows it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from graphc.ir.node import Node

MAX_DEPTH = 3
"""Layers inside layers are kept together to this depth."""

Path = tuple[str, ...]


def layer_by_layer(
    nodes: Sequence[Node], path: Callable[[Node], Path], reads: Callable[[Node], Iterable[Node]]
) -> list[Node]:
    """The same nodes, still each after what it reads, and those of a layer beside each other where that can be.

    Args:
        nodes: in an order in which they can be computed.
        path: the layers around a node, outermost first.
        reads: the nodes that a node is written with.
    """
    paths = {node: path(node) for node in nodes}
    found = list(nodes)
    for depth in range(min(MAX_DEPTH, max(map(len, paths.values()), default=0)), 0, -1):
        group = {n: (p[:depth] if len(p) >= depth else n) for n, p in paths.items()}
        found = _together(found, group, reads)
    return found


def _together(
    nodes: Sequence[Node], group: Mapping[Node, Hashable], reads: Callable[[Node], Iterable[Node]]
) -> list[Node]:
    """Group after group; groups that read each other stay as they are."""
    import networkx as nx

    first: dict[Hashable, int] = {}
    for i, node in enumerate(nodes):
        first.setdefault(group[node], i)
    graph = nx.DiGraph()
    graph.add_nodes_from(first)
    graph.add_edges_from((group[ref], group[node]) for node in nodes for ref in reads(node) if ref in group)
    parts = nx.condensation(graph)
    members = dict(parts.nodes(data="members"))
    early = {part: min(first[g] for g in groups) for part, groups in members.items()}
    order = nx.lexicographical_topological_sort(parts, key=early.__getitem__)
    place = {g: i for i, part in enumerate(order) for g in members[part]}
    return sorted(nodes, key=lambda node: place[group[node]])
