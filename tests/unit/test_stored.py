"""Stored runs: recorded runs, copied and varied, held against each other as a person would."""

import csv
import fcntl
import json
import os
import platform
import re
import shutil
import statistics
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from architectures.spec import ResourceClaim
from harness.environment import read_environment
from harness.record import write_record
from reports.frames import open_run
from reports.gate.holm import adjusted_p
from reports.results import measure_run
from reports.stored.check import check
from reports.stored.command import baselines
from reports.stored.comparable import LEAST, WINDOW, peers
from reports.stored.figures import stored_run
from reports.stored.history import courses
from reports.stored.record import StoredRun
from reports.stored.store import add, read_store
from tests.golden.report.simulated_run import MONOLITH, SLOW_HOST, Plan, simulate
from tests.waiting import until
from workloads.sample import Outcome

GOLDEN = Path(__file__).parents[1] / "golden" / "record" / "version-2"
SUT, STEP = "monolith:default", "40 rps"
SCATTER = (1.0, 1.02, 0.97, 1.01, 0.99, 1.03, 0.98, 1.0, 1.02, 0.96, 1.01, 0.99)


@dataclass(frozen=True)
class Vary:
    """What one copy of the golden run has of its own."""

    number: int = 0
    cpu: float = 1.0
    fingerprint: dict[str, str] = field(default_factory=dict)
    description: dict[str, str] = field(default_factory=dict)
    load: dict[str, Any] = field(default_factory=dict)
    doubted: bool = False
    lost: float = 0.0
    record: dict[str, Any] = field(default_factory=dict)


def recorded(folder: Path, vary: Vary) -> Path:
    """A run directory: the golden one, its SUT's CPU time and answers changed."""
    run = folder / f"run-{vary.number:02}"
    shutil.copytree(GOLDEN, run, ignore=shutil.ignore_patterns("capacity", "b00-p*"))
    document = json.loads((run / "run.json").read_text())
    document["run_id"] = f"run-{vary.number:02}"
    document["created_utc"] = f"2026-12-{vary.number + 1:02}T10:00:00+00:00"
    document["environment"]["fingerprint"] |= vary.fingerprint
    document["environment"]["description"] |= {"revision": f"{vary.number:040x}"} | vary.description
    document["scenario"]["load"] |= vary.load
    (run / "run.json").write_text(json.dumps(document | vary.record))
    for trial in run.glob("trials/*"):
        _vary_trial(trial, vary)
    return run


def _vary_trial(trial: Path, vary: Vary) -> None:
    document = json.loads((trial / "trial.json").read_text())
    document["reasons"] = document["reasons"] if vary.doubted else []
    (trial / "trial.json").write_text(json.dumps(document))
    usage = pq.read_table(trial / "usage.parquet")
    column = usage.column_names.index("cpu_s")
    cpu_s = pa.array(usage["cpu_s"].to_numpy() * vary.cpu)
    pq.write_table(usage.set_column(column, "cpu_s", cpu_s), trial / "usage.parquet")
    for path in trial.glob("samples-*.parquet"):
        samples = pq.read_table(path)
        outcome = samples["outcome"].to_numpy().copy()
        outcome[int(len(outcome) * (1 - vary.lost)) :] = int(Outcome.TIMED_OUT)
        at, kind = samples.column_names.index("outcome"), samples.schema.field("outcome").type
        pq.write_table(samples.set_column(at, "outcome", pa.array(outcome, kind)), path)


def measured(folder: Path, vary: Vary) -> StoredRun:
    return stored_run(measure_run(open_run(recorded(folder, vary))))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    return measured(tmp_path_factory.mktemp("runs"), Vary())


def later(first: StoredRun, number: int, cpu: float = 1.0, **changed: Any) -> StoredRun:
    """The first run again on another day, its CPU time and what else is given changed."""
    document = first.model_dump(mode="json")
    for series in document["series"]:
        for figure in series["figures"]:
            if figure["metric"] == "cpu_ms":
                figure["value"] *= cpu
    document["run_id"] = f"run-{number:02}"
    document["created_utc"] = f"2026-12-{number + 1:02}T10:00:00+00:00"
    document["revision"] = f"{number:040x}"
    for part, keys in changed.items():
        document[part] = {**document[part], **keys} if isinstance(keys, dict) else keys
    return StoredRun.model_validate_json(json.dumps(document))


@pytest.fixture(scope="module")
def dozen(first: StoredRun) -> tuple[StoredRun, ...]:
    """Twelve runs of one machine, their CPU time a few percent apart."""
    return tuple(later(first, n, cpu) for n, cpu in enumerate(SCATTER))


@pytest.fixture
def store(tmp_path: Path, dozen: tuple[StoredRun, ...]) -> Path:
    for run in dozen:
        add(tmp_path / "store", run)
    return tmp_path / "store"


def call(*words: object) -> Result:
    return CliRunner().invoke(baselines, [str(word) for word in words])


def test_what_is_stored_is_what_the_run_measured(tmp_path: Path, first: StoredRun) -> None:
    results = measure_run(open_run(recorded(tmp_path, Vary())))
    cell = results.cell(SUT, 0)
    for key in ("cpu_ms", "response_p50_ms", "goodput_rps", "pss_peak_mb", "start_up_s"):
        figure = first.figure(SUT, STEP, key)
        assert figure is not None
        assert figure.value == pytest.approx(cell.trusted[0].values[key])
        assert figure.n == 1
    p95 = first.figure(SUT, STEP, "response_p95_ms")
    assert p95 is not None
    assert (p95.value, p95.why) == (None, "not carried: 97 samples, needs 200")
    assert first.fingerprint == results.record.environment.fingerprint
    assert first.workload["load.steady_s"] == "2.0"
    assert first.workload["files.plans/b00-s00.parquet"].startswith("23f519")
    assert not any("search_path" in key or "references" in key for key in first.workload)


def test_blocks_are_averaged_geometrically_and_shares_by_requests(tmp_path: Path) -> None:
    sut = replace(MONOLITH, block_spread=0.3)
    record = simulate(tmp_path / "run", Plan(suts=(sut,), rates=(60.0,), steady_s=2.0))
    steps = tuple(step.model_copy(update={"asked": "60 rps"}) for step in record.steps)
    named = record.model_copy(update={"digests": {"payloads.parquet": "aa"}, "steps": steps})
    write_record(tmp_path / "run" / "run.json", named)
    results = measure_run(open_run(tmp_path / "run"))
    stored = stored_run(results)
    blocks = [trial.values["cpu_ms"] for trial in results.cells[0].trusted]
    figure = stored.figure(sut.key, "60 rps", "cpu_ms")
    assert figure is not None
    assert len(set(blocks)) == figure.n == 3
    assert figure.value == pytest.approx(statistics.geometric_mean(blocks))  # type: ignore[arg-type]
    errors = stored.figure(sut.key, "60 rps", "error_share")
    assert errors is not None
    assert errors.requests == sum(t.picture.planned for t in results.cells[0].trusted)  # type: ignore[union-attr]


def test_a_figure_of_too_few_blocks_is_not_stored(tmp_path: Path) -> None:
    doubts = {(block, 0, MONOLITH.key): (SLOW_HOST,) for block in (0, 1)}
    record = simulate(tmp_path, Plan(suts=(MONOLITH,), rates=(60.0,), steady_s=2.0, doubts=doubts))
    steps = tuple(step.model_copy(update={"asked": "60 rps"}) for step in record.steps)
    named = record.model_copy(update={"digests": {"payloads.parquet": "aa"}, "steps": steps})
    write_record(tmp_path / "run.json", named)
    series = stored_run(measure_run(open_run(tmp_path))).series[0]
    assert (series.blocks, series.trusted) == (3, 1)
    assert {figure.value for figure in series.figures} == {None}
    assert series.figures[0].why == "1 of 3 blocks can be trusted"


@pytest.mark.parametrize(
    ("vary", "words"),
    [
        (Vary(doubted=True), "none of its trials can be trusted .too_few_samples: 2 trials."),
        (Vary(record={"status": "interrupted"}), "status is 'interrupted'.*--resume"),
        (Vary(record={"digests": {}}), "no digests"),
        (
            Vary(record={"steps": [{"index": 0, "asked": "0.5 ceiling", "offered_rps": 9}]}),
            "offers 0.5 ceiling.*give load.rates in requests per second",
        ),
    ],
)
def test_a_run_that_says_nothing_for_later_ones_is_refused(
    tmp_path: Path, vary: Vary, words: str
) -> None:
    done = call("add", recorded(tmp_path, vary), "--store", tmp_path / "store")
    assert done.exit_code == 4
    assert re.search(words, done.stderr), done.stderr
    assert not (tmp_path / "store").exists()


def test_a_run_is_added_once(tmp_path: Path) -> None:
    run, store = recorded(tmp_path, Vary()), tmp_path / "store"
    assert call("add", run, "--store", store).exit_code == 0
    assert "holds this run already" in call("add", run, "--store", store).output
    assert len(list(store.iterdir())) == 1
    assert read_store(store).runs[0].run_id == "run-00"


def test_runs_added_at_once_are_all_there_and_each_once(
    tmp_path: Path, dozen: tuple[StoredRun, ...]
) -> None:
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        each = [pool.submit(add, tmp_path / "store", run) for run in dozen for _ in range(3)]
        assert sum(done.result().new for done in each) == len(dozen)
    store = read_store(tmp_path / "store")
    assert store.runs == dozen
    assert store.skipped == ()
    assert len(list(store.directory.iterdir())) == len(dozen)


def test_adding_waits_for_who_is_adding(tmp_path: Path, dozen: tuple[StoredRun, ...]) -> None:
    waiter = Thread(target=add, args=(tmp_path, dozen[0]))
    held = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        waiter.start()
        queued = re.compile(rf"-> FLOCK .*:{tmp_path.stat().st_ino} ")
        until(lambda: queued.search(Path("/proc/locks").read_text()) or not waiter.is_alive())
        assert list(tmp_path.iterdir()) == []
    finally:
        os.close(held)
        waiter.join()
    assert read_store(tmp_path).runs == dozen[:1]


def test_a_damaged_file_is_named_and_costs_no_other(store: Path) -> None:
    files = sorted(store.glob("*.json"))
    files[0].write_text(files[0].read_text()[:200])
    newer = json.loads(files[1].read_text()) | {"stored_format": 99}
    files[1].write_text(json.dumps(newer))
    wrong = json.loads(files[2].read_text()) | {"created_utc": "yesterday"}
    files[2].write_text(json.dumps(wrong))
    shutil.copy(files[3], store / "twice.json")
    (store / "list.json").write_text("[]")
    done = call("list", "--store", store)
    assert done.exit_code == 0
    assert "9 stored runs" in done.stdout
    for name, words in (
        (files[0].name, "damaged or edited"),
        (files[1].name, "stored_format is 99, this program reads up to 1"),
        (files[2].name, "created_utc: "),
        ("twice.json", f"the same run as {files[3].name}"),
        ("list.json", "cannot be read"),
    ):
        assert re.search(f"left out .*{name}: .*{words}", done.stderr), done.stderr


@pytest.mark.parametrize(
    ("vary", "word", "code"),
    [
        (Vary(20), "within what this machine has shown", 0),
        (Vary(20, cpu=1.3), "gross change", 1),
        (Vary(20, cpu=0.7), "within what this machine has shown", 0),
        (Vary(20, lost=0.3), "gross change", 1),
        (Vary(20, cpu=1.3, description={"kernel": "7.0"}), "inconclusive", 3),
        (Vary(20, fingerprint={"sut_cores": "2"}), "not comparable", 4),
        (Vary(20, doubted=True), "not comparable", 4),
    ],
)
def test_a_run_is_held_against_the_store(
    tmp_path: Path, store: Path, vary: Vary, word: str, code: int
) -> None:
    done = call("check", recorded(tmp_path, vary), "--store", store)
    assert done.exit_code == code, done.output
    assert re.search(f"^(baselines: )?{word}: ", done.output, re.MULTILINE), done.output


def test_inconclusive_becomes_a_warning_only_when_asked(tmp_path: Path, store: Path) -> None:
    run = recorded(tmp_path, Vary(20, description={"kernel": "7.0"}))
    done = call("check", run, "--store", store, "--inconclusive", "warn")
    assert done.exit_code == 0
    assert "kernel: then 6.18.44-fc-v595, now 7.0" in done.output
    assert "--inconclusive warn: this ends with 0" in done.output


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"fingerprint": {"machine": "aarch64"}}, "machine: then x86_64, now aarch64"),
        ({"fingerprint": {"machine_cores": "64"}}, "machine_cores"),
        ({"fingerprint": {"cgroup_limits": "cpu 50000"}}, "cgroup_limits"),
        ({"fingerprint": {"python": "CPython 3.12.1"}}, "python"),
        ({"fingerprint": {"torch": "2.14.0"}}, "torch"),
        ({"version": "0.2.0"}, "servebench: then 0.1.0, now 0.2.0"),
        ({"weights_digest": "ff"}, "weights_digest"),
        ({"backends": {"database": "postgresql"}}, "backends.database: then not recorded"),
        ({"workload": {"load.seed": "2"}}, "load.seed: then 1, now 2"),
        ({"workload": {"files.payloads.parquet": "ff"}}, "files.payloads.parquet"),
        ({"workload": {"policy.max_batch": "1"}}, "policy.max_batch: then 16, now 1"),
    ],
)
def test_what_is_not_comparable_is_named_then_and_now(
    dozen: tuple[StoredRun, ...], changed: dict[str, Any], key: str
) -> None:
    found = check(later(dozen[0], 20, **changed), dozen)
    assert (found.outcome, found.exit_code) == ("not comparable", 4)
    assert "0 of 12 stored runs are comparable, a limit needs 10" in found.words
    assert key in found.words


@pytest.mark.parametrize("key", ["kernel", "host", "governor", "memory_gib"])
def test_another_kernel_or_host_caps_until_ten_runs_know_it(
    dozen: tuple[StoredRun, ...], key: str
) -> None:
    moved = [later(dozen[0], 12 + n, cpu, description={key: "x"}) for n, cpu in enumerate(SCATTER)]
    few, all_ = (*dozen, *moved[:5]), (*dozen, *moved[:LEAST])
    slow = later(dozen[0], 28, 1.4, description={key: "x"})
    assert check(slow, few).outcome == "inconclusive"
    assert {difference.key for difference in peers(slow, few).caps} == {key}
    assert check(slow, all_).outcome == "gross change"
    assert peers(slow, all_).caps == ()


def test_a_run_tells_its_host_and_kernel_without_naming_the_host() -> None:
    ensemble = open_run(GOLDEN).record.ensemble
    seen = read_environment(ensemble, ResourceClaim((0,), 2**30)).description
    assert {"kernel", "host", "governor", "memory_gib", "threads_a_core"} <= seen.keys()
    assert platform.node() not in seen["host"]


def test_ten_runs_are_needed_and_a_run_is_not_its_own_witness(
    dozen: tuple[StoredRun, ...],
) -> None:
    assert check(dozen[0], dozen[:10]).outcome == "not comparable"
    assert check(dozen[0], dozen[:11]).outcome == "within what this machine has shown"


def test_the_newest_runs_make_the_limit(first: StoredRun) -> None:
    many = [later(first, n % 28, SCATTER[n % 12], revision=f"{n}") for n in range(28)]
    old = [
        StoredRun.model_validate_json(
            later(first, n, 9.0).model_dump_json().replace('"2026-12', '"2026-01')
        )
        for n in range(12)
    ]
    used = peers(later(first, 29), [*old, *many]).runs
    assert len(used) == WINDOW
    assert used[-28:] == tuple(many)


def test_a_steady_figure_is_no_gross_change_below_a_tenth(dozen: tuple[StoredRun, ...]) -> None:
    still = tuple(later(dozen[0], n) for n in range(12))
    assert check(later(dozen[0], 20, 1.09), still).outcome == "within what this machine has shown"
    assert check(later(dozen[0], 20, 1.12), still).outcome == "gross change"


def test_beyond_one_limit_of_many_is_inconclusive(dozen: tuple[StoredRun, ...]) -> None:
    """12 figures are asked here, so p must be below .01 / 12 to be no chance."""
    spread = tuple(later(dozen[0], n, float(c)) for n, c in enumerate(np.linspace(0.8, 1.2, 12)))
    words = [check(later(dozen[0], 20, cpu), spread).outcome for cpu in (1.2, 1.6, 2.5)]
    assert words == ["within what this machine has shown", "inconclusive", "gross change"]


def test_holm_by_hand() -> None:
    found = adjusted_p([0.004, None, 0.03, 0.002, 0.02])
    assert found == [pytest.approx(0.012), None, pytest.approx(0.04), pytest.approx(0.008),
                     pytest.approx(0.04)]  # fmt: skip


def test_mistakes_end_in_words(tmp_path: Path, store: Path) -> None:
    (tmp_path / "file").write_text("")
    for words, said in (
        (("check", tmp_path / "none", "--store", store), "is not a run: it has no run.json"),
        (("list", "--store", tmp_path / "none"), "there is no store at"),
        (("page", "--store", tmp_path / "file"), "there is no store at"),
        (("page", "--store", tmp_path), "holds no run that can be read"),
        (("export", "--store", store, "--out", tmp_path / "file"), "cannot be written"),
        (("page", "--store", store, "--out", tmp_path / "file" / "p.html"), "cannot be written"),
        (("add", recorded(tmp_path, Vary()), "--store", tmp_path / "file"), "cannot be written"),
    ):
        done = call(*words)
        assert done.exit_code == 2, done.output
        assert said in done.stderr
        assert "Traceback" not in done.output


def test_the_page_shows_every_series_and_what_is_not_comparable(
    tmp_path: Path, store: Path, dozen: tuple[StoredRun, ...]
) -> None:
    add(store, later(dozen[0], 12, 1.5))
    add(store, later(dozen[0], 13, fingerprint={"python": "<b>3"}))
    add(store, later(dozen[0], 14, description={"kernel": "7.0"}))
    add(store, later(dozen[0], 15))
    (store / "broken.json").write_text("{")
    done = call("page", "--store", store, "--out", tmp_path / "page.html")
    assert done.exit_code == 0, done.output
    page = (tmp_path / "page.html").read_text().partition('<script type="application/octet')[0]
    assert "http://" not in page
    assert "https://" not in page
    assert "<b>3" not in page
    assert "refused" in page
    assert "capped" in page
    assert "broken.json" in page
    figures = re.findall(r'<script type="application/json">(.*?)</script>', page)
    assert len(figures) == page.count('<figure id="history-') == page.count("<details>") == 12
    band, limit, values = json.loads(figures[0])["data"]
    assert values["marker"]["symbol"][11:16] == ["circle", "circle", "x", "circle-open", "circle"]
    assert values["marker"]["color"][12] == "--bad"
    assert limit["y"][9] is None
    assert limit["y"][10] == band["y"][0] > band["y"][-2] > 0
    assert band["y"].count(None) == 2
    assert limit["y"][13] is None


def test_a_limit_drawn_is_that_of_the_runs_before(dozen: tuple[StoredRun, ...]) -> None:
    course = next(c for c in courses(dozen) if c.sut == SUT and c.metric.key == "cpu_ms")
    earlier = [point.figure.value for point in course.points[:11]]
    logs = np.log(earlier)  # type: ignore[arg-type]
    expected = np.exp(logs.mean() + 2.7638 * logs.std(ddof=1) * np.sqrt(1 + 1 / 11))
    limit = course.points[11].limit
    assert limit is not None
    assert limit.bound() == pytest.approx(max(expected, np.exp(logs.mean()) * 1.1), rel=1e-4)


def test_the_export_has_no_gaps_and_only_what_is_comparable(
    tmp_path: Path, store: Path, dozen: tuple[StoredRun, ...]
) -> None:
    document = json.loads(later(dozen[0], 12).model_dump_json())
    document["series"][1]["figures"][1]["value"] = None
    add(store, StoredRun.model_validate_json(json.dumps(document)))
    add(store, later(dozen[0], 0, created_utc="2026-11-01T00:00:00Z", version="0.0.9"))
    done = call("export", "--store", store, "--out", tmp_path / "csv")
    assert done.exit_code == 0, done.output
    assert "1 run left out" in done.output
    rows = list(csv.DictReader((tmp_path / "csv" / "monolith-default-40-rps.csv").open()))
    assert [row["revision"] for row in rows] == [f"{n:040x}" for n in range(13)]
    assert all(value for row in rows for value in row.values())
    assert "response_p50_ms" not in rows[0]
    gaps = tmp_path / "csv" / "monolith-default-40-rps-response_p50_ms.csv"
    assert len(list(csv.DictReader(gaps.open()))) == 12
    config = (tmp_path / "csv" / "otava.yaml").read_text()
    assert "cpu_ms: {column: cpu_ms, direction: -1}" in config
    assert "goodput_rps: {column: goodput_rps, direction: 1}" in config
    assert all(f'file: "{path.name}"' in config for path in tmp_path.glob("csv/*.csv"))
