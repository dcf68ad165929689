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

DEFAULT_PORT = 5557

_LOCUST_GREETS = b"\xff"
"""ZeroMQ's first byte, by which Locust's master is known (ZMTP 3.1, section 3.1)."""

_LOOK_S = 0.3
_CONNECT_LIMIT_S = 2.0
_LEAVE_LIMIT_S = 10.0

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
        WorkerError: no run came, it refused this worker, or the generator could not start.
    """
    played = 0
    with TemporaryDirectory(prefix="servebench-worker-") as folder:
        say(f"waiting for a run at {master}, {wait_s:g} s at most; Ctrl-C ends this worker")
        for greeting in _greetings(master, wait_s):
            if greeting == OVER:
                say(f"the run is over; {_trials(played)} played")
                return played
            played += _one_trial(master, Path(folder), only, say)
    if not played:
        raise WorkerError(
            f"no run listened at {master} within {wait_s:g} s; start one whose scenario has "
            "[generator] remote_workers, bind and port, and look at the firewall between"
        )
    say(f"no further trial came within {wait_s:g} s; {_trials(played)} played")
    return played


def _trials(played: int) -> str:
    return f"{played} trial{'' if played == 1 else 's'}"


def _greetings(master: Master, wait_s: float) -> Iterator[bytes]:
    """What is heard at the master's address, whenever something is; ends after too long silence."""
    since_ns = time.perf_counter_ns()
    while time.perf_counter_ns() - since_ns < wait_s * 1e9:
        greeting = _greeting(master)
        if _is_locust(greeting) or greeting == OVER:
            yield greeting
            since_ns = time.perf_counter_ns()
        time.sleep(_LOOK_S)


def _is_locust(greeting: bytes) -> bool:
    return greeting.startswith(_LOCUST_GREETS)


def _greeting(master: Master) -> bytes:
    try:
        address = (master.host, master.port)
        with socket.create_connection(address, timeout=_CONNECT_LIMIT_S) as connection:
            greeting = connection.recv(len(OVER))
            if greeting == OVER:
                connection.sendall(HEARD)
            return greeting
    except OSError:
        return b""


def _one_trial(master: Master, folder: Path, only: str | None, say: Say) -> bool:
    """Whether a part of a trial was played to its end.

    Raises:
        WorkerError: the run refuses this worker.
    """
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
        for word, rest in _words(process, lambda: _is_locust(_greeting(master))):
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
                say("played; waiting for the next trial")
                return True
        if joined:
            say(f"the trial was ended before its end; waiting for the next\n{process.last_lines()}")
        return False
    finally:
        process.end(_LEAVE_LIMIT_S)


def _words(process: LocustProcess, master_listens: Callable[[], bool]) -> Iterator[tuple[str, str]]:
    """Each line of the process, as its first word and the rest, until the process ends.

    Until it has joined, it may have come to a master that was about to end, and would wait for an
    answer from nobody; then there is no line.
    """
    pending, joined = b"", False
    while process.running() or select([process.control], [], [], 0)[0]:
        if not select([process.control], [], [], _LOOK_S)[0]:
            if not joined and not master_listens():
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
