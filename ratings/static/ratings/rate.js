// The rating page's comfort: how many are answered, one submission, and the summary of what is missing in focus.

const NUMBERS = ["None", "One", "Two", "Three", "All"];
const form = document.getElementById("rating");
const answered = document.getElementById("answered");

function tell() {
  const chosen = form.querySelectorAll("input[type=radio]:checked").length;
  const questions = form.querySelectorAll("fieldset").length;
  answered.textContent = chosen === questions ? "All answered" : `${NUMBERS[chosen]} of four answered`;
}

// The server stores ratings once anyway; this only spares the person a second wait.
function sendOnce(event) {
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
}

form.addEventListener("change", tell);
form.addEventListener("submit", sendOnce);
// Back from the browser's history the form can be sent again, should it not have arrived.
addEventListener("pageshow", () => delete form.dataset.sent);
document.getElementById("errors")?.focus();
tell();
