"""The command, and the summary it writes."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.validity import samples_needed as harness_needs
from reports.__main__ import main
from reports.estimate import samples_needed
from reports.metrics import METRICS
from tests.golden.report.simulated_run import MICROSERVICES, MONOLITH, Plan, simulate

PLAN = Plan(suts=(MONOLITH, MICROSERVICES), steady_s=4.0, warm_up_s=1.0)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "run"
    simulate(path, PLAN)
    return path


def test_the_command_prints_the_pages_path(made: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reports", str(made)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(made / "report.html")
    assert (made / "report.html").stat().st_size > 1_000_000
    assert not list(made.glob("*.partial"))


def test_a_link_to_a_run_is_followed_and_trials_are_linked_from_elsewhere(
    made: Path, tmp_path: Path
) -> None:
    (tmp_path / "latest").symlink_to(made)
    out = tmp_path / "pages" / "page.html"
    out.parent.mkdir()
    done = CliRunner().invoke(main, [str(tmp_path / "latest"), "--out", str(out)])
    assert done.exit_code == 0, done.output
    href = out.read_text().split('<a href="', maxsplit=1)[1]
    assert href
    first = next(part for part in out.read_text().split('<a href="') if "/trials/" in part)
    assert (out.parent / first.split('"', maxsplit=1)[0]).is_dir()
    assert (out.parent / "summary.json").is_file()


def test_a_mistake_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, [str(tmp_path / "nothing")])
    assert done.exit_code == 2
    assert "is not a run: it has no run.json" in done.output
    assert "Traceback" not in done.output


def test_the_summary_holds_every_estimate_with_n_and_unit(made: Path) -> None:
    CliRunner().invoke(main, [str(made)])
    found = json.loads((made / "summary.json").read_text())
    assert found["summary_version"] == 4
    assert len(found["cells"]) == 4
    assert len(found["trials"]) == 12
    for cell in found["cells"]:
        assert set(cell["estimates"]) == {metric.key for metric in METRICS}
        for estimate in cell["estimates"].values():
            assert set(estimate) == {"point", "low", "high", "n", "unit", "note"}
            assert (estimate["point"] is None) <= bool(estimate["note"])
    cpu = found["cells"][0]["estimates"]["cpu_ms"]
    assert cpu["low"] < MONOLITH.cpu_ms < cpu["high"]
    assert {c["word"] for c in found["comparisons"]} <= {"higher", "lower", "cannot tell"}


def test_an_unfinished_run_still_makes_its_page(tmp_path: Path) -> None:
    absent = frozenset({(2, 1, MONOLITH.key)})
    simulate(tmp_path / "run", replace(PLAN, status="running", absent=absent))
    done = CliRunner().invoke(main, [str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    assert "This run is unfinished (running)" in (tmp_path / "run/report.html").read_text()


def test_a_run_without_any_trial_still_makes_its_page(tmp_path: Path) -> None:
    simulate(tmp_path / "run", replace(PLAN, blocks=1, rates=(60.0,), status="running"))
    shutil.rmtree(tmp_path / "run/trials")
    done = CliRunner().invoke(main, [str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    assert "There is no answer yet" in (tmp_path / "run/report.html").read_text()


@pytest.mark.parametrize("percent", [50.0, 90.0, 95.0, 99.0, 99.9])
def test_harness_and_reports_ask_for_the_same_samples(percent: float) -> None:
    assert samples_needed(percent / 100) == harness_needs(percent)


def test_damaged_samples_are_one_line_and_name_the_trial(tmp_path: Path) -> None:
    simulate(tmp_path / "run", PLAN)
    samples = next((tmp_path / "run" / "trials").rglob("samples-*.parquet"))
    samples.write_bytes(samples.read_bytes()[:7])
    done = CliRunner().invoke(main, [str(tmp_path / "run")])
    assert done.exit_code == 2
    assert samples.parent.name in done.output
    assert "damaged or edited: restore it" in done.output
    assert "Traceback" not in done.output
