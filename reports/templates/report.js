"use strict";
(() => {
  const root = document.documentElement;
  const property = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  // A figure names its colours by CSS custom property; put in the values of the current scheme.
  const coloured = (value) => {
    if (typeof value === "string") return value.startsWith("--") ? property(value) : value;
    if (Array.isArray(value)) return value.map(coloured);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, coloured(inner)]));
    }
    return value;
  };

  const axis = () => ({
    gridcolor: property("--grid"), linecolor: property("--rule"), zeroline: false,
    automargin: true, ticks: "outside", ticklen: 3, tickcolor: property("--rule"),
  });

  const layout = (own) => {
    const merged = coloured(own);
    for (const name of ["xaxis", "yaxis", "yaxis2"]) {
      if (!own[name] && name === "yaxis2") continue;
      const given = merged[name] || {};
      const title = { ...(given.title || {}), font: { size: 11 }, standoff: 6 };
      merged[name] = { ...axis(), ...given, title };
    }
    return {
      font: { family: getComputedStyle(document.body).fontFamily, size: 11, color: property("--soft") },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 56, r: 16, t: own.showlegend === false ? 16 : 34, b: 44 },
      legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom", traceorder: "normal" },
      hoverlabel: { bgcolor: property("--panel"), bordercolor: property("--rule"), font: { color: property("--ink") } },
      uniformtext: { mode: "hide", minsize: 9 },
      ...merged,
    };
  };

  const config = { displayModeBar: false, responsive: true };

  const draw = (chart) => {
    const own = JSON.parse(document.getElementById(chart.dataset.figure).textContent);
    const traces = coloured(own.data).map((trace) =>
      trace.type === "bar" ? { insidetextfont: { color: property("--part-ink") }, ...trace } : trace);
    return Plotly.react(chart, traces, layout(own.layout), config).then(() => chart.setAttribute("data-drawn", ""));
  };

  const charts = [...document.querySelectorAll(".chart")];
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((found) => found.isIntersecting)) {
      seen.unobserve(entry.target);
      draw(entry.target);
    }
  }, { rootMargin: "600px" });

  // Plotly travels compressed inside the page; nothing is fetched.
  const unpack = async () => {
    const packed = Uint8Array.from(atob(document.getElementById("plotly").textContent), (c) => c.charCodeAt(0));
    const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(plain).text();
    document.head.append(script);
  };

  const drawAll = () => Promise.all(charts.map(draw));
  unpack().then(() => {
    charts.forEach((chart) => seen.observe(chart));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
      charts.filter((chart) => chart.hasAttribute("data-drawn")).forEach(draw));
    addEventListener("beforeprint", drawAll);
    if (location.hash === "#draw-all") drawAll();
  });
})();
