"""Forked workers under a parent that replaces the dead and ends them all together.

uvicorn's own ``workers`` spawns: each would import torch and load the weights again, three times
the memory. A fork after loading shares both.
"""

import ctypes
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from time import monotonic_ns
from typing import NoReturn, TypeAlias

from architectures.front.metrics import forget_process
from architectures.front.serve import listening_socket

Serve: TypeAlias = Callable[[socket.socket, int], None]
"""Serves on a socket with a queue bound until told to stop."""

_LOG = logging.getLogger("servebench.monolith")
_SETTLED_NS = 5_000_000_000
_SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)
_PR_SET_PDEATHSIG = 1


@dataclass(slots=True, eq=False)
class _Place:
    """A worker's part of the port and of the queue, which outlives the worker."""

    bound: socket.socket
    queue_bound: int
    pid: int = 0
    started_ns: int = 0


def supervise(serve: Serve, port: int, queue_bounds: Sequence[int]) -> int:
    """Fork a worker for each queue bound and keep them running until SIGTERM or SIGINT.

    Every worker has a socket of its own on the port, bound here. The kernel then spreads
    connections evenly (workers that share one socket race for them, and the last to sleep wins
    most), and the successor of a dead worker finds the connections that were waiting for it.

    Returns:
        The exit code: 1 where a worker died too soon after its start to be worth another.

    Raises:
        OSError: the port is taken.
    """
    listening_socket(port).close()  # fails where a stranger holds the port; shared ones would not
    places = [_Place(listening_socket(port, shared=True), bound) for bound in queue_bounds]
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # taken one by one, below
    for place in places:
        _start(serve, place, places)
    while signal.sigwait(_SIGNALS) == signal.SIGCHLD:
        dead = _reap(places)
        for place in dead:
            if monotonic_ns() - place.started_ns < _SETTLED_NS:
                _LOG.error("worker %d died as soon as it started; stopping", place.pid)
                _end(other for other in places if other not in dead)
                return 1
            _LOG.warning("worker %d died; starting another", place.pid)
            forget_process(place.pid)
            _start(serve, place, places)
    _end(places)
    return 0


def _start(serve: Serve, place: _Place, places: Iterable[_Place]) -> None:
    parent = os.getpid()
    place.started_ns = monotonic_ns()
    place.pid = os.fork()
    if place.pid == 0:
        _work(serve, place, places, parent)


def _work(serve: Serve, place: _Place, places: Iterable[_Place], parent: int) -> NoReturn:
    """The child's whole life; it must never return into the parent's code."""
    status = 1
    try:
        _die_with(parent)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        for other in places:
            if other is not place:
                other.bound.close()
        serve(place.bound, place.queue_bound)
        status = 0
    except Exception:  # noqa: BLE001 - logged; the parent decides what follows
        _LOG.exception("worker %d failed", os.getpid())
    finally:
        sys.stderr.flush()
        os._exit(status)


def _die_with(parent: int) -> None:
    """Have the kernel end this process when its parent is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel was asked
        os._exit(1)


def _reap(places: Iterable[_Place]) -> list[_Place]:
    """The places whose workers have ended; several deaths may come as one signal."""
    return [place for place in places if os.waitpid(place.pid, os.WNOHANG)[0]]


def _end(places: Iterable[_Place]) -> None:
    living = list(places)
    for place in living:
        os.kill(place.pid, signal.SIGTERM)
    for place in living:
        os.waitpid(place.pid, 0)
