"""The web UI while a load is played: a real session, deployed for the picture and ended then."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, expect

from tests.live_sessions import live_session
from tests.pictures.shots import SCHEMES, Missing, Scheme, keep, window

RATE_RPS, DURATION_S = 20, 120
PATIENCE_MS = 120_000
WIDTH = 1440
"""Of the window: Locust's heading wants as much."""


def draw_live(browser: Browser, out: Path, sut: str) -> Iterator[Path | Missing]:
    """Locust's page with a load on a SUT: its charts and our tab of components."""
    with tempfile.TemporaryDirectory(prefix="servebench-pictures-") as folder:
        try:
            with live_session(sut, "--out", folder) as session, _window(browser, "light") as page:
                _start(page, session.url)
                for scheme in SCHEMES:
                    yield from _shots(browser, session.url, scheme, out)
                _stop(page)
        except (AssertionError, Error, OSError) as error:
            why = next(iter(str(error).strip().splitlines()), "it did not start")
            yield Missing("web", f"python -m harness web {sut}: {why}")


def _window(browser: Browser, scheme: Scheme) -> AbstractContextManager[Page]:
    return window(browser, scheme, width=WIDTH, offline=False)


def _start(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_label("Rate (", exact=False).fill(str(RATE_RPS))
    page.get_by_label("Duration (", exact=False).fill(str(DURATION_S))
    page.get_by_role("button", name="Start", exact=False).click()
    page.get_by_role("tab", name="Components").click()
    summed = page.get_by_role("cell", name="all together", exact=True)
    expect(summed).to_be_visible(timeout=PATIENCE_MS)
    page.wait_for_timeout(20_000)  # a graph is worth looking at when it has some length


def _shots(browser: Browser, url: str, scheme: Scheme, out: Path) -> Iterator[Path]:
    with _window(browser, scheme) as page:
        page.goto(url)
        for tab, name in (("Charts", "web"), ("Components", "web-components")):
            page.get_by_role("tab", name=tab).click()
            page.wait_for_timeout(3_000)  # its graphs glide into place
            yield keep(page.screenshot(), out / f"{name}-{scheme}.png")


def _stop(page: Page) -> None:
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("tab", name="Attempts").click()
    answered = page.get_by_role("cell", name=re.compile("rps answered"))
    expect(answered.first).to_be_visible(timeout=PATIENCE_MS)
