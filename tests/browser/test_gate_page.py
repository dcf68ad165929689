"""A gate's page in a real browser: drawn whole, offline, and with the verdict's own numbers."""

import html
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from reports.gate import phrases
from reports.gate.page import write_gate
from reports.gate.verdict import Row, Verdict
from tests import gate_verdicts
from tests.browser.test_report_page import PROBE, browse, whole

pytestmark = pytest.mark.skipif(
    not (shutil.which("chromium") or shutil.which("chromium-browser")), reason="needs chromium"
)

READ = """<script>
addEventListener("load", () => setTimeout(() => {
  const rows = [...document.querySelectorAll("#found tbody tr")];
  const drawn = [...document.querySelectorAll(".chart")].map((chart) => [
    chart.dataset.figure,
    Object.fromEntries(chart.data.map((trace) => [trace.name, [...trace.y]])),
  ]);
  const seen = {
    rows: rows.map((row) => [...row.children].map((cell) => cell.innerText)),
    drawn: Object.fromEntries(drawn),
    headings: [...document.querySelectorAll("h1, h2")].map((head) => head.innerText),
    unnamed: document.querySelectorAll("table:not(:has(caption)), .chart:not([aria-label])").length,
  };
  const out = document.createElement("pre");
  out.id = "seen";
  out.hidden = true;
  out.textContent = JSON.stringify(seen);
  document.body.append(out);
}, 3500));
</script>"""


def opened(path: Path, verdict: Verdict, profile: Path, width: int, scheme: str) -> tuple[str, int]:
    """The page as it stands when its charts are drawn, and how many there are."""
    write_gate(path, verdict)
    path.write_text(path.read_text().replace("</body>", f"{PROBE}{READ}</body>"))
    settings = f"--blink-settings=preferredColorScheme={('dark', 'light').index(scheme)}"
    url = f"{path.as_uri()}#draw-all"
    dom, console = browse(url, profile, f"--window-size={width},1200", settings)
    return dom, whole(dom, console)


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


def test_it_draws_every_pair_and_shows_the_verdicts_own_numbers(tmp_path: Path) -> None:
    stored = tmp_path / "verdict.json"
    stored.write_text(gate_verdicts.regressed().model_dump_json(indent=1))
    verdict = Verdict.model_validate_json(stored.read_text())
    dom, charts = opened(tmp_path / "page.html", verdict, tmp_path / "profile", 1300, "light")
    drawn = [row for row in verdict.rows if row.estimate is not None]
    assert charts == len(drawn) + 1, "one a metric, and all metrics"

    found = re.search(r'<pre id="seen"[^>]*>(.*?)</pre>', dom, re.DOTALL)
    assert found
    seen = json.loads(html.unescape(found[1]))
    assert seen["unnamed"] == 0
    assert seen["headings"][0].endswith("Regression")

    shown = {cells[0].split("\n")[0]: cells for cells in seen["rows"]}
    for row in json.loads(stored.read_text())["rows"]:
        assert_told(row, shown[row["name"]])
        if row["estimate"] is not None:
            assert_drawn(row, verdict.row(row["key"]), seen["drawn"][f"pairs-{row['key']}"])
    assert set(seen["drawn"]["forest"]) >= {"pass", "regression", "could have seen"}


def test_neither_markup_in_labels_nor_a_narrow_dark_window_breaks_it(tmp_path: Path) -> None:
    verdict = gate_verdicts.hostile()
    dom, charts = opened(tmp_path / "page.html", verdict, tmp_path / "profile", 390, "dark")
    assert charts == len([row for row in verdict.rows if row.estimate is not None]) + 1
    assert "<script>alert(1)" not in dom
    assert phrases.ending(verdict) in html.unescape(dom)
