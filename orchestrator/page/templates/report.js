"use strict";
// Everything is in this file, packed with gzip and base64. A picture is unpacked and drawn when it comes into view,
// or when the browser has nothing else to do.

const byId = (id) => document.getElementById(id);
const PRINTED_PX = 660; // between the margins of a page of A4
const root = document.documentElement;
const views = new Map();
const drawn = new Map();

function tell(sentence) {
  const place = byId("trouble");
  place.hidden = false;
  place.textContent = sentence;
}

async function unpacked(id) {
  const packed = Uint8Array.from(atob(byId(id).textContent), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

// ------------------------------------------------------------------------------------------------------------ colours

const dusk = matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : dusk.matches;
}

function colours(dark) {
  return dark ? { ink: "#dfe3e8", faint: "#343b44", paper: "#0f1318" } : { ink: "#24292f", faint: "#d8dee4", paper: "#ffffff" };
}

function colour(view, dark) {
  for (const [name, value] of Object.entries(colours(dark))) view.signal(name, value);
  view.run();
}

function themed() {
  const button = byId("theme");
  button.textContent = isDark() ? "Light" : "Dark";
  button.hidden = false;
  for (const view of views.values()) colour(view, isDark());
}

byId("theme").addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  themed();
});
dusk.addEventListener("change", themed);
const printed = [...document.querySelectorAll("details[data-printed]:not([open])")];
addEventListener("beforeprint", () => {
  for (const details of printed) details.open = true;
  for (const view of views.values()) colour(view.width(PRINTED_PX), false);
  drawAll();
});
addEventListener("afterprint", () => {
  for (const details of printed) details.open = false;
  themed();
  dispatchEvent(new Event("resize")); // pictures take the width of their places again
});

// ----------------------------------------------------------------------------------------------------------- pictures

let library;

function loaded() {
  library ??= unpacked("library").then((text) => new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    script.onload = resolve;
    script.onerror = () => reject(new Error("the drawing library cannot be started"));
    document.head.append(script);
  }));
  return library;
}

function rows(columns) {
  const names = Object.keys(columns);
  if (!names.length) return [];
  return columns[names[0]].map((_, index) => Object.fromEntries(names.map((name) => [name, columns[name][index]])));
}

function draw(place) {
  const name = place.dataset.chart;
  if (!drawn.has(name)) drawn.set(name, drawNow(place, name).catch((error) => failed(place, error)));
  return drawn.get(name);
}

async function drawNow(place, name) {
  const [text] = await Promise.all([unpacked(`packed-${name}`), loaded()]);
  const { spec, data, renderer } = JSON.parse(text);
  spec.datasets = Object.fromEntries(Object.entries(data).map(([key, columns]) => [key, rows(columns)]));
  if (place.clientWidth < 560) spec.config.axis.labelLimit = 110;
  const now = colours(isDark());
  for (const parameter of spec.params) if (parameter.name in now) parameter.value = now[parameter.name];
  const waiting = place.querySelectorAll(".waiting");
  const label = place.getAttribute("aria-label");
  const made = await vegaEmbed(place, spec, { actions: false, renderer, bind: `#controls-${name}`, ast: false });
  for (const each of waiting) each.remove();
  described(place, label);
  place.style.minHeight = "";
  place.dataset.drawn = "yes";
  views.set(name, made.view);
}

// Vega names each of a thousand points; who cannot see them is served better by what the picture says as a whole.
function described(place, label) {
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", label);
  place.removeAttribute("aria-roledescription");
  place.querySelector("svg, canvas").setAttribute("aria-hidden", "true");
}

function failed(place, error) {
  place.dataset.drawn = "no";
  tell(`A picture could not be drawn (${error.message}). Its figures are in the tables; a browser of 2023 or newer draws it.`);
}

const places = [...document.querySelectorAll("[data-chart]")];

function drawAll() {
  return Promise.all(places.map(draw));
}

async function drawWhenIdle() {
  const idle = globalThis.requestIdleCallback ?? ((act) => setTimeout(act, 50));
  for (const place of places) {
    await new Promise((resolve) => idle(resolve, { timeout: 500 }));
    await draw(place);
  }
  root.dataset.ready = "yes";
}

if (places.length) {
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) draw(entry.target);
  }, { rootMargin: "200px" });
  for (const place of places) seen.observe(place);
  draw(places[0]).then(() => { root.dataset.answered = "yes"; return drawWhenIdle(); });
} else {
  root.dataset.answered = root.dataset.ready = "yes";
}

// ------------------------------------------------------------------------------------------------------------- tables

function compared(one, other, numeric, sign) {
  if (one === other) return 0;
  if (one === "" || other === "") return one === "" ? 1 : -1; // what is not known comes last, either way
  return sign * (numeric ? Number(one) - Number(other) : one.localeCompare(other));
}

function sort(table, heading) {
  const column = [...heading.parentNode.children].indexOf(heading);
  const up = heading.getAttribute("aria-sort") !== "ascending";
  for (const other of heading.parentNode.children) other.setAttribute("aria-sort", "none");
  heading.setAttribute("aria-sort", up ? "ascending" : "descending");
  const body = table.tBodies[0];
  const numeric = heading.classList.contains("number");
  const key = (row) => row.children[column].dataset.key;
  body.append(...[...body.rows].sort((one, other) => compared(key(one), key(other), numeric, up ? 1 : -1)));
}

for (const table of document.querySelectorAll("table[data-sortable]")) {
  for (const heading of table.tHead.rows[0].cells) {
    heading.querySelector("button").addEventListener("click", () => sort(table, heading));
  }
}

// ----------------------------------------------------------------------------------------------------------- raw data

for (const button of document.querySelectorAll("[data-csv]")) {
  button.addEventListener("click", async () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([await unpacked(`table-${button.dataset.csv}`)], { type: "text/csv" }));
    link.download = `${button.dataset.csv}.csv`;
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

themed();
