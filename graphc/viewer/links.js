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
  const element = byId(`box${key}`) || byId(`a_box${key}`);
  boxes.set(key, { ...box, key, element });
  for (const n of box.equations) note(boxesOfEquation, n, key);
  for (const n of box.lines) note(boxesOfLine, n, key);
  if (!element) continue;
  element.classList.add("box");
  element.dataset.box = key;
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", [box.title, box.formula, box.foot].filter(Boolean).join(", "));
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

// -- one value's path -----------------------------------------------------------------------------------------------

const DOWN = ["param", "data", "forward"], BACK = ["backward", "gradient", "update"];

// What a box leads to in the forward pass, and what leads to it, or to its gradient, in the backward pass.
function pathOf(key) {
  const kind = (edge, kinds) => kinds.some((name) => edge.element.classList.contains(name));
  const follow = (start, kinds, from, to) => {
    const seen = new Set(start);
    for (const at of seen) for (const edge of edges) if (edge[from] === at && kind(edge, kinds)) seen.add(edge[to]);
    return seen;
  };
  const title = boxes.get(key).title, other = title.startsWith("∂") ? title.slice(1) : `∂${title}`;
  const both = [key, ...[...boxes.values()].filter((box) => box.title === other).map((box) => box.key)];
  const gradients = both.filter((k) => boxes.get(k).title.startsWith("∂"));
  const values = both.filter((k) => !gradients.includes(k));
  return new Set([...follow(values, DOWN, "tail", "head"), ...follow(gradients, BACK, "head", "tail")]);
}

let path = null;

function showPath(key) {
  path = key === null || path === key ? null : key;
  const lit = path === null ? null : pathOf(path);
  for (const box of boxes.values()) if (box.element) box.element.classList.toggle("off", Boolean(lit) && !lit.has(box.key));
  for (const edge of edges) edge.element.classList.toggle("off", Boolean(lit) && !(lit.has(edge.tail) && lit.has(edge.head)));
}

// -- beside the pointer ---------------------------------------------------------------------------------------------

function card(key, event) {
  const panel = byId("card");
  panel.hidden = key === null;
  if (key === null) return;
  const box = boxes.get(key);
  panel.replaceChildren(make("strong", box.title));
  const formula = box.equations.length ? document.querySelector(`#eq${box.equations[0]} .formula`) : null;
  if (formula) panel.append(formula.cloneNode(true));
  if (!formula && box.formula) panel.append(make("p", `${box.title} = ${box.formula}`, "tip"));
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
