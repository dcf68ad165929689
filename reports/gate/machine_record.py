"""What A/A gates have shown of a machine, on disk: a file a machine, a line a gate.

The file's name is a digest of the part of the fingerprint that says which machine it is and how
much of it a SUT gets, so that a folder may be shared by many and two of one kind share a file.
Lines are only ever appended, each by one write that is flushed to the disk; what a power cut left
of a line is skipped, with words, and the next begins on its own.
"""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from harness.durable import settle
from harness.record import Record
from reports.gate.verdict import Outcome, Word

MACHINE_FORMAT = 1
DEFAULT_DIRECTORY = Path("reports/baselines/machine")

MACHINE = ("machine", "cpu_model", "machine_cores", "cgroup_limits", "sut_cores")
"""Entries of the fingerprint that make a machine another one."""

_DIGITS = 12
_MODE = 0o644


class MachineRecordError(OSError):
    """A machine's record that cannot be read or written; the message says what to do."""


class MetricRecord(Record):
    """What an A/A gate showed of one metric; every difference it saw is chance.

    Attributes:
        estimate: a ratio or a difference, as in ``verdict.Row``.
        spread: between pairs.
        n: pairs it rests on.
    """

    kind: Literal["ratio", "difference"]
    gating: bool
    word: Word
    estimate: float | None = None
    spread: float | None = None
    n: int


class MachineGate(Record):
    """One A/A gate: a line.

    Attributes:
        machine: the entries of :data:`MACHINE`.
        name: of the scenario.
        version: of this program.
        pairs: that counted.
        nominal: one-sided level of each look.
        metrics: by key; empty where the gate was unfit.
    """

    machine_format: int = MACHINE_FORMAT
    gate_id: str
    created_utc: str
    sut: str
    name: str
    version: str
    machine: dict[str, str]
    rate_rps: float | None = None
    pairs: int
    nominal: float
    outcome: Outcome
    metrics: dict[str, MetricRecord] = Field(default_factory=dict)

    @property
    def judged(self) -> bool:
        """Whether it came to a verdict, of whatever kind."""
        return self.outcome != "unfit"

    @property
    def false_alarm(self) -> bool:
        """Whether it called a regression where there is none."""
        return any(m.gating and m.word == "regression" for m in self.metrics.values())


@dataclass(frozen=True, slots=True)
class MachineHistory:
    """A machine's file.

    Attributes:
        gates: oldest first.
        skipped: lines that could not be read, in words.
    """

    gates: tuple[MachineGate, ...] = ()
    skipped: tuple[str, ...] = ()


def machine_of(fingerprint: Mapping[str, str]) -> dict[str, str]:
    """The part of a fingerprint that tells machines apart; empty where nobody recorded it."""
    return {key: fingerprint.get(key, "") for key in MACHINE}


def file_of(directory: Path, fingerprint: Mapping[str, str]) -> Path:
    """Where a machine's gates are kept, whether there are any or not."""
    written = json.dumps(machine_of(fingerprint), sort_keys=True)
    return directory / f"{sha256(written.encode()).hexdigest()[:_DIGITS]}.jsonl"


def read_history(directory: Path, fingerprint: Mapping[str, str]) -> MachineHistory:
    """Read a machine's gates; none where there is no file.

    Raises:
        MachineRecordError: there is one, and it cannot be read.
    """
    path = file_of(directory, fingerprint)
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return MachineHistory()
    except OSError as error:
        raise MachineRecordError(
            f"{path} cannot be read: {error.strerror}; name another folder with --machine"
        ) from error
    gates: dict[str, MachineGate] = {}
    skipped = []
    for number, line in enumerate(lines, 1):
        read = _read(line)
        if isinstance(read, MachineGate):
            gates.setdefault(read.gate_id, read)
        elif read:
            skipped.append(f"{path} line {number}: {read}")
    return MachineHistory(tuple(gates.values()), tuple(skipped))


def append(directory: Path, gate: MachineGate) -> Path:
    """Write a gate's line, once: a gate that is there already is left as it is.

    Returns:
        The file.

    Raises:
        MachineRecordError: it cannot be written.
    """
    path = file_of(directory, gate.machine)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # the kernel lets go of it with the file
            known = read_history(directory, gate.machine).gates
            if gate.gate_id not in {one.gate_id for one in known}:
                _write_line(descriptor, gate)
        finally:
            os.close(descriptor)
        settle(directory)  # the file's name too
    except MachineRecordError:
        raise
    except OSError as error:
        raise MachineRecordError(
            f"{path} cannot be written: {error.strerror}; name another folder with --machine"
        ) from error
    return path


def _write_line(descriptor: int, gate: MachineGate) -> None:
    size = os.fstat(descriptor).st_size
    torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
    line = f"{gate.model_dump_json()}\n".encode()
    written = os.write(descriptor, b"\n" + line if torn else line)
    if written < len(line):
        raise OSError(None, f"only {written} of {len(line)} bytes went to the disk")
    os.fsync(descriptor)


def _read(line: bytes) -> MachineGate | str:
    """A line's gate, or why it has none; nothing to say of an empty one."""
    text = line.strip()
    if not text:
        return ""
    try:
        document = json.loads(text)
        version = document.get("machine_format", MACHINE_FORMAT)
        if version > MACHINE_FORMAT:
            return (
                f"machine_format is {version}, this program reads up to {MACHINE_FORMAT}; use the "
                "version of servebench that wrote it"
            )
        return MachineGate.model_validate(document)
    except (ValueError, AttributeError, TypeError) as error:
        if isinstance(error, ValidationError):
            return f"it is no A/A gate ({error.error_count()} errors); remove the line"
        if not line.endswith(b"\n"):
            return "it was torn when it was written; the next gate begins a line of its own"
        return "it is damaged; remove the line"
