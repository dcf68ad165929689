"""A load worker for a run elsewhere: it waits for a trial, plays its part, and waits again.

Each trial has a Locust master of its own, and so a Locust worker of its own here; what was lent for
one trial lies ready for the next. Nothing but this repository is needed.
"""

import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from select import select
from tempfile import TemporaryDirectory
from typing import Self, TypeAlias

from harness.locust_process import LocustProcess
from harness.remote_workers import HEARD, OVER
from harness.scenario import DEFAULT_PORT

_LOCUST_GREETS = b"\xff"
"""ZeroMQ's first byte, by which Locust's master is known (ZMTP 3.1, section 3.1)."""

_LOOK_S = 0.3
_CONNECT_LIMIT_S = 2.0
_LEAVE_LIMIT_S = 10.0
_MASTER_ENDS_NS = 5_000_000_000

Say: TypeAlias = Callable[[str], None]


class WorkerError(Exception):
    """This worker cannot take part; the message ends in what to do."""


@dataclass(frozen=True, slots=True)
class Master:
    """Where the run listens."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """From ``HOST`` or ``HOST:PORT``.

        Raises:
            WorkerError: it is neither.
        """
        host, colon, port = text.partition(":")
        number = int(port) if port.isdecimal() else DEFAULT_PORT
        if not host or (colon and not port.isdecimal()) or not 1 <= number <= 65_535:  # noqa: PLR2004
            raise WorkerError(
                f"--master {text!r} is no address; give HOST or HOST:PORT, the scenario's "
                "generator.bind and generator.port as this machine reaches them"
            )
        return cls(host, number)

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.host}:{self.port}"


class Lookout:
    """Looks whether a trial's master listens.

    Attributes:
        master: where it looks.
        over: whether it has heard there that the run is over.
    """

    def __init__(self, master: Master) -> None:
        self.master = master
        self.over = False

    def finds_a_trial(self, wait_s: float) -> bool:
        """Look until a master listens, the run is over, or ``wait_s`` have passed."""
        until_ns = time.perf_counter_ns() + int(wait_s * 1e9)
        while not self.sees_a_master():
            if self.over or time.perf_counter_ns() > until_ns:
                return False
            time.sleep(_LOOK_S)
        return True

    def lets_master_go(self) -> None:
        """Look until the last trial's master is gone, lest it be taken for the next one's."""
        until_ns = time.perf_counter_ns() + _MASTER_ENDS_NS
        while self.sees_a_master() and time.perf_counter_ns() < until_ns:
            time.sleep(_LOOK_S)

    def sees_a_master(self) -> bool:
        """Look once."""
        try:
            address = (self.master.host, self.master.port)
            with socket.create_connection(address, timeout=_CONNECT_LIMIT_S) as connection:
                greeting = connection.recv(len(OVER))
                if greeting == OVER:
                    self.over = True
                    connection.sendall(HEARD)
                return greeting.startswith(_LOCUST_GREETS)
        except OSError:
            return False


def work(master: Master, wait_s: float, only: str | None, say: Say) -> int:
    """Play a part of each trial of a run, until the run ends.

    Args:
        master: where the run listens.
        wait_s: how long to wait for the first trial, and for each next one.
        only: the one URL to send load to; None takes the run's.
        say: told a line at each step.

    Returns:
        Trials played.

    Raises:
        WorkerError: no run came, or it refused this worker.
    """
    played, lookout = 0, Lookout(master)
    with TemporaryDirectory(prefix="servebench-worker-") as folder:
        say(f"waiting for a run at {master}, {wait_s:g} s at most; Ctrl-C ends this worker")
        while lookout.finds_a_trial(wait_s):
            played += _one_trial(lookout, Path(folder), only, say)
            time.sleep(_LOOK_S)
    if not lookout.over and not played:
        raise WorkerError(
            f"no trial of a run was played at {master} within {wait_s:g} s; start a run whose "
            "scenario has [generator] remote_workers, bind and port, and look at the firewall"
        )
    why = "the run is over" if lookout.over else f"no further trial came within {wait_s:g} s"
    say(f"{why}; {played} trial{'' if played == 1 else 's'} played")
    return played


def _one_trial(lookout: Lookout, folder: Path, only: str | None, say: Say) -> bool:
    """Whether a part of a trial was played to its end.

    Raises:
        WorkerError: the run refuses this worker.
    """
    master = lookout.master
    theirs = {"master-host": master.host, "master-port": master.port, "lent": folder}
    process = LocustProcess(
        ("--worker",),
        {**theirs, **({"only": only} if only else {})},
        directory=folder,
        cores=sorted(os.sched_getaffinity(0)),
        workers=0,
    )
    joined = False
    try:
        for word, rest in _words(process, lookout):
            if word == "refused":
                raise WorkerError(f"the run at {master} turned this worker away: {rest}")
            if word in ("full", "lost"):
                return False
            if word == "joined":
                joined = True
                number, workers, url = rest.split(maxsplit=2)
                say(f"joined as load worker {number} of {workers}; load goes to {url}")
            if word == "played":
                process.let_end(_LEAVE_LIMIT_S)
                lookout.lets_master_go()
                say("played; waiting for the next trial")
                return True
        if joined:
            say(f"the trial was ended before its end; waiting for the next\n{process.last_lines()}")
        return False
    finally:
        process.end(_LEAVE_LIMIT_S)


def _words(process: LocustProcess, lookout: Lookout) -> Iterator[tuple[str, str]]:
    """Each line of the process, as its first word and the rest, until the process ends.

    Until it has joined, it may have come to a master that was about to end, and would wait for an
    answer from nobody; then there is no line.
    """
    pending, joined = b"", False
    while process.running() or select([process.control], [], [], 0)[0]:
        if not select([process.control], [], [], _LOOK_S)[0]:
            if not joined and not lookout.sees_a_master():
                return
            continue
        received = process.control.recv(4096)
        if not received:
            return
        joined = True
        *lines, pending = (pending + received).split(b"\n")
        for line in lines:
            word, _, rest = line.decode(errors="replace").partition(" ")
            yield word, rest
