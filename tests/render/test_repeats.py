"""Layers that repeat are one box, which says how many they are."""

from __future__ import annotations

import pytest

import graphc as gx
from graphc import nn
from graphc.render import draw
from graphc.render.repeats import Run, runs_of


def deep(depth, activation=lambda i: "tanh"):
    h = gx.input("x", ("batch", 8))
    for i in range(depth):
        h = nn.dense(h, 8, activation=activation(i), name=f"layer{i + 1}")
    return gx.Model(h, gx.mean(gx.square(h)), name="deep")


def blocks(count):
    x, y = gx.input("x", ("batch", 16)), gx.input("y", ("batch", 4))
    h = nn.dense(x, 16, name="stem")
    for i in range(count):
        with gx.scope(f"block{i + 1}"):
            r = nn.dense(h, 16, activation="relu", name="first")
            h = gx.relu(h + nn.dense(r, 16, name="second")).named("h")
    z = nn.dense(h, 4, name="head")
    return gx.Model(z, nn.mse(z, y), name="residual")


def titles(figure):
    return [box.title for box in figure.boxes]


def test_twelve_equal_layers_are_one_box():
    figure = draw(deep(12), level="model").figure
    assert titles(figure)[1:3] == ["layer1 … layer12 ×12", "∂ layer1 … layer12 ×12"]
    assert len(figure.boxes) == 5


def test_two_equal_layers_are_two_boxes():
    assert {"layer1", "layer2"} <= set(titles(draw(deep(2), level="model").figure))


def test_layers_that_differ_do_not_repeat():
    figure = draw(deep(6, lambda i: "relu" if i == 2 else "tanh"), level="model").figure
    assert "layer3" in titles(figure)
    assert "layer4 … layer6 ×3" in titles(figure)


def test_a_pattern_of_several_layers_repeats():
    figure = draw(blocks(4), level="model").figure
    shown = titles(figure)
    assert {
        "block1.first … block4.first ×4",
        "block1.second … block4.second ×4",
        "block1 … block4 ×4",
    } <= set(shown)
    place = {box.key: r for r, row in enumerate(figure.rows) for box in row.boxes}
    for edge in figure.edges:
        if edge.kind == "forward":
            assert place[edge.tail] < place[edge.head]
        if edge.kind == "backward":
            assert place[edge.tail] > place[edge.head]


def test_every_node_has_a_box():
    whole, figure = draw(deep(12), level="graph").figure, draw(deep(12), level="model").figure
    assert len({n for nodes in figure.nodes.values() for n in nodes}) >= 12 * 2
    assert set(figure.nodes) <= {box.key for box in figure.boxes}
    assert len(whole.boxes) == 99


def test_a_thousand_boxes_become_few_and_a_line_says_so():
    drawing = draw(deep(125))
    assert drawing.level == "model"
    assert len(drawing.figure.boxes) < 10
    assert drawing.figure.note.startswith("1,003 boxes, shown by layer")
    assert "1,003 boxes" in drawing.svg


@pytest.mark.parametrize(
    ("word", "runs"),
    [
        ("aaaa", [Run(0, 1, 4)]),
        ("xababababy", [Run(1, 2, 4)]),
        ("aab", []),
        ("aaabbb", [Run(0, 1, 3), Run(3, 1, 3)]),
        ("abcabcabcaaa", [Run(0, 3, 3), Run(9, 1, 3)]),
        ("", []),
    ],
)
def test_runs(word, runs):
    assert runs_of(list(word)) == runs


def test_what_has_no_signature_repeats_nothing():
    assert runs_of([None] * 5) == []
