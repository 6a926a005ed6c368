// The room of one talk: draws what the server says, sends what the person says, and comes back after a lost line.
// The server is the judge of words, turns and order; the page is told where it stands by ``state`` frames.

import { Composer } from "./composer.js";
import { ELSEWHERE, Line } from "./line.js";
import { Log } from "./log.js";
import { Notices } from "./notices.js";

const ACCEPT_WITHIN_MS = 8000; // then the line counts as dead, however open it looks
const SLOW_MS = 10000;
const VERY_SLOW_MS = 60000;
const READ_LAST_REPLY_MS = 8000;
const CONNECTING_MS = 1000; // a line that is there sooner needs no word
const WARN_BEFORE_CLOSING_S = 300;
// Refusals that pass: what was written is kept and sent again by itself.
const TRY_AGAIN_MS = { slow_down: 1500, try_again: 1500, busy: 2000 };
const TOO_BIG_TO_SEND = [1003, 1007, 1009]; // sent again, it would only close the line again

const $ = (id) => document.getElementById(id);
const data = JSON.parse($("room-data").textContent);
const title = document.title;
let state = data.state;
let finishing = false;
let ending = "";
let reporting = null;
let acceptTimer, againTimer, slowTimer, ratingTimer, idleTimer;

const notices = new Notices($("notices"), $("notice"));
const log = new Log({ place: $("log"), scroller: $("scroller"), template: $("message"), onReport: openReport });
const composer = new Composer({
  form: $("composer"),
  key: `draft:${data.socket}`,
  words: state.words,
  personas: data.personas,
  tellsTyping: data.keeps_typing,
  on: { send: transmit, typing: present },
});
const line = new Line(data.socket, { open, frame, down, closed, doubt });

// --- The line ---------------------------------------------------------------------------------------------------

function open() {
  notices.clear("line");
  line.send({ type: "resume", after: log.last });
  if (composer.pending) transmit(composer.pending);
}

function down() {
  const kept = composer.pending ? "Your message is kept and is sent when it is back." : "Your talk is kept.";
  notices.show("line", "warn", `The connection is lost; trying again. ${kept}`);
}

function closed(code) {
  clearTimeout(acceptTimer);
  if (code === ELSEWHERE) continuedElsewhere();
  if (TOO_BIG_TO_SEND.includes(code) && composer.pending) {
    composer.refused({ code: "unsendable", reason: "This message cannot be sent as it is. Please change it." });
  }
}

// A door that stays shut may mean that the talk is no longer ours; the page itself knows.
async function doubt() {
  const answer = await fetch(location.pathname, { redirect: "manual", cache: "no-store" }).catch(() => null);
  if (answer && answer.status !== 200 && answer.status < 500) location.reload();
}

function transmit(pending) {
  if (!line.send({ type: "say", ...pending })) return down();
  clearTimeout(acceptTimer);
  acceptTimer = setTimeout(() => line.drop(), ACCEPT_WITHIN_MS);
}

// --- What the server says ---------------------------------------------------------------------------------------

function frame(event) {
  ({ state: stateFrame, message, accepted, refused, typing: draw, notice }[event.type] ?? (() => {}))(event);
}

function stateFrame(event) {
  notices.clear("later");
  state = event;
  draw();
}

function message(event) {
  watchIdle();
  log.add(event);
  if (event.speaker === "partner" && document.hidden) document.title = `(1) ${title}`;
}

function accepted({ client_id, position }) {
  clearTimeout(acceptTimer);
  const text = composer.accepted(client_id);
  if (text === null) return;
  notices.clear("reported");
  notices.clear("refused");
  if (log.has(position)) return;
  log.add({ position, speaker: "you", text });
  foldBriefs();
  // The next state frame says the same; until it comes nothing more can be sent.
  state = { ...state, phase: "partner", turn: state.turn + 1, may_finish: false };
  draw();
}

function refused(event) {
  const mine = composer.pending && event.client_id === composer.pending.client_id;
  if (mine) clearTimeout(acceptTimer);
  if (event.code in TRY_AGAIN_MS) return later(event);
  if (mine && event.code === "bad_field" && composer.withoutTyping()) return transmit(composer.pending);
  if (mine) composer.refused(event);
  else notices.show("refused", "warn", event.reason);
  finishing = false;
  if (event.code === "not_your_turn" || event.code === "talk_over") line.send({ type: "resume", after: log.last });
}

function later({ code, reason }) {
  if (code !== "slow_down") notices.show("later", "warn", reason);
  clearTimeout(againTimer);
  againTimer = setTimeout(again, TRY_AGAIN_MS[code]);
}

function again() {
  if (composer.pending) transmit(composer.pending);
  else line.send(finishing ? { type: "finish" } : { type: "resume", after: log.last });
}

function notice({ code, text }) {
  if (code === "reported") {
    log.markReported(reporting);
    notices.show("reported", "good", text);
  } else if (code !== "elsewhere") {
    ending = text;
  }
}

// --- A talk that is left alone is closed; who is still there can say so ------------------------------------------

function present() {
  line.send({ type: "typing" });
  watchIdle();
}

function watchIdle() {
  clearTimeout(idleTimer);
  notices.clear("idle");
  idleTimer = setTimeout(warnIdle, Math.max(data.idle_s - WARN_BEFORE_CLOSING_S, data.idle_s / 2) * 1000);
}

function warnIdle() {
  if (state.phase !== "yours") return;
  notices.show("idle", "warn", "Nothing was written for a while, and the talk will soon be closed.", [
    { label: "I am still here", click: present },
  ]);
}

// --- How it looks -----------------------------------------------------------------------------------------------

function draw() {
  const { phase } = state;
  $("composer").hidden = phase !== "yours" && phase !== "partner";
  $("typing").hidden = phase !== "partner";
  $("finish").hidden = !state.may_finish;
  composer.wait(phase === "partner" ? "Please wait for your partner's reply first." : "");
  drawTurns();
  watchPartner(phase === "partner");
  if (phase === "partner") log.follow();
  if (phase === "rating") rate();
  if (phase === "complete") location.replace(data.onward);
  if (phase === "ended") ended();
}

function drawTurns() {
  const now = state.phase === "yours" ? state.turn + 1 : state.turn;
  const enough = state.turn >= state.of;
  $("turns").textContent = enough ? `Turn ${Math.min(now, data.last)} · enough to rate` : `Turn ${now} of ${state.of}`;
  [...$("pips").children].forEach((pip, index) => pip.classList.toggle("on", index < state.turn));
}

function watchPartner(waiting) {
  if (waiting && slowTimer) return;
  clearInterval(slowTimer);
  slowTimer = undefined;
  notices.clear("slow");
  if (!waiting) return;
  const since = Date.now();
  slowTimer = setInterval(() => slow(Date.now() - since), SLOW_MS);
}

// A reply whose event was lost is caught up here as well.
function slow(waitedMs) {
  if (!line.isOpen) return;
  line.send({ type: "resume", after: log.last });
  if (waitedMs < VERY_SLOW_MS) {
    notices.show("slow", "", "Your partner takes longer than usual. Please wait; nothing is lost.");
  } else {
    notices.show(
      "slow",
      "warn",
      "Your partner has not answered for a minute. If nothing comes soon, this talk ends by itself and you are paid for it.",
    );
  }
}

function rate() {
  line.end();
  notices.clear("line");
  clearTimeout(idleTimer);
  if (finishing) return location.replace(data.rate);
  if (ratingTimer) return;
  ratingTimer = setTimeout(() => location.replace(data.rate), READ_LAST_REPLY_MS);
  const stay = { label: "Let me read first", click: () => (clearTimeout(ratingTimer), askToRate()) };
  notices.show("over", "good", "That was the last turn. The questions open in a moment.", [
    { label: "Rate now", href: data.rate },
    stay,
  ]);
}

function askToRate() {
  notices.show("over", "good", "That was the last turn. A few questions are left.", [{ label: "Rate now", href: data.rate }]);
}

function ended() {
  line.end();
  notices.clear("line");
  clearTimeout(idleTimer);
  notices.show("over", "bad", ending || "This talk has ended.", [{ label: "Go on", href: data.onward }]);
}

function continuedElsewhere() {
  $("composer").hidden = true;
  $("typing").hidden = true;
  watchPartner(false);
  notices.clear("line");
  clearTimeout(idleTimer);
  notices.show("over", "", "This talk goes on in another tab or window.", [
    { label: "Go on here instead", click: () => location.reload() },
  ]);
}

// On a phone the talk needs the room once it has begun.
function foldBriefs() {
  if (!matchMedia("(max-width: 55.99rem)").matches) return;
  document.querySelectorAll("[data-brief]").forEach((brief) => (brief.open = false));
}

// --- What the person does beside writing ------------------------------------------------------------------------

function openReport(position, text) {
  reporting = position;
  $("report-text").textContent = text;
  $("report-form").reset();
  $("report-dialog").returnValue = "cancel";
  $("report-dialog").showModal();
}

function sendReport() {
  if ($("report-dialog").returnValue !== "send") return;
  const reason = new FormData($("report-form")).get("reason");
  if (line.send({ type: "report", position: reporting, reason })) return;
  notices.show("reported", "warn", "The connection is lost, so the report was not sent. Please try again in a moment.");
}

function finish() {
  finishing = line.send({ type: "finish" });
  if (!finishing) down();
}

$("report-dialog").addEventListener("close", sendReport);
$("finish-button").addEventListener("click", finish);
document.addEventListener("visibilitychange", () => document.hidden || (document.title = title));

if (data.messages.length) foldBriefs();
data.messages.forEach((said) => log.add(said));
data.reported.forEach((position) => log.markReported(position));
// Only what comes from now on is read out.
$("log").setAttribute("aria-live", "polite");
draw();
log.toEnd(); // once the text box has its room
watchIdle();
line.connect();
setTimeout(() => line.isOpen || line.ended || line.failures || notices.show("line", "", "Connecting…"), CONNECTING_MS);
if (state.phase === "yours" && matchMedia("(hover: hover)").matches) $("text").focus();
