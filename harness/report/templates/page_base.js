// The run's data as rows with names, and small helpers. Knows nothing of the page's state.
performance.mark("began");
const run = JSON.parse(document.getElementById("run").textContent);
const columns = ["pattern", "transport", "left", "right", "binds", "what", "check", "worker", "issue", "blame", "reason", "places"];

const cells = run.rows.map((row, index) => {
  const cell = { index, level: row[0], verdict: run.verdicts[row[0]], ms: row[1], evidence: row[columns.length + 2] };
  columns.forEach((column, at) => { cell[column] = run[column][row[at + 2]]; });
  cell.id = `${cell.pattern}/${cell.transport}/${cell.left}>${cell.right}/${cell.binds}/${cell.what}${cell.places && `@${cell.places}`}`;
  const change = run.changes.cells[index];
  cell.change = change ? change[0] : "";
  cell.was = change ? run.verdicts[change[1]] || "" : null;
  return cell;
});
const appeared = new Set(run.changes.appeared);
const missing = new Set(run.missing);
const unexpected = new Set(run.unexpected);
const byId = new Map(cells.map((cell) => [cell.id, cell]));
// The worst first; those that are alike in the order of the run.
const ordered = [...cells].sort((one, other) => other.level - one.level || one.index - other.index);

// An element with attributes and children. Texts are always text, never markup.
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

const number = (value) => value.toLocaleString("en-US");

// A text of the page in the language that is shown, its {places} filled.
function say(key, values = {}) {
  const text = run.say[key][run.languages.indexOf(document.documentElement.lang)];
  return text.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? number(values[name]) : values[name]));
}

// Say the words of drawings in the language that is shown.
function sayWords(root) {
  for (const element of root.querySelectorAll(".plot text")) {
    element.dataset.word ??= element.textContent;
    const word = run.words[element.dataset.word];
    if (word) element.textContent = word[run.languages.indexOf(document.documentElement.lang)];
  }
}

const verdictKey = (verdict, ...ends) => [...ends.map((end) => `${verdict}_${end}`), verdict].find((key) => run.say[key]);
const verdictWord = (verdict) => say(verdictKey(verdict, "verdict"));
const shortWord = (verdict) => say(verdictKey(verdict, "short", "verdict"));

const badge = (verdict) => make("span", { class: `v ${verdict}` }, verdictWord(verdict));
