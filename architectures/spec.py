"""What to launch, as frozen data: no processes, no frameworks, no behaviour."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ServingPolicy:
    """The rules every architecture obeys alike, so that only the architecture differs.

    Attributes:
        max_batch: most members of one batch, in every stage.
        batch_wait_s: how long the first member waits for others once an executor is free.
        queue_bound: most requests admitted at once by the whole SUT; the next one gets 503.
        deadline_s: time a request may take unless it says otherwise; then 504.
        torch_threads: intra-op threads of each process that runs a model.
        keep_alive_s: idle seconds before a server closes a connection: longer than a plan's gaps.
        detached_bound: most walks of detached nodes at once in one door; the next one is shed.
    """

    max_batch: int = 16
    batch_wait_s: float = 0.0
    queue_bound: int = 64
    deadline_s: float = 10.0
    torch_threads: int = 1
    keep_alive_s: float = 75.0
    detached_bound: int = 16


@dataclass(frozen=True, slots=True)
class ResourceClaim:
    """What one SUT may use: the same for every architecture of a scenario."""

    cores: tuple[int, ...]
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class EnsembleChoice:
    """Which ensemble is served: an importable module, one of its tiers, on a device.

    ``search_path`` holds extra directories put first on ``sys.path``, for a team's own module;
    ``graphs`` names those that are served, all where it is empty.
    """

    module: str
    tier: str
    device: str = "cpu"
    search_path: tuple[str, ...] = ()
    graphs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Launch:
    """Everything an architecture needs to say what it is made of.

    Attributes:
        variant: the named set of options to use.
        nonce: unguessable; ``/v1/info`` must repeat it, so no stale server is ever measured.
        directory: private to this deployment, emptied when it ends: sockets, logs, sessions.
        port: returns a free loopback port, a new one at each call.
    """

    ensemble: EnsembleChoice
    policy: ServingPolicy
    claim: ResourceClaim
    variant: "Variant"
    nonce: str
    directory: Path
    port: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Component:
    """One process to start; its descendants are its own.

    Attributes:
        name: unique in the deployment; usage is reported under it.
        argv: command line, started with the repository root and ``search_path`` importable.
        env: added to a clean environment.
        ready_url: answers 200 when this component can serve; polled before the next one starts.
    """

    name: str
    argv: tuple[str, ...]
    ready_url: str
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A deployment on paper: components in start order, and where requests go."""

    components: tuple[Component, ...]
    url: str


@dataclass(frozen=True, slots=True)
class Variant:
    """A named set of options of an architecture."""

    name: str
    summary: str
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Architecture:
    """How an ensemble is split and wired.

    Attributes:
        name: as written in scenarios.
        summary: one sentence for a list and a report.
        variants: the first is the headline: the architecture at its best.
        blueprint: from a launch to the components that make it up.
        answers: False where no model runs, so answers have no reference (null_service).
    """

    name: str
    summary: str
    variants: tuple[Variant, ...]
    blueprint: Callable[[Launch], Blueprint]
    answers: bool = True
