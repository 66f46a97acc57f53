"""The page of a derivation: Markdown, LaTeX, HTML; what it says, and that names of users are text in all of them."""

from __future__ import annotations

import functools
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

import graphc as gx
from graphc import nn
from graphc.errors import ArgumentError, UnknownNameError
from graphc.render.document import Code, Display, Ref
from graphc.render.latex import latex
from graphc.render.maths import Math
from tests.render.test_equations import MODELS, batch_norm, recurrent, shared

HOSTILE = [
    "</p><script>alert(1)</script>",
    "\\input{/etc/passwd}",
    "a$b_c^d{e}%f&g#h~",
    "`x` | *y*",
    "$$",
    "Ünï 名",
]


def digits():
    x, t = gx.input("x", ("batch", 64)), gx.input("t", ("batch",), dtype="int64")
    h = nn.dense(x, 32, activation="tanh", name="hidden1")
    logits = nn.dense(h, 10, name="output")
    return gx.Model(logits, nn.cross_entropy(logits, t), name="digits")


def test_printing_shows_the_document_and_the_prompt_one_line():
    page = gx.derivation(digits())
    assert str(page) == page.markdown
    assert repr(page).startswith("<derivation of ")


def test_the_forward_equations_come_first_then_the_gradients():
    page = gx.derivation(digits())
    assert [f"{latex(e.left)} = {latex(e.right)}" for e in page.equations] == [
        r"z_{1} = x \, W_{1} + b_{1}",
        r"h = \tanh \left(z_{1} \right)",
        r"z_{2} = h \, W_{2} + b_{2}",
        (
            r"L = - \frac{\sum \operatorname{onehot} \left(t \right) \odot \log \, \operatorname{softmax} "
            r"\left(z_{2} \right)}{\mathrm{batch}}"
        ),
        r"\frac{\partial y}{\partial x} = 1 - y^{2}",
        (
            r"\frac{\partial L}{\partial z_{2}} = \frac{\operatorname{softmax} \left(z_{2} \right) - "
            r"\operatorname{onehot} \left(t \right)}{\mathrm{batch}}"
        ),
        r"\frac{\partial L}{\partial W_{2}} = h^{\top} \, \frac{\partial L}{\partial z_{2}}",
        r"\frac{\partial L}{\partial b_{2}} = \sum_{\mathrm{batch}} \frac{\partial L}{\partial z_{2}}",
        r"\frac{\partial L}{\partial h} = \frac{\partial L}{\partial z_{2}} \, W_{2}^{\top}",
        r"\frac{\partial L}{\partial z_{1}} = \frac{\partial L}{\partial h} \odot \left(1 - h^{2} \right)",
        r"\frac{\partial L}{\partial W_{1}} = x^{\top} \, \frac{\partial L}{\partial z_{1}}",
        r"\frac{\partial L}{\partial b_{1}} = \sum_{\mathrm{batch}} \frac{\partial L}{\partial z_{1}}",
    ]


def test_an_equation_says_its_shape_its_rule_and_what_it_keeps():
    text = gx.derivation(digits()).markdown
    assert "- saved for (7), (10)" in text
    assert "- chain rule through tanh in (2), with the derivative (5)" in text
    assert "- $b_{1}$ was stretched over batch, so its gradient is summed back" in text
    rules = "`sub-neg` (exact), `add-neg` (exact), `probability-minus-target` (stable), `times-reciprocal` (rounding)"
    assert f"- simplified by the rules {rules}" in text
    assert "- shape 64×32" in text
    assert "| `probability-minus-target` | stable |" in text


def test_the_way_of_each_parameter_goes_from_the_loss():
    table = gx.derivation(digits()).blocks[-3]
    ways = {cells[1]: [p.number for p in cells[2] if not isinstance(p, str)] for cells in table.rows}
    assert ways == {("64×32",): [6, 9, 10, 11], ("32",): [6, 9, 10, 12], ("32×10",): [6, 7], ("10",): [6, 8]}


def test_each_equation_uses_what_was_defined_before_it():
    for make in MODELS:
        page = gx.derivation(make())
        known = {n for n in page.system.names if n.op.kind == "leaf"}
        for equation in page.equations:
            if equation.phase != "derivative":
                assert set(equation.names) <= known
                known.add(equation.node)
        displays = [b for b in page.blocks if isinstance(b, Display)]
        assert [b.number for b in displays] == list(range(1, len(displays) + 1))


@pytest.mark.parametrize("make", MODELS, ids=lambda m: m.__name__)
def test_the_page_is_well_formed_and_fetches_nothing(make):
    html = gx.derivation(make()).html
    ET.fromstring(html.removeprefix("<!DOCTYPE html>").replace('<meta charset="utf-8">', ""))
    assert not re.search(r"<script|src=|url\(|@import|<link|javascript:", html)
    assert all(a.startswith("#eq") for a in re.findall(r'href="([^"]*)"', html))
    targets = set(re.findall(r'id="(eq\d+)"', html))
    assert {a.removeprefix("#") for a in re.findall(r'href="([^"]*)"', html)} <= targets


@pytest.mark.parametrize("make", MODELS, ids=lambda m: m.__name__)
def test_latex_has_matching_braces_and_references(make):
    text = gx.derivation(make()).latex
    plain = re.sub(r"\\[{}\\]", "", text)
    assert plain.count("{") == plain.count("}")
    assert text.count(r"\left") - text.count(r"\leftarrow") - text.count(r"\leq") == text.count(r"\right")
    assert set(re.findall(r"\\eqref\{(.*?)\}", text)) <= set(re.findall(r"\\label\{(.*?)\}", text))


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text = set(), ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_users_are_text(name):
    x = gx.input("x", ("n", 3))
    w = gx.param(name, (3,))
    page = gx.derivation(gx.mean(gx.square((x @ w).named(name + "2"))))
    read = _Tags()
    read.feed(page.html)
    assert "script" not in read.tags
    assert name in read.text
    assert "<script" not in re.sub(r"(`+).*?\1", "", page.markdown)
    assert "\\input{" not in page.latex
    formulas = re.sub(r"\\.", "", re.sub(r"(?s).*?\\begin\{document\}", "", page.latex))
    assert formulas.count("{") == formulas.count("}")
    assert formulas.count("$") % 2 == 0
    assert "%" not in formulas
    assert "#" not in formulas


def test_save_writes_by_suffix(tmp_path):
    page = gx.derivation(digits(), "hidden1.W")
    for suffix, text in ((".md", page.markdown), (".tex", page.latex), (".html", page.html)):
        assert page.save(tmp_path / f"page{suffix}").read_text(encoding="utf-8") == text
    with pytest.raises(ArgumentError, match="not written in this form"):
        page.save(tmp_path / "page.pdf")
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".html", ".md", ".tex"]


def test_a_notebook_shows_it():
    page = gx.derivation(digits())
    assert page._repr_html_().startswith("<style>")
    assert page._repr_latex_().startswith("$$\\begin{aligned}\nz_{1} &= x")
    assert repr(page) == "<derivation of the gradients of digits: 12 equations>"


def test_by_what_to_differentiate():
    model = digits()
    assert len(gx.derivation(model, ["output.W"]).equations) < len(gx.derivation(model).equations)
    x = gx.input("x", (3,))
    assert "Derivation of ∂L/∂x" in gx.derivation(gx.sum(gx.exp(x)), x).markdown
    with pytest.raises(UnknownNameError, match=r"hidden1\.w"):
        gx.derivation(model, "hidden1.w")
    with pytest.raises(ArgumentError, match="needs a loss"):
        gx.derivation(gx.Model(x))
    with pytest.raises(ArgumentError, match="nothing to differentiate by"):
        gx.derivation(gx.sum(x))
    with pytest.raises(ArgumentError, match="train or eval"):
        gx.derivation(model, mode="test")


def test_the_same_model_gives_the_same_page():
    assert gx.derivation(digits()).html == gx.derivation(digits()).html


def _plain(text):
    shown = {Math: latex, Code: lambda p: p.text, Ref: lambda p: f"({p.number})", str: str}
    return "".join(shown[type(piece)](piece) for piece in text)


def test_a_loop_is_a_recurrence():
    forward, *_, backward = [
        [_plain(note) for note in e.notes]
        for e in gx.derivation(recurrent()).equations
        if any(_plain(note).startswith("a loop") for note in e.notes)
    ]
    assert forward[1:] == [
        r"a loop over t = 1, \ldots, \mathrm{time} that begins with h_{0} = h_{0}",
        r"h_{t} = \tanh \left(v_{1} \, h_{t - 1} + v_{2} \, \mathrm{xs}_{t} \right)",
        "its element t is h_{t}",
    ]
    step = r"s_{1, t} = \left(\text{$\delta$h}_{t + 1} + \left(\frac{\partial L}{\partial \mathrm{tanhs}} \right)_{t} "
    assert step + r"\right) \odot \left(1 - \mathrm{tanhs}_{t}^{2} \right)" in backward
    assert r"\text{$\delta$h}_{t} = v_{1}^{\top} \, s_{1, t}" in backward


def test_a_shared_parameter_adds_up_what_its_uses_give():
    equation = next(e for e in gx.derivation(shared()).equations if e.of is not None and e.of.name == "W")
    assert latex(equation.right) == (
        r"h_{2}^{\top} \, \frac{\partial L}{\partial v_{3}} + h_{1}^{\top} \, \frac{\partial L}{\partial v_{2}} + "
        r"x^{\top} \, \frac{\partial L}{\partial v_{1}}"
    )
    assert [_plain(note) for note in equation.notes] == [
        "chain rule through matmul in (1), (3), (5), which is linear in W: its transpose takes the gradient back",
        "W is used 3 times: the gradients of its uses are added",
    ]


def test_batch_norm_shows_what_became_of_the_long_form():
    page = gx.derivation(batch_norm())
    (equation,) = (e for e in page.equations if latex(e.left) == r"\frac{\partial L}{\partial z_{1}}")
    assert "common-factor" in "".join(map(_plain, equation.notes))
    assert r"\frac{1}{2 \, \sigma}" in latex(equation.before.formula)
    assert len(latex(equation.right)) < len(latex(equation.before.formula)) / 4


def test_a_sum_of_many_terms_is_one_row():
    w, x = gx.param("w", ()), gx.input("x", ())
    terms = [gx.sin(w + float(i)) for i in range(150)]
    page = gx.derivation(functools.reduce(lambda a, b: a + b, terms, w * x), w)
    assert page.html.count("<mo>+</mo>") > 300
    assert "\\begin{split}" in page.latex
    assert not any("&" in line and len(line) > 400 for line in page.latex.splitlines())
