"""What a web session's page shows beside Locust's own figures, from known readings."""

import math
import os
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from time import process_time

import pytest

from harness.capacity.early_stopping import needed
from harness.capacity.verdict import Objective
from harness.drive import Counts
from harness.live.board import Board, Lately
from harness.live.inside import Inside, in_flight
from harness.live.objective import state, within
from harness.live.tabs import (
    Ended,
    Health,
    Playing,
    Used,
    attempts,
    components,
    generator,
    nothing_yet,
    slo,
)
from harness.usage import GENERATOR, Target, Usage
from tests.foreign import listening
from tests.waiting import until
from workloads.panels import Panel, read_panels

OBJECTIVE = Objective(percentile=90, response_time_s=0.25, error_ratio=0.01, confidence=0.99)
USED = (
    Used("server", 2, 0.5, 30e6),
    Used("server/worker-1", 1, 0.25, 20e6),
    Used(GENERATOR, 3, 0.125, 90e6),
)


def by(panel: Panel, key: str) -> dict[str, dict[str, object]]:
    return {str(row[key]): row for row in panel.rows}


def test_the_sut_is_added_up_and_the_generator_is_none_of_it() -> None:
    rows = by(components(USED, 7), "component")
    assert list(rows) == ["all together", "server", "server/worker-1"]
    assert rows["all together"] == {
        "component": "all together",
        "cores": 0.75,
        "pss_mb": 50.0,
        "processes": 3,
        "inside": 7,
    }
    assert rows["server"]["inside"] is None


def test_memory_that_was_not_read_of_all_has_no_total() -> None:
    rows = by(components((USED[0], Used("other", 1, 0.1, None)), None), "component")
    assert rows["all together"]["pss_mb"] is None
    assert rows["all together"]["cores"] == 0.6


def test_the_generators_health_is_told_and_what_is_not_known_is_not() -> None:
    playing = Playing("poisson 20 rps", health=Health(1.234, 5, 6))
    now = {name: row["now"] for name, row in by(generator(USED, playing), "figure").items()}
    assert list(now.values()) == [1.23, 6, 5, 0.12]
    before = by(generator((), Playing()), "figure")
    assert before["Schedule lag, p99 (ms)"]["now"] is None


@pytest.mark.parametrize(
    ("ended", "missed", "expected"),
    [
        (0, 0, "too early to tell"),
        (needed(90, 0) - 1, 0, "too early to tell"),
        (needed(90, 0), 0, "kept"),
        (needed(90, 5), 5, "kept"),
        (needed(90, 5) - 1, 5, "too early to tell"),
        (20, 10, "missed"),
        (0, 10, "missed"),  # overdue, and not ended yet
        (1000, 100, "too early to tell"),
    ],
)
def test_the_state_is_that_of_the_rule_for_probes(ended: int, missed: int, expected: str) -> None:
    counts = Counts(ended, missed)
    assert state(OBJECTIVE, counts) == expected
    (row,) = slo(OBJECTIVE, Playing("constant 5 rps", counts)).rows
    assert row["state"] == expected
    assert row["objective"] == "p90 <= 250 ms"


def test_the_share_within_counts_what_is_overdue() -> None:
    assert within(Counts(0, 0)) is None
    assert within(Counts(10, 1)) == pytest.approx(0.9)
    assert within(Counts(0, 3)) == 0


def test_attempts_are_listed_the_last_one_first() -> None:
    rows = attempts((Ended("a", "came", "kept"), Ended("b", "came", "missed"))).rows
    assert [(row["number"], row["asked"]) for row in rows] == [(2, "b"), (1, "a")]


def test_every_row_has_the_columns_of_its_tab_and_nothing_else() -> None:
    for panel in (*nothing_yet(OBJECTIVE), components(USED, 1), attempts((Ended("a", "b", "c"),))):
        for row in panel.rows:
            assert set(row) <= set(panel.columns)
            assert not any(isinstance(v, float) and math.isnan(v) for v in row.values())


def test_the_board_writes_its_tabs_at_once_and_then_again(tmp_path: Path) -> None:
    path, turns = tmp_path / "panels.json", iter(range(100))
    with Board(path, lambda: (Panel("a", "A", {"n": "N"}, ({"n": next(turns)},)),)):
        assert read_panels(path)[0].rows == ({"n": 0},)
        until(lambda: read_panels(path)[0].rows[0]["n"] == 1)
    assert [thread.name for thread in threading.enumerate() if thread.name == "board"] == []


@pytest.fixture
def usage() -> Iterator[Usage]:
    reading = Usage((Target({"mine": os.getpid()}),))
    yield reading
    reading.close()


def mine(found: Sequence[Used]) -> list[Used]:
    """Our own: other tests may have left this process children with components of their own."""
    return [one for one in found if one.component == "mine"]


def test_what_a_component_used_of_late_is_read_from_usage_alone(usage: Usage) -> None:
    lately = Lately()
    assert lately.of(usage) == ()
    usage.read(whole=True)
    (one,) = mine(lately.of(usage))
    assert one.cores is None
    assert one.pss_bytes is not None
    assert one.pss_bytes > 1e6
    end_s = process_time() + 0.1
    while process_time() < end_s:
        pass
    usage.read()  # without memory, which is read more seldom
    (two,) = mine(lately.of(usage))
    assert two.pss_bytes == one.pss_bytes
    assert two.cores is not None
    first, last = (row for row in usage.table().to_pylist() if row["component"] == "mine")
    spent_s = (last["t_ns"] - first["t_ns"]) / 1e9
    assert two.cores * spent_s == pytest.approx(last["cpu_s"] - first["cpu_s"])
    assert two.cores > 0


def test_the_tail_of_usage_is_the_end_of_its_table(usage: Usage) -> None:
    for _ in range(3):
        usage.read(whole=True)
    whole = usage.table().to_pylist()
    for row, same in zip(usage.tail(2), whole[-len(usage.tail(2)) :], strict=True):
        assert {key: value for key, value in same.items() if value is not None} == {
            key: value for key, value in row.items() if value is not None
        }


PAGE = """# HELP servebench_in_flight Requests admitted and not yet answered.
# TYPE servebench_in_flight gauge
servebench_in_flight 3.0
# TYPE servebench_requests counter
servebench_requests_total{graph="tag",status="200"} 9.0
"""


class Metrics(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = PAGE.encode() if self.path == "/metrics" else b""
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_what_the_sut_holds_is_what_its_metrics_say() -> None:
    assert in_flight(PAGE) == 3
    assert in_flight("# nothing of ours\nother 1\n") is None
    with listening(Metrics) as url, Inside(url) as inside:
        assert until(inside.requests) == 3
    with Inside("http://127.0.0.1:9") as silent:
        assert silent.requests() is None
