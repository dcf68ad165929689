"""Capacity: the highest offered rate whose objective holds, by SUT over the blocks.

The harness searched and confirmed it (``harness.record.CapacityRecord``); here it is estimated,
and its confirming trials are measured as trials of a load step are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.record import CapacityRecord, RunRecord, Sut
from reports.ceiling import block_ceiling
from reports.estimate import Estimate, Missing, Value, over_blocks, within
from reports.metrics import METRICS
from reports.trial_result import TrialResult

NO_CEILING = Missing("no ceiling was measured in this block")
NO_CAPACITY = Missing("no capacity in every block")


@dataclass(frozen=True, slots=True, eq=False)
class BlockCapacity:
    """What one block's search found.

    Attributes:
        rps: the confirmed rate, or why there is none.
        efficiency: it over the ceiling's rate in the same block.
        confirming: the confirming trial as measured.
        above: the lowest probe that failed above the capacity, as measured.
    """

    record: CapacityRecord
    rps: Value
    efficiency: Value
    confirming: TrialResult | None
    above: TrialResult | None

    @property
    def bracket(self) -> tuple[float | None, float | None]:
        """The highest rate that held and the lowest above it that did not."""
        return self.record.low_rps, self.record.high_rps

    def value(self, metric: str) -> Value:
        """A metric of the confirming trial."""
        if isinstance(self.rps, Missing):
            return NO_CAPACITY
        if self.confirming is None or metric not in self.confirming.values:
            return Missing("the confirming trial's samples are not there")
        return self.confirming.values[metric]


@dataclass(frozen=True, slots=True, eq=False)
class Capacity:
    """One SUT's capacity over the blocks that searched for it.

    Attributes:
        rps: the capacity.
        efficiency: its share of the ceiling's rate.
        estimates: by metric, of the confirming trials.
    """

    sut: Sut
    blocks: tuple[BlockCapacity, ...]
    rps: Estimate
    efficiency: Estimate
    estimates: Mapping[str, Estimate]

    @property
    def confirming(self) -> list[TrialResult]:
        """The confirming trials that were recorded."""
        return [block.confirming for block in self.blocks if block.confirming is not None]

    def by_block(self) -> dict[int, Value]:
        """The capacity each block found."""
        return {found.record.block: found.rps for found in self.blocks}


def capacities(
    record: RunRecord, searches: Sequence[CapacityRecord], probes: Sequence[TrialResult]
) -> Iterator[Capacity]:
    """Each SUT's capacity, in the run's order; a SUT that was not searched for has none."""
    for sut in record.suts:
        mine = sorted((s for s in searches if s.sut == sut.key), key=lambda s: s.block)
        if mine:
            yield _capacity(sut, tuple(_block(record, search, probes) for search in mine))


def _block(
    record: RunRecord, search: CapacityRecord, probes: Sequence[TrialResult]
) -> BlockCapacity:
    of_search = [
        probe
        for probe in probes
        if (probe.record.place.block, probe.record.place.sut) == (search.block, search.sut)
    ]
    confirmed = search.capacity_rps
    rps = Missing(f"block {search.block}: {search.end}") if confirmed is None else confirmed
    return BlockCapacity(
        search,
        rps,
        _efficiency(record, search),
        _probe(of_search, search.confirmed_by),
        _probe(of_search, _failed_above(search)),
    )


def _probe(probes: Sequence[TrialResult], number: int | None) -> TrialResult | None:
    return next((p for p in probes if p.record.place.probe == number), None)


def _failed_above(search: CapacityRecord) -> int | None:
    """The number of the probe that makes the bracket's upper end."""
    failed = [p for p in search.probes if p.verdict == "fails" and p.offered_rps == search.high_rps]
    return failed[-1].place.probe if failed else None


def _efficiency(record: RunRecord, search: CapacityRecord) -> Value:
    if search.capacity_rps is None:
        return NO_CAPACITY
    ceiling = block_ceiling(record, search.block, record.best_batch)
    return NO_CEILING if ceiling is None else search.capacity_rps / ceiling.rate_rps


def _capacity(sut: Sut, blocks: tuple[BlockCapacity, ...]) -> Capacity:
    return Capacity(
        sut,
        blocks,
        over_blocks([block.rps for block in blocks], "log"),
        over_blocks([block.efficiency for block in blocks], "log"),
        {
            metric.key: within(
                over_blocks([block.value(metric.key) for block in blocks], metric.scale),
                *metric.bounds,
            )
            for metric in METRICS
        },
    )
