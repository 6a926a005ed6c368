// The theme's colours, as charts take them.

let known = new Map();

// Tokens are written in ways that plotly cannot read (light-dark(), oklch()): the browser paints one pixel of each.
const brush = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
const probe = document.createElement("span");
probe.hidden = true;
document.body.append(probe);

/** A token's colour; with a strength from 0 to 1 so much of it over a card. */
export function colour(role, strength = 1) {
  const key = `${role} ${strength}`;
  if (!known.has(key)) {
    probe.style.color = `color-mix(in srgb, var(--${role}) ${100 * strength}%, var(--card))`;
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = getComputedStyle(probe).color;
    brush.fillRect(0, 0, 1, 1);
    const [red, green, blue] = brush.getImageData(0, 0, 1, 1).data;
    known.set(key, `rgb(${red}, ${green}, ${blue})`);
  }
  return known.get(key);
}

/** Call this again whenever colours change. */
export function whenThemeChanges(draw) {
  const anew = () => {
    known = new Map();
    draw();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", anew);
  new MutationObserver(anew).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}
