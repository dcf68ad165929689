"""A gate's page in a real browser: the verdict's own numbers, in words, tables and marks."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reports.gate import phrases
from reports.gate.verdict import Row
from tests import gate_verdicts
from tests.browser.visits import Visit

Made = Callable[[str], Path]
Visiting = Callable[..., Visit]

ROWS = """[...document.querySelectorAll("#found tbody tr")]
  .map((row) => [...row.children].map((cell) => cell.innerText))"""
DRAWN = """Object.fromEntries([...document.querySelectorAll(".chart")].map((chart) => [
  chart.dataset.figure,
  Object.fromEntries(chart.data.map((trace) => [trace.name, [...trace.y]])),
]))"""


def assert_told(row: dict[str, Any], cells: list[str]) -> None:
    """The table's line says what the file does."""
    assert row["estimate"] is None or row["word"] in cells[5]
    if row["estimate"] is None:
        assert cells[2] == "\N{EN DASH}"
        return
    none, digits, unit = (1, 1, " %") if row["kind"] == "ratio" else (0, 2, " pp")
    by = cells[2].split("\n")[0].replace("\N{MINUS SIGN}", "-")
    assert by.endswith(unit)
    change = (row["estimate"] - none) * 100
    assert float(by.removesuffix(unit)) == pytest.approx(change, abs=0.51 * 10**-digits)


def assert_drawn(row: dict[str, Any], judged: Row, lines: dict[str, list[float]]) -> None:
    """Every counted pair has its mark, and the estimate is where it belongs."""
    marks = sorted(lines["baseline first"] + lines["candidate first"])
    changes = (phrases.oriented(judged, pair) for pair in judged.pairs)
    assert len(marks) == row["n"]
    assert marks == pytest.approx(sorted(c for c in changes if c is not None), rel=1e-3, abs=1e-6)
    assert lines["estimate, bounds"] == pytest.approx([row["estimate"]], rel=1e-3, abs=1e-6)
    assert len(lines["redone"]) == 1


def test_it_shows_the_verdicts_own_numbers(made: Made, visit: Visiting) -> None:
    verdict = gate_verdicts.regressed()
    seen = visit(made("gate"))
    assert seen.page.locator("h1").inner_text().endswith("Regression")
    charts = seen.draw_all()
    rows, drawn = seen.page.evaluate(ROWS), seen.page.evaluate(DRAWN)
    assert charts == len([row for row in verdict.rows if row.estimate is not None]) + 1
    shown = {cells[0].split("\n")[0]: cells for cells in rows}
    for row in json.loads(verdict.model_dump_json())["rows"]:
        assert_told(row, shown[row["name"]])
        if row["estimate"] is not None:
            assert_drawn(row, verdict.row(row["key"]), drawn[f"pairs-{row['key']}"])
    assert set(drawn["forest"]) >= {"pass", "regression", "could have seen"}


def test_markup_in_labels_stays_text(made: Made, visit: Visiting) -> None:
    verdict = gate_verdicts.hostile()
    page = visit(made("hostile_gate")).page
    assert phrases.ending(verdict) in page.locator("#codes").inner_text()
    assert page.get_by_text("<script>alert(1)</script>").count() > 0
    assert page.locator("main script:not([type])").count() == 0
