"""Sessions of the web UI, with real processes: what is played is a run, and nothing is left."""

import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pytest

from harness.record import TrialRecord
from harness.resume import scenario_of
from harness.run_directory import RunDirectory
from harness.scenario_file import read_scenario
from reports.frames import Run, open_run, read_trial
from reports.results import measure_run
from tests.leftovers import alive, left_of
from tests.live_sessions import ROOT, WITHOUT_TORCH, LiveSession, live_session, page
from tests.waiting import until
from workloads.plan import read_plan
from workloads.sample import read_samples

pytestmark = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="the SUT and the generator need a core each"
)


def nothing_is_left(session: LiveSession, below: list[psutil.Process], folder: Path) -> None:
    until(lambda: not alive(below))
    assert left_of(folder) == []
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", int(session.url.rpartition(":")[2])))


def of_attempt(session: LiveSession, asked: str) -> int:
    """Requests of an attempt's steady state that have ended, as the page shows."""
    (row,) = session.tab("objective")
    return int(row["ended"]) if row["attempt"] == asked else 0


@dataclass(frozen=True)
class Seen:
    """A session of two attempts, the second one stopped: its tabs, what it printed, its run."""

    tabs: dict[str, list[dict[str, Any]]]
    printed: str
    path: Path


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder = tmp_path_factory.mktemp("live")
    told = folder / "told"
    arguments = ("monolith", *WITHOUT_TORCH, "--out", str(folder / "runs"), "--tell", str(told))
    with live_session(*arguments, "--slo-ms", "250", "--percentile", "90") as session:
        session.start(duration=1.5, warm_up=0.3, arrivals="constant")
        tabs = {"attempts": until(lambda: session.tab("attempts"))}
        session.start(duration=60, warm_up=0.1, rate=40, seed=7)
        until(lambda: of_attempt(session, "poisson 40 rps") > 10)
        tabs |= {key: session.tab(key) for key in ("components", "generator", "objective")}
        below = session.below()
        homes = {Path(one.environ()["HOME"]) for one in below}
        session.stop()
        session.says(r"(attempt 2: \S+ rps answered)")
        assert session.end() == 0
    nothing_is_left(session, below, folder)
    scratch = [home for home in homes if home.name.startswith("sb-")]
    assert scratch
    assert not any(home.exists() for home in scratch)
    return Seen(tabs, session.printed, Path(told.read_text()))


def test_the_tabs_say_how_the_sut_and_the_generator_do(seen: Seen) -> None:
    whole, *parts = seen.tabs["components"]
    assert whole["component"] == "all together"
    assert whole["pss_mb"] == pytest.approx(sum(part["pss_mb"] for part in parts), abs=0.2)
    assert whole["processes"] == sum(part["processes"] for part in parts) > 0
    assert isinstance(whole["inside"], int)
    generator = {row["figure"]: row["now"] for row in seen.tabs["generator"]}
    assert generator["Requests dropped"] == 0
    assert generator["Schedule lag, p99 (ms)"] > 0
    assert generator["CPU, page included (cores)"] > 0


def test_the_tabs_say_how_the_objective_stands_and_what_has_been_played(seen: Seen) -> None:
    (objective,), (played,) = seen.tabs["objective"], seen.tabs["attempts"]
    assert (objective["attempt"], objective["objective"]) == ("poisson 40 rps", "p90 <= 250 ms")
    assert objective["state"] in ("kept", "too early to tell", "missed")
    assert 0 <= objective["within"] <= 100
    assert played["asked"] == "constant 60 rps"
    assert "rps answered" in played["came"]


def test_the_run_says_what_was_asked(seen: Seen) -> None:
    record = open_run(seen.path).record
    assert str(seen.path) in seen.printed
    assert record.status == "complete"
    assert [step.asked for step in record.steps] == ["constant 60 rps", "poisson 40 rps"]
    assert [place.step for place in record.schedule] == [0, 1]
    assert scenario_of(record) == read_scenario(seen.path / "scenario.toml")
    assert scenario_of(record).load.rates == (60, 40)
    assert not (seen.path / "attempts").exists()


def test_each_attempt_is_a_whole_trial_with_answers_checked(seen: Seen) -> None:
    run = open_run(seen.path)
    for trial in run.trials:
        samples, due = recorded(run, trial)
        assert samples["index"].to_pylist() == list(range(due))
        assert trial.verification is not None
        assert trial.verification.before > 0
        assert trial.verification.under_load == sum(samples["answer"].is_valid().to_pylist()) > 0
        assert trial.verification.before_different == trial.verification.under_load_different == 0
        assert trial.info is not None
        assert trial.info["architecture"] == "monolith"
        frames = read_trial(run, trial)
        assert frames is not None
        assert {"generator"} < set(frames.usage["component"])
        assert (frames.usage["t_ns"] < frames.phases.start_ns).any()
    assert recorded(run, run.trials[0])[1] == 108  # 1.8 s of 60 rps


def test_an_attempt_that_was_stopped_says_so_and_reports_read_both(seen: Seen) -> None:
    run = open_run(seen.path)
    whole, stopped = run.trials
    assert whole.ended_early is None
    assert "stopped in the page" in str(stopped.ended_early)
    assert "ended_early" in [reason.code for reason in stopped.reasons]
    results = measure_run(run)
    assert [cell.step.asked for cell in results.cells] == ["constant 60 rps", "poisson 40 rps"]


def recorded(run: Run, trial: TrialRecord) -> tuple[pa.Table, int]:
    """A trial's samples, and how many requests its plan has until it ended."""
    assert trial.phases is not None
    plan = read_plan(RunDirectory(run.directory).plan_of(trial.place))
    files = sorted((run.directory / "trials" / trial.place.directory).glob("samples-*"))
    start_ns, end_ns = trial.phases.start_ns, trial.phases.end_ns
    return read_samples(files), plan.due(start_ns, start_ns, end_ns)


def test_ended_in_an_attempt_it_keeps_what_had_come(tmp_path: Path) -> None:
    with live_session("null_service", *WITHOUT_TORCH, "--out", str(tmp_path / "runs")) as session:
        session.start(duration=0.5, warm_up=30, rate=50)
        session.stop()
        session.says(r"(attempt 1: ended before its steady state)")
        session.start(duration=60, warm_up=0)
        until(lambda: of_attempt(session, "poisson 60 rps") > 5)
        below = session.below()
        assert session.end(signal.SIGHUP) == 0
    nothing_is_left(session, below, tmp_path)
    run = open_run(tmp_path / "runs" / "latest")
    first, second = run.trials
    assert run.record.status == "complete"
    assert (first.outcome, second.outcome) == ("ok", "ok")
    assert second.ended_early == "the session was ended"
    reports = [sys.executable, "-m", "reports", str(run.directory)]
    subprocess.run(reports, capture_output=True, check=True, cwd=ROOT)
    assert "poisson 60 rps" in (run.directory / "report.html").read_text()
    frames = read_trial(run, second)
    assert frames is not None
    assert len(frames.samples) > 5


def test_killed_in_an_attempt_it_leaves_no_process_and_a_run_that_is_read(tmp_path: Path) -> None:
    with live_session("null_service", *WITHOUT_TORCH, "--out", str(tmp_path / "runs")) as session:
        session.start(duration=0.5, warm_up=0, rate=50)
        session.says(r"(attempt 1: \S+ rps answered)")
        session.start(duration=60, warm_up=0)
        until(lambda: of_attempt(session, "poisson 60 rps") > 5)
        below = session.below()
        assert session.end(signal.SIGKILL) == -signal.SIGKILL
    nothing_is_left(session, below, tmp_path)
    run = open_run(tmp_path / "runs" / "latest")
    assert run.record.status == "running"
    assert len(run.record.steps) == len(run.record.schedule) == 2
    assert [trial.place.step for trial in run.trials] == [0]
    assert measure_run(run).cells


def test_beyond_loopback_the_page_wants_a_password_and_nothing_started_leaves_nothing(
    tmp_path: Path,
) -> None:
    arguments = ("null_service", *WITHOUT_TORCH, "--out", str(tmp_path / "runs"))
    with live_session(*arguments, "--host", "0.0.0.0") as session:  # noqa: S104 - that is tested
        made = session.says(r"password \(made for this session, told only here\): (\S+)")
        port = session.url.rpartition(":")[2]
        session.says(r"(not encrypted)")
        assert "extended_stats" not in page(f"http://127.0.0.1:{port}/stats/requests")
        below = session.below()
        shown = " ".join(word for p in below for word in [*p.cmdline(), *p.environ().values()])
        assert made not in shown
        files = [Path(w.partition("=")[2]) for p in below for w in p.cmdline() if "password" in w]
        assert files
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
        assert {path.read_text() for path in files} == {made}
        assert session.printed.count(made) == 1
        assert session.end(signal.SIGTERM) == 0
    assert not any(path.exists() for path in files)
    nothing_is_left(session, below, tmp_path)
    assert "nothing was started" in session.lines[-1]
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_sut_that_dies_ends_the_attempt_and_the_session_in_words(tmp_path: Path) -> None:
    told = tmp_path / "told"
    given = ("--out", str(tmp_path / "runs"), "--tell", str(told))
    with live_session("null_service", *WITHOUT_TORCH, *given) as session:
        session.start(duration=60, warm_up=0)
        until(lambda: of_attempt(session, "poisson 60 rps") > 5)
        below = session.below()
        (server,) = [p for p in below if "architectures.null_service.server" in p.cmdline()]
        server.kill()
        assert session.process.wait(60) == 2
    nothing_is_left(session, below, tmp_path)
    assert "error: component 'server' was ended by SIGKILL while it was explored" in session.printed
    assert "Traceback" not in session.printed
    run = open_run(Path(told.read_text()))
    (trial,) = run.trials
    assert run.record.status == "interrupted"
    assert "component_died" in [reason.code for reason in trial.reasons]
    assert str(trial.ended_early).startswith("a component died")
