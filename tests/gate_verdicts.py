"""Verdicts of every outcome, concluded from drawn pairs as a gate does: for what shows them."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from harness.pairs.record import CapacityReading, GateRecord, PairRecord, SideRecord
from harness.pairs.section import GateSection
from reports.estimate import Missing
from reports.gate.conclude import Shelf, conclude
from reports.gate.measured import BlockValues, PairMeasured
from reports.gate.metrics import BY_KEY
from reports.gate.verdict import MachineCitation, Verdict

PLANNED = 600
"""Requests a block."""
TYPICAL = {
    "cpu_ms": (14.2, 0.03),
    "response_p50_ms": (21.0, 0.06),
    "response_p95_ms": (48.0, 0.12),
    "goodput_rps": (39.6, 0.004),
    "pss_peak_mb": (312.0, 0.01),
    "start_up_s": (2.1, 0.08),
}
"""Metric -> its value, and the relative spread between blocks."""
ABSENT = {key: Missing("600 samples, 1,000 needed") for key in BY_KEY if key not in TYPICAL}
REDONE = {1: ("candidate: others used 0.380 of the SUT's cores (at most 0.05)",)}


def draw(key: str, n: int, worse: float, seed: int, spread: float) -> list[tuple[float, float]]:
    """Pairs of a metric whose candidate is truly worse by a share."""
    rng = np.random.default_rng([seed, *key.encode()])
    value, noise = TYPICAL[key]
    factor = 1 + worse if BY_KEY[key].better == "lower" else 1 / (1 + worse)
    pairs = value * np.exp(noise * spread * rng.normal(size=(n, 2))) * (1, factor)
    return [(float(base), float(changed)) for base, changed in pairs]


def measured(n: int, worse: Mapping[str, float], spread: float) -> list[PairMeasured]:
    """What the blocks gave; block 1 is the one that was redone, and p99 has too few samples."""
    found = {key: draw(key, n, worse.get(key, 0.0), 11, spread) for key in TYPICAL}
    blocks = [block for block in range(n + len(REDONE)) if block not in REDONE][:n]
    rng = np.random.default_rng(11)
    pairs = []
    for place, block in enumerate(blocks):
        sides = [
            BlockValues(
                values=ABSENT | {key: drawn[place][side] for key, drawn in found.items()},
                failed=int(rng.poisson(PLANNED * (0.002 + side * worse.get("error_share", 0.0)))),
                planned=PLANNED,
                wrong=0,
                compared=40,
                pressure={"outside_sut_cores": 0.012, "stolen_cores": 0.0},
            )
            for side in (0, 1)
        ]
        pairs.append(PairMeasured(block, *sides))
    return pairs


def made(
    n: int = 8,
    worse: Mapping[str, float] | None = None,
    spread: float = 1.0,
    inconclusive: Literal["fail", "warn"] = "fail",
    why_unfit: str = "",
    **more: Any,
) -> Verdict:
    """The verdict of a gate of ``n`` counted pairs whose candidate is worse by what is given."""
    record = GateRecord(
        gate_id="20261122-101500-gate-monolith",
        created_utc="2026-11-22T10:15:00+00:00",
        version="0.1.0",
        name=more.pop("name", "monolith"),
        kind=more.pop("kind", "gate"),
        section=GateSection(inconclusive=inconclusive),
        seed=1,
        sides=more.pop("sides", SIDES),
        rate_rps=40.0,
        capacity=CapacityReading(how="closed loop", capacity_rps=80.0, readings={4: (80.0, 0.05)}),
        pairs=played(n),
        status="unfit" if why_unfit else "complete",
        why_unfit=why_unfit,
        wall_s=733.0,
    )
    verdict = conclude(record, measured(n, worse or {}, spread), None, Shelf())
    assert not verdict.looks or verdict.looks[-1].pairs == n, "it would have ended before"
    return verdict.model_copy(
        update={
            "fingerprint": {"cpu_model": "Xeon", "sut_cores": "2", "python": "3.11.2"},
            "fingerprint_differs": {"numpy": ("2.4.5", "2.4.6")},
            "machine": MACHINE,
            "notes": ("The two environments differ in one package: numpy.",),
            **more,
        }
    )


SIDES = (
    SideRecord(
        name="baseline", kind="revision", label="main (1a2b3c4)", revision="1a2b3c4" + "0" * 33,
        sut="monolith:default", scenario="scenarios/gate.toml", run="baseline/r1",
    ),
    SideRecord(
        name="candidate", kind="working tree", label="the working tree",
        sut="monolith:default", scenario="scenarios/gate.toml", run="candidate/r1",
    ),
)  # fmt: skip
MACHINE = tuple(
    MachineCitation(key=key, gates=21, false_alarms=1, spread=noise * 1.4, detectable=1.08)
    for key, (_, noise) in TYPICAL.items()
)


def played(n: int) -> tuple[PairRecord, ...]:
    """Pairs in order; block 1 was disturbed and does not count."""
    pairs = []
    for block in range(n + 1):
        first: Literal["baseline", "candidate"] = "candidate" if block % 3 else "baseline"
        pairs.append(
            PairRecord(block=block, first=first, contaminated=REDONE.get(block, ()), wall_s=84.0)
        )
    return tuple(pairs)


def passed() -> Verdict:
    """Nothing is worse."""
    return made(6, spread=0.5)


def regressed() -> Verdict:
    """CPU per request and the median are a tenth worse."""
    return made(8, {"cpu_ms": 0.11, "response_p50_ms": 0.12, "goodput_rps": 0.02})


def inconclusive() -> Verdict:
    """Too noisy to say."""
    return made(16, {"response_p95_ms": 0.08}, spread=2.0)


def warned() -> Verdict:
    """The same, where that is asked to warn."""
    return made(16, {"response_p95_ms": 0.08}, spread=2.0, inconclusive="warn")


def unfit() -> Verdict:
    """Nothing counts: the sides cannot be compared, for two reasons."""
    refused = "requests: the two sides were asked for others\ncores: the baseline had 2, not 4"
    bare = {"pairs": (), "machine": (), "rate_rps": None, "capacity": None}
    return made(0, why_unfit=refused, **bare)


def disturbed() -> Verdict:
    """Measured, but too many pairs were redone."""
    return made(6, why_unfit="7 of 13 pairs were disturbed: more than a third")


def aa() -> Verdict:
    """Identical sides."""
    return made(6, spread=0.5, kind="aa", name="null_service")


def hostile() -> Verdict:
    """Labels that would break a table, a page or a comment."""
    label = "a|b `c` <script>alert(1)</script> @team *x* [y](z)\n| new row"
    sides = (SIDES[0].model_copy(update={"label": label}), SIDES[1])
    return made(6, spread=0.5, name="na--me> |", sides=sides, notes=(label,),
                fingerprint_differs={label: (label, "other")})  # fmt: skip
