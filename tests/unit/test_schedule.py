"""The order of trials: complete, drawn from the seed, and different in each block."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.record import Sut
from harness.schedule import MOST_PROBES, plan_seed, probe_seed, schedule


def suts(count: int) -> list[Sut]:
    return [
        Sut(key=f"a{i}:v", architecture=f"a{i}", variant="v", summary="", answers=True)
        for i in range(count)
    ]


@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 6), st.integers(0, 2**32))
def test_every_sut_meets_every_step_once_in_every_block(
    count: int, steps: int, blocks: int, seed: int
) -> None:
    turns = schedule(suts(count), steps, blocks, seed)
    places = [place for turn in turns for place in turn.places]
    assert [place.order for place in places] == list(range(count * steps * blocks))
    assert set(Counter((p.block, p.step, p.sut) for p in places).values()) == {1}
    assert [turn.block for turn in turns] == sorted(turn.block for turn in turns)
    assert turns == schedule(suts(count), steps, blocks, seed)
    assert len({place.directory for place in places}) == len(places)


@given(st.integers(1, 4), st.integers(0, 3), st.integers(1, 3))
def test_probes_come_after_their_turns_steps_and_before_the_next_turn(
    count: int, steps: int, blocks: int
) -> None:
    turns = schedule(suts(count), steps, blocks, seed=1, search=True)
    places = [p for t in turns for p in (*t.places, *map(t.probe, range(MOST_PROBES)))]
    assert [place.order for place in places] == list(range(count * blocks * (steps + MOST_PROBES)))
    assert len({place.directory for place in places}) == len(places)


def test_equal_rates_in_a_block_give_equal_arrivals_and_a_second_look_others() -> None:
    rates = [12.5, 12.51, 25.0]
    seeds = [
        probe_seed(1, block, rate, role)
        for block in range(3)
        for rate in rates
        for role in ("bisection", "repetition", "confirmation")
    ]
    assert len(set(seeds)) == 27
    assert seeds[0] == probe_seed(1, 0, 12.5, "doubling")


def test_every_order_comes_about_equally_often() -> None:
    turns = schedule(suts(3), 1, 3000, seed=7)
    orders = Counter(
        tuple(turn.sut for turn in turns[block * 3 : block * 3 + 3]) for block in range(3000)
    )
    assert len(orders) == 6
    assert min(orders.values()) == pytest.approx(500, abs=100)


def test_plans_differ_between_blocks_and_steps_only() -> None:
    seeds = {plan_seed(1, block, step) for block in range(50) for step in range(10)}
    assert len(seeds) == 500
    assert plan_seed(1, 2, 3) == plan_seed(1, 2, 3)
    assert plan_seed(2, 2, 3) != plan_seed(1, 2, 3)
