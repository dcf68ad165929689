"""What the agent knows and how it decides: a linear Q-function over which classifiers ran.

A state is the set of arms that ran and, once one did, numbers about the mean of their scores;
before, the context the bandit reads. An action runs one more arm or stops. The return of stopping
is 1 if all three tags are right; each run costs as ``architectures.patterns.arms`` says. Q is kept
as ``Q - 1``, a loss: a state never met then looks good, and is tried.

One linear model a pair of state set and action, fitted backwards from the set of all arms (fitted
Q iteration, Ernst et al., JMLR 2005; with at most three steps one pass is exact).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from architectures.ensemble.attributes import SCORE_SLICES
from architectures.ensemble.types import Floats
from architectures.patterns.arms import ARMS, COST_WEIGHT, mean_scores
from architectures.patterns.choosing import context
from architectures.patterns.sums import Sums, Vector

STOP = "stop"

FEATURES = ("one", "sure", "margin", "odds", *(f"odds_{k}" for k in range(1, 7)), "agree")
"""Of a state in which arms ran: how sure their mean is of all three tags together (the product of
its greatest probabilities), the least gap between first and second value of a kind, the log odds of
being sure and their excess over 1 to 6, and whether all that ran say the same."""

WIDTH = max(len(FEATURES), context.WIDTH)
RIDGE = 0.3
_ODDS_SCALE = 7.0
_DIGITS = 4

SETS: tuple[tuple[str, ...], ...] = tuple(
    ran for size in range(len(ARMS), -1, -1) for ran in combinations(ARMS, size)
)
"""Every set of arms that may have run, the greatest first; arms in the order of ``ARMS``."""


def actions(ran: Sequence[str]) -> tuple[str, ...]:
    """What may be done once these ran: nothing is answered by nobody."""
    left = tuple(arm for arm in ARMS if arm not in ran)
    return (STOP, *left) if ran else left


ROWS: Mapping[tuple[tuple[str, ...], str], int] = {
    pair: row for row, pair in enumerate((ran, action) for ran in SETS for action in actions(ran))
}
"""State set and action -> the model of their Q."""

EMPTY = Sums.empty(len(ROWS), WIDTH)


def after(ran: Sequence[str], arm: str) -> tuple[str, ...]:
    """The set once one more ran."""
    return tuple(each for each in ARMS if each in ran or each == arm)


def features(ballots: Mapping[str, Floats], seen: Sequence[float]) -> list[float]:
    """The numbers of a state, ``WIDTH`` of them.

    Args:
        ballots: arm that ran -> its scores ``(SCORES,)``.
        seen: the context, used while nothing ran.
    """
    if not ballots:
        return _padded(seen)
    mean = mean_scores(ballots)
    ordered = [np.sort(mean[part])[::-1] for part in SCORE_SLICES.values()]
    sure = float(np.prod([kind[0] for kind in ordered]))
    odds = -float(np.log(max(1 - sure, 0) + 1e-3))
    margin = min(float(kind[0] - kind[1]) for kind in ordered)
    excess = [max(odds - k, 0) / _ODDS_SCALE for k in range(1, 7)]
    return _padded([1, sure, margin, odds / _ODDS_SCALE, *excess, _agree(ballots)])


def _agree(ballots: Mapping[str, Floats]) -> float:
    said = {
        tuple(int(scores[part].argmax()) for part in SCORE_SLICES.values())
        for scores in ballots.values()
    }
    return float(len(said) == 1)


def _padded(numbers: Sequence[float]) -> list[float]:
    return [round(float(x), _DIGITS) for x in numbers] + [0.0] * (WIDTH - len(numbers))


class Decision(NamedTuple):
    """An action and how likely it was to be taken."""

    action: str
    propensity: float


@dataclass(frozen=True, eq=False, slots=True)
class Policy:
    """What is believed of every action.

    Attributes:
        coefficients: ``(rows, WIDTH)`` of ``Q - 1``.
        version: examples it has learnt from since it was shipped.
    """

    coefficients: Vector
    version: int = 0

    def losses(self, ran: tuple[str, ...], state: Vector) -> dict[str, float]:
        """Action -> ``Q - 1`` in a state."""
        return {
            action: float(self.coefficients[ROWS[ran, action]] @ state) for action in actions(ran)
        }

    def best(self, ran: tuple[str, ...], state: Vector) -> tuple[str, float]:
        """The best action in a state, and its ``Q - 1``."""
        losses = self.losses(ran, state)
        action = max(losses, key=losses.__getitem__)
        return action, losses[action]

    def decide(
        self, ran: tuple[str, ...], state: Vector, explore: float, draw: np.random.Generator
    ) -> Decision:
        """The best action, or with chance ``explore`` any of those allowed."""
        action, _ = self.best(ran, state)
        allowed = actions(ran)
        share = explore / len(allowed)
        if draw.random() >= explore:
            return Decision(action, 1 - explore + share)
        drawn = allowed[int(draw.integers(len(allowed)))]
        return Decision(drawn, share + (1 - explore if drawn == action else 0))


def price(arm: str, costs: Mapping[str, float]) -> float:
    """What a run takes from the return."""
    return COST_WEIGHT * costs[arm]
