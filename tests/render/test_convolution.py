"""The figure of a convolutional network: products of windows, and each parameter in the frame of its layer."""

from __future__ import annotations

import pytest

import graphc as gx
from graphc import nn
from graphc.render.figure import GRADIENTS, SOURCES, Figure
from graphc.render.plain import plain_text


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
    assert "labeljust=c" in next(line for line in dot.splitlines() if ">pool1<" in line)


def set_in(y: gx.Node, level: str = "graph") -> dict[str, str]:
    """The formulas of a figure as they are set."""
    boxes = gx.draw({"y": y}, level=level).figure.boxes
    return {box.title: " ".join(plain_text(formula) for formula in box.formulas) for box in boxes}


def test_windows_say_their_size_stride_and_dilation() -> None:
    x = gx.input("x", ("batch", 3, 9, 9))
    y = nn.conv2d(x, 4, 3, stride=2, dilation=(1, 2), name="conv").named("y")
    assert set_in(y)["y"].startswith("windows[3×3, stride 2, dilation 1×2] (x) W")
    assert set_in(nn.conv2d(x, 4, 3, name="conv").named("y"))["y"].startswith("windows[3×3] (x) W")


def test_padding_says_where_the_image_stands_in_the_zeros() -> None:
    x = gx.input("x", ("batch", 3, 9, 9))
    assert "(place[…, 1:-1, 1:-1] (x))" in set_in(nn.conv2d(x, 4, 3, padding=1, name="conv").named("y"))["y"]


@pytest.mark.parametrize("rank", [1, 2])
def test_a_pool_goes_over_the_window_in_both_directions(rank: int) -> None:
    x = gx.input("x", ("batch", 3, *(8,) * rank))
    h = gx.tanh(x).named("h")
    pooled = nn.max_pool(h, 2).named("y")
    loss = gx.sum(pooled).named("loss")
    boxes = gx.draw({"loss": loss, "g": gx.grad(loss, x)}).figure.boxes
    formulas = {box.title: " ".join(map(plain_text, box.formulas)) for box in boxes}
    size = "×".join("2" * rank)
    assert formulas["y"] == "max[window] (v₁)"
    assert formulas["v₁"] == f"windows[{size}, stride 2] (h)"
    assert formulas["∂v₁"] == "onehot(arg max[window] (v₁))"
    assert formulas["∂h"] == f"fold[{size}, stride 2] (∂v₁)"


def test_another_axis_of_windows_is_not_called_the_window() -> None:
    x = gx.input("x", ("batch", 3, 8))
    over = gx.max(gx.sliding_windows(x, 2), axis=2).named("y")
    assert set_in(over)["y"] == "max[axis 2] (windows₂ (x))"


def test_a_reshape_of_a_reshape_is_written_once() -> None:
    plan = model().draw(level="plan").figure
    assert not any("reshape(reshape(reshape(" in line for box in plan.boxes for line in box.lines)
    assert not any("reshape(reshape(W₁))" in line for box in plan.boxes for line in box.lines)


def test_a_bias_on_other_axes_has_no_box_of_its_own() -> None:
    x, t = gx.input("x", ("batch", 3, 9)), gx.input("t", ("batch",), dtype="int64")
    h = nn.max_pool(nn.conv1d(x, 4, 3, activation="relu", name="conv"), 2, name="pool")
    logits = nn.dense(nn.flatten(h), 4, name="output")
    figure = gx.Model(logits, nn.cross_entropy(logits, t)).draw(level="graph").figure
    assert not any(box.lines == ("b₁",) for box in figure.boxes)
