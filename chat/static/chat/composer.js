// The text box: words counted and rules checked as one writes, one message on its way at a time, nothing lost.

import { checkMessage, countWords } from "./rules.js";
import { TypingCounts } from "./typing.js";

const TYPING_EVERY_MS = 5000;
const WARN_WORDS_LEFT = 5;

// crypto.randomUUID is missing on pages that come over plain http from another machine.
function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Composer {
  // key: where the draft is kept through a reload. on: {send(pending), typing()}. tellsTyping: whether messages go with
  // how they were typed.
  constructor({ form, key, words, personas, tellsTyping, on }) {
    Object.assign(this, { form, key, words, personas, tellsTyping, on });
    this.box = form.querySelector("#text");
    this.counts = new TypingCounts(this.box); // listens first, so that what is saved has the last key
    this.button = form.querySelector("#send");
    this.reason = form.querySelector("#reason");
    this.count = form.querySelector("#count");
    this.countSaid = form.querySelector("#count-said");
    this.waitingFor = "";
    this.pending = null;
    this.typedAt = 0;
    form.addEventListener("submit", (event) => (event.preventDefault(), this.submit()));
    this.box.addEventListener("keydown", (event) => this.pressed(event));
    this.box.addEventListener("input", () => this.typed());
    this.restore();
  }

  // Why nothing can be sent now, or "" when it can.
  wait(reason) {
    this.waitingFor = reason;
    if (!reason) this.counts.begin();
    if (!reason && this.explained === "waiting") this.explain(null);
    this.draw();
  }

  pressed(event) {
    // While an input method composes, Enter chooses a word (229 is how older browsers say so).
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.submit();
  }

  typed() {
    this.save();
    const broken = this.box.value.trim() ? checkMessage(this.box.value, this.words, this.personas) : null;
    this.explain(broken && { code: broken.code, reason: this.brief(broken) });
    this.draw();
    if (Date.now() - this.typedAt < TYPING_EVERY_MS) return;
    this.typedAt = Date.now();
    this.on.typing();
  }

  // While one writes, the counter has the number; saying it again with each word would be noise.
  brief({ code, reason }) {
    return code === "too_long" && this.wordCount() > this.words ? `Please use at most ${this.words} words.` : reason;
  }

  submit() {
    if (this.pending) return;
    if (this.waitingFor) return this.explain({ code: "waiting", reason: this.waitingFor });
    const text = this.box.value.trim();
    const broken = checkMessage(text, this.words, this.personas);
    if (broken) return this.explain(broken);
    this.pending = { client_id: newId(), text };
    if (this.tellsTyping) this.pending.typing = this.counts.summary();
    this.explain(null);
    this.save();
    this.draw();
    this.on.send(this.pending);
  }

  // The server has it. Gives the text, or null when it was not this one.
  accepted(clientId) {
    if (this.pending?.client_id !== clientId) return null;
    const { text } = this.pending;
    this.pending = null;
    this.counts.clear();
    this.box.value = "";
    this.explain(null);
    this.save();
    this.draw();
    return text;
  }

  // How it was typed must keep no message back. Gives whether there is something to send without it now.
  withoutTyping() {
    if (!this.pending?.typing) return false;
    delete this.pending.typing;
    this.save();
    return true;
  }

  // The text stays in the box, with the reason.
  refused(refusal) {
    this.pending = null;
    this.explain(refusal);
    this.save();
    this.draw();
    this.box.focus();
  }

  explain(refusal) {
    const code = refusal?.code ?? "";
    if (code === this.explained && refusal?.reason === this.reason.textContent) return;
    this.explained = code;
    this.reason.textContent = refusal?.reason ?? "";
    this.box.toggleAttribute("aria-invalid", Boolean(refusal) && code !== "waiting");
  }

  wordCount() {
    return countWords(this.box.value);
  }

  draw() {
    const words = this.wordCount();
    this.count.textContent = `${words} of ${this.words} words`;
    this.count.classList.toggle("error", words > this.words);
    const left = this.words - words;
    if (left === WARN_WORDS_LEFT || left === 0) this.countSaid.textContent = `${left} words left`;
    this.box.readOnly = Boolean(this.pending);
    this.button.textContent = this.pending ? "Sending…" : "Send";
    const idle = this.pending || this.waitingFor || !words || this.explained;
    this.button.setAttribute("aria-disabled", String(Boolean(idle)));
    this.grow();
  }

  // Browsers without field-sizing get the same by hand.
  grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.box.style.height = "auto";
    this.box.style.height = `${this.box.scrollHeight + 2}px`;
  }

  save() {
    const draft = { text: this.box.value, pending: this.pending, seen: this.counts.seen };
    try {
      if (draft.text || draft.pending) sessionStorage.setItem(this.key, JSON.stringify(draft));
      else sessionStorage.removeItem(this.key);
    } catch {
      // Without storage a reload loses what was not sent; the talk itself goes on.
    }
  }

  restore() {
    try {
      const draft = JSON.parse(sessionStorage.getItem(this.key));
      this.box.value = draft?.text ?? "";
      this.pending = draft?.pending ?? null;
      this.counts.restore(draft?.seen);
    } catch {
      // As above.
    }
    this.draw();
  }
}
