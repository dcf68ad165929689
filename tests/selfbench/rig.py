"""A SUT, payloads and one open-loop trial of our own, for measuring ourselves against others."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from architectures import catalog
from architectures.plugin import load_ensemble
from architectures.spec import EnsembleChoice, ServingPolicy, Variant
from harness.deploy import Deployment, deploy
from harness.drive import boot
from harness.environment import Cores
from workloads.payloads import write_payloads
from workloads.plan import PlanHeader, build_plan, write_plan
from workloads.sample import Outcome, read_samples

ENSEMBLE = EnsembleChoice("architectures.ensemble", "tiny")
GRAPH = "tag"
PAYLOADS = 60
MEMORY_GIB = 6.0
WARM_UP_S = 2.0


@dataclass(frozen=True, slots=True)
class Bed:
    """Where measurements of ourselves are made: a scratch folder with payloads, and cores."""

    folder: Path
    cores: Cores

    @property
    def payloads(self) -> Path:
        """The payload file."""
        return self.folder / "payloads.parquet"


def make_bed(folder: Path, cores: Cores) -> Bed:
    """A bed with the ensemble's own images."""
    bed = Bed(folder, cores)
    write_payloads(bed.payloads, load_ensemble(ENSEMBLE).examples("load", PAYLOADS, 1))
    return bed


@contextmanager
def standing(bed: Bed, sut: str, variant: Variant | None = None) -> Iterator[Deployment]:
    """A SUT by name, perhaps with a variant of its own, until the block ends."""
    architecture, found = catalog.parse(sut)
    claim = bed.cores.claim(MEMORY_GIB)
    policy = ServingPolicy()
    with deploy(
        architecture, variant or found, ensemble=ENSEMBLE, policy=policy, claim=claim
    ) as up:
        yield up


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What one of our trials saw in its steady state.

    Attributes:
        response_ms: of every good answer, from the intended start.
        planned: requests of the plan in it.
    """

    response_ms: npt.NDArray[np.float64]
    planned: int


def our_trial(bed: Bed, url: str, rate_rps: float, seconds: float, seed: int) -> Trial:
    """Play a Poisson plan once."""
    header = PlanHeader("poisson", (GRAPH,), rate_rps, WARM_UP_S, seconds, seed)
    plan, path = build_plan(header, PAYLOADS), bed.folder / "plan.parquet"
    write_plan(path, plan)
    with boot(
        plan=path,
        payloads=bed.payloads,
        url=url,
        directory=bed.folder,
        cores=bed.cores.harness,
        drain_s=5.0,
    ) as generator:
        result = generator.play()
    samples = read_samples(result.samples)
    intended, received = (samples[f"{name}_ns"].to_numpy() for name in ("intended", "received"))
    steady = intended >= result.phases.steady_ns
    good = steady & (samples["outcome"].to_numpy() == Outcome.OK)
    return Trial((received - intended)[good] / 1e6, int(steady.sum()))
