"""The figure of a network with batch normalisation: each gradient in the frame of its own layer."""

from __future__ import annotations

import re

import pytest

import graphc as gx
from graphc import nn, optim
from graphc.errors import ArgumentError
from graphc.render.figure import BACKWARD, GRADIENTS, SOURCES, UPDATES, Box, Figure, Row
from graphc.render.latex import latex
from graphc.render.mathml import mathml
from graphc.render.maths import named
from graphc.render.titles import pretty


def model(optimizer=None) -> gx.Model:
    x, t = gx.input("x", ("batch", 8)), gx.input("t", ("batch",), dtype="int64")
    h = nn.batch_norm(nn.dense(x, 6, name="first"), name="bn")
    logits = nn.dense(gx.relu(h), 3, name="output")
    return gx.Model(logits, nn.cross_entropy(logits, t), optimizer=optimizer)


@pytest.fixture(scope="module")
def figure() -> Figure:
    return model().draw().figure


def row_of(figure: Figure, title: str) -> Row:
    return next(row for row in figure.rows if any(box.title == title for box in row.boxes))


def box_of(figure: Figure, title: str) -> Box:
    return next(box for box in figure.boxes if box.title == title)


def test_a_helper_stands_in_the_layer_that_all_it_reads_is_of(figure: Figure) -> None:
    row = row_of(figure, "v₁")
    assert row.layer == ("bn",)
    assert [box.title for box in row.columns[BACKWARD]] == ["v₁"]
    assert row is row_of(figure, "x̂")


def test_a_count_does_not_lift_a_helper_above_what_it_differentiates() -> None:
    planned = model().draw(level="plan").figure
    helper = next(box for box in planned.boxes if box.lines and box.lines[0].startswith("∂h − x̂"))
    assert row_of(planned, helper.title) is row_of(planned, "x̂")


def test_what_is_a_product_by_now_is_not_said_to_be_added_up(figure: Figure) -> None:
    box = box_of(figure, "∂z₁")
    assert box.lines == ("v₁ ⊙ γ / σ",)
    assert (box.heavy, box.foot) == (False, "batch×6")
    assert "the gradients of 2 uses of the value, added up" in box.tooltip


def test_a_sum_over_uses_still_says_so() -> None:
    x, w = gx.input("x", ("n", 3)), gx.param("w", (3,))
    z = (x @ w).named("z")
    loss = gx.sum(gx.square(z) + gx.exp(z)).named("loss")
    heavy = [box for box in gx.draw({"loss": loss, "w": gx.grad(loss, w)}).figure.boxes if box.heavy]
    assert heavy
    assert all("added up over 2 uses" in box.foot for box in heavy)
    assert all("+" in " ".join(box.lines) for box in heavy)


def test_a_count_of_samples_saves_no_value(figure: Figure) -> None:
    keys = {box.title: box.key for box in figure.boxes}
    pairs = {(edge.tail, edge.head) for edge in figure.edges}
    assert (keys["x̂"], keys["v₁"]) in pairs
    assert (keys["z₁"], keys["v₁"]) not in pairs


def test_a_box_of_a_layer_defines_what_it_reads() -> None:
    boxes = {box.title: box for box in model().draw(level="model").figure.boxes}
    defined = {line.split(" = ")[0] for box in boxes.values() for line in box.lines if " = " in line}
    for title in ("∂ first", "∂ bn", "∂ output"):
        read = {name for line in boxes[title].lines for name in re.findall("[∂v][^ ()/⊙]*", line)}
        assert read
        assert read <= defined, title


def test_what_becomes_of_states_is_set_as_formulas_at_the_level_of_layers() -> None:
    box = next(b for b in model().draw(level="model").figure.boxes if b.kind == "update")
    assert len(box.formulas) == 2
    assert all(formula.kind == "row" for formula in box.formulas)


def test_parameters_gradients_and_updates_stand_in_one_order() -> None:
    figure = model().draw(optimizer="adam").figure
    columns = row_of(figure, "γ").columns
    assert [box.title for box in columns[SOURCES]] == ["γ", "β"]
    assert [box.title for box in columns[GRADIENTS]] == ["∂γ", "∂β"]
    assert [box.lines[2][:1] for box in columns[UPDATES]] == ["γ", "β"]


def test_updates_are_those_of_the_optimizer_of_the_model() -> None:
    own = model(optim.adam(1e-3)).draw(updates=True).figure
    given = model().draw(optimizer=optim.adam(1e-3)).figure
    lines = [[box.lines for box in f.boxes if box.kind == "update"] for f in (own, given)]
    assert lines[0] == lines[1]
    assert len(lines[0]) == 7


def test_updates_without_an_optimizer_are_refused() -> None:
    with pytest.raises(ArgumentError, match="no optimizer"):
        model().draw(updates=True)


@pytest.mark.parametrize(
    ("name", "tex"),
    [("x_hat", r"\hat{x}"), ("gamma_bar", r"\bar{\gamma}"), ("y_tilde2", r"\tilde{y}_{2}")],
)
def test_an_accent_is_set_over_its_letter(name: str, tex: str) -> None:
    assert latex(named(pretty(name))) == tex
    assert '<mover accent="true">' in mathml(named(pretty(name)))


@pytest.mark.parametrize("name", ["ab_hat", "_hat", "hat", "x_hat_"])
def test_a_word_has_no_accent(name: str) -> None:
    assert pretty(name) == name
