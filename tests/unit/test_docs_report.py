"""The guide to the page goes through the page's own sections, in their order."""

import re
from pathlib import Path

from reports.frames import open_run
from reports.page_sections import sections
from reports.results import measure_run
from tests.documents import ROOT
from tests.golden.report.simulated_run import MONOLITH, NULL, RAY, Plan, simulate

GUIDE = (ROOT / "docs" / "reading_a_report.md").read_text(encoding="utf-8")
ONLY_SOMETIMES = {"By graph and pattern"}
"""What a simulated run has none of."""


def told() -> list[str]:
    return [title.rstrip(".") for title in re.findall(r"^\d+\. \*\*(.+?)\*\*", GUIDE, re.MULTILINE)]


def test_the_guide_tells_of_every_section_in_its_order(tmp_path: Path) -> None:
    searched = {MONOLITH.key: ((60.0, 220.0, 60.0),)}
    plan = Plan(
        suts=(MONOLITH, RAY, NULL), rates=(60.0, 220.0), blocks=1, steady_s=4.0,
        searched_rps=searched,
    )  # fmt: skip
    simulate(tmp_path / "run", plan)
    results = measure_run(open_run(tmp_path / "run"))
    shown = [section.title for section in sections(results)]
    assert [title for title in told() if title not in ONLY_SOMETIMES] == shown
    assert set(told()) >= ONLY_SOMETIMES
