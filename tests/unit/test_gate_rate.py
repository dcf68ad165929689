"""The rate of a gate: a share of what a closed loop shows the baseline to carry."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import ValidationError

from harness.pairs.record import CapacityReading
from harness.pairs.section import GateSection
from harness.scenario import Scenario
from reports.frames import Run, open_run
from reports.gate.rate import (
    MOST_SHARE,
    LoadTooHighError,
    NoCapacityError,
    capacity_from,
    ladder,
    rate_for,
)
from reports.slo import Slo
from tests.golden.report.simulated_run import MONOLITH, START_NS, Plan, simulate
from workloads.sample import Outcome, write_samples

STEADY_S = 4.0
WARM_UP_S = 1.0
KNOWN = CapacityReading(how="given", capacity_rps=200.0)


def scenario(**sections: dict[str, int]) -> Scenario:
    document = {"name": "one", "suts": ["monolith"], "load": {"rates": [10.0]}, **sections}
    return Scenario.model_validate(document)


def closed_run(folder: Path, clients: Sequence[int], *, failing: int = 0) -> Run:
    """A server that answers all who wait at once, in 4 ms and 2 ms for each of them.

    Args:
        failing: the concurrency at which every tenth request is refused; 0 is none.
    """
    plan = Plan(
        (MONOLITH,), (), 1, WARM_UP_S, STEADY_S, concurrency=tuple(clients), failed=frozenset()
    )
    simulate(folder, plan)
    run = open_run(folder)
    for record in run.trials:
        count = record.concurrency or 0
        cycle_ns = (4 + 2 * count) * 10**6
        cycles = range(int((WARM_UP_S + STEADY_S) * 1e9) // cycle_ns)
        sent = [START_NS + cycle * cycle_ns for cycle in cycles for _ in range(count)]
        refused = [count == failing and i % 10 == 0 for i in range(len(sent))]
        trial = folder / "trials" / record.place.directory
        for file in trial.glob("samples-*.parquet"):
            file.unlink()
        write_samples(
            trial / "samples-0.parquet",
            {
                "index": list(range(len(sent))),
                "worker": [0] * len(sent),
                "intended_ns": sent,
                "sent_ns": sent,
                "received_ns": [at + cycle_ns for at in sent],
                "outcome": [Outcome.HTTP_ERROR if no else Outcome.OK for no in refused],
                "status": [503 if no else 200 for no in refused],
                "response_bytes": [10] * len(sent),
                "server_timing": [None] * len(sent),
                "answer": [None] * len(sent),
            },
        )
    return run


def true_rps(clients: int) -> float:
    return clients / (4 + 2 * clients) * 1e3


@pytest.mark.parametrize(
    ("max_batch", "queue_bound", "cores", "expected"),
    [
        (16, 64, 1, (1, 2, 4, 8, 16)),
        (12, 64, 1, (1, 2, 4, 8, 12)),
        (16, 6, 1, (1, 2, 4, 6)),
        (1, 64, 1, (1, 2)),
        (1, 64, 4, (1, 2, 4, 8)),
        (1, 1, 1, (1,)),
    ],
)
def test_the_ladder_doubles_up_to_a_whole_batch(
    max_batch: int, queue_bound: int, cores: int, expected: tuple[int, ...]
) -> None:
    policy = {"max_batch": max_batch, "queue_bound": queue_bound}
    assert ladder(scenario(policy=policy, budget={"cores": cores})) == expected


def test_capacity_is_the_greatest_throughput_that_keeps_the_slo(tmp_path: Path) -> None:
    run = closed_run(tmp_path / "run", (1, 2, 4, 8))
    found = capacity_from(run, Slo(0.015, 95.0, 0.01))
    assert found.how == "closed loop"
    assert found.capacity_rps == pytest.approx(true_rps(4), rel=0.02)
    assert set(found.readings) == {1, 2, 4, 8}
    for clients, (rate, response_s) in found.readings.items():
        assert rate == pytest.approx(true_rps(clients), rel=0.02)
        assert response_s == pytest.approx((4 + 2 * clients) / 1e3)


def test_what_sheds_more_than_the_slo_allows_is_not_carried(tmp_path: Path) -> None:
    run = closed_run(tmp_path / "run", (1, 2, 4), failing=4)
    slo = Slo(0.1, 50.0, 0.01)
    assert capacity_from(run, slo).capacity_rps == pytest.approx(true_rps(2), rel=0.02)


def test_a_baseline_that_never_keeps_its_slo_is_told_so(tmp_path: Path) -> None:
    run = closed_run(tmp_path / "run", (1, 2))
    with pytest.raises(NoCapacityError, match=r"not even with one client.*p95 6 ms.*loosen"):
        capacity_from(run, Slo(0.005, 95.0, 0.01))


def test_a_baseline_that_could_not_be_played_is_told_so(tmp_path: Path) -> None:
    failed = frozenset({(0, 0, MONOLITH.key)})
    simulate(tmp_path, Plan((MONOLITH,), (), 1, concurrency=(1,), failed=failed))
    with pytest.raises(NoCapacityError, match=r"did not start.*gate\.capacity_rps"):
        capacity_from(open_run(tmp_path), Slo(0.015, 95.0, 0.01))


def test_a_share_is_offered_unless_a_rate_is_given() -> None:
    assert rate_for(GateSection(), KNOWN) == 100.0
    assert rate_for(GateSection(share=0.3), KNOWN) == pytest.approx(60.0)
    assert rate_for(GateSection(rate_rps=42.0), KNOWN) == 42.0
    assert rate_for(GateSection(rate_rps=42.0), None) == 42.0


def test_a_rate_too_near_the_limit_is_refused() -> None:
    assert rate_for(GateSection(rate_rps=MOST_SHARE * 200.0), KNOWN) == 130.0
    with pytest.raises(LoadTooHighError, match=r"140 is 70% of .*200 rps, given.*at most 130"):
        rate_for(GateSection(rate_rps=140.0), KNOWN)


def test_without_a_rate_and_a_capacity_there_is_nothing_to_offer() -> None:
    with pytest.raises(NoCapacityError, match=r"gate\.rate_rps and gate\.capacity_rps"):
        rate_for(GateSection(), None)


def test_no_scenario_may_ask_for_a_larger_share() -> None:
    assert GateSection(share=MOST_SHARE).share == MOST_SHARE
    with pytest.raises(ValidationError):
        GateSection(share=MOST_SHARE + 1e-6)
