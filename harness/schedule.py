"""What runs when: blocks, each one pass over all SUTs in an order drawn from the seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice

import numpy as np

from harness.record import Role, Sut, TrialPlace

_ORDER, _PLAN, _PROBE = 0, 1, 2

_DRAWN_ANEW: dict[Role, int] = {"confirmation": 1, "repetition": 2}
MOST_PROBES = 100
"""Of one capacity search: so many numbers are kept free for it in the order of trials."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One SUT's turn in a block: one deployment, all load steps, and then its capacity search.

    Attributes:
        places: of the load steps' trials.
        first_probe: the order of the search's first probe, if there is one.
    """

    block: int
    sut: str
    places: tuple[TrialPlace, ...]
    first_probe: int = 0

    def probe(self, number: int) -> TrialPlace:
        """Where the search's n-th probe stands."""
        order = self.first_probe + number
        return TrialPlace(order=order, block=self.block, step=0, sut=self.sut, probe=number)


def schedule(
    suts: Sequence[Sut], steps: int, blocks: int, seed: int, *, search: bool = False
) -> tuple[Turn, ...]:
    """Draw the order of a whole run.

    Blocks come one after the other, so that what drifts on the machine meets every SUT alike; the
    order within a block is drawn anew, so that no SUT always runs first or after the same one.

    Args:
        suts: under test.
        steps: load steps.
        blocks: passes over all SUTs.
        seed: of the orders.
        search: whether each turn ends in a capacity search, whose probes nobody can count yet.
    """
    orders = count()
    turns = []
    for block in range(blocks):
        draw = np.random.default_rng((seed, _ORDER, block))
        for index in draw.permutation(len(suts)):
            sut = suts[int(index)].key
            places = tuple(
                TrialPlace(order=next(orders), block=block, step=step, sut=sut)
                for step in range(steps)
            )
            turns.append(Turn(block, sut, places, _reserved(orders) if search else 0))
    return tuple(turns)


def _reserved(orders: Iterator[int]) -> int:
    """The first of the orders kept free for one search."""
    first, *_ = islice(orders, MOST_PROBES)
    return first


def plan_seed(seed: int, block: int, step: int) -> int:
    """The seed of one block's load plan at one step: the same for every SUT, another each block."""
    return int(np.random.SeedSequence((seed, _PLAN, block, step)).generate_state(1)[0])


def probe_seed(seed: int, block: int, rate_rps: float, role: Role) -> int:
    """The seed of a probe's load plan: by block and rate, so that equal rates meet every SUT alike.

    A repetition and a confirmation draw anew: a rate must be judged again by arrivals other than
    those that judged it first.
    """
    rate = int(np.float64(rate_rps).view(np.uint64))
    entropy = (seed, _PROBE, block, rate, _DRAWN_ANEW.get(role, 0))
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])
