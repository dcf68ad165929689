"use strict";
(() => {
  const form = document.getElementById("search");
  const count = document.getElementById("count");
  const table = document.getElementById("shelf");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  const ALL = ["tag", "architecture"], ANY = ["scenario", "status", "kind"];
  const texts = new Map(rows.map((row) => [row, row.textContent.replace(/\s+/g, " ").toLowerCase()]));

  // What is asked stands in the link's fragment, so that it can be shared.
  let asked = new URLSearchParams();

  const matches = (row) => {
    const has = (key, value) => row.dataset[key].split("\n").includes(value);
    const words = (asked.get("text") || "").toLowerCase().split(/\s+/).filter(Boolean);
    const since = asked.get("since");
    return words.every((word) => texts.get(row).includes(word))
      && ALL.every((key) => asked.getAll(key).every((value) => has(key, value)))
      && ANY.every((key) => !asked.has(key) || asked.getAll(key).some((value) => has(key, value)))
      && (!since || row.dataset.since >= since);
  };

  const value = (row, at) => row.cells[at].dataset.value;

  const sort = () => {
    const key = heads.some((head) => head.dataset.key === asked.get("sort")) ? asked.get("sort") : "when";
    const at = heads.findIndex((head) => head.dataset.key === key);
    const order = asked.get("order") || (key === "when" ? "descending" : "ascending");
    const sign = order === "descending" ? -1 : 1;
    const numbers = "number" in heads[at].dataset;
    const compare = (a, b) => {
      if (a === b) return 0;
      if (!a || !b) return a ? -1 : 1;  // what has no value comes last, either way
      return sign * (numbers ? a - b : a.localeCompare(b, "en", { numeric: true }));
    };
    heads.forEach((head, index) => {
      if (index === at) head.setAttribute("aria-sort", order);
      else head.removeAttribute("aria-sort");
    });
    body.append(...[...rows].sort((a, b) => compare(value(a, at), value(b, at))));
  };

  const fill = () => {
    for (const control of form.elements) {
      if (!control.name) continue;
      const values = asked.getAll(control.name);
      if (control.tagName === "SELECT") {
        control.querySelector("option[data-several]")?.remove();
        const known = [...control.options].some((option) => option.value === (values[0] ?? ""));
        if (values.length > 1 || !known) {
          const option = new Option(values.join(ALL.includes(control.name) ? " and " : " or "), "\n");
          option.dataset.several = "";
          control.add(option);
          control.value = "\n";
          continue;
        }
      }
      if (control.value !== (values[0] ?? "")) control.value = values[0] ?? "";
    }
  };

  const show = () => {
    let shown = 0;
    for (const row of rows) shown += (row.hidden = !matches(row)) ? 0 : 1;
    const words = shown === rows.length ? `${rows.length} on the shelf` : `${shown} of ${rows.length} shown`;
    if (count.textContent !== words) count.textContent = words;
  };

  const apply = () => { fill(); sort(); show(); };

  const keep = () => {
    const fragment = asked.toString();
    history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname + location.search);
    apply();
  };

  const read = () => {
    if (document.getElementById(location.hash.slice(1))) return;  // a link within the page
    asked = new URLSearchParams(location.hash.slice(1));
    apply();
  };

  form.addEventListener("input", (event) => {
    const { name, value: given } = event.target;
    if (given === "\n") return;
    asked.delete(name);
    if (given) asked.set(name, given);
    keep();
  });
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    asked = new URLSearchParams();
    keep();
    document.getElementById("by-text").focus();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  body.addEventListener("click", (event) => {
    const tag = event.target.closest("a.word");
    if (!tag || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    asked.set("tag", tag.dataset.tag);
    keep();
  });
  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    head.dataset.title = head.textContent;
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      asked.set("sort", head.dataset.key);
      asked.set("order", now === "ascending" ? "descending" : "ascending");
      keep();
    });
  }
  addEventListener("hashchange", read);
  form.hidden = false;
  read();
  document.documentElement.setAttribute("data-ready", "");
})();
