// The theme's colours, as charts take them.

let known = new Map();
let onPaper = false;

const forced = matchMedia("(forced-colors: active)");
// The system's own colours that stand for tokens then: those that it promises to be legible.
const FAINT = "color-mix(in srgb, CanvasText 25%, Canvas)";
const SYSTEM = { card: "Canvas", line: FAINT, edge: "CanvasText", accent: "LinkText" };

// Tokens are written in ways that plotly cannot read (light-dark(), oklch()): the browser paints one pixel of each.
const brush = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
const probe = document.createElement("span");
probe.hidden = true;
// Where the system's colours are forced a text has but one, whatever it asks for.
probe.style.forcedColorAdjust = "none";
document.body.append(probe);

function named(role) {
  return forced.matches ? (SYSTEM[role] ?? "CanvasText") : `var(--${role})`;
}

/** A token's colour; with a strength from 0 to 1 so much of it over a card. */
export function colour(role, strength = 1) {
  const key = `${role} ${strength}`;
  if (!known.has(key)) {
    probe.style.color = `color-mix(in srgb, ${named(role)} ${100 * strength}%, ${named("card")})`;
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = getComputedStyle(probe).color;
    brush.fillRect(0, 0, 1, 1);
    const [red, green, blue] = brush.getImageData(0, 0, 1, 1).data;
    known.set(key, `rgb(${red}, ${green}, ${blue})`);
  }
  return known.get(key);
}

/** A layout for the page, or, while that is printed, so wide for paper: charts do not shrink with it. */
export function sized(layout, paperPx) {
  return onPaper ? { ...layout, width: paperPx } : { ...layout, autosize: true };
}

/** Call this again whenever colours change, or the page goes to paper and comes back. */
export function whenThemeChanges(draw) {
  const anew = () => {
    known = new Map();
    draw();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", anew);
  forced.addEventListener("change", anew);
  for (const moment of ["beforeprint", "afterprint"]) {
    window.addEventListener(moment, () => {
      onPaper = moment === "beforeprint";
      probe.style.colorScheme = onPaper ? "light" : ""; // paper is white, whatever the screen is
      anew();
    });
  }
  new MutationObserver(anew).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}
