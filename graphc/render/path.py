"""One parameter's path: through what it reaches the loss, and how the gradient comes back; the rest is faint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from graphc.ir.graph import Graph, unknown_name
from graphc.ir.node import Node
from graphc.render.figure import Figure, Row
from graphc.render.parts import parts_of
from graphc.render.titles import pretty

DOWN, BACK = ("param", "data", "forward"), ("backward", "gradient", "update")


def with_path(figure: Figure, whole: Figure, graph: Graph, name: str) -> Figure:
    """The figure with all but one parameter's path faint.

    Args:
        figure: of ``graph``, perhaps by layers.
        whole: the same with every box, for the names in it.
        graph: gives full names.
        name: of a parameter (or another leaf): ``hidden2.W``, or as it is written in the figure, ``W₂`` or ``W2``.

    Raises:
        UnknownNameError: no leaf of the figure has this name; the message lists the names there are.
    """
    leaf = _leaf(whole, graph, name)
    path = _reached(_holding(figure, leaf), figure, DOWN, forward=True)
    path |= _reached(_gradients(figure, graph, leaf), figure, BACK, forward=False)
    needed = {edge.tail for edge in figure.edges if edge.kind == "saved" and edge.head in path}
    lit = path | needed
    rows = tuple(_row(row, lambda key: key not in lit) for row in figure.rows)
    edges = tuple(
        replace(e, faint=not ({e.tail, e.head} <= path or (e.kind == "saved" and e.head in path)))
        for e in figure.edges
    )
    return replace(figure, rows=rows, edges=edges)


def _row(row: Row, faint: Callable[[int], bool]) -> Row:
    columns = {
        name: tuple(replace(b, faint=faint(b.key)) for b in boxes) for name, boxes in row.columns.items()
    }
    return replace(row, columns=columns)


def _leaf(figure: Figure, graph: Graph, name: str) -> Node:
    titles = {box.key: box.title for box in figure.boxes}
    known: dict[str, Node] = {}
    shown: dict[str, Node] = {}
    for key, nodes in figure.nodes.items():
        for node in nodes:
            if node.op.kind == "leaf" and graph.name_of(node) is not None:
                known[str(graph.name_of(node))] = node
                shown[titles.get(key, "")] = node
    found = known.get(name, shown.get(name, shown.get(pretty(name))))
    if found is None:
        params = [n for n, node in known.items() if node.op.role == "param"]
        raise unknown_name(name, params or list(known), "parameter")
    return found


def _holding(figure: Figure, node: Node) -> set[int]:
    return {key for key, nodes in figure.nodes.items() if node in nodes and key in figure.place}


def _gradients(figure: Figure, graph: Graph, leaf: Node) -> set[int]:
    """The boxes that hold the gradient of a leaf."""
    parts = parts_of(graph)
    partners: Mapping[Node, Iterable[Node]] = {
        node: (partner, *parts.others.get(node, ())) for node, partner in parts.partner.items()
    }
    gradients = [node for node, of in partners.items() if leaf in of]
    found = {key for node in gradients for key in _holding(figure, node)}
    return found | {key for key, of in figure.copies.items() if of is leaf}


def _reached(start: set[int], figure: Figure, kinds: tuple[str, ...], forward: bool) -> set[int]:
    """What some boxes lead to, or with ``forward`` false what leads to them, over edges of these kinds."""
    steps: dict[int, list[int]] = {}
    for edge in figure.edges:
        if edge.kind in kinds:
            tail, head = (edge.tail, edge.head) if forward else (edge.head, edge.tail)
            steps.setdefault(tail, []).append(head)
    seen = set(start)
    queue = list(start)
    for key in queue:
        new = [k for k in steps.get(key, ()) if k not in seen]
        seen.update(new)
        queue.extend(new)
    return seen
