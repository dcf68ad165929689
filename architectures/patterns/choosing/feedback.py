"""Rewards that come later, and what an operator may ask."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from architectures.contract import Problem
from architectures.patterns.arms import ARMS
from architectures.patterns.choosing.bandit import EMPTY, mean_rewards, observed
from architectures.patterns.choosing.context import WIDTH
from architectures.patterns.choosing.stages import APART_PREFIX, SHARED_KEY, key_of
from architectures.patterns.feedback_problem import malformed
from architectures.patterns.shared_sums import add
from architectures.patterns.sums import Sums
from architectures.state import Store, open_store

_LIMIT = 10.0
"""Largest context number: one feedback must not outweigh all others."""

_MEANT = '{"of": "choice", "model": ARM, "context": [as answered], "reward": -1 to 1}'


class ChoiceFeedback(BaseModel):
    """What was earned by a choice; all but ``reward`` as the answer said it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    of: Literal["choice"]
    model: Literal["residual", "depthwise", "hybrid"]
    context: list[Annotated[float, Field(ge=-_LIMIT, le=_LIMIT)]] = Field(
        min_length=WIDTH, max_length=WIDTH
    )
    reward: float = Field(ge=-1, le=1)
    state: Literal["shared", "apart"] = "shared"
    replica: str = Field("", max_length=16)


async def take(store: Store, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Learn from ``{"of": "choice", "model": ..., "context": [...], "reward": r}``.

    ``state`` and ``replica`` are given where replicas learn apart.

    Raises:
        Problem: ``malformed-feedback`` (422), another form, or a replica there never was.
    """
    try:
        given = ChoiceFeedback.model_validate(document)
    except ValidationError as error:
        raise malformed(error, _MEANT) from error
    key = key_of(given.state, given.replica)
    if given.state == "apart" and key not in await asyncio.to_thread(store.counters, key):
        raise Problem(
            "malformed-feedback", 422, "There is no such replica; send what the answer said."
        )
    context = np.asarray(given.context, np.float64)
    await add(store, key, EMPTY, [observed(given.model, context, given.reward)])
    return {"taken": True}


async def rewards_seen() -> Mapping[str, Any]:
    """State -> arm -> how often its reward was seen, and their mean."""
    store = open_store()
    try:
        keys = [SHARED_KEY, *await asyncio.to_thread(store.counters, APART_PREFIX)]
        blobs = [await asyncio.to_thread(store.get, key) for key in keys]
    finally:
        store.close()
    return {
        key.removeprefix("choosing/"): mean_rewards(
            EMPTY if blob is None else Sums.read(blob, len(ARMS), WIDTH)
        )
        for key, blob in zip(keys, blobs, strict=True)
    }
