"""Formulas of a figure as outlines: what is set, where it stands, and what is shown where nothing can set them."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

import graphc as gx
from graphc.errors import MissingDependency
from graphc.render import draw, typeset
from graphc.render.labels import Labels
from graphc.render.maths import Math, fenced, named, operator, row
from graphc.render.place import placed
from graphc.render.typeset import MAX_WIDTH, lines_of, settings_of
from tests.render import networks

SVG = "{http://www.w3.org/2000/svg}"

needs_ziamath = pytest.mark.skipif(not typeset.available(), reason="ziamath is not installed")


def formulas(svg: str) -> list[str]:
    return [
        g.get("aria-label") or "" for g in ET.fromstring(svg).iter(f"{SVG}g") if g.get("class") == "formula"
    ]


@pytest.fixture
def no_setter(monkeypatch):
    monkeypatch.setattr(typeset, "_setter", lambda: None)
    typeset.typeset.cache_clear()
    typeset._width.cache_clear()
    yield
    typeset.typeset.cache_clear()
    typeset._width.cache_clear()


@needs_ziamath
@pytest.mark.parametrize("make", [networks.regression, networks.mlp, networks.residual, networks.shared])
def test_every_formula_is_set_and_its_outlines_are_there(make):
    drawing = draw(make())
    with_formulas = [box for box in drawing.figure.boxes if box.formulas]
    assert set(settings_of(drawing.figure)) == {box.key for box in with_formulas}
    root = ET.fromstring(drawing.svg)
    outlines = {path.get("id") for path in root.iter(f"{SVG}path") if path.get("id")}
    used = {str(use.get("href")).removeprefix("#") for use in root.iter(f"{SVG}use")}
    assert used == outlines
    assert 'fill="#01' not in drawing.svg


@needs_ziamath
def test_what_is_set_is_what_the_text_says():
    drawing = draw(networks.mlp())
    said = formulas(drawing.svg)
    assert "x W₁ + b₁" in said
    assert "∂h₂ ⊙ (1 − h₂²)" in said
    assert len(said) >= len([box for box in drawing.figure.boxes if box.formulas])


@needs_ziamath
def test_a_formula_stands_inside_its_box():
    root = ET.fromstring(draw(networks.regression()).svg)
    boxes = [g for g in root.iter(f"{SVG}g") if re.fullmatch(r"box\d+", g.get("id") or "")]
    checked = 0
    for box in boxes:
        rim = next(p for p in box.iter(f"{SVG}path") if p.get("id") is None)
        xs = [float(x) for x in re.findall(r"(-?[\d.]+),", rim.get("d") or "")]
        for formula in (g for g in box.iter(f"{SVG}g") if g.get("class") == "formula"):
            left = float(re.findall(r"translate\((-?[\d.]+)", formula.get("transform") or "")[0])
            assert min(xs) < left < max(xs)
            checked += 1
    assert checked


@needs_ziamath
def test_a_long_formula_is_broken_before_signs():
    term = fenced(row([named("alpha"), operator("−"), named("W₁")], 10))
    long = row([x for _ in range(9) for x in (operator("+"), term)][1:], 10)
    lines = lines_of(long)
    assert len(lines) > 1
    assert all(line.width <= 1.1 * MAX_WIDTH for line in lines)
    assert all(line.text.strip().startswith("+") for line in lines[1:])


@needs_ziamath
def test_what_cannot_be_broken_stays_text():
    assert lines_of(named("a" * 200)) == ()


@needs_ziamath
def test_a_character_without_a_glyph_leaves_its_box_as_text():
    x = gx.input("日本", ("n",))
    drawing = draw(gx.exp(x).named("y"))
    assert formulas(drawing.svg) == []
    assert "exp(日本)" in drawing.svg


@needs_ziamath
def test_a_hostile_name_is_outlines_and_not_markup():
    x = gx.input("</g><script>&amp;'\"", ("n",))
    svg = draw(gx.exp(x).named("y")).svg
    assert "<script" not in svg
    assert not any(e.tag.endswith("script") for e in ET.fromstring(svg).iter())


@needs_ziamath
def test_a_faint_box_has_a_faint_formula():
    svg = draw(networks.mlp(), highlight="W1").svg
    inks = {g.get("fill") for g in ET.fromstring(svg).iter(f"{SVG}g") if g.get("class") == "formula"}
    assert inks == {"#1d2939", "#98a2b3"}


def test_without_a_setter_formulas_are_text(no_setter):
    svg = draw(networks.regression()).svg
    assert formulas(svg) == []
    assert "x w + b" in svg


@needs_ziamath
def test_a_figure_of_many_boxes_stays_text(monkeypatch):
    monkeypatch.setattr(typeset, "MAX_SET", 3)
    assert formulas(draw(networks.regression()).svg) == []


@needs_ziamath
def test_the_same_outline_is_kept_once():
    labels = Labels()
    (line,) = lines_of(row([named("W₁"), operator("+"), named("W₁")], 10))
    cells = [labels._mark(line, "#1D2939", "") for _ in range(2)]
    assert len(set(cells)) == 2
    drawn = "".join(
        f'<polygon fill="{m.colour}" stroke="none" points="0,0 0,9 9,9 9,0"/>' for m in labels.marks
    )
    svg = placed(f"<svg>\n{drawn}</svg>", labels.marks)
    assert svg.count("<path") == 3
    assert svg.count("<use") == 10


@needs_ziamath
def test_brackets_around_what_is_tall_grow():
    fraction = Math("fraction", parts=(named("x"), named("y")), binds=40)
    low, high = typeset.typeset(fenced(named("x"))), typeset.typeset(fenced(row([fraction, named("y")])))
    assert low is not None
    assert high is not None
    assert high.ascent > 1.3 * low.ascent


@needs_ziamath
def test_a_derivation_is_one_picture_of_all_its_equations(tmp_path):
    x, w = gx.input("x", ("n", 3)), gx.param("日本", (3,))
    page = gx.derivation(gx.mean(gx.square(gx.tanh(x @ w).named("h"))))
    root = ET.fromstring(page.save(tmp_path / "d.svg").read_text(encoding="utf-8"))
    texts = [t.text or "" for t in root.iter(f"{SVG}text")]
    assert [t for t in texts if re.fullmatch(r"\(\d+\)", t)] == [f"({e.number})" for e in page.equations]
    assert any("日本" in t for t in texts)  # what has no glyph stays text
    said = formulas(page.svg)
    assert any(label.startswith("∂h = ") for label in said)


def test_a_picture_of_a_derivation_needs_a_setter(no_setter):
    x, w = gx.input("x", ("n", 3)), gx.param("w", (3,))
    with pytest.raises(MissingDependency, match="formula"):
        gx.derivation(gx.mean(gx.square(x @ w))).svg  # noqa: B018


@needs_ziamath
def test_a_long_formula_without_a_sign_is_set_once_or_not_at_all(monkeypatch):
    asked = []
    monkeypatch.setattr(typeset, "_width", lambda part: asked.append(part) or 1.0)
    h = gx.input("x", (3,))
    for _ in range(7):
        h = gx.tanh(h)
    (formula,) = draw(h).figure.boxes[-1].formulas
    assert len(typeset.lines_of(formula, 1000.0)) == 1
    assert typeset.lines_of(formula, 10.0) == ()
    assert asked == []


@needs_ziamath
def test_a_name_of_several_letters_has_no_gaps_of_its_own():
    for kind in ("word", "upright"):
        alone = typeset.typeset(Math(kind, "onehot"))
        assert alone.glyphs[0].x == 0
        beside = typeset.typeset(row([Math(kind, "onehot"), fenced(named("t"))]))
        assert beside.glyphs[6].x == pytest.approx(alone.width, abs=0.5)
