// What is chosen, which lives in the fragment: #pattern=req-rep&verdict=known&q=text&cell=ID&lang=zh
const filters = ["verdict", "pattern", "transport", "left", "right", "what", "issue", "change", "q"];
const state = { lang: "", cell: "" };
for (const name of filters) state[name] = "";

function readFragment() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  for (const name of filters) state[name] = fragment.get(name) || "";
  state.cell = fragment.get("cell") || "";
  const asked = fragment.get("lang") || state.lang || (navigator.language || "").slice(0, 2);
  state.lang = run.languages.includes(asked) ? asked : run.languages[0];
}

function fragment() {
  const words = new URLSearchParams();
  for (const name of [...filters, "cell"]) if (state[name]) words.set(name, state[name]);
  if (state.lang !== run.languages[0] || new URLSearchParams(location.hash.slice(1)).has("lang")) words.set("lang", state.lang);
  return words.toString();
}

// Note the state in the address. `quietly` makes no entry of its own in the history, as for each letter that is typed.
function noteState(quietly) {
  const address = `#${fragment()}`;
  if (address === location.hash || (address === "#" && !location.hash)) return;
  history[quietly ? "replaceState" : "pushState"](null, "", address);
}

const isFiltered = () => filters.some((name) => state[name]);

function matches(cell, without = []) {
  for (const name of ["verdict", "pattern", "transport", "left", "right", "what", "issue"]) {
    if (state[name] && !without.includes(name) && cell[name] !== state[name]) return false;
  }
  if (state.change && !(state.change === "appeared" ? appeared.has(cell.index) : cell.change === state.change)) return false;
  if (!state.q) return true;
  const text = `${cell.id}\n${cell.reason}\n${cell.blame}\n${cell.check}\n${cell.issue}`.toLowerCase();
  return state.q.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}
