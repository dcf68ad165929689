"""MLPerf LoadGen, which nobody here wrote, reads the same times at the same SUT."""

import os
from pathlib import Path

import pytest

from architectures.spec import Variant
from harness.environment import assign_cores
from tests.selfbench.referee import ask_loadgen
from tests.selfbench.rig import make_bed, our_trial, standing

pytestmark = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="the SUT and the generator need a core each"
)

DELAY_S = 0.06
"""Long enough that a crowded machine's wake-ups are a small part of it."""


def test_loadgen_and_we_read_the_same_median(tmp_path: Path) -> None:
    bed = make_bed(tmp_path, assign_cores(1))
    delayed = Variant("delayed", "", {"mean_s": DELAY_S})
    ratios = []
    for seed in range(3):
        with standing(bed, "null_service", delayed) as up:
            theirs = ask_loadgen(bed, up.url, 40.0, 2.0, seed)
            ours = our_trial(bed, up.url, 40.0, 2.0, seed)
        assert theirs["failed"] == 0
        assert theirs["completed_rps"] > 0
        assert len(ours.response_ms) == ours.planned
        middle = sorted(ours.response_ms)[len(ours.response_ms) // 2]
        assert middle > DELAY_S * 1e3
        assert theirs["p50_ms"] > DELAY_S * 1e3
        ratios.append(middle / theirs["p50_ms"])
    assert 0.95 < sorted(ratios)[1] < 1.05, ratios


def test_loadgens_verdict_is_the_objectives(tmp_path: Path) -> None:
    bed = make_bed(tmp_path, assign_cores(1))
    delayed = Variant("delayed", "", {"mean_s": DELAY_S})
    with standing(bed, "null_service", delayed) as up:
        kept = ask_loadgen(bed, up.url, 60.0, 2.0, 1, slo_s=10 * DELAY_S, percentile=90.0)
        missed = ask_loadgen(bed, up.url, 60.0, 2.0, 1, slo_s=DELAY_S / 2, percentile=90.0)
    assert kept["valid"]
    assert not missed["valid"]
