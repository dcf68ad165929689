"""Simulated blocks: a machine whose speed wanders, deployments that differ, requests in bursts.

A request's response time is ``base x truth x machine(t) x deployment x exp(AR(1)) x burst``; CPU,
start-up and memory follow the same machine, each less or more. The effect is one factor on all
response times and on CPU, which is what a dearer stage does below saturation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.signal import lfilter

from tests.gate_study.blocks import Block, Evidence, Floats, Pair
from tests.gate_study.profiles import DRIFT_S, Profile

REQUESTS = 600
STEADY_S, BLOCK_S = 30.0, 40.0
MOST_PAIRS, REDONE = 16, 8
"""A third of all pairs played is the most that may be redone: 8 of 24."""

ROW = 12
"""Blocks of each side for the methods that do not interleave."""

_BASE_MS, _BASE_CPU_MS, _BASE_PSS_MB, _BASE_START_S = 20.0, 10.0, 300.0, 2.0
_SLO_MS = 60.0
_ERROR_SHARE = 0.001
_EPISODE_S = 60.0
_BURST = 12
"""Requests of one burst, on average."""


@dataclass(frozen=True, slots=True, eq=False)
class Machine:
    """One machine on one day.

    Attributes:
        speed: log slowness at the start of each block's time, :data:`BLOCK_S` apart.
        neighbour: further log slowness of response times then, 0 where nobody disturbs.
    """

    speed: Floats
    neighbour: Floats


def machine(draw: np.random.Generator, profile: Profile, blocks: int) -> Machine:
    """A day of so many blocks."""
    keep = np.exp(-BLOCK_S / DRIFT_S)
    steps = draw.normal(0, profile.drift, blocks) * np.sqrt(1 - keep**2)
    steps[0] = draw.normal(0, profile.drift)
    speed = draw.normal(0, profile.day) + lfilter([1], [1, -keep], steps)
    return Machine(speed, _neighbours(draw, profile, blocks))


def _neighbours(draw: np.random.Generator, profile: Profile, blocks: int) -> Floats:
    """Mean slowness over each block of episodes that come at any time and last a while."""
    seconds = np.zeros(int(blocks * BLOCK_S))
    for _ in range(draw.poisson(profile.neighbours_per_hour * len(seconds) / 3600)):
        start = draw.integers(len(seconds))
        length = int(draw.exponential(_EPISODE_S)) + 1
        seconds[start : start + length] = draw.uniform(0.1, 0.7)
    means: Floats = seconds.reshape(blocks, -1)[:, : int(STEADY_S)].mean(axis=1)
    return means


def play(
    draw: np.random.Generator, profile: Profile, slowness: Machine, truths: Floats, runs: Floats
) -> list[Block]:
    """Blocks one after the other on a machine.

    Args:
        draw: of everything that is not in the machine.
        profile: of the machine.
        slowness: its day.
        truths: the true factor of each block.
        runs: each block's deployment, log.
    """
    count = len(truths)
    at = slowness.speed + slowness.neighbour + runs
    body = _autocorrelated(draw, profile, count) * profile.body
    times = _BASE_MS * np.exp(at[:, None] + body) * truths[:, None] * _bursts(draw, profile, count)
    ok = draw.random(times.shape) >= _ERROR_SHARE
    # CPU time hardly knows of a neighbour, but for shared caches and clock rates.
    own = draw.normal(0, 0.005 + profile.run / 4, count)
    cpu = np.log(truths) + 0.6 * slowness.speed + 0.2 * slowness.neighbour + 0.5 * runs + own
    start = slowness.speed + slowness.neighbour + draw.normal(0, 0.03 + profile.run, count)
    pss = draw.normal(0, 0.005, count)
    middle = np.quantile(times, (0.5, 0.95), axis=1)  # the few that fail are answered as late
    good = ((times <= _SLO_MS) & ok).sum(axis=1)
    return [
        Block(
            {
                "cpu_ms": float(_BASE_CPU_MS * np.exp(cpu[i])),
                "response_p50_ms": float(middle[0, i]),
                "response_p95_ms": float(middle[1, i]),
                "goodput_rps": float(good[i] / STEADY_S),
                "pss_peak_mb": float(_BASE_PSS_MB * np.exp(pss[i])),
                "start_up_s": float(_BASE_START_S * np.exp(start[i])),
            },
            times[i],
            REQUESTS,
            int(REQUESTS - ok[i].sum()),
        )
        for i in range(count)
    ]


def _autocorrelated(draw: np.random.Generator, profile: Profile, count: int) -> Floats:
    noise = draw.standard_normal((count, REQUESTS)) * np.sqrt(1 - profile.phi**2)
    noise[:, 0] /= np.sqrt(1 - profile.phi**2)
    return np.asarray(lfilter([1], [1, -profile.phi], noise, axis=1), dtype=np.float64)


def _bursts(draw: np.random.Generator, profile: Profile, count: int) -> Floats:
    """Factors: 1, and a Pareto draw for all requests of a burst."""
    factors = np.ones((count, REQUESTS))
    for block, number in enumerate(draw.poisson(profile.burst_share * REQUESTS / _BURST, count)):
        for start in draw.integers(0, REQUESTS, number):
            length = int(draw.geometric(1 / _BURST))
            factors[block, start : start + length] = 1 + draw.pareto(profile.tail)
    return factors


def evidence(
    seed: tuple[int, ...], profile: Profile, truth: float, *, other_ways: bool = False
) -> Evidence:
    """One change on one machine, played in every way that a method wants.

    Args:
        seed: of everything.
        profile: of the machine.
        truth: the candidate's factor: 1.1 is 10 % slower and dearer.
        other_ways: play the pairs without restarts, and in a fixed order, too.
    """
    draw = np.random.default_rng(seed)
    today = machine(draw, profile, 2 * (MOST_PAIRS + REDONE))
    day = partial(_pairs, draw, profile, today, truth)
    yesterday = machine(draw, profile, ROW)
    row = np.repeat((1.0, truth), ROW)
    pairs = day()
    in_a_row = play(draw, profile, _first(today, 2 * ROW), row, _runs(draw, profile, 2 * ROW))
    stored = play(draw, profile, yesterday, np.ones(ROW), _runs(draw, profile, ROW))
    return Evidence(
        pairs,
        stored,
        (in_a_row[:ROW], in_a_row[ROW:]),
        {"no restart": day(restart=False), "fixed order": day(random_order=False)}
        if other_ways
        else {},
        2 * BLOCK_S,
    )


def _first(slowness: Machine, blocks: int) -> Machine:
    return Machine(slowness.speed[:blocks], slowness.neighbour[:blocks])


def _runs(draw: np.random.Generator, profile: Profile, count: int) -> Floats:
    return draw.normal(0, profile.run, count)


def _pairs(
    draw: np.random.Generator,
    profile: Profile,
    today: Machine,
    truth: float,
    *,
    restart: bool = True,
    random_order: bool = True,
) -> Sequence[Pair]:
    """Pairs in their order, so many that none is wanting after the redone ones."""
    count = len(today.speed) // 2
    swapped = draw.random(count) < 0.5 if random_order else np.zeros(count, bool)
    # Which side is at each time: 0 is the baseline.
    sides = np.stack([swapped, ~swapped], axis=1).astype(int)
    fresh = _runs(draw, profile, 2 * count)
    runs = fresh if restart else _runs(draw, profile, 2)[sides.ravel()]
    blocks = play(draw, profile, today, np.where(sides.ravel() == 1, truth, 1.0), runs)
    disturbed = today.neighbour.reshape(count, 2).max(axis=1) > 0.03
    flagged = disturbed & (draw.random(count) < profile.noticed)
    first = sides[:, 0].tolist()
    return [
        Pair(blocks[2 * i + first[i]], blocks[2 * i + 1 - first[i]], bool(flagged[i]))
        for i in range(count)
    ]
