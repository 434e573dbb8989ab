// Tables of lifts: concepts x domains, concepts x mechanisms, and agreement. Only what is supported
// has a number and a small bar from the middle of its cell, in the colour of its verdict.
const TOP_HEAT = 15;

function shade(value, most) {
  if (!value) return "";
  const level = Math.max(1, Math.min(6, Math.ceil((6 * Math.abs(value)) / most)));
  return (value > 0 ? "p" : "m") + level;
}

function heatCell(k, c, most, rest, readout) {
  const e = k.at(c), edge = k.separate ? " sep" : "";
  if (!k.exists(c) || !e) return el("td", { class: "none" + edge }, el("span", { class: "vh", text: "not applicable" }));
  const said = sentence(k.m, k.d, e);
  if (!e.supported) {
    const cell = el("td", { class: "rest" + edge, title: glued(said) },
      rest ? liftWords(e.estimate) : el("span", { "aria-hidden": "true", text: "·" }),
      el("span", { class: "vh", text: " " + (e.known ? data.verdicts[e.verdict][0] : "too few pairs") }));
    return cell;
  }
  if (e.follows && !k.numbers) {
    return el("td", { class: "same t0" + edge, title: glued(said) }, el("span", { "aria-hidden": "true", text: "=" }),
      el("span", { class: "vh", text: "as everywhere" }));
  }
  const value = Math.max(-1, Math.min(1, lift(e.drawn) / most));
  const mark = e.follows ? "= " : e.verdict === SHARED ? "" : data.verdicts[e.verdict][1] + " ";
  const button = el("button", { type: "button", class: "cell" }, el("span", { "aria-hidden": "true", text: mark }),
    liftWords(e.drawn), el("span", { class: "vh", text: ": " + said }));
  const cell = el("td", { class: `held v${e.verdict}${e.follows ? " pale" : ""}` + edge }, button);
  cell.style.setProperty("--from", `${50 + 46 * Math.min(0, value)}%`);
  cell.style.setProperty("--to", `${50 + 46 * Math.max(0, value)}%`);
  const read = () => { readout.textContent = glued(said); };
  cell.addEventListener("mouseenter", read);
  button.addEventListener("focus", read);
  return cell;
}

// columns: [{name, m, d, at: concept -> effect, exists: concept -> boolean, separate, numbers}]
function heatTable(caption, columns, part) {
  const held = (c) => Math.max(0, ...columns.map((k) => k.at(c)).filter((e) => e && e.supported).map((e) => Math.abs(lift(e.drawn))));
  const weights = data.concepts.map((_, c) => held(c));
  const possible = weights.map((_, c) => c).filter((c) => columns.some((k) => k.at(c)));
  possible.sort((x, y) => weights[y] - weights[x] || x - y);
  const all = pressed(byId(part + "-all"));
  const rows = all ? possible : possible.filter((c) => weights[c] > 0).slice(0, TOP_HEAT);
  const button = byId(part + "-all");
  button.hidden = !all && rows.length === possible.length;
  button.textContent = all ? "Show only concepts with support" : `Show all ${possible.length} concepts`;
  byId(part + "-read").textContent = rows.length ? "Point at a number, or move to it with the keyboard, to read its sentence." : "";
  if (!rows.length) return el("p", { text: "Nothing is supported here." });
  const most = Math.max(...weights, 1);
  const rest = pressed(byId(part + "-rest")), readout = byId(part + "-read");
  const body = el("tbody", {}, ...rows.map((c) => el("tr", {}, th(data.concepts[c].name, "row"),
    ...columns.map((k) => heatCell(k, c, most, rest, readout)))));
  const head = el("thead", {}, el("tr", {}, th("Concept", "col"),
    ...columns.map((k) => th(k.name, "col", { class: k.separate ? "sep" : null }))));
  return el("table", { class: "heat " + (columns.length <= 9 ? "upright" : "turned") }, caption, head, body);
}

function drawHeat() {
  const m = state.mechanism, name = data.mechanisms[m].name;
  const columns = [EVERYWHERE, ...data.domains.keys()].filter((d) => fitted(m, d)).map((d) => ({
    name: d === EVERYWHERE ? "Everywhere" : data.domains[d], m, d, separate: d === EVERYWHERE,
    at: (c) => effects(m, d).get(c), exists: (c) => exists(m, c, d),
  }));
  const caption = el("caption", {}, el("bdi", { text: name }), ": lift per step, %");
  byId("heat").replaceChildren(heatTable(caption, columns, "heat"));
}

function drawSide() {
  if (!byId("side")) return;
  const d = state.domain;
  const columns = data.mechanisms.map((mechanism, m) => ({
    name: mechanism.name, m, d, numbers: true, at: (c) => effects(m, d).get(c), exists: (c) => exists(m, c, d) }));
  const caption = el("caption", { text: `Lift per step, ${domainName(d)}, %` });
  byId("side").replaceChildren(heatTable(caption, columns, "side"));
}

function drawAgreement() {
  if (!byId("agree")) return;
  const { share, n } = data.agreement, names = data.mechanisms.map((x) => x.name);
  const cell = (i, j) => {
    if (i === j) return el("td", { class: "none", text: "–" });
    if (share[i][j] === null) return el("td", { class: "none", text: "none" });
    return el("td", { class: shade((share[i][j] - 50) / 50, 1), title: `${n[i][j]} pairs`, text: share[i][j] });
  };
  byId("agree").replaceChildren(el("table", { class: "heat " + (names.length <= 9 ? "upright" : "turned") },
    el("caption", { class: "vh", text: "Agreement between mechanisms, per cent" }),
    el("thead", {}, el("tr", {}, th("Mechanism", "col"), ...names.map((x) => th(x, "col")))),
    el("tbody", {}, ...names.map((x, i) => el("tr", {}, th(x, "row"), ...names.map((_, j) => cell(i, j)))))));
}
