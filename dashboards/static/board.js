// Draws the figures of the board. The numbers travel in a data block beside each figure; the colours of text and
// lines come from the style sheet, so that light, dark and print share one specification.
"use strict";

(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function inked(spec) {
    const styles = getComputedStyle(document.documentElement);
    const ink = styles.getPropertyValue("--ink").trim();
    const line = styles.getPropertyValue("--line").trim();
    const card = styles.getPropertyValue("--card").trim();
    const layout = structuredClone(spec.layout);
    layout.font.color = ink;
    Object.assign(layout.hoverlabel, { bgcolor: card, bordercolor: line });
    layout.hoverlabel.font.color = ink;
    for (const axis of [layout.xaxis, layout.yaxis]) {
      Object.assign(axis, { gridcolor: line, zerolinecolor: line, linecolor: line });
    }
    if (!dark.matches) {
      return { data: spec.data, layout };
    }
    if (layout.coloraxis) {
      layout.coloraxis.colorscale = layout.meta.dark;
    }
    const data = structuredClone(spec.data);
    for (const trace of data.filter((each) => each.meta && each.meta.dark)) {
      trace.marker.color = trace.meta.dark;
    }
    return { data, layout };
  }

  function fail(figure) {
    figure.removeAttribute("aria-busy");
    figure.querySelector(".waiting").textContent = figure.dataset.failed;
    const twin = figure.parentElement.querySelector("details.twin");
    if (twin) {
      twin.open = true;
    }
  }

  async function draw(figure) {
    try {
      const spec = JSON.parse(figure.querySelector("script.figure-spec").textContent);
      const place = document.createElement("div");
      figure.append(place);
      const config = { responsive: true, displaylogo: false, displayModeBar: false };
      await Plotly.newPlot(place, { ...inked(spec), config });
      figure.querySelector(".waiting").remove();
      figure.removeAttribute("aria-busy");
      place.on("plotly_click", (click) => {
        const address = click.points[0].customdata;
        // Only our own pages: a specification must not send anyone elsewhere.
        if (typeof address === "string" && /^\/(?![/\\])/.test(address)) {
          window.location.assign(address);
        }
      });
      dark.addEventListener("change", () => Plotly.react(place, { ...inked(spec), config }));
    } catch (error) {
      console.error(error);
      fail(figure);
    }
  }

  document.querySelectorAll("figure.drawing").forEach(draw);
})();
