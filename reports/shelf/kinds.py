"""What can lie on the shelf. A kind is a row: the file that marks it, and how it is read."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from harness.effort.record import EFFORT_FILE, EFFORT_FORMAT, EffortRecord
from harness.live.asked import NAME as WEB
from harness.pairs.record import GATE_FILE, GATE_FORMAT, GateRecord
from harness.record import FORMAT_VERSION, RunRecord
from reports.claims.record import CLAIMS_FILE
from reports.compared.record import COMPARED_FILE
from reports.gate.verdict import VERDICT_FILE
from reports.shelf.about_runs import CLAIMS_PAGE, COMPARED_PAGE, read_claims, read_compared
from reports.shelf.documents import UnreadableError, read_model, read_said
from reports.shelf.entry import Entry, Share

RUN_FILE, SCENARIO_FILE, PAGE = "run.json", "scenario.toml", "report.html"


@dataclass(frozen=True, slots=True)
class Marker:
    """A kind of folder, known by one file in it.

    Attributes:
        page: its page's name.
        makes: what makes that page again, ``FOLDER`` standing for the folder; empty where nothing.
    """

    file: str
    read: Callable[[Path], Entry]
    page: str = PAGE
    makes: str = "python -m reports FOLDER"


def _run(folder: Path) -> Entry:
    record = read_model(folder / RUN_FILE, RunRecord, "format_version", FORMAT_VERSION)
    good, recorded, damaged = _trials(folder)
    said = read_said(folder / "summary.json")
    scenario = str(record.scenario.get("name") or "")
    doubts = []
    if damaged:
        doubts.append(f"{damaged} of its trial records cannot be read")
    if said.status and said.status != record.status:
        doubts.append(f"its page was made while it was {said.status}: make it again")
    return Entry(
        kind="web session" if scenario == WEB else "run",
        name=folder.name,
        when=record.created_utc,
        scenario=scenario,
        status=record.status,
        suts=tuple(sut.key for sut in record.suts),
        trusted=Share(good, recorded, "trials"),
        answer=said.answer,
        summary=str(record.scenario.get("summary") or ""),
        tags=record.tags,
        revision=_revision(record.environment.description),
        doubt="; ".join(doubts),
    )


def _trials(folder: Path) -> tuple[int, int, int]:
    """Trials that can be trusted, those recorded, and those whose record cannot be read."""
    good = recorded = damaged = 0
    for trial in _documents(folder):
        recorded += 1
        if trial is None:
            damaged += 1
        elif trial.get("outcome") == "ok" and not trial.get("reasons"):
            good += 1
    return good, recorded, damaged


def _documents(folder: Path) -> Iterator[Mapping[str, Any] | None]:
    """Every trial's record as it lies there; None for one that is damaged."""
    for path in (folder / "trials").glob("*/trial.json"):
        try:
            document = from_json(path.read_bytes())  # tens of thousands on a full shelf
        except (OSError, ValueError):
            document = None
        yield document if isinstance(document, dict) else None


def _effort(folder: Path) -> Entry:
    record = read_model(folder / EFFORT_FILE, EffortRecord, "effort_format", EFFORT_FORMAT)
    measured = sum(row.error is None for row in record.rows)
    return Entry(
        kind="effort",
        name=folder.name,
        when=record.created_utc,
        scenario=record.name,
        status="complete" if record.complete else "unfinished",
        suts=record.suts,
        trusted=Share(measured, len(record.rows), "deployments"),
        answer=record.summary,
        revision=_revision(record.environment.description),
    )


def _gate(folder: Path) -> Entry:
    record = read_model(folder / GATE_FILE, GateRecord, "gate_format", GATE_FORMAT)
    revisions = [side.revision[:12] for side in record.sides if side.revision]
    return Entry(
        kind="gate",
        name=folder.name,
        when=record.created_utc,
        scenario=record.name,
        status=record.status,
        suts=tuple(dict.fromkeys(side.sut for side in record.sides)),
        trusted=Share(len(record.counted), len(record.pairs), "pairs"),
        answer=_verdict(folder) or record.why_unfit or record.why_failed,
        summary=" against ".join(side.label for side in reversed(record.sides)),
        revision=" / ".join(revisions),
    )


def _verdict(folder: Path) -> str:
    """The outcome and its words; empty where there is no verdict that can be read."""
    try:
        found = json.loads((folder / VERDICT_FILE).read_bytes())
        return f"{found['outcome']}: {found['words']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _never_began(folder: Path) -> Entry:
    raise UnreadableError(
        f"{folder.name} was ended while it was prepared: nothing had been measured yet; remove it"
    )


def _revision(description: Mapping[str, str]) -> str:
    """The commit's hash, short; a plus where files were changed; empty where none is known."""
    revision = description.get("revision", "")
    if not revision or " " in revision:
        return ""
    return revision[:12] + ("+" if description.get("changed_files", "0") != "0" else "")


MARKERS: tuple[Marker, ...] = (
    Marker(GATE_FILE, _gate),
    Marker(EFFORT_FILE, _effort),
    Marker(RUN_FILE, _run),
    Marker(CLAIMS_FILE, read_claims, CLAIMS_PAGE, "python -m reports claims"),
    Marker(COMPARED_FILE, read_compared, COMPARED_PAGE, ""),
    Marker(SCENARIO_FILE, _never_began, makes=""),
)
"""The first file that is there tells; every kind also keeps its scenario."""


def marker_of(folder: Path) -> Marker | None:
    """What kind of folder it is; None if none of ours."""
    return next((marker for marker in MARKERS if (folder / marker.file).is_file()), None)
