// Draws the power curve in the theme's colours, and again when the theme changes.

const ROLES = ["ink", "ink-2", "line", "card", "accent", "warn"];
// No buttons: some of plotly's write markup from strings, which Trusted Types forbid, and one leads away.
const CONFIG = { displayModeBar: false, responsive: true, showTips: false };

const canvas = document.querySelector(".canvas[data-figure]");
const figure = JSON.parse(document.getElementById(canvas.dataset.figure).textContent);

// Tokens are written in ways that plotly cannot read (light-dark(), oklch()): the browser paints one pixel of each.
function palette() {
  const probe = document.body.appendChild(document.createElement("span"));
  const brush = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const colours = {};
  for (const role of ROLES) {
    probe.style.color = `var(--${role})`;
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = getComputedStyle(probe).color;
    brush.fillRect(0, 0, 1, 1);
    const [red, green, blue] = brush.getImageData(0, 0, 1, 1).data;
    colours[role] = `rgb(${red}, ${green}, ${blue})`;
  }
  probe.remove();
  return colours;
}

function traces(colours) {
  return figure.data.map((trace) => {
    const color = colours[trace.meta.role];
    return { ...trace, line: { ...trace.line, color }, marker: { ...trace.marker, color } };
  });
}

function layout(colours) {
  const font = { color: colours.ink, family: getComputedStyle(document.body).fontFamily, size: 12 };
  const axis = (each) => ({ ...each, gridcolor: colours.line, linecolor: colours.line, fixedrange: true });
  return {
    ...figure.layout,
    font,
    paper_bgcolor: colours.card,
    plot_bgcolor: colours.card,
    hoverlabel: { bgcolor: colours.card, bordercolor: colours["ink-2"], font },
    xaxis: axis(figure.layout.xaxis),
    yaxis: axis(figure.layout.yaxis),
  };
}

function draw() {
  const colours = palette();
  Plotly.react(canvas, traces(colours), layout(colours), CONFIG);
}

if (window.Plotly) {
  canvas.replaceChildren();
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}
