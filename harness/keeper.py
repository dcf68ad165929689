"""The process that owns a deployment's processes, so that nothing outlives the harness.

It runs by itself (standard library only, ``python -I -S keeper.py``), in its own session, and is
the subreaper of all it starts: a daemon that forks twice still comes back to it. It reads commands
as JSON lines on stdin and writes events as JSON lines on stdout:

                                                   ->  {"made": directory}
    {"start": name, "argv": [...], "env": {...}}   ->  {"started": name, "pid": pid}
                                                       {"exited": name, "status": status}
    {"end": grace_s}                               ->  {"ended": [pids it could not end]}
    {"stop": grace_s}                              ->  {"stopped": [pids it could not end]}

The end of stdin means that the harness died, however it died: everything is stopped then too.
"""

import contextlib
import ctypes
import json
import os
import selectors
import shutil
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LOG = "keeper.log"

GRACE_AFTER_DEATH_S = 2.0
"""For components to stop by themselves when the harness is gone."""

TAIL_S = 1.0
"""For what a component leaves behind to end by itself: a tracker that unlinks shared memory."""

KILL_LIMIT_S = 20.0
"""Then what is left cannot be killed (a process in uninterruptible sleep)."""

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_SHARED_MEMORY = "/dev/shm/"  # noqa: S108 - read from /proc/*/maps, never written to
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(slots=True)
class Keeper:
    """One deployment's processes.

    Attributes:
        directory: the deployment's scratch directory, removed at the end.
        logs: where each component's output goes, one file each.
        cores: the cores of the components.
        components: pid -> name of the components alive.
        born_ns: wall-clock time of the start, as the file system stamps files.
    """

    directory: str
    logs: str
    cores: list[int]
    born_ns: int = field(default_factory=time.time_ns)
    components: dict[int, str] = field(default_factory=dict)

    def start(self, name: str, argv: list[str], env: dict[str, str]) -> None:
        """Start one component in a session of its own."""
        pid = os.fork()
        if pid == 0:
            self._become(name, argv, env)
        self.components[pid] = name
        tell({"started": name, "pid": pid})

    def _become(self, name: str, argv: list[str], env: dict[str, str]) -> None:
        try:
            log = os.open(
                os.path.join(self.logs, name + ".log"),  # noqa: PTH118 - stay light after fork
                os.O_WRONLY | os.O_CREAT | os.O_APPEND,
                0o644,
            )
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.setsid()
            # Without the keeper nobody would end it.
            _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
            os.sched_setaffinity(0, self.cores)
            for ignored in (signal.SIGINT, signal.SIGPIPE):
                signal.signal(ignored, signal.SIG_DFL)
            os.chdir(self.directory)
            os.execvpe(argv[0], argv, env)  # noqa: S606 - an argument vector, no shell
        except OSError as error:
            os.write(2, f"cannot start {argv[0]!r}: {error}\n".encode())
        finally:
            os._exit(127)

    def reap(self) -> bool:
        """Collect every process that ended; False when no child is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            name = self.components.pop(pid, None)
            if name is not None:
                tell({"exited": name, "status": os.waitstatus_to_exitcode(status)})

    def stop(self, grace_s: float) -> None:
        """End every descendant, then remove what they left and the directory."""
        left = self.end(grace_s)
        shutil.rmtree(self.directory, ignore_errors=True)
        tell({"stopped": left})

    def end(self, grace_s: float) -> list[int]:
        """Ask the components to end, then end every descendant; returns those that cannot be."""
        shared = mapped_shared_memory(self.born_ns)
        # Last started first: a gateway stops asking before the services it asks are gone.
        for pid in reversed(self.components):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        self._wait(grace_s, until_components=True)
        self._wait(TAIL_S, until_components=False)
        left = self._kill()
        for name in shared:
            Path(name).unlink(missing_ok=True)
        return left

    def _wait(self, limit_s: float, *, until_components: bool) -> None:
        end_ns = time.monotonic_ns() + int(limit_s * 1e9)
        while self.reap() and time.monotonic_ns() < end_ns:
            if until_components and not self.components:
                return
            time.sleep(0.02)

    def _kill(self) -> list[int]:
        end_ns = time.monotonic_ns() + int(KILL_LIMIT_S * 1e9)
        while self.reap():
            alive = descendants(os.getpid())
            if time.monotonic_ns() > end_ns:
                return alive
            for pid in alive:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        return []


def descendants(root: int) -> list[int]:
    """Every living process below ``root``, parents before children."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208 - a thousand paths need no objects
        if entry.isdigit():
            with contextlib.suppress(OSError):
                fields = Path("/proc", entry, "stat").read_bytes().rpartition(b")")[2].split()
                if fields[0] not in (b"Z", b"X"):
                    children.setdefault(int(fields[1]), []).append(int(entry))
    found: list[int] = []
    waiting = [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def mapped_shared_memory(born_ns: int) -> set[str]:
    """Shared-memory files younger than ``born_ns`` that our descendants have mapped.

    A killed owner cannot unlink its segments. An older segment belongs to somebody else.
    """
    found: set[str] = set()
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):
            for line in Path("/proc", str(pid), "maps").read_text().splitlines():
                name = line.partition(_SHARED_MEMORY)[2]
                if name and not name.endswith("(deleted)"):
                    found.add(_SHARED_MEMORY + name)
    return {name for name in found if _created_after(name, born_ns)}


def _created_after(name: str, moment_ns: int) -> bool:
    try:
        return os.stat(name).st_ctime_ns >= moment_ns  # noqa: PTH116
    except OSError:
        return False


def tell(event: dict[str, Any]) -> None:
    """Write one event. A harness that is gone hears nothing, which is no error here."""
    with contextlib.suppress(BrokenPipeError):
        os.write(1, json.dumps(event).encode() + b"\n")


def wake_on_signals() -> int:
    """Make a child's end, and a request to end, readable: the descriptor gives signal numbers."""
    readable, writable = os.pipe()
    for end in (readable, writable):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    for caught in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(caught, lambda _number, _frame: None)
    return readable


def serve(keeper: Keeper) -> float:
    """Obey commands until the end is asked for, by command, by signal or by the harness's death.

    Returns:
        The grace in seconds to stop with.
    """
    signals = wake_on_signals()
    waiting = selectors.PollSelector()
    waiting.register(0, selectors.EVENT_READ)
    waiting.register(signals, selectors.EVENT_READ)
    pending = b""
    while True:
        ready = {key.fd for key, _ in waiting.select()}
        if signals in ready and set(os.read(signals, 4096)) - {int(signal.SIGCHLD)}:
            return GRACE_AFTER_DEATH_S
        keeper.reap()
        if 0 in ready:
            received = os.read(0, 65536)
            *lines, pending = (pending + received).split(b"\n")
            for command in map(json.loads, lines):
                if "stop" in command:
                    return float(command["stop"])
                if "end" in command:
                    tell({"ended": keeper.end(float(command["end"]))})
                else:
                    keeper.start(command["start"], command["argv"], command["env"])
            if not received:
                return GRACE_AFTER_DEATH_S


def main() -> None:
    """Keep one deployment: ``keeper.py DIRECTORY LOGS CORES OWN_CORES`` (cores: ``0,1``)."""
    # The terminal's Ctrl-C is the harness's to act on; its pipe then tells us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    directory, logs, cores, own_cores = sys.argv[1:]
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.sched_setaffinity(0, map(int, own_cores.split(",")))
    # Made by whoever removes it: a harness killed at any moment leaves no directory behind.
    Path(directory).mkdir(mode=0o700)
    Path(logs).mkdir(exist_ok=True)
    log = os.open(Path(logs, LOG), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 2)
    tell({"made": directory})
    keeper = Keeper(directory, logs, [int(core) for core in cores.split(",")])
    keeper.stop(serve(keeper))


if __name__ == "__main__":
    main()
