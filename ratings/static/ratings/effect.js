// Says beside the button what excluding a worker, or restoring them, would change; without this a link leads there.

const WITHIN_MS = 30000;
const place = document.querySelector("[data-effect]");

async function tell() {
  const address = new URL(place.dataset.effect, location);
  address.searchParams.set("brief", "1");
  const answer = await fetch(address, { redirect: "manual", signal: AbortSignal.timeout(WITHIN_MS) });
  if (!answer.ok) return; // the link stays, and tells what is wrong
  const { text } = await answer.json();
  place.querySelector("[data-told]").textContent = `: ${text}.`;
}

if (place) tell().catch(() => {});
