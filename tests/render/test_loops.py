"""A loop is a frame around the equations of a step; the loop of the gradient is one box that lists them."""

from __future__ import annotations

import pytest

import graphc as gx
from graphc import nn
from graphc.render import draw
from graphc.render.loops import MAX_LINES


def lstm():
    xs, y = gx.input("xs", ("time", "batch", 3)), gx.input("y", ("batch", 4))
    W, U, b = gx.param("W", (3, 16)), gx.param("U", (4, 16)), gx.param("b", (16,))

    def cell(carry, x):
        h, c = carry
        a = (x @ W + h @ U + b).named("a")
        i, f, o = (gx.sigmoid(a[:, k : k + 4]).named(n) for n, k in (("i", 0), ("f", 4), ("o", 8)))
        g = gx.tanh(a[:, 12:]).named("g")
        c = (f * c + i * g).named("c")
        h = (o * gx.tanh(c)).named("h")
        return (h, c), None

    (h, _), _ = gx.scan(cell, (gx.zeros(("batch", 4)), gx.zeros(("batch", 4))), xs)
    return gx.Model(h, nn.mse(h, y), name="lstm")


@pytest.fixture(scope="module")
def figure():
    return draw(lstm()).figure


def box(figure, title):
    return next(b for b in figure.boxes if b.title == title)


def test_the_forward_loop_says_what_each_step_computes(figure):
    assert box(figure, "aₜ").lines == ("xsₜ W + hₜ₋₁ U + b",)
    assert box(figure, "cₜ").lines == ("fₜ ⊙ cₜ₋₁ + iₜ ⊙ gₜ",)
    assert box(figure, "h").lines[0] == "h[time]"
    layers = {figure.rows[figure.place[box(figure, name).key][0]].layer for name in ("aₜ", "cₜ", "hₜ", "h")}
    assert layers == {("for t = 1, …, time, from h = c = 0",)}


def test_carries_without_a_name_begin_by_their_numbers():
    def cell(carry, x):
        h, c = carry
        return (gx.tanh(x + h + c), x * c), None

    xs = gx.input("xs", ("time", "batch", 3))
    (h, _), _ = gx.scan(cell, (gx.zeros(("batch", 3)), gx.zeros(("batch", 3))), xs)
    drawing = draw(h)
    assert ("for t = 1, …, time, from carry₀ = carry₁ = 0",) in {row.layer for row in drawing.figure.rows}
    assert "<title>for t = 1, …, time, from carry₀ = carry₁ = 0</title>" in drawing.svg


def test_gates_say_which_part_they_read(figure):
    assert [box(figure, f"{name}ₜ").lines[0] for name in "ifog"] == [
        "σ(aₜ[:, 0:4])",
        "σ(aₜ[:, 4:8])",
        "σ(aₜ[:, 8:12])",
        "tanh(aₜ[:, 12:])",
    ]


def test_what_is_saved_stands_in_the_loop_that_saves_it(figure):
    assert box(figure, "h").lines[1:] == ("keeps hₜ₋₁, cₜ₋₁, oₜ, fₜ, iₜ, gₜ, u₁,ₜ",)
    assert {b.title for b in figure.boxes}.isdisjoint({"o", "f", "i", "g", "h_prev", "v₁"})


def test_the_gradient_is_one_loop_from_which_the_gradients_are_read(figure):
    back = box(figure, "backward loop")
    assert back.lines[:2] == ("for t = time, …, 1", "from δh = ∂h, δc = δW = δU = δb = 0")
    assert "δUₜ = δUₜ₊₁ + hₜ₋₁ᵀ δaₜ" in back.lines
    edges = {(e.tail, e.head): e.kind for e in figure.edges}
    for name in "WUb":
        assert edges[back.key, box(figure, f"∂{name}").key] == "gradient"
        assert box(figure, f"∂{name}").lines == (f"δ{name}[t = 1]",)
    assert edges[box(figure, "gₜ").key, back.key] == "saved"
    assert edges[box(figure, "∂h").key, back.key] == "backward"


def test_a_pair_of_boxes_has_one_edge(figure):
    pairs = [(e.tail, e.head) for e in figure.edges]
    assert len(pairs) == len(set(pairs))


@pytest.mark.parametrize("level", ["model", "lowered", "plan"])
def test_every_level_draws_a_loop(level):
    assert "<svg" in draw(lstm(), level=level).svg


def test_a_result_beside_the_first_says_what_it_is():
    xs, h0 = gx.input("xs", ("time", 3)), gx.input("h0", (3,))
    last, hs = gx.scan(lambda h, x: (gx.tanh(h + x).named("h"),) * 2, h0, xs)
    titles = {b.title: b.lines for b in draw({"last": last.named("last"), "hs": hs}).figure.boxes}
    assert titles["last"] == ("h[time]",)
    assert titles["hs"] == ("hₜ",)


def rnn():
    xs, y = gx.input("xs", ("time", "batch", 3)), gx.input("y", ("batch", 4))
    W, U, b = gx.param("W", (3, 4)), gx.param("U", (4, 4)), gx.param("b", (4,))

    def cell(h, x):
        return gx.tanh(x @ W + h @ U + b).named("h"), None

    h, _ = gx.scan(cell, gx.zeros(("batch", 4)), xs)
    return gx.Model(h, nn.mse(h, y), name="rnn")


def test_a_small_body_is_drawn_equation_by_equation_in_a_frame():
    figure = draw(rnn()).figure
    step = box(figure, "hₜ")
    assert step.lines == ("tanh(xsₜ W + hₜ₋₁ U + b)",)
    assert step.foot == "batch×4"
    assert {figure.rows[figure.place[b.key][0]].layer for b in (step, box(figure, "h"))} == {
        ("for t = 1, …, time, from h = 0",)
    }
    kinds = {(e.tail, e.head): e.kind for e in figure.edges}
    assert kinds[step.key, step.key] == "carry"
    assert kinds[step.key, box(figure, "h").key] == "forward"
    assert [kinds[box(figure, name).key, step.key] for name in ("xs", "W", "U", "b")] == ["data"] + [
        "param"
    ] * 3
    assert kinds[step.key, box(figure, "backward loop").key] == "saved"
    assert box(figure, "h").lines == ("h[time]", "keeps hₜ₋₁, hₜ")


def test_what_goes_from_step_to_step_leads_back_to_what_reads_it():
    xs, h0 = gx.input("xs", ("time", 3)), gx.param("h0", (3,))

    def step(h, x):
        a = (2 * h + x).named("a")
        return gx.tanh(a).named("h"), a

    _, ys = gx.scan(step, h0, xs)
    figure = draw({"ys": ys.named("ys")}).figure
    first, second = box(figure, "aₜ"), box(figure, "hₜ")
    kinds = {(e.tail, e.head): e.kind for e in figure.edges}
    assert kinds[first.key, second.key] == "forward"
    assert kinds[second.key, first.key] == "carry"
    assert kinds[box(figure, "h₀").key, first.key] == "param"
    assert kinds[first.key, box(figure, "ys").key] == "forward"
    assert 'class="carry' in draw({"ys": ys}).dot


def test_two_loops_have_frames_of_their_own():
    xs = gx.input("xs", ("time", 3))
    ends = [gx.scan(lambda h, x, f=f: (f(h + x), None), gx.zeros((3,)), xs)[0] for f in (gx.tanh, gx.sigmoid)]
    layers = {row.layer for row in draw(gx.sum(ends[0] * ends[1])).figure.rows if row.layer}
    assert len(layers) == 2


def test_a_long_body_is_cut_in_the_middle():
    def step(h, x):
        for i in range(30):
            h = gx.tanh(h + x).named(f"s{i}")
        return h, None

    last, _ = gx.scan(step, gx.input("h0", (3,)), gx.input("xs", ("time", 3)))
    lines = draw(last.named("last")).figure.boxes[-1].lines
    assert len(lines) == MAX_LINES + 1  # the last one says what the value is
    assert "… 9 more" in lines


def test_a_choice_shows_both_branches():
    c, w = gx.input("c", ()), gx.param("w", (3,))
    loss = gx.sum(gx.cond(c > 0, lambda: gx.tanh(w), lambda: w * w))
    boxes = {
        b.title: b.lines for b in draw({"loss": loss, "gradients": {"w": gx.grad(loss, w)}}).figure.boxes
    }
    assert boxes["v₁"] == ("tanh(w)   if c > 0", "w²   otherwise")
    assert [line.split()[-1] for line in boxes["∂w"]] == ["0", "otherwise"]


def test_a_long_branch_is_not_written_out():
    c, w = gx.input("c", ()), gx.param("w", (3,))

    def long():
        h = w
        for _ in range(40):
            h = gx.tanh(h + w)
        return h

    (box,) = [b for b in draw(gx.cond(c > 0, long, lambda: w).named("y")).figure.boxes if b.title == "y"]
    assert box.lines == ("…   if c > 0", "w   otherwise")
