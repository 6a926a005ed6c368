// Draws the forest plots in the theme's colours, and again when the theme changes.

const ROLES = ["ink", "ink-2", "line", "card", "accent", "warn"];
// The buttons are named one by one: plotly's own list offers an upload to its cloud, and saving a picture, which
// Trusted Types forbid it (as they forbid its tips): both write markup from strings.
const CONFIG = {
  displaylogo: false,
  responsive: true,
  showTips: false,
  modeBarButtons: [["zoomIn2d", "zoomOut2d", "pan2d", "resetScale2d"]],
};

const figures = JSON.parse(document.getElementById("report-figures").textContent);
const canvases = [...document.querySelectorAll(".canvas[data-axis]")];
const paperSwitch = document.querySelector("[data-paper]");

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

function traces(figure, colours) {
  return figure.data.map((trace) => {
    const isPaper = trace.meta.role === "paper";
    const colour = isPaper ? colours.warn : colours[trace.meta.role];
    const drawn = {
      ...trace,
      visible: !isPaper || paperSwitch.checked,
      marker: { ...trace.marker, color: colour, line: { ...trace.marker.line, color: colour } },
    };
    if (trace.error_x) drawn.error_x = { ...trace.error_x, color: colour };
    return drawn;
  });
}

function layout(figure, colours) {
  const font = { color: colours.ink, family: getComputedStyle(document.body).fontFamily, size: 12 };
  return {
    ...figure.layout,
    font,
    paper_bgcolor: colours.card,
    plot_bgcolor: colours.card,
    hoverlabel: { bgcolor: colours.card, bordercolor: colours["ink-2"], font },
    modebar: { bgcolor: colours.card, color: colours["ink-2"], activecolor: colours.accent },
    xaxis: { ...figure.layout.xaxis, gridcolor: colours.line },
  };
}

function draw() {
  const colours = palette();
  for (const canvas of canvases) {
    const figure = figures[canvas.dataset.axis];
    Plotly.react(canvas, traces(figure, colours), layout(figure, colours), CONFIG);
  }
}

if (window.Plotly) {
  canvases.forEach((canvas) => canvas.replaceChildren());
  draw();
  paperSwitch?.addEventListener("change", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}
