// The lift chart: one row per concept. A bar stands only where something is supported; mark and
// line are the estimate and its interval; the colour and the shape of the mark are the verdict.
const TOP = 12;

function liftRows() {
  const found = [...effects(state.mechanism, state.domain).values()].filter(
    (e) => e.supported || !pressed(byId("supported")));
  const rank = (e) => (e.supported ? 0 : e.known ? 1 : 2);
  const within = (x, y) => (x.supported ? Math.abs(y.drawn) - Math.abs(x.drawn) : x.known ? x.p - y.p : 0);
  found.sort((x, y) => rank(x) - rank(y) || within(x, y) || x.concept - y.concept);
  return found;
}

// Round steps of the axis so that a few of them fit between the smallest and largest value.
function axisOf(rows) {
  const ends = rows.filter((e) => e.known).flatMap((e) => [e.estimate, e.low, e.high, e.drawn]).map(lift);
  const least = Math.min(0, ...ends), most = Math.max(0, ...ends);
  const span = most - least || 1, rough = span / (matchMedia("(max-width: 46rem)").matches ? 3 : 5), power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, power < 10 ? 2 : 2.5, 5, 10].find((k) => k * power >= rough);
  const from = Math.floor(least / step) * step, to = Math.ceil(most / step) * step;
  const ticks = [];
  for (let x = from; x <= to + step / 2; x += step) ticks.push(x);
  return { ticks, at: (value) => (100 * (value - from)) / (to - from) };
}

// A mark at a place given in per cent: circle, square, diamond, or a hollow circle.
function mark(x, y, verdict, hollow) {
  const kind = `mark v${verdict}` + (hollow || verdict >= NOT ? " hollow" : "");
  const shape = verdict === HERE ? svg("rect", { x: -4, y: -4, width: 8, height: 8, class: kind })
    : verdict === DIFFERS ? svg("path", { d: "M0,-5.5L5.5,0L0,5.5L-5.5,0Z", class: kind })
    : svg("circle", { r: 4, class: kind });
  return svg("svg", { x: x + "%", y, width: 1, height: 1 }, shape);
}

function liftDrawing(axis, e) {
  const h = 30, middle = h / 2, at = (weight) => axis.at(lift(weight));
  const start = Math.min(axis.at(0), at(e.drawn)), width = Math.abs(at(e.drawn) - axis.at(0));
  return svg("svg", { width: "100%", height: h, "aria-hidden": "true" },
    ...axis.ticks.map((x) => svg("line", {
      x1: axis.at(x) + "%", x2: axis.at(x) + "%", y1: 0, y2: h, class: Math.abs(x) < 1e-9 ? "axis" : "grid" })),
    e.supported ? svg("rect", { x: start + "%", width: width + "%", y: 7, height: 16, class: `fill v${e.verdict}` + (e.follows ? " pale" : "") }) : null,
    e.verdict === DIFFERS && !Number.isNaN(e.elsewhere)
      ? svg("line", { x1: at(e.elsewhere) + "%", x2: at(e.elsewhere) + "%", y1: 3, y2: h - 3, class: "there" }) : null,
    ...(e.known ? [
      ...(e.supported ? ["halo", "w"] : ["w thin"]).map((kind) => svg("line", {
        x1: at(e.low) + "%", x2: at(e.high) + "%", y1: middle, y2: middle, class: kind })),
      mark(at(e.estimate), middle, e.verdict, e.follows)] : []),
  );
}

function ticks(axis) {
  return svg("svg", { width: "100%", height: 16 }, ...axis.ticks.map((x, i) =>
    svg("text", { x: axis.at(x) + "%", y: 12, class: "tick",
      "text-anchor": i === 0 ? "start" : i === axis.ticks.length - 1 ? "end" : "middle",
      text: signed(x) })));
}

function readOut(m, d, e, row) {
  byId("readout").textContent = glued(sentence(m, d, e));
  byId("readout-more").textContent = glued(details(e)) + " " + data.concepts[e.concept].definition;
  for (const other of document.querySelectorAll("#lift-chart tr.on")) other.classList.remove("on");
  row.classList.add("on");
}

const verdictCell = (e) => el("td", { class: `verdict t${e.verdict}` },
  el("span", { "aria-hidden": "true", class: "symbol", text: e.known ? data.verdicts[e.verdict][1] : "" }),
  el("span", { class: "word", text: e.follows ? "as everywhere" : e.known ? data.verdicts[e.verdict][2] : "too few pairs" }));

function liftRow(m, d, e, axis) {
  const concept = data.concepts[e.concept];
  const button = el("button", { type: "button", class: "concept" },
    el("bdi", { text: concept.name }), el("span", { class: "vh", text: ": " + sentence(m, d, e) + " " + details(e) }));
  const row = el("tr", { class: e.supported ? null : "weak", "data-concept": e.concept },
    el("th", { scope: "row", class: "c" }, button),
    el("td", {}, liftDrawing(axis, e)),
    el("td", { class: "n v", text: liftWords(e.estimate) }),
    el("td", { class: "n i", text: interval(e.low, e.high) }),
    verdictCell(e));
  const read = () => readOut(m, d, e, row);
  row.addEventListener("mouseenter", read);
  row.addEventListener("click", () => { button.focus({ preventScroll: true }); read(); });
  button.addEventListener("focus", read);
  return row;
}

function drawLifts() {
  const m = state.mechanism, d = state.domain, mechanism = data.mechanisms[m];
  const all = liftRows(), rows = pressed(byId("all")) ? all : all.slice(0, TOP), axis = axisOf(rows);
  byId("said").textContent = glued(mechanism.sentences.join(" "));
  const caption = el("caption", {}, el("bdi", { text: mechanism.name }), `, ${domainName(d)}: lift per step`);
  const head = el("thead", {}, el("tr", {}, th("Concept", "col", { class: "c" }),
    el("td", { "aria-hidden": "true" }, ticks(axis)), th("Lift, %", "col", { class: "n v" }),
    th(data.level + " % interval", "col", { class: "n i" }), th("Supported", "col", { class: "verdict" })));
  const body = el("tbody", {}, ...rows.map((e) => liftRow(m, d, e, axis)));
  const count = all.filter((e) => e.supported).length;
  byId("within").textContent = !fitted(m, d) ? "" : glued(withinWords(m, d, count));
  const empty = fitted(m, d) ? "No concept has a supported effect here." : "The model was not fitted on this domain.";
  byId("lift-chart").replaceChildren(rows.length
    ? el("table", { class: "lift" }, caption, head, body) : el("p", { text: empty }));
  byId("readout").textContent = byId("readout-more").textContent = "";
  if (rows.length) readOut(m, d, rows[0], body.firstChild);
  const hidden = all.length - Math.min(all.length, TOP);
  byId("all").hidden = hidden === 0;
  byId("all").textContent = pressed(byId("all")) ? `Show the first ${TOP}` : `Show all ${all.length} concepts`;
  byId("announce").textContent =
    `${mechanism.name}, ${domainName(d)}: ${rows.length} of ${all.length} concepts, ${count} supported.`;
}

function withinWords(m, d, count) {
  const here = [...effects(m, d).values()], own = here.filter((e) => e.own).length;
  if (d !== EVERYWHERE) {
    return `${count - own} of ${here.length} concepts as everywhere; ` +
      (own ? `${own} with a supported statement about this domain itself.` : "nothing is supported about this domain itself.");
  }
  const where = data.domains.filter((_, k) => fitted(m, k) && [...effects(m, k).values()].some((e) => e.own));
  return (count ? `${count} of ${here.length} concepts supported everywhere.` : "Nothing is supported everywhere.") +
    (where.length ? ` Supported statements about single domains: ${where.join(", ")}.`
      : data.domains.length > 1 ? " No statement about a single domain is supported." : "");
}
