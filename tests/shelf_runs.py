"""Folders for a shelf of runs: real records, and as little else as a row of the shelf reads."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness.record import (
    EnsembleRecord,
    Environment,
    Reason,
    RunRecord,
    Step,
    Sut,
    TrialPlace,
    TrialRecord,
    write_record,
)

FIRST = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
DOUBT = Reason(code="host_under_pressure", seen="61 %", threshold="20 %", remedy="stop it")


def put(
    runs: Path,
    number: int,
    *,
    name: str = "quick",
    suts: tuple[str, ...] = ("monolith:default", "ray_serve:tuned"),
    trials: int = 2,
    doubted: int = 0,
    answer: str = "",
    **changes: Any,
) -> Path:
    """Put a run on the shelf, ``number`` hours after the first, with that many trials.

    Args:
        doubted: of its trials, how many are not to be trusted.
        answer: what its summary says; without one it has neither summary nor page.
        changes: of its record.
    """
    created = FIRST + timedelta(hours=number)
    folder = runs / f"{created:%Y%m%d-%H%M%S}-{name}"
    folder.mkdir(parents=True)
    record = RunRecord(
        run_id=folder.name,
        created_utc=created.isoformat(),
        version="0.1.0",
        scenario={"name": name, "summary": f"What {name} asks."},
        environment=Environment(
            fingerprint={}, description={"revision": "ab" * 20, "changed_files": "0"}
        ),
        ensemble=EnsembleRecord(
            module="m", name="m", tier="tiny", device="cpu", models={}, weights_digest="0",
            meaningful=True,
        ),
        ceiling=(),
        best_batch=0,
        suts=tuple(_sut(key) for key in suts),
        steps=(Step(index=0, asked="40 rps", offered_rps=40),),
        schedule=(),
        status="complete",
    ).model_copy(update=changes)  # fmt: skip
    write_record(folder / "run.json", record)
    for order in range(trials):
        place = TrialPlace(order=order, block=order, step=0, sut=suts[0])
        (folder / "trials" / place.directory).mkdir(parents=True)
        reasons = (DOUBT,) if order < doubted else ()
        trial = TrialRecord(place=place, outcome="ok", offered_rps=40, reasons=reasons)
        write_record(folder / "trials" / place.directory / "trial.json", trial)
    if answer:
        said = {"summary_version": 3, "status": record.status}
        said["answer"] = [
            {"text": "Beware.", "kind": "caution"},
            {"text": answer, "kind": "answer"},
        ]
        (folder / "summary.json").write_text(json.dumps(said, indent=1))
        (folder / "report.html").write_text(f"<title>{name}</title>a page")
    return folder


def _sut(key: str) -> Sut:
    architecture, _, variant = key.partition(":")
    return Sut(key=key, architecture=architecture, variant=variant, summary="", answers=True)
