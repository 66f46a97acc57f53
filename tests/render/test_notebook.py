"""What a notebook shows: equations, pictures, listings, tables; never an error, and never a user's text as markup."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

import graphc as gx
from graphc.render import highlight

SHOWN = ("_repr_html_", "_repr_latex_", "_repr_svg_")


@pytest.fixture
def model():
    x, t = gx.input("x", ("batch", 3)), gx.input("t", ("batch", 2))
    y = gx.nn.dense(gx.nn.dense(x, 4, activation="tanh", name="first"), 2, name="last")
    return gx.Model(y, gx.nn.mse(y, t), name="net")


def test_a_node_is_shown_as_equations():
    x = gx.input("x", ("n", 3))
    h = gx.tanh(x @ gx.param("W", (3, 2))).named("h")
    assert h._repr_latex_() == "$$\\begin{aligned}\nh &= \\tanh \\left(x \\, W \\right)\n\\end{aligned}$$"
    assert "float32[n, 2]" in h._repr_html_()
    assert "<math>" in h._repr_html_()
    assert "test_notebook.py" in h._repr_html_()
    assert "<svg" in h._repr_svg_()


def test_a_value_without_a_name_is_given_none():
    x = gx.input("x", ())
    assert "& x + 1" in (x + 1)._repr_latex_()
    assert "=" not in (x + 1)._repr_latex_()


def test_a_gradient_alone_is_one_of_a_loss_called_l():
    w = gx.param("w", (3,))
    assert r"\frac{\partial L}{\partial w}" in gx.grad(gx.sum(w * w), w)._repr_latex_()


def test_a_leaf_has_no_equation():
    x = gx.input("x", ("n", 3))
    assert x._repr_latex_() is None
    assert "<math>" not in x._repr_html_()


def test_a_normal_draw_is_written_as_one():
    assert r"\operatorname{N} \left(0, 1 \right)" in gx.normal((3,))._repr_latex_()


@pytest.mark.parametrize("method", SHOWN)
def test_graphs_and_programs_are_shown(method, model):
    for what in (model.graph, gx.compile(model.loss)):
        assert getattr(what, method)()


def test_a_program_shows_what_runs():
    page = gx.compile(gx.tanh(gx.input("x", (2,))))._repr_html_()
    assert "np.tanh" in page.replace("</span>", "").replace('<span style="color: #666">', "")


def test_models_histories_summaries_and_explanations_are_shown(model):
    history = model.fit(np.eye(3), np.ones((3, 2)), epochs=12, verbose=False)
    assert "<svg" in model._repr_svg_()
    page = model._repr_html_()
    assert "12,345" not in page
    assert ">first</td>" in page
    assert "train_step" in page  # it was compiled by now
    shown = history._repr_html_()
    assert shown.count("<tr>") == 12  # a head, five rows, dots, five rows
    assert "<svg" in shown
    assert "<?xml" not in shown
    assert history._repr_svg_() == history._repr_svg_()
    table = history._repr_latex_().splitlines()
    assert table[0] == r"\begin{tabular}{rr}"
    assert table[1].startswith("epoch & loss")
    assert len(table) == 4 + 11  # the frame, and of twelve rows ten and a gap
    assert model.explain("last.W")._repr_markdown_().startswith("### dL/d(last.W)")


def test_an_empty_history_has_no_curves():
    assert gx.History()._repr_svg_() is None
    assert "<table>" in gx.History()._repr_html_()


def test_names_are_no_markup():
    x = gx.input("x", ("n",))
    h = (x + 1).named("<script>alert(1)</script>")
    graph = gx.graph_of(h)
    for page in (h._repr_html_(), graph._repr_html_(), gx.compile(h)._repr_html_()):
        assert page
        assert "<script" not in page


def test_a_large_graph_is_shown_as_text():
    x = gx.input("x", (3,))
    for _ in range(1000):
        x = gx.tanh(x)
    assert x._repr_svg_() is None
    assert x._repr_latex_() is None
    assert "float32[3]" in x._repr_html_()


def test_without_pygments_a_listing_is_plain(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygments", None)
    assert highlight.html_listing("a < b").endswith(">a &lt; b</pre>")
    assert highlight.terminal_listing("a < b") == "a < b"


def test_a_listing_keeps_its_text():
    pytest.importorskip("pygments")
    text = "\nx = 1  # one\n\n"
    coloured = highlight.terminal_listing(text)
    assert "\x1b[" in coloured
    import re

    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == text


def test_what_cannot_be_shown_is_left_to_plain_text(monkeypatch, model):
    from graphc.render import notebook

    def fails(*args, **options):
        raise RuntimeError("no layout")

    monkeypatch.setattr(notebook, "draw", fails)
    assert model.graph._repr_svg_() is None


def test_a_history_is_shown_once(monkeypatch, model):
    import matplotlib.pyplot as plt

    monkeypatch.setattr(plt, "isinteractive", lambda: True)
    history = model.fit(np.eye(3), np.ones((3, 2)), epochs=2, verbose=False)
    assert history._repr_html_()
    assert history._repr_svg_()
    assert not plt.get_fignums()  # a notebook would show each of these beside it


def test_a_view_is_a_frame_that_reaches_nothing(model):
    shown = model.view()._repr_html_()
    assert shown.startswith("<iframe ")
    assert 'sandbox="allow-scripts"' in shown
    assert shown.count("<") == 2  # the frame and its end: the page within is text


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "$a_b$^", '"><u>']
)
@pytest.mark.parametrize("method", [*SHOWN, "_repr_markdown_", "_repr_mimebundle_"])
def test_no_name_is_markup_anywhere(name, method):
    x, t = gx.input("x", ("batch", 3)), gx.input("t", ("batch", 2))
    h = gx.tanh(x @ gx.param(name, (3, 4)))
    model = gx.Model(y := gx.nn.dense(h, 2, name=name), gx.nn.mse(y, t), name=name)
    history = gx.train.History([{"epoch": 1, "loss": 1.0, name: 2.0}], stopped=name)
    seen = (h, model.graph, gx.compile(h), model, model.summary(), model.derivation(), model.explain())
    for what in (*seen, model.draw(), model.view(), history):
        shown = getattr(what, method, dict)()
        for text in shown.values() if isinstance(shown, dict) else [shown or ""]:
            assert not re.search(r"<(script|img|u)\b", _without_code(text))


def _without_code(text):
    """Markdown shows what stands between backticks as it is."""
    return re.sub(r"`[^`\n]*`", "", text)


def test_two_thousand_nodes_are_shown_soon_and_small():
    h = gx.input("x", ("n", 3))
    for _ in range(2000):
        h = gx.tanh(h)
    for what in (h, gx.graph_of(h)):
        for method in SHOWN:
            shown = getattr(what, method)()
            assert shown is None or len(shown) < 150_000


def test_callbacks_say_what_they_do(tmp_path):
    train = gx.train
    assert repr(train.StopAtNaN()) == "<StopAtNaN>"
    assert repr(train.CSVLog("run.csv")) == "<CSVLog: path run.csv>"
    assert repr(train.EarlyStopping("val_accuracy", patience=5)).startswith(
        "<EarlyStopping: monitor val_accuracy, patience 5, "
    )
    assert "0x" not in "".join(
        map(repr, (train.Checkpoint("a.gx"), train.LiveView(), train.ReduceOnPlateau()))
    )


def test_a_history_without_an_epoch_has_a_plain_name():
    assert repr(gx.train.History()) == "<history of 0 epochs>"
    assert gx.train.History()._repr_html_().startswith("<table>")
