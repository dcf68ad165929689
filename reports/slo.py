"""What the scenario promises its callers, as far as a report needs to know."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Slo:
    """A promise about every offered rate a SUT is said to hold.

    Attributes:
        response_time_s: from the intended start.
        percentile: share of planned requests, in percent, to be answered OK within it.
        error_ratio: share of planned requests that may have no OK answer.
    """

    response_time_s: float
    percentile: float
    error_ratio: float

    @property
    def words(self) -> str:
        """The promise, for a person."""
        return (
            f"p{self.percentile:g} within {self.response_time_s * 1e3:,g} ms and at most "
            f"{self.error_ratio * 100:g} % failed"
        )

    def kept(self, within: float, failed: float) -> bool:
        """Whether a trial kept it, by its shares of planned requests in time and failed."""
        return within >= self.percentile / 100 and failed <= self.error_ratio


def slo_of(scenario: Mapping[str, Any]) -> Slo | None:
    """The SLO a recorded scenario sets; None if it sets none."""
    slo = scenario.get("slo")
    if not isinstance(slo, Mapping) or "response_time_s" not in slo:
        return None
    return Slo(
        float(slo["response_time_s"]),
        float(slo.get("percentile", 95.0)),
        float(slo.get("error_ratio", 0.01)),
    )
