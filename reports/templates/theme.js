"use strict";
// The theme: the system's, until the button says otherwise; remembered as long as the tab lives.
(() => {
  const root = document.documentElement;
  const button = document.querySelector("button.theme");
  const system = matchMedia("(prefers-color-scheme: dark)");

  // A page opened as a file may be refused any storage.
  const remembered = (...given) => {
    try {
      if (given.length) sessionStorage.setItem("theme", given[0]);
      return sessionStorage.getItem("theme");
    } catch {
      return null;
    }
  };

  let chosen = remembered();
  const dark = () => (chosen ? chosen === "dark" : system.matches);
  const show = () => {
    if (chosen) root.style.colorScheme = chosen;
    button.setAttribute("aria-pressed", String(dark()));
    document.dispatchEvent(new Event("recolour"));
  };

  button.addEventListener("click", () => {
    chosen = dark() ? "light" : "dark";
    remembered(chosen);
    show();
  });
  system.addEventListener("change", show);
  button.hidden = false;
  show();
})();
