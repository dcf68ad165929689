"""Recorded gates of equal sides, judged again with their labels swapped at random.

Where both sides are the same, each pair is as good with its labels exchanged: so however blocks
hang together in time and whatever their tails, every draw is an exact comparison of equals. A
slowdown is injected by stretching one side's response times and CPU.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from harness.pairs.record import SIDES, GateRecord, PairRecord, SideName
from harness.pairs.section import GateSection
from reports.estimate import Missing
from reports.frames import open_run, read_trial
from reports.gate.measured import BlockValues, SideReader, UnmeasuredError
from reports.slo import slo_of
from reports.subject import Subject
from tests.gate_study.blocks import Block, Evidence, Floats, Pair
from tests.gate_study.methods import methods
from tests.gate_study.simulate import TRUTHS, Tally
from tests.selfbench.rows import Row

STRETCHED = ("cpu_ms", "response_p50_ms", "response_p95_ms", "response_p99_ms")
"""Quantiles of stretched times are stretched quantiles."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One gate as it was played.

    Attributes:
        pairs: in the order played; those that did not count are flagged.
        slo_ms: response time that a good answer keeps; None without one.
        pair_s: a pair's seconds, on average.
    """

    record: GateRecord
    pairs: tuple[Pair, ...]
    slo_ms: float | None
    pair_s: float


def load(directory: Path) -> Recorded:
    """Read a gate's blocks, raw response times included; a block that gives no numbers is left out.

    Raises:
        NotARun: a side's run is not there.
    """
    record = GateRecord.read(directory)
    sides = {side.name: _Side(directory / side.run) for side in record.sides}
    pairs = tuple(_pairs(record.pairs, sides))
    walls = [pair.wall_s for pair in record.pairs]
    return Recorded(record, pairs, sides["baseline"].slo_ms, sum(walls) / max(len(walls), 1))


def _pairs(played: Iterable[PairRecord], sides: "dict[SideName, _Side]") -> Iterator[Pair]:
    for pair in played:
        try:
            blocks = {name: sides[name].block(pair.block) for name in SIDES}
        except UnmeasuredError:
            continue
        yield Pair(blocks["baseline"], blocks["candidate"], bool(pair.contaminated))


class _Side:
    """One side's run.

    Args:
        directory: of the run.
    """

    def __init__(self, directory: Path) -> None:
        self._reader = SideReader(directory)
        self._run = open_run(directory)
        slo = slo_of(self._run.record.scenario)
        self.slo_ms = None if slo is None else slo.response_time_s * 1e3

    def block(self, number: int) -> Block:
        """Its trial of that block."""
        read = self._reader.read(number)
        (trial,) = (t for t in self._run.trials if t.place.block == number)
        frames = read_trial(self._run, trial)
        raw = np.empty(0) if frames is None else Subject(frames, None, None).responses_s * 1e3
        return Block(_known(read), raw, read.planned, read.failed)


def _known(read: BlockValues) -> dict[str, float]:
    return {
        key: float(value) for key, value in read.values.items() if not isinstance(value, Missing)
    }


def stretched(block: Block, factor: float, slo_ms: float | None) -> Block:
    """The block, its response times and CPU that much longer."""
    values = {k: v * factor if k in STRETCHED else v for k, v in block.values.items()}
    times = block.responses_ms * factor
    if slo_ms is not None and "goodput_rps" in values:
        before, after = (_within(found, slo_ms) for found in (block.responses_ms, times))
        values["goodput_rps"] *= after / before if before else 1.0
    return replace(block, values=values, responses_ms=times)


def _within(times: Floats, limit_ms: float) -> int:
    return int((times <= limit_ms).sum())


def resample(directories: Sequence[Path], draws: int, seed: int) -> list[Row]:
    """One row a scenario, truth and method.

    Pairs of a scenario's gates stand in a circle in the order they were played; each draw takes as
    many as a gate may need from a place at random, so that neighbours stay neighbours.
    """
    by_name: dict[str, list[Recorded]] = {}
    for directory in directories:
        found = load(directory)
        if found.record.kind == "aa" and found.pairs:  # only of equals may labels be swapped
            by_name.setdefault(found.record.name, []).append(found)
    rows = []
    for name, gates in sorted(by_name.items()):
        gates.sort(key=lambda gate: gate.record.created_utc)
        for truth in TRUTHS:
            tallies = _drawn(gates, truth, draws, np.random.default_rng(seed))
            rows += [
                {"scenario": name, "truth": truth, "method": method, **tally.row()}
                for method, tally in tallies.items()
            ]
    return rows


def _drawn(
    gates: Sequence[Recorded], truth: float, draws: int, draw: np.random.Generator
) -> dict[str, Tally]:
    circle = [pair for gate in gates for pair in gate.pairs]
    section = fitting(gates[0].record.section, len(circle))
    pair_s, slo_ms = gates[0].pair_s, gates[0].slo_ms
    slower = {id(side): stretched(side, truth, slo_ms) for p in circle for side in _both(p)}
    tallies: dict[str, Tally] = {}
    longest = section.looks[-1] * 3 // 2
    for _ in range(draws):
        start, other = draw.integers(len(circle), size=2)
        window = [circle[(start + i) % len(circle)] for i in range(min(longest, len(circle)))]
        swaps = draw.random(len(window)) < 0.5
        pairs = [
            _labelled(pair.swapped() if swap else pair, slower)
            for pair, swap in zip(window, swaps, strict=True)
        ]
        size = section.looks[-1]
        stored = [circle[(other + i) % len(circle)].baseline for i in range(size)]
        row = [side for pair in window[:size] for side in _both(pair)]
        after = [slower[id(side)] for side in row[size:]]
        one = Evidence(pairs, stored, (row[:size], after), {}, pair_s)
        for name, method in methods(section).items():
            said = method(one)
            if said is not None:
                tallies.setdefault(name, Tally()).add(said, pair_s)
    return tallies


def fitting(section: GateSection, pairs: int) -> GateSection:
    """A gate's own plan, with the default looks where there are pairs enough for them."""
    default = GateSection().looks
    return section.model_copy(update={"looks": default}) if pairs > 2 * default[-1] else section


def _both(pair: Pair) -> tuple[Block, Block]:
    return pair.baseline, pair.candidate


def _labelled(pair: Pair, slower: "dict[int, Block]") -> Pair:
    return replace(pair, candidate=slower[id(pair.candidate)])
