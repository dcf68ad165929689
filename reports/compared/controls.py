"""What no change of a SUT can move: the ensemble in-process, and a service without a model.

Runs of different times have only this to tell a slower service from a slower machine.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import log

from harness.record import RunRecord
from reports.ceiling import BlockCeiling, block_ceiling
from reports.compared.agreement import Matched
from reports.compared.change import change
from reports.compared.record import Control
from reports.estimate import LEVEL, Estimate, Value, over_blocks
from reports.metrics import BY_KEY
from reports.results import Results

_OF_THE_FLOOR = "cpu_ms"
"""Of a null service: CPU per request follows the machine, and least of all what is in the way."""


def controls(
    baseline: Results, candidate: Results, steps: Sequence[Matched]
) -> tuple[Control, ...]:
    """Every control that both runs have, the in-process ceiling first.

    Their intervals share one error: with many controls, one would move by chance.
    """
    found = [*_ceilings(baseline.record, candidate.record), *_floors(baseline, candidate, steps)]
    level = 1 - (1 - LEVEL) / max(len(found), 1)
    return tuple(_judged(*one, level) for one in found)


def allowance(found: Sequence[Control]) -> float:
    """How much the machine may have changed without a control showing it: a share.

    The farther end of the ceiling's interval; where there is none, of the floors' together.
    """
    ends = [max(abs(log(c.change.low)), abs(log(c.change.high)))
            for c in found if c.change.low and c.change.high]  # fmt: skip
    return float(ends[0]) if ends else 0.0


_Found = tuple[str, str, Mapping[int, Value], Mapping[int, Value]]


def _ceilings(mine: RunRecord, theirs: RunRecord) -> Iterator[_Found]:
    sizes = [_sizes(side) for side in (mine, theirs)]
    common = sizes[0] & sizes[1]
    if not common:
        return
    size = mine.best_batch if mine.best_batch == theirs.best_batch else max(common)
    sides = [_blocks(side, size) for side in (mine, theirs)]
    name = f"In-process ceiling, batch {size}"
    rates, cpu = (
        [{block: getattr(c, column) for block, c in side.items()} for side in sides]
        for column in ("rate_rps", "cpu_ms")
    )
    yield f"{name}: rate", "rps", rates[0], rates[1]
    yield f"{name}: CPU per image", "CPU-ms", cpu[0], cpu[1]


def _sizes(record: RunRecord) -> set[int]:
    return {point.batch_size for point in record.ceiling if point.block >= 0}


def _blocks(record: RunRecord, size: int) -> dict[int, BlockCeiling]:
    blocks = {point.block for point in record.ceiling if point.block >= 0}
    found = {block: block_ceiling(record, block, size) for block in sorted(blocks)}
    return {block: ceiling for block, ceiling in found.items() if ceiling is not None}


def _floors(baseline: Results, candidate: Results, steps: Sequence[Matched]) -> Iterator[_Found]:
    """A service without a model, at the first step at which both have one."""
    for step in steps[:1]:
        theirs = {c.sut.key: c for c in candidate.at(step.candidate.index, answers=False)}
        for cell in baseline.at(step.baseline.index, answers=False):
            if cell.sut.key in theirs:
                metric = BY_KEY[_OF_THE_FLOOR]
                yield (
                    f"{cell.sut.key}: {metric.name}, first step",
                    metric.unit,
                    cell.by_block(metric.key),
                    theirs[cell.sut.key].by_block(metric.key),
                )


def _judged(
    name: str, unit: str, mine: Mapping[int, Value], theirs: Mapping[int, Value], level: float
) -> Control:
    shown = change(mine.values(), theirs.values(), "ratio", level).shown
    return Control(
        name=name,
        unit=unit,
        baseline=over_blocks([*mine.values()], "log"),
        candidate=over_blocks([*theirs.values()], "log"),
        change=shown,
        moved=_moved(shown),
    )


def _moved(ratio: Estimate) -> bool | None:
    if ratio.low is None or ratio.high is None:
        return None
    return ratio.low > 1 or ratio.high < 1
