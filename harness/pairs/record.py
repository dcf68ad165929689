"""What a gate leaves on disk, beside its sides' ordinary runs.

runs/<id>/
  gate.json                 GateRecord, rewritten after every pair
  scenario.toml             the file as given
  capacity/<run>/           the baseline in a closed loop, where its capacity had to be read
  baseline/<run>/           an ordinary run of that side, one block a pair
  candidate/<run>/
  verdict.json report.html verdict.md junit.xml   written by ``reports.gate``
"""

from pathlib import Path
from typing import Literal, Self, TypeAlias

from pydantic import Field

from harness.pairs.section import GateSection
from harness.record import Record, write_record

GATE_FILE = "gate.json"
GATE_FORMAT = 1

SideName: TypeAlias = Literal["baseline", "candidate"]
SIDES: tuple[SideName, SideName] = ("baseline", "candidate")


class SideRecord(Record):
    """One side as it was compared.

    Attributes:
        kind: what the two sides differ in.
        label: in words, short: ``main (1a2b3c4)``, ``the working tree``, ``monolith:naive``.
        revision: the commit's whole hash; None where it is no revision, or the working tree.
        sut: ``architecture:variant`` or ``remote:NAME``.
        scenario: the scenario's file as named by the user.
        run: its run's folder, relative to the gate's; empty until it is prepared.
        fresh: whether each block got a fresh deployment, or a restart that the user gave.
    """

    name: SideName
    kind: Literal["revision", "working tree", "variant", "scenario", "url"]
    label: str
    revision: str | None = None
    sut: str
    scenario: str
    run: str = ""
    fresh: bool = True


class PairRecord(Record):
    """One pair: a block of each side, one after the other.

    Attributes:
        block: its block in both sides' runs; the same load plan.
        first: which side was played first.
        contaminated: why it does not count and another was played, in words; empty if it counts.
        wall_s: both blocks, deployments included.
    """

    block: int
    first: SideName
    contaminated: tuple[str, ...] = ()
    wall_s: float


class CapacityReading(Record):
    """The baseline's capacity, as far as a gate must know it.

    Attributes:
        how: ``given``, or ``closed loop``: the most throughput whose response times kept the SLO.
        readings: concurrency -> (throughput in rps, response time in s at the SLO's percentile).
    """

    how: Literal["given", "closed loop"]
    capacity_rps: float
    readings: dict[int, tuple[float, float | None]] = Field(default_factory=dict)


class GateRecord(Record):
    """A gate: what was compared, how, and every pair that was played.

    Attributes:
        kind: ``aa`` where both sides are the same on purpose.
        rate_rps: offered to both sides; None until it is known.
        capacity: None where nobody knows it: a URL without ``gate.capacity_rps``.
        seed: of the order within pairs, and of both sides' load plans.
        status: ``complete``: it came to a look at which it could end, or to the last; ``unfit``:
            ``why_unfit`` says in words why no verdict can be given; ``interrupted``: told to stop;
            ``failed``: ``why_failed`` says by what.
    """

    gate_format: int = GATE_FORMAT
    gate_id: str
    created_utc: str
    version: str
    name: str
    kind: Literal["gate", "aa"]
    section: GateSection
    seed: int
    sides: tuple[SideRecord, SideRecord]
    rate_rps: float | None = None
    capacity: CapacityReading | None = None
    pairs: tuple[PairRecord, ...] = ()
    status: Literal["running", "complete", "unfit", "interrupted", "failed"] = "running"
    why_unfit: str = ""
    why_failed: str = ""
    wall_s: float = 0.0

    @property
    def counted(self) -> tuple[PairRecord, ...]:
        """The pairs that count, in the order they were played."""
        return tuple(pair for pair in self.pairs if not pair.contaminated)

    @property
    def redone(self) -> tuple[PairRecord, ...]:
        """Those that did not."""
        return tuple(pair for pair in self.pairs if pair.contaminated)

    def side(self, name: SideName) -> SideRecord:
        """One of the two."""
        return next(side for side in self.sides if side.name == name)

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read ``gate.json``."""
        return cls.model_validate_json((directory / GATE_FILE).read_text())

    def save(self, directory: Path) -> None:
        """Write it, whole or not at all."""
        write_record(directory / GATE_FILE, self)


def is_gate(directory: Path) -> bool:
    """Whether a folder holds a gate rather than a run."""
    return (directory / GATE_FILE).is_file()
