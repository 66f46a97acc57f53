"use strict";

// The figure: it is moved and scaled by its viewBox, and layers of it collapse.

// -- pan and zoom ---------------------------------------------------------------------------------------------------

let view = { x: 0, y: 0, w: 1, h: 1 }, whole = view, moving = null, dragged = false;

function look(next) {
  if (!svg) return;          // a table of boxes, where nothing could lay out a picture
  view = next;
  svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
}

function scale() { return Math.max(view.w / figure.clientWidth, view.h / figure.clientHeight); }

function fit() { look({ ...whole }); }

// At first the whole figure; of one that would be too small to read, its top, as wide as it is.
function begin() {
  fit();
  const wide = Math.max(whole.w / figure.clientWidth, 0.8);
  if (scale() <= 1.5 || wide >= scale()) return;
  const w = figure.clientWidth * wide, h = figure.clientHeight * wide;
  look({ x: whole.x + whole.w / 2 - w / 2, y: whole.y, w, h });
}

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
  if (!svg) { show(figure, boxes.get(key).element); return; }
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
  begin();
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
  if (!svg) return;
  if (folded.has(layer)) { folded.get(layer).remove(); folded.delete(layer); }
  else folded.set(layer, frame(layer));
  arrange();
}

function foldAll() {
  if (!svg) return;
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
  for (const layer of top) shown.push([layer.top - 7, layer.top + FOLD], [layer.bottom - 10, layer.bottom + 5]);
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
