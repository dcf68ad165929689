"""The stages of the agent: decide what to run next, answer, and learn from the truth."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from architectures.backends import BackendError
from architectures.ensemble.types import Floats
from architectures.graph import Inputs, Outputs, Stage
from architectures.patterns.agent.learning import lessons, policy_of, shipped
from architectures.patterns.agent.policy import (
    EMPTY,
    STOP,
    Policy,
    features,
)
from architectures.patterns.arms import ARMS, cost_of, costs, mean_scores
from architectures.patterns.shared_sums import SharedSums, add
from architectures.patterns.tags import names, tags
from architectures.state import Store

KEY = "agent"

EXPLORE = 0.02
"""Share of decisions drawn at random: without any, a run never taken is never learnt about."""


class Known:
    """The policy of one process: as shipped, and what all replicas have learnt since.

    Args:
        store: holds the sums.
        tier: that is served.
    """

    def __init__(self, store: Store, tier: str) -> None:
        self.store = store
        self._solve = partial(policy_of, shipped(tier))
        self._pid = 0
        self._sums: SharedSums[Policy] | None = None

    async def policy(self) -> Policy:
        """What decisions are made with."""
        if self._sums is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._sums = SharedSums(self.store, KEY, EMPTY, self._solve)
        return await self._sums.current()

    async def close(self) -> None:
        """Close the store."""
        if self._sums is not None:
            await self._sums.close()
        self.store.close()


class DecideNext:
    """``context`` and the scores so far to a ``step``, and true under what is to be done.

    Scores come as inputs named ``<arm>_<k>``, None where that node did not run. ``going`` is true
    unless the decision is to stop.
    """

    def __init__(self, known: Known, explore: float) -> None:
        self._known = known
        self._explore = explore
        self._pid = 0
        self._draw = np.random.default_rng()

    async def __call__(self, member: Inputs) -> Outputs:
        """Decide for one request."""
        policy = await self._known.policy()
        if self._pid != os.getpid():  # processes of one fork would draw alike
            self._pid = os.getpid()
            self._draw = np.random.default_rng()
        ballots = ballots_of(member)
        step = step_of(ballots, member["context"])
        state = np.asarray(step["features"])
        decision = policy.decide(tuple(step["ran"]), state, self._explore, self._draw)
        step |= {
            "next": decision.action,
            "propensity": round(decision.propensity, 6),
            "state_version": policy.version,
        }
        does = {arm: arm == decision.action for arm in ARMS}
        return {"step": step, "going": decision.action != STOP, **does}

    async def close(self) -> None:
        """Close the store."""
        await self._known.close()


def ballots_of(member: Inputs) -> dict[str, Floats]:
    """Arm -> its scores, of those that ran, in the order of ``ARMS``."""
    found = {
        name.partition("_")[0]: scores
        for name, scores in member.items()
        if scores is not None and name.partition("_")[0] in ARMS
    }
    return {arm: np.asarray(found[arm]) for arm in ARMS if arm in found}


def step_of(ballots: Mapping[str, Floats], context: Sequence[float]) -> dict[str, Any]:
    """A state as answers carry it."""
    return {
        "ran": list(ballots),
        "features": features(ballots, context),
        "says": names(mean_scores(ballots)) if ballots else None,
    }


def answer_of_models(tier: str) -> Stage:
    """Scores of the arms that ran to ``answer``; also the ``step_<k>`` that led there, if any."""

    def stage(batch: Sequence[Inputs]) -> list[Outputs]:
        return [{"answer": _answered(member, tier)} for member in batch]

    return stage


def _answered(member: Inputs, tier: str) -> dict[str, Any]:
    ballots = ballots_of(member)
    answer: dict[str, Any] = {
        "tags": tags(mean_scores(ballots)),
        "models_run": list(ballots),
        "cost": cost_of(list(ballots), tier),
    }
    steps = [member[name] for name in sorted(member) if name.startswith("step_") and member[name]]
    if not steps:
        return answer
    if steps[-1]["next"] != STOP:  # all arms ran, and there was nothing left to decide
        version = steps[-1]["state_version"]
        steps.append(
            step_of(ballots, ()) | {"next": STOP, "propensity": 1.0, "state_version": version}
        )
    return answer | {"steps": steps, "state_version": steps[0]["state_version"]}


class LearnSteps:
    """``answer`` and ``label`` to nothing: what they teach is added to the shared sums."""

    def __init__(self, known: Known, tier: str) -> None:
        self._known = known
        self._costs = costs(tier)

    async def __call__(self, member: Inputs) -> Outputs:
        """Learn from one answer."""
        policy = await self._known.policy()
        learnt = lessons(member["answer"]["steps"], member["label"], policy, self._costs)
        with suppress(BackendError):  # the copies that cannot be read say so, once
            await add(self._known.store, KEY, EMPTY, learnt)
        return {"learnt": len(learnt)}

    async def close(self) -> None:
        """Close the store."""
        await self._known.close()
