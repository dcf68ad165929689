"""A whole run, top to bottom: prepare, play what there is to play, show; or take one up again."""

from pathlib import Path

from rich.console import Console

from harness.backends import Backends, kinds, standing
from harness.bench import Bench
from harness.blocks import bytes_left, end_recorded, play_blocks
from harness.capacity.find import limits_of
from harness.capacity.table import capacity_table
from harness.disk import full_in_words, payload_bytes, require
from harness.environment import now_utc, package_version, pinned, read_environment
from harness.expected import CEILING_S, ceiling_s, expected_s, references_s
from harness.hold import held
from harness.in_process import BATCH_SIZES, SEARCH, best_batch, measure_ceiling
from harness.manner import AT_ONCE, Manner, Pace
from harness.outcome import outcome_table
from harness.plans import read_sources, steps_of, write_plans
from harness.prepare import (
    Resolved,
    ensemble_record,
    in_process_request,
    make_payloads,
    read_all_references,
    resolve,
)
from harness.record import CeilingPoint, RunRecord
from harness.remote import check_absolute
from harness.remote_workers import awaited, remote_workers
from harness.resume import check_unchanged, clear_half_made, digests, reopen, scenario_of
from harness.run_directory import RunDirectory
from harness.scenario import Scenario
from harness.scenario_file import read_scenario
from harness.schedule import schedule
from harness.screen import Screen
from workloads.payload_files import own_files
from workloads.payloads import read_payloads


class NothingPlayedError(Exception):
    """Every trial failed."""


def run(
    path: Path,
    out: Path,
    suts: tuple[str, ...],
    console: Console,
    manner: Manner = AT_ONCE,
    *,
    tags: tuple[str, ...] = (),
) -> RunDirectory:
    """Run a scenario.

    Args:
        path: the scenario's file.
        out: the folder in which to make the run's own.
        suts: only these of its SUTs; all where empty.
        console: where to show progress and the result.
        manner: how it is played.
        tags: words that it is to be found by (``harness.tags``).

    Raises:
        KeyboardInterrupt: it was told to stop; what had ended by then is in its directory.
        ScenarioError, CatalogError, EnsembleError, EnvironmentTooSmallError, DiskFullError,
        InProcessFailedError, NothingPlayedError: it cannot be run as asked.
    """
    scenario = read_scenario(path)
    if suts:
        scenario = Scenario.model_validate({**scenario.model_dump(), "suts": suts})
    resolved = resolve(scenario)
    if not manner.ceiling:
        check_absolute(scenario, "no ceiling is to be measured")
    out.mkdir(parents=True, exist_ok=True)
    needed_bytes = payload_bytes(scenario)
    require(out, needed_bytes)
    directory = RunDirectory.create(out, scenario.name, now_utc(), path)
    try:
        with (
            full_in_words(directory.path, lambda: needed_bytes),
            held(directory.hold),
            pinned(resolved.cores),
            Screen(console, expected_s(scenario)).drawn() as screen,
            end_recorded(directory, screen),
            standing(scenario, resolved.cores.harness, directory.logs) as backends,
        ):
            record = _prepare(
                resolved, directory, backends, screen, ceiling=manner.ceiling, tags=tags
            )
            _play(resolved, directory, record, backends, screen=screen, pace=manner.pace)
    finally:
        directory.discard_if_empty()
    return directory


def resume(path: Path, console: Console, manner: Manner = AT_ONCE) -> RunDirectory:
    """Go on with a run that was ended, as if it had not been: same plans, same order.

    Args:
        path: the run's folder.
        console: where to show progress and the result.
        manner: how it is played; whether there is a ceiling was settled when it began.

    Raises:
        HeldError: it is being played.
        ResumeError: it cannot go on.
        KeyboardInterrupt, DiskFullError, NothingPlayedError: as :func:`run`.
    """
    directory, record = reopen(path)
    if record.status == "complete":
        console.print(f"{directory.path} is complete: nothing is left to do", soft_wrap=True)
        return directory
    scenario = scenario_of(record)
    resolved = resolve(scenario)
    with (
        held(directory.hold),
        pinned(resolved.cores),
        Screen(console, expected_s(scenario)).drawn() as screen,
    ):
        check_unchanged(record, resolved, directory)
        clear_half_made(directory)
        stamps = (*record.resumed, now_utc().isoformat(timespec="seconds"))
        record = record.model_copy(update={"resumed": stamps, "status": "running"})
        with end_recorded(directory, screen):
            directory.save_run(record)
            with standing(scenario, resolved.cores.harness, directory.logs) as backends:
                _play(resolved, directory, record, backends, screen=screen, pace=manner.pace)
    return directory


def _play(
    resolved: Resolved,
    directory: RunDirectory,
    record: RunRecord,
    backends: Backends,
    *,
    screen: Screen,
    pace: Pace,
) -> None:
    """Play what there is to play, and show what all of it says."""
    bench = _bench(resolved, directory, record, backends)
    require(directory.path, bytes_left(bench, record))
    with awaited(remote_workers(resolved.scenario), screen.say):
        pace.ready(directory.path)
        record = play_blocks(resolved, bench, record, screen, pace)
    trials = directory.trials()
    capacities = directory.capacities()
    if record.steps:
        screen.show(outcome_table(directory, record, trials, bench.scenario.slo.response_time_s))
    if capacities:
        screen.show(capacity_table(capacities))
    errors = [*(trial.error for trial in trials), *(found.end for found in capacities)]
    if errors and all(trial.outcome == "failed" for trial in trials):
        raise NothingPlayedError(
            f"no trial could be played; {directory.path} says why. The first: {errors[0]}"
        )


def _bench(
    resolved: Resolved, directory: RunDirectory, record: RunRecord, backends: Backends
) -> Bench:
    """What all trials share, as it lies on disk."""
    graphs = resolved.ensemble.GRAPHS
    return Bench(
        resolved.scenario,
        resolved.cores,
        directory,
        read_payloads(directory.payloads),
        read_all_references(resolved.scenario, directory) if resolved.in_process else {},
        record.steps,
        _ceiling_rps(record.ceiling, record.best_batch),
        own={g: read_payloads(file) for g, file in own_files(directory.payloads).items()},
        varying=frozenset(name for name, graph in graphs.items() if graph.varies),
        score=getattr(resolved.ensemble, "score", None),
        backends=backends,
    )


def _ceiling_rps(ceiling: tuple[CeilingPoint, ...], best: int) -> float | None:
    """As the search before the blocks found it."""
    found = (p.rate_rps for p in ceiling if (p.block, p.batch_size) == (SEARCH, best))
    return next(found, None)


def _prepare(
    resolved: Resolved,
    directory: RunDirectory,
    backends: Backends,
    screen: Screen,
    *,
    ceiling: bool,
    tags: tuple[str, ...],
) -> RunRecord:
    """Payloads, references, ceiling, plans and schedule: all that trials share."""
    scenario, claim = resolved.scenario, resolved.cores.claim(resolved.scenario.budget.memory_gib)
    load = scenario.load
    ensemble = ensemble_record(resolved)
    environment = read_environment(ensemble, claim)
    screen.begin("payloads and reference answers", references_s(scenario))
    make_payloads(resolved, directory, backends)
    points, best = _search_ceiling(resolved, directory, backends, screen) if ceiling else ((), 0)
    ceiling_rps = _ceiling_rps(points, best)
    trace_rps = read_sources(scenario, directory).trace_rps
    if scenario.capacity is not None:
        limits_of(scenario, ceiling_rps)  # said now, not after all load steps
    steps = steps_of(scenario, ceiling_rps, trace_rps)
    write_plans(scenario, steps, directory)
    search = scenario.capacity is not None
    turns = schedule(resolved.sut_records, len(steps), load.blocks, load.seed, search=search)
    record = RunRecord(
        run_id=directory.path.name,
        created_utc=now_utc().isoformat(timespec="seconds"),
        version=package_version(),
        scenario=scenario.model_dump(mode="json"),
        environment=environment,
        ensemble=ensemble,
        ceiling=points,
        best_batch=best,
        suts=resolved.sut_records,
        steps=steps,
        schedule=tuple(place for turn in turns for place in turn.places),
        status="running",
        digests=digests(directory),
        backends=kinds(scenario),
        tags=tags,
    )
    directory.settle()
    directory.save_run(record)
    return record


def _search_ceiling(
    resolved: Resolved, directory: RunDirectory, backends: Backends, screen: Screen
) -> tuple[tuple[CeilingPoint, ...], int]:
    """The ceiling at every batch size, and the best of them; none where nothing runs here."""
    scenario = resolved.scenario
    if not resolved.in_process:
        return (), 0
    screen.begin("ceiling: the best batch size", ceiling_s(len(BATCH_SIZES)))
    ceiling = measure_ceiling(
        in_process_request(resolved, directory),
        resolved.cores.claim(scenario.budget.memory_gib),
        directory.logs,
        block=SEARCH,
        batch_sizes=BATCH_SIZES,
        seconds=CEILING_S,
        state=backends.variables,
    )
    best = best_batch(ceiling, scenario.policy.max_batch)
    screen.say(
        f"ceiling: {_ceiling_rps(ceiling, best):.1f} requests per second in-process, "
        f"at batch {best}"
    )
    return ceiling, best
