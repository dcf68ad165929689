"use strict";
// Deep links: headings and captions link to themselves; what is linked to is unfolded and shown.
(() => {
  const linked = (heading, id) => {
    if (!id || heading.querySelector("a")) return;
    const link = document.createElement("a");
    link.className = "self";
    link.href = `#${id}`;
    link.append(...heading.childNodes);
    heading.append(link);
  };
  for (const heading of document.querySelectorAll("main h2")) {
    linked(heading, heading.closest("section[id]")?.id || heading.id);
  }
  for (const figure of document.querySelectorAll("figure[id]")) {
    linked(figure.querySelector("figcaption"), figure.id);
  }

  const wanted = () => {
    try {
      return decodeURIComponent(location.hash.slice(1));
    } catch {
      return ""; // a fragment that is none of ours
    }
  };
  const show = () => {
    const target = document.getElementById(wanted());
    if (!target) return;
    for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    if (!target.hasAttribute("tabindex")) target.tabIndex = -1;
    target.focus({ preventScroll: true });
    target.scrollIntoView();
  };
  addEventListener("hashchange", show);
  if (location.hash) show();
})();
