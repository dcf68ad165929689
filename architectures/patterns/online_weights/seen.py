"""The features of images that were asked about lately, kept for the feedback that may come.

A feedback names its image by a token: a digest of the request's body. So a client need keep
nothing, a load generator can write feedback before anything was asked, and no image is sent or
computed twice. Learning from the features that were served is also what keeps training and serving
from drifting apart.
"""

import asyncio
from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from architectures.ensemble.types import Floats
from architectures.graph import Inputs, Outputs
from architectures.patterns.online_weights.names import SEEN
from architectures.state import Store, open_store

TOKEN_BYTES = 16
SLOTS = 16_384
"""Images remembered at most. A token has one slot and whoever came last has it: bounded without a
list that every process would have to change, at 128 features 8 MB."""


def token_of(body: bytes) -> str:
    """A request body's token: 32 hexadecimal digits."""
    return sha256(body).digest()[:TOKEN_BYTES].hex()


def content_tokens(batch: Sequence[Inputs]) -> list[Outputs]:
    """A light stage: ``body`` to ``token``."""
    return [{"token": token_of(member["body"])} for member in batch]


def remember(store: Store, token: str, features: Floats) -> None:
    """Keep an image's features, ``(width,)`` float32, in its token's slot."""
    store.put(_slot(token), bytes.fromhex(token) + np.asarray(features, np.float32).tobytes())


def recall(store: Store, token: str) -> Floats | None:
    """Features ``(width,)`` of a token; None where it was never seen or another has its slot."""
    kept = store.get(_slot(token))
    if kept is None or kept[:TOKEN_BYTES] != bytes.fromhex(token):
        return None
    return np.frombuffer(kept, np.float32, offset=TOKEN_BYTES)


def _slot(token: str) -> str:
    return f"{SEEN}{int(token[:8], 16) % SLOTS}"


class RememberFeatures:
    """An :class:`architectures.graph.IoStage`: keeps ``features`` under ``token``, gives nothing.

    It stands in the graph detached: nobody waits for it, and under overload it is shed. Feedback
    on an image that was not remembered is answered, and not learnt from.
    """

    def __init__(self) -> None:
        self._store: Store | None = None

    async def __call__(self, member: Inputs) -> Outputs:
        """Keep one image's features."""
        store = self._store = self._store or open_store()
        await asyncio.to_thread(remember, store, member["token"], member["features"])
        return {}

    async def close(self) -> None:
        """Close the store."""
        if self._store is not None:
            self._store.close()
