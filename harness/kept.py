"""The harness's end of a keeper: the processes of one deployment, started, heard of and ended."""

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from select import select
from threading import Lock
from time import perf_counter_ns
from typing import Any

import architectures
from architectures.spec import ResourceClaim

_LOG = "keeper.log"
_LOG_LINES = 15
_KEEPER_LIMIT_S = 35.0
"""For a keeper to end what it keeps: the longest grace, its own limits and a margin."""

_TICK_S = 0.05

_INHERITED = ("PATH", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")


class DeployError(Exception):
    """A deployment that did not come up, or that is not what was meant to come up."""


@dataclass(frozen=True, slots=True)
class Exit:
    """A component that ended: ``status`` is its exit code, or minus the signal that ended it."""

    component: str
    status: int

    def __str__(self) -> str:
        """What happened, in words."""
        if self.status >= 0:
            return f"component {self.component!r} ended with exit code {self.status}"
        return f"component {self.component!r} was ended by {signal.Signals(-self.status).name}"


class Keeper:
    """The harness's end of a keeper process.

    Args:
        directory: the deployment's scratch directory, not yet there; the keeper makes and
            removes it.
        logs: where components log; made if it is the scratch directory's.
        claim: the cores of the components; the keeper stays off them.

    Raises:
        DeployError: the keeper could not begin.
    """

    def __init__(self, directory: Path, logs: Path, claim: ResourceClaim) -> None:
        own = os.sched_getaffinity(0) - set(claim.cores) or os.sched_getaffinity(0)
        cores = (",".join(map(str, part)) for part in (claim.cores, sorted(own)))
        script = Path(__file__).with_name("keeper.py")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(script), str(directory), str(logs), *cores],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
        )
        self._logs = logs
        self._pending = b""
        self._made = False
        self._ending = False
        self._listening = Lock()
        self.pids: dict[str, int] = {}
        self.exits: list[Exit] = []
        self._await_directory()

    @property
    def pid(self) -> int:
        """The keeper itself: every process of the deployment descends from it."""
        return self._process.pid

    def _await_directory(self) -> None:
        end_ns = perf_counter_ns() + int(_KEEPER_LIMIT_S * 1e9)
        while not self._made:
            self.listen(1.0)
            if perf_counter_ns() > end_ns:
                raise DeployError(f"the keeper (pid {self.pid}) does not begin; run again")

    def start(self, name: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Have a component started."""
        self._send({"start": name, "argv": list(argv), "env": dict(env)})

    def _send(self, command: dict[str, Any]) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was opened as a pipe
        self._process.stdin.write(json.dumps(command).encode() + b"\n")

    def listen(self, wait_s: float = 0.0) -> None:
        """Take in what the keeper said, waiting at most ``wait_s`` for it to begin.

        Any thread may: a trial looks for exits while an event replaces the components.

        Raises:
            DeployError: the keeper itself has ended.
        """
        assert self._process.stdout is not None  # noqa: S101 - it was opened as a pipe
        with self._listening:
            while select([self._process.stdout], [], [], wait_s)[0]:
                received = os.read(self._process.stdout.fileno(), 65536)
                if not received:
                    raise DeployError(f"the keeper ended; see {self._logs / _LOG}")
                *lines, self._pending = (self._pending + received).split(b"\n")
                for event in map(json.loads, lines):
                    self._note(event)
                wait_s = 0.0

    def _note(self, event: Mapping[str, Any]) -> None:
        if "made" in event:
            self._made = True
        elif "started" in event:
            self.pids[event["started"]] = event["pid"]
        elif "exited" in event:
            if not self._ending:
                self.exits.append(Exit(event["exited"], event["status"]))
        elif "ended" in event:
            self._ending = False
            if event["ended"]:
                raise DeployError(f"processes {event['ended']} cannot be killed; reboot")
        elif event.get("stopped"):
            raise DeployError(f"processes {event['stopped']} cannot be killed; reboot")

    def end_components(self, grace_s: float) -> None:
        """End every process of the deployment but the keeper, so that they may be started again.

        Raises:
            DeployError: the keeper could not do it.
        """
        end_ns = perf_counter_ns() + int(_KEEPER_LIMIT_S * 1e9)
        self._ending = True
        self._send({"end": grace_s})
        while self._ending:
            self.listen(_TICK_S)
            if perf_counter_ns() > end_ns:
                raise DeployError(f"the keeper (pid {self.pid}) does not end its processes")

    def stop(self, grace_s: float) -> None:
        """End every process of the deployment and wait until none is left.

        Raises:
            DeployError: the keeper could not do it.
        """
        try:
            self._send({"stop": grace_s})
            out, _ = self._process.communicate(timeout=_KEEPER_LIMIT_S)
        except BrokenPipeError:
            self._process.wait(_KEEPER_LIMIT_S)
            return
        except subprocess.TimeoutExpired as error:
            raise DeployError(
                f"the keeper (pid {self.pid}) did not end its processes; see {self._logs / _LOG}"
            ) from error
        for line in (self._pending + out).splitlines():
            self._note(json.loads(line))
        log = self._logs / _LOG
        if log.exists() and not log.stat().st_size:
            log.unlink()


def scratch_directory() -> Path:
    """A name for a new directory, which a keeper makes and removes.

    Its path is short: a unix socket's is limited to 107 bytes, and Ray's lie deep.
    """
    return Path(f"/tmp/sb-{secrets.token_hex(4)}")  # noqa: S108 - made with mode 0700, or not at all


def clean_environment(
    directory: Path, search_path: Sequence[str], own: Mapping[str, str]
) -> dict[str, str]:
    """Nothing of the caller's environment may change how fast a SUT is.

    Args:
        directory: HOME and the place of temporary files; it goes when the deployment goes.
        search_path: importable before the repository.
        own: what the component asks for.
    """
    root = str(Path(architectures.__file__).parent.parent)
    return {
        **{name: os.environ[name] for name in _INHERITED if name in os.environ},
        "HOME": str(directory),
        "TMPDIR": str(directory),
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join([*search_path, root]),
        "PYTHONUNBUFFERED": "1",
        **own,
    }


def last_lines(logs: Path, component: str) -> str:
    """The end of a component's log, for an error."""
    path = logs / f"{component}.log"
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    shown = "\n".join(f"  {line}" for line in lines[-_LOG_LINES:]) or "  (it is empty)"
    return f"The end of {path}:\n{shown}"
