"use strict";
// Draws a page's charts: when they come near, in the theme's colours, and anew for paper.
(() => {
  const root = document.documentElement;
  const charts = [...document.querySelectorAll(".chart")];

  // A figure names its colours by CSS custom property. An element in that colour knows its value.
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const known = new Map();
  const colour = (name) => {
    if (!known.has(name)) {
      probe.style.color = `var(${name})`;
      known.set(name, getComputedStyle(probe).color);
    }
    return known.get(name);
  };

  const coloured = (value) => {
    if (typeof value === "string") return value.startsWith("--") ? colour(value) : value;
    if (Array.isArray(value)) return value.map(coloured);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, coloured(inner)]));
    }
    return value;
  };

  const axis = () => ({
    gridcolor: colour("--grid"), linecolor: colour("--rule"), zeroline: false,
    automargin: true, ticks: "outside", ticklen: 3, tickcolor: colour("--rule"),
  });

  const layout = (own) => {
    const merged = coloured(own);
    const axes = Object.keys(own).filter((name) => /^[xy]axis\d*$/.test(name));
    for (const name of new Set(["xaxis", "yaxis", ...axes])) {
      const given = merged[name] || {};
      const title = { ...(given.title || {}), font: { size: 11 }, standoff: 6 };
      merged[name] = { ...axis(), ...given, title };
    }
    return {
      font: { family: getComputedStyle(document.body).fontFamily, size: 11, color: colour("--soft") },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 56, r: 16, t: own.showlegend === false ? 16 : 34, b: 44 },
      legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom", traceorder: "normal" },
      hoverlabel: { bgcolor: colour("--panel"), bordercolor: colour("--rule"), font: { color: colour("--ink") } },
      uniformtext: { mode: "hide", minsize: 9 },
      // A finger that scrolls the page past a chart must not draw a zoom box.
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
      ...merged,
    };
  };

  const config = { displayModeBar: false, responsive: true };

  const draw = (chart, size = {}) => {
    const own = JSON.parse(chart.closest("figure").querySelector("script[type='application/json']").textContent);
    const traces = coloured(own.data).map((trace) =>
      trace.type === "bar" ? { insidetextfont: { color: colour("--part-ink") }, ...trace } : trace);
    return Plotly.react(chart, traces, { ...layout(own.layout), ...size }, config)
      .then(() => chart.setAttribute("data-drawn", ""));
  };

  // One at a time, the page's own work between them, so that a click never waits for all.
  const waiting = new Set();
  let busy = false;
  const work = async () => {
    if (busy) return;
    busy = true;
    for (const chart of waiting) {
      waiting.delete(chart);
      await draw(chart);
      await new Promise((go) => setTimeout(go));
    }
    busy = false;
  };
  const seen = new IntersectionObserver((entries) => {
    for (const { target } of entries.filter((found) => found.isIntersecting)) {
      seen.unobserve(target);
      waiting.add(target);
    }
    work();
  }, { rootMargin: "600px" });

  const drawn = () => charts.filter((chart) => chart.hasAttribute("data-drawn"));
  const recolour = () => {
    known.clear();
    drawn().forEach((chart) => waiting.add(chart));
    work();
  };

  // As wide as the sheet, and all at once: printing does not wait. A figure in a row of small ones has half.
  const paper = ({ detail: sheet }) => {
    known.clear();
    for (const chart of charts) {
      const width = chart.closest(".charts.small") ? sheet / 2 - 5 : sheet;
      draw(chart, { width, height: chart.offsetHeight });
    }
  };

  // Plotly travels compressed inside the page; nothing is fetched. The words are painted before it is read.
  const unpack = async () => {
    await new Promise((go) => requestAnimationFrame(() => setTimeout(go)));
    const text = document.getElementById("plotly").textContent;
    const packed = Uint8Array.fromBase64?.(text) ?? Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(plain).text();
    document.head.append(script);
  };

  (charts.length ? unpack() : Promise.resolve()).then(() => {
    charts.forEach((chart) => seen.observe(chart));
    document.addEventListener("recolour", recolour);
    document.addEventListener("paper", paper);
    document.addEventListener("screen", recolour);
    root.setAttribute("data-ready", "");
  });
})();
