// The list of cells, drawn page by page, and the evidence of one, drawn when it is opened.
const PAGE = 60;
let shown = PAGE;
let found = [];

function drawList() {
  found = ordered.filter((cell) => matches(cell));
  const open = byId.get(state.cell);
  if (open && !found.includes(open)) found.unshift(open);
  shown = Math.max(PAGE, open ? found.indexOf(open) + 1 : 0);
  document.getElementById("shown").textContent = say("cells_shown", { count: found.length, cells: cells.length });
  const list = document.getElementById("list");
  list.replaceChildren(...found.slice(0, shown).map(row));
  if (!found.length) list.append(make("li", {}, make("p", {}, say("cells_none"))));
  document.body.toggleAttribute("data-filtered", isFiltered());
  drawMore();
}

function drawMore() {
  const button = document.getElementById("more");
  const left = found.length - shown;
  button.hidden = left <= 0;
  button.textContent = say("more", { count: Math.min(left, 10 * PAGE) });
}

function showMore() {
  const list = document.getElementById("list");
  const next = found.slice(shown, shown + 10 * PAGE).map(row);
  list.append(...next);
  shown += next.length;
  drawMore();
  next[0]?.querySelector(".row").focus();
}

function row(cell) {
  const isOpen = cell.id === state.cell;
  const button = make("button", { type: "button", class: "row", "aria-expanded": String(isOpen), "data-cell": cell.id }, badge(cell.verdict), make("code", {}, cell.id), make("time", {}, time(cell.ms)));
  if (cell.reason || cell.issue) button.append(make("span", { class: "why" }, cell.verdict === "known" ? cell.issue : cell.reason));
  const item = make("li", { "data-expected": !unexpected.has(cell.verdict) }, button);
  if (isOpen) item.append(evidence(cell));
  return item;
}

const time = (ms) => (ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${ms} ms`);

function toggleCell(button) {
  const item = button.closest("li");
  const isOpen = button.getAttribute("aria-expanded") === "true";
  closeCells();
  state.cell = isOpen ? "" : button.dataset.cell;
  if (!isOpen) {
    button.setAttribute("aria-expanded", "true");
    item.append(evidence(byId.get(state.cell)));
  }
  noteState(false);
}

function closeCells() {
  for (const one of document.querySelectorAll("#list .evidence")) one.remove();
  for (const one of document.querySelectorAll("#list .row[aria-expanded=true]")) one.setAttribute("aria-expanded", "false");
}

function evidence(cell) {
  const facts = make("dl");
  const fact = (name, ...values) => facts.append(make("dt", {}, say(name)), make("dd", {}, ...values));
  fact("verdict", badge(cell.verdict));
  if (cell.change) fact("was", cell.was ? badge(cell.was) : say("was_nothing"), ` (${say(cell.change)})`);
  if (cell.blame) fact("blame", cell.blame);
  if (cell.issue) fact("issue", issueLink(cell.issue), ` ${run.issues[cell.issue]?.reason || ""}`);
  const command = run.repeat.replace("{cell}", cell.id);
  fact("repeat", make("code", {}, command), " ", make("button", { type: "button", "data-copy": command }, say("copy")));
  if (cell.check) fact("check", make("code", {}, cell.check));
  fact("took", time(cell.ms));
  if (cell.worker) fact("worker", cell.worker);
  const box = make("div", { class: "evidence" }, facts);
  const [texts, figures, files, drawings] = cell.evidence || [[], {}, [], []];
  const titles = texts.map(([title]) => title);
  if (cell.reason && !titles.includes("@evidence_error")) box.append(...titled(say("reason"), cell.reason));
  for (const [title, at] of texts) box.append(...titled(title.startsWith("@") ? say(title.slice(1)) : title, run.texts[at]));
  if (Object.keys(figures).length) box.append(...titled(say("figures"), Object.entries(figures).map(([name, value]) => `${name}: ${value}`).join("\n")));
  for (const at of drawings) {
    const plot = make("div", { class: "wide plot", tabindex: "0", role: "group" });
    plot.innerHTML = run.texts[at]; // drawn by the harness: the only markup among the texts
    box.append(make("h3", {}, say("evidence_curves")), plot);
  }
  if (files.length) {
    const links = files.map((file) => make("li", {}, make("a", { href: file.split("/").map(encodeURIComponent).join("/") }, file)));
    box.append(make("h3", {}, say("evidence_files")), make("ul", {}, ...links));
  }
  if (drawings.length) sayWords(box);
  if (missing.has(cell.index)) box.append(make("p", {}, `${say("evidence_missing")} `, make("code", {}, `zmq-interop explain ${run.name} '${cell.id}'`)));
  if (cell.verdict === "pass" && !texts.length && !Object.keys(figures).length) box.append(make("p", { class: "soft" }, say("evidence_none")));
  return box;
}

function issueLink(name) {
  const href = run.issues[name]?.href;
  return href ? make("a", { href }, name) : name;
}

const titled = (title, text) => [make("h3", {}, title), make("pre", { tabindex: "0" }, text)];
