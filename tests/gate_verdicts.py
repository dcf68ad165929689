"""Verdicts of every outcome, made from drawn pairs as a gate would: for what shows them."""

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from scipy import stats

from harness.pairs.record import CapacityReading, PairRecord, SideRecord
from reports.gate.metrics import BY_KEY, GateMetric
from reports.gate.verdict import (
    EXIT_CODES,
    Look,
    MachineCitation,
    Outcome,
    PairValues,
    Robust,
    Row,
    Verdict,
    Word,
)

NOMINAL = 0.017
LOOKS = (6, 8, 10, 12, 14, 16)
TYPICAL = {
    "cpu_ms": (14.2, 0.03),
    "response_p50_ms": (21.0, 0.06),
    "response_p95_ms": (48.0, 0.12),
    "response_p99_ms": (96.0, 0.3),
    "goodput_rps": (39.6, 0.004),
    "error_share": (0.002, 0.001),
    "pss_peak_mb": (312.0, 0.01),
    "start_up_s": (2.1, 0.08),
}
"""Metric -> its value, and the spread between blocks: relative, but for shares."""
REDONE = {1: ("other processes took 38 % of the CPU (limit 25 %)",)}


def drawn(key: str, n: int, worse: float, seed: int, spread: float) -> tuple[PairValues, ...]:
    """Pairs of a metric whose candidate is truly worse by a share (or, of shares, by points)."""
    rng = np.random.default_rng([seed, *key.encode()])
    value, noise = TYPICAL[key]
    noise *= spread
    metric = BY_KEY[key]
    pairs = []
    for place in range(n):
        shaken = rng.normal(size=2)
        if metric.kind == "difference":
            base, changed = np.abs(value + noise * shaken) + np.array([0.0, worse])
        else:
            factor = 1 + worse if metric.better == "lower" else 1 / (1 + worse)
            base, changed = value * np.exp(noise * shaken) * (1, factor)
        block = place if place < 1 else place + 1  # block 1 is the one that was redone
        pairs.append(PairValues(block=block, baseline=float(base), candidate=float(changed)))
    return tuple(pairs)


def row(metric: GateMetric, pairs: tuple[PairValues, ...], rank: int, family: int) -> Row:
    """A metric judged by the paired t interval; Holm's level by the rank that is given."""
    base = np.array([pair.baseline for pair in pairs], dtype=float)
    changed = np.array([pair.candidate for pair in pairs], dtype=float)
    if metric.better == "higher":
        base, changed = changed, base
    ratio = metric.kind == "ratio"
    change = np.log(changed / base) if ratio else changed - base
    n, mean, spread = len(change), change.mean(), change.std(ddof=1)
    error = spread / math.sqrt(n)
    back = math.exp if ratio else float
    level = NOMINAL / (family - rank + 1)

    def bound(at: float) -> float:
        return back(mean + stats.t.ppf(at, n - 1) * error)

    low, high, holm_low = bound(NOMINAL), bound(1 - NOMINAL), bound(level)
    none = 1.0 if ratio else 0.0
    word: Word = "inconclusive"
    if high < none + metric.margin:
        word = "pass"
    elif holm_low > none:
        word = "regression"
    gating = metric.key != "response_p99_ms"
    return Row(
        key=metric.key, name=metric.name, unit=metric.unit, better=metric.better, kind=metric.kind,
        gating=gating, why_not="" if gating else "600 requests a block do not carry it",
        margin=metric.margin, pairs=pairs, n=n, estimate=back(mean), low=low, high=high,
        holm_low=holm_low, p=float(stats.t.sf(mean / error, n - 1)),
        holm_rank=rank if gating else None, holm_level=level if gating else None,
        spread=float(spread), detectable=back(3.2 * error),
        pairs_needed=math.ceil((3.2 * spread / math.log1p(metric.margin)) ** 2) + 1,
        robust=Robust(
            estimate=back(float(np.median(change))), p=0.012, agrees=metric.key != "start_up_s"
        ),
        word=word, says=f"{metric.name}: {word}.",
    )  # fmt: skip


def answers(n: int) -> Row:
    """Wrong answers, of which there are none: no margin, no bounds, no place among the ranks."""
    blocks = (block for block in range(n + 1) if block not in REDONE)
    pairs = tuple(PairValues(block=block, baseline=0.0, candidate=0.0) for block in blocks)
    return Row(
        key="wrong_share", name="Wrong answers", unit="share", better="lower", kind="difference",
        gating=True, margin=0.0, pairs=pairs, n=n, estimate=0.0, word="pass",
        says="no answer differs from its reference",
    )  # fmt: skip


def made(
    n: int = 8,
    worse: Mapping[str, float] | None = None,
    spread: float = 1.0,
    outcome: Outcome | None = None,
    inconclusive: Literal["fail", "warn"] = "fail",
    **more: Any,
) -> Verdict:
    """A verdict of a gate of ``n`` counted pairs whose candidate is worse by what is given."""
    worse = worse or {}
    found = {key: drawn(key, n, worse.get(key, 0.0), 7, spread) for key in TYPICAL}
    first = [row(BY_KEY[key], pairs, 1, 7) for key, pairs in found.items()]
    ranked = sorted((one for one in first if one.gating), key=lambda one: one.p or 0.0)
    ranks = {one.key: rank for rank, one in enumerate(ranked, 1)}
    rows = tuple(row(BY_KEY[k], pairs, ranks.get(k, 1), 7) for k, pairs in found.items())
    rows += (answers(n),)
    words = {one.key: one.word for one in rows if one.gating}
    judged: Word = "pass"
    if "regression" in words.values():
        judged = "regression"
    elif "inconclusive" in words.values():
        judged = "inconclusive"
    last: Outcome = outcome or judged
    early: dict[str, Word] = dict.fromkeys(words, "inconclusive")
    looks = tuple(
        Look(pairs=at, outcome=judged if at == n else "inconclusive",
             words=words if at == n else early)
        for at in LOOKS if at <= n
    )  # fmt: skip
    warned = last == "inconclusive" and inconclusive == "warn"
    return Verdict(
        gate_id="20261122-101500-a1b2", created_utc="2026-11-22T10:15:00.123456+00:00",
        version="0.1.0", name=more.pop("name", "monolith"), kind=more.pop("kind", "gate"),
        outcome=last, exit_code=0 if warned else EXIT_CODES[last], inconclusive=inconclusive,
        words=more.pop("words", f"{last.capitalize()} after {n} pairs."),
        sides=more.pop("sides", SIDES), rate_rps=40.0,
        capacity=CapacityReading(how="closed loop", capacity_rps=80.0, readings={4: (80.0, 0.05)}),
        error=0.05, family=1, planned_looks=LOOKS, nominal=NOMINAL, looks=looks, rows=rows,
        pairs=played(n), fingerprint={"cpu": "Xeon", "cores": "2", "python": "3.11.2"},
        fingerprint_differs={"lockfile": ("1111", "2222")},
        pressure={"cpu_some_avg10": 12.5, "other_cpu_share": 0.21, "steal_share": 0.0},
        machine=more.pop("machine", MACHINE), wall_s=733.0,
        notes=more.pop("notes", ("The two environments differ in one package: numpy.",)), **more,
    )  # fmt: skip


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
    if key != "error_share"
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
    return made(16, words="No gating metric is worse by its margin or more, after 16 pairs.")


def regressed() -> Verdict:
    """CPU per request and the median are a fifth worse."""
    return made(
        8,
        {"cpu_ms": 0.2, "response_p50_ms": 0.22, "goodput_rps": 0.02},
        words="CPU per request is 20 % worse, and the median response time 22 %.",
    )


def inconclusive() -> Verdict:
    """Too noisy to say."""
    return made(16, {"response_p95_ms": 0.2}, spread=2.5)


def warned() -> Verdict:
    """The same, where that is asked to warn."""
    return made(16, {"response_p95_ms": 0.2}, spread=2.5, inconclusive="warn")


def unfit() -> Verdict:
    """Nothing was played: the sides cannot be compared."""
    return made(6, outcome="unfit").model_copy(
        update={
            "rows": (), "looks": (), "pairs": (), "machine": (), "rate_rps": None, "capacity": None,
            "unfit": ("cores: the baseline had 2, the candidate 4",),
            "words": "There is no verdict: the two sides cannot be compared.",
        }
    )  # fmt: skip


def disturbed() -> Verdict:
    """Measured, but too many pairs were redone."""
    return made(6, outcome="unfit", unfit=("7 of 13 pairs were disturbed: more than a third",))


def aa() -> Verdict:
    """Identical sides."""
    return made(8, kind="aa", name="null_service")


def hostile() -> Verdict:
    """Labels that would break a table, a page or a comment."""
    label = "a|b `c` <script>alert(1)</script> @team *x* [y](z)\n| new row"
    sides = (SIDES[0].model_copy(update={"label": label}), SIDES[1])
    return made(8, name="na--me> |", sides=sides, notes=(label,))
