"""What A/A gates have shown of this machine: how much pairs scatter, how often it cried wolf.

An A/A gate compares a version with itself, so every regression it calls is false and the spread
of its pairs is the machine's. A verdict cites that: a spread of six pairs is itself uncertain by a
third, and one that is far above the machine's tells that something else went on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from scipy import stats

from reports.estimate import LEVEL
from reports.gate.machine_record import (
    DEFAULT_DIRECTORY,
    MachineGate,
    MachineHistory,
    MachineRecordError,
    MetricRecord,
    append,
    machine_of,
    read_history,
)
from reports.gate.power import detectable
from reports.gate.verdict import MachineCitation, Row, Verdict

__all__ = [
    "DEFAULT_DIRECTORY",
    "MachineRecordError",
    "MachineSummary",
    "cite",
    "record",
    "summary",
    "unusual",
]

MOST_SPREAD = 2.0
"""Times the machine's: of six normal pairs one sample in a thousand scatters so by chance."""

LEAST_GATES = 3
"""On record, before a spread is held against theirs."""

LEAST_PAIRS = 4
"""Of fewer, chance alone makes a spread of anything."""


@dataclass(frozen=True, slots=True)
class MachineSummary:
    """How a machine's A/A gates ended.

    Attributes:
        gates: that came to a verdict.
        false_alarms: those of them that called a regression.
        low / high: the share of false alarms that this bears out, exact binomial (Clopper and
            Pearson 1934), two-sided .95; 0 to 1 without gates.
        passed / inconclusive: of the others.
        unfit: gates that came to none, beside ``gates``.
        by_sut: SUT -> (its gates, its false alarms).
        skipped: lines that could not be read, in words.
    """

    gates: int
    false_alarms: int
    low: float
    high: float
    passed: int
    inconclusive: int
    unfit: int
    by_sut: Mapping[str, tuple[int, int]]
    skipped: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """For a terminal, one sentence."""
        if not self.gates:
            return f"no A/A gate on record came to a verdict ({self.unfit} unfit)"
        return (
            f"{self.false_alarms} of {self.gates} A/A gates on this machine called a regression "
            f"({self.false_alarms / self.gates:.1%}, interval {self.low:.1%} to {self.high:.1%}); "
            f"{self.passed} passed, {self.inconclusive} were inconclusive, {self.unfit} more unfit"
        )


def record(verdict: Verdict, directory: Path) -> Path | None:
    """Put an A/A gate on record; None where it showed nothing: it ended before its first look.

    Raises:
        ValueError: the gate compared two different things.
        MachineRecordError: it cannot be written.
    """
    if verdict.kind != "aa":
        raise ValueError(f"{verdict.gate_id} is no A/A gate: its regressions may be real")
    unfit = verdict.outcome == "unfit"
    if not (verdict.looks or unfit):
        return None
    return append(
        directory,
        MachineGate(
            gate_id=verdict.gate_id,
            created_utc=verdict.created_utc,
            sut=verdict.sides[0].sut,
            name=verdict.name,
            version=verdict.version,
            machine=machine_of(verdict.fingerprint),
            rate_rps=verdict.rate_rps,
            pairs=sum(not pair.contaminated for pair in verdict.pairs),
            nominal=verdict.nominal,
            outcome=verdict.outcome,
            metrics={} if unfit else {row.key: _metric(row) for row in verdict.rows},
        ),
    )


def cite(  # noqa: PLR0917 - each is another kind of thing
    directory: Path,
    fingerprint: Mapping[str, str],
    sut: str,
    metrics: Sequence[str],
    pairs: int,
    level: float,
) -> tuple[MachineCitation, ...]:
    """What a verdict says of the machine, for each metric that an A/A gate has measured.

    Args:
        directory: of machine records.
        fingerprint: of the verdict's sides.
        sut: its own gates are cited; where it has none, those of all SUTs.
        metrics: keys.
        pairs: the verdict's.
        level: one-sided, of its looks.

    Raises:
        MachineRecordError: the machine's file cannot be read.
    """
    history = read_history(directory, fingerprint)
    found = (_citation(history, sut, key, pairs, level) for key in metrics)
    return tuple(citation for citation in found if citation)


def summary(directory: Path, fingerprint: Mapping[str, str]) -> MachineSummary:
    """Count a machine's A/A gates and their false regressions.

    Raises:
        MachineRecordError: the machine's file cannot be read.
    """
    history = read_history(directory, fingerprint)
    gates = [gate for gate in history.gates if gate.judged]
    alarms = sum(gate.false_alarm for gate in gates)
    low, high = _binomial(alarms, len(gates))
    ended = [gate.outcome for gate in gates if not gate.false_alarm]
    of_each = {
        sut: [gate.false_alarm for gate in gates if gate.sut == sut]
        for sut in sorted({gate.sut for gate in gates})
    }
    return MachineSummary(
        gates=len(gates),
        false_alarms=alarms,
        low=low,
        high=high,
        passed=ended.count("pass"),
        inconclusive=ended.count("inconclusive"),
        unfit=len(history.gates) - len(gates),
        by_sut={sut: (len(found), sum(found)) for sut, found in of_each.items()},
        skipped=history.skipped,
    )


def unusual(row: Row, citation: MachineCitation) -> str | None:
    """What to say of a metric whose pairs scatter far more than the machine's do; else None."""
    known = citation.spread
    if row.spread is None or not known or citation.gates < LEAST_GATES or row.n < LEAST_PAIRS:
        return None
    if row.spread <= MOST_SPREAD * known:
        return None
    return (
        f"{row.name}: its pairs scatter by {row.spread:.2g}, {row.spread / known:.1f} times what "
        f"{citation.gates} A/A gates of this machine showed ({known:.2g}): either something else "
        "ran meanwhile or the candidate's own figure is erratic; look at its pairs"
    )


def _metric(row: Row) -> MetricRecord:
    return MetricRecord(
        kind=row.kind,
        gating=row.gating,
        word=row.word,
        estimate=row.estimate,
        spread=row.spread,
        n=row.n,
    )


def _citation(
    history: MachineHistory, sut: str, key: str, pairs: int, level: float
) -> MachineCitation | None:
    measured = [gate for gate in history.gates if key in gate.metrics]
    own = [gate for gate in measured if gate.sut == sut] or measured
    if not own:
        return None
    found = [gate.metrics[key] for gate in own]
    spreads = [metric.spread for metric in found if metric.spread is not None]
    spread = median(spreads) if spreads else None
    could_see = None
    if spread is not None:
        could_see = detectable(pairs, spread, level, scale=found[-1].kind)
    return MachineCitation(
        key=key,
        gates=len(own),
        false_alarms=sum(metric.word == "regression" for metric in found),
        spread=spread,
        detectable=could_see,
    )


def _binomial(found: int, of: int) -> tuple[float, float]:
    if not of:
        return 0.0, 1.0
    interval = stats.binomtest(found, of).proportion_ci(LEVEL, method="exact")
    return float(interval.low), float(interval.high)
