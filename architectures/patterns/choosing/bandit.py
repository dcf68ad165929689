"""Linear Thompson sampling (Agrawal and Goyal, ICML 2013) on sums that replicas share.

Each arm's loss ``1 - reward`` is modelled as linear in the context, with a normal prior around 0:
an arm nobody tried is believed right and free, so it is tried. A choice draws one value an arm from
what is believed of its score and takes the best. Drawing, and not the upper confidence bound of
LinUCB, because replicas choose from the same copy of the state until the next reaches them: a bound
makes all of them choose alike meanwhile, draws do not, and they give each choice a propensity,
without which nobody can say from the answers what another choice would have earned.

Not MABWiser (2.7.4), although it is kept: its state is one process's Python object with no way to
add two together, so shared replicas would pickle whole bandits under a lock and lose updates or
wait; a ``predict`` took 130 us and a ``partial_fit`` 350 us where :func:`choose` takes under 100
and adding to sums under 20; it gives no propensities; it imports pandas and seaborn into every
serving process; and its authors call it a tool for prototyping and simulation, not tested for
serving (fidelity/mabwiser, issue 23). What is needed of it is the thirty lines below.
"""

from dataclasses import dataclass
from math import erf, sqrt
from typing import NamedTuple

import numpy as np

from architectures.patterns.arms import ARMS
from architectures.patterns.choosing.context import WIDTH
from architectures.patterns.sums import Observed, Sums, Vector

RIDGE = 10.0
"""Strength of the prior, in examples. A coefficient's standard deviation is
``SPREAD / sqrt(RIDGE)``."""

SPREAD = 0.1
"""Standard deviation of one reward around its mean, as believed.

A reward that is mostly near 1 and sometimes near 0 spreads 0.15 to 0.2; believing less explores
less. Both were chosen on recorded scores of other images than those of the figures that
``docs/patterns/online_choosing.md`` tells.
"""

EMPTY = Sums.empty(len(ARMS), WIDTH)

_Z = np.linspace(-6, 6, 1201)
_BELOW = np.array([(1 + erf(z / sqrt(2))) / 2 for z in _Z.tolist()])
"""The normal distribution function: SciPy's would cost each process 90 ms when it is imported."""

_GRID = np.linspace(-4, 4, 257)
_WEIGHTS = np.exp(-(_GRID**2) / 2) / np.exp(-(_GRID**2) / 2).sum()


@dataclass(frozen=True, eq=False, slots=True)
class Belief:
    """What is believed of every arm's loss.

    Attributes:
        mean: ``(arms, WIDTH)`` coefficients.
        spread: ``(arms, WIDTH, WIDTH)`` their covariance.
        version: rewards it has seen.
    """

    mean: Vector
    spread: Vector
    version: int


class Choice(NamedTuple):
    """An arm, and how likely it was to be chosen."""

    arm: str
    propensity: float


def believe(sums: Sums) -> Belief:
    """The posterior after what the sums have seen."""
    mean, inverse = sums.solve(RIDGE)
    return Belief(mean, inverse * SPREAD**2, int(sums.count.sum()))


def choose(belief: Belief, context: Vector, draw: np.random.Generator) -> Choice:
    """Draw each arm's score from its posterior and take the best.

    Args:
        belief: at hand.
        context: ``(WIDTH,)``.
        draw: of random numbers.
    """
    means, spreads = scores(belief, context)
    best = drawn(means, spreads, draw)
    return Choice(ARMS[best], float(chances(means, spreads)[best]))


def scores(belief: Belief, context: Vector) -> tuple[Vector, Vector]:
    """Mean and standard deviation of what is believed of each arm's score, ``(arms,)`` each."""
    variances: Vector = (belief.spread @ context) @ context
    return belief.mean @ context, np.sqrt(variances)


def drawn(means: Vector, spreads: Vector, draw: np.random.Generator) -> int:
    """The arm whose drawn score is the greatest."""
    return int(np.argmax(means + spreads * draw.standard_normal(len(ARMS))))


def chances(means: Vector, spreads: Vector) -> Vector:
    """How likely each of several independent normal draws is to be the greatest, ``(arms,)``.

    The integral over one draw's density of the chance that all others lie below, by the sum over
    a grid of 257 points; right to about 1 % of a chance.
    """
    draws = means[:, None] + spreads[:, None] * _GRID
    apart = (draws[:, None, :] - means[None, :, None]) / spreads[None, :, None]
    below = np.interp(apart, _Z, _BELOW)
    below[np.arange(len(means)), np.arange(len(means))] = 1
    found: Vector = below.prod(1) @ _WEIGHTS
    shares: Vector = np.clip(found / found.sum(), 1e-6, 1)
    return shares


def observed(arm: str, context: Vector, reward: float) -> Observed:
    """A reward, as the sums take it."""
    return Observed(ARMS.index(arm), context, reward - 1)


def mean_rewards(sums: Sums) -> dict[str, dict[str, float]]:
    """Arm -> how often its reward was seen, and the mean of these rewards."""
    return {
        arm: {
            "rewards": float(count),
            "mean_reward": round(1 + float(first) / max(float(count), 1), 4),
        }
        for arm, count, first in zip(ARMS, sums.count, sums.moment[:, 0], strict=True)
    }
