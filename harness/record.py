"""What a run leaves on disk. Measurements are kept whole; statistics are derived by ``reports``.

runs/<id>/
  run.json                 RunRecord, rewritten at every block and at the end
  scenario.toml            the file as given
  payloads.parquet         key, media_type, body, label (JSON): row i is payload i
  references.jsonl         row i: the in-process answer to payload i
  plans/b00-s00.parquet    one load plan per block and step, the same for every SUT
  trials/b00-s00-<sut>/    trial.json, samples-<worker>.parquet, usage.parquet,
                           generator-<worker>.json, *.log;
                           a SUT's logs lie in the folder of its block's first step
  report.html summary.json written by ``reports``

It joins running and reading: a report can be made again years later, without load.
"""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

FORMAT_VERSION = 1
"""History of the format. Old files stay in ``tests/golden`` and must stay readable.

1  2026-11: first.
"""


class Record(BaseModel):
    """Immutable and strict: an unknown key is an error, not a surprise."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sut(Record):
    """One architecture and variant under test. ``key`` is ``architecture:variant``."""

    key: str
    architecture: str
    variant: str
    summary: str
    answers: bool


class Step(Record):
    """One offered rate. ``asked`` is the scenario's words, for example ``0.5 ceiling``."""

    index: int
    asked: str
    offered_rps: float


class CeilingPoint(Record):
    """The ensemble in-process on the SUT's cores: no server, no queue.

    ``cpu_s`` and ``wall_s`` are totals over ``images``; block -1 is the search before the blocks.
    """

    block: int
    batch_size: int
    images: int
    wall_s: float
    cpu_s: float

    @property
    def rate_rps(self) -> float:
        """Images per second."""
        return self.images / self.wall_s


class EnsembleRecord(Record):
    """Which ensemble answered."""

    module: str
    name: str
    tier: str
    device: str
    models: dict[str, str]
    weights_digest: str
    meaningful: bool


class Environment(Record):
    """The fingerprint that must agree before runs may be compared, and what merely describes.

    ``fingerprint`` must agree; ``description`` may differ and is shown.
    """

    fingerprint: dict[str, str]
    description: dict[str, str]


class TrialPlace(Record):
    """Where a trial stands in the schedule."""

    order: int
    block: int
    step: int
    sut: str

    @property
    def directory(self) -> str:
        """Its folder's name under ``trials/``."""
        return f"b{self.block:02}-s{self.step:02}-{self.sut.replace(':', '-')}"


class Reason(Record):
    """Why a trial is not to be trusted: one row of the closed list in ``harness.validity``."""

    code: str
    seen: str
    threshold: str
    remedy: str


class Phases(Record):
    """Clock readings (CLOCK_MONOTONIC, ns) that part a trial: warm-up, steady state, drain."""

    start_ns: int
    steady_ns: int
    end_ns: int
    drained_ns: int


class Verification(Record):
    """Answers compared with the in-process reference, before load and sampled under load."""

    before: int
    before_different: int
    under_load: int
    under_load_different: int
    first_difference: str | None = None


class TrialRecord(Record):
    """One SUT at one load step, once.

    Attributes:
        outcome: ``ok`` when load was played to the end; otherwise ``error`` says what happened.
        start_up_s: from the first process started to the last readiness check passed.
        info: the SUT's own ``/v1/info``.
        generator: cores, CPU-seconds and schedule lag of the load generator.
        reasons: empty when the trial can be trusted.
    """

    format_version: int = FORMAT_VERSION
    place: TrialPlace
    outcome: Literal["ok", "failed"]
    error: str | None = None
    offered_rps: float
    start_up_s: float | None = None
    phases: Phases | None = None
    info: dict[str, Any] | None = None
    verification: Verification | None = None
    generator: dict[str, float] = {}
    pressure: dict[str, float] = {}
    reasons: tuple[Reason, ...] = ()

    @property
    def valid(self) -> bool:
        """Played to the end and free of doubts."""
        return self.outcome == "ok" and not self.reasons


class RunRecord(Record):
    """The whole scenario: what was meant, where, and which trials there are."""

    format_version: int = FORMAT_VERSION
    run_id: str
    created_utc: str
    version: str
    scenario: dict[str, Any]
    environment: Environment
    ensemble: EnsembleRecord
    ceiling: tuple[CeilingPoint, ...]
    best_batch: int
    suts: tuple[Sut, ...]
    steps: tuple[Step, ...]
    schedule: tuple[TrialPlace, ...]
    status: Literal["running", "complete", "interrupted"]

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read ``run.json``."""
        return cls.model_validate_json((directory / "run.json").read_text())


USAGE_COLUMNS = ("t_ns", "component", "processes", "threads", "cpu_s", "pss_bytes", "rss_bytes")
"""``usage.parquet``: one row per component and reading. ``cpu_s`` is cumulative, ended processes
included; ``t_ns`` is CLOCK_MONOTONIC; ``pss_bytes`` is null between the slower PSS readings. The
load generator's own rows bear the component name ``generator``."""


def write_record(path: Path, record: Record) -> None:
    """Write a record as JSON; a half-written file is never left under this name."""
    partial = path.with_suffix(".partial")
    partial.write_text(record.model_dump_json(indent=1))
    partial.rename(path)
