"""The shelf in a real browser: searched by typing, by link and by keyboard, or without script."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from reports.shelf.page import write_index
from reports.shelf.read import INDEX, read_shelf
from tests.browser.visits import Visit
from tests.shelf_runs import put

Visiting = Callable[..., Visit]
ANSWER = "monolith:default carries 24 rps, ray_serve:tuned 19 rps."
EVIL = "<img src=x onerror=document.title='caught'>"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("runs")
    for number in range(60):
        tags = (("nightly",) if number % 2 else ()) + (("idea",) if number % 10 == 0 else ())
        suts = ("monolith:default", "ray_serve:tuned") if number % 3 else ("null_service:floor",)
        put(runs, number, tags=tags, suts=suts, trials=2 + number % 3 % 2, doubted=number % 4 % 3,
            answer=ANSWER if number % 5 else "", name=("quick", "sweep")[number % 2])  # fmt: skip
    put(runs, 100, name="hostile", answer=EVIL, tags=(EVIL,), suts=(f"{EVIL}:x",),
        status="interrupted")  # fmt: skip
    (runs / "20270101-000000-broken").mkdir()
    (runs / "20270101-000000-broken/run.json").write_text("{")
    return write_index(runs / INDEX, runs, read_shelf(runs))


def shown(page: Page) -> int:
    return page.locator("#shelf tbody tr:not([hidden])").count()


def column(page: Page, at: int) -> list[str]:
    found: list[str] = page.evaluate(
        """(at) => [...document.querySelectorAll("#shelf tbody tr:not([hidden])")]
             .map((row) => row.cells[at].dataset.value)""",
        at,
    )
    return found


def said(page: Page) -> str:
    return str(page.get_by_role("status").inner_text())


def test_typing_and_choosing_filter_and_say_how_many(shelf: Path, visit: Visiting) -> None:
    seen = visit(shelf)
    page = seen.page
    assert (shown(page), said(page)) == (62, "62 on the shelf")
    page.get_by_label("Text").fill("CARRIES sweep")
    assert said(page) == "24 of 62 shown"
    page.get_by_label("Tag").select_option("nightly")
    page.get_by_label("Architecture").select_option("ray_serve:tuned")
    assert said(page) == f"{shown(page)} of 62 shown"
    assert 0 < shown(page) < 24
    fragment = page.evaluate("location.hash")
    assert fragment == "#text=CARRIES+sweep&tag=nightly&architecture=ray_serve%3Atuned"
    page.get_by_role("button", name="Clear").click()
    assert (shown(page), page.evaluate("location.hash")) == (62, "")
    assert page.get_by_label("Text").input_value() == ""
    page.get_by_label("Status").select_option("unreadable")
    expect(page.locator("#shelf tbody tr:not([hidden])")).to_contain_text("damaged or edited")
    assert (seen.said, seen.asked) == ([], [])


def test_a_link_asks_what_it_says(shelf: Path, visit: Visiting) -> None:
    page = visit(shelf, "#tag=nightly&architecture=monolith").page
    assert said(page) == "20 of 62 shown"
    assert page.get_by_label("Tag").input_value() == "nightly"
    assert page.get_by_label("Architecture").input_value() == "monolith"
    both = visit(shelf, "#tag=nightly&tag=idea&scenario=quick&scenario=sweep&since=2026-11-02").page
    assert said(both) == "0 of 62 shown"
    assert both.locator("#by-tag option:checked").inner_text() == "nightly and idea"
    assert both.locator("#by-scenario option:checked").inner_text() == "quick or sweep"
    either = visit(shelf, "#scenario=quick&scenario=sweep").page
    assert said(either) == "60 of 62 shown"
    either.evaluate("location.hash = '#tag=idea'")
    expect(either.get_by_role("status")).to_have_text("6 of 62 shown")


def test_a_tag_in_a_row_is_a_search(shelf: Path, visit: Visiting) -> None:
    page = visit(shelf).page
    page.get_by_role("link", name="idea").first.click()
    assert said(page) == "6 of 62 shown"
    assert page.evaluate("location.hash") == "#tag=idea"


def test_columns_sort_by_keyboard_and_say_so(shelf: Path, visit: Visiting) -> None:
    page = visit(shelf).page
    when = page.get_by_role("columnheader", name="When")
    assert when.get_attribute("aria-sort") == "descending"
    newest = column(page, 1)
    assert newest == sorted(newest, reverse=True)
    when.get_by_role("button").press("Enter")
    assert when.get_attribute("aria-sort") == "ascending"
    assert column(page, 1) == sorted(newest)
    trusted = page.get_by_role("columnheader", name="Trusted")
    trusted.get_by_role("button").focus()
    page.keyboard.press("Space")
    assert (trusted.get_attribute("aria-sort"), when.get_attribute("aria-sort")) == (
        "ascending",
        None,
    )
    values = column(page, 3)
    known = [float(value) for value in values if value]
    assert known == sorted(known)
    assert known[0] < known[-1]
    assert values[-1] == ""  # what has no value comes last, either way
    page.keyboard.press("Space")
    values = column(page, 3)
    assert [float(value) for value in values if value] == sorted(known, reverse=True)
    assert values[-1] == ""
    again = visit(shelf, page.evaluate("location.hash")).page
    assert column(again, 3) == values


def test_names_are_text_and_run_nothing(shelf: Path, visit: Visiting) -> None:
    seen = visit(shelf, "#text=onerror")
    assert shown(seen.page) == 1
    assert seen.page.title() == "Runs · servebench"
    assert seen.page.locator("main img").count() == 0
    seen.page.get_by_role("link", name=EVIL).click()
    assert said(seen.page) == "1 of 62 shown"
    assert (seen.said, seen.asked) == ([], [])


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (390, "dark")])
def test_wide_and_narrow_nothing_is_cut_off(
    shelf: Path, visit: Visiting, width: int, scheme: str
) -> None:
    seen = visit(shelf, width=width, scheme=scheme)
    assert seen.overflow() <= 0
    laid = seen.page.evaluate(
        """() => [...new Set([...document.querySelectorAll("#shelf td")]
             .map((one) => getComputedStyle(one).display))].sort()"""
    )
    assert laid == (["block", "none"] if width < 800 else ["table-cell"])
    paper = seen.colour()
    assert (paper == "rgb(22, 24, 27)") == (scheme == "dark")
    wide: list[Any] = seen.page.evaluate(
        """() => [...document.querySelectorAll("#shelf, #search *")]
             .filter((one) => one.getBoundingClientRect().right > innerWidth)
             .map((one) => one.outerHTML.slice(0, 80))"""
    )
    assert wide == []


def test_without_script_it_is_a_table_of_links(shelf: Path, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False, offline=True)
    try:
        page = context.new_page()
        page.goto(shelf.as_uri())
        assert not page.get_by_role("search").is_visible()
        assert page.locator("#shelf tbody tr").count() == 62
        link = page.get_by_role("link", name="sweep").first
        link.click()
        assert page.url.endswith("-sweep/report.html")
        expect(page.locator("body")).to_have_text("a page")
    finally:
        context.close()
