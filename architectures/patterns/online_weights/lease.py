"""A lease in the store: of all processes that could do something, one does."""

import json
from functools import partial
from time import monotonic_ns

from architectures.state import Store

LASTS_S = 5.0
"""After a holder's death nobody holds the lease for so long; a holder that stalls for half as long
is still safe."""


class Lease:
    """One candidate's claim.

    A holder that stalls for longer than the lease lasts has lost it and does not know until it asks
    again: let what it does be such that the store refuses it then (``Store.publish(onto=...)``).

    Args:
        store: where the lease is.
        key: of the lease.
        holder: this candidate's name, unlike any other's.
        lasts_s: without renewal. Times are CLOCK_MONOTONIC's, so all candidates are on one machine.
    """

    def __init__(self, store: Store, key: str, holder: str, lasts_s: float = LASTS_S) -> None:
        self._store = store
        self._key = key
        self._holder = holder
        self._lasts_ns = round(lasts_s * 1e9)
        self._until_ns = 0

    def hold(self) -> bool:
        """Whether this candidate holds the lease, taking it where it is free.

        It costs nothing while more than half of one's own lease is left, and a read while it is
        another's.
        """
        now_ns = monotonic_ns()
        if self._until_ns - now_ns > self._lasts_ns // 2:
            return True
        holder, until_ns = _read(self._store.get(self._key))
        if holder != self._holder and until_ns > now_ns:
            self._until_ns = 0
            return False
        return self._renew()

    def _renew(self) -> bool:
        """Take or prolong the lease if nobody else holds it; whether this candidate has it now."""
        claim = partial(_claimed, self._holder, monotonic_ns(), self._lasts_ns)
        holder, until_ns = _read(self._store.update(self._key, claim))
        self._until_ns = until_ns if holder == self._holder else 0
        return bool(self._until_ns)

    def release(self) -> None:
        """Let the next candidate have it at once."""
        self._until_ns = 0
        self._store.update(self._key, partial(_released, self._holder))


def holder_of(store: Store, key: str) -> str | None:
    """Who holds a lease; None where nobody does."""
    holder, until_ns = _read(store.get(key))
    return holder if until_ns > monotonic_ns() else None


def _read(kept: bytes | None) -> tuple[str, int]:
    if kept is None:
        return "", 0
    holder, until_ns = json.loads(kept)
    return holder, until_ns


def _written(holder: str, until_ns: int) -> bytes:
    return json.dumps([holder, until_ns]).encode()


def _claimed(claimant: str, now_ns: int, lasts_ns: int, kept: bytes | None) -> bytes:
    holder, until_ns = _read(kept)
    if holder != claimant and until_ns > now_ns:
        return _written(holder, until_ns)
    return _written(claimant, now_ns + lasts_ns)


def _released(leaver: str, kept: bytes | None) -> bytes:
    holder, until_ns = _read(kept)
    return _written(holder, 0 if holder == leaver else until_ns)
