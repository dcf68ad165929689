"""What one server process is told when it starts, carried in an environment variable."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from architectures.spec import EnsembleChoice, Launch, ServingPolicy

VARIABLE = "SERVEBENCH_SERVER"
HOST = "127.0.0.1"

_THREAD_LIMITS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_ALLOCATOR = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 * 1024 * 1024),  # the most glibc takes
    "MALLOC_TRIM_THRESHOLD_": str(512 * 1024 * 1024),
}


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """One server process's part of a deployment.

    Attributes:
        architecture / variant: repeated in ``/v1/info``.
        options: the variant's options.
        cores: how many cores the whole SUT has; affinity itself is set by the harness.
        port: the loopback port to bind.
        directory: private scratch space of the deployment.
        components: names of every component, for ``/v1/info``.
        role: which part this process plays, where an architecture has several.
        peers: role -> URL of the parts this one calls.
    """

    architecture: str
    variant: str
    ensemble: EnsembleChoice
    policy: ServingPolicy
    cores: int
    nonce: str
    port: int
    directory: str
    components: tuple[str, ...]
    options: Mapping[str, object] = field(default_factory=dict)
    role: str = ""
    peers: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """What a component needs, the equal footing of :func:`process_environment` included."""
        encoded = _CODEC.dump_json(self).decode()
        return {VARIABLE: encoded, **process_environment(self.policy.torch_threads)}


_CODEC = TypeAdapter(ServerConfig)


def process_environment(torch_threads: int) -> dict[str, str]:
    """What every process that runs stages is started with, the in-process ceiling too.

    Thread limits, which torch reads when it is imported; and the allocator's, without which glibc
    gives a batch's activations back to the kernel and faults them in again at the next batch, more
    so in a thread than in the main program: architectures that run stages in threads would seem
    slower by 0.3 CPU-ms an image and stage.
    """
    return {**dict.fromkeys(_THREAD_LIMITS, str(torch_threads)), **_ALLOCATOR}


def from_environment() -> ServerConfig:
    """The configuration this process was started with.

    Raises:
        KeyError: the process was not started by a deployment.
    """
    return _CODEC.validate_json(os.environ[VARIABLE])


def for_launch(
    launch: Launch, architecture: str, port: int, components: tuple[str, ...]
) -> ServerConfig:
    """The configuration shared by a launch's processes; give roles with ``dataclasses.replace``."""
    return ServerConfig(
        architecture=architecture,
        variant=launch.variant.name,
        ensemble=launch.ensemble,
        policy=launch.policy,
        cores=len(launch.claim.cores),
        nonce=launch.nonce,
        port=port,
        directory=str(launch.directory),
        components=components,
        options=dict(launch.variant.options),
    )


def new_nonce() -> str:
    """A deployment's unguessable name."""
    return secrets.token_hex(16)
