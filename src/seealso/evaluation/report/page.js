"use strict";
const plots = [...document.querySelectorAll(".plot")];
for (const plot of plots) {
  const figure = JSON.parse(document.getElementById(plot.dataset.figure).textContent);
  const options = { displayModeBar: false, displaylogo: false, responsive: true };
  Plotly.newPlot(plot, figure.data, figure.layout, options).then(paint);
}
function paint() {
  const ink = getComputedStyle(document.body).color;
  for (const plot of plots) {
    if (!plot.layout) continue;
    const sure = plot.data.flatMap((one, n) => (one.error_x || one.error_y ? [n] : []));
    if (sure.length) Plotly.restyle(plot, { "error_x.color": ink, "error_y.color": ink }, sure);
    Plotly.relayout(plot, { "font.color": ink, "legend.font.color": ink });
  }
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
