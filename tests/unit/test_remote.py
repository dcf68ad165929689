"""Running services under test, ours and somebody else's: through the real command line."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pandas as pd
import pytest

from architectures import catalog
from architectures.spec import EnsembleChoice, ServingPolicy
from harness.bench import Bench
from harness.deploy import deploy
from harness.environment import assign_cores
from harness.kept import DeployError
from harness.record import RunRecord, TrialRecord
from harness.remote import attached, check_absolute, declared, on_loopback
from harness.run_directory import RunDirectory
from harness.scenario import Scenario
from harness.scenario_file import ScenarioError, parse_scenario
from harness.scrape import Scrape
from harness.verify import read_references
from reports.__main__ import report
from tests.foreign import listening
from workloads.payloads import read_payloads
from workloads.sample import Outcome, read_samples

ROOT = Path(__file__).parents[2]
SECOND = ROOT / "tests" / "second_ensemble"
PATIENCE_S = 240.0
UNHURRIED = (Outcome.OK, Outcome.TIMED_OUT, Outcome.DROPPED, Outcome.CENSORED)

SCENARIO = f"""
name = "running"
suts = ["remote:ours", "remote:theirs"]
[ensemble]
module = "language_guess"
tier = "plain"
graph = "guess"
search_path = ["{SECOND}"]
[load]
workload = "constant"
rates = [30]
warm_up_s = 0.5
steady_s = 2
drain_s = 1
blocks = 1
payloads = 6
[slo]
percentile = 50
response_time_s = 1
[remote.ours]
url = "OURS"
ready = "/readyz"
[remote.theirs]
url = "THEIRS/door/"
path = "/classify"
ready = "/fine"
metrics = "/metrics"
"""

needs_cores = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="the service and the generator need a core each"
)


class Theirs(BaseHTTPRequestHandler):
    """A service of somebody else's: other paths, other answers, its own metrics."""

    protocol_version = "HTTP/1.1"
    asked: list[tuple[str, str]]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append((self.path, self.headers["Content-Type"]))
        good = self.path == "/door/classify"
        self._answer(200 if good else 404, b"<label>german</label>", "application/xml")

    def do_GET(self) -> None:
        pages = {"/door/fine": b"fine", "/door/metrics": page().encode()}
        found = pages.get(self.path)
        self._answer(200 if found else 404, found or b"nothing", "text/plain")

    def _answer(self, status: int, body: bytes, media_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name
        pass


def page(*, second_s: float | None = 5.0) -> str:
    lines = [
        "# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.",
        "# TYPE process_cpu_seconds_total counter",
        f'process_cpu_seconds_total{{instance="a"}} {time.process_time()}',
        "# TYPE requests_in_flight gauge",
        "requests_in_flight 3.0",
        "# TYPE process_resident_memory_bytes gauge",
        'process_resident_memory_bytes{instance="a"} 2.0e+07',
    ]
    if second_s is not None:
        lines.insert(3, f'process_cpu_seconds_total{{instance="b"}} {second_s}')
        lines.append('process_resident_memory_bytes{instance="b"} 1.0e+07')
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def theirs() -> Iterator[str]:
    Theirs.asked = []
    with listening(Theirs) as url:
        yield url


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    architecture, variant = catalog.parse("null_service:delay_20ms")
    with deploy(
        architecture,
        variant,
        ensemble=EnsembleChoice("language_guess", "plain", search_path=(str(SECOND),)),
        policy=ServingPolicy(),
        claim=assign_cores(1).claim(1.0),
        log_directory=tmp_path_factory.mktemp("logs"),
    ) as deployment:
        yield deployment.url


@pytest.fixture(scope="module")
def ran(ours: str, theirs: str, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    folder = tmp_path_factory.mktemp("remote")
    path = folder / "running.toml"
    path.write_text(SCENARIO.replace("OURS", ours).replace("THEIRS", theirs))
    done = subprocess.run(
        [sys.executable, "-m", "harness", "run", str(path), "--out", str(folder / "runs")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return RunDirectory(Path(done.stdout.splitlines()[-1]))


def trial_of(directory: RunDirectory, name: str) -> TrialRecord:
    (trial,) = (t for t in directory.trials() if t.place.sut == f"remote:{name}")
    return trial


@needs_cores
def test_every_request_is_answered_and_nothing_is_deployed(
    ran: RunDirectory, theirs: str, ours: str
) -> None:
    record = RunRecord.read(ran.path)
    assert record.status == "complete"
    assert (record.ceiling, record.best_batch) == ((), 0)
    assert not ran.references.exists()
    for name in ("ours", "theirs"):
        trial = trial_of(ran, name)
        assert trial.outcome == "ok", trial.error
        assert trial.start_up_s is None
        samples = read_samples(sorted(ran.trial(trial.place).glob("samples-*.parquet")))
        # On a starved machine some are still unanswered at the end; none is ever refused.
        assert {Outcome.OK} <= set(samples["outcome"].to_pylist()) <= {*UNHURRIED}
        assert len(samples) == 75
        assert not list(ran.trial(trial.place).glob("keeper*"))
    assert set(Theirs.asked) == {("/door/classify", "text/plain")}


@needs_cores
def test_what_it_says_of_itself_is_kept(ran: RunDirectory) -> None:
    ours = trial_of(ran, "ours")
    assert ours.info
    assert (ours.info["architecture"], ours.info["variant"]) == ("null_service", "delay_20ms")
    assert trial_of(ran, "theirs").info == {}


@needs_cores
def test_usage_is_what_its_metrics_say_and_absent_where_there_are_none(ran: RunDirectory) -> None:
    frames = {
        name: pd.read_parquet(ran.trial(trial_of(ran, name).place) / "usage.parquet")
        for name in ("ours", "theirs")
    }
    assert set(frames["ours"]["component"]) == {"generator"}
    rows = frames["theirs"][frames["theirs"]["component"] == "remote"]
    assert len(rows) >= 2
    assert rows["cpu_s"].is_monotonic_increasing
    assert (rows["cpu_s"] > 5.0).all()
    assert set(rows["rss_bytes"]) == {30_000_000}
    assert set(rows["processes"]) == {2}
    assert rows["pss_bytes"].isna().all()
    phases = trial_of(ran, "theirs").phases
    assert phases
    assert rows["t_ns"].min() < phases.steady_ns
    assert rows["t_ns"].max() > phases.steady_ns


@needs_cores
def test_pressure_on_our_cores_is_only_told_where_the_service_can_be_told_apart(
    ran: RunDirectory,
) -> None:
    assert "outside_sut_cores" in trial_of(ran, "theirs").pressure
    assert "outside_sut_cores" not in trial_of(ran, "ours").pressure


@needs_cores
def test_answers_are_compared_where_they_are_declared_to_be_the_ensembles(
    ours: str, theirs: str
) -> None:
    golden = RunDirectory(ROOT / "tests" / "golden" / "record" / "version-1")
    text = SCENARIO.replace("OURS", ours).replace("THEIRS", theirs)
    text = text.replace('ready = "/readyz"', 'path = "/v1/guess"\nanswers = true')
    bench = Bench(
        parse_scenario(text, "s.toml"),
        assign_cores(1),
        golden,
        read_payloads(golden.payloads),
        {"guess": read_references(golden.references)},
        (),
        None,
    )
    with attached(bench, "ours") as subject:
        assert subject.checked.count == len(bench.payloads)
        assert subject.checked.different == subject.checked.count  # the floor runs no model
    with attached(bench, "theirs") as subject:
        assert subject.checked.count == 0


@needs_cores
def test_a_service_that_is_not_there_is_a_failure_in_words(ours: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        text = SCENARIO.replace("OURS", nobody).replace("THEIRS", ours)
        text = text.replace('ready = "/readyz"\n', "")
        golden = RunDirectory(ROOT / "tests" / "golden" / "record" / "version-1")
        bench = Bench(parse_scenario(text, "s.toml"), assign_cores(1), golden, (), {}, (), None)
        said = r"remote 'ours': nobody answers at .* start the service, or mend \[remote.ours\]"
        with pytest.raises(DeployError, match=said), attached(bench, "ours"):
            pass


@needs_cores
def test_it_has_a_report(ran: RunDirectory) -> None:
    page_of_run = report(ran.path).read_text()
    assert "remote:theirs" in page_of_run
    summary = json.loads((ran.path / "summary.json").read_text())
    assert summary


def scenario(remote: str, load: str = "rates = [5]") -> Scenario:
    return parse_scenario(
        f'name = "n"\nsuts = ["remote:a"]\n[load]\n{load}\n[remote.{remote}]\nurl = "http://h/"',
        "s.toml",
    )


def test_a_service_that_is_not_declared_is_named_with_what_is_near() -> None:
    with pytest.raises(ScenarioError, match=r"no section \[remote.ab\] \(did you mean 'abc'\?\)"):
        declared(scenario("abc"), "remote:ab")
    with pytest.raises(ScenarioError, match=r"no section \[remote.NAME\]; write it, with its"):
        declared(scenario("abc"), "remote")


@pytest.mark.parametrize(
    ("load", "key"),
    [
        ('rates = ["0.5 ceiling"]', 'load.rates has "0.5 ceiling"'),
        ('sweep = {low = "0.1 ceiling", high = "1 ceiling"}', "load.sweep.low"),
        ("rates = [5]\n[capacity]\nstart = 5", 'capacity.most has "4 ceiling"'),
    ],
)
def test_a_share_of_a_ceiling_that_nobody_measures_is_refused(load: str, key: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        check_absolute(scenario("a", load), "every SUT is remote")
    assert key in str(refused.value).replace("'", '"')


def test_the_scenario_in_the_document_is_one() -> None:
    words = (ROOT / "docs" / "remote.md").read_text()
    written = words.partition("```toml\n")[2].partition("```")[0]
    mine = parse_scenario(written, "docs/remote.md")
    assert declared(mine, "remote:mine")[1].name == "mine"
    check_absolute(mine, "every SUT is remote")


def test_a_counter_that_begins_anew_and_a_process_that_is_gone_lose_nothing(theirs: str) -> None:
    scrape = Scrape("unused", "remote")
    a, b = (("instance", "a"),), (("instance", "b"),)
    series = [{a: 10.0, b: 5.0}, {a: 11.0, b: 6.0}, {a: 0.5, b: 7.0}, {a: 1.5}, {a: 2.0, b: 0.1}]
    totals = [scrape._total_s(reading) for reading in series]
    assert totals == pytest.approx([15.0, 17.0, 18.5, 19.5, 20.1])


def test_metrics_that_say_nothing_of_processes_are_an_error(theirs: str) -> None:
    with pytest.raises(ValueError, match="neither process_cpu_seconds_total nor"):
        Scrape(f"{theirs}/door/fine", "remote").row()
    with pytest.raises(OSError, match="answers 404"):
        Scrape(f"{theirs}/metrics", "remote").row()


def test_loopback_is_known_by_name_or_number() -> None:
    assert all(map(on_loopback, ("http://localhost:1", "http://127.0.0.2/x", "http://[::1]:80")))
    assert not any(map(on_loopback, ("http://10.0.0.1", "https://example.org", "http://h:1")))
