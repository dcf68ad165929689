"""Which model answers, which one runs in the shadow, and who gets which: one published document."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

from architectures.contract import Problem

ROLLOUT = "update/rollout"
"""Published: a :class:`Rollout` as JSON."""

KNOWN_GOOD = "known_good"
CANDIDATE = "candidate"
SLOTS = (KNOWN_GOOD, CANDIDATE)


@dataclass(frozen=True, slots=True)
class Release:
    """A model that may answer.

    Attributes:
        version: counted from 1 in the order staged; it stays the same when it is promoted.
        model: which classifier's network.
        weights: published name and version of a safetensors blob; None for the tier's own weights.
    """

    version: int
    model: str
    weights: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Rollout:
    """The state of the update, changed only by the orders below.

    Attributes:
        known_good: answers whatever the candidate does not.
        candidate: runs in the shadow, or answers its share; None where nothing is staged.
        canary_percent: share of requests that the candidate answers.
        before: what was known good before the last promotion, to go back to.
        staged: releases so far.
    """

    known_good: Release = Release(1, "residual")
    candidate: Release | None = None
    canary_percent: float = 0.0
    before: Release | None = None
    staged: int = 1

    def to_json(self) -> bytes:
        """As it is published."""
        return json.dumps(asdict(self)).encode()

    def held_by(self, slot: str) -> Release | None:
        """What one of ``SLOTS`` should hold."""
        return self.known_good if slot == KNOWN_GOOD else self.candidate

    def answered_by_candidate(self, body: bytes) -> bool:
        """Whether a request is in the canary's share: the same body always is, or never.

        Raising the share keeps those that are in it. The candidate's version is mixed in, so that
        it is not the same bodies that try every candidate.
        """
        if self.candidate is None or not self.canary_percent:
            return False
        digest = sha256(b"%d " % self.candidate.version + body).digest()
        return int.from_bytes(digest[:8]) * 100 < self.canary_percent * 2**64


def from_json(blob: bytes) -> Rollout:
    """What :meth:`Rollout.to_json` wrote."""
    document = json.loads(blob)
    releases = {key: _release(document[key]) for key in ("known_good", "candidate", "before")}
    return Rollout(**{**document, **releases})


def _release(document: Mapping[str, Any] | None) -> Release | None:
    if document is None:
        return None
    weights = document["weights"]
    return Release(document["version"], document["model"], tuple(weights) if weights else None)


def stage(rollout: Rollout, model: str, weights: tuple[str, int] | None) -> Rollout:
    """Put a model in the shadow, in place of any candidate."""
    version = rollout.staged + 1
    return replace(
        rollout,
        candidate=Release(version, model, weights),
        canary_percent=0.0,
        staged=version,
    )


def canary(rollout: Rollout, percent: float) -> Rollout:
    """Let the candidate answer a share of the requests.

    Raises:
        Problem: 409, there is no candidate.
    """
    _staged(rollout)
    return replace(rollout, canary_percent=percent)


def promote(rollout: Rollout) -> Rollout:
    """Make the candidate the known good one.

    Raises:
        Problem: 409, there is no candidate.
    """
    return replace(
        rollout,
        known_good=_staged(rollout),
        candidate=None,
        canary_percent=0.0,
        before=rollout.known_good,
    )


def roll_back(rollout: Rollout) -> Rollout:
    """Drop the candidate; without one, undo the last promotion.

    Raises:
        Problem: 409, there is nothing to go back to.
    """
    if rollout.candidate is not None:
        return replace(rollout, candidate=None, canary_percent=0.0)
    if rollout.before is None:
        raise Problem(
            "nothing-to-roll-back",
            409,
            "No candidate is staged and nothing was promoted; there is nothing to go back to.",
        )
    return replace(rollout, known_good=rollout.before, before=None)


def _staged(rollout: Rollout) -> Release:
    if rollout.candidate is None:
        raise Problem("no-candidate", 409, "No candidate is staged; order stage_candidate first.")
    return rollout.candidate
