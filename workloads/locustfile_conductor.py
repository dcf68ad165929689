"""Starting every worker together, and knowing when all have finished.

Workers say when they are ready; once all are, and the harness says go, one start reading is sent
to all. On this machine a reading of the monotonic clock means the same in each process; a worker on
another one takes it to its own clock (``workloads.locustfile_seat``).

Over ``--control-fd``, a socket from the harness, the words are: out ``ready``, ``start <ns>``,
``counts <ended> <missed>``, ``ending <why>``, ``done``, ``failed <why>``, and the roll's ``here
<local> <of> <remote> <of>`` and ``turned_away <host>: <why>``; in ``go``, ``stop``, ``quit``. The
socket closing means the harness is gone: then so are we.

With a web UI the same words are said of each attempt, and two more: ``attempt <n> <folder>`` before
``ready``, where what is played is kept, and a few times a second ``health <lag_p99_ms> <in_flight>
<dropped>``: the worst worker's schedule lag of the last seconds (``nan`` where none sent), and all
workers' requests in flight and dropped so far. Nobody waits for ``go``: a person has said it.
"""

import ctypes
import logging
import math
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
COUNTS = "servebench_counts"
HEALTH = "servebench_health"
RAN_OUT = "servebench_ran_out"
STOP = "servebench_stop"
DONE = "servebench_done"

_LEAD_NS = NS // 4
"""From a word to what it begins or ends: longer than a message takes to reach every worker."""

_PR_SET_PDEATHSIG = 1
_log = logging.getLogger(__name__)


class Conductor:
    """Runs in Locust's master, or in the only process when there is one.

    Args:
        environment: Locust's.
        workers: how many play.
        control_fd: a socket to the harness; None starts as soon as the workers are ready.
        waits_for_go: whether it takes the harness's word to start; without, as with None.

    Attributes:
        finished: set when all have finished, or one has failed, until another attempt begins.
    """

    def __init__(
        self, environment: Any, workers: int, control_fd: int | None, *, waits_for_go: bool
    ) -> None:
        self._environment = environment
        self.workers = workers
        self._control = None if control_fd is None else socket.socket(fileno=control_fd)
        self._go = Event()
        self._ready = 0
        self._done = 0
        self._start_ns = 0
        self._counts: dict[int, tuple[int, int]] = {}
        self._health: dict[int, tuple[float, int, int]] = {}
        self._ends_at_once = False
        self.finished = Event()
        environment.runner.register_message(READY, self._on_ready)
        environment.runner.register_message(COUNTS, self._on_counts)
        environment.runner.register_message(HEALTH, self._on_health)
        environment.runner.register_message(RAN_OUT, self._on_ran_out)
        environment.runner.register_message(DONE, self._on_done)
        environment.events.test_start.add_listener(self._on_test_start)
        if self._control is None or not waits_for_go:
            self._go.set()
        if self._control is not None:
            gevent.spawn(self._listen, self._control)

    def begin(self) -> None:
        """Another attempt has been asked for."""
        self._ready = self._done = self._start_ns = 0
        self._ends_at_once = False
        self.finished.clear()

    def stop(self, why: str = "") -> None:
        """End every worker's time soon; asked before the common start, soon after it.

        Args:
            why: told to the harness where it is not the harness that asks.
        """
        if self.finished.is_set():
            return
        if why:
            self.say(f"ending {why}")
        if self._start_ns:
            self._end_soon()
        self._ends_at_once = True

    def fail(self, why: str) -> None:
        """End the run: the generator itself has failed, whatever the server did."""
        _log.error(why)
        self._environment.process_exit_code = 1
        self._environment.runner.log_exception("load generator", why, why)
        self.say(f"failed {' '.join(why.split())}")
        self.finished.set()

    def _on_test_start(self, **_: Any) -> None:
        self._ready = self._done = self._start_ns = 0
        self._counts.clear()
        self._health.clear()
        self.finished.clear()

    def _on_ready(self, **_: Any) -> None:
        self._ready += 1
        if self._ready == self.workers:
            self.say("ready")
            gevent.spawn(self._start)

    def _start(self) -> None:
        self._go.wait()
        self._start_ns = time.perf_counter_ns() + _LEAD_NS
        self._environment.runner.send_message(START, self._start_ns)
        self.say(f"start {self._start_ns}")
        if self._ends_at_once:
            self._end_soon()

    def _on_counts(self, msg: Any, **_: Any) -> None:
        worker, ended, missed = msg.data
        self._counts[worker] = (ended, missed)
        ended, missed = (sum(counted) for counted in zip(*self._counts.values(), strict=True))
        self.say(f"counts {ended} {missed}")

    def _on_health(self, msg: Any, **_: Any) -> None:
        worker, *health = msg.data
        self._health[worker] = tuple(health)
        lags_ms, in_flight, dropped = zip(*self._health.values(), strict=True)
        # Compared as they are, a worker that sent nothing could hide the others.
        worst_ms = max((lag for lag in lags_ms if not math.isnan(lag)), default=math.nan)
        self.say(f"health {worst_ms:.3f} {sum(in_flight)} {sum(dropped)}")

    def _on_ran_out(self, msg: Any, **_: Any) -> None:
        after_ns, why = msg.data
        self.say(f"ending {why}")
        self._environment.runner.send_message(STOP, after_ns)

    def _end_soon(self) -> None:
        """End every worker's time at one reading, told as a distance from the common start."""
        after_ns = max(time.perf_counter_ns() - self._start_ns, 0) + _LEAD_NS
        self._environment.runner.send_message(STOP, after_ns)

    def _quit(self) -> None:
        """Let workers elsewhere go; those here end with us."""
        gevent.spawn(self._environment.runner.quit)

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
        heard = b""
        words = {b"go": self._go.set, b"stop": self.stop, b"quit": self._quit}
        while received := control.recv(64):
            *lines, heard = (heard + received).split(b"\n")
            for line in lines:
                words[line]()
        # Not by Locust's own way out, which may be waiting for workers that will never come.
        os.kill(os.getpid(), signal.SIGKILL)


def end_with(parent: int) -> None:
    """Have the kernel kill this process when ``parent`` dies (Linux), however it dies."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:  # it died before we asked
        os.kill(os.getpid(), signal.SIGKILL)
