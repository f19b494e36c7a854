// Wiring: what a click, a key, the address, the language and the printer do.
const form = document.getElementById("filters");
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

let spoken = "";
let drawnTransport = null;

function fillSelects() {
  const labels = { verdict: verdictWord, change: say };
  const kinds = ["broken", "mended", "lacking", "other"].filter((kind) => cells.some((cell) => cell.change === kind));
  const options = {
    verdict: run.verdicts.filter((verdict) => cells.some((cell) => cell.verdict === verdict)).reverse(),
    change: appeared.size ? [...kinds, "appeared"] : kinds,
    issue: used("issue").filter(Boolean).sort(),
    what: used("what").sort(),
  };
  for (const select of form.querySelectorAll("select")) {
    const names = options[select.name] || used(select.name);
    const label = labels[select.name] || ((name) => name);
    select.replaceChildren(make("option", { value: "" }, say("any")), ...names.map((name) => make("option", { value: name }, label(name))));
    select.closest("label").hidden = !names.length;
  }
}

function fillForm() {
  for (const field of form.elements) if (field.name && field.value !== state[field.name]) field.value = state[field.name];
}

function speak() {
  document.documentElement.lang = state.lang;
  for (const button of document.querySelectorAll("[data-language]")) button.setAttribute("aria-pressed", String(button.dataset.language === state.lang));
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", say(element.dataset.label));
  for (const element of document.querySelectorAll("[data-placeholder]")) element.placeholder = say(element.dataset.placeholder);
  if (spoken || state.lang !== "en") sayWords(document);
  fillSelects();
}


// Draw what the state says; what did not change stays as it is, and with it the focus.
function draw() {
  if (spoken !== state.lang) {
    speak();
    drawnTransport = null;
  }
  spoken = state.lang;
  if (drawnTransport !== state.transport) drawMatrix();
  drawnTransport = state.transport;
  pressSquares();
  fillForm();
  drawList();
}

function choose(chosen, quietly = false) {
  Object.assign(state, { cell: "" }, chosen);
  noteState(quietly);
  draw();
}

function goTo(element, byKey) {
  element.scrollIntoView({ behavior: calm || byKey ? "auto" : "smooth", block: "start" });
  if (byKey) element.focus({ preventScroll: true });
}

const none = Object.fromEntries(filters.map((name) => [name, ""]));

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { dataset } = button;
  if (button.classList.contains("square")) {
    const again = button.getAttribute("aria-pressed") === "true";
    const pair = { pattern: dataset.pattern, left: dataset.left, right: dataset.right };
    choose({ ...none, transport: state.transport, ...(again ? {} : pair) });
    if (!again) goTo(document.getElementById("cells-head"), event.detail === 0);
  } else if (button.classList.contains("row")) toggleCell(button);
  else if (dataset.transport !== undefined) {
    choose({ transport: dataset.transport });
    document.querySelector(`#transports [data-transport="${dataset.transport}"]`)?.focus();
  } else if (dataset.pattern !== undefined) {
    choose({ ...none, transport: state.transport, pattern: dataset.pattern });
    goTo(document.getElementById("cells-head"), event.detail === 0);
  } else if (dataset.language) choose({ lang: dataset.language, cell: state.cell });
  else if (dataset.copy) copy(button);
  else if (button.id === "more") showMore();
});

function copy(button) {
  const done = () => { button.textContent = say("copied"); };
  const byHand = () => {
    getSelection().selectAllChildren(button.parentElement.querySelector("code"));
    if (document.execCommand("copy")) done();
  };
  if (navigator.clipboard) navigator.clipboard.writeText(button.dataset.copy).then(done, byHand);
  else byHand();
}

form.addEventListener("input", (event) => choose({ [event.target.name]: event.target.value }, event.target.name === "q"));
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", (event) => { event.preventDefault(); choose({ ...none }); });
document.addEventListener("keydown", (event) => {
  moveInGrid(event);
  if (event.key === "/" && !event.target.closest("input, select")) {
    event.preventDefault();
    form.elements.q.focus();
  } else if (event.key === "Escape" && event.target.closest("#list")) {
    const open = document.querySelector("#list .row[aria-expanded=true]");
    if (open) { toggleCell(open); open.focus(); }
  }
});

const sections = new Set([...document.querySelectorAll("[id]")].map((element) => element.id));

// A link of the page itself replaces the whole state, but for the language; a plain #section only scrolls.
function follow() {
  if (sections.has(location.hash.slice(1))) return;
  readFragment();
  draw();
  const open = document.querySelector("#list .row[aria-expanded=true]");
  if (state.cell && open) goTo(open, true);
  else if (isFiltered()) goTo(document.getElementById("cells-head"), true);
}

addEventListener("hashchange", follow);

// On paper nobody can open a cell: what is unexpected is opened for the printer, up to a number that can be read.
addEventListener("beforeprint", () => {
  [...document.querySelectorAll("#list li:not([data-expected]) .row[aria-expanded=false]")].slice(0, 12).forEach((button) => {
    button.setAttribute("aria-expanded", "true");
    button.closest("li").append(evidence(byId.get(button.dataset.cell)));
  });
});
addEventListener("afterprint", drawList);

readFragment();
draw();
if (state.cell) document.querySelector("#list .row[aria-expanded=true]")?.scrollIntoView({ block: "start" });
else if (isFiltered()) document.getElementById("cells").scrollIntoView({ block: "start" });
performance.mark("drawn");
