"""Graphs as networkx graphs, for questions of graph theory."""

from __future__ import annotations

from typing import Any

from graphc.ir.graph import Graph, graph_of
from graphc.ir.text import node_ids
from graphc.ir.walk import deep_toposort


def to_networkx(graph: Any) -> Any:
    """A graph as a ``networkx.DiGraph``, in which data flows along the edges.

    Args:
        graph: a graph, or the outputs of one.

    Returns:
        One vertex per node, called as in ``str(graph)`` (``%h``), with ``op``, ``type``, ``name``, ``layer`` and
        ``role``; from each operand an edge, with the places at which it stands in ``operands``.

    Example:
        >>> import graphc as gx
        >>> x = gx.input("x", ("n",))
        >>> web = to_networkx((x * x).named("y"))
        >>> web.nodes["%y"]["op"], web.edges["%x", "%y"]["operands"]
        ('multiply', (0, 1))
    """
    import networkx as nx

    whole = graph if isinstance(graph, Graph) else graph_of(graph)
    ids = node_ids(whole)
    web = nx.DiGraph(name=whole.name)
    for node, key in ids.items():
        web.add_node(key, **_facts(whole, node))
    for node in deep_toposort([*whole.arguments, *whole.sites, *whole.roots]):
        for operand in dict.fromkeys(node.inputs):
            places = tuple(i for i, x in enumerate(node.inputs) if x is operand)
            web.add_edge(ids[operand], ids[node], operands=places)
    return web


def _facts(graph: Graph, node: Any) -> dict[str, Any]:
    return {
        "op": node.op.name,
        "type": str(node.type),
        "name": graph.name_of(node),
        "layer": graph.layer_of(node),
        "role": node.op.role or "",
    }
