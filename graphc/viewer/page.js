"use strict";

// Everything that is shown is in the page already. This file links it: boxes of the figure, equations, lines.

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const figure = byId("figure");
const svg = figure.querySelector("svg");
const root = svg ? svg.querySelector("g.graph") : null;
const SVG = "http://www.w3.org/2000/svg";

function make(tag, text, className) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

function makeSvg(tag, attributes, parent) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (parent) parent.append(element);
  return element;
}

// -- what belongs to what -------------------------------------------------------------------------------------------

const boxes = new Map();       // key of a box -> what is known of it
const boxesOfEquation = new Map(), boxesOfLine = new Map();

function note(map, key, box) {
  if (!map.has(key)) map.set(key, []);
  map.get(key).push(box);
}

for (const [key, box] of Object.entries(data.boxes)) {
  const element = svg && (byId(`box${key}`) || byId(`a_box${key}`));
  boxes.set(key, { ...box, key, element });
  for (const n of box.equations) note(boxesOfEquation, n, key);
  for (const n of box.lines) note(boxesOfLine, n, key);
  if (!element) continue;
  element.classList.add("box");
  element.dataset.box = key;
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", [box.title, box.formula, box.foot].filter(Boolean).join(", "));
  for (const link of element.querySelectorAll("a")) link.removeAttribute("xlink:title");
  for (const title of element.querySelectorAll("title")) title.remove();
  if (box.values && box.values.bad) element.classList.add("bad");
}

const edges = [...(root ? root.querySelectorAll("g.edge") : [])].map((element) => {
  const of = (word) => (element.getAttribute("class").match(new RegExp(`\\b${word}(\\d+)`)) || [])[1];
  return { element, tail: of("from"), head: of("to") };
});
const layers = data.layers.map((layer) => ({ ...layer, boxes: layer.boxes.map(String), element: byId(layer.id) }));

// -- lighting -------------------------------------------------------------------------------------------------------

let kept = null;               // what a click or Enter keeps lit
let here = null;               // the box that the keyboard is at

function lit(what) {
  let keys = [], equations = [], lines = [];
  if (!what) return { keys, equations, lines };
  if (what.boxes) keys = what.boxes;
  if (what.equation) { equations = [what.equation]; keys = boxesOfEquation.get(what.equation) || []; }
  if (what.line) { lines = [what.line]; keys = boxesOfLine.get(what.line) || []; }
  for (const key of keys) {
    const box = boxes.get(key);
    if (!what.equation) equations = equations.concat(box.equations);
    if (!what.line) lines = lines.concat(box.lines);
  }
  return { keys, equations, lines };
}

function light(what, from) {
  for (const element of document.querySelectorAll(".lit")) element.classList.remove("lit");
  const found = lit(what);
  const keys = new Set(found.keys);
  for (const key of keys) {
    const box = boxes.get(key);
    if (box.element) box.element.classList.add("lit");
    for (const [layer, element] of folded) if (layer.boxes.includes(key)) element.classList.add("lit");
  }
  for (const edge of edges) edge.element.classList.toggle("lit", keys.has(edge.tail) || keys.has(edge.head));
  const equations = found.equations.map((n) => byId(`eq${n}`)).filter(Boolean);
  const lines = found.lines.map((n) => byId(`line${n}`)).filter(Boolean);
  for (const element of [...equations, ...lines]) element.classList.add("lit");
  if (from !== "derivation") show(byId("derivation"), equations[0]);
  if (from !== "listing") show(byId("listing"), lines[0]);
  if (from !== "figure" && keys.size) reveal([...keys][0]);
}

// Scrolls one pane alone: scrollIntoView would move the page as well.
function show(pane, element) {
  if (!element) return;
  const outer = pane.getBoundingClientRect(), inner = element.getBoundingClientRect();
  if (inner.top < outer.top + 8) pane.scrollTop += inner.top - outer.top - 40;
  else if (inner.bottom > outer.bottom - 8) pane.scrollTop += inner.bottom - outer.bottom + 40;
}

function keep(what, from) {
  kept = what;
  light(what, from);
}

function pointed(target) {
  const box = target.closest("[data-box]");
  if (box) return { boxes: [box.dataset.box] };
  const fold = target.closest(".folded");
  if (fold) return { boxes: layers.find((layer) => layer.id === fold.dataset.layer).boxes };
  const equation = target.closest("#derivation .eq");
  if (equation) return { equation: Number(equation.id.slice(2)) };
  const line = target.closest(".line");
  return line ? { line: Number(line.id.slice(4)) } : null;
}

for (const pane of ["figure", "derivation", "listing"]) {
  byId(pane).addEventListener("pointerover", (event) => {
    const what = pointed(event.target);
    if (what && !moving) light(what, pane);
    card(what && what.boxes && what.boxes.length === 1 ? what.boxes[0] : null, event);
  });
  byId(pane).addEventListener("pointerleave", () => { card(null); light(kept, "none"); });
  byId(pane).addEventListener("click", (event) => {
    const what = pointed(event.target);
    if (dragged || event.target.closest("a[href]")) return;
    if (what && what.boxes && what.boxes.length === 1) here = what.boxes[0];
    keep(what, pane);
  });
}

// -- beside the pointer ---------------------------------------------------------------------------------------------

function card(key, event) {
  const panel = byId("card");
  panel.hidden = key === null;
  if (key === null) return;
  const box = boxes.get(key);
  panel.replaceChildren(make("strong", box.title));
  for (const line of box.tip) panel.append(make("p", line, "tip"));
  if (box.values) panel.append(...numbers(box.values));
  const width = panel.offsetWidth, height = panel.offsetHeight;
  panel.style.left = `${Math.max(4, Math.min(event.clientX + 18, innerWidth - width - 8))}px`;
  panel.style.top = `${event.clientY + 20 + height > innerHeight ? Math.max(4, event.clientY - height - 14) : event.clientY + 20}px`;
}

function numbers(values) {
  const parts = [];
  if (values.bad) {
    const infinite = values.bad - values.nan;
    const words = [values.nan ? `${values.nan} nan` : "", infinite ? `${infinite} infinite` : ""].filter(Boolean);
    parts.push(make("p", `not finite: ${words.join(", ")}`, "bad"));
  }
  const table = make("table");
  for (const [name, value] of [["shape", values.shape.join("×") || "scalar"], ["range", values.min === undefined ? "" :
    `${values.min} … ${values.max}`], ["mean ± sd", values.mean === undefined ? "" : `${values.mean} ± ${values.std}`],
  ["zeros", values.zero ? `${(100 * values.zero).toFixed(1)} %` : ""]]) {
    if (!value) continue;
    const row = make("tr");
    row.append(make("td", name), make("td", value));
    table.append(row);
  }
  parts.push(table);
  if (values.bins && values.bins.length > 1) parts.push(histogram(values.bins));
  return parts;
}

function histogram(bins) {
  const width = 216, height = 44, step = width / bins.length, most = Math.max(...bins);
  const picture = makeSvg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "histogram" });
  bins.forEach((count, i) => {
    const tall = most ? (height - 2) * count / most : 0;
    makeSvg("rect", { x: i * step, y: height - tall, width: step - 1, height: tall }, picture);
  });
  return picture;
}

// -- pan and zoom ---------------------------------------------------------------------------------------------------

let view = { x: 0, y: 0, w: 1, h: 1 }, whole = view, moving = null, dragged = false;

function look(next) {
  view = next;
  svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
}

function scale() { return Math.max(view.w / figure.clientWidth, view.h / figure.clientHeight); }

function fit() { look({ ...whole }); }

function zoom(factor, x = figure.clientWidth / 2, y = figure.clientHeight / 2) {
  const before = scale(), limit = Math.max(whole.w / figure.clientWidth, whole.h / figure.clientHeight);
  const after = Math.min(Math.max(before * factor, 0.15), limit * 2);
  const left = view.x + view.w / 2 + (x - figure.clientWidth / 2) * (before - after);
  const top = view.y + view.h / 2 + (y - figure.clientHeight / 2) * (before - after);
  const w = figure.clientWidth * after, h = figure.clientHeight * after;
  look({ x: left - w / 2, y: top - h / 2, w, h });
}

// Where a box is, in the units of the picture.
function placeOf(element) {
  const box = element.getBoundingClientRect(), matrix = svg.getScreenCTM().inverse();
  const a = new DOMPoint(box.left, box.top).matrixTransform(matrix);
  const b = new DOMPoint(box.right, box.bottom).matrixTransform(matrix);
  return { x: a.x, y: a.y, w: b.x - a.x, h: b.y - a.y };
}

// Moves the picture as little as it takes to show a box.
function reveal(key) {
  if (!svg) return;
  const fold = [...folded].find(([layer]) => layer.boxes.includes(key));
  const element = fold ? fold[1] : boxes.get(key).element;
  if (!element) return;
  const place = placeOf(element), s = scale(), w = figure.clientWidth * s, h = figure.clientHeight * s;
  const seen = { x: view.x + view.w / 2 - w / 2, y: view.y + view.h / 2 - h / 2 };
  const shift = (at, size, from, room) => Math.min(0, at - 12 * s - from) || Math.max(0, at + size + 12 * s - from - room);
  const dx = shift(place.x, place.w, seen.x, w), dy = shift(place.y, place.h, seen.y, h);
  if (dx || dy) look({ ...view, x: view.x + dx, y: view.y + dy });
}

if (svg) {
  whole = { x: svg.viewBox.baseVal.x, y: svg.viewBox.baseVal.y, w: svg.viewBox.baseVal.width, h: svg.viewBox.baseVal.height };
  look({ ...whole });
  figure.addEventListener("wheel", (event) => {
    event.preventDefault();
    const area = figure.getBoundingClientRect();
    zoom(Math.exp(Math.max(-0.5, Math.min(0.5, event.deltaY * 0.0016))), event.clientX - area.left, event.clientY - area.top);
  }, { passive: false });
  figure.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    moving = { x: event.clientX, y: event.clientY };
    dragged = false;
  });
  addEventListener("pointermove", (event) => {
    if (!moving) return;
    const dx = event.clientX - moving.x, dy = event.clientY - moving.y;
    if (!dragged && Math.hypot(dx, dy) < 4) return;
    dragged = true;
    figure.classList.add("moving");
    const s = scale();
    look({ ...view, x: view.x - dx * s, y: view.y - dy * s });
    moving = { x: event.clientX, y: event.clientY };
  });
  addEventListener("pointerup", () => { moving = null; figure.classList.remove("moving"); });
}

// -- collapsing -----------------------------------------------------------------------------------------------------

// A collapsed layer becomes one box. The picture is laid out once; what is hidden is cut out of its height, and
// everything below moves up: each height y of the picture is mapped to one that counts only what is still shown.

const FOLD = 46, folded = new Map();
const original = new Map();    // path or polygon -> its numbers

function bounds(element) {
  const box = element.getBBox();
  return { left: box.x, right: box.x + box.width, top: box.y, bottom: box.y + box.height, middle: box.y + box.height / 2 };
}

const parts = [];              // what moves as a whole
if (root) {
  for (const element of root.querySelectorAll("g.node")) {
    const keys = [...(element.dataset.box ? [element] : []), ...element.querySelectorAll("[data-box]")].map((e) => e.dataset.box);
    parts.push({ element, keys, ...bounds(element) });
  }
  for (const layer of layers) Object.assign(layer, bounds(layer.element));
  for (const element of root.querySelectorAll("g.edge path, g.cluster path")) original.set(element, element.getAttribute("d"));
  for (const element of root.querySelectorAll("g.edge polygon")) original.set(element, element.getAttribute("points"));
  for (const layer of layers) {
    const text = layer.element.querySelector("text");
    if (text) text.addEventListener("click", (event) => { event.stopPropagation(); fold(layer); });
  }
}

function outermost() {
  return [...folded.keys()].filter((a) => ![...folded.keys()].some((b) => b !== a && within(a, b)));
}

function within(inner, outer) {
  return inner.boxes.length < outer.boxes.length && inner.boxes.every((key) => outer.boxes.includes(key));
}

function fold(layer) {
  if (folded.has(layer)) { folded.get(layer).remove(); folded.delete(layer); }
  else folded.set(layer, frame(layer));
  arrange();
}

function foldAll() {
  const top = layers.filter((a) => !layers.some((b) => b !== a && within(a, b)));
  const open = top.filter((layer) => !folded.has(layer));
  for (const layer of [...folded.keys()]) { folded.get(layer).remove(); folded.delete(layer); }
  for (const layer of open) folded.set(layer, frame(layer));
  arrange();
  fit();
}

function frame(layer) {
  const element = makeSvg("g", { class: "folded", "data-layer": layer.id, role: "button", "aria-label": `${layer.name}, collapsed` });
  makeSvg("rect", { x: layer.left, width: layer.right - layer.left, y: 0, height: FOLD }, element);
  const middle = (layer.left + layer.right) / 2;
  makeSvg("text", { x: middle, y: 20, "text-anchor": "middle" }, element).textContent = `▸ ${layer.name}`;
  const shown = layer.boxes.map((key) => boxes.get(key).title);
  const words = shown.length > 8 ? `${shown.slice(0, 7).join("  ")} … ${shown.length} values` : shown.join("  ");
  makeSvg("text", { x: middle, y: 36, "text-anchor": "middle", class: "small" }, element).textContent = words;
  element.addEventListener("dblclick", () => fold(layer));
  return element;
}

// The heights that are shown, as intervals, top to bottom; all between them that is hidden has no height.
function heights(hidden, top) {
  const shown = parts.filter((p) => p.keys.length && !p.keys.every((k) => hidden.has(k))).map((p) => [p.top - 7, p.bottom + 7]);
  for (const layer of top) shown.push([layer.top - 7, layer.top + FOLD]);
  for (const layer of layers) {
    if (layer.boxes.every((key) => hidden.has(key))) continue;
    shown.push([layer.top - 5, layer.top + 24], [layer.bottom - 8, layer.bottom + 5]);
  }
  const bands = top.map((layer) => [layer.top, layer.bottom]);
  return { shown, bands };
}

function mapping(hidden, top) {
  const { shown, bands } = heights(hidden, top);
  const cuts = [...new Set([...shown, ...bands].flat())].sort((a, b) => a - b);
  const covers = (list, y) => list.some(([a, b]) => a <= y && y <= b);
  let lost = 0;
  const table = cuts.map((y, i) => {
    if (i) {
      const middle = (y + cuts[i - 1]) / 2;
      if (covers(bands, middle) && !covers(shown, middle)) lost += y - cuts[i - 1];
    }
    return [y, y - lost];
  });
  const map = (y) => {
    if (!table.length || y <= table[0][0]) return y;
    for (let i = 1; i < table.length; i += 1) {
      const [y1, t1] = table[i - 1], [y2, t2] = table[i];
      if (y <= y2) return t1 + (y2 > y1 ? (y - y1) * (t2 - t1) / (y2 - y1) : 0);
    }
    return y - lost;
  };
  return { map, lost };
}

function remap(element, map) {
  const name = element.tagName === "polygon" ? "points" : "d";
  const numbers = /(-?[\d.]+(?:e-?\d+)?)([,\s]+)(-?[\d.]+(?:e-?\d+)?)/g;
  const text = original.get(element);
  if (name === "points") {     // an arrowhead keeps its form
    const ys = text.trim().split(/\s+/).map((pair) => Number(pair.split(",")[1]));
    const middle = ys.reduce((a, b) => a + b, 0) / ys.length, shift = map(middle) - middle;
    element.setAttribute(name, text.replace(numbers, (_, x, gap, y) => `${x}${gap}${Number(y) + shift}`));
  } else {
    element.setAttribute(name, text.replace(numbers, (_, x, gap, y) => `${x}${gap}${map(Number(y))}`));
  }
}

function arrange() {
  const top = outermost(), hidden = new Set(top.flatMap((layer) => layer.boxes));
  const { map, lost } = mapping(hidden, top);
  for (const part of parts) {
    const gone = part.keys.length > 0 && part.keys.every((key) => hidden.has(key));
    part.element.classList.toggle("away", gone);
    part.element.setAttribute("transform", `translate(0 ${map(part.middle) - part.middle})`);
  }
  for (const layer of layers) {
    layer.element.classList.toggle("away", layer.boxes.every((key) => hidden.has(key)));
    const shift = map(layer.top) - layer.top;
    for (const text of layer.element.querySelectorAll("text")) text.setAttribute("transform", `translate(0 ${shift})`);
  }
  const home = (key) => top.find((layer) => layer.boxes.includes(key));
  for (const edge of edges) {
    const a = home(edge.tail), b = home(edge.head);
    edge.element.classList.toggle("away", Boolean(a && a === b));
  }
  for (const element of original.keys()) remap(element, map);
  for (const [layer, element] of folded) {
    element.classList.toggle("away", !top.includes(layer));
    element.setAttribute("transform", `translate(0 ${map(layer.top)})`);
    root.append(element);      // above the edges that end in it
  }
  const full = svg.dataset.height ? Number(svg.dataset.height) : whole.h;
  svg.dataset.height = full;
  whole = { ...whole, h: full - lost };
  byId("fold").textContent = folded.size ? "Expand all" : "Collapse all";
  light(kept, "figure");
}

byId("fold").addEventListener("click", () => (folded.size ? unfoldAll() : foldAll()));

function unfoldAll() {
  for (const element of folded.values()) element.remove();
  folded.clear();
  arrange();
  fit();
}

// -- the slider -----------------------------------------------------------------------------------------------------

const slider = byId("step"), steps = data.steps, born = new Map();
steps.forEach((step, i) => { for (const key of step.born || []) if (!born.has(String(key))) born.set(String(key), i + 1); });
slider.max = steps.length;
const phases = [...new Set(steps.map((step) => step.phase))];
for (const phase of phases) {
  const button = make("button", `${phase} (${steps.filter((step) => step.phase === phase).length})`);
  button.addEventListener("click", () => go(1 + steps.findIndex((step) => step.phase === phase)));
  button.dataset.phase = phase;
  byId("phases").append(button);
}

// Position 0 shows everything at rest; position i is step i, and what comes later is faint.
function go(position) {
  const i = Math.max(0, Math.min(steps.length, position)), step = steps[i - 1];
  slider.value = i;
  byId("count").textContent = i ? `${i} of ${steps.length}` : `${steps.length} steps`;
  for (const [key, box] of boxes) if (box.element) box.element.classList.toggle("later", i > 0 && (born.get(key) || 0) > i);
  const later = (key) => i > 0 && (born.get(key) || 0) > i;
  for (const edge of edges) edge.element.classList.toggle("later", later(edge.tail) || later(edge.head));
  for (const button of byId("phases").children) button.setAttribute("aria-pressed", Boolean(step && button.dataset.phase === step.phase));
  tell(step);
  if (!step) keep(null, "slider");
  else if (step.boxes) keep({ boxes: step.boxes.map(String) }, "slider");
  else keep(step.line ? { line: step.line } : null, "slider");
}

function tell(step) {
  const place = byId("event");
  place.replaceChildren();
  if (!step) { place.append(make("span", "Move the slider to see what happened, step by step.", "tip")); return; }
  place.append(make("div", step.text));
  if (step.before) {
    const change = make("div", undefined, "change");
    change.append(make("span", "before"), make("span", step.before), make("span", "after"), make("span", step.after));
    place.append(change);
  }
  const equation = step.equation && byId(`eq${step.equation}`);
  if (equation) {
    const copy = equation.cloneNode(true), holder = make("div", undefined, "derivation");
    copy.removeAttribute("id");
    copy.classList.remove("lit");
    holder.append(copy);
    place.replaceChildren(holder);
  }
}

slider.addEventListener("input", () => go(Number(slider.value)));
byId("back").addEventListener("click", () => go(Number(slider.value) - 1));
byId("next").addEventListener("click", () => go(Number(slider.value) + 1));

// -- search ---------------------------------------------------------------------------------------------------------

let matches = [], at = -1;

function search() {
  const words = byId("search").value.trim().toLowerCase();
  matches = words ? [...boxes.values()].filter((box) => [box.title, box.formula, ...box.tip].join("\n").toLowerCase().includes(words)) : [];
  at = -1;
  for (const box of boxes.values()) if (box.element) box.element.classList.toggle("found", matches.includes(box));
  byId("found").textContent = words ? `${matches.length} found` : "";
}

function nextMatch(by) {
  if (!matches.length) return;
  at = (at + by + matches.length) % matches.length;
  byId("found").textContent = `${at + 1} of ${matches.length}`;
  select(matches[at].key);
}

byId("search").addEventListener("input", search);
byId("search").addEventListener("keydown", (event) => {
  if (event.key === "Enter") nextMatch(event.shiftKey ? -1 : 1);
  if (event.key === "Escape") { byId("search").value = ""; search(); figure.focus(); }
});

// -- keyboard -------------------------------------------------------------------------------------------------------

const COLUMNS = ["sources", "forward", "backward", "extra", "gradients", "updates"];

function select(key) {
  here = key;
  for (const layer of outermost()) if (layer.boxes.includes(key)) fold(layer);
  const element = boxes.get(key).element;
  if (element) figure.setAttribute("aria-activedescendant", element.id);
  keep({ boxes: [key] }, "keyboard");
  reveal(key);
}

function place(key) {
  const [row, column, i] = boxes.get(key).at;
  return [row, COLUMNS.indexOf(column) * 100 + i];
}

// The nearest box in the direction of an arrow: within a row by column, between rows in the nearest column.
function step(dx, dy) {
  const keys = [...boxes.keys()].sort((a, b) => place(a)[0] - place(b)[0] || place(a)[1] - place(b)[1]);
  if (here === null) return keys[0];
  const [row, column] = place(here);
  if (dx) {
    const line = keys.filter((key) => place(key)[0] === row), i = line.indexOf(here) + dx;
    return line[Math.max(0, Math.min(line.length - 1, i))];
  }
  const beyond = keys.filter((key) => (place(key)[0] - row) * dy > 0);
  const near = (key) => Math.abs(place(key)[0] - row) * 10 + Math.abs(place(key)[1] - column);
  return beyond.reduce((best, key) => (best === null || near(key) < near(best) ? key : best), null) || here;
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const KEYS = {
  "+": () => zoom(1 / 1.25), "=": () => zoom(1 / 1.25), "-": () => zoom(1.25), "0": fit,
  "[": () => go(Number(slider.value) - 1), "]": () => go(Number(slider.value) + 1),
  "/": () => byId("search").focus(), "?": help, d: theme, C: () => byId("fold").click(),
  c: () => {
    const inner = layers.filter((layer) => here !== null && layer.boxes.includes(here));
    const layer = inner.find((l) => folded.has(l)) || inner.sort((a, b) => a.boxes.length - b.boxes.length)[0];
    if (layer) fold(layer);
  },
  Escape: () => { byId("help").hidden = true; keep(null, "keyboard"); go(0); card(null); },
  Enter: () => { if (here !== null) keep({ boxes: [here] }, "keyboard"); },
};

addEventListener("keydown", (event) => {
  if (event.target.matches("input[type=search]") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.activeElement === figure && ARROWS[event.key]) {
    event.preventDefault();
    select(step(...ARROWS[event.key]));
    return;
  }
  if (event.target.matches("button, input") && ["Enter", " ", ...Object.keys(ARROWS)].includes(event.key)) return;
  if (!Object.hasOwn(KEYS, event.key)) return;
  event.preventDefault();
  KEYS[event.key]();
});

// Up and down go from equation to equation, and from line to line.
for (const [pane, selector] of [["derivation", ".eq"], ["listing", ".line"]]) {
  byId(pane).addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const all = [...byId(pane).querySelectorAll(selector)];
    const i = all.findIndex((element) => element.classList.contains("lit"));
    const next = all[Math.max(0, Math.min(all.length - 1, i + by))];
    if (!next) return;
    show(byId(pane), next);
    keep(pointed(next), pane);
  });
}

// -- the rest -------------------------------------------------------------------------------------------------------

function theme() { paint(document.documentElement.dataset.theme === "dark" ? "light" : "dark"); }

function paint(name) {
  document.documentElement.dataset.theme = name;
  byId("theme").textContent = name === "dark" ? "Light" : "Dark";
}

function help() {
  byId("help").hidden = !byId("help").hidden;
  byId("keys").setAttribute("aria-expanded", String(!byId("help").hidden));
}

function draggable(bar, pane, size, pointer) {
  const set = (pixels) => { pane.style.flexBasis = `${Math.max(80, pixels)}px`; };
  bar.addEventListener("pointerdown", (event) => {
    bar.setPointerCapture(event.pointerId);
    bar.onpointermove = (move) => set(pointer(move) - (size === "offsetWidth" ? pane.getBoundingClientRect().left : pane.getBoundingClientRect().top));
    bar.onpointerup = () => { bar.onpointermove = null; };
  });
  bar.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -30, ArrowUp: -30, ArrowRight: 30, ArrowDown: 30 }[event.key];
    if (by) { event.preventDefault(); set(pane[size] + by); }
  });
}

draggable(byId("across"), figure, "offsetWidth", (event) => event.clientX);
draggable(byId("down"), byId("derivation"), "offsetHeight", (event) => event.clientY);
byId("fit").addEventListener("click", fit);
byId("theme").addEventListener("click", theme);
byId("keys").addEventListener("click", help);
paint(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
go(0);
