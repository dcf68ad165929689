"use strict";
// What can be taken away: under every chart its table and CSV, under every table its CSV and a link to it.
(() => {
  const page = document.documentElement.dataset.name || "servebench";
  const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");

  const element = (tag, attributes, ...inner) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...inner);
    return made;
  };

  // RFC 4180. A text that a spreadsheet would run as a formula is kept a text.
  const field = (value) => {
    const text = String(value ?? "");
    const safe = typeof value === "string" && /^[=+@\t\r]|^-(?![\d.])/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const csv = (rows) => rows.map((row) => `${row.map(field).join(",")}\r\n`).join("");

  const save = (key, rows) => {
    const url = URL.createObjectURL(new Blob([csv(rows)], { type: "text/csv;charset=utf-8" }));
    element("a", { href: url, download: `${page}-${key}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  };

  // ---- a chart's points, a row each: its series, where it stands, and what its trace says beside

  const plain = (text) => String(text).replace(/<br\s*\/?>/gi, " ").replace(/<[^>]+>/g, "").trim();
  const exact = (value) => Number(value.toPrecision(12)); // a difference of two floats has noise at its end

  const titled = (layout, trace, which) => {
    const axis = layout[`${which}axis${(trace[`${which}axis`] || which).slice(1)}`];
    const title = axis?.title?.text ?? axis?.title;
    if (title) return plain(title);
    return typeof trace[which]?.[0] === "string" ? "name" : which;
  };

  const ends = (trace) => {
    for (const which of ["y", "x"]) {
      const bars = trace[`error_${which}`];
      if (!bars?.array) continue;
      return (at) => {
        const middle = trace[which][at], up = bars.array[at], down = (bars.arrayminus || bars.array)[at];
        return { low: down == null ? null : exact(middle - down), high: up == null ? null : exact(middle + up) };
      };
    }
    return () => ({});
  };

  const beside = (trace) => {
    const names = trace.meta?.columns;
    if (!names || !trace.customdata) return ends(trace);
    return (at) => Object.fromEntries(names.map((name, place) => [name, [trace.customdata[at]].flat()[place]]));
  };

  const points = (trace, layout, several) => {
    const [x, y] = [titled(layout, trace, "x"), titled(layout, trace, "y")];
    const more = beside(trace);
    const places = [...Array(Math.max(trace.x?.length ?? 0, trace.y?.length ?? 0)).keys()];
    // A stacked bar that is not there is no point; a gap in a curve is one without a value.
    const there = (at) => trace.type !== "bar" || (trace.x?.[at] != null && trace.y?.[at] != null);
    return places.filter(there).map((at) => ({
      ...(several && { series: plain(trace.name ?? "") }),
      ...(trace.x && { [x]: trace.x[at] }),
      ...(trace.y && { [y]: trace.y[at] }),
      ...more(at),
    }));
  };

  // Lines that only guide the eye answer no hover, and are in no table.
  const rowsOf = ({ data, layout }) => {
    const told = data.filter((trace) => trace.hoverinfo !== "skip");
    const several = told.some((trace) => trace.name);
    const rows = told.flatMap((trace) => points(trace, layout, several));
    const heads = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    return [heads, ...rows.map((row) => heads.map((head) => row[head] ?? ""))];
  };

  const tableOf = (title, [heads, ...rows]) => {
    const cell = (value, place) =>
      place ? element("td", {}, String(value)) : element("th", { scope: "row" }, String(value));
    return element("div", { class: "frame tall", role: "group", tabindex: "0", "aria-label": title },
      element("table", {},
        element("caption", {}, title),
        element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
        element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map(cell))))));
  };

  // ---- a table as it stands: a column for what is under a figure, and one for what is beside that

  const shown = (cell) => {
    const under = cell.querySelector("small");
    const own = [...cell.childNodes].filter((node) => node !== under).map((node) => node.textContent);
    const parts = under ? [...under.querySelectorAll("span")] : [];
    const texts = [own.join(" "), (parts[0] ?? under)?.textContent ?? "", parts[1]?.textContent ?? ""];
    return texts.map((text) => text.replace(/\s+/g, " ").trim());
  };

  // A number is written as programs read it: no thousands' commas, a plain minus.
  const bare = (text) => {
    const signed = text.replace("\u2212", "-");
    return /^-?\d{1,3}(,\d{3})*(\.\d+)?$/.test(signed) ? Number(signed.replaceAll(",", "")) : text;
  };

  const rowsIn = (table) => {
    const [head, ...body] = [...table.rows].map((row) => [...row.cells].map(shown));
    const used = head.map((_, at) => [0, 1, 2].map((part) => !part || body.some((row) => row[at]?.[part])));
    const names = head.map(([name, unit]) => [unit ? `${name} (${unit})` : name, `${name}: interval or note`, `${name}: n`]);
    const chosen = (row) => row.flatMap((cell, at) => cell.filter((_, part) => used[at][part]));
    const values = body.map((row) => row.map(([own, under, n]) => [bare(own), under, bare(n.replace(/^n = /, ""))]));
    return [chosen(names), ...values.map(chosen)];
  };

  // ---- the line of tools under each

  const tool = (word, title, act, more = {}) => {
    const button = element("button", { type: "button", "aria-label": `${word} of ${title}`, ...more }, word);
    button.addEventListener("click", () => act(button));
    return button;
  };
  const link = (id, title) => element("a", { class: "here", href: `#${id}`, "aria-label": `Link to ${title}` }, "Link");
  const tools = (...inner) => element("div", { class: "tools" }, ...inner);

  const taken = new Set([...document.querySelectorAll("[id]")].map((one) => one.id));
  const named = (wanted) => {
    let id = wanted;
    for (let more = 2; taken.has(id); more += 1) id = `${wanted}-${more}`;
    taken.add(id);
    return id;
  };

  const ofTable = (frame) => {
    const table = frame.querySelector("table");
    const title = table.caption?.textContent.trim() ?? frame.getAttribute("aria-label");
    frame.id ||= named(`table-${slug(title)}`);
    frame.after(tools(tool("CSV", title, () => save(frame.id, rowsIn(table))), link(frame.id, title)));
  };

  const ofChart = (figure) => {
    const title = figure.querySelector("figcaption").textContent.trim();
    const rows = () => rowsOf(JSON.parse(figure.querySelector("script[type='application/json']").textContent));
    const place = element("div", { class: "told", id: named(`points-${figure.id}`), hidden: "" });
    const unfold = (button) => {
      if (!place.firstChild) place.append(tableOf(title, rows()));
      place.hidden = !place.hidden;
      button.setAttribute("aria-expanded", String(!place.hidden));
    };
    const own = figure.querySelector(".frame"); // a page may know a better table than its points
    figure.querySelector(".chart").after(
      tools(
        ...(own ? [] : [tool("Table", title, unfold, { "aria-expanded": "false", "aria-controls": place.id })]),
        tool("CSV", title, () => save(figure.id, rows())),
        link(figure.id, title),
      ),
      place,
    );
  };

  document.querySelectorAll(".frame").forEach(ofTable);
  document.querySelectorAll("figure[id]:has(.chart)").forEach(ofChart);
})();
