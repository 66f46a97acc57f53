"""What must hold of every graph, before and after every pass."""

from __future__ import annotations

from graphc.errors import VerifyError
from graphc.ir.graph import ARGUMENT_ROLES, Graph


def verify(graph: Graph) -> Graph:
    """Check a graph; returns it.

    Raises:
        VerifyError: a type that does not follow from the operands, a leaf that is no argument, an update of
            another type.
    """
    arguments, sites = set(graph.arguments), set(graph.sites)
    for node in graph.nodes:
        if node.op.role in ARGUMENT_ROLES and node not in arguments:
            raise VerifyError(f"the leaf {graph.name_of(node)} is not an argument of the graph")
        if node.op.role == "random" and node not in sites:
            raise VerifyError(f"the random site {graph.name_of(node)} was not in the declared graph")
        if node.op.kind != "leaf":
            inferred = node.op.infer(*(x.type for x in node.inputs), **node.attrs)
            if inferred != node.type:
                raise VerifyError(f"{node.op.name} has type {node.type}", expected=str(inferred))
    for leaf, value in graph.updates:
        if leaf.type != value.type:
            raise VerifyError(
                f"the update of {graph.name_of(leaf)} has type {value.type}", expected=str(leaf.type)
            )
    return graph
