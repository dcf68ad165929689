"""Pages that rest on several runs: judged claims, and two runs beside each other."""

from datetime import UTC, datetime
from pathlib import Path

from reports.claims import phrases
from reports.claims.page import PAGE as CLAIMS_PAGE
from reports.claims.record import CLAIMS_FILE, CLAIMS_FORMAT, Claims
from reports.compared.record import COMPARED_FILE, COMPARED_VERSION, Compared
from reports.shelf.documents import read_model
from reports.shelf.entry import Entry, Share

__all__ = ["CLAIMS_PAGE", "COMPARED_PAGE", "read_claims", "read_compared"]

COMPARED_PAGE = "compared.html"


def read_claims(folder: Path) -> Entry:
    """Judged claims; the architectures they are about stand where a run's SUTs do."""
    judged = read_model(folder / CLAIMS_FILE, Claims, "claims_format", CLAIMS_FORMAT)
    every = sum(len(claim.hypotheses) for claim in judged.claims)
    return Entry(
        kind="claims",
        name=folder.name,
        when=judged.created_utc,
        suts=tuple(dict.fromkeys(claim.about for claim in judged.claims)),
        trusted=Share(len(judged.judged), every, "hypotheses judged"),
        answer=phrases.tally(judged),
    )


def read_compared(folder: Path) -> Entry:
    """Two runs beside each other."""
    path = folder / COMPARED_FILE
    found = read_model(path, Compared, "compared_version", COMPARED_VERSION)
    made = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    sides = found.sides
    return Entry(
        kind="comparison",
        name=folder.name,
        when=made.isoformat(timespec="seconds"),
        scenario=" / ".join(dict.fromkeys(side.scenario for side in sides)),
        suts=tuple(dict.fromkeys(row.sut for row in found.rows)),
        answer=next(iter((*found.words, *found.refusals)), ""),
        summary=" beside ".join(side.run_id for side in reversed(sides)),
        revision=" / ".join(dict.fromkeys(side.revision[:12] for side in sides)),
    )
