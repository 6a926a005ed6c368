// The word about what was just decided: it floats, is spoken, and goes after ten seconds; longer while somebody is at it.
// Nothing is lost with it: the form that brings a worker back stays on the page.

const toast = document.getElementById("done");
const words = toast.querySelector("[role=status]");
let timer;

// Loading the page again must not tell of it again.
function forget() {
  const address = new URL(location);
  address.searchParams.delete("decided");
  history.replaceState(null, "", address);
}

function leave() {
  const hadFocus = toast.contains(document.activeElement);
  toast.hidden = true;
  if (hadFocus) document.getElementById("main").focus({ preventScroll: true });
}

// The box itself has the focus at first; only who goes on to its button is at it.
function isInUse() {
  return toast.matches(":hover") || (document.activeElement !== toast && toast.contains(document.activeElement));
}

function wait() {
  clearTimeout(timer);
  if (!isInUse()) timer = setTimeout(leave, Number(toast.dataset.toastS) * 1000);
}

function onKey(event) {
  if (event.key === "Escape") leave();
}

// A live region speaks when its text comes, so the text comes once more.
function speak() {
  const text = words.textContent;
  words.textContent = "";
  requestAnimationFrame(() => {
    words.textContent = text;
  });
}

for (const change of ["pointerenter", "pointerleave", "focusin"]) toast.addEventListener(change, wait);
// Where the focus goes is known only after it has left.
toast.addEventListener("focusout", () => setTimeout(wait));
toast.addEventListener("keydown", onKey);
toast.classList.add("floating");
// Who has gone on already, before this ran, is left where they are.
if (document.activeElement === document.body) toast.focus({ preventScroll: true });
forget();
speak();
wait();
