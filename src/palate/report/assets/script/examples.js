// Example pairs of the chosen mechanism with their local explanations.
function side(verdict) {
  return verdict === null ? "did not judge" : verdict > 0 ? "preferred A" : verdict < 0 ? "preferred B" : "saw a tie";
}

function exampleHead(x) {
  const pair = data.pairs[x.pair], name = data.mechanisms[state.mechanism].name;
  const prompt = pair.prompt.replace(/\s+/g, " ").trim();
  const believed = x.held_out === null ? x.fitted : x.held_out;
  const seen = x.held_out === null ? "the model" : "the model without this prompt";
  const why = x.concept === null
    ? `Miss: ${seen} gave A ${believed} %`
    : `Case of ${data.concepts[x.concept].name}: ${seen} gave A ${believed} %`;
  return el("summary", {},
    el("span", { class: "head" }, el("bdi", { text: prompt.length > 150 ? prompt.slice(0, 149) + "…" : prompt || "(empty prompt)" })),
    el("span", { class: "why" }, el("bdi", { text: pair.domain }), " · ", el("bdi", { text: name }), ` ${side(x.verdict)}. ${why}`));
}

function textBlock(title, text, left, chosen) {
  const box = el("div", { class: "text", dir: "auto", tabindex: 0, role: "group", "aria-label": title, text: text || "(empty)" });
  return el("div", {}, el("h3", {}, title, chosen ? el("span", { class: "chip", text: "preferred" }) : null), box,
    left ? el("p", { class: "note", text: `${left.toLocaleString("en")} further characters are cut here.` }) : null);
}

function localTable(x) {
  const bars = x.parts.map(([concept, value, part]) => ({
    name: data.concepts[concept].name, value, part: part / 1000, step: data.concepts[concept].step }));
  if (x.rest[0]) bars.push({ name: `${x.rest[0]} smaller ones`, value: null, part: x.rest[1] / 1000 });
  const most = Math.max(...bars.map((b) => Math.abs(b.part)), 1e-9);
  const at = (v) => 50 + (48 * v) / most;
  const drawing = (v) => svg("svg", { width: "100%", height: 20, "aria-hidden": "true" },
    svg("line", { x1: "50%", x2: "50%", y1: 0, y2: 20, class: "axis" }),
    v ? svg("rect", { x: Math.min(50, at(v)) + "%", width: Math.abs(at(v) - 50) + "%", y: 5, height: 10, class: "part" }) : null);
  const number = (v) => (v > 0 ? "+" : v < 0 ? "−" : "") + Math.abs(v).toFixed(2);
  return el("table", { class: "local" },
    el("caption", { text: "What drives the model here: contributions to the log-odds of A" }),
    el("thead", {}, el("tr", {}, th("Concept", "col", { class: "c" }),
      el("td", { class: "note", text: "for B ← → for A" }), th("A has more, steps", "col", { class: "n v" }), th("Part", "col", { class: "n v" }))),
    el("tbody", {}, ...bars.map((b) => el("tr", {}, th(b.name, "row", { class: "c" }), el("td", {}, drawing(b.part)),
      el("td", { class: "n v", text: b.value === null ? "" : number(b.value) }), el("td", { class: "n v", text: number(b.part) }))),
    el("tr", {}, th("Sum", "row", { class: "c" }), el("td"), el("td", { class: "n v" }),
      el("td", { class: "n v" }, el("b", { text: number(x.log_odds / 1000) })))));
}

function exampleBody(x) {
  const pair = data.pairs[x.pair], name = data.mechanisms[state.mechanism].name;
  const change = (f) => `${data.concepts[f[0]].name} ${f[1] === "level" ? "were equal" : "were the other way round"}`;
  const took = x.log_odds > 0 ? "A" : x.log_odds < 0 ? "B" : "neither side";
  const contradicts = x.verdict && x.log_odds && (x.verdict > 0) !== (x.log_odds > 0);
  return el("div", { class: "body" },
    textBlock("Prompt", pair.prompt, pair.cut[0], false),
    el("div", { class: "sides" }, textBlock("Response A", pair.response_a, pair.cut[1], x.verdict > 0),
      textBlock("Response B", pair.response_b, pair.cut[2], x.verdict < 0)),
    el("p", {}, el("bdi", { text: name }), ` ${side(x.verdict)}. The fitted model takes ${took} (chance of A ${x.fitted} %` +
      (x.held_out === null ? ")" : `; without this prompt ${x.held_out} %)`) +
      (contradicts ? ": it contradicts the verdict, so something else decided." : ".") +
      (x.flips.length ? ` It would change sides if ${x.flips.map(change).join(" and ")}.` : "")),
    el("div", { class: "scroll", role: "group", tabindex: 0, "aria-label": "Contributions" }, localTable(x)),
    el("p", { class: "note", text: `Pair ${pair.id}` }));
}

function drawExamples() {
  const examples = data.mechanisms[state.mechanism].examples, query = byId("find-pair").value.trim();
  const kind = byId("kind").value;
  const shown = examples.filter((x) => {
    const pair = data.pairs[x.pair], concept = x.concept === null ? "" : data.concepts[x.concept].name;
    return (!kind || (kind === "miss") === (x.concept === null)) &&
      matches([pair.prompt, pair.response_a, pair.response_b, pair.domain, pair.id, concept].join("\n"), query);
  });
  byId("found-pairs").textContent = `${shown.length} of ${examples.length} pairs`;
  byId("pairs").replaceChildren(...shown.map((x) => {
    const details = el("details", { class: "pair" }, exampleHead(x));
    // The body is built when it is first opened, which keeps long pages light.
    details.addEventListener("toggle", () => openExample(details, x));
    details.openNow = () => { openExample(details, x, true); };
    return details;
  }));
}

function openExample(details, x, force) {
  if ((details.open || force) && details.childElementCount === 1) details.append(exampleBody(x));
}
