"""What every component and the load generator used, read a few times a second under load."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic_ns, thread_time_ns

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.pressure import HostReading, read_host
from harness.processes import Family, Process, list_processes, read_command, read_pss_bytes, role

GENERATOR = "generator"
PERIOD_S = 0.2
PSS_PERIOD_S = 1.0

PSS_COST_SHARE = 0.004
"""Of a core. Reading PSS walks page tables, so with many processes it is read more seldom."""

SCHEMA = pa.schema(
    [
        ("t_ns", pa.int64()),
        ("component", pa.string()),
        ("processes", pa.int32()),
        ("threads", pa.int32()),
        ("cpu_s", pa.float64()),
        ("pss_bytes", pa.int64()),
        ("rss_bytes", pa.int64()),
    ]
)
"""``harness.record.USAGE_COLUMNS`` with their types."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whose processes are read.

    Attributes:
        components: name -> its first process.
        keeper: the process that orphans of the components come to; itself not counted.
    """

    components: Mapping[str, int]
    keeper: int | None = None


@dataclass(slots=True)
class _Account:
    """One process's running account.

    Attributes:
        credited_s: of its collected children's CPU time, what stands in their own accounts.
        cpu_s: its own CPU-seconds and those of children that came and went between two readings.
        command: as last read; a Ray worker takes its actor's title only once it has one.
    """

    process: Process
    component: str
    command: tuple[str, ...]
    credited_s: float = 0.0
    cpu_s: float = 0.0

    def update(self, process: Process) -> None:
        unseen_s = max(0.0, process.reaped_s - self.credited_s)
        # A child may be missed a moment before its parent collected it; accounts never shrink.
        self.cpu_s = max(self.cpu_s, process.own_s + unseen_s)
        self.process = process


@dataclass(frozen=True, slots=True)
class _Reading:
    t_ns: int
    alive: dict[int, tuple[int, int]]  # pid -> threads, RSS
    cpu_s: dict[int, float]  # ended processes included
    pss_bytes: dict[int, int] | None  # None where it was not read


@dataclass(slots=True)
class Usage:
    """The readings of one trial, growing while it runs.

    Attributes:
        host: the machine's own counters at each reading.
        cost_s: CPU-seconds that reading itself took.
    """

    targets: tuple[Target, ...]
    host: list[HostReading] = field(default_factory=list)
    cost_s: float = 0.0
    _accounts: dict[int, _Account] = field(default_factory=dict)
    _alive: set[int] = field(default_factory=set)
    _readings: list[_Reading] = field(default_factory=list)
    _families: list[tuple[Target, Family]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Find the families to read."""
        for target in self.targets:
            roots = set(target.components.values()) | ({target.keeper} - {None})
            self._families.append((target, Family(roots)))  # type: ignore[arg-type]

    def read(self, *, with_pss: bool) -> None:
        """Take one reading of everything."""
        processes: dict[int, Process] = {}
        listed = list_processes()
        for target, family in self._families:
            members = family.read(listed)
            members.pop(target.keeper or 0, None)
            self._open_accounts(target, members)
            processes |= members
        self._close_accounts(processes)
        for pid, process in processes.items():
            self._accounts[pid].update(process)
        self._alive = set(processes)
        now_ns = monotonic_ns()
        generator = [pid for pid in processes if self._accounts[pid].component == GENERATOR]
        self.host.append(read_host(generator, with_heat=with_pss))
        self._readings.append(
            _Reading(
                t_ns=now_ns,
                alive={pid: (p.threads, p.rss_bytes) for pid, p in processes.items()},
                cpu_s={pid: account.cpu_s for pid, account in self._accounts.items()},
                pss_bytes=self._read_memory() if with_pss else None,
            )
        )

    def _read_memory(self) -> dict[int, int]:
        for pid in self._alive:
            self._accounts[pid].command = read_command(pid) or self._accounts[pid].command
        return {pid: size for pid in self._alive if (size := read_pss_bytes(pid)) is not None}

    def _open_accounts(self, target: Target, members: Mapping[int, Process]) -> None:
        first = {pid: name for name, pid in target.components.items()}
        for pid, process in members.items():  # parents come before their children
            if pid in self._accounts:
                continue
            parent = self._accounts.get(process.parent)
            if pid in first:
                name = first[pid]
            elif parent is not None:
                name = parent.component
            else:
                name = _heir(target)
            self._accounts[pid] = _Account(process, name, read_command(pid))

    def _close_accounts(self, alive: Mapping[int, Process]) -> None:
        """Credit an ended process to the ancestor whose account its time will arrive in."""
        for pid in self._alive - alive.keys():
            ended = self._accounts[pid].process
            ancestor = ended.parent
            while ancestor in self._accounts and ancestor not in alive:
                ancestor = self._accounts[ancestor].process.parent
            if ancestor in self._accounts and ended.parent == ancestor:
                self._accounts[ancestor].credited_s += ended.own_s + ended.reaped_s
            elif ancestor in self._accounts:
                self._accounts[ancestor].credited_s += ended.own_s

    def cpu_s(self, window_ns: tuple[int, int], *, generator: bool) -> float:
        """CPU-seconds in a window of the generator, or of all the SUT's components together."""
        total = 0.0
        times = [reading.t_ns for reading in self._readings]
        for pid, account in self._accounts.items():
            if (account.component == GENERATOR) == generator:
                series = [reading.cpu_s.get(pid, 0.0) for reading in self._readings]
                total += float(np.diff(np.interp(window_ns, times, series))[0])
        return total

    def peak_pss_bytes(self) -> int | None:
        """The most the SUT's components held together; None if PSS was never read."""
        totals = [
            sum(
                size
                for pid, size in reading.pss_bytes.items()
                if self._accounts[pid].component != GENERATOR
            )
            for reading in self._readings
            if reading.pss_bytes is not None
        ]
        return max(totals, default=None)

    def table(self) -> pa.Table:
        """One row per component and reading (:data:`SCHEMA`), in the form reports read.

        A component has a row in every reading, before its first process and after its last too,
        so that a total over components is a total at all times.
        """
        labels = self.labels()
        members: dict[str, list[int]] = {}
        for pid in self._accounts:
            members.setdefault(labels[pid], []).append(pid)
        rows = [
            _row(reading, name, pids)
            for reading in self._readings
            for name, pids in members.items()
        ]
        return pa.Table.from_pylist(rows, schema=SCHEMA)

    def labels(self) -> dict[int, str]:
        """Process -> ``component``, or ``component/role`` for what a component started."""
        labels: dict[int, str] = {}
        workers: dict[str, int] = {}
        for pid, account in self._accounts.items():
            name = account.component
            parent = self._accounts.get(account.process.parent)
            if name == GENERATOR or pid in self._first():
                labels[pid] = name
            elif parent is not None and account.command == parent.command:
                workers[name] = workers.get(name, 0) + 1
                labels[pid] = f"{name}/worker-{workers[name]}"
            else:
                labels[pid] = f"{name}/{role(account.command)}"
        return labels

    def _first(self) -> set[int]:
        return {pid for target in self.targets for pid in target.components.values()}


def _heir(target: Target) -> str:
    """Whose an orphan is that was never seen under its parent."""
    names = tuple(target.components)
    return names[0] if len(names) == 1 else "orphans"


def _row(reading: _Reading, component: str, pids: list[int]) -> dict[str, object]:
    alive = [reading.alive[pid] for pid in pids if pid in reading.alive]
    pss = reading.pss_bytes
    return {
        "t_ns": reading.t_ns,
        "component": component,
        "processes": len(alive),
        "threads": sum(threads for threads, _ in alive),
        "cpu_s": sum(reading.cpu_s.get(pid, 0.0) for pid in pids),
        "pss_bytes": None if pss is None else sum(pss.get(pid, 0) for pid in pids),
        "rss_bytes": sum(rss for _, rss in alive),
    }


def write_usage(path: Path, table: pa.Table) -> None:
    """Write ``usage.parquet``; a half-written file is never left under this name."""
    partial = path.with_suffix(".partial")
    pq.write_table(table, partial, compression="zstd")
    partial.rename(path)


@contextmanager
def watch(targets: tuple[Target, ...]) -> Iterator[Usage]:
    """Read usage in a thread of its own until the block ends.

    Raises:
        Exception: whatever reading raised, at the end of the block.
    """
    usage = Usage(targets)
    stop = threading.Event()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            _read_until(usage, stop)
        except Exception as error:  # noqa: BLE001 - raised again where the block ends
            failed.append(error)

    thread = threading.Thread(target=run, name="usage", daemon=True)
    thread.start()
    try:
        yield usage
    finally:
        stop.set()
        thread.join()
    if failed:
        raise failed[0]


def _read_until(usage: Usage, stop: threading.Event) -> None:
    next_pss_ns = 0
    next_ns = monotonic_ns()
    while True:
        started_ns = thread_time_ns()
        with_pss = monotonic_ns() >= next_pss_ns
        usage.read(with_pss=with_pss)
        spent_ns = thread_time_ns() - started_ns
        usage.cost_s += spent_ns / 1e9
        if with_pss:
            wait_ns = max(PSS_PERIOD_S * 1e9, spent_ns / PSS_COST_SHARE)
            next_pss_ns = monotonic_ns() + int(wait_ns)
        next_ns += int(PERIOD_S * 1e9)
        if stop.wait(max(0.0, (next_ns - monotonic_ns()) / 1e9)):
            break
    usage.read(with_pss=True)
