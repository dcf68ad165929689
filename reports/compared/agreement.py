"""May two runs of different times be compared, and what differs where they may?

The rules are a gate's and those of stored runs; here is only what lets two *runs* pass where two
sides of a gate could not: other numbers of blocks, other load steps beside the common ones, and
steps by ceiling share, whose rate every run finds for itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.record import RunRecord, Step
from reports.compared.record import Differing, StepPair
from reports.gate import comparable as gate
from reports.results import Results
from reports.stored.comparable import differences
from reports.stored.record import NOT_RECORDED
from reports.stored.workload import workload_of

_GATES = ("slo", "events", "files.")
"""Parts of the workload that the gate's rules speak of already."""

_MAY_DIFFER = (
    "load.blocks", "load.rates", "load.sweep", "load.concurrency", "load.answer_every",
    "budget.start_up_limit_s", "capacity.", "generator.",
)  # fmt: skip
"""What is asked how often, and by whom: it moves an interval, not what is measured."""

_OF_THE_MOMENT = ("load_average",)
_SHORT = 10


@dataclass(frozen=True, slots=True)
class Matched:
    """A load step of both runs: the same words, or as many clients at once."""

    baseline: Step
    candidate: Step

    @property
    def apart(self) -> float:
        """The candidate's offered rate over the baseline's; 1 of a closed loop."""
        if not (self.baseline.offered_rps and self.candidate.offered_rps):
            return 1.0
        return self.candidate.offered_rps / self.baseline.offered_rps

    @property
    def pair(self) -> StepPair:
        """As it is recorded."""
        mine, theirs = self.baseline, self.candidate
        return StepPair(
            asked=mine.asked,
            baseline_rps=mine.offered_rps,
            candidate_rps=theirs.offered_rps,
            concurrency=mine.concurrency,
            apart=self.apart,
        )


def matched(baseline: RunRecord, candidate: RunRecord) -> tuple[Matched, ...]:
    """The load steps that both runs play, in the baseline's order."""
    left = list(candidate.steps)
    found = []
    for step in baseline.steps:
        same = (s for s in left if (s.asked, s.concurrency) == (step.asked, step.concurrency))
        other = next(same, None)
        if other is not None:
            left.remove(other)
            found.append(Matched(step, other))
    return tuple(found)


def refusals(baseline: Results, candidate: Results) -> tuple[str, ...]:
    """Why the two answer different questions, a reason a row; empty where they do not.

    Each names the key, both values, and what to do.
    """
    mine, theirs = baseline.record, candidate.record
    folders = (baseline.run.directory, candidate.run.directory)
    steps = matched(mine, theirs)
    return (
        *gate.refusals(*_narrowed(mine, theirs, steps), folders),
        *_ensembles(mine, theirs),
        *_workloads(mine, theirs),
        *_nothing_common(baseline, candidate, steps),
    )


def _narrowed(
    mine: RunRecord, theirs: RunRecord, steps: Sequence[Matched]
) -> tuple[RunRecord, RunRecord]:
    """Both records, as far as a gate's rules apply to them.

    Of load steps those whose rate is the same number; of frozen plans those of such steps in the
    blocks that both runs have.
    """
    same = [step for step in steps if step.apart == 1.0]
    blocks = min(_blocks(mine), _blocks(theirs))
    plans = {
        f"plans/b{block:02}-s{step.baseline.index:02}.parquet"
        for step in same
        for block in range(blocks)
        if step.baseline.index == step.candidate.index
    }

    def kept(record: RunRecord, own: tuple[Step, ...]) -> RunRecord:
        digests = {
            name: digest
            for name, digest in record.digests.items()
            if name in plans or not name.startswith("plans/")
        }
        return record.model_copy(update={"digests": digests, "steps": own})

    return (
        kept(mine, tuple(step.baseline for step in same)),
        kept(theirs, tuple(step.candidate for step in same)),
    )


def _blocks(record: RunRecord) -> int:
    return len({place.block for place in record.schedule})


def _ensembles(mine: RunRecord, theirs: RunRecord) -> Iterator[str]:
    for key in ("module", "tier", "device", "weights_digest"):
        here, there = (getattr(side.ensemble, key) for side in (mine, theirs))
        if here != there:
            yield (
                f"ensemble.{key} is {_short(here)} of the baseline and {_short(there)} of the "
                "candidate: their answers are not each other's; run both with one ensemble and "
                "the same weights"
            )
    described = (side.environment.description for side in (mine, theirs))
    gpus = [side.get("gpu", NOT_RECORDED) for side in described]
    if mine.ensemble.device == theirs.ensemble.device != "cpu" and gpus[0] != gpus[1]:
        yield f"gpu is {gpus[0]} of the baseline and {gpus[1]} of the candidate: give both the same"


def _workloads(mine: RunRecord, theirs: RunRecord) -> Iterator[str]:
    """Keys that both record and that say other things; a key that only one knows is a note."""
    for key, here, there in _apart(mine, theirs):
        if NOT_RECORDED not in {here, there} and not key.startswith(_MAY_DIFFER):
            yield (
                f"{key} is {_short(here)} in the baseline's scenario and {_short(there)} in the "
                "candidate's: run both by the same scenario file"
            )


def _apart(mine: RunRecord, theirs: RunRecord) -> Iterator[tuple[str, str, str]]:
    for one in differences(workload_of(mine), workload_of(theirs)):
        if not one.key.startswith((*_GATES, "ensemble.")):
            yield one.key, one.then, one.now


def _nothing_common(
    baseline: Results, candidate: Results, steps: Sequence[Matched]
) -> Iterator[str]:
    mine, theirs = baseline.record, candidate.record
    suts = [{sut.key for sut in side.suts} for side in (mine, theirs)]
    if not suts[0] & suts[1]:
        named = " and ".join(", ".join(sorted(side)) for side in suts)
        yield f"no SUT is in both runs ({named}): run a scenario that names the same suts"
    searched = [{found.sut.key for found in side.capacities} for side in (baseline, candidate)]
    if not steps and not searched[0] & searched[1]:
        named = " and ".join(
            ", ".join(step.asked for step in side.steps) or "none" for side in (mine, theirs)
        )
        yield f"no load step is in both runs ({named}): offer both the same load.rates"


def differing(mine: RunRecord, theirs: RunRecord) -> tuple[Differing, ...]:
    """What differs and need not agree: versions, revision, kernel, what only one records."""
    found: dict[str, tuple[Any, Any]] = {}
    if mine.version != theirs.version:
        found["servebench"] = (mine.version, theirs.version)
    described = (mine.environment.description, theirs.environment.description)
    for one in differences(*described):
        if one.key not in _OF_THE_MOMENT:
            short = _SHORT if one.key == "revision" else None
            found[one.key] = (one.then[:short], one.now[:short])
    found.update(gate.differs(mine, theirs))
    names = [side.scenario.get("name", NOT_RECORDED) for side in (mine, theirs)]
    if names[0] != names[1]:
        found["scenario"] = (names[0], names[1])
    for key, here, there in _apart(mine, theirs):
        if NOT_RECORDED in {here, there} or key.startswith(_MAY_DIFFER):
            found[key] = (here, there)
    return tuple(
        Differing(key=key, baseline=str(here), candidate=str(there))
        for key, (here, there) in found.items()
    )


def _short(value: str) -> str:
    return value if len(value) <= 60 else f"{value[:10]}..."  # noqa: PLR2004 - a line's worth
