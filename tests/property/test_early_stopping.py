"""LoadGen's rule: its published table, what the rule means, and LoadGen itself."""

import queue
import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from harness.capacity.early_stopping import NONE, allowed, needed, refuted

lg = pytest.importorskip("mlperf_loadgen")

LIMIT_S = 0.5
MISSES = (0, 1, 2, 5, 10, 50, 100, 500)
TABLE = {
    90.0: (44, 64, 81, 127, 197, 681, 1246, 5518),
    95.0: (90, 130, 165, 259, 398, 1372, 2504, 11064),
    99.0: (459, 662, 838, 1307, 2010, 6898, 12571, 55427),
    99.9: (4603, 6636, 8403, 13105, 20140, 69058, 125826, 554510),
}
ONE_MISS = {50: 11, 75: 24, 80: 31, 90: 64, 95: 130, 97: 219, 99: 662, 99.9: 6636}

percentiles = st.sampled_from([50.0, 75.0, 90.0, 95.0, 99.0, 99.9])
confidences = st.sampled_from([0.8, 0.9, 0.95, 0.99])


@pytest.mark.parametrize("percentile", TABLE)
def test_is_the_published_table(percentile: float) -> None:
    assert tuple(needed(percentile, misses) for misses in MISSES) == TABLE[percentile]


def test_one_miss_is_the_floor_that_endpoints_publishes() -> None:
    assert {p: needed(p, 1) for p in ONE_MISS} == ONE_MISS


@given(percentiles, st.integers(0, 60), confidences)
def test_needed_is_the_first_that_a_binomial_finds_improbable(
    percentile: float, misses: int, confidence: float
) -> None:
    """Against scipy's binomial, which is written without the incomplete beta's arguments here."""
    n = needed(percentile, misses, confidence)
    share = 1 - percentile / 100
    assert binom.cdf(misses, n, share) <= 1 - confidence + 1e-12
    assert binom.cdf(misses, n - 1, share) > 1 - confidence - 1e-12


@given(percentiles, st.integers(0, 20_000), confidences)
def test_allowed_is_the_inverse_of_needed(
    percentile: float, samples: int, confidence: float
) -> None:
    most = allowed(percentile, samples, confidence)
    assert needed(percentile, most + 1, confidence) > samples
    if most != NONE:
        assert needed(percentile, most, confidence) <= samples


@given(percentiles, st.integers(1, 5000), st.data())
def test_what_is_allowed_is_never_refuted(
    percentile: float, samples: int, data: st.DataObject
) -> None:
    misses = data.draw(st.integers(0, samples))
    tail = binom.sf(misses - 1, samples, 1 - percentile / 100)
    assert refuted(percentile, samples, misses) == (tail <= 0.01) or tail == pytest.approx(0.01)
    if misses <= allowed(percentile, samples):
        assert not refuted(percentile, samples, misses)


class LateAtFirst:
    """A SUT for LoadGen that keeps the first few queries back for longer than it should."""

    def __init__(self, late: int) -> None:
        self._late = late
        self._asked: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._answer)

    def __enter__(self) -> Any:
        self._thread.start()
        self._sut = lg.ConstructSUT(
            lambda queries: [self._asked.put(query.id) for query in queries],
            lambda: self._asked.put(None),
        )
        return self._sut

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        lg.DestroySUT(self._sut)

    def _answer(self) -> None:
        kept = [self._asked.get() for _ in range(self._late)]
        while (query := self._asked.get()) is not None:
            lg.QuerySamplesComplete([lg.QuerySampleResponse(query, 0, 0)])
        time.sleep(1.2 * LIMIT_S)
        lg.QuerySamplesComplete([lg.QuerySampleResponse(query, 0, 0) for query in kept])


def loadgen_needs(percentile: float, late: int, folder: Path) -> int:
    """What LoadGen says after a run of few queries, of which the first few are late."""
    settings = lg.TestSettings()
    settings.scenario, settings.mode = lg.TestScenario.Server, lg.TestMode.PerformanceOnly
    settings.server_target_qps = 20_000
    settings.server_target_latency_ns = int(LIMIT_S * 1e9)
    settings.server_target_latency_percentile = percentile / 100
    settings.min_query_count = settings.max_query_count = 40
    settings.min_duration_ms = 0
    output, logs = lg.LogOutputSettings(), lg.LogSettings()
    output.outdir = str(folder)
    logs.log_output, logs.enable_trace = output, False
    library = lg.ConstructQSL(4, 4, lambda _: None, lambda _: None)
    with LateAtFirst(late) as sut:
        lg.StartTestWithLogSettings(sut, library, settings, logs, str(folder / "no-audit.config"))
    lg.DestroyQSL(library)
    said = (folder / "mlperf_log_summary.txt").read_text()
    counts = re.findall(r"(?:Processed|at least) (\d+)", said)
    assert len(counts) == 2, said
    return sum(map(int, counts))


@pytest.mark.parametrize(
    ("percentile", "late"), [(90.0, 0), (99.0, 0), (99.9, 0), (90.0, 1), (99.0, 2), (99.0, 5)]
)
def test_loadgen_itself_asks_for_as_many(percentile: float, late: int, tmp_path: Path) -> None:
    assert loadgen_needs(percentile, late, tmp_path) == needed(percentile, late)
