"use strict";
// The page of a live view: asks for what is new once a second, draws curves, and writes statistics beside the boxes of
// the figure. Nothing is loaded from elsewhere, and nothing that was received is ever read as markup or as code.

const SVG = "http://www.w3.org/2000/svg";
const PERIOD = 1000;
const seen = { version: 0, points: [], rows: [], norms: [], row: {}, layers: {}, now: {} };
const logarithmic = new Set();
let about = { name: "training", epochs: 0, boxes: [] };

function make(name, attributes = {}, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function show(id, text) {
  document.getElementById(id).textContent = text;
}

function short(value) {
  if (value === null || value === undefined) return "not finite";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

// -- curves ----------------------------------------------------------------------------------------------------------

function ticks(low, high) {
  const rough = (high - low) / 4 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-9; at += step) found.push(Number(at.toPrecision(12)));
  return found;
}

function decades(low, high) {
  const found = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++) {
    if (10 ** e >= low && 10 ** e <= high) found.push(10 ** e);
  }
  return found.length > 1 ? found : [low, high];
}

const WIDE = 560, HIGH = 190, LEFT = 62, RIGHT = 10, TOP = 8, BOTTOM = 34;

// A scale from values to pixels; a logarithmic one leaves out what is not above 0.
function scale(values, from, to, log) {
  const kept = values.filter((v) => Number.isFinite(v) && (!log || v > 0));
  let low = Math.min(...kept), high = Math.max(...kept);
  if (!kept.length) [low, high] = [log ? 0.1 : 0, 1];
  if (low === high) [low, high] = log ? [low / 2, high * 2] : [low - (Math.abs(low) || 1) * 0.1, high + (Math.abs(high) || 1) * 0.1];
  const f = log ? Math.log10 : (v) => v;
  const place = (v) => from + ((f(v) - f(low)) / (f(high) - f(low))) * (to - from);
  return { place, ticks: log ? decades(low, high) : ticks(low, high) };
}

// series: [{label, points: [[x, y, low, high]...], colour, dashed}]
function chart(title, unit, series) {
  const log = logarithmic.has(title);
  const figure = document.createElement("figure");
  figure.append(caption(title, series, log));
  const picture = make("svg", { class: "chart", viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": title });
  const all = series.flatMap((s) => s.points);
  const x = scale(all.map((p) => p[0]), LEFT, WIDE - RIGHT, false);
  const y = scale(all.flatMap((p) => p.slice(1)), HIGH - BOTTOM, TOP, log);
  for (const at of y.ticks) {
    picture.append(make("line", { class: "grid", x1: LEFT, x2: WIDE - RIGHT, y1: y.place(at), y2: y.place(at) }));
    picture.append(make("text", { x: LEFT - 6, y: y.place(at) + 4, "text-anchor": "end" }, short(at)));
  }
  for (const at of x.ticks.filter(Number.isInteger)) {
    picture.append(make("text", { x: x.place(at), y: HIGH - BOTTOM + 15, "text-anchor": "middle" }, String(at)));
  }
  picture.append(make("text", { x: (LEFT + WIDE - RIGHT) / 2, y: HIGH - 4, "text-anchor": "middle" }, unit));
  for (const one of series) curve(picture, one, x, y, log);
  figure.append(picture);
  return figure;
}

function curve(picture, one, x, y, log) {
  const drawn = one.points.filter((p) => p.slice(1).every((v) => Number.isFinite(v) && (!log || v > 0)));
  const at = (p, i) => `${x.place(p[0]).toFixed(1)},${y.place(p[i]).toFixed(1)}`;
  if (drawn.length && drawn[0].length > 2) {
    const edge = [...drawn.map((p) => at(p, 2)), ...drawn.map((p) => at(p, 3)).reverse()];
    picture.append(make("polygon", { class: `band f${one.colour}`, points: edge.join(" ") }));
  }
  const look = `s${one.colour}${one.dashed ? " dashed" : ""}`;
  picture.append(make("polyline", { class: `line ${look}`, points: drawn.map((p) => at(p, 1)).join(" ") }));
  if (drawn.length === 1) {
    picture.append(make("circle", { class: `f${one.colour}`, cx: x.place(drawn[0][0]), cy: y.place(drawn[0][1]), r: 3 }));
  }
}

function caption(title, series, log) {
  const element = document.createElement("figcaption");
  element.append(title);
  for (const one of series.length > 1 ? series : []) {
    const word = document.createElement("span");
    const key = make("svg", { class: "key", viewBox: "0 0 22 8" });
    key.append(make("line", { class: `line s${one.colour}${one.dashed ? " dashed" : ""}`, x1: 0, x2: 22, y1: 4, y2: 4 }));
    word.append(key, one.label);
    element.append(word);
  }
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "log";
  button.setAttribute("aria-pressed", String(log));
  button.setAttribute("aria-label", `logarithmic axis for ${title}`);
  button.addEventListener("click", () => {
    if (!logarithmic.delete(title)) logarithmic.add(title);
    drawCharts();
  });
  element.append(button);
  return element;
}

// The rows of the epochs; of many only some are kept, and the last one stands apart.
function epochs() {
  const last = seen.rows[seen.rows.length - 1];
  return "epoch" in seen.row && (!last || last.epoch < seen.row.epoch) ? [...seen.rows, seen.row] : seen.rows;
}

// Their columns: those that end in "loss", and the others.
function columns(wanted) {
  const rows = epochs();
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((n) => n !== "epoch" && wanted(n));
  const plain = [...new Set(names.map((n) => n.replace(/^val_/, "")))];
  return names.map((name) => ({
    label: name,
    dashed: name.startsWith("val_"),
    colour: plain.indexOf(name.replace(/^val_/, "")) % 6,
    points: rows.filter((row) => name in row).map((row) => [row.epoch, row[name]]),
  }));
}

function drawCharts() {
  const found = [];
  const steps = seen.points.map(([step, mean, low, high]) => [step, mean, low, high]);
  found.push(chart("loss of the steps", "step", [{ label: "loss", points: steps, colour: 0 }]));
  const losses = columns((name) => name.endsWith("loss"));
  const metrics = columns((name) => !name.endsWith("loss"));
  if (losses.length) found.push(chart("loss of the epochs", "epoch", losses));
  if (metrics.length) found.push(chart("metrics", "epoch", metrics));
  const rates = seen.points.map((p) => [p[0], p[4]]);
  found.push(chart("learning rate", "step", [{ label: "rate", points: rates, colour: 3 }]));
  if (seen.norms.length) found.push(chart("gradient norm", "step", [{ label: "norm", points: seen.norms, colour: 1 }]));
  const focused = document.activeElement && document.activeElement.getAttribute("aria-label");
  document.getElementById("charts").replaceChildren(...found);
  if (focused) [...document.querySelectorAll("#charts button")].find((b) => b.getAttribute("aria-label") === focused)?.focus();
}

// -- the figure ------------------------------------------------------------------------------------------------------

const BESIDE = 150;

// Make room on both sides of the picture, for what is written beside its boxes.
function placeFigure(text) {
  const picture = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  if (picture.nodeName !== "svg") return;
  const [x, y, width, height] = picture.getAttribute("viewBox").split(/[\s,]+/).map(Number);
  picture.setAttribute("viewBox", `${x - BESIDE} ${y} ${width + 2 * BESIDE} ${height}`);
  picture.removeAttribute("width");
  picture.removeAttribute("height");
  document.getElementById("figure").replaceChildren(document.importNode(picture, true));
}

function within(layer, name) {
  return name === layer || name.startsWith(`${layer}.`);
}

function drawLayers() {
  const picture = document.querySelector("#figure > svg");
  if (!picture || !seen.layers.activations) return;
  for (const old of picture.querySelectorAll(".beside")) old.remove();
  for (const box of about.boxes) {
    const place = document.getElementById(box.id);
    if (!place) continue;
    const group = make("g", { class: "beside" });
    const lines = box.backward ? gradientLines(box.layer) : activationLines(box.layer, group, place.getBBox());
    const { x, y, width } = place.getBBox();
    lines.forEach((line, i) => {
      const bad = line.includes("not finite") ? " bad" : "";
      const at = { class: `note${bad}`, x: box.backward ? x + width + 8 : x - 8, y: y + 10 + 12.5 * i };
      group.append(make("text", { ...at, "text-anchor": box.backward ? "start" : "end" }, line));
    });
    place.parentNode.append(group);
  }
}

function activationLines(layer, group, { x, y }) {
  const name = Object.keys(seen.layers.activations).filter((n) => within(layer, n)).pop();
  if (!name) return [];
  const found = seen.layers.activations[name];
  const most = Math.max(1, ...found.counts);
  found.counts.forEach((count, i) => {
    const high = (20 * count) / most;
    const left = x - 8 - 6 * (found.counts.length - i);
    group.append(make("rect", { class: "bars", x: left, y: y + 60 - high, width: 5, height: high }));
  });
  const lines = [`mean ${short(found.mean)}`, `deviation ${short(found.std)}`, `${(100 * found.zeros).toFixed(0)} % zeros`];
  return found.counts.length ? [...lines, "", "", `${short(found.low)} to ${short(found.high)}`] : lines;
}

function gradientLines(layer) {
  const found = Object.entries(seen.layers.gradients).filter(([name]) => within(layer, name));
  return found.length ? ["gradient norm", ...found.map(([name, norm]) => `${name.slice(layer.length + 1) || name} ${short(norm)}`)] : [];
}

// -- what is new -----------------------------------------------------------------------------------------------------

function take(found) {
  for (const [i, key] of ["points", "rows", "norms"].entries()) {
    seen[key] = [...seen[key].slice(0, found.from[i]), ...found[key]];
  }
  seen.version = found.version;
  seen.row = found.row;
  seen.layers = found.layers;
  seen.now = found.now;
}

function drawHeader() {
  const { epoch, step, ended } = seen.now;
  const last = seen.points[seen.points.length - 1];
  show("epoch", `${epoch}/${about.epochs}`);
  show("step", step);
  show("loss", last ? short(last[1]) : "–");
  show("rate", last ? short(last[4]) : "–");
  show("norm", seen.norms.length ? short(seen.norms[seen.norms.length - 1][1]) : "–");
  show("status", ended === null ? "training" : `ended: ${ended}`);
  document.getElementById("progress").value = about.epochs ? (seen.row.epoch || 0) / about.epochs : 0;
  document.title = `${about.name}: epoch ${epoch}/${about.epochs}`;
}

async function ask() {
  const { version, points, rows, norms } = seen;
  const query = `version=${version}&points=${points.length}&rows=${rows.length}&norms=${norms.length}`;
  const answer = await fetch(`/data.json?${query}`, { cache: "no-store" });
  take(await answer.json());
  drawHeader();
  drawCharts();
  drawLayers();
}

async function watch() {
  try {
    await ask();
    if (seen.now.ended !== null) return;
    setTimeout(watch, PERIOD);
  } catch (error) {
    show("status", "the training has closed this page; what you see is the last that was shown");
    document.getElementById("status").classList.add("bad");
  }
}

async function start() {
  about = await (await fetch("/about.json")).json();
  show("name", about.name);
  placeFigure(await (await fetch("/figure.svg")).text());
  watch();
}

start();
