// The messages of a talk, each drawn once and in order of position, always as text.

const NEAR_PX = 120;

export class Log {
  constructor({ place, scroller, template, onReport }) {
    Object.assign(this, { place, scroller, template, onReport });
    this.drawn = new Map();
    this.height = scroller.clientHeight;
    new ResizeObserver(() => this.resized()).observe(scroller);
  }

  // What grows below the log (a notice, a longer text, the button to finish) must not hide its last words.
  resized() {
    const lost = this.height - this.scroller.clientHeight;
    this.height = this.scroller.clientHeight;
    if (this.isNearEnd(lost)) this.toEnd();
  }

  // The last position up to which nothing is missing.
  get last() {
    let position = 0;
    while (this.drawn.has(position + 1)) position += 1;
    return position;
  }

  has(position) {
    return this.drawn.has(position);
  }

  add({ position, speaker, text }) {
    if (this.drawn.has(position)) return;
    const follow = speaker === "you" || this.isNearEnd();
    const said = this.template.content.firstElementChild.cloneNode(true);
    const mine = speaker === "you";
    said.classList.toggle("mine", mine);
    said.querySelector(".msg").classList.toggle("mine", mine);
    said.querySelector(".only-read").textContent = mine ? "You: " : "Your partner: ";
    said.querySelector(".words").textContent = text;
    const report = said.querySelector(".report");
    if (mine) report.remove();
    else report.addEventListener("click", () => this.onReport(position, text));
    this.place.insertBefore(said, this.after(position));
    this.drawn.set(position, said);
    if (follow) this.toEnd();
  }

  // The first message that stands behind a position.
  after(position) {
    const behind = [...this.drawn.keys()].filter((other) => other > position);
    return behind.length ? this.drawn.get(Math.min(...behind)) : null;
  }

  markReported(position) {
    const report = this.drawn.get(position)?.querySelector(".report");
    if (!report) return;
    report.textContent = "Reported";
    report.disabled = true;
  }

  isNearEnd(within = 0) {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_PX + within;
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    // In a low window it is the page that scrolls.
    this.scroller.nextElementSibling.scrollIntoView({ block: "nearest" });
  }
}
