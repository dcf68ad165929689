"""From a spec to a running deployment that is sure to end.

The processes belong to ``harness.keeper``; this module talks to it and checks that what answers
is what was started.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from select import select
from time import perf_counter_ns, sleep
from typing import Any

import architectures
from architectures.contract import INFO_PATH, READY_PATH
from architectures.server_config import new_nonce
from architectures.spec import (
    Architecture,
    EnsembleChoice,
    Launch,
    ResourceClaim,
    ServingPolicy,
    Variant,
)
from harness.http import ask
from harness.ports import PORTS

STOP_GRACE_S = 10.0
"""For a component to end cleanly when asked: Ray takes several seconds."""

_POLL_S = 0.05
_LOG = "keeper.log"
_LOG_LINES = 15
_KEEPER_LIMIT_S = STOP_GRACE_S + 25.0
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
        directory: the deployment's scratch directory; the keeper removes it.
        logs: where components log.
        claim: the cores of the components; the keeper stays off them.
    """

    def __init__(self, directory: Path, logs: Path, claim: ResourceClaim) -> None:
        own = os.sched_getaffinity(0) - set(claim.cores) or os.sched_getaffinity(0)
        cores = (",".join(map(str, part)) for part in (claim.cores, sorted(own)))
        script = Path(__file__).with_name("keeper.py")
        with (logs / _LOG).open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(script), str(directory), str(logs), *cores],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                bufsize=0,
            )
        self._logs = logs
        self._pending = b""
        self.pids: dict[str, int] = {}
        self.exits: list[Exit] = []

    @property
    def pid(self) -> int:
        """The keeper itself: every process of the deployment descends from it."""
        return self._process.pid

    def start(self, name: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Have a component started."""
        self._send({"start": name, "argv": list(argv), "env": dict(env)})

    def _send(self, command: dict[str, Any]) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was opened as a pipe
        self._process.stdin.write(json.dumps(command).encode() + b"\n")

    def listen(self, wait_s: float = 0.0) -> None:
        """Take in what the keeper said, waiting at most ``wait_s`` for it to begin.

        Raises:
            DeployError: the keeper itself has ended.
        """
        assert self._process.stdout is not None  # noqa: S101 - it was opened as a pipe
        while select([self._process.stdout], [], [], wait_s)[0]:
            received = os.read(self._process.stdout.fileno(), 65536)
            if not received:
                raise DeployError(f"the keeper ended; see {self._logs / _LOG}")
            *lines, self._pending = (self._pending + received).split(b"\n")
            for event in map(json.loads, lines):
                self._note(event)
            wait_s = 0.0

    def _note(self, event: Mapping[str, Any]) -> None:
        if "started" in event:
            self.pids[event["started"]] = event["pid"]
        elif "exited" in event:
            self.exits.append(Exit(event["exited"], event["status"]))
        elif event.get("stopped"):
            raise DeployError(f"processes {event['stopped']} cannot be killed; reboot")

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


@dataclass(frozen=True, slots=True)
class Deployment:
    """A system under test that is up, and is the one we started.

    Attributes:
        url: where requests go, without a path.
        directory: scratch space that goes when the deployment goes.
        info: its ``/v1/info``.
        start_up_s: from the first process started to the last readiness check passed.
        components: names in start order.
    """

    url: str
    directory: Path
    nonce: str
    info: Mapping[str, Any]
    start_up_s: float
    components: tuple[str, ...]
    keeper: Keeper = field(repr=False)

    def pids(self) -> dict[str, int]:
        """Component -> its first process; the others descend from it or from the keeper."""
        return dict(self.keeper.pids)

    def exited(self) -> tuple[Exit, ...]:
        """Components that ended although nobody asked them to."""
        self.keeper.listen()
        return tuple(self.keeper.exits)


@contextmanager
def deploy(
    architecture: Architecture,
    variant: Variant,
    *,
    ensemble: EnsembleChoice,
    policy: ServingPolicy,
    claim: ResourceClaim,
    log_directory: Path | None = None,
    startup_timeout_s: float = 120.0,
) -> Iterator[Deployment]:
    """Start a system under test, and end it whatever happens inside the ``with`` block.

    Args:
        architecture: what is started.
        variant: which of its named sets of options.
        ensemble: the ensemble it serves.
        policy: the rules every architecture obeys.
        claim: cores it is pinned to, memory it may use.
        log_directory: made if absent; holds one log a component and outlives the deployment.
            None keeps no log beyond the deployment.
        startup_timeout_s: for all components to get ready.

    Raises:
        DeployError: a component ended or did not get ready, or something else answers there.
    """
    directory = scratch_directory()
    logs = log_directory or directory / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    launch = Launch(ensemble, policy, claim, variant, new_nonce(), directory, PORTS.free)
    keeper = Keeper(directory, logs, claim)
    try:
        yield _bring_up(architecture, launch, keeper, logs, startup_timeout_s)
    finally:
        keeper.stop(STOP_GRACE_S)


def _bring_up(
    architecture: Architecture, launch: Launch, keeper: Keeper, logs: Path, timeout_s: float
) -> Deployment:
    blueprint = architecture.blueprint(launch)
    start_ns = perf_counter_ns()
    end_ns = start_ns + int(timeout_s * 1e9)
    for component in blueprint.components:
        env = clean_environment(launch.directory, launch.ensemble.search_path, component.env)
        keeper.start(component.name, component.argv, env)
        _await_ready(component.name, component.ready_url, keeper, logs, end_ns)
    _await_ready(blueprint.components[-1].name, blueprint.url + READY_PATH, keeper, logs, end_ns)
    start_up_s = (perf_counter_ns() - start_ns) / 1e9
    return Deployment(
        url=blueprint.url,
        directory=launch.directory,
        nonce=launch.nonce,
        info=_check_identity(architecture, launch, blueprint.url),
        start_up_s=start_up_s,
        components=tuple(component.name for component in blueprint.components),
        keeper=keeper,
    )


def scratch_directory() -> Path:
    """A new directory for a keeper to remove.

    Its path is short: a unix socket's is limited to 107 bytes, and Ray's lie deep.
    """
    return Path(tempfile.mkdtemp(prefix="sb-", dir="/tmp"))


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


def _await_ready(name: str, url: str, keeper: Keeper, logs: Path, end_ns: int) -> None:
    """Poll until ``url`` answers 200; a component that ends meanwhile ends the wait."""
    while not _ready(url):
        keeper.listen()
        if keeper.exits:
            ended = keeper.exits[0]
            raise DeployError(
                f"{ended} before it was ready.\n{last_lines(logs, ended.component)}\n"
                "Mend what the log names, then run again"
            )
        if perf_counter_ns() > end_ns:
            raise DeployError(
                f"component {name!r} did not get ready in time ({url}).\n"
                f"{last_lines(logs, name)}\n"
                "Give it longer (`start_up_limit_s` in [budget]) or mend what the log names"
            )
        sleep(_POLL_S)


def _ready(url: str) -> bool:
    try:
        return ask(url, timeout_s=5.0).status == 200  # noqa: PLR2004 - HTTP's own number
    except OSError:
        return False


def last_lines(logs: Path, component: str) -> str:
    """The end of a component's log, for an error."""
    path = logs / f"{component}.log"
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    shown = "\n".join(f"  {line}" for line in lines[-_LOG_LINES:]) or "  (it is empty)"
    return f"The end of {path}:\n{shown}"


def _check_identity(architecture: Architecture, launch: Launch, url: str) -> Mapping[str, Any]:
    """Ask who answers: a stale server on the port must never be measured."""
    expected = {
        "nonce": launch.nonce,
        "architecture": architecture.name,
        "variant": launch.variant.name,
    }
    try:
        info = ask(url + INFO_PATH).json()
        seen = {key: info.get(key) for key in expected}
    except (OSError, ValueError, AttributeError) as error:
        raise DeployError(
            f"{url}{INFO_PATH} does not answer with a JSON object ({error}); "
            "architectures/contract.py says what every architecture must answer"
        ) from error
    if seen != expected:
        raise DeployError(
            f"{url}{INFO_PATH} is answered by another deployment: expected {expected}, "
            f"got {seen}; end that server, then run again"
        )
    return dict(info)
