"""From a spec to a running deployment that is sure to end.

The processes belong to ``harness.keeper``; this module brings them up in order and checks that
what answers is what was started.
"""

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter_ns, sleep
from types import MappingProxyType
from typing import Any

from architectures import backends
from architectures.backends import BackendError
from architectures.contract import INFO_PATH, READY_PATH
from architectures.server_config import new_nonce
from architectures.spec import (
    Architecture,
    Blueprint,
    EnsembleChoice,
    Launch,
    ResourceClaim,
    ServingPolicy,
    Variant,
)
from harness.http import ask
from harness.kept import (
    DeployError,
    Exit,
    Keeper,
    clean_environment,
    last_lines,
    scratch_directory,
)
from harness.ports import PORTS

STOP_GRACE_S = 10.0
"""For a component to end cleanly when asked: Ray takes several seconds."""

NO_STATE: Mapping[str, str] = MappingProxyType({})

_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Deployment:
    """A system under test that is up, and is the one we started.

    Attributes:
        url: where requests go, without a path.
        directory: scratch space that goes when the deployment goes.
        info: its ``/v1/info``.
        start_up_s: from the first process started to the last readiness check passed.
        components: names in start order.
        admin_key: opens its admin API; known to this process alone.
        start_again: starts what has been ended, as at first; returns seconds until it was ready.
    """

    url: str
    directory: Path
    nonce: str
    info: Mapping[str, Any]
    start_up_s: float
    components: tuple[str, ...]
    keeper: Keeper = field(repr=False)
    admin_key: str = field(repr=False)
    start_again: Callable[[], float] = field(repr=False)

    def pids(self) -> dict[str, int]:
        """Component -> its first process; the others descend from it or from the keeper."""
        return dict(self.keeper.pids)

    def redeploy(self) -> Mapping[str, float]:
        """End every component and start it again: same address, same folder, so the same state.

        Returns:
            ``ended_s`` until all had ended, ``ready_s`` from then on, and ``replaced_s``, both.

        Raises:
            DeployError: it could not be ended, or did not get ready again.
        """
        begun_ns = perf_counter_ns()
        self.keeper.end_components(STOP_GRACE_S)
        ended_s = (perf_counter_ns() - begun_ns) / 1e9
        ready_s = self.start_again()
        return {"ended_s": ended_s, "ready_s": ready_s, "replaced_s": ended_s + ready_s}

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
    state: Mapping[str, str] = NO_STATE,
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
        state: variables of ``architectures.backends`` for its components, before those of our
            own environment.

    Raises:
        DeployError: a component ended or did not get ready, or something else answers there.
    """
    if log_directory is not None:
        log_directory.mkdir(parents=True, exist_ok=True)
    directory = scratch_directory()
    logs = log_directory or directory / "logs"
    launch = Launch(ensemble, policy, claim, variant, new_nonce(), directory, PORTS.free)
    keeper = Keeper(directory, logs, claim)
    try:
        yield _bring_up(
            architecture,
            launch,
            keeper,
            logs,
            _told(directory, state),
            timeout_s=startup_timeout_s,
        )
    finally:
        keeper.stop(STOP_GRACE_S)


@dataclass(frozen=True, slots=True)
class _Told:
    """What every component is told of the deployment's stateful parts."""

    admin_key: str = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)


def _told(directory: Path, state: Mapping[str, str]) -> _Told:
    key = secrets.token_urlsafe(24)
    environment = {
        backends.DIRECTORY_VARIABLE: str(directory),
        backends.ADMIN_KEY_VARIABLE: hashlib.sha256(key.encode()).hexdigest(),
        **backends.given(os.environ),
        **state,
    }
    return _Told(key, environment)


def _bring_up(
    architecture: Architecture,
    launch: Launch,
    keeper: Keeper,
    logs: Path,
    told: _Told,
    *,
    timeout_s: float,
) -> Deployment:
    blueprint = _on_paper(architecture, launch)

    def start() -> tuple[Mapping[str, Any], float]:
        start_ns = perf_counter_ns()
        _start(blueprint, launch, keeper, logs, told, end_ns=start_ns + int(timeout_s * 1e9))
        start_up_s = (perf_counter_ns() - start_ns) / 1e9
        return _check_identity(architecture, launch, blueprint.url), start_up_s

    info, start_up_s = start()
    return Deployment(
        url=blueprint.url,
        directory=launch.directory,
        nonce=launch.nonce,
        info=info,
        start_up_s=start_up_s,
        components=tuple(component.name for component in blueprint.components),
        keeper=keeper,
        admin_key=told.admin_key,
        start_again=lambda: start()[1],
    )


def _start(
    blueprint: Blueprint,
    launch: Launch,
    keeper: Keeper,
    logs: Path,
    told: _Told,
    *,
    end_ns: int,
) -> None:
    """Start every component, each once the one before is ready."""
    for component in blueprint.components:
        env = clean_environment(launch.directory, launch.ensemble.search_path, told.environment)
        env |= component.env
        keeper.start(component.name, component.argv, env)
        _await_ready(component.name, component.ready_url, keeper, logs, end_ns)
    _await_ready(blueprint.components[-1].name, blueprint.url + READY_PATH, keeper, logs, end_ns)


def _on_paper(architecture: Architecture, launch: Launch) -> Blueprint:
    try:
        return architecture.blueprint(launch)
    except BackendError as error:
        raise DeployError(str(error)) from error


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
