"""From the command line to a report, as a person goes: form, Start, tabs, Stop, Ctrl-C, page."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.live_sessions import ROOT, WITHOUT_TORCH, LiveSession, live_session

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE_MS = 60_000

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="needs chromium"),
    pytest.mark.skipif(
        len(os.sched_getaffinity(0)) < 2, reason="the SUT and the generator need a core each"
    ),
]


def explore(page: Page, session: LiveSession) -> None:
    """One attempt of a minute, looked at from every tab of ours, and stopped."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(session.url)
    page.get_by_label("Rate (", exact=False).fill("80")
    page.get_by_label("Duration (", exact=False).fill("60")
    page.get_by_role("button", name="Start", exact=False).click()
    session.says(r"(attempt 1: poisson 80 rps for 62 s)")
    for tab, seen in (
        ("Components", "all together"),
        ("Generator", "Requests dropped"),
        ("Objective", "kept"),
    ):
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_role("cell", name=seen, exact=True)).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("tab", name="Attempts").click()
    answered = page.get_by_role("cell", name=re.compile("rps answered"))
    expect(answered).to_be_visible(timeout=PATIENCE_MS)
    assert not errors


def test_a_person_explores_and_opens_the_report(tmp_path: Path) -> None:
    told = tmp_path / "told"
    given = ("--out", str(tmp_path / "runs"), "--tell", str(told), "--slo-ms", "1000")
    with live_session("monolith", *WITHOUT_TORCH, *given) as session, sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        explore(browser.new_page(), session)
        browser.close()
        session.says(r"(attempt 1: \S+ rps answered)")
        assert session.end() == 0
    run = Path(told.read_text())
    reports = [sys.executable, "-m", "reports", str(run)]
    made = subprocess.run(reports, capture_output=True, text=True, check=True, cwd=ROOT)
    page = run / "report.html"
    assert str(page) in made.stdout
    assert "poisson 80 rps" in page.read_text()
