// Keeps the page Serving live: asks for its cells every few seconds while somebody looks, and shows what changed.

const EVERY_MS = 2500;
const LONGEST_WAIT_MS = 20000;
const ANSWER_WITHIN_MS = 8000;
const CHANGED_FOR_MS = 1600;
const LOST = "The line to the site is lost, so what you see may be old. It is tried again by itself.";
const SIGNED_OUT = "You are signed out, so what you see grows old. Load the page again to sign in.";

const page = document.querySelector("[data-live]");
const stale = page.querySelector("[data-stale]");
const settling = new Map();
let failures = 0;
let timer;

// --- Asking -----------------------------------------------------------------------------------------------------

class SignedOut extends Error {}

async function ask() {
  const answer = await fetch(page.dataset.live, {
    redirect: "manual", // to the page for who is signed out
    cache: "no-store",
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  if (answer.type === "opaqueredirect") throw new SignedOut();
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
  return answer.json();
}

async function look() {
  clearTimeout(timer);
  if (document.hidden) return;
  try {
    draw(await ask());
    failures = 0;
    tell("");
  } catch (error) {
    failures += 1;
    tell(error instanceof SignedOut ? SIGNED_OUT : LOST);
  }
  clearTimeout(timer);
  timer = setTimeout(look, Math.min(EVERY_MS * 2 ** failures, LONGEST_WAIT_MS));
}

function tell(text) {
  if (stale.textContent !== text) stale.textContent = text;
  stale.hidden = !text;
  page.querySelector("[data-kept]").hidden = Boolean(text);
  page.querySelector("[data-again]").hidden = !text;
}

// --- Drawing ----------------------------------------------------------------------------------------------------

function draw(board) {
  const time = page.querySelector("[data-at]");
  time.dateTime = board.at;
  time.textContent = `${new Date(board.at).toISOString().slice(11, 19)} UTC`;
  for (const figure of board.figures) {
    write(page.querySelector(`[data-figure="${figure.key}"]`), figure.text, figure.key !== "oldest");
  }
  for (const table of board.tables) drawTable(page.querySelector(`[data-table="${table.key}"]`), table);
}

function drawTable(section, table) {
  const body = section.querySelector("tbody");
  const known = new Map([...body.rows].map((row) => [row.dataset.row, row]));
  table.rows.forEach(({ key, cells }, place) => {
    const row = known.get(key) ?? newRow(section, key);
    const isNew = !known.delete(key);
    cells.forEach((cell, column) => drawCell(row.cells[column], cell, table.columns[column].kind, isNew));
    if (body.rows[place] !== row) body.insertBefore(row, body.rows[place] ?? null);
  });
  for (const gone of known.values()) gone.remove();
  section.querySelector("[data-empty]").hidden = table.rows.length > 0;
  section.querySelector(".scroll").hidden = table.rows.length === 0;
}

function newRow(section, key) {
  const row = section.querySelector("template").content.firstElementChild.cloneNode(true);
  row.dataset.row = key;
  return row;
}

function drawCell(place, cell, kind, isNew) {
  const [shown, note] = place.children;
  if (kind === "tag") {
    shown.classList.remove("good", "warn", "bad");
    if (cell.tone) shown.classList.add(cell.tone);
  }
  write(shown, cell.text, kind !== "age" && !isNew);
  note.textContent = cell.note;
  note.hidden = !cell.note;
}

// What changed is marked for a moment; ages change with every look and are not.
function write(node, text, marks) {
  if (node.textContent === text) return;
  node.textContent = text;
  if (!marks) return;
  node.classList.add("changed");
  clearTimeout(settling.get(node));
  settling.set(node, setTimeout(() => settle(node), CHANGED_FOR_MS));
}

function settle(node) {
  settling.delete(node);
  node.classList.remove("changed");
}

document.addEventListener("visibilitychange", look);
tell("");
timer = setTimeout(look, EVERY_MS);
