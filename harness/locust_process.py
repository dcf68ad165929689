"""Locust as a subprocess: on given cores, in a clean environment, never outliving the harness."""

import contextlib
import os
import signal
import site
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import workloads
from architectures.server_config import HOST
from harness.ports import PORTS
from harness.remote_workers import RemoteWorkers

LOG_NAME = "locust.log"

_LOG_LINES = 15
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "LANG", "TMPDIR", "SSL_CERT_FILE")


class LocustProcess:
    """A running Locust and the socket to its conductor (``workloads.locustfile_conductor``).

    Linux ends it with the thread that started it, so that thread must outlive it.

    Args:
        flags: of Locust's own.
        options: of Locust's and the locustfile's, by name.
        directory: where it runs and logs.
        cores: the only cores it may use.
        workers: processes that send; more than one, ``apart`` or ``remote`` ones are led by one
            that does not. 0 where it is itself led from elsewhere.
        apart: keep the leading process, and with it a web UI, apart from a single worker.
        remote: load workers on other machines, which it also leads.

    Attributes:
        pid: the first process; every worker descends from it.
        control: our end of the socket; closing it ends Locust.
    """

    def __init__(
        self,
        flags: Sequence[str],
        options: Mapping[str, object],
        *,
        directory: Path,
        cores: Sequence[int],
        workers: int,
        apart: bool = False,
        remote: RemoteWorkers | None = None,
    ) -> None:
        self.control, theirs = socket.socketpair()
        locustfile = Path(workloads.__file__).with_name("locustfile.py")
        led = _led(workers, remote) if workers > 1 or apart or remote else {}
        given = {**options, **led, "control-fd": theirs.fileno()}
        self._log = directory / LOG_NAME
        with theirs, self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *_with_parent(cores),
                    *(sys.executable, "-m", "locust", "-f", str(locustfile), *flags),
                    *(f"--{name}={value}" for name, value in given.items()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=directory,
                env=_environment(directory),
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self.pid = self._process.pid

    def running(self) -> bool:
        """Whether the first process has not ended."""
        return self._process.poll() is None

    def let_end(self, limit_s: float) -> None:
        """Wait for it to end by itself, at most ``limit_s``."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=limit_s)

    def end(self, farewell_s: float = 0.0) -> None:
        """End every process of it, whatever it is doing.

        Args:
            farewell_s: time to tell a master elsewhere that it goes; without, it is missed there
                only after some silence.
        """
        if farewell_s and self.running():
            self._process.terminate()
            self.let_end(farewell_s)
        self.control.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def last_lines(self) -> str:
        """The end of its log, for an error."""
        lines = self._log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
        shown = "\n".join(f"  {line}" for line in lines) or "  (it is empty)"
        return f"The end of {self._log}:\n{shown}"


def _with_parent(cores: Sequence[int]) -> list[str]:
    script = str(Path(__file__).with_name("with_parent.py"))
    return [sys.executable, "-I", "-S", script, str(os.getpid()), ",".join(map(str, cores))]


def _led(workers: int, remote: RemoteWorkers | None) -> dict[str, object]:
    port = remote.port if remote else PORTS.free()
    return {
        "processes": workers,
        "master-bind-host": remote.bind if remote else HOST,
        "master-bind-port": port,
        "master-host": remote.near if remote else HOST,
        "master-port": port,
        "remote-workers": remote.count if remote else 0,
    }


def _environment(directory: Path) -> dict[str, str]:
    """No ``LOCUST_*`` variable, and no ``~/.locust.conf``, may change the load."""
    return {
        **{name: os.environ[name] for name in _INHERITED if name in os.environ},
        "HOME": str(directory),
        "PYTHONUSERBASE": site.getuserbase(),
        "PYTHONPATH": str(Path(workloads.__file__).parents[1]),
        "OMP_NUM_THREADS": "1",
    }
