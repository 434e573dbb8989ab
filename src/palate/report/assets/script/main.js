// Selection, deep links (#m=checker&d=law), search, printing.
function options(select, names, first) {
  select.replaceChildren(...names.map((name, i) => el("option", { value: String(i + first), text: name })));
}

function select(mechanism, domain) {
  const moved = mechanism !== state.mechanism;
  state.mechanism = mechanism;
  state.domain = domain;
  for (const node of document.querySelectorAll("select.mechanism")) node.value = String(mechanism);
  byId("domain").value = String(domain);
  drawLifts();
  drawSide();
  if (moved || !byId("heat").childElementCount) {
    drawHeat();
    drawScores();
    drawExamples();
  }
}

function remember() {
  const hash = new URLSearchParams({ m: data.mechanisms[state.mechanism].name });
  if (state.domain !== EVERYWHERE) hash.set("d", data.domains[state.domain]);
  history.replaceState(null, "", "#" + hash);
}

function fromHash() {
  const hash = new URLSearchParams(location.hash.slice(1));
  if (!hash.has("m")) return false;
  const mechanism = data.mechanisms.findIndex((x) => x.name === hash.get("m"));
  select(Math.max(mechanism, 0), data.domains.indexOf(hash.get("d")));
  return true;
}

function filterConcepts() {
  const query = byId("find-concept").value.trim();
  const rows = [...document.querySelectorAll("#concept-table tbody tr")];
  const said = (row) => [...row.cells].slice(0, 5).map((cell) => cell.textContent).join("\n");
  for (const row of rows) row.hidden = !matches(said(row), query);
  const left = rows.filter((row) => !row.hidden).length;
  byId("found-concepts").textContent = query ? `${left} of ${rows.length} concepts` : "";
}

for (const node of document.querySelectorAll("[data-script]")) node.hidden = false;
for (const node of document.querySelectorAll("select.mechanism")) {
  options(node, data.mechanisms.map((x) => x.name), 0);
  node.addEventListener("change", () => { select(Number(node.value), state.domain); remember(); });
}
options(byId("domain"), ["Everywhere", ...data.domains], EVERYWHERE);
byId("domain").addEventListener("change", (event) => { select(state.mechanism, Number(event.target.value)); remember(); });
onToggle("all", drawLifts);
onToggle("supported", drawLifts);
onToggle("heat-all", drawHeat);
onToggle("heat-rest", drawHeat);
onToggle("side-all", drawSide);
onToggle("side-rest", drawSide);
byId("find-pair").addEventListener("input", drawExamples);
byId("kind").addEventListener("change", drawExamples);
byId("find-concept").addEventListener("input", filterConcepts);
window.addEventListener("hashchange", fromHash);
window.addEventListener("beforeprint", () => {
  for (const node of document.querySelectorAll("details")) {
    if (node.openNow) node.openNow();
    node.open = true;
  }
});
if (!fromHash()) select(0, EVERYWHERE);
drawAgreement();
