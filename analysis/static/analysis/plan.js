// Draws the power curve in the theme's colours, and again when the theme changes.

import { colour, sized, whenThemeChanges } from "./theme.js";

// No buttons: some of plotly's write markup from strings, which Trusted Types forbid, and one leads away.
const CONFIG = { displayModeBar: false, responsive: true, showTips: false };

// A page of A4 or Letter holds it.
const PAPER_PX = 640;

const canvas = document.querySelector(".canvas[data-figure]");
const figure = JSON.parse(document.getElementById(canvas.dataset.figure).textContent);

function painted(trace) {
  const color = colour(trace.meta.role);
  return { ...trace, line: { ...trace.line, color }, marker: { ...trace.marker, color } };
}

function framed(layout) {
  const font = { color: colour("ink"), family: getComputedStyle(document.body).fontFamily, size: 12 };
  const axis = (each) => ({ ...each, gridcolor: colour("line"), linecolor: colour("line"), fixedrange: true });
  return {
    ...layout,
    font,
    paper_bgcolor: colour("card"),
    plot_bgcolor: colour("card"),
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("ink-2"), font },
    xaxis: axis(layout.xaxis),
    yaxis: axis(layout.yaxis),
  };
}

function draw() {
  Plotly.react(canvas, figure.data.map(painted), framed(sized(figure.layout, PAPER_PX)), CONFIG);
}

if (window.Plotly) {
  canvas.replaceChildren();
  draw();
  whenThemeChanges(draw);
}
