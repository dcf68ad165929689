"""Judged claims as they are kept: ``claims.json``, from which every other form is made."""

import json
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from harness.record import Record
from reports.claims.effect import Way
from reports.claims.rule import Side, Word
from reports.claims.written import ClaimError, Direction
from reports.estimate import Estimate

CLAIMS_FILE = "claims.json"
CLAIMS_FORMAT = 1
"""History of the format.

1  2026-11: first.
"""


class PassedOver(Record):
    """A run that bears the scenario's name and was not used."""

    run_id: str
    why: str


class Figure(Record):
    """An estimate as it is kept."""

    point: float | None
    low: float | None
    high: float | None
    n: int
    note: str = ""

    @classmethod
    def of(cls, estimate: Estimate) -> "Figure":
        """Of an estimate."""
        return cls(
            point=estimate.point,
            low=estimate.low,
            high=estimate.high,
            n=estimate.n,
            note=estimate.note,
        )

    @property
    def estimate(self) -> Estimate:
        """As everything else takes it."""
        return Estimate(self.point, self.low, self.high, self.n, self.note)


class Measured(Record):
    """One of the two things that are compared.

    Attributes:
        figure: by itself, at 95 %.
        left_out: trials, or repeats, that could not be trusted.
    """

    metric: str
    unit: str
    figure: Figure
    left_out: int = 0


class JudgedHypothesis(Record):
    """One hypothesis, and what became of it.

    Attributes:
        scenario: the file that tests it, as the claim names it; a plan of effort or not.
        at: the load step, or of effort the deployment.
        metric / metric_name: its key, and what it is called.
        against: what it is compared with; empty where it is held against a figure.
        margin / value: as written; one of them.
        bound / side: what the interval must clear, and on which side it then supports; of a value
            in ``unit``.
        unit: of the effect: empty for a ratio.
        way: how the interval was made; None where nothing was compared.
        effect: the ratio, or the figure itself, at the claim's level.
        n_other: blocks of the other run, where there are two.
        why: what is in the way of an answer; empty where there is one.
        runs: what it rests on.
        passed: runs that were not used, and why.
        needs: what would test it; empty where it was tested.
        here: whether this machine can make what it needs.
    """

    words: str
    scenario: str
    scenario_is_effort: bool
    at: str
    sut: str
    metric: str
    metric_name: str
    against: str
    direction: Direction
    margin: float | None
    value: float | None
    bound: float
    side: Side
    word: Word
    unit: str = ""
    way: Way | None = None
    effect: Figure | None = None
    n_other: int | None = None
    this: Measured | None = None
    other: Measured | None = None
    why: str = ""
    runs: tuple[str, ...] = ()
    passed: tuple[PassedOver, ...] = ()
    needs: tuple[str, ...] = ()
    here: bool = True


class Said(Record):
    """Where the claim is made, in substance."""

    where: str
    url: str


class JudgedClaim(Record):
    """One claim.

    Attributes:
        level: two-sided, of each of its intervals; all hold together with 95 %.
    """

    key: str
    statement: str
    about: str
    said: tuple[Said, ...]
    word: Word
    level: float
    hypotheses: tuple[JudgedHypothesis, ...]


class EvidenceRun(Record):
    """A recorded run that something rests on.

    Attributes:
        kind: ``run`` under load, or ``effort`` of deployments.
        revision: of the source that made it, ``changed_files`` files of it changed since.
    """

    run_id: str
    kind: Literal["run", "effort"]
    scenario: str
    summary: str
    created_utc: str
    version: str
    revision: str
    changed_files: str = "0"
    trials: int
    left_out: int


class Claims(Record):
    """Everything the page says.

    Attributes:
        apart: entries of the fingerprint in which the runs differ: key -> each value -> runs.
        fingerprint: what all runs have in common.
    """

    claims_format: int = CLAIMS_FORMAT
    created_utc: str
    version: str
    claims: tuple[JudgedClaim, ...]
    runs: tuple[EvidenceRun, ...] = ()
    fingerprint: dict[str, str] = Field(default_factory=dict)
    apart: dict[str, dict[str, tuple[str, ...]]] = Field(default_factory=dict)

    @property
    def judged(self) -> tuple[JudgedHypothesis, ...]:
        """Every hypothesis that a run could answer, or could not."""
        every = (h for claim in self.claims for h in claim.hypotheses)
        return tuple(h for h in every if h.word != "not tested")


def read_claims(path: Path) -> Claims:
    """Read judged claims.

    Raises:
        ClaimError: the file is not there, damaged, or newer than this program.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        version = document.get("claims_format", CLAIMS_FORMAT)
        if version > CLAIMS_FORMAT:
            raise ClaimError(
                f"{path}: claims_format is {version}, this program reads up to {CLAIMS_FORMAT}; "
                "use the version of servebench that made it, or newer"
            )
        return Claims.model_validate(document)
    except OSError as error:
        raise ClaimError(
            f"{path}: cannot be read ({error}); `python -m reports claims` makes one"
        ) from error
    except (ValidationError, ValueError, AttributeError, TypeError) as error:
        first = str(error).partition("\n")[0]
        raise ClaimError(
            f"{path} cannot be read as judged claims: {first}; it was damaged or edited: "
            "judge again with `python -m reports claims`"
        ) from error
