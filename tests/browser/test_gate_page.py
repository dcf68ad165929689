"""A gate's page in a real browser: drawn whole, offline, and with the verdict's own numbers."""

import html
import json
import re
import shutil
from pathlib import Path

import pytest

from reports.gate import phrases
from reports.gate.page import write_gate
from reports.gate.verdict import Verdict
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


def test_it_draws_every_pair_and_shows_the_verdicts_own_numbers(tmp_path: Path) -> None:
    stored = tmp_path / "verdict.json"
    stored.write_text(gate_verdicts.regressed().model_dump_json(indent=1))
    verdict = Verdict.model_validate_json(stored.read_text())
    dom, charts = opened(tmp_path / "page.html", verdict, tmp_path / "profile", 1300, "light")
    assert charts == len(verdict.rows) + 1, "one a metric, and all metrics"

    found = re.search(r'<pre id="seen"[^>]*>(.*?)</pre>', dom, re.DOTALL)
    assert found
    seen = json.loads(html.unescape(found[1]))
    assert seen["unnamed"] == 0
    assert seen["headings"][0].endswith("Regression")

    numbers = json.loads(stored.read_text())
    shown = {cells[0].split("\n")[0]: cells for cells in seen["rows"]}
    for row in numbers["rows"]:
        cells = shown[row["name"]]
        factor, none, unit = (100, 1, " %") if row["kind"] == "ratio" else (100, 0, " pp")
        digits = 1 if row["kind"] == "ratio" else 2
        by = cells[2].split("\n")[0].replace("\N{MINUS SIGN}", "-")
        assert by.endswith(unit)
        assert float(by.removesuffix(unit)) == pytest.approx(
            (row["estimate"] - none) * factor, abs=0.51 * 10**-digits
        )
        assert row["word"] in cells[5]

        lines = seen["drawn"][f"pairs-{row['key']}"]
        marks = sorted(lines["baseline first"] + lines["candidate first"])
        judged = verdict.row(row["key"])
        expected = sorted(
            change
            for pair in judged.pairs
            if (change := phrases.oriented(judged, pair)) is not None
        )
        assert len(marks) == row["n"]
        assert marks == pytest.approx(expected, rel=1e-3, abs=1e-6)
        assert lines["estimate, bounds"] == pytest.approx([row["estimate"]], rel=1e-3)
        assert len(lines["redone"]) == 1
    assert set(seen["drawn"]["forest"]) >= {"pass", "regression", "informational"}


def test_neither_markup_in_labels_nor_a_narrow_dark_window_breaks_it(tmp_path: Path) -> None:
    verdict = gate_verdicts.hostile()
    dom, charts = opened(tmp_path / "page.html", verdict, tmp_path / "profile", 390, "dark")
    assert charts == len(verdict.rows) + 1
    assert "<script>alert(1)" not in dom
    assert phrases.ending(verdict) in html.unescape(dom)
