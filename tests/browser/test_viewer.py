"""The viewer in a real browser: linking in all directions, the slider, collapsing, keys, and no request."""

from __future__ import annotations

import re

import numpy as np
import pytest

import graphc as gx
from tests.browser.support import Page

pytestmark = pytest.mark.full


def box(page, title):
    """A selector for the box of a title."""
    key = page(f"Object.entries(data.boxes).find(([key, box]) => box.title === {title!r})[0]")
    return f'[data-box="{key}"]'


def test_it_opens_from_a_file_without_an_error_and_asks_for_nothing_else(page, written):
    assert page("document.title") == "viewed"
    assert page("document.querySelectorAll('.box').length") == 26
    assert page("document.querySelectorAll('#derivation .eq').length") > 15
    page.do("fold(layers[0]); go(3); theme(); document.getElementById('search').value = 'z'; search()")
    assert page.problems() == []
    assert page.requests() == [written.as_uri()]


def test_pointing_at_a_box_lights_its_equation_and_its_line(page):
    page.point(box(page, "z₂"))
    lit = page.lit()
    assert lit["boxes"] == ["z₂"]
    assert lit["equations"] == ["3"]
    assert [line.partition(" = ")[0] for line in lit["lines"]] == ["second_z"]


def test_pointing_at_an_equation_lights_its_box_and_its_line(page):
    assert page("document.querySelector('#eq4 .formula').textContent.includes('tanh')")
    page.do("document.querySelector('#eq4').scrollIntoView()")
    page.point("#eq4 .formula")
    lit = page.lit()
    assert (lit["boxes"], lit["equations"]) == (["h₂"], ["4"])
    assert lit["lines"][0].startswith("second_h = np.tanh(")


def test_pointing_at_a_line_lights_its_box_and_its_equation(page):
    lines = page("[...document.querySelectorAll('.line')].map((e) => e.textContent)")
    number = 1 + next(i for i, line in enumerate(lines) if "d_second_W =" in line)
    page.do(f"document.querySelector('#line{number}').scrollIntoView()")
    page.point(f"#line{number} code")
    lit = page.lit()
    assert lit["boxes"] == ["∂W₂"]
    assert lit["lines"][0].startswith("d_second_W = ")
    (equation,) = lit["equations"]
    assert page(f"document.querySelector('#eq{equation} .formula').textContent").startswith("∂L∂W2=")


def test_every_box_but_the_seed_has_a_line_and_every_computed_one_an_equation(page):
    boxes = page("Object.values(data.boxes)")
    assert [b["title"] for b in boxes if not b["lines"]] == ["∂loss"]
    assert [b["title"] for b in boxes if b["formula"] and not b["equations"]] == ["∂loss"]


def test_a_click_keeps_the_light_and_escape_lets_go(page):
    from selenium.webdriver.common.keys import Keys

    page.one(box(page, "h₁")).click()
    page.point("#search")
    assert page.lit()["boxes"] == ["h₁"]
    page.press(Keys.ESCAPE)
    assert page.lit()["boxes"] == []


def test_the_slider_goes_through_declaration_chain_rule_rewrites_and_lines(page):
    steps = page("data.steps")
    assert list(dict.fromkeys(s["phase"] for s in steps)) == ["declared", "chain rule", "rewrites", "runs"]
    page.do("go(2)")
    later = page("[...document.querySelectorAll('.box.later')].map((e) => data.boxes[e.dataset.box].title)")
    assert "∂W₁" in later
    assert "W₁" not in later
    first = next(i for i, s in enumerate(steps) if s["phase"] == "rewrites")
    page.do(f"go({first})")
    assert page("document.querySelectorAll('.box.later').length") == 0
    rewritten = next(i for i, s in enumerate(steps) if s.get("before"))
    page.do(f"go({rewritten + 1})")
    words = page("document.getElementById('event').innerText")
    assert steps[rewritten]["before"] in words
    assert steps[rewritten]["after"] in words


def test_the_gradients_appear_from_the_loss_back(page):
    steps = [s for s in page("data.steps") if s["phase"] == "chain rule"]
    titles = [page(f"data.boxes[{s['boxes'][0]}].title") for s in steps]
    assert titles[:2] == ["∂loss", "∂z₃"]
    assert titles.index("∂h₂") < titles.index("∂z₂") < titles.index("∂W₂") < titles.index("∂W₁")


def test_a_layer_collapses_into_one_box_and_comes_back(page):
    top = "document.querySelector('{}').getBoundingClientRect().top".format
    before = page(top(box(page, "z₃")))
    page.do("fold(layers.find((l) => l.name === 'second'))")
    assert (
        page("[...document.querySelectorAll('.folded:not(.away) text')].map((e) => e.textContent)")[0]
        == "▸ second"
    )
    assert not page.one(box(page, "z₂")).is_displayed()
    assert page.one(box(page, "z₃")).is_displayed()
    assert page(top(box(page, "z₃"))) < before - 40
    page.do("fold(layers.find((l) => l.name === 'second'))")
    assert page.one(box(page, "z₂")).is_displayed()
    assert page(top(box(page, "z₃"))) == pytest.approx(before, abs=0.5)


def test_nothing_overlaps_when_layers_are_collapsed(page):
    page.do("fold(layers[0]); fold(layers[2])")
    rects = page("""[...document.querySelectorAll('.box, .folded')].filter((e) => !e.closest('.away')).map((e) => {
        const r = e.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; })""")
    for i, (left, top, right, bottom) in enumerate(rects):
        for other in rects[:i]:
            apart = (
                left >= other[2] - 1 or right <= other[0] + 1 or top >= other[3] - 1 or bottom <= other[1] + 1
            )
            assert apart, (rects[i], other)


def test_the_keyboard_reaches_everything(page):
    from selenium.webdriver.common.keys import Keys

    page.do("document.getElementById('figure').focus()")
    page.press(Keys.ARROW_DOWN)
    page.press(Keys.ARROW_DOWN)
    assert page.lit()["boxes"] == ["z₁"]
    page.press(Keys.ARROW_RIGHT)
    assert page.lit()["boxes"] == ["∂z₁"]
    page.press("c")
    assert page("document.querySelectorAll('.folded').length") == 1
    page.press("C")
    assert page("document.querySelectorAll('.folded').length") == 0
    page.press("]")
    assert page("document.getElementById('step').value") == "1"
    before = page("scale()")
    page.press("+")
    assert page("scale()") < before
    page.press("0", "?")
    assert page.one("#help").is_displayed()
    page.press("/", "softmax", Keys.ENTER)
    assert set(page.lit()["boxes"]) <= {"loss", "∂z₃"}
    assert page("document.getElementById('found').textContent") == "1 of 2"


def test_the_path_of_a_parameter(page):
    page.do("select(Object.keys(data.boxes).find((key) => data.boxes[key].title === 'W₂'))")
    page.press("p")
    titles = "[...document.querySelectorAll('.box:not(.off)')].map((e) => data.boxes[e.dataset.box].title)"
    path = {"W₂", "z₂", "h₂", "z₃", "loss", "∂loss", "∂z₃", "∂h₂", "∂z₂", "∂W₂"}
    assert set(page(titles)) == path
    page.press("p")
    assert len(page(titles)) == 26


def test_light_and_dark(page):
    background = "getComputedStyle(document.body).backgroundColor"
    fill = "getComputedStyle(document.querySelector('.box path')).fill"
    light = page(background), page(fill)
    page.one("#theme").click()
    assert page(background) != light[0]
    assert page(fill) != light[1]


def test_a_batch_shows_statistics_and_a_histogram(page, network):
    _, (x, _) = network
    page.point(box(page, "x"))
    words = page("document.getElementById('card').innerText")
    assert "8×6" in words
    assert f"{float(f'{x.min():.5g}')}" in words
    assert page("document.querySelectorAll('#card rect').length") == 24


def test_what_is_not_finite_is_red(driver, network, tmp_path):
    model, (x, y) = network
    x = x.copy()
    x[0, 0] = np.inf
    page = Page(driver, model.view(tmp_path / "bad.html", values=(x, y)).path)
    bad = page("[...document.querySelectorAll('.box.bad')].map((e) => data.boxes[e.dataset.box].title)")
    assert "x" in bad
    assert "W₁" not in bad
    page.point(box(page, "x"))
    assert "not finite: 1 infinite" in page("document.getElementById('card').innerText")


HOSTILE = "</script><img src=x onerror=alert(1)>"


def test_hostile_names_are_shown_and_not_read(driver, tmp_path):
    x = gx.input("x", ("n", 2))
    with gx.scope(f"{HOSTILE} {{{{data}}}}"):
        w = gx.param(HOSTILE, (2,))
        h = gx.tanh(x @ w).named("<b>&amp;{{script}}'\"\\N")
    loss = gx.mean(gx.square(h)).named("--><script>alert(2)</script>")
    name = gx.graph_of(loss).name_of(w)
    found = gx.view(loss, tmp_path / "hostile.html", values={"x": np.ones((3, 2)), name: np.ones(2)})
    assert "<img" not in found.html
    page = Page(driver, found.path)
    assert page("document.querySelectorAll('img').length") == 0
    assert page("document.scripts.length") == 4
    assert page.problems() == []
    titles = page("Object.values(data.boxes).map((box) => box.tip[0])")
    assert any(HOSTILE in tip for tip in titles)
    assert re.search("img", page("document.getElementById('listing').innerText"))


def test_a_policy_lets_nothing_else_run(page):
    page.do(
        "const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s)"
    )
    assert page("window.ran") is None
    assert any("Content Security Policy" in message for message in page.problems())


def test_without_an_engine_boxes_are_linked_all_the_same(driver, network, tmp_path, monkeypatch):
    from graphc.render import engines

    monkeypatch.setattr(engines, "ENGINES", {})
    page = Page(driver, network[0].view(tmp_path / "table.html").path)
    page.point(box(page, "z₂"))
    assert page.lit()["equations"] == ["3"]
    page.press("c", "C", "+", "0", "]", "p")
    assert page.problems() == []


def test_the_listing_of_a_model_is_the_planned_one_shown_from_its_computations(driver, network, tmp_path):
    page = Page(driver, network[0].view(tmp_path / "planned.html").path)
    top = "document.getElementById('listing').getBoundingClientRect().top"
    first = "document.getElementById(`line${data.begin}`).getBoundingClientRect().top"
    assert abs(page(first) - page(top)) < 3
    phases = page("[...new Set(data.steps.map((step) => step.phase))]")
    assert phases[-2:] == ["runs", "slots"]
    page.do("go(1 + data.steps.findLastIndex((step) => step.phase === 'runs'))")
    assert "in the forward pass: " in page("document.getElementById('event').innerText")
    assert " = " in page("document.getElementById('event').innerText")
    page.do("go(1 + data.steps.findIndex((step) => step.phase === 'slots'))")
    assert page.lit()["boxes"]
    assert page.problems() == []


def test_formulas_are_outlines_and_are_found_by_their_text(page):
    pytest.importorskip("ziamath", reason="formulas are text without it")
    assert page("document.querySelectorAll('#figure .formula use').length") > 100
    page.do("document.getElementById('search').value = 'h₂ W₃'; search()")
    assert page("document.getElementById('found').textContent") == "1 found"
    assert (
        page("document.querySelector('.box.found').getAttribute('aria-label')") == "z₃, h₂ W₃ + b₃, batch×3"
    )
    light = page("getComputedStyle(document.querySelector('#figure .formula use')).fill")
    page.one("#theme").click()
    assert page("getComputedStyle(document.querySelector('#figure .formula use')).fill") != light
