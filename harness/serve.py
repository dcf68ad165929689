"""One SUT, deployed until Ctrl-C, to be tried by hand or in Locust's web UI."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from time import sleep
from typing import NoReturn

from architectures import catalog
from architectures.catalog import CatalogError
from architectures.contract import graph_path
from architectures.plugin import load_ensemble
from architectures.spec import EnsembleChoice, ServingPolicy
from harness.deploy import Deployment, deploy
from harness.drive import web_ui
from harness.environment import assign_cores
from harness.kept import DeployError, last_lines
from harness.remote import is_remote
from workloads.payloads import write_payloads

_MEMORY_GIB = 8.0
_EXAMPLES = 50
_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}


@dataclass(frozen=True, slots=True)
class Served:
    """A SUT that is up, a request to try it with, and Locust's web UI over it, if wanted."""

    sut: str
    deployment: Deployment
    curl: str
    explore: Callable[[], AbstractContextManager[str]]


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
    examples = ensemble.examples("load", _EXAMPLES, 1)
    example, graph = examples[0], next(iter(ensemble.GRAPHS))
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
        payloads = deployment.directory / "payloads.parquet"
        write_payloads(payloads, examples)
        curl = (
            f"curl --data-binary @{body} -H 'Content-Type: {example.media_type}' "
            f"{deployment.url}{graph_path(graph)}"
        )
        explore = partial(
            web_ui,
            payloads=payloads,
            url=deployment.url,
            directory=deployment.directory,
            cores=assigned.harness,
            graph=graph,
        )
        yield Served(f"{architecture.name}:{variant.name}", deployment, curl, explore)


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
