"""The figure of a convolutional network: products of windows, and each parameter in the frame of its layer."""

from __future__ import annotations

import pytest

import graphc as gx
from graphc import nn
from graphc.render.figure import GRADIENTS, SOURCES, Figure


def model() -> gx.Model:
    x, t = gx.input("x", ("batch", 1, 8, 8)), gx.input("t", ("batch",), dtype="int64")
    h = nn.max_pool(nn.conv2d(x, 8, 3, activation="relu", name="conv1"), 2, name="pool1")
    h = nn.flatten(nn.conv2d(h, 8, 2, activation="relu", name="conv2"))
    logits = nn.dense(h, 10, name="output")
    return gx.Model(logits, nn.cross_entropy(logits, t))


@pytest.fixture(scope="module")
def figure() -> Figure:
    return model().draw(level="graph").figure


@pytest.fixture(scope="module")
def formulas(figure: Figure) -> dict[str, str]:
    return {box.title: " ".join(box.lines) for box in figure.boxes}


def test_a_convolution_is_a_product_of_windows(formulas: dict[str, str]) -> None:
    assert formulas["z₂"] == "windows(h₁) W₂ + b₂"
    assert formulas["∂W₂"] == "windows(h₁)ᵀ ∂z₂"
    assert formulas["∂h₁"] == "fold(∂z₂ W₂ᵀ)"
    assert formulas["h₂′"] == "h₂"
    assert formulas["∂h₂′"] == "∂z₃ W₃ᵀ"
    assert formulas["∂W₃"] == "h₂′ᵀ ∂z₃"


def test_the_last_value_of_a_layer_has_a_box_without_a_name(formulas: dict[str, str]) -> None:
    assert formulas["v₁"] == "windows(x) W₁"
    assert formulas["∂W₁"] == "windows(x)ᵀ ∂v₁"


def test_arrangements_are_written_where_everything_is() -> None:
    lowered = model().draw(level="lowered").figure
    assert any("reshape" in line for box in lowered.boxes for line in box.lines)


def test_the_transpose_of_matrices_is_written() -> None:
    q, k = gx.input("q", ("batch", 5, 4)), gx.input("k", ("batch", 5, 4))
    scores = (q @ gx.transpose(k, (0, 2, 1))).named("scores")
    assert next(box.lines for box in gx.draw(scores).figure.boxes if box.title == "scores") == ("q kᵀ",)


def test_a_named_arrangement_keeps_its_box() -> None:
    x = gx.input("x", ("batch", 5, 4))
    turned = gx.transpose(x, (1, 0, 2)).named("turned")
    titles = [box.title for box in gx.draw(gx.exp(turned).named("y")).figure.boxes]
    assert titles == ["x", "turned", "y"]


def test_a_parameter_stands_in_its_layer_wherever_a_rule_uses_it(figure: Figure) -> None:
    for column, titles in ((SOURCES, ["W₁", "b₁"]), (GRADIENTS, ["∂W₁", "∂b₁"])):
        row = next(row for row in figure.rows if row.layer == ("conv1",))
        assert [box.title for box in row.columns[column]] == titles


def test_layers_with_parameters_are_numbered_in_order(figure: Figure) -> None:
    params = [box.title for box in figure.boxes if box.kind == "param"]
    assert params == ["W₁", "b₁", "W₂", "b₂", "W₃", "b₃"]


def test_a_parameter_of_another_layer_does_not_cross_the_name_of_the_frame() -> None:
    dot = model().draw(level="graph").dot
    assert "labeljust=r" in next(line for line in dot.splitlines() if ">pool1<" in line)
