"""What runs when: blocks, each one pass over all SUTs in an order drawn from the seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from harness.record import Sut, TrialPlace

_ORDER, _PLAN = 0, 1


@dataclass(frozen=True, slots=True)
class Turn:
    """One SUT's turn in a block: one deployment, all load steps."""

    block: int
    sut: str
    places: tuple[TrialPlace, ...]


def schedule(suts: Sequence[Sut], steps: int, blocks: int, seed: int) -> tuple[Turn, ...]:
    """Draw the order of a whole run.

    Blocks come one after the other, so that what drifts on the machine meets every SUT alike; the
    order within a block is drawn anew, so that no SUT always runs first or after the same one.
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
            turns.append(Turn(block, sut, places))
    return tuple(turns)


def plan_seed(seed: int, block: int, step: int) -> int:
    """The seed of one block's load plan at one step: the same for every SUT, another each block."""
    return int(np.random.SeedSequence((seed, _PLAN, block, step)).generate_state(1)[0])
