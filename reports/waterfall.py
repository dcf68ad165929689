"""A request's way through a graph: each stage where its inputs end, and what is left over.

Starts are reckoned from means, not traced: a stage of the mean answer begins where the longest way
to it ends. Time that a stage took in answers that ran it counts for every answer, so the last end
is never beyond the mean response time; what lies between the two is the door, the network, late
sending, and waiting for whichever stage happened to be the slowest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from reports.estimate import Estimate, Missing, Value, over_blocks, within
from reports.patterns.graphs import GraphFacts, graphs_of
from reports.patterns.timings import GraphTimings
from reports.results import Cell
from reports.trial_result import TrialResult

PARTS = ("queue_ms", "compute_ms", "wait_ms", "hop_ms")
_INFINITY = float("inf")


@dataclass(frozen=True, slots=True)
class Bar:
    """One stage of the mean answer, milliseconds, over the trusted blocks.

    Attributes:
        share: of answers that ran it.
        start_ms: when the last of its inputs ends.
        parts: of :data:`PARTS`, by key.
        detached: nobody waits for it.
    """

    name: str
    share: float
    start_ms: Estimate
    parts: Mapping[str, Estimate]
    detached: bool

    @property
    def end_ms(self) -> float:
        """Where it ends."""
        known = [e.point or 0.0 for e in (self.start_ms, *self.parts.values())]
        return sum(known)


@dataclass(frozen=True, slots=True)
class Waterfall:
    """One SUT's graph at one step.

    Attributes:
        bars: by start.
        end_ms: where the answer's own stage ends.
        rest_ms: what the mean response time leaves after it; None where several graphs are asked
            for, whose responses are not told apart.
        response_ms: mean response time; likewise.
    """

    graph: str
    bars: tuple[Bar, ...]
    end_ms: Estimate
    rest_ms: Estimate | None
    response_ms: Estimate | None

    @property
    def reach_ms(self) -> float:
        """Where its last bar ends."""
        last = self.response_ms.point if self.response_ms else None
        return max([*(bar.end_ms for bar in self.bars), last or 0.0])


def waterfalls(cell: Cell) -> Iterator[Waterfall]:
    """Of each graph whose nodes the SUT told and whose answers were timed."""
    trials = [t for t in cell.trials if t.picture is not None]
    trials = [t for t in trials if t.record.valid] or trials[-1:]
    for graph, facts in graphs_of(_told(trials)).items():
        timed = [t for t in trials if graph in t.patterns.timings]
        if timed and all(t.patterns.timings[graph].nodes for t in timed):
            yield _waterfall(timed, facts)


def _told(trials: list[TrialResult]) -> Mapping[str, object]:
    return (trials[0].record.info or {}) if trials else {}


def _waterfall(trials: list[TrialResult], facts: GraphFacts) -> Waterfall:
    timings = [trial.patterns.timings[facts.name] for trial in trials]
    starts = [_starts_ms(facts, one) for one in timings]
    pairs = zip(starts, timings, strict=True)
    ends = [start[facts.answer] + _wall_ms(one, facts.answer) for start, one in pairs]
    alone = all(len(trial.patterns.timings) == 1 for trial in trials)
    means = [_mean_ms(trial) for trial in trials]
    rests: list[Value] = [
        mean if isinstance(mean, Missing) else mean - end
        for mean, end in zip(means, ends, strict=True)
    ]
    ran = [node for node in facts.nodes if any(node in one.nodes for one in timings)]
    bars = [_bar(node, facts, timings, [start[node] for start in starts]) for node in ran]
    return Waterfall(
        facts.name,
        tuple(sorted(bars, key=lambda bar: bar.start_ms.point or 0.0)),
        _mean(ends),
        _mean(rests) if alone else None,
        _mean(means) if alone else None,
    )


def _starts_ms(facts: GraphFacts, timings: GraphTimings) -> dict[str, float]:
    """When each node's last input ends; nodes stand behind what they wait for."""
    starts: dict[str, float] = {}
    for node in facts.nodes:
        ends = (starts[before] + _wall_ms(timings, before) for before in facts.after[node])
        starts[node] = max(ends, default=0.0)
    return starts


def _wall_ms(timings: GraphTimings, node: str) -> float:
    return timings.nodes[node].wall_ms if node in timings.nodes else 0.0


def _mean_ms(trial: TrialResult) -> Value:
    if trial.picture is None or not len(trial.picture.responses_s):
        return Missing("no OK answer in steady state")
    return float(np.mean(trial.picture.responses_s)) * 1e3


def _bar(node: str, facts: GraphFacts, timings: list[GraphTimings], starts: list[float]) -> Bar:
    return Bar(
        node,
        float(np.mean([one.shares.get(node, 0.0) for one in timings])),
        _mean(starts),
        {
            key: _mean([getattr(t.nodes[node], key) if node in t.nodes else 0.0 for t in timings])
            for key in PARTS
        },
        node in facts.detached,
    )


def _mean(values: list[float] | list[Value]) -> Estimate:
    return within(over_blocks(list(values), "linear"), 0, _INFINITY)
