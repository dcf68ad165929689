"""A page opened offline in a browser, and everything it said and asked for meanwhile."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

DRAW = """async () => {
  for (const box of document.querySelectorAll("details")) box.open = true;
  const frame = () => new Promise((go) => requestAnimationFrame(() => setTimeout(go)));
  for (const chart of document.querySelectorAll(".chart")) {
    chart.scrollIntoView({ block: "center" });
    await frame();
  }
}"""
UNDRAWN = "() => document.querySelectorAll('.chart:not([data-drawn])').length === 0"

MARKS = """() => [...document.querySelectorAll(".chart")].map((chart) => {
  const finite = (trace) => {
    const [x, y] = [trace.x, trace.y].map((one) => one && [...one]);
    const there = (value) => value != null && (trace.type !== "bar" || value !== 0);
    return (x ?? y).filter((_, at) => [x, y].every((one) => !one || there(one[at]))).length;
  };
  const paths = (place, inner) => [...chart.querySelectorAll(`${place} .trace`)].flatMap((one) =>
    [...one.querySelectorAll(inner)].map((path) => [one.__data__[0].trace.index, path]));
  const area = ([, path]) => { const box = path.getBBox(); return box.width * box.height > 0; };
  const sized = ([, path]) => { const box = path.getBBox(); return box.width + box.height > 0; };
  const found = [
    ...paths(".scatterlayer", ".points path").filter(sized),
    ...paths(".barlayer", ".point path").filter(area),
  ];
  const lines = paths(".scatterlayer", ".lines path.js-line, .fills path").filter(sized);
  const shapes = [...chart.querySelectorAll(".violinlayer path, .boxlayer path")];
  return {
    key: chart.dataset.figure,
    wide: chart.querySelector("svg.main-svg").getBoundingClientRect().width,
    shapes: shapes.filter((path) => sized([0, path])).length,
    traces: chart.data.map((trace, at) => ({
      type: trace.type,
      mode: trace.mode ?? "",
      points: finite(trace),
      marks: found.filter(([index]) => index === at).length,
      lines: lines.filter(([index]) => index === at).length,
    })),
  };
})"""


@dataclass(frozen=True)
class Visit:
    """One page in one window.

    Attributes:
        said: what the console and uncaught errors told.
        asked: addresses asked for, the page's own left out.
    """

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def draw_all(self) -> int:
        """Unfold everything, pass every chart until it is drawn; how many there are."""
        self.page.evaluate(DRAW)
        self.page.wait_for_function(UNDRAWN)
        return int(self.page.locator(".chart").count())

    def marks(self) -> list[dict[str, Any]]:
        """Of every drawn chart each trace's points, and the marks and lines of some size for it."""
        found: list[dict[str, Any]] = self.page.evaluate(MARKS)
        return found

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        found: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return found

    def colour(self, name: str = "--paper") -> str:
        """What a custom property comes to, as ``rgb(...)``."""
        found: str = self.page.evaluate(
            """(name) => {
              const one = document.createElement("i");
              one.style.color = `var(${name})`;
              document.body.append(one);
              const found = getComputedStyle(one).color;
              one.remove();
              return found;
            }""",
            name,
        )
        return found


class Visits:
    """Every window a test opened."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []

    def open(
        self,
        path: Path,
        fragment: str = "",
        *,
        scheme: str = "light",
        width: int = 1300,
        height: int = 1000,
        **more: Any,
    ) -> Visit:
        """Open a file in a window of its own, without a network; return when its script stands."""
        context = self._browser.new_context(
            offline=True,
            color_scheme=scheme,  # type: ignore[arg-type]
            viewport={"width": width, "height": height},
            **more,
        )
        self._contexts.append(context)
        visit = Visit(context.new_page())
        own = path.as_uri()

        def hear(message: ConsoleMessage) -> None:
            visit.said.append(message.text)

        def ask(request: Request) -> None:
            if request.url.partition("#")[0] != own and not request.url.startswith("data:"):
                visit.asked.append(request.url)

        visit.page.on("console", hear)
        visit.page.on("pageerror", lambda error: visit.said.append(str(error)))
        visit.page.on("request", ask)
        visit.page.goto(own + fragment)
        visit.page.wait_for_selector("html[data-ready]", state="attached")
        return visit

    def close(self) -> None:
        """Close them all."""
        for context in self._contexts:
            context.close()
