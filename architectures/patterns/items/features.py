"""The stage that reads the feature store, and does without where it cannot."""

import asyncio
import json
from collections.abc import Mapping
from time import monotonic_ns

from architectures.graph import Inputs, Outputs
from architectures.patterns.items.availability import Availability
from architectures.patterns.items.breaker import Breaker, BreakerLimits
from architectures.patterns.items.feature_stores import STORE_ERRORS, FeatureStore, feature_store
from architectures.patterns.items.settings import Part
from architectures.patterns.items.single_flight import SingleFlight

DEFAULT: Mapping[str, float] = {"views": 0.0, "orders": 0.0, "usual_price_cents": 5_000.0}
"""Of a product the store knows nothing of, and of every product while the store is away."""


class ReadFeatures:
    """``tenant``, ``sku`` to ``features`` and their ``origin``: ``stored`` or ``default``.

    A breaker keeps a store that no longer answers from costing each request its whole time limit.

    Args:
        part: the store, and this process's limits.
    """

    def __init__(self, part: Part) -> None:
        self._part = part
        self._store: FeatureStore | None = None
        self._filled = SingleFlight(self._fill)
        self._breaker = Breaker(BreakerLimits())
        self._availability = Availability("the feature store")

    async def __call__(self, member: Inputs) -> Outputs:
        """Never refuses: an item without features is worth taking."""
        found = await self._read(member["tenant"], member["sku"])
        if found is None:
            return {"features": dict(DEFAULT), "origin": "default"}
        return {"features": json.loads(found), "origin": "stored"}

    async def _read(self, tenant: str, sku: str) -> bytes | None:
        ticket = self._breaker.admit(monotonic_ns())
        if ticket is None:
            return None
        try:
            async with asyncio.timeout(self._part.timeout_s):
                await self._filled()  # goes on for the others where this request's time is up
                found = await self._opened().read(tenant, sku)
        except STORE_ERRORS as error:
            self._breaker.settle(ticket, monotonic_ns(), ok=False)
            self._availability.lost(error)
            self._filled.again()  # it may come back empty
            return None
        except BaseException:  # its caller left; or a mistake, which must not keep a probe's place
            self._breaker.drop(ticket)
            raise
        self._breaker.settle(ticket, monotonic_ns(), ok=True)
        self._availability.back()
        return found

    async def _fill(self) -> None:
        await self._opened().fill()

    def _opened(self) -> FeatureStore:
        if self._store is None:
            self._store = feature_store(self._part)
        return self._store

    async def close(self) -> None:
        """Give the connections back."""
        await self._filled.stop()
        store, self._store = self._store, None
        if store is not None:
            await store.close()
