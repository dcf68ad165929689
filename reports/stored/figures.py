"""A run directory's results, as they are stored: or why nothing of them is."""

import math
from collections import Counter

from reports.answer import at
from reports.estimate import Estimate, over_blocks
from reports.gate.metrics import GATE_METRICS, GateMetric
from reports.metrics import BY_KEY
from reports.results import Cell, Results
from reports.stored.record import NOT_RECORDED, StoredFigure, StoredRun, StoredSeries
from reports.stored.workload import workload_of

STORED: tuple[GateMetric, ...] = tuple(m for m in GATE_METRICS if m.key in BY_KEY)
"""What a gate may fail by, of the SUT: the generator's own CPU says nothing of it."""

LEAST_TRUSTED = 2 / 3
"""Of the scheduled blocks, as in a gate: a figure of fewer has another spread."""


class Unstorable(Exception):  # noqa: N818 - it says what was found, not that code failed
    """A run that neither joins a store nor is held against one; the message says why."""


def stored_run(results: Results) -> StoredRun:
    """What is stored of a run.

    Args:
        results: of ``measure_run``.

    Raises:
        Unstorable: it did not end, no trial of it can be trusted, or no other run can ever be
            compared with it.
    """
    record = results.record
    _check_whole(results)
    described = record.environment.description
    return StoredRun(
        run_id=record.run_id,
        created_utc=record.created_utc,
        name=str(record.scenario.get("name", record.run_id)),
        version=record.version,
        revision=described.get("revision", NOT_RECORDED),
        changed_files=int(described.get("changed_files", "0")),
        fingerprint=record.environment.fingerprint,
        description=described,
        workload=workload_of(record),
        backends=record.backends,
        weights_digest=record.ensemble.weights_digest,
        device=record.ensemble.device,
        series=tuple(_series(results, cell) for cell in results.cells),
    )


def _check_whole(results: Results) -> None:
    record = results.record
    said = f"run {record.run_id} is not used:"
    if record.status != "complete":
        raise Unstorable(
            f"{said} its status is '{record.status}', so some of its trials are missing; "
            "finish it with `python -m harness run --resume`, or run its scenario again"
        )
    shares = [step.asked for step in record.steps if step.asked.endswith(" ceiling")]
    if shares:
        raise Unstorable(
            f"{said} it offers {', '.join(shares)}, and every run measures a ceiling of its own, "
            "so no two runs play the same load; give load.rates in requests per second"
        )
    if not record.digests:
        raise Unstorable(
            f"{said} its payloads and load plans have no digests, so nobody can tell whether "
            "another run played the same; run its scenario again with this version"
        )
    if not any(cell.trusted for cell in results.cells):
        raise Unstorable(f"{said} none of its trials can be trusted ({_doubts(results)})")


def _doubts(results: Results) -> str:
    """Why, by how often."""
    failed = sum(trial.outcome != "ok" for trial in results.run.trials)
    codes = Counter(reason.code for trial in results.run.trials for reason in trial.reasons)
    found = [f"{code}: {count} trials" for code, count in codes.most_common()]
    found += [f"failed: {failed} trials"] if failed else []
    return ", ".join(found) or "it has no trials of a load step"


def _series(results: Results, cell: Cell) -> StoredSeries:
    place = (cell.sut.key, cell.step.index)
    blocks = sum((trial.sut, trial.step) == place for trial in results.record.schedule)
    return StoredSeries(
        sut=cell.sut.key,
        step=at(cell.step),
        blocks=blocks,
        trusted=len(cell.trusted),
        figures=tuple(_figure(cell, metric, blocks) for metric in STORED),
    )


def _figure(cell: Cell, metric: GateMetric, blocks: int) -> StoredFigure:
    n = len(cell.trusted)
    if n == 0 or n < LEAST_TRUSTED * blocks:
        why = f"{n} of {blocks} blocks can be trusted"
        return StoredFigure(metric=metric.key, value=None, n=n, why=why)
    values = list(cell.by_block(metric.key).values())
    found = over_blocks(values, "linear" if metric.kind == "difference" else "log")
    if metric.kind == "difference" and found.point is not None:
        return _pooled(cell, metric, found)
    why = "" if found.point is not None else found.note
    return StoredFigure(metric=metric.key, value=found.point, n=n, why=why)


def _pooled(cell: Cell, metric: GateMetric, found: Estimate) -> StoredFigure:
    """A share of all the blocks' requests together."""
    parts = [
        (trial.picture.planned, trial.values[metric.key])
        for trial in cell.trusted
        if trial.picture is not None
    ]
    requests = sum(planned for planned, _ in parts)
    struck = math.fsum(planned * v for planned, v in parts if isinstance(v, float))
    return StoredFigure(metric=metric.key, value=struck / requests, n=found.n, requests=requests)
