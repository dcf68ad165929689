"""LoadGen's capacity of a SUT and ours: the same search, asked of two independent generators."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.capacity.early_stopping import needed
from harness.capacity.search import Ask, Found, Limits, next_move
from harness.environment import Cores
from harness.rate import parse_rate
from harness.record import Probe, TrialPlace
from harness.scenario import CapacitySection, Scenario
from harness.scenario_file import read_scenario
from tests.selfbench.referee import ask_loadgen
from tests.selfbench.repeatability import SCENARIO, run_capacity
from tests.selfbench.rig import WARM_UP_S, Bed, make_bed, standing
from tests.selfbench.rows import Row, medians

SUT = "monolith"
_MISSES = 5
"""A probe is long enough to forgive so many, as the harness's are."""


def capacity(cores: Cores, rounds: int) -> list[Row]:
    """Ours by the command line, then LoadGen's, round after round; medians and their ratio."""
    scenario, rows = read_scenario(SCENARIO), list[Row]()
    with TemporaryDirectory() as folder:
        bed = make_bed(Path(folder), cores)
        for round_ in range(rounds):
            ceiling_rps, found = run_capacity(Path(folder, "runs"), (SUT,))
            rows.append({"tool": "servebench", "capacity_rps": next(iter(found.values()))})
            theirs = _search(bed, scenario, ceiling_rps, round_)
            rows.append({"tool": "LoadGen", "capacity_rps": theirs.capacity_rps})
    shown = medians([row for row in rows if row["capacity_rps"]], ("tool",))
    every = {
        tool: [row["capacity_rps"] for row in rows if row["tool"] == tool]
        for tool in ("servebench", "LoadGen")
    }
    for row in shown:
        row["every_round_rps"] = ", ".join(
            f"{rps:.4g}" if rps else "-" for rps in every[row["tool"]]
        )
    by = {row["tool"]: row["capacity_rps"] for row in shown}
    if len(by) == len(every):
        ratio = by["servebench"] / by["LoadGen"]
        shown.append({"tool": "servebench / LoadGen", "capacity_rps": ratio})
    return shown


def _search(bed: Bed, scenario: Scenario, ceiling_rps: float, round_: int) -> Found:
    section = scenario.capacity or CapacitySection()
    start, most = (parse_rate(rate).rps(ceiling_rps) for rate in (section.start, section.most))
    limits, probes = Limits(start, most, section.precision), list[Probe]()
    with standing(bed, SUT) as up:
        ask_loadgen(bed, up.url, start, WARM_UP_S, seed=1)
        while isinstance(move := next_move(limits, probes), Ask):
            seed = 1000 * round_ + 10 * len(probes) + 1
            probes.append(_probe(bed, up.url, scenario, move, (seed, probes)))
    return move


def _probe(
    bed: Bed, url: str, scenario: Scenario, ask: Ask, numbered: tuple[int, Sequence[Probe]]
) -> Probe:
    slo, section = scenario.slo, scenario.capacity or CapacitySection()
    seed, before = numbered
    samples = needed(slo.percentile, _MISSES, section.confidence)
    seconds = min(max(section.probe_s, samples / ask.offered_rps), section.most_probe_s)
    seen = ask_loadgen(
        bed,
        url,
        ask.offered_rps,
        seconds,
        seed,
        slo_s=slo.response_time_s,
        percentile=slo.percentile,
    )
    planned = round(seen["scheduled_rps"] * seconds)
    holds = seen["valid"] and seen["failed"] <= slo.error_ratio * planned
    return Probe(
        place=TrialPlace(order=0, block=0, step=0, sut=SUT, probe=len(before)),
        offered_rps=ask.offered_rps,
        role=ask.role,
        verdict="holds" if holds else "fails",
        planned=planned,
        missed=0,
        failed=seen["failed"],
        why="LoadGen's own verdict",
    )
