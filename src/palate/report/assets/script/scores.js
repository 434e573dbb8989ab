// One mechanism in detail: every baseline with the gain over it, calibration, single domains.
// Rows of scores: [setting, model, domain, accuracy, low, high, pairs, gain, gain low, gain high].
const OURS = 0;
const per = (row) => (row ? Math.round(row[3] / 10) + " %" : "–");
const rangeOf = (low, high, words) => (low === null || low === undefined || high === null || high === undefined ? "–" : `${words(low / 10)} to ${words(high / 10)}`);
const whole = (x) => String(Math.round(x));

function drawScores() {
  const scores = data.mechanisms[state.mechanism].scores;
  const at = new Map(scores.map((row) => [row.slice(0, 3).join(), row]));
  const pick = (setting, model, domain) => at.get([setting, model, domain].join());
  byId("baselines").replaceChildren(baselineTable(pick));
  byId("by-domain").replaceChildren(domainTable(scores, pick));
  byId("worth").replaceChildren(...data.mechanisms[state.mechanism].yardsticks.map((text) => el("p", { text: glued(text) })));
  drawCalibration(data.mechanisms[state.mechanism].calibration);
}

function baselineTable(pick) {
  const models = data.models.map((name, k) => [name, k, pick(0, k, -1), pick(1, k, -1)]).filter((x) => x[2] || x[3]);
  const ends = models.flatMap(([, , row]) => (row ? [row[7], row[8], row[9]] : [])).filter((x) => x !== null);
  const least = Math.min(0, ...ends) - 10, most = Math.max(0, ...ends) + 10;
  const place = (x) => (100 * (x - least)) / (most - least) + "%";
  const drawing = (row) => svg("svg", { width: "100%", height: 22, "aria-hidden": "true" },
    svg("line", { x1: place(0), x2: place(0), y1: 0, y2: 22, class: "axis" }),
    row && row[8] !== null ? svg("line", { x1: place(row[8]), x2: place(row[9]), y1: 11, y2: 11, class: "w" }) : null,
    row && row[7] !== null ? svg("circle", { cx: place(row[7]), cy: 11, r: 4, class: "dot" + (row[8] > 0 || row[9] < 0 ? "" : " open") }) : null);
  const gain = (row) => (row && row[7] !== null ? signed(row[7] / 10) : "–");
  const body = el("tbody", {}, ...models.map(([name, k, near, far]) => el("tr", {}, th(name, "row"),
    el("td", { class: "n" }, k === OURS ? el("b", { text: per(near) }) : per(near)),
    el("td", { class: "bar" }, k === OURS ? null : drawing(near)),
    el("td", { class: "n", text: gain(near) }), el("td", { class: "n", text: near ? rangeOf(near[8], near[9], signed) : "–" }),
    el("td", { class: "n", text: per(far) }), el("td", { class: "n", text: gain(far) }),
    el("td", { class: "n", text: far ? rangeOf(far[8], far[9], signed) : "–" }))));
  const column = (text) => th(text, "col", { class: "n" });
  const name = data.mechanisms[state.mechanism].name;
  return el("table", { class: "wide" },
    el("caption", {}, el("bdi", { text: name }), ": by how many points of accuracy the explanation is ahead"),
    el("thead", {}, el("tr", {}, th("Model", "col"), column("New prompts"), el("td", { class: "bar note", text: "filled: beyond noise" }),
      column("ahead by"), column(data.level + " % interval"), column("Domain left out"), column("ahead by"), column(data.level + " % interval"))),
    body);
}

function domainTable(scores, pick) {
  const name = data.mechanisms[state.mechanism].name;
  const domains = [...new Set(scores.map((row) => row[2]))].filter((d) => d >= 0).sort((x, y) => x - y);
  const model = (text) => data.models.indexOf(text);
  const rules = ["Longer response", "More frequent side", "Length and layout only"].map(model);
  const body = el("tbody", {}, ...domains.map((d) => {
    const ours = pick(0, OURS, d), away = pick(1, OURS, d);
    return el("tr", {}, th(data.domains[d], "row"),
      el("td", { class: "bar" }, scoreDrawing(ours, away)),
      el("td", { class: "n" }, el("b", { text: per(ours) })),
      el("td", { class: "n", text: ours ? rangeOf(ours[4], ours[5], whole) : "–" }),
      el("td", { class: "n", text: per(away) }),
      ...rules.map((k) => el("td", { class: "n", text: per(pick(0, k, d) || pick(1, k, d)) })),
      el("td", { class: "n", text: ours ? ours[6] : away ? away[6] : "–" }));
  }));
  const column = (text) => th(text, "col", { class: "n" });
  return el("table", { class: "wide" },
    el("caption", {}, el("bdi", { text: name }), ": held-out accuracy by domain"),
    el("thead", {}, el("tr", {}, th("Domain", "col"),
      el("td", { class: "bar note", text: "filled: new prompts; open: domain left out" }), column("New prompts"),
      column(data.level + " % interval"), column("Domain left out"),
      ...rules.map((k) => column(data.models[k])), column("Verdicts"))),
    body);
}

function scoreDrawing(ours, away) {
  const x = (v) => v / 10 + "%";
  const line = (row, y) => row && row[4] !== null && row[5] !== null
    ? svg("line", { x1: x(row[4]), x2: x(row[5]), y1: y, y2: y, class: "w" }) : null;
  const dot = (row, y, kind) => (row ? svg("circle", { cx: x(row[3]), cy: y, r: 4, class: kind }) : null);
  return svg("svg", { width: "100%", height: 26, "aria-hidden": "true" },
    svg("line", { x1: "50%", x2: "50%", y1: 0, y2: 26, class: "grid" }),
    line(ours, 8), dot(ours, 8, "dot"), line(away, 19), dot(away, 19, "dot open"));
}

// Confidence from 50 to 100 % across, how often the favoured response won upwards.
function drawCalibration(bins) {
  byId("calibration").hidden = !bins.length;
  const W = 250, least = Math.min(400, ...bins.map((b) => b[2]));
  const x = (v) => 34 + ((W - 44) * (v - 500)) / 500, y = (v) => W - 26 - ((W - 36) * (v - least)) / (1000 - least);
  const label = (v, px, py, anchor) => svg("text", { x: px, y: py, class: "tick", "text-anchor": anchor, text: v });
  const words = bins.map((b) => `predicted ${whole(b[0] / 10)}, observed ${whole(b[1] / 10)} (${whole(b[2] / 10)} to ${whole(b[3] / 10)})`);
  byId("calibration-figure").replaceChildren(svg("svg", { viewBox: `0 0 ${W} ${W}`, class: "square", role: "img",
    "aria-label": "Calibration, per cent: " + words.join("; ") },
    ...[500, 750, 1000].flatMap((v) => [svg("line", { x1: x(500), x2: x(1000), y1: y(v), y2: y(v), class: "grid" }),
      label(v / 10, 28, y(v) + 4, "end"), label(v / 10, x(v), W - 8, v === 1000 ? "end" : "middle")]),
    svg("line", { x1: x(500), y1: y(500), x2: x(1000), y2: y(1000), class: "axis" }),
    ...bins.flatMap((b, i) => [svg("line", { x1: x(b[0]), x2: x(b[0]), y1: y(b[2]), y2: y(b[3]), class: "w" }),
      svg("circle", { cx: x(b[0]), cy: y(b[1]), r: 4, class: "dot" },
        svg("title", { text: `${words[i]}; ${b[4]} verdicts` }))])));
}
