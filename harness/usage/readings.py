"""The readings of one trial, and what they add up to."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from time import monotonic_ns, thread_time_ns

import numpy as np
import pyarrow as pa

from harness.gpu import GpuReading, gpu_table, machine_gpus
from harness.network import Traffic
from harness.pressure import HostReading, read_host
from harness.processes import read_pss_bytes
from harness.storage import Storage
from harness.switches import Switches
from harness.usage.accounts import GENERATOR, Accounts, Target
from harness.usage.pace import Pace
from harness.usage.table import SCHEMA, Reading, check_row, row, write_usage


class Usage:
    """The readings of one trial, growing while it runs.

    Attributes:
        host: the machine's own counters at each reading.
        cost_s: CPU-seconds that reading itself took.
    """

    def __init__(self, targets: tuple[Target, ...]) -> None:
        self.host: list[HostReading] = []
        self.cost_s = 0.0
        self._accounts = Accounts(targets)
        self._storage = Storage()
        self._switches = Switches()
        self._traffic = Traffic()
        self._readings: list[Reading] = []
        self._added: list[Mapping[str, object]] = []
        self._gpu_readings: list[GpuReading] = []
        # Shares of a core. Reading PSS walks page tables; switches are a file a thread.
        self._host_pace = Pace(0.0005)
        self._seldom = (
            (Pace(0.0015), self._read_memory),
            (Pace(0.0008), self._read_switches),
            (Pace(0.0003), self._read_storage),
            (Pace(0.0008), self._read_traffic),
            (Pace(0.0005, 0.2), self._read_gpus),
        )

    def read(self, *, whole: bool = False) -> float:
        """Take one reading of what is cheap, and of what is dear as often as its share allows.

        Args:
            whole: read everything.

        Returns:
            CPU-seconds that the cheap part took.
        """
        started_ns = thread_time_ns()
        for ended, heir in self._accounts.read():
            self._storage.end(ended, heir)
        now_ns = monotonic_ns()
        accounts = self._accounts
        self._read_host(whole=whole)
        cheap_s = (thread_time_ns() - started_ns) / 1e9
        seldom: dict[str, dict[int, int]] = {}
        for pace, read in self._seldom:
            if whole or pace.due():
                with pace.paid():
                    seldom |= read()
        self._readings.append(
            Reading(
                t_ns=now_ns,
                alive={pid: (p.threads, p.rss_bytes) for pid, p in accounts.alive.items()},
                cpu_s={pid: account.cpu_s for pid, account in accounts.of.items()},
                seldom=seldom,
            )
        )
        self.cost_s += (thread_time_ns() - started_ns) / 1e9
        return cheap_s

    def _read_host(self, *, whole: bool) -> None:
        generator = self._accounts.alive_of(GENERATOR)
        if whole or self._host_pace.due():
            with self._host_pace.paid():
                self.host.append(read_host(generator))
        else:
            self.host.append(read_host(generator, whole=False))

    def _read_memory(self) -> dict[str, dict[int, int]]:
        self._accounts.read_commands()
        alive = self._accounts.alive
        sizes = {pid: size for pid in alive if (size := read_pss_bytes(pid)) is not None}
        return {"pss_bytes": sizes}

    def _read_switches(self) -> dict[str, dict[int, int]]:
        return _columns(
            ("voluntary_switches", "involuntary_switches"),
            self._switches.read(self._accounts.alive),
        )

    def _read_storage(self) -> dict[str, dict[int, int]]:
        return _columns(("read_bytes", "written_bytes"), self._storage.read(self._accounts.alive))

    def _read_traffic(self) -> dict[str, dict[int, int]]:
        return _columns(("sent_bytes", "received_bytes"), self._traffic.read(self._accounts.alive))

    def _read_gpus(self) -> dict[str, dict[int, int]]:
        """Into a table of their own: a device is no component's."""
        gpus = machine_gpus()
        if not isinstance(gpus, str):
            self._gpu_readings += gpus.read()
        return {}

    def close(self) -> None:
        """Give back what reading held open; the readings stay."""
        self._accounts.close()
        self._traffic.close()

    def add_rows(self, rows: Iterable[Mapping[str, object]]) -> None:
        """Take readings that another made, of components whose processes are not ours to see.

        Any thread may call it, at any time before :meth:`table`. They count like our own in
        :meth:`cpu_s`, :meth:`peak_pss_bytes` and :meth:`table`.

        Args:
            rows: by the columns of :data:`~harness.usage.table.SCHEMA`, of which ``t_ns``
                (CLOCK_MONOTONIC) and ``component`` are required; an absent one is null. A column
                that is cumulative must be so here.

        Raises:
            ValueError: a column that there is not, or no time or component.
        """
        for given in rows:
            check_row(given)
            self._added.append(dict(given))

    def cpu_s(self, window_ns: tuple[int, int], *, generator: bool) -> float:
        """CPU-seconds in a window of the generator, or of all the SUT's components together."""
        times = [reading.t_ns for reading in self._readings]
        series = [
            (times, [reading.cpu_s.get(pid, 0.0) for reading in self._readings])
            for pid, account in self._accounts.of.items()
            if (account.component == GENERATOR) == generator
        ]
        if not generator:
            series += self._added_cpu_s()
        return sum(float(np.diff(np.interp(window_ns, *points))[0]) for points in series)

    def _added_cpu_s(self) -> list[tuple[list[int], list[float]]]:
        found: dict[object, tuple[list[int], list[float]]] = {}
        for given in self._added:
            if given.get("cpu_s") is not None:
                times, values = found.setdefault(given["component"], ([], []))
                times.append(int(str(given["t_ns"])))
                values.append(float(str(given["cpu_s"])))
        return list(found.values())

    def peak_pss_bytes(self) -> int | None:
        """The most the SUT's components held together; None if PSS was never read."""
        totals: dict[object, int] = {}
        for reading in self._readings:
            for pid, size in reading.seldom.get("pss_bytes", {}).items():
                if self._accounts.of[pid].component != GENERATOR:
                    totals[reading.t_ns] = totals.get(reading.t_ns, 0) + size
        for given in self._added:
            if given.get("pss_bytes") is not None:
                size = int(str(given["pss_bytes"]))
                totals[given["t_ns"]] = totals.get(given["t_ns"], 0) + size
        return max(totals.values(), default=None)

    def tail(self, readings: int) -> list[dict[str, object]]:
        """The rows of :meth:`table` of the last few readings, without added ones.

        Any thread may ask while more are taken.
        """
        labels = self.labels()
        members: dict[str, list[int]] = {}
        for pid, label in labels.items():
            members.setdefault(label, []).append(pid)
        recent = self._readings[-readings:]
        return [row(reading, name, pids) for reading in recent for name, pids in members.items()]

    def table(self) -> pa.Table:
        """One row per component and reading (:data:`~harness.usage.table.SCHEMA`).

        A component has a row in every reading, before its first process and after its last too,
        so that a total over components is a total at all times.
        """
        labels = self.labels()
        members: dict[str, list[int]] = {}
        for pid in self._accounts.of:
            members.setdefault(labels[pid], []).append(pid)
        rows = [
            row(reading, name, pids) for reading in self._readings for name, pids in members.items()
        ]
        return pa.Table.from_pylist(rows + self._added, schema=SCHEMA)

    def write(self, folder: Path) -> None:
        """Write ``usage.parquet``, and ``gpu.parquet`` where there is a GPU.

        Raises:
            OSError: they cannot be written.
        """
        write_usage(folder / "usage.parquet", self.table())
        if self._gpu_readings:
            write_usage(folder / "gpu.parquet", gpu_table(self._gpu_readings, self.labels()))

    def labels(self) -> dict[int, str]:
        """Process -> ``component``, or ``component/role`` for what a component started."""
        return self._accounts.labels()


def _columns(
    names: tuple[str, str], pairs: Mapping[int, tuple[int, int]] | None
) -> dict[str, dict[int, int]]:
    """Pairs by process as two columns; none where the source cannot be read at all."""
    if pairs is None:
        return {}
    return {
        name: {pid: pair[place] for pid, pair in pairs.items()} for place, name in enumerate(names)
    }
