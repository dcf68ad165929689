"""A load worker's place in a trial: joining, and for a remote one files, clock and results.

Over ``--control-fd`` a remote worker says ``joined <k> <n> <url>``, ``full``, ``refused <why>``,
``lost <why>`` or ``played`` to the process that started it.
"""

import socket as names
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import gevent
import locust
from gevent import socket
from gevent.event import AsyncResult

from workloads.arrivals import WorkloadError
from workloads.clock import (
    SAME_CLOCK,
    ClockOffset,
    Exchange,
    clock_record,
    measured,
    sign_report,
)
from workloads.locustfile_part import Options
from workloads.locustfile_roll import (
    COLLECT,
    FETCH,
    JOIN,
    PART,
    PIECE,
    PIECE_LIMIT_S,
    PING,
    PLAYED,
    PONG,
    RESULT,
    THANKS,
    identity,
)
from workloads.parcel import Arriving, Parcel, ParcelError, parcel, piece
from workloads.payload_files import checked_name, graph_of, is_own

_locust: Any = locust

_EXCHANGES = 40
_PONG_LIMIT_S = 1.0
_JOIN_LIMIT_S = 10.0
_THANKS_LIMIT_S = 120.0
_MASTER_SILENT_S = 15
"""After which a remote worker stops sending: whoever asked for the load is gone."""


@dataclass(frozen=True, slots=True)
class Remote:
    """What makes a worker a remote one.

    Attributes:
        folder: where what it is lent and what it plays lies.
        control_fd: a socket to the process that started it.
        only: the one URL it will send load to; None takes the run's.
    """

    folder: Path
    control_fd: int
    only: str | None


class Seat:
    """One worker's place.

    Args:
        environment: Locust's, of a worker or of the only process.
        remote: None for a worker that the harness forked.
    """

    def __init__(self, environment: Any, remote: Remote | None) -> None:
        self._environment = environment
        self._runner: Any = environment.runner
        self._remote = remote
        self._control = None if remote is None else socket.socket(fileno=remote.control_fd)
        self._part = AsyncResult()
        self._lent = AsyncResult()
        self._piece = AsyncResult()
        self._pong = AsyncResult()
        self._thanked = AsyncResult()
        self._clock = SAME_CLOCK
        self._results: dict[str, Path] = {}
        self.worker = -1
        self.workers = 0
        for message, listener in (
            (PART, self._on_part),
            (PIECE, lambda msg, **_: self._piece.set(msg.data)),
            (PONG, self._on_pong),
            (COLLECT, self._on_collect),
            (THANKS, lambda **_: self._thanked.set(None)),
        ):
            self._runner.register_message(message, listener)
        if remote is not None:
            _locust.runners.MASTER_HEARTBEAT_TIMEOUT = _MASTER_SILENT_S
        gevent.spawn(self._join)

    def sit(self, options: Options) -> Options:
        """Wait for the part and, on another machine, for the files; then measure the clock.

        Returns:
            The options, with a remote worker's own files in them.

        Raises:
            WorkloadError: the URL is not the run's, or the files did not come.
        """
        part = self._part.get()
        self.worker, self.workers = part["worker"], part["workers"]
        if self._remote is None:
            return options
        self._check_url(options.url, part["url"])
        files = self._lent.get()
        if isinstance(files, str):
            raise WorkloadError(files)
        own = {graph_of(name): path for name, path in files.items() if is_own(name)}
        return replace(
            options,
            payloads=files["payloads"],
            plan=files["plan"],
            own=own,
            out=self._remote.folder,
        )

    def measure_clock(self) -> None:
        """How far the conductor's clock is ahead, before the start."""
        if self._remote is not None:
            self._clock = self._offset()

    def own(self, reading_ns: int) -> int:
        """A reading of the conductor's clock as ours."""
        return reading_ns - self._clock.offset_ns

    def leave(self, out: Path | None) -> None:
        """Sign the report and, from another machine, send it and the samples back.

        Raises:
            WorkloadError: nobody took them.
        """
        if out is None:
            return
        after = self._clock if self._remote is None else self._offset()
        report = out / f"generator-{self.worker}.json"
        record = clock_record(self._clock, after)
        sign_report(report, names.gethostname(), record, remote=self._remote is not None)
        if self._remote is None:
            return
        samples = out / f"samples-{self.worker}.parquet"
        self._results = {"samples": samples, "report": report}
        announced = {name: asdict(parcel(path)) for name, path in self._results.items()}
        self._runner.send_message(PLAYED, announced)
        try:
            self._thanked.get(timeout=_THANKS_LIMIT_S)
        except gevent.Timeout:
            raise WorkloadError("the run did not take this worker's samples") from None
        self._say("played")

    def _join(self) -> None:
        """Ask until answered: a word sent before the master listens is lost."""
        asked_ns = time.perf_counter_ns()
        told = {**identity(), "host": names.gethostname(), "remote": self._remote is not None}
        while not self._part.ready():
            if time.perf_counter_ns() - asked_ns > _JOIN_LIMIT_S * 1e9:
                self._say("lost the master did not answer")
            self._runner.send_message(JOIN, told)
            gevent.sleep(0.5)

    def _on_part(self, msg: Any, **_: Any) -> None:
        if self._part.ready():
            return
        part = msg.data
        if "refused" in part or "full" in part:
            self._say(f"refused {part['refused']}" if "refused" in part else "full")
            self._part.set_exception(WorkloadError("this worker was turned away"))
            return
        self._part.set(part)
        if self._remote is not None:
            self._say(f"joined {part['worker']} {part['workers']} {part['url']}")
            gevent.spawn(self._fetch, part["lent"], self._remote.folder)

    def _check_url(self, url: str, of_the_run: str) -> None:
        assert self._remote is not None  # noqa: S101 - its caller has looked
        for allowed, whose in ((of_the_run, "the run's"), (self._remote.only, "--only")):
            if allowed and url.rstrip("/") != allowed.rstrip("/"):
                raise WorkloadError(
                    f"this worker was told to send load to {url}, which is not {whose} {allowed}; "
                    "it sends none"
                )

    def _fetch(self, lent: dict[str, Any], folder: Path) -> None:
        """Bring what is lent here; what lies here from an earlier trial is not asked for again."""
        files: dict[str, Path] = {}
        try:
            for name, described in lent.items():
                expected = Parcel(**described)
                files[name] = folder / f"{checked_name(name)}-{expected.sha256}.parquet"
                if not files[name].exists():
                    self._receive(name, Arriving(files[name], expected))
        except gevent.Timeout:
            self._lent.set("the run stopped sending its plan and payloads")
        except (OSError, ParcelError, KeyError, TypeError) as error:
            self._lent.set(str(error))
        else:
            self._lent.set(files)

    def _receive(self, name: str, arriving: Arriving) -> None:
        while arriving.wanted is not None:
            self._piece = AsyncResult()
            self._runner.send_message(FETCH, [name, arriving.wanted])
            arriving.add(self._piece.get(timeout=PIECE_LIMIT_S))
        arriving.finish()

    def _on_collect(self, msg: Any, **_: Any) -> None:
        name, offset = msg.data
        if name in self._results:
            self._runner.send_message(RESULT, piece(self._results[name], offset))

    def _on_pong(self, msg: Any, **_: Any) -> None:
        told_ns = time.perf_counter_ns()
        asked_ns, heard_ns, answered_ns = msg.data
        self._pong.set(Exchange(asked_ns, heard_ns, answered_ns, told_ns))

    def _offset(self) -> ClockOffset:
        exchanges = [exchange for _ in range(_EXCHANGES) if (exchange := self._exchange())]
        if not exchanges:
            raise WorkloadError("the run did not answer when asked for its clock")
        return measured(exchanges)

    def _exchange(self) -> Exchange | None:
        self._pong = AsyncResult()
        asked_ns = time.perf_counter_ns()
        self._runner.send_message(PING, asked_ns)
        try:
            exchange: Exchange = self._pong.get(timeout=_PONG_LIMIT_S)
        except gevent.Timeout:
            return None
        # A late answer to an earlier question is no answer to this one.
        return exchange if exchange.asked_ns == asked_ns else None

    def _say(self, line: str) -> None:
        if self._control is not None:
            self._control.sendall(f"{line}\n".encode())
