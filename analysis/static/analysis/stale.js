// Tells a reader when the report that they look at is no longer the last word; the page never changes by itself.

const EVERY_MS = 60_000;
const report = document.querySelector("[data-state]");
const notice = document.getElementById("stale");

async function ask() {
  if (document.hidden || !notice.hidden) return;
  try {
    const answer = await fetch(report.dataset.stateUrl, { headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected) return;
    notice.hidden = (await answer.json()).state === report.dataset.state;
  } catch {
    // Away from the site for a while: the next time will do.
  }
}

setInterval(ask, EVERY_MS);
document.addEventListener("visibilitychange", ask);
