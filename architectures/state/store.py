"""What shared state can do, whatever keeps it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

KEPT_VERSIONS = 32
"""Newest versions of a name whose blobs are kept: a learner publishes for as long as it runs."""


@dataclass(frozen=True, slots=True)
class Published:
    """One version of something that processes follow.

    Attributes:
        version: counted from 1.
        blob: what was published.
        published_ns: CLOCK_MONOTONIC when it last became current.
    """

    version: int
    blob: bytes
    published_ns: int


class SupersededError(Exception):
    """Somebody published meanwhile: read what is current, and make the change to that."""


class Store(Protocol):
    """Shared by threads and processes; every call is atomic and none takes long.

    Opening one connects to nothing, so it may be opened before a fork. Every call may raise
    :class:`architectures.backends.BackendError` where the store is away. Calls block: a coroutine
    makes them by ``await asyncio.to_thread(store.get, key)``.
    """

    def get(self, key: str) -> bytes | None:
        """A value, or None."""
        ...

    def put(self, key: str, value: bytes) -> None:
        """Set a value."""
        ...

    def update(self, key: str, change: Callable[[bytes | None], bytes]) -> bytes:
        """Read, change and write a value with nobody in between; returns what was written.

        ``change`` may be called more than once, and must not use the store. What it raises is
        raised here, and nothing is written.
        """
        ...

    def publish(self, name: str, blob: bytes, onto: int | None = None) -> Published:
        """Make a blob the newest and the current version of a name.

        Args:
            name: of what is followed.
            blob: to publish.
            onto: the current version that it was made from, 0 being none; None does not look.

        Raises:
            SupersededError: another version is current by now; nothing was published.
        """
        ...

    def current_version(self, name: str) -> int:
        """Which version is current; 0 where nothing was published. The cheapest call there is."""
        ...

    def read(self, name: str, version: int | None = None) -> Published | None:
        """A version, by default the current one; None where there is none, or none any more."""
        ...

    def make_current(self, name: str, version: int) -> Published:
        """Go back (or forth) to a version that was published.

        Raises:
            KeyError: there is no such version, or its blob was dropped (``KEPT_VERSIONS``).
        """
        ...

    def count(self, additions: Mapping[str, float]) -> None:
        """Add to counters, all at once; those that are not there begin at 0."""
        ...

    def counters(self, prefix: str) -> dict[str, float]:
        """Counters whose names begin so."""
        ...

    def push(self, queue: str, items: Sequence[bytes], most: int) -> int:
        """Append to a queue, dropping its oldest beyond ``most``; returns its length."""
        ...

    def pop(self, queue: str, count: int) -> list[bytes]:
        """Take up to so many of a queue's oldest items; whoever takes one has it alone."""
        ...

    def close(self) -> None:
        """Close what this process opened; nothing more is called."""
        ...
