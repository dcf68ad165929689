"""Regret against the best fixed choice in hindsight.

``regret(t) = sum over requests up to t of (mean reward of the best fixed arm - reward received)``,
where the best fixed arm is the one whose mean reward over all these requests is the greatest. It
is below 0 where contexts let a learner beat every fixed arm.

What a fixed arm would have earned is known in three ways: from the ``reward`` that ``score`` gives
for the answers of ``online/only_<arm>`` on the same payloads (exact); from recorded scores
(:func:`simulate`, exact); or from the learner's own answers by :func:`fixed_rewards`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from architectures.patterns.arms import ARMS
from architectures.patterns.choosing.bandit import EMPTY, believe, drawn, observed, scores
from architectures.patterns.sums import Vector


def regret(rewards: Sequence[float], fixed: Mapping[str, float]) -> Vector:
    """Cumulative regret after each request.

    Args:
        rewards: received, in the order of the requests.
        fixed: arm -> its mean reward on the same requests.
    """
    return np.cumsum(max(fixed.values()) - np.asarray(rewards, np.float64))


def fixed_rewards(
    answers: Sequence[Mapping[str, Any]], rewards: Sequence[float]
) -> dict[str, float]:
    """Estimate every arm's mean reward from answers that chose among them.

    Self-normalised inverse propensity weighting: a reward counts ``1 / propensity``, so that
    requests on which an arm is rarely chosen are not missed. Arms never chosen are left out.

    Args:
        answers: documents of ``online/choose``.
        rewards: of the same answers.
    """
    weighed: dict[str, float] = {}
    weights: dict[str, float] = {}
    for answer, reward in zip(answers, rewards, strict=True):
        arm, weight = str(answer["model"]), 1 / float(answer["propensity"])
        weighed[arm] = weighed.get(arm, 0) + weight * reward
        weights[arm] = weights.get(arm, 0) + weight
    return {arm: weighed[arm] / weights[arm] for arm in weighed}


def simulate(
    contexts: Vector, rewards: Vector, seed: int, *, replicas: int = 1, shared: bool = True
) -> Vector:
    """Play the bandit on recorded requests, each reward told before the next request.

    Args:
        contexts: ``(n, WIDTH)``.
        rewards: ``(n, arms)``: what each arm would have earned.
        seed: of the draws.
        replicas: take turns.
        shared: whether they learn into one state; else each learns alone.

    Returns:
        The rewards received, ``(n,)``.
    """
    draw = np.random.default_rng(seed)
    states = [EMPTY] * (1 if shared else replicas)
    received = np.zeros(len(contexts))
    for i, context in enumerate(contexts):
        mine = i % len(states)
        arm = drawn(*scores(believe(states[mine]), context), draw)
        received[i] = rewards[i, arm]
        states[mine] = states[mine].plus([observed(ARMS[arm], context, received[i])])
    return received
