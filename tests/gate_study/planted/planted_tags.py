"""The built-in ensemble's tier ``tiny`` with one known fault: each tier here is a plant.

Same stages, graphs, weights and examples, and the same wrapping in every tier, ``plain`` included:
a gate of two tiers differs in the plant alone.
"""

import zlib
from collections import Counter
from collections.abc import Sequence
from time import thread_time_ns
from typing import Any

from architectures import ensemble
from architectures.contract import Problem
from architectures.ensemble import GRAPHS, MEDIA_TYPES, STAGES, examples
from architectures.graph import Inputs, Outputs, Stage
from architectures.plugin import EnsembleDescription

__all__ = ["GRAPHS", "MEDIA_TYPES", "STAGES", "TIERS", "describe", "examples", "load_stage"]

_OF = "tiny"
_DEARER = {"dearer_05": 0.05, "dearer_10": 0.10, "dearer_20": 0.20}
TIERS = ("plain", *_DEARER, "leak", "errors")

DEARER_STAGE = "keypoints"
LEAKING_STAGE = "postprocess"
FAILING_STAGE = "decode"

REQUEST_OVER_STAGE = 10.0
"""A request's CPU over that stage's, on a monolith at 60 rps: about 11.8 ms over 1.2 ms, by what
gates found of a known burn. What is burnt follows the stage's own CPU time, so that it is about the
same share on a faster machine; how much it came to is what each live gate measures."""

LEAK_BYTES = 150_000
FAILING_PERMYRIAD = 200

_leaked: list[bytes] = []


def load_stage(name: str, tier: str, device: str = "cpu", threads: int = 1) -> Stage:
    """A stage of the built-in ensemble, and around it this tier's plant."""
    run = ensemble.load_stage(name, _OF, device, threads)
    extra = REQUEST_OVER_STAGE * _DEARER.get(tier, 0.0) if name == DEARER_STAGE else 0.0
    leaks = tier == "leak" and name == LEAKING_STAGE
    fail = _Failing() if tier == "errors" and name == FAILING_STAGE else None

    def stage(batch: Sequence[Inputs]) -> list[Any]:
        started_ns = thread_time_ns()
        answers: list[Outputs | Problem] = list(run(batch))
        spent_ns = thread_time_ns() - started_ns
        _burn(round(extra * spent_ns))
        if leaks:
            _leaked.extend(bytes(bytearray(LEAK_BYTES)) for _ in batch)
        return [fail(*both) for both in zip(batch, answers, strict=True)] if fail else answers

    return stage


def describe(tier: str) -> EnsembleDescription:
    """The tier ``tiny`` of the built-in ensemble: a plant changes no weight."""
    if tier not in TIERS:
        raise KeyError(tier)
    return ensemble.describe(_OF)


def _burn(cpu_ns: int) -> None:
    """Spend CPU time of this thread; sleeping would cost nothing."""
    end_ns = thread_time_ns() + cpu_ns
    while thread_time_ns() < end_ns:
        pass


class _Failing:
    """Fails 2 % of requests, by the payload and how often it was seen: seeded, and never at first.

    A payload's first time is its reference answer, or the comparison before load.
    """

    def __init__(self) -> None:
        self._seen: Counter[int] = Counter()

    def __call__(self, member: Inputs, answer: Outputs | Problem) -> Outputs | Problem:
        """The answer, or a refusal in its place."""
        digest = zlib.crc32(member["body"])
        times = self._seen[digest]
        self._seen[digest] += 1
        if times and zlib.crc32(b"%d %d" % (digest, times)) % 10_000 < FAILING_PERMYRIAD:
            return Problem("planted", 500, "This request was to fail, and did.")
        return answer
