"""What the scenario promises its callers, as far as a report needs to know."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT_SHARE = 0.99


@dataclass(frozen=True, slots=True)
class Slo:
    """A promise: at least ``share`` of the planned requests answered OK within ``response_s``."""

    response_s: float
    share: float = DEFAULT_SHARE


def slo_of(scenario: Mapping[str, Any]) -> Slo | None:
    """The SLO a recorded scenario sets; None if it sets none."""
    slo = scenario.get("slo")
    if not isinstance(slo, Mapping) or slo.get("response_s") is None:
        return None
    percentile = slo.get("percentile")
    share = DEFAULT_SHARE if percentile is None else float(percentile) / 100
    return Slo(float(slo["response_s"]), share)
