"use strict";
// Paper: everything unfolded, no table wider than the sheet; who draws is told the width in pixels.
(() => {
  const SHEET_PX = 680; // A4 and Letter, upright, with the margins of print.css
  const root = document.documentElement;
  const tables = () => document.querySelectorAll(".frame > table");
  let unfolded = null;

  const prepare = () => {
    if (unfolded) return;
    unfolded = [...document.querySelectorAll("details:not([open])")];
    unfolded.forEach((box) => { box.open = true; });
    root.classList.add("paper");
    document.dispatchEvent(new CustomEvent("paper", { detail: SHEET_PX }));
    for (const table of tables()) table.style.zoom = Math.min(1, SHEET_PX / table.scrollWidth);
  };
  const restore = () => {
    if (!unfolded) return;
    unfolded.forEach((box) => { box.open = false; });
    unfolded = null;
    root.classList.remove("paper");
    for (const table of tables()) table.style.zoom = "";
    document.dispatchEvent(new Event("screen"));
  };

  addEventListener("beforeprint", prepare);
  addEventListener("afterprint", restore);
  matchMedia("print").addEventListener("change", ({ matches }) => (matches ? prepare() : restore()));
})();
