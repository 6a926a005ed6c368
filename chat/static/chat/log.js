// The messages of a talk, each drawn once and in order of position, always as text.

const NEAR_PX = 120;

export class Log {
  constructor({ place, scroller, template, onReport }) {
    Object.assign(this, { place, scroller, template, onReport });
    this.drawn = new Map();
    this.following = true;
    new ResizeObserver(() => this.follow()).observe(scroller);
    scroller.addEventListener("scroll", () => this.scrolled());
  }

  // What grows below the log (a notice, a longer text, the button to finish) must not hide its last words.
  follow() {
    if (this.following) this.toEnd();
  }

  // The browser itself scrolls where the room changes its size; only who scrolls in a room that stays means it.
  scrolled() {
    if (this.size === this.seen) this.following = this.isNearEnd();
    else this.follow();
    this.seen = this.size;
  }

  get size() {
    return `${this.scroller.scrollHeight} ${this.scroller.clientHeight}`;
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
    if (mine) this.toEnd();
    else this.follow();
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

  isNearEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }

  toEnd() {
    this.following = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.seen = this.size;
    // In a low window it is the page that scrolls.
    this.scroller.nextElementSibling.scrollIntoView({ block: "nearest" });
  }
}
