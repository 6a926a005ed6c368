// Draws a page's charts in the theme's colours when they come near the window, and again when the theme changes.

import { colour, sized, whenThemeChanges } from "./theme.js";

// The buttons are named one by one: plotly's own list offers an upload to its cloud, and saving a picture, which
// Trusted Types forbid it (as they forbid its tips): both write markup from strings. The page has pictures to save.
const CONFIG = { displaylogo: false, responsive: true, showTips: false };
const BUTTONS = [["zoomIn2d", "zoomOut2d", "pan2d", "resetScale2d"]];
// A narrower cell of a matrix has no room for its figure, only for its star; hovering and the table tell the figure.
const LEAST_CELL_PX = 38;
const LABELS_PX = 140;
const NEAR = "600px";
// On a page of A4 or Letter: one of two beside each other, and one alone.
const PAPER_PX = 310;
const PAPER_ALONE_PX = 640;

const figures = JSON.parse(document.getElementById("figures").textContent);
const drawn = new Set();

function matrix(trace, widthPx) {
  const hasRoom = (widthPx - LABELS_PX) / trace.x.length >= LEAST_CELL_PX;
  return {
    ...trace,
    colorscale: [
      [0, colour("warn", 0.45)],
      [0.5, colour("card")],
      [1, colour("accent", 0.45)],
    ],
    text: hasRoom ? trace.text : trace.text.map((row) => row.map((words) => (words.endsWith("*") ? "*" : ""))),
    textfont: { color: colour("ink"), size: 11 },
  };
}

function painted(trace, widthPx) {
  if (trace.type === "heatmap") return matrix(trace, widthPx);
  const own = colour(trace.meta.role, trace.meta.strength);
  const edge = trace.type === "bar" ? colour("card") : own;
  const made = { ...trace };
  if (trace.marker) made.marker = { ...trace.marker, color: own, line: { ...trace.marker.line, color: edge } };
  if (trace.line) made.line = { ...trace.line, color: own };
  if (trace.error_x) made.error_x = { ...trace.error_x, color: own };
  return made;
}

function framed(layout) {
  const ink = { color: colour("ink"), family: getComputedStyle(document.body).fontFamily, size: 12 };
  const lines = { gridcolor: colour("line"), zerolinecolor: colour("edge") };
  return {
    ...layout,
    font: ink,
    paper_bgcolor: colour("card"),
    plot_bgcolor: colour("card"),
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("ink-2"), font: ink },
    modebar: { bgcolor: colour("card"), color: colour("ink-2"), activecolor: colour("accent") },
    xaxis: { ...layout.xaxis, ...lines },
    yaxis: { ...layout.yaxis, ...lines },
  };
}

function draw(canvas) {
  const figure = figures[canvas.dataset.figure];
  const zooms = figure.data.some((trace) => trace.error_x);
  const config = zooms ? { ...CONFIG, modeBarButtons: BUTTONS } : { ...CONFIG, displayModeBar: false };
  if (!drawn.has(canvas)) canvas.replaceChildren();
  drawn.add(canvas);
  const layout = sized(figure.layout, canvas.closest(".alone") ? PAPER_ALONE_PX : PAPER_PX);
  const widthPx = layout.width ?? canvas.clientWidth;
  Plotly.react(canvas, figure.data.map((trace) => painted(trace, widthPx)), framed(layout), config);
}

if (window.Plotly) {
  const watching = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue;
        watching.unobserve(target);
        draw(target);
      }
    },
    { rootMargin: NEAR },
  );
  document.querySelectorAll(".canvas[data-figure]").forEach((canvas) => watching.observe(canvas));
  whenThemeChanges(() => drawn.forEach(draw));
  // What was not near the window would be missing on paper.
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll(".canvas[data-figure]").forEach((canvas) => drawn.has(canvas) || draw(canvas));
  });
}
