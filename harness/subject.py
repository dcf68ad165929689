"""What is measured: a deployment of ours, or a service that runs already; asked alike."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from architectures.spec import Architecture, Variant
from harness.bench import Bench
from harness.deploy import Deployment, deploy
from harness.usage import Target, Usage
from harness.verify import Compared, before_load


class Running(Protocol):
    """A service that answers, whoever started it."""

    @property
    def url(self) -> str:
        """Where requests go, without a path."""
        ...

    @property
    def path(self) -> str:
        """Asked for in place of the graphs' own paths; empty is theirs."""
        ...

    @property
    def info(self) -> Mapping[str, Any]:
        """What it says of itself; empty where it says nothing."""
        ...

    @property
    def start_up_s(self) -> float | None:
        """From the first process started to the last readiness check; None if others did it."""
        ...

    @property
    def admin_key(self) -> str:
        """Opens its admin API; empty where none is known."""
        ...

    def redeploy(self) -> Mapping[str, float]:
        """Replace the whole app while load goes on, and say in seconds what that took.

        Raises:
            DeployError: it cannot be done, or did not come up again.
        """
        ...

    def exits(self) -> tuple[str, ...]:
        """What of it has ended although nobody asked it to, in words."""
        ...

    @property
    def ours(self) -> bool:
        """Whether whatever uses the cores kept for the SUT, and is not it, can be told apart."""
        ...

    def target(self) -> Target | None:
        """Whose processes to read; None where they are not ours to see."""
        ...

    def watched(self, usage: Usage) -> AbstractContextManager[None]:
        """Until the block ends, what it says it uses joins ``usage``, where it says so."""
        ...


@dataclass(frozen=True)
class Subject:
    """A SUT that is up, and is asked only once whether it answers right."""

    bench: Bench
    running: Running
    answers: bool

    @cached_property
    def checked(self) -> Compared:
        """Its answers before load against the references."""
        if not self.answers:
            return Compared()
        bench, running = self.bench, self.running
        return before_load(running.url, bench.payloads, bench.references, running.path, bench.own)


@dataclass(frozen=True)
class Deployed:
    """A deployment of ours, as :class:`Running`."""

    deployment: Deployment

    @property
    def url(self) -> str:
        """Where requests go, without a path."""
        return self.deployment.url

    @property
    def path(self) -> str:
        """None in place of the graphs' own: it keeps the contract."""
        return ""

    @property
    def info(self) -> Mapping[str, Any]:
        """Its ``/v1/info``."""
        return self.deployment.info

    @property
    def start_up_s(self) -> float | None:
        """From the first process started to the last readiness check passed."""
        return self.deployment.start_up_s

    @property
    def admin_key(self) -> str:
        """Made for this deployment."""
        return self.deployment.admin_key

    def redeploy(self) -> Mapping[str, float]:
        """End every component and start it again, at the same address and with the same state."""
        return self.deployment.redeploy()

    def exits(self) -> tuple[str, ...]:
        """Components that ended although nobody asked them to."""
        return tuple(map(str, self.deployment.exited()))

    @property
    def ours(self) -> bool:
        """It is pinned to those cores, and all its processes are seen."""
        return True

    def watched(self, usage: Usage) -> AbstractContextManager[None]:  # noqa: ARG002 - a protocol's
        """Nothing: its processes are seen from outside."""
        return nullcontext()

    def target(self) -> Target:
        """Every component's first process, replaced ones too, and the keeper of all orphans."""
        return Target(self.deployment.keeper.pids, self.deployment.keeper.pid)


@contextmanager
def deployed(bench: Bench, sut: tuple[Architecture, Variant], logs: Path) -> Iterator[Subject]:
    """Deploy a SUT as the scenario says, until the block ends.

    Args:
        bench: what all trials share.
        sut: what is deployed.
        logs: where its components' logs go.

    Raises:
        DeployError: it did not come up.
    """
    scenario = bench.scenario
    with deploy(
        *sut,
        ensemble=scenario.ensemble.choice(),
        policy=scenario.policy.policy(),
        claim=bench.cores.claim(scenario.budget.memory_gib),
        log_directory=logs,
        startup_timeout_s=scenario.budget.start_up_limit_s,
        state=bench.backends.variables,
    ) as deployment:
        yield Subject(bench, Deployed(deployment), sut[0].answers)
