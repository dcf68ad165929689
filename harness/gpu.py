"""What NVIDIA GPUs did, by NVML; where there is none, one sentence that says why.

Utilization is the driver's own average over its last sample period (a sixth of a second to a
second). Energy is the device's counter where it has one (Volta and later), else integrated power.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from time import monotonic_ns
from typing import Any

import pyarrow as pa
import pynvml

SCHEMA = pa.schema(
    [
        ("t_ns", pa.int64()),
        ("device", pa.int32()),
        ("component", pa.string()),
        ("utilization", pa.float64()),
        ("memory_bytes", pa.int64()),
        ("power_w", pa.float64()),
        ("energy_j", pa.float64()),
    ]
)
"""``harness.record.GPU_COLUMNS`` with their types."""


@dataclass(frozen=True, slots=True)
class GpuReading:
    """One device at one time; None is what the device does not tell.

    Attributes:
        utilization: share of the last sample period in which a kernel ran.
        memory_bytes: in use, by whomever.
        counted_j: the device's energy counter.
        held: process -> bytes of device memory, all of its contexts together.
    """

    t_ns: int
    device: int
    utilization: float | None
    memory_bytes: int | None
    power_w: float | None
    counted_j: float | None
    held: dict[int, int]


class Gpus:
    """Every GPU the driver lists.

    Args:
        nvml: the module ``pynvml``, initialised.
    """

    def __init__(self, nvml: Any) -> None:
        self._nvml = nvml
        count = nvml.nvmlDeviceGetCount()
        self._devices = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(count)]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._devices)

    def read(self) -> list[GpuReading]:
        """Read every device."""
        return [self._read(index) for index in range(len(self))]

    def describe(self) -> str:
        """Each device with what limits its reading, and the driver."""
        devices = "; ".join(
            f"{index}: {self._ask('nvmlDeviceGetName', device)}, energy {self._metered(device)}"
            f"{', in MIG parts: their utilization is not told' if self._in_parts(device) else ''}"
            for index, device in enumerate(self._devices)
        )
        return f"{devices}; driver {self._ask('nvmlSystemGetDriverVersion')}"

    def _metered(self, device: Any) -> str:
        if self._ask("nvmlDeviceGetTotalEnergyConsumption", device) is not None:
            return "counted"
        return "unknown" if self._ask("nvmlDeviceGetPowerUsage", device) is None else "integrated"

    def _in_parts(self, device: Any) -> bool:
        modes = self._ask("nvmlDeviceGetMigMode", device)
        return modes is not None and modes[0] == self._nvml.NVML_DEVICE_MIG_ENABLE

    def _read(self, index: int) -> GpuReading:
        device = self._devices[index]
        rates = self._ask("nvmlDeviceGetUtilizationRates", device)
        memory = self._ask("nvmlDeviceGetMemoryInfo", device)
        power_mw = self._ask("nvmlDeviceGetPowerUsage", device)
        energy_mj = self._ask("nvmlDeviceGetTotalEnergyConsumption", device)
        return GpuReading(
            t_ns=monotonic_ns(),
            device=index,
            utilization=None if rates is None else rates.gpu / 100,
            memory_bytes=None if memory is None else memory.used,
            power_w=None if power_mw is None else power_mw / 1e3,
            counted_j=None if energy_mj is None else energy_mj / 1e3,
            held=self._held(device),
        )

    def _held(self, device: Any) -> dict[int, int]:
        """A process that computes and draws stands in both lists, with the same memory."""
        held: dict[int, int] = {}
        for question in (
            "nvmlDeviceGetComputeRunningProcesses",
            "nvmlDeviceGetGraphicsRunningProcesses",
        ):
            listed: dict[int, int] = {}
            for process in self._ask(question, device) or ():
                listed[process.pid] = listed.get(process.pid, 0) + (process.usedGpuMemory or 0)
            held |= {pid: max(size, held.get(pid, 0)) for pid, size in listed.items()}
        return held

    def _ask(self, question: str, *given: Any) -> Any | None:
        """None where this device or driver has no answer."""
        try:
            return getattr(self._nvml, question)(*given)
        except self._nvml.NVMLError:
            return None


def open_gpus(nvml: Any = pynvml) -> Gpus | str:
    """The machine's GPUs, or why there are none."""
    try:
        nvml.nvmlInit()
        gpus = Gpus(nvml)
    except nvml.NVMLError as error:
        return f"no GPU: {error}"
    return gpus if len(gpus) else "no GPU: the NVIDIA driver lists none"


@cache
def machine_gpus() -> Gpus | str:
    """This machine's, asked for once: starting NVML costs too much to do it at every trial."""
    return open_gpus()


def describe_gpus() -> str:
    """What there is, or why there is nothing."""
    gpus = machine_gpus()
    return gpus if isinstance(gpus, str) else gpus.describe()


def gpu_table(readings: Sequence[GpuReading], labels: Mapping[int, str]) -> pa.Table:
    """``gpu.parquet``: per reading a row for the device, and one for each component that holds it.

    Args:
        readings: of all devices, in time order.
        labels: process -> component; memory of other processes stands in the device's row alone.
    """
    rows: list[dict[str, object]] = []
    for device in sorted({reading.device for reading in readings}):
        own = [reading for reading in readings if reading.device == device]
        for reading, energy_j in zip(own, energies_j(own), strict=True):
            rows.append(
                {
                    "t_ns": reading.t_ns,
                    "device": device,
                    "utilization": reading.utilization,
                    "memory_bytes": reading.memory_bytes,
                    "power_w": reading.power_w,
                    "energy_j": energy_j,
                }
            )
            rows += [
                {"t_ns": reading.t_ns, "device": device, "component": name, "memory_bytes": size}
                for name, size in _by_component(reading.held, labels).items()
            ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def energies_j(readings: Sequence[GpuReading]) -> list[float | None]:
    """Joules one device took since the first reading.

    Its counter where every reading has it, else power integrated by trapezoids, else None.
    """
    counted = [reading.counted_j for reading in readings if reading.counted_j is not None]
    if len(counted) == len(readings):
        return [joules - counted[0] for joules in counted]
    taken, total_j = [0.0], 0.0
    for before, after in pairwise(readings):
        if before.power_w is None or after.power_w is None:
            return [None] * len(readings)
        total_j += (before.power_w + after.power_w) / 2 * (after.t_ns - before.t_ns) / 1e9
        taken.append(total_j)
    return list(taken)


def _by_component(held: Mapping[int, int], labels: Mapping[int, str]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for pid, size in held.items():
        if pid in labels:
            sizes[labels[pid]] = sizes.get(labels[pid], 0) + size
    return sizes
