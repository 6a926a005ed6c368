// Waits for a partner: asks for this page again until it says something else, and tells how long that has taken.

const LOOK_AGAIN_MS = 5000;
const TELL_MS = 30000; // a screen reader should hear that it goes on, and no more
const NOT_YET = 503;

const status = document.querySelector("[data-waiting]");
const since = Date.now();
let told = since;

// With a spread, so that everybody who waits does not ask in the same moment.
function later() {
  setTimeout(look, LOOK_AGAIN_MS * (0.7 + 0.6 * Math.random()));
}

async function look() {
  const answer = await fetch(location.href, { cache: "no-store", redirect: "manual" }).catch(() => null);
  if (answer && answer.status !== NOT_YET && (answer.status < 500 || answer.type === "opaqueredirect")) {
    document.title = `Ready: ${document.title}`;
    return location.reload();
  }
  tell(answer === null);
  later();
}

function tell(isOffline) {
  if (isOffline) {
    status.textContent = "The connection is lost; trying again.";
  } else if (Date.now() - told >= TELL_MS || status.textContent.startsWith("The connection")) {
    told = Date.now();
    const minutes = Math.round((told - since) / 60000);
    const waited = minutes > 1 ? `${minutes} minutes` : minutes ? "a minute" : "half a minute";
    status.textContent = `Still waiting, for about ${waited} now.`;
  }
}

later();
