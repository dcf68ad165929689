"""One trial in which the database is locked and the feature store goes away: both come back."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from architectures import backends, catalog
from harness.backends import standing
from harness.bench import Bench
from harness.environment import assign_cores
from harness.plans import steps_of, write_plans
from harness.record import PlayedEvent, Sut, TrialRecord
from harness.run_directory import RunDirectory
from harness.scenario_file import read_scenario
from harness.schedule import schedule
from harness.turn import play_turn
from workloads.payloads import read_payloads, write_payloads
from workloads.sample import read_samples

SCENARIO = f"""
name = "ledger"
suts = ["monolith"]
[ensemble]
module = "ledger"
tier = "plain"
graph = "write"
search_path = ["{Path(__file__).parents[1] / "second_ensemble"}"]
[budget]
memory_gib = 2
[load]
workload = "constant"
rates = [40]
warm_up_s = 1
steady_s = 3
drain_s = 2
payloads = 6
answer_every = 1
[slo]
response_time_s = 2
[[events]]
at = 0.1
to = "database"
body = {{ lock = true }}
until = 0.4
[[events]]
at = 0.55
to = "features"
body = {{ refuse = true, reset = true }}
until = 0.85
"""
GOLDEN = RunDirectory(Path(__file__).parents[1] / "golden" / "record" / "version-1")

pytestmark = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="the SUT and the generator need a core each"
)


class Seen(NamedTuple):
    trial: TrialRecord
    rows: list[dict[str, Any]]
    record: str


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Seen:
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv(backends.DATABASE_VARIABLE, raising=False)
        environment.setenv(backends.FEATURES_VARIABLE, redis_url)
        return played(tmp_path_factory.mktemp("ledger"))


def played(folder: Path) -> Seen:
    """As `harness run` plays a trial, without a ceiling before it: the rate is a number."""
    path = folder / "ledger.toml"
    path.write_text(SCENARIO)
    scenario, directory, cores = read_scenario(path), RunDirectory(folder / "run"), assign_cores(1)
    (directory.path / "plans").mkdir(parents=True)
    payloads = read_payloads(GOLDEN.payloads)
    write_payloads(directory.payloads, payloads)
    steps = steps_of(scenario, None)
    write_plans(scenario, steps, directory)
    architecture, variant = catalog.parse("monolith")
    sut = Sut(
        key="monolith", architecture="monolith", variant=variant.name, summary="", answers=True
    )
    (turn,) = schedule([sut], len(steps), 1, 1)
    with standing(scenario, cores.harness, directory.path) as beside:
        bench = Bench(
            scenario,
            cores,
            directory,
            payloads,
            {},
            steps,
            None,
            varying=frozenset({"write"}),
            backends=beside,
        )
        (trial,) = play_turn(bench, turn, (architecture, variant), lambda *_: None)
    assert trial.outcome == "ok", trial.error
    files = sorted(directory.trial(trial.place).glob("samples-*.parquet"))
    directory.save_trial(trial)
    record = (directory.trial(trial.place) / "trial.json").read_text()
    return Seen(trial, read_samples(files).to_pylist(), record)


def test_each_fault_is_recorded_with_its_end(seen: Seen, redis_url: str) -> None:
    assert [(e.event, e.ends, e.to, e.body, e.error) for e in seen.trial.events] == [
        (0, False, "database", {"lock": True}, None),
        (0, True, "database", {}, None),
        (1, False, "features", {"refuse": True, "reset": True}, None),
        (1, True, "features", {}, None),
    ]
    lock, unlock, gone, back = (event.answer for event in seen.trial.events)
    assert (lock, unlock) == ({"lock": True}, {"lock": False})
    assert (gone["refuse"], gone["connections"], back["refuse"]) == (True, 0, False)
    codes = {reason.code for reason in seen.trial.reasons}
    assert not {"event_failed", "errors", "no_steady_state"} & codes
    assert redis_url.partition("@")[0].removeprefix("redis://:") not in seen.record
    assert "redis://" not in seen.record


def test_a_locked_database_is_a_503_and_a_200_after(seen: Seen) -> None:
    within, without = told(seen.rows, seen.trial.events[:2], lambda row: row["status"])
    assert within == {503}
    assert without == [{200}, {200}]


def test_a_feature_store_that_refuses_is_a_default_and_read_after(seen: Seen) -> None:
    rows = [row for row in seen.rows if row["status"] == 200]
    within, without = told(
        rows, seen.trial.events[2:], lambda row: json.loads(row["answer"])["features"]
    )
    assert within == {"default"}
    assert without == [{"stored"}, {"stored"}]


def told(
    rows: Sequence[dict[str, Any]],
    fault: Sequence[PlayedEvent],
    read: Callable[[dict[str, Any]], object],
) -> tuple[set[object], list[set[object]]]:
    """What was answered wholly within a fault's time; and wholly before it, and after."""
    begin, end = fault
    assert begin.sent_ns
    assert begin.received_ns
    assert end.sent_ns
    assert end.received_ns
    within, before, after = set(), set(), set()
    for row in rows:
        if row["received_ns"] <= begin.sent_ns:
            before.add(read(row))
        if row["sent_ns"] >= begin.received_ns and row["received_ns"] <= end.sent_ns:
            within.add(read(row))
        if row["sent_ns"] >= end.received_ns:
            after.add(read(row))
    return within, [before, after]
