"""MLPerf LoadGen and our generator, at the same SUT, in the same sitting, turn by turn.

LoadGen times a request from its scheduled start, as we do, and its early-stopping rule is the one
our capacity search uses: an independent program ought to read the same numbers.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from architectures.contract import graph_path
from architectures.spec import Variant
from harness.environment import Cores
from tests.selfbench.native import pinned
from tests.selfbench.referee_client import Question
from tests.selfbench.rig import GRAPH, WARM_UP_S, Bed, make_bed, our_trial, standing
from tests.selfbench.rows import Row, medians


@dataclass(frozen=True, slots=True)
class Match:
    """What both are played at."""

    sut: str
    rate_rps: float
    variant: Variant | None = None


EQUAL_RATE = (
    Match(
        "null_service",
        100.0,
        Variant("exponential", "", {"law": "exponential", "mean_s": 0.05}),
    ),
    Match("monolith", 60.0),
)
"""A SUT whose delays are known, and a real one at about a third of its capacity."""


def equal_rate(cores: Cores, rounds: int, seconds: float) -> list[Row]:
    """Response times at the same offered rate: medians over rounds, and their ratio."""
    with TemporaryDirectory() as folder:
        bed = make_bed(Path(folder), cores)
        rows = [
            row
            for round_ in range(rounds)
            for match in EQUAL_RATE
            for row in _both(bed, match, seconds, round_)
        ]
    return _with_ratios(medians(rows, ("sut", "tool")))


def _both(bed: Bed, match: Match, seconds: float, round_: int) -> Iterator[Row]:
    """Each on a fresh deployment: a known SUT then repeats its delays. Who is first alternates."""
    tools = [("servebench", _ours), ("LoadGen", _loadgen)]
    for name, play in tools if round_ % 2 else reversed(tools):
        with standing(bed, match.sut, match.variant) as up:
            p50_ms, p99_ms = play(bed, up.url, match.rate_rps, seconds, 100 + round_)
        yield {
            "sut": match.sut,
            "tool": name,
            "offered_rps": match.rate_rps,
            "p50_ms": p50_ms,
            "p99_ms": p99_ms,
        }


def _ours(bed: Bed, url: str, rate_rps: float, seconds: float, seed: int) -> tuple[float, float]:
    response_ms = our_trial(bed, url, rate_rps, seconds, seed).response_ms
    p50, p99 = np.percentile(response_ms, (50, 99))
    return float(p50), float(p99)


def _loadgen(bed: Bed, url: str, rate_rps: float, seconds: float, seed: int) -> tuple[float, float]:
    # LoadGen has no warm-up of its own: a short throw-away play is ours to give.
    ask_loadgen(bed, url, rate_rps, WARM_UP_S, seed)
    seen = ask_loadgen(bed, url, rate_rps, seconds, seed)
    return seen["p50_ms"], seen["p99_ms"]


def ask_loadgen(
    bed: Bed,
    url: str,
    rate_rps: float,
    seconds: float,
    seed: int,
    *,
    slo_s: float = 0.2,
    percentile: float = 99.0,
) -> dict[str, Any]:
    """One play of LoadGen's Server scenario, from our generator's core."""
    question = Question(
        url, graph_path(GRAPH), str(bed.payloads), rate_rps, seconds, slo_s, percentile, seed
    )
    words = (sys.executable, "-m", "tests.selfbench.referee_client", json.dumps(asdict(question)))
    done = subprocess.run(
        pinned(bed.cores.harness[0], *words), stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _with_ratios(rows: list[Row]) -> list[Row]:
    """A row more for each SUT: ours over LoadGen's."""
    by = {(row["sut"], row["tool"]): row for row in rows}
    ratios = [
        {
            "sut": match.sut,
            "tool": "servebench / LoadGen",
            **{
                name: by[match.sut, "servebench"][name] / by[match.sut, "LoadGen"][name]
                for name in ("p50_ms", "p99_ms")
            },
        }
        for match in EQUAL_RATE
    ]
    return rows + ratios
