"""One SUT, deployed until Ctrl-C, to be tried by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

from architectures import catalog
from architectures.contract import graph_path
from architectures.plugin import load_ensemble
from architectures.spec import EnsembleChoice, ServingPolicy
from harness.deploy import DeployError, Deployment, deploy
from harness.environment import assign_cores

_MEMORY_GIB = 8.0
_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}


@dataclass(frozen=True, slots=True)
class Served:
    """A SUT that is up, and a request to try it with."""

    sut: str
    deployment: Deployment
    curl: str


@contextmanager
def served(
    reference: str, choice: EnsembleChoice, cores: int, start_up_limit_s: float = 120.0
) -> Iterator[Served]:
    """Deploy ``architecture[:variant]`` with an example request beside it.

    Raises:
        CatalogError, EnsembleError, EnvironmentTooSmallError, DeployError: it cannot be deployed.
    """
    architecture, variant = catalog.parse(reference)
    ensemble = load_ensemble(choice)
    claim = assign_cores(cores).claim(_MEMORY_GIB)
    (example,) = ensemble.examples("load", 1, 1)
    graph = next(iter(ensemble.GRAPHS))
    with TemporaryDirectory(prefix="sb-serve-") as folder:
        body = Path(folder, "example" + _SUFFIXES.get(example.media_type, ".bin"))
        body.write_bytes(example.body)
        with deploy(
            architecture,
            variant,
            ensemble=choice,
            policy=ServingPolicy(),
            claim=claim,
            log_directory=Path(folder, "logs"),
            startup_timeout_s=start_up_limit_s,
        ) as deployment:
            curl = (
                f"curl --data-binary @{body} -H 'Content-Type: {example.media_type}' "
                f"{deployment.url}{graph_path(graph)}"
            )
            yield Served(f"{architecture.name}:{variant.name}", deployment, curl)


def wait_until_it_ends(deployment: Deployment) -> None:
    """Return never: Ctrl-C ends the wait, and so does a component that ends.

    Raises:
        DeployError: a component ended.
    """
    while not deployment.exited():
        sleep(0.5)
    raise DeployError(f"{deployment.exited()[0]}; its log went with the deployment")
