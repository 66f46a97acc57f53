"""Two operations that give different values are never the same formula."""

from __future__ import annotations

from itertools import combinations

import pytest

import graphc as gx
from graphc import nn
from graphc.render import draw
from graphc.render.plain import plain_text

v, W = gx.param("v", (3,), dtype="float64"), gx.param("W", (3, 3), dtype="float64")

FAMILIES = {
    "roll": [gx.roll(v, 1), gx.roll(v, -1)],
    "quantile": [gx.quantile(W, 0.3), gx.median(W)],
    "tril": [gx.tril(W), gx.tril(W, -1), gx.tril(W, 1), gx.triu(W), gx.triu(W, 1)],
    "diagonal": [gx.diagonal(W), gx.diagonal(W, 1)],
    "var": [gx.var(W, axis=0), gx.var(W, axis=0, correction=1), gx.var(W, axis=1)],
    "norm": [gx.norm(W), gx.norm(W, axis=0), gx.norm(W, axis=1)],
    "logsumexp": [gx.logsumexp(W), gx.logsumexp(W, axis=0), gx.logsumexp(W, axis=1)],
    "activation": [gx.leaky_relu(v), gx.leaky_relu(v, negative_slope=0.2), gx.elu(v), gx.elu(v, alpha=2.0)],
    "product": [gx.outer(v, v), v * v, gx.einsum("ij,ij->i", W, W), W @ W],
}


def formula(node: gx.Node) -> object:
    """What stands in the box of a value."""
    return next(box.formulas for box in draw(node.named("out")).figure.boxes if box.title == "out")


@pytest.mark.parametrize("family", FAMILIES)
def test_what_differs_in_value_differs_in_its_formula(family: str) -> None:
    for one, other in combinations(FAMILIES[family], 2):
        assert formula(one) != formula(other)


def test_numbers_stand_below_the_word() -> None:
    found = {plain_text(formula(node)[0]) for node in (gx.roll(v, -1), gx.tril(W, 1), gx.norm(W))}
    assert found == {"roll₋₁ (v)", "tril[k = 1] (W)", "‖W‖₂"}


def test_the_gradient_of_a_maximum_goes_to_the_first_of_equal_ones() -> None:
    (g,) = gx.grad(gx.max(v), [v])
    assert gx.interpret(gx.graph_of(g), {"v": [1.0, 1.0, 1.0]}).tolist() == [1.0, 0.0, 0.0]
    boxes = draw({"l": gx.max(v), "g": g}).figure.boxes
    assert next(b.lines for b in boxes if b.title.startswith("∂v")) == ("onehot(arg max(v))",)


def test_row_by_row_is_no_product_of_matrices() -> None:
    assert plain_text(formula(gx.einsum("ij,ij->i", W, W + 1))[0]) == "Σ W ⊙ (W + 1)"


def test_a_slice_of_a_sequence_is_read_step_by_step() -> None:
    x, U = gx.input("x", ("n", 3)), gx.param("U", (3, 3))
    h, _ = gx.scan(lambda h, e: (gx.tanh(e + h @ U), None), gx.zeros((3,)), x[::-1])
    found = [plain_text(f) for box in draw(h).figure.boxes for f in box.formulas]
    assert "tanh((x[::-1])ₜ + Uᵀ hₜ₋₁)" in found


def test_the_results_of_a_choice_in_a_loop_are_told_apart() -> None:
    x = gx.input("x", ("n", 3), dtype="float64")

    def step(c, e):
        c = gx.cond(c > 0, lambda: gx.tanh(gx.sum(v) * c) + e[0], lambda: c * v[0] - e[1])
        return c, c

    c, _ = gx.scan(step, gx.ones((), dtype="float64"), x)
    (back,) = (b for b in draw({"l": c, "g": gx.grad(c, v)}).figure.boxes if b.title == "backward loop")
    assert "cond₁" in " ".join(back.lines)
    assert "cond₂" in " ".join(back.lines)


def test_a_product_of_matrices_in_a_batch_keeps_its_transpose() -> None:
    x, U = gx.input("x", ("time", "batch", 3)), gx.param("U", (3, 2))
    z = gx.transpose(x, (1, 0, 2)) @ U
    (g,) = gx.grad(gx.sum(z * z).named("loss"), [U])
    (box,) = (b for b in draw({"g": g}).figure.boxes if b.title == "∂U")
    assert "xᵀ" in plain_text(box.formulas[0])


def test_a_count_is_written_as_what_it_counts() -> None:
    h = nn.batch_norm(gx.input("x", ("batch", 2, 4, 4)), name="norm")
    found = {
        box.title: plain_text(box.formulas[0]) for box in draw(h, mode="train").figure.boxes if box.formulas
    }
    assert found["mean"] == "(Σ x) / (16 batch)"


def test_statistics_of_two_layers_go_by_their_full_names() -> None:
    x, y = gx.input("x", ("batch", 4)), gx.input("y", ("batch", 4))
    h = nn.batch_norm(gx.tanh(nn.batch_norm(x, name="one")), name="two")
    figure = draw(gx.Model(h, nn.mse(h, y))).figure
    (box,) = (b for b in figure.boxes if b.kind == "update")
    assert [plain_text(f).partition(" ←")[0] for f in box.formulas] == [
        f"{layer}.{name}" for layer in ("one", "two") for name in ("running_mean", "running_var")
    ]


def test_a_number_below_zero_after_a_comma_is_no_difference() -> None:
    text = plain_text(formula(gx.maximum(v, -1.0))[0])
    assert "−1" in text
    assert "− 1" not in text
