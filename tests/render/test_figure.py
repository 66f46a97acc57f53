"""What is in a figure: formulas from the graph, partners side by side, names that are distinct."""

from __future__ import annotations

import pytest

import graphc as gx
from graphc.ir.graph import graph_of
from graphc.ir.provenance import descendants_of
from graphc.render import draw
from graphc.render.figure import BACKWARD, FORWARD, GRADIENTS, SOURCES, Figure
from graphc.render.parts import parts_of
from graphc.render.titles import pretty
from graphc.stages import simplify
from tests.render import networks

ALL = {
    "regression": networks.regression,
    "mlp": networks.mlp,
    "deep": lambda: networks.mlp(9),
    "residual": networks.residual,
    "shared": networks.shared,
}


def equations(figure: Figure) -> dict[str, str]:
    return {box.title: " ".join(box.lines) for box in figure.boxes}


def test_formulas_of_a_network_are_those_of_the_course() -> None:
    assert equations(draw(networks.mlp()).figure) == {
        "x": "",
        "W₁": "",
        "b₁": "",
        "z₁": "x W₁ + b₁",
        "∂z₁": "∂h₁ ⊙ [h₁ > 0]",
        "∂W₁": "xᵀ ∂z₁",
        "∂b₁": "Σ ∂z₁",
        "h₁": "relu(z₁)",
        "∂h₁": "∂z₂ W₂ᵀ",
        "W₂": "",
        "b₂": "",
        "z₂": "h₁ W₂ + b₂",
        "∂z₂": "∂h₂ ⊙ (1 − h₂²)",
        "∂W₂": "h₁ᵀ ∂z₂",
        "∂b₂": "Σ ∂z₂",
        "h₂": "tanh(z₂)",
        "∂h₂": "∂z₃ W₃ᵀ",
        "W₃": "",
        "b₃": "",
        "z₃": "h₂ W₃ + b₃",
        "∂z₃": "(softmax(z₃) − onehot(t)) / batch",
        "∂W₃": "h₂ᵀ ∂z₃",
        "∂b₃": "Σ ∂z₃",
        "t": "",
        "L": "−mean(Σ onehot(t) ⊙ log softmax(z₃))",
        "∂L": "1",
    }


def test_formulas_of_a_regression() -> None:
    found = equations(draw(networks.regression()).figure)
    assert found["prediction"] == "x w + b"
    assert found["∂prediction"] == "2 (prediction − y) / batch"
    assert found["∂w"] == "xᵀ ∂prediction"
    assert found["loss"] == "mean((prediction − y)²)"


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_each_forward_node_on_a_path_to_a_parameter_has_its_partner_beside_it(make) -> None:
    for row in draw(make()).figure.rows:
        for box in row.columns.get(FORWARD, ()):
            if box.kind == "forward":
                assert [b.title for b in row.columns[BACKWARD]] == [f"∂{box.title}"]


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_each_parameter_has_its_gradient_in_its_row(make) -> None:
    for row in draw(make()).figure.rows:
        params = [box.title for box in row.columns.get(SOURCES, ()) if box.kind == "param"]
        assert [box.title for box in row.columns.get(GRADIENTS, ())] == [f"∂{title}" for title in params]


@pytest.mark.parametrize("level", ["model", "graph", "lowered", "plan"])
@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_titles_are_distinct_and_every_edge_has_both_ends(make, level: str) -> None:
    figure = draw(make(), level=level).figure
    titles = [box.title for box in figure.boxes]
    assert len(set(titles)) == len(titles)
    assert {key for edge in figure.edges for key in (edge.tail, edge.head)} <= {
        box.key for box in figure.boxes
    }


def test_a_gradient_that_is_added_up_is_marked() -> None:
    boxes = {box.title: box for box in draw(networks.shared()).figure.boxes}
    assert boxes["∂W"].heavy
    assert boxes["∂W"].foot == "16×16 · added up over 3 uses"
    assert boxes["∂W"].lines == ("h₂ᵀ ∂v₃ + h₁ᵀ ∂v₂ + xᵀ ∂v₁",)
    assert not boxes["∂h₁"].heavy


def test_many_uses_are_shortened() -> None:
    boxes = {box.title: box for box in draw(networks.shared(9)).figure.boxes}
    assert boxes["∂W"].lines == ("h₈ᵀ ∂v₉ + … + xᵀ ∂v₁",)
    assert boxes["∂W"].foot.endswith("added up over 9 uses")


def test_an_unbroadcast_says_along_what() -> None:
    boxes = {box.title: box for box in draw(networks.mlp()).figure.boxes}
    assert boxes["∂b₁"].foot == "64 · over batch"
    assert any("summed over batch" in line for line in boxes["∂b₁"].tooltip)


def test_saved_values_are_edges_and_parameters_are_not() -> None:
    figure = draw(networks.mlp()).figure
    title = {box.key: box.title for box in figure.boxes}
    saved = {(title[e.tail], title[e.head]) for e in figure.edges if e.kind == "saved"}
    assert saved == {
        ("x", "∂W₁"),
        ("h₁", "∂z₁"),
        ("h₁", "∂W₂"),
        ("h₂", "∂z₂"),
        ("h₂", "∂W₃"),
        ("z₃", "∂z₃"),
        ("t", "∂z₃"),
    }


def test_tooltips_name_type_rule_cost_and_line() -> None:
    boxes = {box.title: box for box in draw(networks.mlp()).figure.boxes}
    text = "\n".join(boxes["z₁"].tooltip)
    assert "hidden1.z: float32[batch, 64]" in text
    assert "cost in ns per element: matmul" in text
    assert "networks.py:" in text
    assert "chain rule through relu" in "\n".join(boxes["∂z₁"].tooltip)


def test_layers_are_frames_and_nested_ones_stay_nested() -> None:
    layers = {row.layer for row in draw(networks.residual()).figure.rows}
    assert layers == {
        (),
        ("stem",),
        ("block1", "first"),
        ("block1", "second"),
        ("block1",),
        ("block2", "first"),
        ("block2", "second"),
        ("block2",),
        ("head",),
    }


def test_without_gradients_there_is_a_forward_column_only() -> None:
    x = gx.input("x", ("n",))
    figure = draw(gx.tanh(x).named("y")).figure
    assert equations(figure) == {"x": "", "y": "tanh(x)"}
    assert all(set(row.columns) == {FORWARD} for row in figure.rows)


def test_gradients_alone_are_drawn_with_what_they_read() -> None:
    x, w = gx.input("x", ("n", 3)), gx.param("w", (3,))
    found = equations(draw(gx.grad(gx.mean(gx.square(x @ w)), w)).figure)
    assert found == {"w": "", "x": "", "∂w": "xᵀ (2 (x w) / n)"}


def test_a_gradient_of_a_gradient_is_primed() -> None:
    s = gx.input("s", ())
    y = gx.sin(s).named("y")
    first = gx.grad(y, s)
    found = equations(draw({"y": y, "first": first, "second": gx.grad(first, s)}).figure)
    assert found["∂s"] == "cos(s)"
    assert "∂s′" in found


def test_a_plan_numbers_the_steps() -> None:
    boxes = {box.title: box for box in draw(networks.mlp(), level="plan").figure.boxes}
    assert int(boxes["h₁"].label) < int(boxes["h₂"].label) < int(boxes["∂z₂"].label) < int(boxes["∂z₁"].label)
    assert not boxes["W₁"].label


def test_lowered_shows_what_runs() -> None:
    formulas = " ".join(equations(draw(networks.mlp(), level="lowered").figure).values())
    assert "softmax" not in formulas
    assert "exp(" in formulas


def test_composites_are_one_box_until_lowered() -> None:
    hat = gx.composite("hat", lambda x: gx.maximum(1 - gx.abs(x), 0))
    y = hat(gx.input("x", ("n",))).named("y")
    assert equations(draw(y).figure)["y"] == "hat(x)"
    assert equations(draw(y, level="lowered").figure)["y"] == "relu(1 − |x|)"


def test_a_choice_shows_both_branches_until_a_mode_is_given() -> None:
    x = gx.input("x", ("n",))
    y = gx.by_mode(train=2 * x, eval=x + 1).named("y")
    assert equations(draw(y).figure)["y"] == "{2 x if train, x + 1 if eval}"
    assert "2 x" in equations(draw(y, mode="train").figure).values()


def test_updates_are_equations_in_the_row_of_the_parameter() -> None:
    x, w, lr = gx.input("x", ("n", 3)), gx.param("w", (3,)), gx.hyper("lr", 0.1)
    loss = gx.mean(gx.square(x @ w)).named("loss")
    graph = graph_of({"loss": loss}, {w: w - lr * gx.grad(loss, w)})
    boxes = [box for box in draw(graph).figure.boxes if box.kind == "update"]
    assert [box.lines for box in boxes] == [("w ← w − lr · ∂w",)]
    assert not [box for box in draw(graph, updates=False).figure.boxes if box.kind == "update"]


def test_adam_is_drawn_with_its_slots() -> None:
    from graphc import optim

    x, w = gx.input("x", ("n", 3)), gx.param("w", (3,))
    loss = gx.mean(gx.square(x @ w)).named("loss")
    gradient = gx.grad(loss, w)
    graph = graph_of({"loss": loss, "g": gradient}, optim.adam(1e-3).updates({"w": w}, {"w": gradient}))
    lines = next(
        box.lines for box in draw(graph).figure.boxes if box.kind == "update" and "w ←" in str(box.lines)
    )
    assert any(line.startswith("m ← 0.9 m + 0.1 ∂w") for line in lines)
    assert any(line.startswith("v ← 0.999 v + 0.001 ∂w²") for line in lines)


def test_a_state_is_drawn_with_its_transition() -> None:
    x, m = gx.input("x", ("n",)), gx.state("m", ())
    figure = draw(gx.update((x - m).named("y"), {m: 0.9 * m + 0.1 * gx.mean(x)})).figure
    assert ("m ← 0.9 m + 0.1 mean(x)",) in [box.lines for box in figure.boxes]


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_partners_hold_after_rewriting(make) -> None:
    """The gradient that is drawn beside a node is the one that the sweep recorded for it, or for what it replaced."""
    from graphc.ir.events import Cotangent
    from graphc.ir.provenance import history

    graph = simplify(make())
    parts = parts_of(graph)
    assert parts.partner
    for gradient, node in parts.partner.items():
        recorded = {d for e in history(gradient) if isinstance(e, Cotangent) for d in descendants_of(e.of)}
        assert recorded & descendants_of(node)


def test_a_large_graph_is_shown_by_layer_and_says_so() -> None:
    drawing = draw(networks.mlp(60, 8))
    assert drawing.level == "model"
    assert drawing.figure.note == '490 boxes, shown by layer; draw(..., level="graph") shows all of them'
    assert len(drawing.figure.boxes) < 130
    assert draw(networks.mlp(60, 8), level="graph").level == "graph"


def test_a_layer_of_a_collapsed_figure_shows_its_equations() -> None:
    boxes = {box.title: box for box in draw(networks.mlp(), level="model").figure.boxes}
    assert boxes["hidden1"].lines == ("z₁ = x W₁ + b₁", "h₁ = relu(z₁)")
    assert boxes["∂ hidden1"].lines[:2] == ("∂h₁ = ∂z₂ W₂ᵀ", "∂z₁ = ∂h₁ ⊙ [h₁ > 0]")
    assert boxes["hidden1"].foot == "W₁ 64×64 · b₁ 64"


@pytest.mark.full
def test_a_chain_of_20000_nodes_is_drawn() -> None:
    x = gx.input("x", ("n",))
    node = x
    for _ in range(10_000):
        node = gx.sin(node) * 1.01
    drawing = draw(node)
    assert drawing.level == "model"
    assert len(drawing.figure.boxes) < 200
    assert drawing.svg.startswith("<?xml")


@pytest.mark.parametrize("activation", [gx.gelu, gx.silu, gx.tanh])
def test_the_seed_leads_to_gradients_not_to_derivatives(activation) -> None:
    h, params = networks.dense(gx.input("x", ("n", 4)), 4, 3, "one", activation)
    z, more = networks.dense(h, 3, 2, "two")
    loss = gx.mean(gx.square(z - gx.input("y", ("n", 2)))).named("loss")
    figure = draw(networks.with_gradients(loss, [*params, *more])).figure
    titles = {box.key: box.title for box in figure.boxes}
    led = [titles[e.head] for e in figure.edges if titles.get(e.tail) == "∂loss" and e.kind != "tie"]
    assert led == ["∂z₂"]


def test_a_value_is_drawn_once_however_it_was_differentiated() -> None:
    x, t = gx.input("x", ("batch", 5, 8)), gx.input("t", ("batch", 5, 8))
    loss = gx.mean(gx.square(gx.nn.layer_norm(gx.nn.dense(x, 8, name="q"), name="norm") - t))
    params = list(gx.graph_of(loss).leaves("param"))
    titles = [box.title for box in gx.draw({"loss": loss, "gradients": gx.grad(loss, params)}).figure.boxes]
    assert {"mean", "σ", pretty("x_hat")} <= set(titles)
    assert {"mean₂", "σ₂", pretty("x_hat2")}.isdisjoint(titles)
