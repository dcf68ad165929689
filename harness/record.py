"""What a run leaves on disk. Measurements are kept whole; statistics are derived by ``reports``.

runs/<id>/
  run.json                 RunRecord, rewritten at every block and at the end
  scenario.toml            the file as given
  payloads.parquet         key, media_type, body, label and headers (JSON): row i is payload i
  payloads-<graph>.parquet the same rows as a graph takes them that asks for another body, media
                           type or headers; a graph without one takes payloads.parquet
  references.jsonl         row i: the in-process answer of ensemble.graph to payload i
  references-<graph>.jsonl the same of each other graph that is asked for; a graph whose answers
                           vary has none
  trace.csv, trace.parquet the trace that is replayed, as it was given
  plans/b00-s00.parquet    one load plan per block and step, the same for every SUT
  plans/b00-p00-<sut>.parquet  that of a capacity search's probe
  trials/b00-s00-<sut>/    trial.json, samples-<worker>.parquet, usage.parquet,
                           gpu.parquet where there is a GPU, generator-<worker>.json, *.log;
                           a SUT's logs lie in the folder of the first trial that its
                           deployment plays; scores.parquet where answers were scored
  trials/b00-p00-<sut>/    the same of a probe
  capacity/b00-<sut>.json  CapacityRecord
  report.html summary.json written by ``reports``
  tags.json                tags given or taken later, written by ``reports``

It joins running and reading: a report can be made again years later, without load.
"""

from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict

from harness.durable import write_durably

FORMAT_VERSION = 4
"""History of the format. Old files stay in ``tests/golden`` and must stay readable.

1  2026-11: first.
2  2026-11: closed loop, capacity searches and trials that ended early; usage has more columns.
3  2026-11: payloads of single graphs, with headers; events, quality and scores; what answers were
   not compared; kinds of backends.
4  2026-11: tags.
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
    """One load step.

    Attributes:
        asked: the scenario's words, for example ``0.5 ceiling`` or ``8 at once``.
        offered_rps: open loop: the rate; closed loop: 0, for none is offered.
        concurrency: closed loop: how many clients, each with one request at a time.
    """

    index: int
    asked: str
    offered_rps: float
    concurrency: int | None = None


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
    """Where a trial stands in the schedule.

    Attributes:
        probe: its number in its SUT's capacity search; None for a trial of a load step.
    """

    order: int
    block: int
    step: int
    sut: str
    probe: int | None = None

    @property
    def directory(self) -> str:
        """Its folder's name under ``trials/``."""
        kind = f"s{self.step:02}" if self.probe is None else f"p{self.probe:02}"
        return f"b{self.block:02}-{kind}-{self.sut.replace(':', '-')}"


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
    """Answers compared with the in-process reference, before load and sampled under load.

    Attributes:
        not_compared: graph that is asked for -> why its answers were not compared, in words:
            ``answers vary``.
    """

    before: int
    before_different: int
    under_load: int
    under_load_different: int
    first_difference: str | None = None
    not_compared: dict[str, str] = {}


class Measure(Record):
    """A mean over answers.

    Attributes:
        n: of how many.
    """

    mean: float
    n: int


class PlayedEvent(Record):
    """Something that was done to a SUT or its surroundings while load was played.

    Attributes:
        event: its number among the scenario's ``[[events]]``, from 0.
        ends: whether it is that event's ``until``.
        to: ``sut`` (its admin API), ``moderation``, ``database``, ``features``, ``harness``, or the
            path that was asked.
        action: what was asked for: the admin action, the control path, or the path again.
        body: what was sent.
        intended_ns / sent_ns / received_ns: CLOCK_MONOTONIC, as in ``Phases``; the last two are
            None where it was not sent, or not answered.
        status: of the HTTP answer; None where there was none, and of ``harness``.
        answer: its JSON document, or what the harness says of what it did.
        error: in words, where it failed.
    """

    event: int
    ends: bool = False
    to: str
    action: str
    body: dict[str, Any] = {}
    intended_ns: int
    sent_ns: int | None = None
    received_ns: int | None = None
    status: int | None = None
    answer: Any = None
    error: str | None = None


class TrialRecord(Record):
    """One SUT at one load step, once.

    Attributes:
        outcome: ``ok`` when load was played and recorded; otherwise ``error`` says what happened.
        ended_early: why load was not played to the plan's end; None where it was. ``phases.end_ns``
            is then when it ended.
        start_up_s: from the first process started to the last readiness check passed.
        info: the SUT's own ``/v1/info``.
        generator: cores, CPU-seconds and schedule lag of the load generator.
        reasons: empty when the trial can be trusted.
        quality: graph -> measure -> its mean over the answers kept of the steady state, where the
            ensemble scores answers; ``scores.parquet`` holds each one.
        events: those that were due, in the order they were played.
    """

    format_version: int = FORMAT_VERSION
    place: TrialPlace
    outcome: Literal["ok", "failed"]
    error: str | None = None
    ended_early: str | None = None
    offered_rps: float
    concurrency: int | None = None
    start_up_s: float | None = None
    phases: Phases | None = None
    info: dict[str, Any] | None = None
    verification: Verification | None = None
    generator: dict[str, float] = {}
    pressure: dict[str, float] = {}
    reasons: tuple[Reason, ...] = ()
    quality: dict[str, dict[str, Measure]] = {}
    events: tuple[PlayedEvent, ...] = ()

    @property
    def valid(self) -> bool:
        """Played to the end and free of doubts."""
        return self.outcome == "ok" and not self.reasons


Role: TypeAlias = Literal["doubling", "bisection", "repetition", "confirmation"]
Verdict: TypeAlias = Literal["holds", "fails", "undecided"]


class Probe(Record):
    """One trial of a capacity search, and what it says about the SLO at its rate.

    Attributes:
        place: of the trial.
        verdict: ``holds`` and ``fails`` are LoadGen's early-stopping rule; ``undecided`` is a
            trial that the samples do not carry, or that cannot be trusted.
        planned: requests of the steady state that were offered before it ended.
        missed: those answered later than the objective, or not at all.
        failed: those without an OK answer.
        role: which part of the search asked for it.
        why: the verdict in words.
    """

    place: TrialPlace
    offered_rps: float
    role: Role
    verdict: Verdict
    planned: int
    missed: int
    failed: int
    why: str


class CapacityRecord(Record):
    """One SUT's capacity in one block: the highest offered rate whose objective holds.

    Attributes:
        probes: in the order they were played.
        low_rps / high_rps: the bracket: the highest rate that held and the lowest above it that
            did not; None where there is none.
        capacity_rps: the rate that a separate trial confirmed; None where none was.
        confirmed_by: the confirming probe's number.
        cliff: whether the SUT collapses right above it: at ``high_rps`` it completed less than
            at ``low_rps``.
        end: in words, why the search ended.
    """

    format_version: int = FORMAT_VERSION
    block: int
    sut: str
    probes: tuple[Probe, ...]
    low_rps: float | None
    high_rps: float | None
    capacity_rps: float | None
    confirmed_by: int | None
    cliff: bool = False
    end: str


class RunRecord(Record):
    """The whole scenario: what was meant, where, and which trials there are.

    Attributes:
        best_batch: the ceiling's best batch size; 0 where none was measured, every SUT being
            remote.
        digests: SHA-256 of each file that all trials share, by its path in the run's folder.
        resumed: when the run was taken up again, UTC.
        backends: part -> its kind, never its URL: ``state`` (sqlite, redis), ``database`` (sqlite,
            postgresql), ``features`` (sqlite, redis), ``moderation`` (stub, environment, absent);
            empty in runs older than it.
        tags: words that it is found by, as given when it was started (``harness.tags``); those
            given or taken later lie in ``tags.json`` beside it.
    """

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
    digests: dict[str, str] = {}
    resumed: tuple[str, ...] = ()
    backends: dict[str, str] = {}
    tags: tuple[str, ...] = ()

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read ``run.json``."""
        return cls.model_validate_json((directory / "run.json").read_text())


USAGE_COLUMNS = (
    "t_ns",
    "component",
    "processes",
    "threads",
    "cpu_s",
    "pss_bytes",
    "rss_bytes",
    "voluntary_switches",
    "involuntary_switches",
    "read_bytes",
    "written_bytes",
    "sent_bytes",
    "received_bytes",
)
"""``usage.parquet``: one row per component and reading. ``cpu_s`` is cumulative, ended processes
included; ``t_ns`` is CLOCK_MONOTONIC. ``pss_bytes``, context switches, storage I/O
(``read_bytes``, ``written_bytes``) and TCP payload (``sent_bytes``, ``received_bytes``) are read
more seldom, and null in between or where the kernel does not tell; all but ``pss_bytes`` are
cumulative. The load generator's own rows bear the component name ``generator``; a column is absent
in runs older than it."""

SCORE_COLUMNS = ("index", "measure", "score")
"""``scores.parquet``: one row per scored answer and measure; ``index`` is the request's, as in the
samples and the plan. Every answer kept under load is scored if it is OK, the warm-up's too."""

GPU_COLUMNS = (
    "t_ns",
    "device",
    "component",
    "utilization",
    "memory_bytes",
    "power_w",
    "energy_j",
)
"""``gpu.parquet``: per reading one row a device, its ``component`` null, and one for each component
that holds memory of it, with no more than that memory. ``utilization`` is a share of 1,
``energy_j`` cumulative from the first reading; null is what a device does not tell."""


def write_record(path: Path, record: Record) -> None:
    """Write a record as JSON; a half-written file is never left under this name."""
    write_durably(path, record.model_dump_json(indent=1))
