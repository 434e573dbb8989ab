// Data, state, and the few words and elements that every part uses. Text reaches the page only
// through textContent, so nothing in the data can become markup.
const data = JSON.parse(document.getElementById("palate-data").textContent);
const EVERYWHERE = -1;
const state = { mechanism: 0, domain: EVERYWHERE };
const byId = (id) => document.getElementById(id);

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "text") node.textContent = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}
const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
const th = (text, scope, more) => el("th", { scope, ...more }, el("span", {}, el("bdi", { text })));

// Verdicts, in the order of data.verdicts.
const SHARED = 0, HERE = 1, DIFFERS = 2, NOT = 3;
const lift = (weight) => 100 * Math.tanh(weight / 2); // of an even choice, per cent
const thousandth = (x) => (x === null || x === undefined ? NaN : x / 1000);

// An effect: estimate, interval and weight in log-odds per step, NaN where too few pairs differ.
function effectOf(row, d, shared) {
  const [concept, verdict, estimate, low, high, p, weight, kept, dest, dlow, dhigh] = row;
  const e = {
    concept, verdict, estimate: thousandth(estimate), low: thousandth(low), high: thousandth(high),
    p: thousandth(p), weight: thousandth(weight), kept, shared: shared ? shared.estimate : NaN,
    difference: thousandth(dest), dlow: thousandth(dlow), dhigh: thousandth(dhigh),
  };
  e.known = !Number.isNaN(e.estimate);
  e.supported = verdict < NOT;
  e.follows = d !== EVERYWHERE && verdict === SHARED; // the shared effect is what is supported
  e.own = e.supported && !e.follows;
  e.oneSided = e.low > 0 || e.high < 0;
  e.drawn = e.follows && !Number.isNaN(e.shared) ? e.shared : e.estimate;
  e.elsewhere = e.estimate - e.difference;
  return e;
}

const cache = new Map();
function effects(m, d) {
  const key = m + "/" + d;
  if (!cache.has(key)) {
    const rows = d === EVERYWHERE ? data.mechanisms[m].shared : data.mechanisms[m].domains[d] || [];
    const shared = d === EVERYWHERE ? new Map() : effects(m, EVERYWHERE);
    cache.set(key, new Map(rows.map((row) => [row[0], effectOf(row, d, shared.get(row[0]))])));
  }
  return cache.get(key);
}
const fitted = (m, d) => d === EVERYWHERE || data.mechanisms[m].domains[d] !== undefined;
function exists(m, c, d) {
  const only = data.concepts[c].domains;
  return fitted(m, d) && (only === null || (d !== EVERYWHERE && only.includes(d)));
}
const domainName = (d) => (d === EVERYWHERE ? "everywhere" : data.domains[d]);

// The same words as in report/words.py.
function plain(value) {
  const size = Math.abs(value);
  const text = size >= 0.95 ? Math.round(size).toLocaleString("en") : size.toFixed(1);
  return text === "0.0" ? "0" : text;
}
const signed = (value) => (plain(value) === "0" ? "0" : (value > 0 ? "+" : "−") + plain(value));
function size(weight) {
  const value = Math.abs(lift(weight));
  return value < 99.5 ? plain(value) : value < 99.95 ? value.toFixed(1) : "over 99.9";
}
function liftWords(weight) {
  if (Number.isNaN(weight)) return "–";
  const text = size(weight);
  if (text.startsWith("over ")) return weight > 0 ? ">+99.9" : "<−99.9";
  return text === "0" ? text : (weight > 0 ? "+" : "−") + text;
}
const joined = (a, b) => (a === b ? a : `${a} to ${b}`);
const interval = (low, high) => joined(liftWords(low), liftWords(high));
const sizes = (low, high) => joined(...[low, high].sort((x, y) => Math.abs(x) - Math.abs(y)).map(size));
function chance(weight) {
  const value = 100 / (1 + Math.exp(-weight));
  return value > 99.5 ? "over 99" : value < 0.5 ? "under 1" : String(Math.round(value));
}

// A number stays on one line with its per cent sign.
const glued = (text) => text.replace(/(\d) %/g, "$1\u00a0%");

// The sentence of an effect, from the templates of report/effect_words.py.
const say = (key, parts) => data.templates[key].replace(/\{(\w+)\}/g, (_, name) => parts[name]);

function sentence(m, d, e) {
  const parts = {
    where: d === EVERYWHERE ? say("everywhere", {}) : say("domain", { domain: data.domains[d] }),
    concept: data.concepts[e.concept].name, mechanism: data.mechanisms[m].name, level: data.level,
  };
  if (!e.known) return say("unknown", parts);
  const kind = !(e.supported && e.oneSided) ? "changes" : e.estimate > 0 ? "raises" : "lowers";
  parts.size = kind === "changes" ? liftWords(e.estimate) : size(e.estimate);
  parts.interval = kind === "changes" ? interval(e.low, e.high) : sizes(e.low, e.high);
  return say(kind, parts) + thanElsewhere(e, kind) + ending(e);
}
function thanElsewhere(e, kind) {
  if (e.verdict !== DIFFERS || Number.isNaN(e.difference)) return "";
  const points = Math.abs(lift(e.estimate)) - Math.abs(lift(e.elsewhere));
  if (kind === "changes" || e.elsewhere * e.estimate < 0) return say("against", { elsewhere: liftWords(e.elsewhere) });
  return say(points > 0 ? "more" : "less", { points: plain(points) });
}
function ending(e) {
  if (e.follows) return say("follows", { shared: liftWords(e.shared) });
  return e.verdict === NOT && e.oneSided ? say("by chance", {}) : say(data.verdicts[e.verdict][0], {});
}
function details(e) {
  const said = [say("step", { step: data.concepts[e.concept].step })];
  if (!e.known) return said[0];
  said.push(say("even", { chance: chance(e.estimate) }));
  if (!Number.isNaN(e.difference)) {
    const there = lift(e.elsewhere), ends = [e.dlow, e.dhigh].map((x) => signed(lift(e.elsewhere + x) - there));
    said.push(say("elsewhere", { elsewhere: liftWords(e.elsewhere), points: signed(lift(e.estimate) - there), interval: ends.join(" to ") }));
  }
  said.push(say("fit", { p: e.p < 0.0005 ? "under 0.001" : e.p.toFixed(3), weight: liftWords(e.weight), kept: e.kept }));
  return said.join(" ");
}

function pressed(button) {
  return Boolean(button) && button.getAttribute("aria-pressed") === "true";
}
function onToggle(id, draw) {
  const button = byId(id);
  if (!button) return;
  button.addEventListener("click", () => {
    button.setAttribute("aria-pressed", String(!pressed(button)));
    draw();
  });
}
const matches = (text, query) =>
  query.toLowerCase().split(/\s+/).every((word) => text.toLowerCase().includes(word));
