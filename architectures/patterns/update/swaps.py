"""When each replica took which version, as it saw it itself."""

import json
import logging
from typing import Any

from architectures.backends import BackendError
from architectures.state import Store

_LOG = logging.getLogger("servebench.update")

_SWAPS = "update/swaps"
_KEPT = 64


def record_swap(store: Store, swap: dict[str, Any]) -> None:
    """Keep one swap, and of those before it the last few; lost where the store is away."""

    def append(kept: bytes | None) -> bytes:
        swaps = [*(json.loads(kept) if kept else []), swap]
        return json.dumps(swaps[-_KEPT:]).encode()

    try:
        store.update(_SWAPS, append)
    except BackendError as error:
        _LOG.warning("a swap is not on record: %s", error)


def read_swaps(store: Store) -> list[dict[str, Any]]:
    """The last swaps of all replicas, newest last.

    Each has ``slot``, ``replica``, ``version``; ``published_ns``, ``seen_ns`` and ``serving_ns``
    on CLOCK_MONOTONIC; and, where the version could not be loaded, ``failed`` in place of the last.
    What a replica began with is no swap.
    """
    kept = store.get(_SWAPS)
    swaps: list[dict[str, Any]] = json.loads(kept) if kept else []
    return swaps
