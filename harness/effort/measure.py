"""Every deployment of a plan, repeated in a shuffled order; what is done is on disk at once."""

import random
from itertools import product
from pathlib import Path

from rich.console import Console

from architectures import catalog
from architectures.plugin import load_ensemble
from harness.durable import write_durably
from harness.effort.plan import EffortPlan, read_plan
from harness.effort.probe import Place, measure
from harness.effort.record import EFFORT_FILE, EffortRecord, EffortRow
from harness.effort.wiring import code_lines
from harness.environment import (
    assign_cores,
    now_utc,
    package_version,
    pinned,
    read_environment,
)
from harness.record import EnsembleRecord
from harness.run_directory import RunDirectory


def places(plan: EffortPlan) -> list[Place]:
    """What is deployed, in order: all of a repeat before the next, shuffled.

    Raises:
        CatalogError: an architecture or variant that is not there.
        EnsembleError: an ensemble, tier or graph that is not there.
    """
    found = {name: catalog.parse(name) for name in plan.suts}
    for deployment in plan.deployments:
        load_ensemble(plan.choice(deployment))
    order = random.Random(plan.seed)
    every = []
    for repeat in range(plan.repeats):
        turn = [
            Place(f"{a.name}:{v.name}", a, v, deployment, repeat)
            for (a, v), deployment in product(found.values(), plan.deployments)
        ]
        order.shuffle(turn)
        every += turn
    return every


def run(path: Path, out: Path, console: Console) -> Path:
    """Measure a plan and keep it in a new folder under ``out``; returns the folder.

    Raises:
        ScenarioError, CatalogError, EnsembleError, EnvironmentTooSmallError: it cannot be done.
        KeyboardInterrupt: it was told to stop; what had been measured is kept.
    """
    plan = read_plan(path)
    every = places(plan)
    cores = assign_cores(plan.budget.cores)
    claim = cores.claim(plan.budget.memory_gib)
    out.mkdir(parents=True, exist_ok=True)
    directory = RunDirectory.create(out, plan.name, now_utc(), path)
    ensemble = _ensemble(plan)
    record = EffortRecord(
        run_id=directory.path.name,
        created_utc=now_utc().isoformat(timespec="seconds"),
        version=package_version(),
        name=plan.name,
        summary=plan.summary,
        axis=plan.axis,
        suts=_in_plan_order(plan),
        deployments=tuple(deployment.name for deployment in plan.deployments),
        code_lines={place.sut: code_lines(place.architecture) for place in every},
        environment=read_environment(ensemble, claim),
        ensemble=ensemble,
    )
    with pinned(cores):
        for number, place in enumerate(every, 1):
            row = measure(plan, place, claim)
            record = record.model_copy(update={"rows": (*record.rows, row)})
            _save(directory.path, record)
            directory.be_latest()
            console.print(f"{number}/{len(every)}  {_line(row)}", soft_wrap=True)
    _save(directory.path, record.model_copy(update={"complete": True}))
    return directory.path


def _in_plan_order(plan: EffortPlan) -> tuple[str, ...]:
    found = map(catalog.parse, plan.suts)
    return tuple(dict.fromkeys(f"{a.name}:{v.name}" for a, v in found))


def _save(folder: Path, record: EffortRecord) -> None:
    write_durably(folder / EFFORT_FILE, record.model_dump_json(indent=1) + "\n")


def _ensemble(plan: EffortPlan) -> EnsembleRecord:
    described = load_ensemble(plan.choice(plan.deployments[0])).describe(plan.tier)
    return EnsembleRecord(
        module=plan.module,
        name=described.name,
        tier=described.tier,
        device="cpu",
        models=dict(described.models),
        weights_digest=described.weights_digest,
        meaningful=described.meaningful,
    )


def _line(row: EffortRow) -> str:
    head = f"{row.sut}  {row.deployment}: "
    if row.error is not None:
        return head + row.error
    return head + (
        f"up in {row.start_up_s:.1f} s, {row.processes} processes, {row.ports} ports, "
        f"{row.hops:.1f} hops a request"
    )
