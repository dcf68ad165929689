"""The physical limit: the ensemble in-process on the SUT's cores, with no server and no queue."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.record import CeilingPoint, RunRecord
from reports.estimate import Estimate, over_blocks


@dataclass(frozen=True, slots=True)
class BlockCeiling:
    """The ceiling one block measured at one batch size.

    Attributes:
        rate_rps: images per second.
        cpu_ms: CPU-milliseconds per image.
    """

    rate_rps: float
    cpu_ms: float


def block_ceiling(record: RunRecord, block: int, batch_size: int) -> BlockCeiling | None:
    """The block's own ceiling; readings of the same block and size are taken together."""
    points = [p for p in record.ceiling if p.block == block and p.batch_size == batch_size]
    return _together(points) if points else None


def _together(points: Sequence[CeilingPoint]) -> BlockCeiling:
    images = sum(point.images for point in points)
    wall_s, cpu_s = sum(p.wall_s for p in points), sum(p.cpu_s for p in points)
    return BlockCeiling(images / wall_s, cpu_s / images * 1e3)


@dataclass(frozen=True, slots=True)
class CeilingEstimate:
    """The ceiling at one batch size over the blocks."""

    batch_size: int
    best: bool
    rate_rps: Estimate
    cpu_ms: Estimate


def ceilings(record: RunRecord) -> tuple[CeilingEstimate, ...]:
    """Every batch size that was measured in the blocks, smallest first.

    The search before the blocks (block -1) chose the best size from noisy readings, so it is
    left out: a maximum of noisy readings is too high.
    """
    blocks = sorted({point.block for point in record.ceiling if point.block >= 0})
    sizes = sorted({point.batch_size for point in record.ceiling if point.block >= 0})
    found = []
    for size in sizes:
        of_size = [c for b in blocks if (c := block_ceiling(record, b, size)) is not None]
        rate = over_blocks([c.rate_rps for c in of_size], "log")
        cpu = over_blocks([c.cpu_ms for c in of_size], "log")
        found.append(CeilingEstimate(size, size == record.best_batch, rate, cpu))
    return tuple(found)
