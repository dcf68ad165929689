"""The head as it is served: each process follows the published versions and swaps them whole."""

from collections.abc import Callable, Sequence
from threading import Lock
from time import monotonic_ns
from typing import Any, NamedTuple

import numpy as np

from architectures.graph import Inputs, Outputs
from architectures.patterns.online_weights import drift
from architectures.patterns.online_weights.head import Head, from_bytes, shipped
from architectures.patterns.online_weights.names import DRIFT, HEAD
from architectures.patterns.tags import tags
from architectures.state import Follower, Published, Store, open_store, replica


class Adopted(NamedTuple):
    """A version, and since when this process serves it.

    Attributes:
        version: 0 is the shipped head, before anything was published.
        published_ns: CLOCK_MONOTONIC; None for version 0.
        adopted_ns: CLOCK_MONOTONIC; its distance to ``published_ns`` is this replica's staleness.
            None for the version that it began with: nobody waited for it to be replaced.
    """

    head: Head
    version: int
    published_ns: int | None
    adopted_ns: int | None


class AdaptedHead:
    """A light stage: ``features`` and ``token`` to the ``answer``.

    A batch reads the current version once, and adopting one is a single assignment: no lock, and no
    answer is made of two versions. Loading opens nothing; following begins with the first batch,
    in the process that runs it.

    Args:
        tier: whose head.
        opened: gives the store.
    """

    def __init__(self, tier: str, opened: Callable[[], Store] = open_store) -> None:
        self._first = shipped(tier)
        self._opened = opened
        self._adopted = Adopted(self._first, 0, None, None)
        self._renamed: dict[str, str] = {}
        self._beginning = Lock()
        self._followers: tuple[Follower, ...] = ()

    def __call__(self, batch: Sequence[Inputs]) -> list[Outputs]:
        """Answer a batch from one version."""
        if not self._followers:
            self._follow()
        adopted, renamed = self._adopted, self._renamed
        features = np.stack([member["features"] for member in batch])
        told = {
            "version": adopted.version,
            "replica": replica(),
            "published_ns": adopted.published_ns,
            "adopted_ns": adopted.adopted_ns,
            "renamed": renamed,
        }
        return [
            {"answer": {"tags": tags(scores), **told, "feedback": member["token"]}}
            for scores, member in zip(adopted.head.scores(features), batch, strict=True)
        ]

    def close(self) -> None:
        """Follow no more; what was adopted last is served on."""
        for follower in self._followers:
            follower.close()

    def _follow(self) -> None:
        with self._beginning:
            if self._followers:
                return
            store = self._opened()
            followers = (
                Follower(store, HEAD, self._adopt),
                Follower(store, DRIFT, self._rename),
            )
            for follower in followers:
                follower.follow()
            self._followers = followers  # last: until then the others wait for what is current

    def _adopt(self, published: Published) -> None:
        head = from_bytes(published.blob, self._first)
        adopted_ns = monotonic_ns() if self._followers else None
        self._adopted = Adopted(head, published.version, published.published_ns, adopted_ns)

    def _rename(self, published: Published) -> None:
        self._renamed = drift.renamed_in(published)


ANSWERED: dict[str, Any] = {
    "version": {"type": "integer", "minimum": 0},
    "replica": {"type": "string"},
    "published_ns": {"type": ["integer", "null"]},
    "adopted_ns": {"type": ["integer", "null"]},
    "renamed": {"type": "object", "additionalProperties": {"type": "string"}},
    "feedback": {"type": "string"},
}
"""JSON Schema of what an answer says besides its tags."""
