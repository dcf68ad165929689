"""``[gate]`` of a scenario: the rate at which two sides are compared, the looks, the margins."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from harness.section import Count, Positive, Section, Texts

LOOKS = (6, 8, 10, 12, 14, 16)
MOST_SHARE = 0.65
"""Of the baseline's capacity; nearer to it both sides queue (``reports.gate.rate`` says more)."""

LEAST_PAIRS = 4
"""Below it a t interval says next to nothing."""


def _ascending(looks: tuple[int, ...]) -> tuple[int, ...]:
    if not looks or list(looks) != sorted(set(looks)) or looks[0] < LEAST_PAIRS:
        raise PydanticCustomError(
            "looks",
            "must ascend, from {least} pairs at least",
            {"least": LEAST_PAIRS},
        )
    return looks


class GateSection(Section):
    """How two sides are compared. Looks and margins are fixed before anything is played."""

    rate_rps: Annotated[
        Positive | None,
        Field(description="offered to both sides; absent: `share` of the baseline's capacity"),
    ] = None
    share: Annotated[
        float,
        Field(
            gt=0,
            le=MOST_SHARE,
            description="of the baseline's capacity that is offered, at most .65",
        ),
    ] = 0.5
    capacity_rps: Annotated[
        Positive | None,
        Field(description="the baseline's capacity, if it is known; absent: it is read first"),
    ] = None
    looks: Annotated[
        tuple[int, ...],
        AfterValidator(_ascending),
        Field(strict=False, description="pairs after which one looks, and not in between"),
    ] = LOOKS
    error: Annotated[
        float,
        Field(gt=0, le=0.2, description="chance of a false regression, of the whole gate"),
    ] = 0.05
    family: Annotated[
        Count, Field(description="gates that decide together; each gets its share of `error`")
    ] = 1
    margins: Annotated[
        dict[str, Positive],
        Field(description="metric -> how much worse is too much, as a share; absent: its default"),
    ] = Field(default_factory=dict)
    informational: Annotated[
        Texts, Field(description="metrics that are shown and never fail a gate")
    ] = ()
    only: Annotated[
        Texts, Field(description="the only metrics that may fail it; absent: all that can")
    ] = ()
    inconclusive: Annotated[
        Literal["fail", "warn"],
        Field(description="what an inconclusive gate does: exit code 3, or 0 with a warning"),
    ] = "fail"
