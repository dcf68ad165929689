"""The stages around a choice: look, choose, answer, and learn from what it earned."""

import asyncio
import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from architectures.backends import BackendError
from architectures.contract import Problem
from architectures.graph import Inputs, Outputs, Stage
from architectures.patterns.arms import ARMS, all_right, costs, reward
from architectures.patterns.choosing.bandit import EMPTY, Belief, believe, choose, observed
from architectures.patterns.choosing.context import context_of
from architectures.patterns.label_header import label_in
from architectures.patterns.shared_sums import SharedSums, add
from architectures.patterns.tags import tags
from architectures.state import Store

SHARED_KEY = "choosing/shared"
APART_PREFIX = "choosing/apart/"


def read_context(batch: Sequence[Inputs]) -> list[Outputs | Problem]:
    """``crop``, ``box``, ``headers`` to ``context``, ``label`` and whether it is ``labelled``."""
    return [_looked(member) for member in batch]


def _looked(member: Inputs) -> Outputs | Problem:
    try:
        label = label_in(member["headers"])
    except Problem as problem:
        return problem
    context = context_of(member["crop"], np.asarray(member["box"]))
    return {"context": context, "label": label, "labelled": label is not None}


class ChooseArm:
    """``context`` to a ``choice``, and true under the chosen arm's name alone.

    Args:
        store: holds the sums.
        apart: this replica learns alone, under a key of its own.
    """

    def __init__(self, store: Store, *, apart: bool) -> None:
        self._store = store
        self._apart = apart
        self._pid = 0
        self._replica = ""
        self._draw = np.random.default_rng()
        self._sums: SharedSums[Belief] | None = None

    async def __call__(self, member: Inputs) -> Outputs:
        """Choose for one request."""
        belief = await (await self._mine()).current()
        context = member["context"]
        chosen = choose(belief, np.asarray(context, np.float64), self._draw)
        return {
            "choice": {
                "model": chosen.arm,
                "propensity": round(chosen.propensity, 6),
                "context": context,
                "state": "apart" if self._apart else "shared",
                "state_version": belief.version,
                "replica": self._replica,
            },
            **{arm: arm == chosen.arm for arm in ARMS},
        }

    async def close(self) -> None:
        """Close the store."""
        if self._sums is not None:
            await self._sums.close()
        self._store.close()

    async def _mine(self) -> SharedSums[Belief]:
        """This process's copy: a replica is named on first use, since a fork would share names."""
        if self._sums is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._replica = secrets.token_hex(4)
            self._draw = np.random.default_rng()
            key = key_of("apart" if self._apart else "shared", self._replica)
            self._sums = SharedSums(self._store, key, EMPTY, believe)
            if self._apart:
                with suppress(BackendError):  # it answers all the same, and learns later
                    await asyncio.to_thread(self._store.count, {key: 1})
        return self._sums


def key_of(state: str, replica: str) -> str:
    """Where the sums lie that a choice was made from."""
    return SHARED_KEY if state == "shared" else APART_PREFIX + replica


class LearnChoice:
    """``answer`` and ``label`` to nothing: the reward is added to the sums the choice came from."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def __call__(self, member: Inputs) -> Outputs:
        """Learn from one answer."""
        answer = member["answer"]
        earned = reward(all_right(answer["tags"], member["label"]), answer["cost"])
        context = np.asarray(answer["context"], np.float64)
        key = key_of(answer["state"], answer["replica"])
        with suppress(BackendError):  # the copies that cannot be read say so, once
            await add(self._store, key, EMPTY, [observed(answer["model"], context, earned)])
        return {"reward": earned}

    async def close(self) -> None:
        """Close the store."""
        self._store.close()


def answer_choice(tier: str) -> Stage:
    """``choice`` and the one arm's scores that is not None to ``answer``."""
    each = costs(tier)
    return _each(lambda member: _answered(member, each))


def _answered(member: Inputs, each: dict[str, float]) -> Outputs:
    choice: dict[str, Any] = member["choice"]
    arm = choice["model"]
    return {"answer": {"tags": tags(member[arm]), "cost": each[arm], **choice}}


def _each(run: Callable[[Inputs], Outputs]) -> Stage:
    def stage(batch: Sequence[Inputs]) -> list[Outputs | Problem]:
        return [run(member) for member in batch]

    return stage
