"""How soon a report of a million samples can be used, in a browser, from its file.

Plotly travels inside the page, so all of the time is the browser's own: parsing, unpacking, and
drawing what comes into sight.
"""

import shutil
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter_ns

from playwright.sync_api import Browser, sync_playwright

from tests.selfbench import reading
from tests.selfbench.native import ToolMissingError
from tests.selfbench.rows import Row

SAMPLES, TRIALS = 1_000_000, 20
DRAWN = ".chart[data-drawn]"


def measure(rounds: int) -> list[Row]:
    """A row a window's width: when a button answered, a chart was drawn, and its table stood."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        raise ToolMissingError("chromium is not installed: apt install chromium")
    with tempfile.TemporaryDirectory(prefix="servebench-page-") as folder:
        run = Path(folder) / "run"
        reading.write_run(run, SAMPLES, TRIALS)
        reading.read(run)
        page = run / "report.html"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
            rows = [_window(browser, page, width, rounds) for width in (1300, 390)]
            browser.close()
        return rows


def _window(browser: Browser, page: Path, width: int, rounds: int) -> Row:
    opened = [_open(browser, page, width) for _ in range(rounds)]
    middle = {name: median(one[name] for one in opened) for name in opened[0]}
    fixed = {"width_px": width, "samples": SAMPLES, "page_mb": page.stat().st_size / 1e6}
    return fixed | middle | {"rounds": rounds}


def _open(browser: Browser, path: Path, width: int) -> dict[str, float]:
    """Seconds since the address was given, in a window that has cached nothing."""
    context = browser.new_context(offline=True, viewport={"width": width, "height": 900})
    page = context.new_page()
    start_ns = perf_counter_ns()
    page.goto(path.as_uri(), wait_until="commit")
    times = {}
    page.get_by_role("button", name="Dark").click()
    page.wait_for_selector("button.theme[aria-pressed='true']")
    times["click_answered_s"] = _since(start_ns)
    page.locator(".chart").first.scroll_into_view_if_needed()
    page.wait_for_selector(DRAWN)
    times["first_chart_s"] = _since(start_ns)
    page.locator(f"figure:has({DRAWN})").first.get_by_role("button", name="Table of").click()
    page.wait_for_selector("figure .told table")
    times["table_answered_s"] = _since(start_ns)
    context.close()
    return times


def _since(start_ns: int) -> float:
    return (perf_counter_ns() - start_ns) / 1e9
