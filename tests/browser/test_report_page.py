"""The page in a real browser: it draws every chart, complains of nothing, asks no network."""

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from harness.effort.record import EFFORT_FILE, EffortRecord, EffortRow
from reports.effort.page import write_effort
from reports.frames import open_run
from reports.page import write_page
from reports.prices import read_prices
from reports.results import measure_run
from tests.golden.report.simulated_patterns import add_patterns
from tests.golden.report.simulated_run import MICROSERVICES, MONOLITH, NULL, RAY, Plan, simulate

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")

QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--virtual-time-budget=20000",
    "--dump-dom",
)

PROBE = """<script>
addEventListener("load", () => setTimeout(() => {
  const charts = [...document.querySelectorAll(".chart")];
  const seen = {
    charts: charts.length,
    drawn: charts.filter((chart) => chart.querySelector("svg.main-svg")).length,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    requests: performance.getEntriesByType("resource").map((entry) => entry.name),
  };
  document.title = "PROBE" + JSON.stringify(seen) + "PROBE";
}, 4000));
</script>"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "run"
    plan = Plan(
        suts=(MONOLITH, MICROSERVICES, RAY, NULL),
        steady_s=4.0,
        warm_up_s=1.0,
        concurrency=(4,),
        searched_rps={MONOLITH.key: ((60.0, 120.0, 160.0, 120.0),) * 3},
    )
    simulate(path, plan)
    add_patterns(path)
    out = path / "report.html"
    write_page(out, measure_run(open_run(path), read_prices()))
    out.write_text(out.read_text().replace("</body>", f"{PROBE}</body>"))
    return out


def browse(url: str, profile: Path, *more: str) -> tuple[str, list[str]]:
    """The document as it stands after its scripts ran, and what the console said."""
    assert CHROMIUM is not None
    process = subprocess.Popen(
        [CHROMIUM, *QUIET, f"--user-data-dir={profile}", *more, url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        dom, log = process.communicate(timeout=120)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return dom, [line for line in log.splitlines() if "CONSOLE" in line]


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1400, "light")])
def test_it_draws_everything_and_asks_for_nothing(
    page: Path, tmp_path: Path, width: int, scheme: str
) -> None:
    settings = f"--blink-settings=preferredColorScheme={('dark', 'light').index(scheme)}"
    url = f"{page.as_uri()}#draw-all"
    dom, console = browse(url, tmp_path, f"--window-size={width},1200", settings)
    assert whole(dom, console) > 10
    assert "By graph and pattern" in dom
    assert "category of tag" in dom
    assert "<b>large</b>" not in dom


def whole(dom: str, console: list[str]) -> int:
    """Nothing was said, asked for or cut off; how many charts were drawn, which is all of them."""
    assert console == []
    found = re.search(r"PROBE(\{.*?\})PROBE", dom)
    assert found, dom[-500:]
    seen = json.loads(found[1])
    assert seen["drawn"] == seen["charts"]
    assert seen["overflow"] <= 0
    assert [name for name in seen["requests"] if not name.startswith("data:")] == []
    return int(seen["charts"])


def test_the_effort_page_does_too(tmp_path: Path) -> None:
    rows = [
        EffortRow(
            sut=sut, deployment=name, repeat=0, models=int(name), start_up_s=2.0 * int(name),
            stop_s=0.2, processes=int(name) + 1, ports=2, pss_bytes=10**8, hops=1.0,
            moved_bytes=1e4, response_s=0.01, settings=9,
        )
        for sut in ("monolith:default", "microservices:fused_cpu")
        for name in ("3", "6")
    ]  # fmt: skip
    simulated = simulate(tmp_path / "run", Plan(suts=(MONOLITH,), rates=(50.0,), blocks=1))
    record = EffortRecord(
        run_id="growth",
        created_utc=simulated.created_utc,
        version=simulated.version,
        name="growth",
        summary="How it grows",
        axis="models",
        suts=("monolith:default", "microservices:fused_cpu"),
        deployments=("3", "6"),
        code_lines={"monolith:default": 200, "microservices:fused_cpu": 400},
        environment=simulated.environment,
        ensemble=simulated.ensemble,
        rows=tuple(rows),
        complete=True,
    )
    (tmp_path / EFFORT_FILE).write_text(record.model_dump_json())
    out = write_effort(tmp_path)
    out.write_text(out.read_text().replace("</body>", f"{PROBE}</body>"))
    dom, console = browse(f"{out.as_uri()}#draw-all", tmp_path / "profile")
    assert whole(dom, console) == 7


def test_the_page_itself_forbids_the_network_and_a_breach_would_be_seen(
    page: Path, tmp_path: Path
) -> None:
    breach = '<img src="http://127.0.0.1:9/x.png" alt="">'
    text = page.read_text().replace('<main id="main"', f'{breach}<main id="main"')
    (tmp_path / "breach.html").write_text(text)
    _, console = browse((tmp_path / "breach.html").as_uri(), tmp_path / "profile")
    assert any("Content Security Policy" in line for line in console)
