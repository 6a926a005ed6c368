// How the message in the box is typed: counts and times alone, never a letter of it. chat/typing_dynamics.py says what
// each of them means.

const MAX_COUNT = 32767;
const MAX_MS = 86400000;
// What on-screen keyboards and input methods call their keys.
const UNNAMED = ["Unidentified", "Process", "Dead"];

// Milliseconds that go on over a reload, and never back within a page.
function now() {
  return performance.timeOrigin + performance.now();
}

function span(from, to) {
  return Math.min(Math.max(Math.round(to - from), 0), MAX_MS);
}

// Whether a key writes or deletes; the Enter that sends does neither.
function writes(event) {
  const { key } = event;
  if (key === "Backspace" || key === "Delete") return true;
  if ((event.ctrlKey || event.metaKey) && !event.getModifierState("AltGraph")) return false;
  if (key === "Enter") return event.shiftKey;
  return [...key].length === 1 || UNNAMED.includes(key);
}

export class TypingCounts {
  constructor(box) {
    this.box = box;
    this.isHere = true;
    this.clear();
    box.addEventListener("keydown", (event) => writes(event) && this.happened("keystrokes"));
    box.addEventListener("input", (event) => this.changed(event.inputType ?? ""));
    box.addEventListener("paste", (event) => this.pasted(event.clipboardData));
    box.addEventListener("drop", (event) => this.pasted(event.dataTransfer));
    addEventListener("blur", () => this.left());
    addEventListener("focus", () => this.back());
    document.addEventListener("visibilitychange", () => (document.hidden ? this.left() : this.back()));
  }

  // For the next message.
  clear() {
    this.seen = { keystrokes: 0, deletions: 0, pastes: 0, pasted_characters: 0, focus_losses: 0 };
    this.seen.shown_at = this.seen.first_at = null;
  }

  // Go on with the ``seen`` of before a reload.
  restore(seen) {
    Object.assign(this.seen, seen);
  }

  // The partner's message is on the screen, and it is one's move. Said again, it changes nothing.
  begin() {
    this.seen.shown_at ??= now();
  }

  happened(what, times = 1) {
    if (this.box.readOnly) return; // a message is on its way, and nothing can be written
    this.seen.first_at ??= now();
    this.seen[what] = Math.min(this.seen[what] + times, MAX_COUNT);
  }

  changed(kind) {
    const isDeletion = kind.startsWith("delete") && kind !== "deleteCompositionText"; // an input method's own
    this.happened("deletions", isDeletion ? 1 : 0);
  }

  pasted(data) {
    const { length } = [...(data?.getData("text/plain") ?? "")];
    if (!length) return;
    this.happened("pastes");
    this.happened("pasted_characters", length);
  }

  left() {
    const isWriting = this.seen.shown_at !== null || this.seen.first_at !== null;
    if (this.isHere && isWriting) this.seen.focus_losses = Math.min(this.seen.focus_losses + 1, MAX_COUNT);
    this.isHere = false;
  }

  back() {
    this.isHere = true;
  }

  // What goes with the message that is sent now.
  summary() {
    const { shown_at, first_at, ...counts } = this.seen;
    const sentAt = now();
    const firstAt = first_at ?? sentAt;
    return { ...counts, first_key_ms: span(shown_at ?? firstAt, firstAt), typed_ms: span(firstAt, sentAt) };
  }
}
