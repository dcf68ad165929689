"""Waking at an intended start: a timerfd where the kernel has one, ``gevent.sleep`` elsewhere.

The event loop rounds its own timers to milliseconds (0.6-0.8 ms late at the median); a file
descriptor event is not rounded (0.1-0.2 ms). Spinning would be nearer still, and would starve the
greenlets that read answers, so it is never done.
"""

import ctypes
import os
import struct
import sys
import time
from typing import Protocol

import gevent
from gevent.hub import get_hub

NS = 1_000_000_000
_READ = 1
_CLOCK_MONOTONIC = 1
_NONBLOCK_CLOEXEC = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)
_ABSOLUTE = 1


class Timer(Protocol):
    """Puts the calling greenlet to sleep until a clock reading."""

    def until(self, deadline_ns: int) -> None:
        """Return at ``deadline_ns`` of ``time.perf_counter_ns``, or soon after."""
        ...

    def close(self) -> None:
        """Give the timer back to the kernel."""
        ...


def new_timer() -> Timer:
    """The most exact timer this machine has.

    ``perf_counter_ns`` is CLOCK_MONOTONIC on Linux, so its readings can be given to the kernel as
    they are; anywhere that does not hold, the event loop's own timer is used.
    """
    clock = time.get_clock_info("perf_counter").implementation
    if sys.platform == "linux" and clock == "clock_gettime(CLOCK_MONOTONIC)":
        return TimerFd()
    return LoopTimer()


class LoopTimer:
    """The event loop's timer, about a millisecond late: for systems without a timerfd."""

    def until(self, deadline_ns: int) -> None:
        """Sleep what remains, again if woken early: the loop's own clock may lag behind."""
        while (remaining_ns := deadline_ns - time.perf_counter_ns()) > 0:
            gevent.sleep(remaining_ns / NS)

    def close(self) -> None:
        """Nothing is held."""


class TimerFd:
    """A Linux timerfd, waited for as any file descriptor of the event loop."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd: int = self._libc.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCK_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        self._hub = get_hub()
        self._watcher = self._hub.loop.io(self._fd, _READ)
        self._specification = ctypes.create_string_buffer(32)

    def until(self, deadline_ns: int) -> None:
        """Set the timer to an absolute reading and wait for its event."""
        seconds, nanoseconds = divmod(deadline_ns, NS)
        struct.pack_into("qqqq", self._specification, 0, 0, 0, seconds, nanoseconds)
        self._libc.timerfd_settime(self._fd, _ABSOLUTE, self._specification, None)
        self._hub.wait(self._watcher)
        os.read(self._fd, 8)

    def close(self) -> None:
        """Stop watching and close the descriptor."""
        self._watcher.close()
        os.close(self._fd)
