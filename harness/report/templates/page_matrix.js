// The matrix: implementations against implementations, all patterns together and each by itself, for one transport or all.
const used = (column) => run[column].filter((name) => cells.some((cell) => cell[column] === name));
const patterns = used("pattern");
const lefts = used("left");
const rights = used("right");
const everybody = [...new Set([...lefts, ...rights])];
const key = (name) => String.fromCharCode("A".charCodeAt(0) + everybody.indexOf(name));
const squareButtons = [];

// For each square: how many cells, the worst verdict, and how many have it.
function tally(list, nameOf) {
  const found = new Map();
  for (const cell of list) {
    const name = nameOf(cell);
    const entry = found.get(name) || { cells: 0, level: -1, count: 0 };
    entry.cells += 1;
    if (cell.level > entry.level) Object.assign(entry, { level: cell.level, count: 0 });
    if (cell.level === entry.level) entry.count += 1;
    found.set(name, entry);
  }
  return found;
}

function drawMatrix() {
  const here = cells.filter((cell) => !state.transport || cell.transport === state.transport);
  const box = document.getElementById("grids");
  squareButtons.length = 0;
  const inAll = tally(here, (cell) => `${cell.left}>${cell.right}`);
  const inEach = tally(here, (cell) => `${cell.pattern}/${cell.left}>${cell.right}`);
  const grids = [grid("", inAll, "")];
  for (const pattern of patterns) if (here.some((cell) => cell.pattern === pattern)) grids.push(grid(pattern, inEach, `${pattern}/`));
  box.replaceChildren(...grids);
  drawTransports();
}

function drawTransports() {
  const worst = tally(cells, (cell) => cell.transport);
  const all = tally(cells, () => "").get("");
  const choice = (transport, label, entry) => {
    const button = make("button", { type: "button", "aria-pressed": String(state.transport === transport), "data-transport": transport }, label);
    if (entry) button.append(" ", badge(run.verdicts[entry.level]));
    return button;
  };
  const choices = [choice("", say("all_transports"), all), ...used("transport").map((name) => choice(name, name, worst.get(name)))];
  document.getElementById("transports").replaceChildren(...choices);
}

function grid(pattern, found, prefix) {
  const whole = !pattern;
  const label = whole ? say("all_patterns") : pattern;
  const caption = make("caption", {}, make("button", { type: "button", "data-pattern": pattern }, label));
  const has = (left, right) => found.has(`${prefix}${left}>${right}`);
  const ways = rights.filter((right) => lefts.some((left) => has(left, right)));
  const head = make("tr", {}, make("td"), ...ways.map((right) => make("th", { scope: "col", title: right }, whole ? `${key(right)} ${right}` : key(right))));
  const table = make("table", { class: "grid" }, caption, make("thead", {}, head));
  const body = make("tbody");
  for (const left of lefts.filter((name) => ways.some((right) => has(name, right)))) {
    const row = make("tr", {}, make("th", { scope: "row", title: left }, whole ? `${key(left)} ${left}` : key(left)));
    for (const right of ways) {
      const entry = found.get(`${prefix}${left}>${right}`);
      row.append(make("td", {}, ...(entry ? [square(pattern, left, right, entry)] : [])));
    }
    body.append(row);
  }
  table.append(body);
  table.querySelector(".square")?.setAttribute("tabindex", "0");
  return make("div", { class: whole ? "grid-box whole" : "grid-box" }, table);
}

function square(pattern, left, right, entry) {
  const verdict = run.verdicts[entry.level];
  const told = { pattern: pattern || say("all_patterns"), left, right, verdict: verdictWord(verdict), count: entry.count, cells: entry.cells };
  const label = say("square", told);
  const pressed = state.pattern === pattern && state.left === left && state.right === right;
  const button = make("button", {
    type: "button", class: `square ${verdict}`, tabindex: "-1", "aria-label": label, title: label, "aria-pressed": String(pressed),
    "data-pattern": pattern, "data-left": left, "data-right": right,
  }, shortWord(verdict), make("small", {}, `${number(entry.count)} / ${number(entry.cells)}`));
  squareButtons.push(button);
  return button;
}

// Say which square is chosen without drawing everything anew, so that the focus stays where it is.
function pressSquares() {
  for (const button of squareButtons) {
    const { pattern, left, right } = button.dataset;
    button.setAttribute("aria-pressed", String(Boolean(state.left) && state.pattern === pattern && state.left === left && state.right === right));
  }
}

const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };

// Arrow keys move between the squares of a grid; Tab goes from grid to grid.
function moveInGrid(event) {
  const step = steps[event.key];
  const from = event.target.closest?.(".square");
  if (!step || !from) return;
  event.preventDefault();
  let row = from.closest("tr").rowIndex;
  let column = from.closest("td").cellIndex;
  const { rows } = from.closest("table");
  for (;;) {
    row += step[0];
    column += step[1];
    const place = rows[row]?.cells[column];
    if (!place) return;
    const to = place.querySelector(".square");
    if (to) {
      from.setAttribute("tabindex", "-1");
      to.setAttribute("tabindex", "0");
      to.focus();
      return;
    }
  }
}
