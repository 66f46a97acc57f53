"""The figure as a browser sets it: nothing overlaps, no text leaves its box, no edge runs through a box."""

from __future__ import annotations

import pytest

from graphc.render import draw
from tests.browser.support import Page
from tests.render import networks
from tests.render.test_loops import lstm, rnn
from tests.render.test_repeats import blocks

pytestmark = pytest.mark.full

FAULTS = """(() => {
  const found = [], svg = document.querySelector("svg");
  const extent = (e) => {         // of a formula, which is moved and scaled, in the units of the picture
    const b = e.getBBox(), t = e.transform.baseVal.consolidate(), m = t ? t.matrix : { a: 1, d: 1, e: 0, f: 0 };
    return { x: b.x * m.a + m.e, y: b.y * m.d + m.f, width: b.width * m.a, height: b.height * m.d };
  };
  const inner = (g) => !(g.id.startsWith("a_box") && document.getElementById(g.id.slice(2)));
  const boxes = [...svg.querySelectorAll('g[id^="box"], g[id^="a_box"]')].filter(inner).map((g) => {
    const rims = [...g.querySelectorAll("path, polygon")].map((p) => p.getBBox()).filter((b) => b.width > 8);
    const l = Math.min(...rims.map((b) => b.x)), r = Math.max(...rims.map((b) => b.x + b.width));
    const t = Math.min(...rims.map((b) => b.y)), b = Math.max(...rims.map((b) => b.y + b.height));
    for (const text of g.querySelectorAll("text, .formula")) {
      const q = extent(text);
      const out = q.x < l - 2 || q.x + q.width > r + 2 || q.y < t - 3 || q.y + q.height > b + 3;
      if (out) found.push(`${text.textContent || text.getAttribute("aria-label")} leaves its box`);
    }
    return { key: g.id.replace(/^(a_)?box/, ""), l, t, r, b };
  });
  const meet = (a, c) => a.l < c.r - 0.5 && c.l < a.r - 0.5 && a.t < c.b - 0.5 && c.t < a.b - 0.5;
  boxes.forEach((a, i) => { for (const c of boxes.slice(0, i)) if (meet(a, c)) found.push(`${a.key} on ${c.key}`); });
  for (const text of svg.querySelectorAll("g.cluster text")) {
    const q = text.getBBox(), place = { l: q.x, r: q.x + q.width, t: q.y, b: q.y + q.height };
    for (const a of boxes) if (meet(a, place)) found.push(`${text.textContent} on ${a.key}`);
  }
  for (const edge of svg.querySelectorAll("g.edge path")) {
    const name = edge.closest("g.edge").getAttribute("class");
    const ends = [...name.matchAll(/(?:from|to)(\\d+)/g)].map((m) => m[1]);
    for (let s = 4; s < edge.getTotalLength() - 4; s += 4) {
      const p = edge.getPointAtLength(s);
      const hit = (a) => p.x > a.l + 2 && p.x < a.r - 2 && p.y > a.t + 2 && p.y < a.b - 2 && !ends.includes(a.key);
      if (boxes.some(hit)) { found.push(`${name} runs through a box`); break; }
    }
  }
  return [boxes.length, found];
})()"""

NETWORKS = (
    networks.regression,
    networks.mlp,
    networks.residual,
    networks.shared,
    lstm,
    rnn,
    lambda: blocks(3),
)


@pytest.mark.parametrize(
    "make", NETWORKS, ids=["regression", "mlp", "residual", "shared", "lstm", "rnn", "blocks"]
)
@pytest.mark.parametrize("level", ["graph", "plan"])
def test_nothing_overlaps(driver, tmp_path, make, level):
    drawing = draw(make(), tmp_path / "figure.svg", level=level)
    count, faults = Page(driver, drawing.path)(FAULTS)
    assert faults == []
    assert count == len(drawing.figure.boxes)


def test_faults_are_found(driver, tmp_path):
    page = Page(driver, draw(networks.mlp(), tmp_path / "figure.svg").path)
    page.do(
        "document.querySelector('g[id^=\"box\"] text').textContent = 'far too long for the box that it is in'"
    )
    assert "leaves its box" in " ".join(page(FAULTS)[1])
    page.do("""const [a, b] = document.querySelectorAll('g[id^="box"] path');
               b.setAttribute('d', a.getAttribute('d'));""")
    assert " on " in " ".join(page(FAULTS)[1])


def test_a_figure_turns_dark_and_has_titles(driver, tmp_path):
    page = Page(driver, draw(networks.mlp(), tmp_path / "figure.svg").path)
    fill = "getComputedStyle(document.querySelector('g.graph polygon')).fill"
    light = page(fill)
    for scheme in ("dark", "light"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        assert (page(fill) == light) == (scheme == "light")
    titles = page(
        "[...document.querySelectorAll('g.node > title, g.cluster > title')].map((e) => e.textContent)"
    )
    assert {"z₁", "∂z₁", "hidden1"} <= set(titles)
    assert "6 parameters" in page("document.documentElement.getAttribute('aria-label')")
