"""One SUT, deployed until Ctrl-C, to be tried by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import sleep
from typing import NoReturn

from architectures import catalog
from architectures.catalog import CatalogError
from architectures.contract import ADMIN_KEY_HEADER, ADMIN_PREFIX, graph_path
from architectures.plugin import Ensemble, as_asked, load_ensemble
from architectures.spec import EnsembleChoice, ServingPolicy
from harness.deploy import Deployment, deploy
from harness.environment import assign_cores
from harness.kept import DeployError, last_lines
from harness.remote import is_remote

_MEMORY_GIB = 8.0
_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}


@dataclass(frozen=True, slots=True)
class Served:
    """A SUT that is up, and a request to try it with.

    Attributes:
        admin_curl: an order to its admin API; None where it has none.
    """

    sut: str
    deployment: Deployment
    curl: str
    admin_curl: str | None


@contextmanager
def served(
    reference: str, choice: EnsembleChoice, cores: int, start_up_limit_s: float = 300.0
) -> Iterator[Served]:
    """Deploy ``architecture[:variant]`` with an example request beside it.

    Raises:
        CatalogError, EnsembleError, EnvironmentTooSmallError, DeployError: it cannot be deployed.
    """
    if is_remote(reference):
        raise CatalogError("a remote service runs already: ask it by its own URL")
    architecture, variant = catalog.parse(reference)
    ensemble = load_ensemble(choice)
    assigned = assign_cores(cores)
    graph = next(iter(ensemble.GRAPHS))
    example = as_asked(ensemble, graph, ensemble.examples("load", 1, 1))[0]
    with deploy(
        architecture,
        variant,
        ensemble=choice,
        policy=ServingPolicy(),
        claim=assigned.claim(_MEMORY_GIB),
        startup_timeout_s=start_up_limit_s,
    ) as deployment:
        # In the deployment's own directory, so that they go with it however we end.
        body = deployment.directory / ("example" + _SUFFIXES.get(example.media_type, ".bin"))
        body.write_bytes(example.body)
        headers = {**example.headers, "Content-Type": example.media_type}
        said = " ".join(f"-H '{name}: {value}'" for name, value in headers.items())
        curl = f"curl --data-binary @{body} {said} {deployment.url}{graph_path(graph)}"
        key = f"{architecture.name}:{variant.name}"
        yield Served(key, deployment, curl, _admin_curl(ensemble, deployment))


def _admin_curl(ensemble: Ensemble, deployment: Deployment) -> str | None:
    """An order to the admin API; its key is this deployment's alone and ends with it."""
    if not hasattr(ensemble, "load_admin"):
        return None
    action = next(iter(ensemble.load_admin(ensemble.TIERS[0]).actions), None)
    if action is None:
        return None
    return (
        f"curl -X POST -H '{ADMIN_KEY_HEADER}: {deployment.admin_key}' "
        f"{deployment.url}{ADMIN_PREFIX}{action}"
    )


def wait_until_it_ends(deployment: Deployment) -> NoReturn:
    """Wait for Ctrl-C, or for a component that ends.

    Raises:
        DeployError: a component ended.
    """
    while not deployment.exited():
        sleep(0.5)
    ended = deployment.exited()[0]
    logs = deployment.directory / "logs"
    raise DeployError(f"{ended} while it was served.\n{last_lines(logs, ended.component)}")
