"""Money and energy of answers, in USD per million good ones.

A good answer is an OK answer completed in steady state within the SLO. What a trial spent is kept
apart from what that costs, so that an old run can be priced anew.
"""

from dataclasses import dataclass

from harness.record import RunRecord
from reports.estimate import Missing, Value
from reports.frames import TrialFrames
from reports.gpu import busy_gpu_s, energy_j
from reports.prices import Energy, Price
from reports.usage import pss_byte_s, steady_cpu_s

MILLION = 1e6
HOUR_S = 3600.0
GIB_BYTES = 2**30
KWH_J = 3.6e6
REMOTE = "remote"
NO_ENERGY = Missing("no GPU is used, and what the CPU draws is not known")


@dataclass(frozen=True, slots=True)
class Reserved:
    """What a SUT is given, whether it uses it or not.

    Attributes:
        cores: it is pinned to; a cloud sells each as one vCPU, a hardware thread.
        gib: of memory.
        gpus: 1 where the ensemble runs on a GPU.
    """

    cores: float
    gib: float
    gpus: int


def reserved(record: RunRecord, sut: str) -> Reserved | Missing:
    """The budget that the scenario gives every SUT it deploys."""
    if sut.split(":", maxsplit=1)[0] == REMOTE:
        return Missing("a running service: what it reserves is not known here")
    budget = record.scenario.get("budget")
    if not isinstance(budget, dict) or not {"cores", "memory_gib"} <= budget.keys():
        return Missing("the scenario records no budget")
    gpus = int(record.ensemble.device.startswith("cuda"))
    return Reserved(float(budget["cores"]), float(budget["memory_gib"]), gpus)


@dataclass(frozen=True, slots=True)
class Spending:
    """What one trial reserved, and what it used in steady state.

    Attributes:
        good: good answers.
        steady_s: length of the steady state.
        cpu_s: of all components.
        gib_s: GiB of PSS of all components, integrated over time.
        gpu_s: seconds the GPU was busy; 0 where none is reserved.
        gpu_j: energy the GPUs took.
    """

    reserved: Reserved | Missing
    good: Value
    steady_s: float
    cpu_s: Value
    gib_s: Value
    gpu_s: Value
    gpu_j: Value


def spending(trial: TrialFrames, given: Reserved | Missing, goodput_rps: Value) -> Spending:
    """Read what a trial spent."""
    byte_s = pss_byte_s(trial)
    on_gpu = isinstance(given, Reserved) and given.gpus > 0
    return Spending(
        reserved=given,
        good=goodput_rps if isinstance(goodput_rps, Missing) else goodput_rps * trial.steady_s,
        steady_s=trial.steady_s,
        cpu_s=steady_cpu_s(trial),
        gib_s=byte_s if isinstance(byte_s, Missing) else byte_s / GIB_BYTES,
        gpu_s=busy_gpu_s(trial) if on_gpu else 0.0,
        gpu_j=energy_j(trial) if on_gpu else NO_ENERGY,
    )


def usd_reserved(spent: Spending, price: Price) -> Value:
    """USD per million good answers, from what is reserved.

    ``(cores x vCPU-hour + GiB x GiB-hour + GPUs x GPU-hour) / goodput per hour x 1e6``
    """
    given = spent.reserved
    if isinstance(given, Missing):
        return given
    per_gpu_usd = _gpu_hour_usd(given, price)
    if isinstance(per_gpu_usd, Missing):
        return per_gpu_usd
    hour_usd = given.cores * price.vcpu_hour_usd + given.gib * price.gib_hour_usd
    return _per_million((hour_usd + given.gpus * per_gpu_usd) / HOUR_S * spent.steady_s, spent)


def usd_used(spent: Spending, price: Price) -> Value:
    """USD per million good answers, from what was really used in steady state.

    ``(CPU-s x vCPU-hour + GiB-s of PSS x GiB-hour + busy GPU-s x GPU-hour) / 3600 s / good answers
    x 1e6``
    """
    per_gpu_usd = _gpu_hour_usd(spent.reserved, price)
    if isinstance(per_gpu_usd, Missing):
        return per_gpu_usd
    hourly_usd = (price.vcpu_hour_usd, price.gib_hour_usd, per_gpu_usd)
    used = (spent.cpu_s, spent.gib_s, spent.gpu_s)
    total_usd = 0.0
    for amount_s, usd in zip(used, hourly_usd, strict=True):
        if isinstance(amount_s, Missing):
            return amount_s
        total_usd += amount_s * usd / HOUR_S
    return _per_million(total_usd, spent)


def usd_energy(spent: Spending, energy: Energy) -> Value:
    """USD per million good answers for the GPUs' energy; the CPU's is not known here.

    ``joules / 3.6e6 x USD per kWh / good answers x 1e6``
    """
    if isinstance(spent.gpu_j, Missing):
        return spent.gpu_j
    return _per_million(spent.gpu_j / KWH_J * energy.usd_per_kwh, spent)


def _per_million(usd: float, spent: Spending) -> Value:
    if isinstance(spent.good, Missing):
        return spent.good
    if spent.good == 0:
        return Missing("no good answer in steady state")
    return usd / spent.good * MILLION


def _gpu_hour_usd(given: Reserved | Missing, price: Price) -> Value:
    """0 without a GPU. A row with a GPU prices no run without one, nor the other way round."""
    gpus = 0 if isinstance(given, Missing) else given.gpus
    if gpus and price.gpu_hour_usd is None:
        return Missing("this price has no GPU, and the run had one")
    if not gpus and price.gpu_hour_usd is not None:
        return Missing("this price is of a machine with a GPU, and the run had none")
    return price.gpu_hour_usd or 0.0
