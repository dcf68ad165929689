"""The report in a real browser: its numbers, its ways in, and what can be taken from it."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Download, Page

from reports.tables import HEADLINE
from tests.browser.visits import Visit

Made = Callable[[str], Path]
Visiting = Callable[..., Visit]

DARK, LIGHT = "rgb(22, 24, 27)", "rgb(253, 253, 252)"


@pytest.fixture(scope="module")
def report(made: Made) -> Path:
    return made("report")


def number(text: str) -> float:
    plain = text.replace(",", "").replace("\N{MINUS SIGN}", "-")
    return float(plain.removesuffix("%")) / (100 if "%" in plain else 1)


def rounded(text: str, value: float) -> bool:
    """Whether a text is that value to the digits it shows, three at least."""
    digits = re.sub(r"\D", "", text).lstrip("0")
    shown = number(text)
    if value == 0:
        return shown == 0
    step = abs(value) * 10.0 ** -(max(len(digits), 3) - 1)
    return abs(shown - value) <= step


def assert_shown(cell: list[str], estimate: dict[str, Any]) -> None:
    """A table's cell is an estimate: its point, its ends, its n; or it says why there is none."""
    text, *under = cell
    if estimate["point"] is None:
        assert text == "\N{EN DASH}"
        return
    assert rounded(text, estimate["point"]), (cell, estimate)
    if estimate["low"] is None:
        return
    low, high = under[0].split("\N{EN DASH}")
    low += " %" if "%" in high and "%" not in low else ""
    assert rounded(low, estimate["low"]), (cell, estimate)
    assert rounded(high, estimate["high"]), (cell, estimate)
    assert under[1] == f"n = {estimate['n']}"


def asked(cell: dict[str, Any]) -> str:
    """How a caption tells which step a cell is of."""
    if cell["concurrency"] is not None:
        return f"{cell['concurrency']} at once"
    return f"{cell['offered_rps']:.1f} rps" if cell["offered_rps"] < 100 else "220 rps"


def test_its_headline_is_the_summarys(report: Path, visit: Visiting) -> None:
    summary = json.loads((report.parent / "summary.json").read_text())
    page = visit(report).page
    lead = page.locator("p.lead").inner_text().replace("\N{NO-BREAK SPACE}", " ")
    assert lead == summary["answer"][0]["text"]
    compared = 0
    for table in page.locator("#answer table").all():
        caption = table.locator("caption").inner_text()
        rows = table.evaluate(
            "(one) => [...one.tBodies[0].rows].map((row) => [...row.cells].map((cell) =>"
            " cell.innerText.split('\\n').map((line) => line.trim()).filter(Boolean)))"
        )
        for cell in summary["cells"]:
            row = next((row for row in rows if row[0][0] == cell["sut"]), None)
            if row is None or asked(cell) not in caption:
                continue
            for (key, _), shown in zip(HEADLINE, row[1:], strict=False):
                assert_shown(shown, cell["estimates"][key])
                compared += 1
    assert compared == 6 * len(HEADLINE)


def focused(page: Page) -> str:
    found: str = page.evaluate(
        "document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText"
    )
    return found.strip()


def outlined(page: Page) -> bool:
    found: bool = page.evaluate(
        "getComputedStyle(document.activeElement).outlineStyle !== 'none'"
        " && document.activeElement.matches(':focus-visible')"
    )
    return found


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the focus has that name; every stop on the way can be seen."""
    for _ in range(400):
        page.keyboard.press("Tab")
        assert outlined(page), focused(page)
        if focused(page) == name:
            return
    pytest.fail(f"no way to {name!r} by keyboard")


def rows_of(download: Download) -> list[list[str]]:
    with Path(download.path()).open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_the_keyboard_reaches_everything_in_order(report: Path, visit: Visiting) -> None:
    seen = visit(report, accept_downloads=True)
    page = seen.page
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the answer"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    tab_to(page, "Response times")
    page.keyboard.press("Enter")
    figure = page.locator("#response figure, #saturation figure").first
    title = figure.locator("figcaption").inner_text()
    page.locator("#main").focus()
    tab_to(page, f"Table of {title}")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    assert figure.get_by_role("table", name=title).is_visible()
    tab_to(page, f"CSV of {title}")
    with page.expect_download() as taken:
        page.keyboard.press("Enter")
    assert taken.value.suggested_filename.endswith(f"-{figure.get_attribute('id')}.csv")
    head, *rows = rows_of(taken.value)
    shown = figure.locator("tbody tr").count()
    assert len(rows) == shown > 0
    assert len({len(row) for row in [head, *rows]}) == 1
    assert head == figure.locator("thead th").all_inner_texts()


def test_a_charts_csv_is_its_figure(report: Path, visit: Visiting) -> None:
    page = visit(report, accept_downloads=True).page
    figure = page.locator("figure:has(.chart)[id^='sweep-']").first
    own = json.loads(figure.locator("script").text_content() or "")
    with page.expect_download() as taken:
        figure.get_by_role("button", name="CSV of").click()
    head, *rows = rows_of(taken.value)
    traces = [trace for trace in own["data"] if trace.get("hoverinfo") != "skip"]
    points = [(t["name"], x, y) for t in traces for x, y in zip(t["x"], t["y"], strict=True)]
    read = [(row[0], float(row[1]), float(row[2]) if row[2] else None) for row in rows]
    assert read == points
    assert {"low", "high"} <= set(head)


def test_a_tables_csv_is_the_table(report: Path, visit: Visiting) -> None:
    page = visit(report, accept_downloads=True).page
    frame = page.locator("#answer .frame").first
    caption = frame.locator("caption").inner_text()
    with page.expect_download() as taken:
        page.get_by_role("button", name=f"CSV of {caption}", exact=True).first.click()
    assert taken.value.suggested_filename.startswith("simulated-table-")
    head, *rows = rows_of(taken.value)
    assert len(rows) == frame.locator("tbody tr").count()
    at = next(place for place, name in enumerate(head) if name.startswith("Throughput"))
    assert head[at + 1 : at + 3] == ["Throughput: interval or note", "Throughput: n"]
    shown = frame.locator("tbody tr").first.locator("td").nth(1)
    assert float(rows[0][at]) == number(shown.inner_text().splitlines()[0])
    assert rows[0][at + 2] == "3"


def test_a_link_into_what_is_folded_unfolds_it(report: Path, visit: Visiting) -> None:
    page = visit(report).page
    folded = page.locator("details:not([open]) .frame").last.get_attribute("id")
    page.close()
    page = visit(report, f"#{folded}").page
    place = page.locator(f"#{folded}")
    assert place.is_visible()
    assert 0 <= (place.bounding_box() or {"y": -1})["y"] < 1000
    assert page.evaluate("document.activeElement.id") == folded


def test_a_link_to_a_chart_shows_it_drawn(report: Path, visit: Visiting) -> None:
    page = visit(report).page
    key = page.locator(".chart").last.get_attribute("data-figure")
    assert page.locator(".chart").last.get_attribute("data-drawn") is None, "it is far below"
    page.evaluate("(key) => { location.hash = key; }", key)
    page.wait_for_selector(f'.chart[data-drawn][data-figure="{key}"]')
    assert page.locator(f'.chart[data-figure="{key}"]').is_visible()


def test_the_theme_follows_the_system_until_the_button_is_pressed(
    report: Path, visit: Visiting
) -> None:
    seen = visit(report, scheme="dark")
    page, button = seen.page, seen.page.get_by_role("button", name="Dark")
    assert seen.colour() == DARK
    assert button.get_attribute("aria-pressed") == "true"
    page.wait_for_selector(".chart[data-drawn]")
    axis = "() => document.querySelector('.chart[data-drawn] .xtick text').style.fill"
    dark_text = page.evaluate(axis)
    button.press("Enter")
    assert seen.colour() == LIGHT
    page.wait_for_function(f"(was) => ({axis})() !== was", arg=dark_text)
    page.reload()
    page.wait_for_selector("html[data-ready]", state="attached")
    assert seen.colour() == LIGHT, "remembered while the tab lives"
    assert page.get_by_role("button", name="Dark").get_attribute("aria-pressed") == "false"


def test_printing_draws_what_was_never_in_sight(made: Made, visit: Visiting) -> None:
    page = visit(made("gate")).page
    drawn, charts = page.locator(".chart[data-drawn]"), page.locator(".chart")
    assert drawn.count() < charts.count()
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    assert page.locator(".chart svg.main-svg").count() >= charts.count()
    assert page.locator("html.paper").count() == 0, "and the screen is as it was"


def test_the_page_itself_forbids_the_network_and_a_breach_would_be_seen(
    report: Path, visit: Visiting, tmp_path: Path
) -> None:
    breach = '<img src="http://127.0.0.1:9/x.png" alt="">'
    text = report.read_text().replace('<main id="main"', f'{breach}<main id="main"')
    (tmp_path / "breach.html").write_text(text)
    seen = visit(tmp_path / "breach.html")
    assert any("Content Security Policy" in line for line in seen.said)


def test_patterns_stand_in_it_and_labels_stay_text(report: Path, visit: Visiting) -> None:
    page = visit(report).page
    assert page.get_by_role("heading", name="By graph and pattern").count() == 1
    assert page.get_by_text("category of tag").count() > 0
    assert page.locator("main b", has_text=re.compile("^large$")).count() == 0
