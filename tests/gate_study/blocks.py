"""What a method is given: blocks with their raw response times, in pairs or in a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

METRICS = (
    "cpu_ms",
    "response_p50_ms",
    "response_p95_ms",
    "response_p99_ms",
    "goodput_rps",
    "pss_peak_mb",
    "start_up_s",
)
"""Ratios a gate judges; errors are counts of their own."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One side, played once.

    Attributes:
        values: of :data:`METRICS`, those that the block carries.
        responses_ms: of every good answer.
        planned / failed: requests, and those without a good answer.
    """

    values: Mapping[str, float]
    responses_ms: Floats
    planned: int
    failed: int


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A block of each side, one after the other.

    Attributes:
        flagged: whether a rule that never looks at response times would have it played again.
    """

    baseline: Block
    candidate: Block
    flagged: bool = False

    def swapped(self) -> "Pair":
        """The sides exchanged: with no change between them as good a pair as before."""
        return Pair(self.candidate, self.baseline, self.flagged)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Everything that methods judge, of one change on one machine.

    Attributes:
        pairs: in the order played; redone ones among them are flagged.
        stored: the baseline's blocks of another day; empty where there are none.
        in_a_row: the same day's baseline blocks, then the candidate's: A..A B..B.
        variants: pairs played in another way, by its name.
        pair_s: what a pair takes, deployments included.
    """

    pairs: Sequence[Pair]
    stored: Sequence[Block] = ()
    in_a_row: tuple[Sequence[Block], Sequence[Block]] = ((), ())
    variants: Mapping[str, Sequence[Pair]] = field(default_factory=dict)
    pair_s: float = 80.0
