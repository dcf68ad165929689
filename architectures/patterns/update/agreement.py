"""Who answered, and how often the shadow says the same: counters, and what they add up to."""

from collections.abc import Mapping
from typing import Any

from architectures.ensemble.attributes import ATTRIBUTES
from architectures.patterns.update.rollout import Rollout

COUNTERS = "update/"

_ALL = "all"
"""Agreement in every kind of tag at once."""


_ANSWERED = f"{COUNTERS}answered/"


def answered(version: int) -> str:
    """Counter of the answers that a version gave."""
    return f"{_ANSWERED}{version}"


def wanted(candidate: int) -> str:
    """Counter of the answers that a shadow of a candidate should follow; the door may shed it."""
    return f"{COUNTERS}wanted/{candidate}"


def agreements(pair: tuple[int, int], same: Mapping[str, bool]) -> dict[str, float]:
    """What one comparison adds to which counters.

    Args:
        pair: versions that answered and that ran in the shadow.
        same: kind of tag -> whether both said the same.
    """
    agreed = [*(kind for kind in same if same[kind]), *([_ALL] if all(same.values()) else [])]
    return {_compared(pair): 1, **{_agreed(pair, kind): 1 for kind in agreed}}


def summary(rollout: Rollout, counters: Mapping[str, float]) -> dict[str, Any]:
    """What an operator decides by: answers by version, shadows, and the candidate's agreement.

    ``agreement`` is None without a candidate. Its ``rate`` is the share of ``compared`` in which
    candidate and known good name the same category, colour and pattern, and None where nothing was
    compared yet; ``shed`` is in the door's own ``/metrics``.
    """
    by_version = {
        name.removeprefix(_ANSWERED): count
        for name, count in counters.items()
        if name.startswith(_ANSWERED)
    }
    return {"answered": by_version, "agreement": _agreement(rollout, counters)}


def _agreement(rollout: Rollout, counters: Mapping[str, float]) -> dict[str, Any] | None:
    if rollout.candidate is None:
        return None
    pair = (rollout.known_good.version, rollout.candidate.version)
    compared = counters.get(_compared(pair), 0)
    agreed = {kind: counters.get(_agreed(pair, kind), 0) for kind in (_ALL, *ATTRIBUTES)}
    return {
        "wanted": counters.get(wanted(pair[1]), 0),
        "compared": compared,
        "agreed": agreed,
        "rate": agreed[_ALL] / compared if compared else None,
    }


def _compared(pair: tuple[int, int]) -> str:
    return f"{COUNTERS}compared/{pair[0]}/{pair[1]}"


def _agreed(pair: tuple[int, int], kind: str) -> str:
    return f"{COUNTERS}agreed/{pair[0]}/{pair[1]}/{kind}"
