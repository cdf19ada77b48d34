// Draws the map with plotly.js, which is loaded when the map is first opened.

const GROUPS = {
  items: { name: "items", symbol: "circle", size: 4, color: "--faint", opacity: 0.55 },
  tail: { name: "long tail", symbol: "circle-open", size: 5, color: "--muted", opacity: 0.7 },
  cold: { name: "cold", symbol: "x-thin-open", size: 6, color: "--ink", opacity: 0.8 },
  around: {
    name: "in the circle",
    symbol: "circle-open",
    size: 9,
    color: "--accent",
    opacity: 0.8,
  },
  list: { name: "list", symbol: "circle", size: 13, color: "--accent", opacity: 1 },
  user: { name: "user", symbol: "star-diamond", size: 18, color: "--ink", opacity: 1 },
};

const CONFIG = {
  responsive: true,
  displaylogo: false,
  scrollZoom: true,
  modeBarButtonsToRemove: ["toImage", "autoScale2d"],
};

let loading = null;

/** Load plotly.js once. */
function loadPlotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("plotly.js", import.meta.url).href;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      loading = null;
      reject(new Error("plotly.js cannot be loaded: there is no map."));
    };
    document.head.append(script);
  });
  return loading;
}

/**
 * Return a map without items yet.
 * @param {HTMLElement} node
 * @param {{lasso: (ids: string[]) => void, signal: AbortSignal}} of
 */
export function drawMap(node, { lasso, signal }) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const traces = Object.fromEntries(
    Object.keys(GROUPS).map((name) => [name, { points: [], titleOf: () => "" }]),
  );
  const ready = loadPlotly();
  ready.catch(() => {});
  let bound = false;

  async function draw() {
    const plotly = await ready;
    if (signal.aborted) return;
    await plotly.react(node, Object.entries(traces).map(traceOf), layout(), CONFIG);
    if (bound) return;
    bound = true;
    node.on("plotly_selected", (event) => {
      // plotly tells of an end of a selection, too
      if (event?.points)
        lasso([...new Set(event.points.map((one) => one.customdata).filter(Boolean))]);
    });
  }

  dark.addEventListener("change", () => bound && draw(), { signal });
  signal.addEventListener("abort", () => window.Plotly?.purge(node));

  return {
    ready,
    items(points, titleOf) {
      traces.items = { points: points.filter((one) => !one.tail && !one.cold), titleOf };
      traces.tail = { points: points.filter((one) => one.tail && !one.cold), titleOf };
      traces.cold = { points: points.filter((one) => one.cold), titleOf };
    },
    circle(points) {
      traces.around = { points, titleOf: () => "" };
      if (traces.items.points.length + traces.tail.points.length) draw();
    },
    list({ items, user, order }, titleOf) {
      const placed = (item) => `${order.indexOf(item.item_id) + 1}. ${titleOf(item)}`;
      traces.list = {
        points: items,
        titleOf: placed,
        label: (item) => order.indexOf(item.item_id) + 1,
      };
      traces.user = { points: user ? [user] : [], titleOf: () => "the user" };
      draw();
    },
  };
}

function traceOf([name, { points, titleOf, label }]) {
  const { name: title, symbol, size, color, opacity } = GROUPS[name];
  return {
    type: "scatter",
    mode: label ? "markers+text" : "markers",
    name: title,
    x: points.map((one) => one.x),
    y: points.map((one) => one.y),
    customdata: points.map((one) => one.item_id ?? null),
    hovertext: points.map((one) => escapeMarkup(titleOf(one))),
    hoverinfo: name === "around" ? "skip" : "text",
    text: label ? points.map((one) => String(label(one))) : undefined,
    textfont: { color: css("--on-accent"), size: 9 },
    marker: { symbol, size, color: css(color), opacity, line: { width: 1, color: css(color) } },
    // what is not selected stays as it is: the list says what is
    unselected: { marker: { opacity } },
    showlegend: points.length > 0,
  };
}

function layout() {
  const axis = { visible: false, zeroline: false };
  return {
    autosize: true,
    dragmode: "lasso",
    hovermode: "closest",
    margin: { l: 0, r: 0, t: 0, b: 0 },
    paper_bgcolor: "transparent",
    plot_bgcolor: "transparent",
    font: { family: css("--sans"), color: css("--ink"), size: 12 },
    legend: { orientation: "h", y: 0, x: 0, bgcolor: "transparent" },
    hoverlabel: {
      bgcolor: css("--raised"),
      bordercolor: css("--line"),
      font: { color: css("--ink") },
    },
    modebar: { bgcolor: "transparent", color: css("--muted"), activecolor: css("--accent") },
    newselection: { line: { color: css("--accent"), width: 1, dash: "dot" } },
    xaxis: axis,
    yaxis: { ...axis, scaleanchor: "x" },
    uirevision: "map",
  };
}

/** plotly reads a few tags in texts: titles are text, and not one of them is a tag. */
const escapeMarkup = (text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Return the colour of a variable as the browser computes it; plotly knows no light-dark(). */
function css(name) {
  if (name === "--sans") return getComputedStyle(document.body).fontFamily;
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
