"""The pages that lie on a shelf of runs, as a person sees them first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.pictures.shots import SCHEMES, Missing, keep, window

CHARTS = ("#saturation .charts", "#response .charts", "#answer .charts", ".charts")


@dataclass(frozen=True)
class Picture:
    """One row of what is drawn.

    Attributes:
        made_by: the command that makes its page.
        shoot: the part that is drawn; None where the page has no such part.
    """

    name: str
    page: Callable[[Path], Path | None]
    made_by: str
    shoot: Callable[[Page], bytes | None]


def _first_screen(page: Page) -> bytes:
    page.wait_for_function(DRAWN)
    return page.screenshot()


def _charts(page: Page) -> bytes | None:
    """The first charts that show how SUTs carry load."""
    found = next((one for one in CHARTS if page.locator(one).count()), None)
    if found is None:
        return None
    charts = page.locator(found).first
    charts.scroll_into_view_if_needed()
    page.wait_for_function(DRAWN)
    return charts.screenshot()


DRAWN = """() => [...document.querySelectorAll(".chart")].every((chart) => {
  const box = chart.getBoundingClientRect();
  return box.bottom < 0 || box.top > innerHeight || !chart.checkVisibility()
    || chart.hasAttribute("data-drawn");
})"""
"""Whether every chart in sight is drawn."""


def _newest(name: str) -> Callable[[Path], Path | None]:
    def find(run: Path) -> Path | None:
        pages = run.parent.glob(f"**/{name}")
        return max(pages, key=lambda path: path.stat().st_mtime, default=None)

    return find


PICTURES = (
    Picture("report", lambda run: run / "report.html", "python -m reports RUN", _first_screen),
    Picture("charts", lambda run: run / "report.html", "python -m reports RUN", _charts),
    Picture("claims", _newest("claims.html"), "python -m reports claims", _first_screen),
    Picture("compare", _newest("compared.html"), "python -m reports compare A B", _first_screen),
    Picture(
        "index", lambda run: run.parent / "index.html", "python -m reports index", _first_screen
    ),
)


def draw_pages(browser: Browser, run: Path, out: Path) -> Iterator[Path | Missing]:
    """Every picture of a page, light and dark; the missing ones with what makes them."""
    for picture in PICTURES:
        page = picture.page(run)
        if page is None or not page.exists():
            where = page or f"nothing of it under {run.parent}"
            yield Missing(picture.name, f"{where} is not there; make it by: {picture.made_by}")
            continue
        yield from _both(browser, picture, page, out)


def _both(browser: Browser, picture: Picture, path: Path, out: Path) -> Iterator[Path | Missing]:
    for scheme in SCHEMES:
        with window(browser, scheme) as page:
            page.goto(path.as_uri())
            page.wait_for_selector("html[data-ready]", state="attached")
            shot = picture.shoot(page)
        if shot is None:
            yield Missing(f"{picture.name}-{scheme}", f"{path} has no chart")
        else:
            yield keep(shot, out / f"{picture.name}-{scheme}.png")
