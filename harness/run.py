"""A whole run, top to bottom: prepare, then block after block, saving whenever a trial ends."""

from itertools import groupby
from pathlib import Path

from rich.console import Console

from harness.bench import Bench
from harness.environment import now_utc, package_version, pinned, read_environment
from harness.in_process import BATCH_SIZES, SEARCH, best_batch, measure_ceiling
from harness.outcome import outcome_table
from harness.prepare import (
    Resolved,
    ensemble_record,
    in_process_request,
    make_payloads,
    resolve,
    steps_of,
    write_plans,
)
from harness.record import RunRecord, TrialRecord
from harness.run_directory import RunDirectory
from harness.scenario import Scenario
from harness.scenario_file import read_scenario
from harness.schedule import Turn, schedule
from harness.screen import Screen
from harness.trial import IDLE_S
from harness.turn import DEPLOY, play_turn
from harness.verify import read_references
from workloads.payloads import read_payloads

CEILING_S = 1.0
"""Of each batch size, in the search and again in every block."""

_LOAD_MODELS_S = 5.0
_DEPLOY_S = 12.0
_BOOT_S = 2.0


class NothingPlayedError(Exception):
    """Every trial failed."""


def run(path: Path, out: Path, suts: tuple[str, ...], console: Console) -> RunDirectory:
    """Run a scenario.

    Args:
        path: the scenario's file.
        out: the folder in which to make the run's own.
        suts: only these of its SUTs; all where empty.
        console: where to show progress and the result.

    Raises:
        KeyboardInterrupt: it was told to stop; what had ended by then is in its directory.
        ScenarioError, CatalogError, EnsembleError, EnvironmentTooSmallError,
        InProcessFailedError, NothingPlayedError: it cannot be run as asked.
    """
    scenario = read_scenario(path)
    if suts:
        scenario = Scenario.model_validate({**scenario.model_dump(), "suts": suts})
    resolved = resolve(scenario)
    directory = RunDirectory.create(out, scenario.name, now_utc(), path)
    try:
        with pinned(resolved.cores), Screen(console, expected_s(scenario)).drawn() as screen:
            bench, record = _prepare(resolved, directory, screen)
            record, trials = _play_blocks(resolved, bench, record, screen)
            screen.show(outcome_table(directory, record, trials, scenario.slo.response_time_s))
    finally:
        directory.discard_if_empty()
    if all(trial.outcome == "failed" for trial in trials):
        raise NothingPlayedError(
            f"no trial could be played; {directory.path} says why. The first: {trials[0].error}"
        )
    return directory


def expected_s(scenario: Scenario) -> float:
    """About how long a run takes, in seconds."""
    turns = scenario.load.blocks * len(scenario.suts)
    ceilings = _ceiling_s(len(BATCH_SIZES)) + scenario.load.blocks * _ceiling_s(2)
    return _references_s(scenario) + ceilings + turns * _turn_s(scenario)


def _ceiling_s(sizes: int) -> float:
    return _LOAD_MODELS_S + sizes * CEILING_S


def _references_s(scenario: Scenario) -> float:
    return _LOAD_MODELS_S + 0.05 * scenario.load.payloads


def _turn_s(scenario: Scenario) -> float:
    return _DEPLOY_S + len(scenario.load.offered()) * _step_s(scenario)


def _step_s(scenario: Scenario) -> float:
    load = scenario.load
    return max(IDLE_S, _BOOT_S) + load.warm_up_s + load.steady_s + 0.3 * load.drain_s


def _prepare(
    resolved: Resolved, directory: RunDirectory, screen: Screen
) -> tuple[Bench, RunRecord]:
    """Payloads, references, ceiling, plans and schedule: all that trials share."""
    scenario, claim = resolved.scenario, resolved.cores.claim(resolved.scenario.budget.memory_gib)
    ensemble = ensemble_record(resolved)
    environment = read_environment(ensemble, claim)
    screen.begin("payloads and reference answers", _references_s(scenario))
    make_payloads(resolved, directory)
    screen.begin("ceiling: the best batch size", _ceiling_s(len(BATCH_SIZES)))
    ceiling = measure_ceiling(
        in_process_request(resolved, directory),
        claim,
        directory.logs,
        block=SEARCH,
        batch_sizes=BATCH_SIZES,
        seconds=CEILING_S,
    )
    best = best_batch(ceiling, scenario.policy.max_batch)
    ceiling_rps = next(point.rate_rps for point in ceiling if point.batch_size == best)
    screen.say(f"ceiling: {ceiling_rps:.1f} requests per second in-process, at batch {best}")
    steps = steps_of(scenario, ceiling_rps)
    write_plans(scenario, steps, directory)
    turns = schedule(resolved.sut_records, len(steps), scenario.load.blocks, scenario.load.seed)
    record = RunRecord(
        run_id=directory.path.name,
        created_utc=now_utc().isoformat(timespec="seconds"),
        version=package_version(),
        scenario=scenario.model_dump(mode="json"),
        environment=environment,
        ensemble=ensemble,
        ceiling=ceiling,
        best_batch=best,
        suts=resolved.sut_records,
        steps=steps,
        schedule=tuple(place for turn in turns for place in turn.places),
        status="running",
    )
    directory.save_run(record)
    bench = Bench(
        scenario,
        resolved.cores,
        directory,
        read_payloads(directory.payloads),
        {scenario.ensemble.graph: read_references(directory.references)},
        steps,
        ceiling_rps,
    )
    return bench, record


def _play_blocks(
    resolved: Resolved, bench: Bench, record: RunRecord, screen: Screen
) -> tuple[RunRecord, list[TrialRecord]]:
    """Every block in turn; the ceiling is measured in each, as the machine is then."""
    load, directory = bench.scenario.load, bench.directory
    turns = schedule(record.suts, len(record.steps), load.blocks, load.seed)
    trials: list[TrialRecord] = []
    try:
        for block, block_turns in groupby(turns, key=lambda turn: turn.block):
            record = _with_ceiling(resolved, bench, record, block, screen)
            directory.save_run(record)
            for turn in block_turns:
                trials += _play(resolved, bench, turn, screen)
    except KeyboardInterrupt:
        screen.say(f"interrupted; the trials that had ended by then are in {directory.path}")
        directory.save_run(record.model_copy(update={"status": "interrupted"}))
        raise
    record = record.model_copy(update={"status": "complete"})
    directory.save_run(record)
    return record, trials


def _with_ceiling(
    resolved: Resolved, bench: Bench, record: RunRecord, block: int, screen: Screen
) -> RunRecord:
    screen.begin(f"block {block + 1}, ceiling", _ceiling_s(2))
    points = measure_ceiling(
        in_process_request(resolved, bench.directory),
        resolved.cores.claim(bench.scenario.budget.memory_gib),
        bench.directory.logs,
        block=block,
        batch_sizes=sorted({1, record.best_batch}),
        seconds=CEILING_S,
    )
    return record.model_copy(update={"ceiling": (*record.ceiling, *points)})


def _play(resolved: Resolved, bench: Bench, turn: Turn, screen: Screen) -> list[TrialRecord]:
    """One SUT's turn; each trial is on disk before the next begins."""
    scenario, trials = bench.scenario, list[TrialRecord]()
    title = f"block {turn.block + 1} of {scenario.load.blocks}, {turn.sut}"
    whole = screen.begin(title, _turn_s(scenario))

    def progress(doing: str, share: float) -> None:
        deployed_s = _DEPLOY_S if doing != DEPLOY else 0.0
        done_s = deployed_s + (len(trials) + share) * _step_s(scenario)
        step = f"step {len(trials) + 1} of {len(turn.places)}, {doing}"
        whole(step if deployed_s else doing, done_s / _turn_s(scenario))

    for trial in play_turn(bench, turn, resolved.suts[turn.sut], progress):
        bench.directory.save_trial(trial)
        trials.append(trial)
        screen.say(_line(trial))
    return trials


def _line(trial: TrialRecord) -> str:
    """A trial in one line."""
    place = trial.place
    head = f"block {place.block + 1}  {place.sut}  {trial.offered_rps:.4g} rps offered: "
    if trial.outcome == "failed":
        return f"{head}failed: {trial.error}"
    doubts = "; ".join(f"{reason.code} ({reason.seen})" for reason in trial.reasons)
    return head + (f"not to be trusted: {doubts}" if doubts else "valid")
