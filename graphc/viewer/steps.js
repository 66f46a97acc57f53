"use strict";

// The slider, the search, the keys, and what is set once at the end.

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
  const line = step.phase === "runs" ? byId(`line${step.line}`) : null;
  place.append(make("div", line ? `${step.text}: ${line.textContent.trim()}` : step.text));
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

const COLUMNS = ["sources", "forward", "between", "factors", "backward", "extra", "gradients", "updates"];

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
  p: () => { if (here !== null) showPath(here); },
  Escape: () => { byId("help").hidden = true; showPath(null); keep(null, "keyboard"); go(0);
if (byId(`line${data.begin}`)) byId("listing").scrollTop = byId(`line${data.begin}`).offsetTop - byId("listing").offsetTop; card(null); },
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
if (byId(`line${data.begin}`)) byId("listing").scrollTop = byId(`line${data.begin}`).offsetTop - byId("listing").offsetTop;
