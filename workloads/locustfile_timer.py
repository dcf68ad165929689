"""Being called at an intended start: a timerfd where the kernel has one, else the loop's timer.

The event loop rounds its own timers to milliseconds (0.6-0.8 ms late at the median); a file
descriptor event is not rounded (0.1-0.2 ms). Spinning would be nearer still, and would starve the
reading of answers, so it is never done.
"""

import ctypes
import os
import struct
import sys
import time
from collections.abc import Callable
from typing import Protocol

from gevent.hub import get_hub

NS = 1_000_000_000
_READ = 1
_CLOCK_MONOTONIC = 1
_NONBLOCK_CLOEXEC = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)
_ABSOLUTE = 1


class Alarm(Protocol):
    """Calls back, from the event loop itself, at a clock reading or soon after; never before."""

    def set(self, deadline_ns: int) -> None:
        """Ring once at ``deadline_ns`` of ``time.perf_counter_ns``, instead of when set before.

        A deadline that is past rings in the loop's next round, after what is readable was read.
        """
        ...

    def close(self) -> None:
        """Never ring again; give the timer back to the kernel."""
        ...


def new_alarm(ring: Callable[[], None]) -> Alarm:
    """The most exact alarm this machine has.

    ``perf_counter_ns`` is CLOCK_MONOTONIC on Linux, so its readings can be given to the kernel as
    they are; anywhere that does not hold, the event loop's own timer is used.

    Args:
        ring: called by the event loop: it must not wait for anything.
    """
    clock = time.get_clock_info("perf_counter").implementation
    if sys.platform == "linux" and clock == "clock_gettime(CLOCK_MONOTONIC)":
        return TimerFdAlarm(ring)
    return LoopAlarm(ring)


class LoopAlarm:
    """The event loop's timer, about a millisecond late: for systems without a timerfd."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._call = ring
        self._deadline_ns = 0
        self._watcher = get_hub().loop.timer(0.0)

    def set(self, deadline_ns: int) -> None:
        """Start the loop's timer over what remains."""
        self._deadline_ns = deadline_ns
        remaining_ns = max(deadline_ns - time.perf_counter_ns(), 0)
        self._watcher.stop()
        self._watcher.close()
        self._watcher = get_hub().loop.timer(remaining_ns / NS)
        self._watcher.start(self._ring)

    def _ring(self) -> None:
        """Call, or wait on if woken early: the loop's own clock may run ahead."""
        if time.perf_counter_ns() < self._deadline_ns:
            self.set(self._deadline_ns)
        else:
            self._call()

    def close(self) -> None:
        """Stop the loop's timer."""
        self._watcher.stop()
        self._watcher.close()


class TimerFdAlarm:
    """A Linux timerfd, watched as any file descriptor of the event loop."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._call = ring
        # PyDLL keeps the interpreter lock: giving it away and back costs more than the call.
        self._libc = ctypes.PyDLL(None, use_errno=True)
        self._fd: int = self._libc.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCK_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        self._specification = ctypes.create_string_buffer(32)
        self._is_set = False
        self._watcher = get_hub().loop.io(self._fd, _READ)
        self._watcher.start(self._ring)

    def set(self, deadline_ns: int) -> None:
        """Set the timer to an absolute reading; what rang before is forgotten by the kernel."""
        self._is_set = True
        seconds, nanoseconds = divmod(deadline_ns, NS)
        struct.pack_into("qqqq", self._specification, 0, 0, 0, seconds, nanoseconds)
        self._libc.timerfd_settime(self._fd, _ABSOLUTE, self._specification, None)

    def _ring(self) -> None:
        self._is_set = False
        try:
            self._call()
        finally:
            if not self._is_set and self._fd >= 0:  # setting it again would have reset it
                os.read(self._fd, 8)

    def close(self) -> None:
        """Stop watching and close the descriptor."""
        self._watcher.stop()
        self._watcher.close()
        os.close(self._fd)
        self._fd = -1
