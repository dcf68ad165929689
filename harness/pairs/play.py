"""Pairs of blocks in seeded random order; each is on disk before the next begins."""

import os
import shlex
import subprocess
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from harness.pairs.contamination import contaminated
from harness.pairs.player import Player, PlayerError
from harness.pairs.record import SIDES, GateRecord, PairRecord, SideName, SideRecord
from harness.pairs.sides import Side
from harness.pairs.written import write_scenario
from harness.record import TrialRecord
from harness.run_directory import RunDirectory
from harness.scenario_file import read_scenario

_ORDER = 3
"""Parts the order's seed from those of plans and schedules."""

_CAPACITY_S = 3.0
"""Counted at each concurrency of the capacity reading."""

_RESTART_LIMIT_S = 600.0


def most_blocks(record: GateRecord) -> int:
    """Blocks that a gate can need at most, redone ones included."""
    most = record.section.looks[-1]
    return most + most // 2 + 1


def too_many_redone(record: GateRecord) -> bool:
    """Whether more than a third of the pairs played did not count, the first look's at least."""
    counted = max(len(record.counted), record.section.looks[0])
    return 2 * len(record.redone) > counted


def first_side(seed: int, block: int) -> SideName:
    """Which side of a pair is played first: a coin that only the seed and the block know."""
    return SIDES[int(np.random.default_rng((seed, _ORDER, block)).integers(2))]


def play_pairs(
    record: GateRecord, sides: Mapping[SideName, Side], directory: Path, say: Callable[[str], None]
) -> Generator[GateRecord, None, None]:
    """Play pair after pair until nobody asks for another; yields the record after each.

    Args:
        record: what is compared, at which rate.
        sides: what plays the blocks.
        directory: the gate's folder.
        say: told each pair in a line.

    Raises:
        PlayerError: a side could not be prepared, or ended by itself.
        ScenarioError: a side's scenario cannot be written as its blocks need it.
    """
    with ExitStack() as players:
        started = {
            name: players.enter_context(_player(record, sides[name], directory)) for name in SIDES
        }
        runs = {name: started[name].prepare() for name in SIDES}
        record = record.model_copy(
            update={"sides": tuple(_placed(s, runs[s.name], directory) for s in record.sides)}
        )
        record.save(directory)
        for block in range(most_blocks(record)):
            pair = _play_pair(record, block, sides, started)
            record = record.model_copy(update={"pairs": (*record.pairs, pair)})
            record.save(directory)
            say(_line(record, pair))
            yield record
            if too_many_redone(record):
                return


def play_capacity(side: Side, directory: Path, concurrencies: tuple[int, ...], seed: int) -> Path:
    """Play the baseline in a closed loop, once at each concurrency; returns the run's folder.

    Raises:
        PlayerError: it could not be played.
    """
    path = directory / "capacity.toml"
    load = {"loop": "closed", "concurrency": list(concurrencies), "blocks": 1, "seed": seed}
    write_scenario(side, path, load={**load, "steady_s": _CAPACITY_S})
    with Player(side, path, directory / "capacity", directory / "capacity.log") as player:
        run = player.prepare()
        player.play()
    return run


def trial_of(run: Path, block: int) -> TrialRecord:
    """A block's only trial.

    Raises:
        PlayerError: its record is not there.
    """
    trial = RunDirectory(run).trial_of_block(block)
    if trial is None:
        raise PlayerError(f"{run} has no trial of block {block + 1}: its folder was removed")
    return trial


def _player(record: GateRecord, side: Side, directory: Path) -> Player:
    name = side.record.name
    path = directory / f"{name}.toml"
    load = {"rates": [record.rate_rps], "blocks": most_blocks(record), "seed": record.seed}
    write_scenario(side, path, load=load)
    return Player(side, path, directory / name, directory / f"{name}.log")


def _placed(side: SideRecord, run: Path, directory: Path) -> SideRecord:
    return side.model_copy(update={"run": os.path.relpath(run, directory)})


def _play_pair(
    record: GateRecord,
    block: int,
    sides: Mapping[SideName, Side],
    players: Mapping[SideName, Player],
) -> PairRecord:
    started_ns = time.monotonic_ns()
    first = first_side(record.seed, block)
    doubts: list[str] = []
    for name in (first, *(name for name in SIDES if name != first)):
        _restart(sides[name])
        played = players[name].play()
        if played != block:
            raise PlayerError(f"the {name} played block {played} where {block} was due")
        trial = trial_of(players[name].run, block)
        doubts += [f"{name}: {why}" for why in contaminated(trial, _sut_cores(players[name].run))]
    return PairRecord(
        block=block,
        first=first,
        contaminated=tuple(doubts),
        wall_s=(time.monotonic_ns() - started_ns) / 1e9,
    )


def _sut_cores(run: Path) -> int:
    return read_scenario(run / "scenario.toml").budget.cores


def _restart(side: Side) -> None:
    """Give a running service a fresh start, if there is a way.

    Raises:
        PlayerError: the command failed.
    """
    if side.restart is None:
        return
    words = shlex.split(side.restart)
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, check=False, timeout=_RESTART_LIMIT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PlayerError(f"the {side.record.name} cannot be restarted: {error}") from error
    if done.returncode:
        raise PlayerError(
            f"the {side.record.name} cannot be restarted: {side.restart!r} ended with "
            f"{done.returncode}: {done.stderr.strip()[-300:]}"
        )


def _line(record: GateRecord, pair: PairRecord) -> str:
    """A pair in one line."""
    if pair.contaminated:
        return f"block {pair.block + 1} does not count: {'; '.join(pair.contaminated)}"
    counted, most = len(record.counted), record.section.looks[-1]
    return f"pair {counted} of at most {most}, {pair.first} first, {pair.wall_s:.0f} s"
