// The line to the server: a socket that comes back by itself, later and later, and says so.

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 15000;
// A socket that opened and lived this long is trusted again.
const STEADY_MS = 5000;
export const ELSEWHERE = 4001;
const REFUSED_BEFORE_OPEN = 3; // attempts; then the page is asked whether the talk is still there

// Random between half and the whole, so that many pages do not come back at one moment.
function jittered(ms) {
  return ms * (0.5 + Math.random() / 2);
}

export class Line {
  // on: {open(), frame(object), down(), closed(code), doubt()}; doubt is called when the door stays shut.
  constructor(path, on) {
    this.url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
    this.on = on;
    this.failures = 0;
    this.ended = false;
    addEventListener("online", () => this.connect());
    addEventListener("offline", () => this.drop());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.connect());
    addEventListener("pagehide", () => this.end());
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  connect() {
    if (this.ended || (this.socket && this.socket.readyState <= WebSocket.OPEN)) return;
    clearTimeout(this.timer);
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.addEventListener("open", () => this.opened(socket));
    socket.addEventListener("message", (event) => this.socket === socket && this.on.frame(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => this.socket === socket && this.lost(event.code));
  }

  opened(socket) {
    if (this.socket !== socket) return;
    setTimeout(() => this.socket === socket && this.isOpen && (this.failures = 0), STEADY_MS);
    this.on.open();
  }

  lost(code) {
    this.socket = null;
    if (this.ended) return;
    if (code === ELSEWHERE) this.ended = true;
    this.on.closed(code);
    if (this.ended) return;
    this.failures += 1;
    this.on.down();
    if (this.failures % REFUSED_BEFORE_OPEN === 0) this.on.doubt();
    const wait = Math.min(FIRST_WAIT_MS * 2 ** (this.failures - 1), LONGEST_WAIT_MS);
    this.timer = setTimeout(() => this.connect(), jittered(wait));
  }

  // A connection that is gone may not say so for minutes; do not wait for it.
  drop() {
    const socket = this.socket;
    if (!socket) return;
    this.lost(1006);
    socket.close();
  }

  send(frame) {
    if (!this.isOpen) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  end() {
    this.ended = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }
}
