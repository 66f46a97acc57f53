"""Graphs in the library people know."""

from __future__ import annotations

import networkx as nx
import pytest

import graphc as gx
from tests.ir.examples import GRAPHS


@pytest.mark.parametrize("name", GRAPHS)
def test_vertices_are_the_lines_of_the_text(name: str) -> None:
    graph = GRAPHS[name]()
    web = gx.to_networkx(graph)
    text = str(graph)
    lines = [line.split()[0] for line in text.splitlines() if line.strip().startswith("%")]
    assert sorted(web.nodes) == sorted(lines)
    assert nx.is_directed_acyclic_graph(web)
    for key, facts in web.nodes(data=True):
        assert f"{key} = {facts['op']}" in text
        assert f" : {facts['type']}" in text


def test_edges_say_where_operands_stand() -> None:
    x, y = gx.input("x", ()), gx.input("y", ())
    web = gx.to_networkx([gx.where(x > y, x, x).named("z"), y])
    assert web.edges["%x", "%z"] == {"operands": (1, 2)}
    assert web.edges["%_greater", "%z"] == {"operands": (0,)}
    assert set(nx.ancestors(web, "%z")) == {"%x", "%y", "%_greater"}
    assert web.nodes["%x"] == {"op": "input", "type": "float32[]", "name": "x", "layer": "", "role": "input"}


def test_layers() -> None:
    with gx.scope("hidden"):
        h = gx.tanh(gx.param("W", (3,))).named("h")
    web = gx.to_networkx(h)
    assert (web.nodes["%hidden.h"]["name"], web.nodes["%hidden.h"]["layer"]) == ("hidden.h", "hidden")
