"""The plain ensemble, in a gateway whose connections to its services are no longer kept.

Importing it is the plant: what a refactoring does that forgets the pool's setting.
"""

from typing import Any

import aiohttp
from planted_tags import GRAPHS, MEDIA_TYPES, STAGES, TIERS, describe, examples, load_stage

from architectures.microservices.over_http import sender

__all__ = ["GRAPHS", "MEDIA_TYPES", "STAGES", "TIERS", "describe", "examples", "load_stage"]


def _closing(limit: int = 0, **_kept: Any) -> aiohttp.TCPConnector:
    """A connector that closes a connection after each call."""
    return aiohttp.TCPConnector(limit=limit, force_close=True)


sender.TCPConnector = _closing
