// The rating page's comfort: how many are answered, one submission, what is missing in focus, and a
// word before a talk that is left alone is closed.

const NUMBERS = ["None", "One", "Two", "Three", "Four", "Five"];
const WARN_BEFORE_CLOSING_S = 300;
const form = document.getElementById("rating");
const answered = document.getElementById("answered");

function tell() {
  const chosen = form.querySelectorAll("input[type=radio]:checked").length;
  const questions = form.querySelectorAll("fieldset").length;
  const of = NUMBERS[questions].toLowerCase();
  answered.textContent = chosen === questions ? "All answered" : `${NUMBERS[chosen]} of ${of} answered`;
}

// The server stores ratings once anyway; this only spares the person a second wait.
function sendOnce(event) {
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
}

// A talk that is left alone is closed. A live region speaks when its text comes, so the text comes late.
function watchIdle() {
  const idle = document.getElementById("idle");
  const words = idle.querySelector("span");
  const text = words.textContent;
  words.textContent = "";
  const seconds = Number(form.dataset.idleS);
  setTimeout(() => {
    idle.hidden = false;
    words.textContent = text;
  }, Math.max(seconds - WARN_BEFORE_CLOSING_S, seconds / 2) * 1000);
}

form.addEventListener("change", tell);
form.addEventListener("submit", sendOnce);
// Back from the browser's history the form can be sent again, should it not have arrived.
addEventListener("pageshow", () => delete form.dataset.sent);
document.getElementById("errors")?.focus();
tell();
watchIdle();
