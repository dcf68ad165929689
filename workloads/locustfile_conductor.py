"""Starting every worker together, and knowing when all have finished.

Workers say when they are ready; once all are, and the harness says go, one start reading is sent
to all. On this machine a reading of the monotonic clock means the same in each process; a worker on
another one takes it to its own clock (``workloads.locustfile_seat``).

Over ``--control-fd``, a socket from the harness, the words are: out ``ready``, ``start <ns>``,
``done``, ``failed <why>``, and the roll's ``here <local> <of> <remote> <of>`` and ``turned_away
<host>: <why>``; in ``go``. The socket closing means the harness is gone: then so are we.
"""

import ctypes
import logging
import os
import signal
import sys
import time
from typing import Any

import gevent
from gevent import socket
from gevent.event import Event

from workloads.locustfile_timer import NS

READY = "servebench_ready"
START = "servebench_start"
DONE = "servebench_done"

_LEAD_NS = NS // 4
"""From the word go to the common start: longer than a message takes to reach every worker."""

_PR_SET_PDEATHSIG = 1
_log = logging.getLogger(__name__)


class Conductor:
    """Runs in Locust's master, or in the only process when there is one.

    Args:
        environment: Locust's.
        workers: how many play.
        control_fd: a socket to the harness; None starts as soon as the workers are ready.

    Attributes:
        finished: set when all have finished, or one has failed.
    """

    def __init__(self, environment: Any, workers: int, control_fd: int | None) -> None:
        self._environment = environment
        self.workers = workers
        self._control = None if control_fd is None else socket.socket(fileno=control_fd)
        self._go = Event()
        self._ready = 0
        self._done = 0
        self.finished = Event()
        environment.runner.register_message(READY, self._on_ready)
        environment.runner.register_message(DONE, self._on_done)
        environment.events.test_start.add_listener(self._on_test_start)
        if self._control is None:
            self._go.set()
        else:
            gevent.spawn(self._listen, self._control)

    def fail(self, why: str) -> None:
        """End the run: the generator itself has failed, whatever the server did."""
        _log.error(why)
        self._environment.process_exit_code = 1
        self.say(f"failed {' '.join(why.split())}")
        self.finished.set()

    def _on_test_start(self, **_: Any) -> None:
        self._ready = self._done = 0
        self.finished.clear()

    def _on_ready(self, **_: Any) -> None:
        self._ready += 1
        if self._ready == self.workers:
            self.say("ready")
            gevent.spawn(self._start)

    def _start(self) -> None:
        self._go.wait()
        start_ns = time.perf_counter_ns() + _LEAD_NS
        self._environment.runner.send_message(START, start_ns)
        self.say(f"start {start_ns}")

    def _on_done(self, msg: Any, **_: Any) -> None:
        self._done += 1
        if msg.data:
            self.fail(msg.data)
        elif self._done == self.workers:
            self.say("done")
            self.finished.set()

    def say(self, line: str) -> None:
        """Tell the harness a line."""
        if self._control is not None:
            self._control.sendall(f"{line}\n".encode())

    def _listen(self, control: socket.socket) -> None:
        while heard := control.recv(64):
            if b"go" in heard:
                self._go.set()
        # Not by Locust's own way out, which may be waiting for workers that will never come.
        os.kill(os.getpid(), signal.SIGKILL)


def end_with(parent: int) -> None:
    """Have the kernel kill this process when ``parent`` dies (Linux), however it dies."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:  # it died before we asked
        os.kill(os.getpid(), signal.SIGKILL)
