"""The page of stored runs in a real browser: every series drawn, offline, dark and narrow too."""

import shutil
from pathlib import Path

import pytest

from reports.stored.page import write_history
from reports.stored.store import add, read_store
from tests.browser.test_report_page import PROBE, browse, whole
from tests.unit.test_stored import SCATTER, Vary, later, measured

pytestmark = pytest.mark.skipif(
    not (shutil.which("chromium") or shutil.which("chromium-browser")), reason="needs chromium"
)


@pytest.mark.parametrize(("width", "scheme"), [(1300, "light"), (390, "dark")])
def test_every_series_is_drawn(tmp_path: Path, width: int, scheme: str) -> None:
    first = measured(tmp_path / "runs", Vary())
    for number, cpu in enumerate((*SCATTER, 1.5)):
        add(tmp_path / "store", later(first, number, cpu))
    stored = read_store(tmp_path / "store")
    page = write_history(stored, tmp_path / "trends.html")
    page.write_text(page.read_text().replace("</body>", f"{PROBE}</body>"))
    settings = f"--blink-settings=preferredColorScheme={('dark', 'light').index(scheme)}"
    url = f"{page.as_uri()}#draw-all"
    dom, console = browse(url, tmp_path / "profile", f"--window-size={width},1200", settings)
    figures = [figure for series in first.series for figure in series.figures]
    drawn = [figure for figure in figures if figure.value is not None]
    assert whole(dom, console) == len(drawn)
