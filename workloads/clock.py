"""The clock of another machine: how far it is from ours, and readings of one told in the other.

CLOCK_MONOTONIC counts from each machine's own start, so readings of two machines have nothing to do
with each other until their distance is measured. It is measured as NTP does (RFC 5905, section 8):
with a question sent at t1, heard at t2, answered at t3 and the answer heard at t4, the other clock
is ahead by ((t2 - t1) + (t3 - t4)) / 2, and wrong by at most half the round trip. Of many
exchanges the one of least round trip is kept; the others only queued longer.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import compute

from workloads.sample import SCHEMA, read_samples, write_samples

OWN_READINGS = ("intended_ns", "sent_ns", "received_ns")
"""A sample's columns that are clock readings; 0 is none."""

REPORT_READINGS = ("start_ns", "steady_ns", "end_ns", "drained_ns")
"""A worker's report's entries that are clock readings."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and its answer: ``asked`` and ``told`` by our clock, the others by theirs."""

    asked_ns: int
    heard_ns: int
    answered_ns: int
    told_ns: int

    @property
    def round_trip_ns(self) -> int:
        """On the way: the time between question and answer less what the other side took."""
        return (self.told_ns - self.asked_ns) - (self.answered_ns - self.heard_ns)

    @property
    def offset_ns(self) -> int:
        """Their reading less ours at one moment."""
        return ((self.heard_ns - self.asked_ns) + (self.answered_ns - self.told_ns)) // 2


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """How far another clock is ahead of ours.

    Attributes:
        offset_ns: their reading less ours at one moment.
        uncertainty_ns: half the least round trip; the offset is within it, whatever the way there
            and the way back took each.
        exchanges: how many were tried.
    """

    offset_ns: int
    uncertainty_ns: int
    exchanges: int


SAME_CLOCK = ClockOffset(0, 0, 0)
"""Between processes of one machine there is nothing to measure."""


def measured(exchanges: Iterable[Exchange]) -> ClockOffset:
    """What the exchange of least round trip says.

    Raises:
        ValueError: there is none.
    """
    tried = list(exchanges)
    best = min(tried, key=lambda exchange: exchange.round_trip_ns)
    # Rounded up, since the offset itself was rounded.
    return ClockOffset(best.offset_ns, best.round_trip_ns // 2 + 1, len(tried))


@dataclass(frozen=True, slots=True)
class ClockRecord:
    """What a worker's report says of its clock against the conductor's.

    Attributes:
        offset_ns: the conductor's reading less the worker's, before the start; every reading of the
            worker was moved by it.
        uncertainty_ns: of that offset.
        exchanges: questions asked before the start.
        offset_after_ns / uncertainty_after_ns: the same after the drain.
        drift_ns: how far the offset moved in between. Readings are not corrected for it: a moving
            correction would change response times, which one clock measures whole.
    """

    offset_ns: int
    uncertainty_ns: int
    exchanges: int
    offset_after_ns: int
    uncertainty_after_ns: int
    drift_ns: int


def clock_record(before: ClockOffset, after: ClockOffset) -> ClockRecord:
    """From the two measurements of a trial."""
    return ClockRecord(
        before.offset_ns,
        before.uncertainty_ns,
        before.exchanges,
        after.offset_ns,
        after.uncertainty_ns,
        after.offset_ns - before.offset_ns,
    )


def sign_report(path: Path, host: str, clock: ClockRecord, *, remote: bool) -> None:
    """Add to a worker's report where it ran and how its clock stood."""
    report = json.loads(path.read_text())
    signed = {**report, "host": host, "remote": remote, "clock": asdict(clock)}
    path.write_text(json.dumps(signed, indent=1))


def to_conductors_clock(samples: Path, report: Path) -> None:
    """Move a remote worker's readings by the offset its report states; its own clock ends here.

    All readings move by the same amount, so that response time, service time and schedule lag stay
    what one clock measured; intended starts become the plan's on the conductor's clock, exactly.

    Raises:
        OSError, ValueError, KeyError, TypeError: a file is not what a worker writes.
    """
    told = json.loads(report.read_text())
    offset_ns = int(told["clock"]["offset_ns"])
    table = read_samples([samples])
    columns = {
        name: _moved(table[name], offset_ns) if name in OWN_READINGS else table[name]
        for name in SCHEMA.names
    }
    write_samples(samples, columns)
    moved = {name: told[name] + offset_ns for name in REPORT_READINGS if name in told}
    report.write_text(json.dumps({**told, **moved}, indent=1))


def _moved(readings: pa.ChunkedArray, offset_ns: int) -> pa.ChunkedArray:
    return compute.if_else(compute.equal(readings, 0), 0, compute.add(readings, offset_ns))
