"""Our stub of the external moderation API, as a process beside the SUTs."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic_ns, sleep
from typing import Any

from architectures.contract import READY_PATH
from architectures.server_config import HOST
from architectures.spec import ResourceClaim
from harness.http import ask
from harness.kept import DeployError, Keeper, clean_environment, last_lines, scratch_directory
from harness.ports import PORTS

_NAME = "moderation"
_MODULE = "architectures.moderation_service"
_LIMIT_S = 30.0
_POLL_S = 0.05
_GRACE_S = 2.0
_OK = 200


class ModerationError(Exception):
    """The stub does not do as it is told."""


@dataclass(frozen=True, slots=True)
class Moderation:
    """The stub, up.

    Attributes:
        url: ``http://HOST:PORT``.
        script: how it behaved first, completely.
    """

    url: str
    script: Mapping[str, Any]

    def behave(self, changes: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """Have it behave so from now on; None is as it did first. Answers the whole script.

        Raises:
            ModerationError: it refused, or did not answer.
        """
        body = json.dumps(dict(self.script if changes is None else changes)).encode()
        try:
            reply = ask(f"{self.url}/control", body, "application/json")
        except OSError as error:
            raise ModerationError(f"the stub of the moderation API is gone: {error}") from error
        if reply.status != _OK:
            raise ModerationError(f"the stub of the moderation API refuses: {reply.body.decode()}")
        said: Mapping[str, Any] = reply.json()
        return said


@contextmanager
def moderation(script: Mapping[str, Any], cores: Sequence[int], logs: Path) -> Iterator[Moderation]:
    """Start the stub, and end it whatever happens in the block.

    Args:
        script: how it behaves, as ``architectures.moderation_service.script`` reads it.
        cores: it runs on these; none of the SUT's.
        logs: its log goes there.

    Raises:
        DeployError: it did not come up.
    """
    directory, url = scratch_directory(), f"http://{HOST}:{PORTS.free()}"
    claim = ResourceClaim(tuple(cores), 0)
    keeper = Keeper(directory, logs, claim)
    port, said = url.rpartition(":")[2], json.dumps(dict(script))
    argv = (sys.executable, "-m", _MODULE, "--port", port, "--script", said)
    try:
        keeper.start(_NAME, argv, clean_environment(directory, (), {}))
        _await_ready(url, keeper, logs)
        yield Moderation(url, ask(f"{url}/control").json()["script"])
    finally:
        keeper.stop(_GRACE_S)


def _await_ready(url: str, keeper: Keeper, logs: Path) -> None:
    end_ns = monotonic_ns() + int(_LIMIT_S * 1e9)
    while not _ready(url):
        keeper.listen()
        if keeper.exits or monotonic_ns() > end_ns:
            raise DeployError(
                "the stub of the moderation API did not come up; mend [backends] moderation.\n"
                f"{last_lines(logs, _NAME)}"
            )
        sleep(_POLL_S)


def _ready(url: str) -> bool:
    try:
        return ask(url + READY_PATH, timeout_s=5.0).status == _OK
    except OSError:
        return False
