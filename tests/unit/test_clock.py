"""The distance of two clocks, from exchanges whose truth is known."""

import json
import random
from pathlib import Path

import pytest

from workloads.clock import (
    SAME_CLOCK,
    ClockOffset,
    Exchange,
    clock_record,
    measured,
    sign_report,
    to_conductors_clock,
)
from workloads.sample import Outcome, read_samples, write_samples


def exchange(offset_ns: int, there_ns: int, back_ns: int, asked_ns: int = 10**9) -> Exchange:
    """As a clock ``offset_ns`` ahead would answer after 700 ns of its own."""
    heard_ns = asked_ns + there_ns + offset_ns
    return Exchange(asked_ns, heard_ns, heard_ns + 700, asked_ns + there_ns + 700 + back_ns)


def test_equal_ways_give_the_offset_exactly() -> None:
    assert exchange(-(10**12), 5000, 5000).offset_ns == -(10**12)
    assert exchange(3, 5000, 5000).round_trip_ns == 10_000


@pytest.mark.parametrize("offset_ns", [-(10**12), -1, 0, 17, 10**15])
@pytest.mark.parametrize("seed", range(20))
def test_the_truth_is_within_the_uncertainty(offset_ns: int, seed: int) -> None:
    """Whatever the ways take: all of the round trip may be one of them."""
    draw = random.Random(seed)
    ways = [(draw.randrange(10**6), draw.randrange(10**6)) for _ in range(40)]
    if seed == 0:
        ways = [(10**6, 0)]
    found = measured(exchange(offset_ns, *way) for way in ways)
    assert abs(found.offset_ns - offset_ns) <= found.uncertainty_ns
    assert found.uncertainty_ns <= min(sum(way) for way in ways) / 2 + 1
    assert found.exchanges == len(ways)


def test_the_shortest_exchange_is_believed() -> None:
    found = measured([exchange(50, 10**6, 0), exchange(50, 200, 200), exchange(50, 0, 10**6)])
    assert found == ClockOffset(50, 201, 3)


def test_no_exchange_is_no_offset() -> None:
    with pytest.raises(ValueError, match="empty"):
        measured([])


def test_drift_is_what_the_offset_moved() -> None:
    record = clock_record(ClockOffset(-100, 5, 40), ClockOffset(-70, 9, 40))
    assert (record.drift_ns, record.offset_ns, record.uncertainty_after_ns) == (30, -100, 9)
    assert clock_record(SAME_CLOCK, SAME_CLOCK).drift_ns == 0


def test_readings_move_and_what_is_none_stays_none(tmp_path: Path) -> None:
    samples, report = tmp_path / "samples-1.parquet", tmp_path / "generator-1.json"
    rows = {
        "index": [1, 3],
        "worker": [1, 1],
        "intended_ns": [2000, 3000],
        "sent_ns": [2100, 0],
        "received_ns": [2900, 0],
        "outcome": [int(Outcome.OK), int(Outcome.DROPPED)],
        "status": [200, 0],
        "response_bytes": [4, 0],
        "server_timing": ["a;dur=1", None],
        "answer": [b"x", None],
    }
    write_samples(samples, rows)
    report.write_text(json.dumps({"start_ns": 1000, "drained_ns": 4000, "planned": 2}))
    clock = clock_record(ClockOffset(-500, 5, 40), ClockOffset(-490, 5, 40))
    sign_report(report, "elsewhere", clock, remote=True)
    to_conductors_clock(samples, report)
    moved = read_samples([samples]).to_pydict()
    assert moved == rows | {
        "intended_ns": [1500, 2500],
        "sent_ns": [1600, 0],
        "received_ns": [2400, 0],
    }
    told = json.loads(report.read_text())
    assert (told["start_ns"], told["drained_ns"], told["planned"]) == (500, 3500, 2)
    assert (told["host"], told["remote"], told["clock"]["drift_ns"]) == ("elsewhere", True, 10)
