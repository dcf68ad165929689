"""Locust's page in a real browser: our fields in sight, Start plays, our tab fills, Stop ends."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from architectures.contract import graph_path
from tests.waiting import until
from tests.web_sessions import Service, WebSession, service, web_session
from workloads.panels import Panel, write_panels
from workloads.plan import read_plan

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs chromium")


def fill_in_and_start(page: Page) -> None:
    page.get_by_label("Rate (", exact=False).fill("80")
    page.get_by_label("Duration (", exact=False).fill("60")
    page.get_by_label("Graph (", exact=False).select_option("names")
    page.get_by_role("button", name="Start", exact=False).click()


def play(page: Page, session: WebSession, sut: Service, panels: Path) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"http://{session.host}/")
    expect(page.get_by_label("Number of users", exact=False)).to_be_disabled()
    fill_in_and_start(page)
    expect(page.get_by_role("cell", name=graph_path("names"))).to_be_visible(timeout=20_000)
    until(lambda: len(sut.asked) > 20)
    page.get_by_role("tab", name="Generator").click()
    row = {"lag_ms": 0.25, "dropped": 4321}
    write_panels(
        panels, (Panel("health", "Generator", {"lag_ms": "lag", "dropped": "gone"}, (row,)),)
    )
    expect(page.get_by_role("cell", name="4321")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="New")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="New").click()
    expect(page.get_by_label("Rate (", exact=False)).to_have_value("80")
    page.get_by_label("Mix (", exact=False).fill("horse=1")
    page.get_by_role("button", name="Start", exact=False).click()
    expect(page.get_by_text("no payload is labelled 'horse'")).to_be_visible(timeout=20_000)
    assert not errors


def test_a_person_starts_watches_and_stops(tmp_path: Path) -> None:
    panels = tmp_path / "panels.json"
    write_panels(panels, (Panel("health", "Generator", {"lag_ms": "lag", "dropped": "gone"}),))
    with (
        service() as sut,
        web_session(
            tmp_path, sut.url, out=tmp_path / "out", panels=panels, graphs="tag,names"
        ) as session,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        play(browser.new_page(), session, sut, panels)
        browser.close()
        session.await_word("done")
        folder = Path(session.await_word("attempt").partition(" ")[2])
        header = read_plan(folder / "plan.parquet").header
        assert (header.rate_rps, header.steady_s, header.graphs) == (80, 60, ("names",))
        assert session.await_word("ending") == "stopped in the page"
