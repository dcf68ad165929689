"""The agent played on recorded scores: what it runs, what it gets right, what it learns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from architectures.patterns.agent.learning import lessons, policy_of
from architectures.patterns.agent.policy import (
    EMPTY,
    STOP,
    Policy,
    after,
    features,
)
from architectures.patterns.arms import ARMS, all_right, mean_scores, reward
from architectures.patterns.recording import Recording
from architectures.patterns.sums import Sums, Vector
from architectures.patterns.tags import names


@dataclass(frozen=True, eq=False, slots=True)
class Played:
    """One number a request.

    Attributes:
        right: 1 where all three tags were.
        cost: of the arms that ran, in runs of the dearest.
        runs: how many ran.
    """

    right: Vector
    cost: Vector
    runs: Vector

    @property
    def reward(self) -> Vector:
        """What each answer was worth."""
        return np.array([reward(*pair) for pair in zip(self.right, self.cost, strict=True)])

    def part(self, start: int, end: int) -> "Played":
        """Of some of the requests."""
        return Played(self.right[start:end], self.cost[start:end], self.runs[start:end])


def always(recording: Recording, models: tuple[str, ...], costs: Mapping[str, float]) -> Played:
    """The same arms on every image."""
    right = recording.right(models)
    same = np.ones(len(right))
    return Played(right, same * sum(costs[arm] for arm in models), same * len(models))


def play(recording: Recording, policy: Policy, costs: Mapping[str, float]) -> Played:
    """The policy on every image, without exploring and without learning."""
    return _played(recording, costs, lambda: policy)


def learn(
    recording: Recording, shipped: Sums, costs: Mapping[str, float], explore: float, seed: int
) -> tuple[Played, Policy]:
    """The policy on one image after the other, told the truth about each before the next.

    Returns:
        What was played, and the policy at the end.
    """
    added = EMPTY

    def told(steps: list[dict[str, Any]], label: Mapping[str, Any]) -> None:
        nonlocal added
        added = added.plus(lessons(steps, label, policy_of(shipped, added), costs))

    played = _played(
        recording,
        costs,
        lambda: policy_of(shipped, added),
        explore=explore,
        seed=seed,
        told=told,
    )
    return played, policy_of(shipped, added)


def _played(
    recording: Recording,
    costs: Mapping[str, float],
    policy: Callable[[], Policy],
    *,
    explore: float = 0,
    seed: int = 0,
    told: Callable[[list[dict[str, Any]], Mapping[str, Any]], None] = lambda *_: None,
) -> Played:
    rows = []
    draw = np.random.default_rng(seed)
    for i, label in enumerate(recording.labels):
        steps = walk(recording, i, policy(), explore, draw)
        ran = steps[-1]["ran"]
        told(steps, label)
        right = all_right(steps[-1]["says"], label)
        rows.append((right, sum(costs[arm] for arm in ran), len(ran)))
    return Played(*np.array(rows, np.float64).T)


def walk(
    recording: Recording, i: int, policy: Policy, explore: float, draw: np.random.Generator
) -> list[dict[str, Any]]:
    """One image's steps, as an answer carries them."""
    ran: tuple[str, ...] = ()
    steps: list[dict[str, Any]] = []
    while True:
        ballots = recording.ballots(i, ran)
        state = features(ballots, recording.contexts[i])
        action = STOP
        if len(ran) < len(ARMS):
            action = policy.decide(ran, np.asarray(state), explore, draw).action
        says = names(mean_scores(ballots)) if ran else None
        steps.append({"ran": list(ran), "features": state, "says": says, "next": action})
        if action == STOP:
            return steps
        ran = after(ran, action)
