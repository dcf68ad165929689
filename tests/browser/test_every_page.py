"""What holds for every page: drawn whole, offline, legible, reachable, and printed uncut."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.pages import MAKERS
from tests.browser.visits import Visit

Made = Callable[[str], Path]
Visiting = Callable[..., Visit]

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
    "resultTypes": ["violations"],
}

FEW = """for (const [all, kinds, most] of [
  ["tbody", "tr", 3], [".charts", "figure", 2], ["section", "details", 1], ["section", ".frame", 3],
]) {
  for (const whole of document.querySelectorAll(all)) {
    for (const one of [...whole.querySelectorAll(`:scope > ${kinds}`)].slice(most)) one.remove();
  }
}"""
"""Rows, charts and tables of one place are alike, and each costs the rules their time."""

PAPER = """() => {
  const seen = (one) => one.checkVisibility();
  const all = (which) => [...document.querySelectorAll(which)].filter(seen);
  const beyond = (one) => one.getBoundingClientRect().right > 700;
  return {
    folded: document.querySelectorAll("details:not([open])").length,
    undrawn: all(".chart:not(:has(svg.main-svg))").length,
    beyond: all("table, svg.main-svg").filter(beyond).map((one) => one.outerHTML.slice(0, 90)),
    pressed: all("button, nav, summary").length,
    paper: getComputedStyle(document.body).backgroundColor,
  };
}"""

pytestmark = pytest.mark.parametrize("name", list(MAKERS))


def missing(chart: dict[str, Any]) -> list[str]:
    """The traces of a chart that have points and nothing, or not everything, to show for them."""
    found = [] if chart["wide"] > 0 else [f"{chart['key']} has no width"]
    for at, trace in enumerate(chart["traces"]):
        where = f"{chart['key']}, trace {at}: {trace}"
        if trace["type"] in {"violin", "box"}:
            found += [] if chart["shapes"] else [where]
        elif trace["type"] == "bar" or "markers" in trace["mode"]:
            found += [] if trace["marks"] == trace["points"] else [where]
        elif trace["points"] > 1:
            found += [] if trace["lines"] else [where]
    return found


@pytest.mark.parametrize(("width", "scheme"), [(1300, "light"), (390, "dark")])
def test_it_is_drawn_whole_asks_for_nothing_and_axe_has_nothing_to_mend(
    name: str, width: int, scheme: str, made: Made, visit: Visiting
) -> None:
    seen = visit(made(name), width=width, scheme=scheme)
    assert seen.overflow() <= 0
    charts = seen.draw_all()
    drawn = seen.marks()
    assert len(drawn) == charts
    assert [line for chart in drawn for line in missing(chart)] == []
    assert seen.overflow() <= 0
    for button in seen.page.get_by_role("button", name="Table of").all()[:2]:
        button.press("Enter")
    seen.page.evaluate(FEW)
    found = Axe().run(seen.page, context={"exclude": [[".plot-container"]]}, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    assert (seen.said, seen.asked) == ([], [])


def test_everything_has_a_place_of_its_own_and_can_be_taken_away(
    name: str, made: Made, visit: Visiting
) -> None:
    page = visit(made(name)).page
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))
    for part in ("section:has(h2)", "figure:has(.chart)", ".frame"):
        links = page.evaluate(
            """(part) => [...document.querySelectorAll(part)].map((one) =>
                one.id && document.querySelectorAll(`a[href="#${CSS.escape(one.id)}"]`).length)""",
            part,
        )
        assert all(links), part
    bare = page.evaluate(
        """[...document.querySelectorAll("figure:has(.chart)")].filter((one) =>
            !one.querySelector("button[aria-expanded], .frame")
            || ![...one.querySelectorAll("button")].some((tool) => tool.innerText === "CSV"))
            .map((one) => one.id)"""
    )
    assert bare == []


def test_on_paper_nothing_is_folded_or_cut(name: str, made: Made, visit: Visiting) -> None:
    page = visit(made(name), scheme="dark", width=794).page
    page.emulate_media(media="print", color_scheme="dark")
    page.wait_for_selector("html.paper", state="attached")
    found = page.evaluate(PAPER)
    assert found == {
        "folded": 0, "undrawn": 0, "beyond": [], "pressed": 0, "paper": "rgb(253, 253, 252)",
    }  # fmt: skip
    page.emulate_media(media="screen", color_scheme="dark")
    page.wait_for_selector("html:not(.paper)", state="attached")
    assert page.locator("details[open]").count() == 0
